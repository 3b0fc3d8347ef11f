//! How two nodes get to know each other.
//!
//! An operator tells one node the *address* of another (`CLUSTER MEET`). A node is an *id*, and that is not known yet. So
//! the newcomer is kept under a name made up for the moment, marked as in handshake. It is sent a `MEET`, which is a ping
//! that asks to be taken in; its answer tells the true name. The other side, for whom the `MEET` comes from a stranger,
//! starts a handshake of its own in the opposite direction.
//!
//! All others hear of the newcomer by gossip, with its id, and need no handshake.
//!
//! Only `MEET` makes a node take a stranger in. A ping from a stranger is answered, and nothing else: otherwise a node
//! that was removed from its cluster would come back by itself.

use core_types::{Millis, NodeId};

/// A handshake that takes longer is given up: as long as the node timeout, and at least a second.
pub fn patience(timeout: Millis) -> Millis {
    timeout.max(Millis::from_secs(1))
}

// ANCHOR: welcome
/// How somebody speaks to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// A ping that asks to be taken in: an operator has told its sender of us.
    Meet,
    /// A ping.
    Ping,
    /// The answer to a ping.
    Pong,
}

/// What we do with a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Welcome {
    /// Answer it, with a pong.
    pub answer: bool,
    /// Begin a handshake with its sender, to learn who lives there.
    pub handshake: bool,
    /// Hear what it tells of others.
    pub listen: bool,
}
// ANCHOR_END: welcome

/// What to do with a heartbeat of somebody who is a member (`known`) or is not.
///
/// Every ping is answered: it costs nothing, and a newcomer needs the answer to learn our name. Only `MEET` makes us take a
/// stranger in, and listen to it.
pub fn welcome(greeting: Greeting, known: bool) -> Welcome {
    // <exercise 7.1 welcome>
    let meets = greeting == Greeting::Meet;
    Welcome { answer: greeting != Greeting::Pong, handshake: meets && !known, listen: meets || known }
    // </exercise>
}

// ANCHOR: introduced
/// Whom a connection that we opened leads to, as we thought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected<N = NodeId> {
    /// Somebody whose true name we wait for.
    Anybody,
    /// This member.
    Member(N),
}

/// What somebody's name, told on a connection that we opened, means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introduction {
    /// It is whom we took it for.
    AsExpected,
    /// Now we know its name: it is a member from now on.
    Named,
    /// We know it already. The handshake was for nothing, but may tell where it is now.
    AlreadyKnown,
    /// Somebody else lives at that address. We do not know where the member is.
    SomebodyElse,
}
// ANCHOR_END: introduced

/// What it means that `speaker` answers on a connection of which we expected `expected`. `known`: the speaker is a
/// member already, or ourselves.
pub fn introduced<N: Eq>(expected: Expected<N>, speaker: N, known: bool) -> Introduction {
    // <exercise 7.1 introduced>
    match expected {
        Expected::Anybody if known => Introduction::AlreadyKnown,
        Expected::Anybody => Introduction::Named,
        Expected::Member(id) if id == speaker => Introduction::AsExpected,
        Expected::Member(_) => Introduction::SomebodyElse,
    }
    // </exercise>
}

/// Somebody tells of a member that we do not know: do we take it for one? Only if a member tells (a stranger could lead
/// us into another cluster), if its address is known, and if it was not removed by an operator a moment ago.
pub fn worth_meeting(teller_is_known: bool, no_address: bool, forgotten: bool) -> bool {
    // <exercise 7.1 worth_meeting>
    teller_is_known && !no_address && !forgotten
    // </exercise>
}

#[cfg(test)]
mod tests {
    use core_types::Rng;

    use super::*;

    #[test]
    fn a_name_settles_a_handshake_and_contradicts_a_wrong_address() {
        let mut rng = Rng::new(1);
        let (one, other) = (NodeId::random(&mut rng), NodeId::random(&mut rng));
        assert_eq!(introduced(Expected::Anybody, one, false), Introduction::Named);
        assert_eq!(introduced(Expected::Anybody, one, true), Introduction::AlreadyKnown);
        assert_eq!(introduced(Expected::Member(one), one, true), Introduction::AsExpected);
        assert_eq!(introduced(Expected::Member(one), other, true), Introduction::SomebodyElse);
        assert_eq!(introduced(Expected::Member(one), other, false), Introduction::SomebodyElse);
    }

    #[test]
    fn a_handshake_has_at_least_a_second() {
        assert_eq!(patience(Millis(100)), Millis(1000));
        assert_eq!(patience(Millis(15_000)), Millis(15_000));
    }
}
