//! The manual failover: an operator wants this replica to become master, now.
//!
//! With the master's help (plain `CLUSTER FAILOVER`) nothing is lost, although nobody has failed:
//!
//! ```text
//!   replica                               master
//!   MFSTART  ───────────────────────────▶ pauses its clients' writes
//!            ◀─────────────────────────── PING, paused, "my offset is n"
//!   applies the stream up to n
//!   asks for votes, wins, takes over
//! ```
//!
//! `FORCE` leaves the master out of it and still asks for votes: for a master that nobody can reach. `TAKEOVER` asks nobody
//! at all: for the case that the masters who would vote are gone as well.

use core_types::{Millis, NodeId, Offset};

use crate::candidate::ByHand;

/// How long a manual failover may take before it is called off, and how long its master believes that it is under way
/// (`CLUSTER_MF_TIMEOUT` in Redis's `cluster.h`).
pub const TIMEOUT: Millis = Millis(5000);

/// The master's clients are paused for this many times [`TIMEOUT`] at most: the pause must not end while the replica may
/// still win (`CLUSTER_MF_PAUSE_MULT`).
pub const PAUSE_FACTOR: u64 = 2;

// ANCHOR: order
/// How an operator has asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `CLUSTER FAILOVER`
    Plain,
    /// `CLUSTER FAILOVER FORCE`
    Force,
    /// `CLUSTER FAILOVER TAKEOVER`
    Takeover,
}

/// The master of the node that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Master {
    /// The node is a master itself.
    Myself,
    /// It is a replica, and does not know whose.
    Unknown,
    /// It has one.
    Known {
        /// It has not failed, and the bus reaches it.
        reachable: bool,
    },
}

/// Why it cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impossible {
    /// The command goes to the replica.
    NotAReplica,
    /// There is no master to replace.
    MasterUnknown,
    /// A plain failover needs a master that helps.
    MasterDown,
}

/// What the replica does at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// It asks its master to pause (`MFSTART`).
    AskMaster,
    /// It stands for election right now.
    Stand,
    /// It takes a new epoch without a vote, and takes over.
    TakeOver,
}
// ANCHOR_END: order

/// As clients read it, behind "ERR ".
impl std::fmt::Display for Impossible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Impossible::NotAReplica => "You should send CLUSTER FAILOVER to a replica",
            Impossible::MasterUnknown => "I'm a replica but my master is unknown to me",
            Impossible::MasterDown => "Master is down or failed, please use CLUSTER FAILOVER FORCE",
        })
    }
}

/// An operator has asked for a failover. Can it be, and how does it begin? Only a plain one needs a master that can be
/// reached; but a replica that does not know whose it is has nothing to take over in any way.
pub fn begin(way: Way, master: Master) -> Result<Start, Impossible> {
    // <exercise 9.9 begin>
    todo!("lab 9.9: By hand")
    // </exercise>
}

// ANCHOR: manual
/// A manual failover that a replica has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manual {
    /// When it is called off.
    pub until: Millis,
    /// The offset at which the master has paused, once it has told it.
    pub target: Option<Offset>,
    /// The replica may stand.
    pub ready: bool,
}
// ANCHOR_END: manual

impl Manual {
    /// It begins: it may take [`TIMEOUT`]. One with force is ready at once.
    pub fn new(now: Millis, way: Way) -> Manual {
        Manual { until: now + TIMEOUT, target: None, ready: way != Way::Plain }
    }

    /// The master says that it has paused, at this offset. Only the first such word counts. Did this one?
    pub fn hear_pause(&mut self, offset: Offset) -> bool {
        // <exercise 9.9 hear_pause>
        todo!("lab 9.9: By hand")
        // </exercise>
    }

    /// The replica has applied the stream up to here. Has it become ready just now? It does when it has exactly what the
    /// master had when it paused; a master that is not paused never gets there.
    pub fn catch_up(&mut self, applied: Offset) -> bool {
        // <exercise 9.9 catch_up>
        todo!("lab 9.9: By hand")
        // </exercise>
    }

    /// Is it to be called off? It is when its time is over.
    pub fn is_over(&self, now: Millis) -> bool {
        // <exercise 9.9 is_over>
        todo!("lab 9.9: By hand")
        // </exercise>
    }

    /// What the election has to know of it.
    pub fn by_hand(&self) -> ByHand {
        if self.ready { ByHand::Ready } else { ByHand::Begun }
    }
}

// ANCHOR: pause
/// A master helps one of its replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Whom.
    pub replica: NodeId,
    /// Until then it says in each packet that it is paused, and at which offset; then it gives up and lets the clients
    /// write again.
    pub until: Millis,
    /// Until then its clients may not write, should it not get round to giving up in time.
    pub writes_until: Millis,
}
// ANCHOR_END: pause

/// A node asks us to pause (`MFSTART`). Do we? Only for a replica of ours: anybody else could stop our writes at will.
pub fn pause(now: Millis, sender: NodeId, is_my_replica: bool) -> Option<Pause> {
    // <exercise 9.9 pause>
    todo!("lab 9.9: By hand")
    // </exercise>
}
