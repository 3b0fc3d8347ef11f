//! Whom a node pings, and when it begins to doubt.
//!
//! Ten times a second a node looks at everybody it knows. Once a second it pings one more, the one of five drawn at
//! random that it has not heard for longest: that alone would reach everybody sooner or later, and costs the same in a
//! cluster of any size. So that *later* has a bound, whoever has been silent for half the node timeout is pinged at once.
//!
//! The other half of the timeout is for the answer. If half of it passes without a byte, the connection may be at
//! fault and not the node: it is made anew, once, and the ping is sent again. If the whole of it passes, the node may
//! have failed (`PFAIL`). That is one node's opinion, and nothing follows from it yet.

use core_types::{Millis, Rng};

/// How often a node looks around (`clusterCron` in Redis's `cluster.c`).
pub const LOOK_AROUND: Millis = Millis(100);

/// Every so many looks, one more is pinged: once a second.
pub const LOOKS_PER_EXTRA_PING: u64 = 10;

/// Of so many drawn at random, the one that was heard least recently is pinged.
pub const DRAWN: usize = 5;

// ANCHOR: contact
/// What a node knows of its contact with one other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Since when there is a connection to it, standing or being made.
    pub linked: Option<Millis>,
    /// When the ping was sent that it has not answered; zero if it owes nothing.
    pub ping_sent: Millis,
    /// When it answered last.
    pub pong_received: Millis,
    /// When it last said anything.
    pub data_received: Millis,
}

/// What is due for one other node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Due {
    /// Close the connection; it will be made anew.
    pub reconnect: bool,
    /// Ping it now.
    pub ping: bool,
    /// It has been silent for too long.
    pub suspect: bool,
}
// ANCHOR_END: contact

/// What is due for a node, `timeout` being the node timeout.
pub fn due(now: Millis, contact: &Contact, timeout: Millis) -> Due {
    // <exercise 7.2>
    todo!("lab 7.2: Silence")
    // </exercise>
}

/// Which of these candidates gets the extra ping: draws [`DRAWN`] places of `known` members with repetition, as Redis
/// does, and takes the one whose last answer is oldest. `candidate` tells that time for those who can be pinged now. With no
/// member at all nothing is drawn.
pub fn extra_ping(
    rng: &mut Rng,
    known: usize,
    mut candidate: impl FnMut(usize) -> Option<Millis>,
) -> Option<usize> {
    // <exercise 7.3>
    todo!("lab 7.3: The extra ping")
    // </exercise>
}
