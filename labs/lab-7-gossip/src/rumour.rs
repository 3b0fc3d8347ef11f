//! What a heartbeat tells of others, and what its receiver makes of it.
//!
//! A heartbeat carries news of a few members drawn at random, a tenth of all, so that what one knows everybody knows
//! after a few rounds, at a cost that grows with the cluster only slowly. Whoever may have failed is always told of:
//! bad news must not wait for a lucky draw.
//!
//! What is heard in this way is believed carefully. A rumour can make us look again (a later answer, a new address for
//! somebody we cannot reach ourselves, an opinion to be counted), but never takes a slot from anybody nor gives one.

use core_types::{Millis, Rng};

/// The least number of members that are told of, if there are that many.
const LEAST: usize = 3;

/// How far into the future an answer that others tell of may lie: clocks differ (`clusterProcessGossipSection` in
/// Redis's `cluster.c`).
const AHEAD: Millis = Millis(500);

/// Of how many members one heartbeat tells, those aside that may have failed: a tenth of `known`, at least three, and
/// neither the teller nor the one who is told.
pub fn wanted(known: usize) -> usize {
    // <exercise 7.4 wanted>
    todo!("lab 7.4: Of whom a heartbeat tells")
    // </exercise>
}

/// Draws `wanted` of the members that can be told of, each at most once. The order is part of the draw.
pub fn draw<T: Copy>(rng: &mut Rng, mut eligible: Vec<T>, wanted: usize) -> Vec<T> {
    let wanted = wanted.min(eligible.len());
    for place in 0..wanted {
        let other = rng.between(place as u64, eligible.len() as u64 - 1) as usize;
        eligible.swap(place, other);
    }
    eligible.truncate(wanted);
    eligible
}

// ANCHOR: candidate
/// What matters of a member when a heartbeat is to be filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Candidate {
    /// It is ourselves: the header tells of us.
    pub myself: bool,
    /// Its name is not known yet.
    pub handshake: bool,
    /// We do not know where it is.
    pub no_address: bool,
    /// We do not reach it (`PFAIL`).
    pub suspected: bool,
    /// There is a connection to it, standing or being made.
    pub linked: bool,
    /// It owns slots.
    pub owns_slots: bool,
}
// ANCHOR_END: candidate

/// Of whom a heartbeat tells. `members` is everybody we know, ourselves included, in an order that stays the same.
///
/// [`wanted`] of them are [drawn](draw) from those that are not suspected, and then come all that are, in their order. Of
/// ourselves, of somebody in a handshake and of somebody whose address we do not know nothing is told, suspected or not.
/// Somebody to whom we have no connection and who owns no slots is not drawn.
pub fn choose<N: Copy>(rng: &mut Rng, members: impl IntoIterator<Item = (N, Candidate)>) -> Vec<N> {
    // <exercise 7.4 choose>
    todo!("lab 7.4: Of whom a heartbeat tells")
    // </exercise>
}

// ANCHOR: rumour
/// What the teller says of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rumour {
    /// The teller does not reach it, or it is agreed to be down.
    pub failing: bool,
    /// The teller does not know where it is.
    pub no_address: bool,
    /// The address is the one we have.
    pub same_address: bool,
    /// When it answered the teller last.
    pub pong_received: Millis,
}

/// What we know of the same member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// It is ourselves.
    pub myself: bool,
    /// We do not reach it, or it is agreed to be down.
    pub failing: bool,
    /// It owes us an answer.
    pub waiting: bool,
    /// Somebody has reported it, and the report still holds.
    pub reported: bool,
    /// When it answered us last.
    pub pong_received: Millis,
}

/// What follows from a rumour about a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Belief {
    /// The teller's opinion, to be noted: does it fail? `None`: the teller has no say.
    pub report: Option<bool>,
    /// It was heard as late as this; no need to ping it ourselves.
    pub heard: Option<Millis>,
    /// It is elsewhere now.
    pub take_address: bool,
}
// ANCHOR_END: rumour

/// What to make of a rumour about a member. `teller_votes`: the teller is a member, a master, and owns slots; the opinions
/// of others do not count. Whether *we* hold it for failing matters for the address only: if it owes us nothing, it has
/// answered, and only the mark is left.
pub fn merge(now: Millis, rumour: &Rumour, known: &Known, teller_votes: bool) -> Belief {
    // <exercise 7.5>
    todo!("lab 7.5: What to make of a rumour")
    // </exercise>
}
