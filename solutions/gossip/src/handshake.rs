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

/// Whom a connection that we opened leads to, as we thought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Somebody whose true name we wait for.
    Anybody,
    /// This member.
    Member(NodeId),
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

/// What it means that `speaker` answers on a connection of which we expected `expected`. `known`: the speaker is a
/// member already, or ourselves.
pub fn introduced(expected: Expected, speaker: NodeId, known: bool) -> Introduction {
    match expected {
        Expected::Anybody if known => Introduction::AlreadyKnown,
        Expected::Anybody => Introduction::Named,
        Expected::Member(id) if id == speaker => Introduction::AsExpected,
        Expected::Member(_) => Introduction::SomebodyElse,
    }
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
