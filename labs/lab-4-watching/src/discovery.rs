//! Who is behind a hello.

use core_types::{Endpoint, RunId};

// ANCHOR: peer
/// Another sentinel, as this one knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Who it is. `None`: it is known by its address only (from the configuration of an older time).
    pub id: Option<RunId>,
    /// Where it was last seen.
    pub at: Endpoint,
}

/// What a hello says about its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// It is this sentinel itself, which hears its own hellos too.
    Myself,
    /// The peer at this place of the list, at its old address.
    Known(usize),
    /// The peer at this place of the list, at a new address (`+sentinel-address-switch`). The
    /// connections to the old one are of no use any more.
    Moved(usize),
    /// A peer that was not known (`+sentinel`).
    New {
        /// The place of another peer that is known at the same address (`+sentinel-invalid-addr`). That
        /// one is gone: one address is one process.
        replaces: Option<usize>,
    },
}
// ANCHOR_END: peer

/// Decides who has sent a hello: the sentinel `id`, which listens at `from`.
///
/// A sentinel *is* its run id; an address is only where it was last seen. The list holds each id once, because
/// majorities are counted over it. Nobody leaves it for being silent: who is down stays, and counts, until an operator
/// removes them (`SENTINEL RESET`). Only one kind of proof takes a sentinel off the list: another one lives at its
/// address. Of several peers known at that address the first one goes.
pub fn sighting(me: &RunId, known: &[Peer], id: &RunId, from: &Endpoint) -> Sighting {
    // <exercise 4.4>
    todo!("lab 4.4: Who says hello")
    // </exercise>
}
