//! What a node does with a command that names keys.
//!
//! Nothing is forwarded. A node serves what is its own, and of the rest it says where it is. Three questions,
//! in this order: may this node answer at all ([`refused`])? Is the slot on the move ([`on_the_move`])? And if it is at
//! rest, whose is it ([`at_rest`])?

use std::fmt;

use core_types::{Endpoint, Slot};

use crate::moving::Moving;

// ANCHOR: asked
/// A command, as far as its way depends on it. A transaction is asked about once, at `EXEC`, with the keys of all
/// its commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The slot of its first key; `None`: it has no keys.
    pub slot: Option<Slot>,
    /// Another of its keys lies in another slot.
    pub crosses: bool,
    /// It names more than one key. The same key twice is one.
    pub several: bool,
    /// It may change the data set (a transaction: one of its commands may).
    pub write: bool,
    /// It is `MIGRATE`.
    pub migrate: bool,
    /// The client sent `ASKING` just before, or the command implies it (`RESTORE-ASKING`).
    pub asking: bool,
    /// The client has said `READONLY`.
    pub read_only: bool,
}

/// What the node knows about the slot of the command's first key, and about itself.
///
/// `N` is how a program names a node: an id, a place in a table, or in a test a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View<N> {
    /// This node.
    pub me: N,
    /// Its master, if it is a replica.
    pub my_master: Option<N>,
    /// Whose the slot is, as far as this node knows.
    pub owner: Option<N>,
    /// Whether it is on the move.
    pub moving: Moving<N>,
    /// What this node serves at present.
    pub serving: Serving,
}

/// What a node serves, which depends on the state of the cluster and on its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// The cluster is up.
    All,
    /// It is down, and `cluster-allow-reads-when-down` is set.
    Reads,
    /// It is down.
    Nothing,
}

/// How many of the command's keys are here, counted one by one: the same key twice counts twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// They exist here.
    pub present: usize,
    /// They don't.
    pub missing: usize,
}

/// The answer: carry the command out, or send this error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<N> {
    /// Carry it out here.
    Serve,
    /// The slot is that node's. Remember it.
    Moved(N),
    /// This once, ask that node, with `ASKING` in front. Remember nothing.
    Ask(N),
    /// Some of the keys are here and some are not: the slot is on the move. Again, in a moment.
    TryAgain,
    /// The keys lie in more than one slot.
    CrossSlot,
    /// Nobody has the slot.
    Unbound,
    /// The cluster is down.
    Down,
    /// The cluster is down, and this is a write.
    DownForWrites,
}
// ANCHOR_END: asked

impl Asked {
    /// A command by the slots of its keys, one for each key; whether the keys differ is told apart. Everything
    /// else is `false`.
    pub fn about(slots: impl IntoIterator<Item = Slot>, several: bool) -> Asked {
        let mut slots = slots.into_iter();
        let slot = slots.next();
        Asked {
            slot,
            crosses: slots.any(|other| Some(other) != slot),
            several,
            write: false,
            migrate: false,
            asking: false,
            read_only: false,
        }
    }
}

impl<N> Route<N> {
    /// The error that a client gets, without the leading `-`; `None` if the command is served. `place` says where
    /// a node's clients reach it.
    pub fn error(&self, slot: Slot, place: impl Fn(&N) -> Endpoint) -> Option<String> {
        let text = match self {
            Route::Serve => return None,
            Route::Moved(node) => return Some(format!("MOVED {slot} {}", place(node))),
            Route::Ask(node) => return Some(format!("ASK {slot} {}", place(node))),
            Route::TryAgain => "TRYAGAIN Multiple keys request during rehashing of slot",
            Route::CrossSlot => "CROSSSLOT Keys in request don't hash to the same slot",
            Route::Unbound => "CLUSTERDOWN Hash slot not served",
            Route::Down => "CLUSTERDOWN The cluster is down",
            Route::DownForWrites => "CLUSTERDOWN The cluster is down and only accepts read commands",
        };
        Some(text.into())
    }
}

/// For transcripts: the error's code and the node.
impl<N: fmt::Display> fmt::Display for Route<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Route::Serve => f.write_str("serve"),
            Route::Moved(node) => write!(f, "MOVED to {node}"),
            Route::Ask(node) => write!(f, "ASK {node}"),
            Route::TryAgain => f.write_str("TRYAGAIN"),
            Route::CrossSlot => f.write_str("CROSSSLOT"),
            Route::Unbound => f.write_str("CLUSTERDOWN, nobody has the slot"),
            Route::Down => f.write_str("CLUSTERDOWN"),
            Route::DownForWrites => f.write_str("CLUSTERDOWN, only reads"),
        }
    }
}

// ANCHOR: route
/// The whole decision. `held` looks the keys up, and is called only if the slot is on the move: on the usual way it
/// would be work for nothing.
pub fn route<N: Copy + Eq>(asked: &Asked, view: &View<N>, held: impl FnOnce() -> Held) -> Route<N> {
    if asked.slot.is_none() {
        return Route::Serve;
    }
    if let Some(refusal) = refused(asked, view) {
        return refusal;
    }
    if let Some(route) = on_the_move(asked, view, held) {
        return route;
    }
    at_rest(asked, view)
}
// ANCHOR_END: route

/// Why this node will not answer, whoever has the keys; `None`: it may.
///
/// A slot that nobody has is told before keys in several slots, and both before the state of the cluster. If the
/// cluster is down, only reads are served, and those only under [`Serving::Reads`].
pub fn refused<N: Copy + Eq>(asked: &Asked, view: &View<N>) -> Option<Route<N>> {
    // <exercise 8.1>
    todo!("lab 8.1: May this node answer at all")
    // </exercise>
}

/// Who serves a slot that is at rest: its owner. Everyone else sends the client there. A replica of the owner
/// serves it too, to a client that has said `READONLY` and does not write. (What nobody owns was refused before this
/// is asked.)
pub fn at_rest<N: Copy + Eq>(asked: &Asked, view: &View<N>) -> Route<N> {
    // <exercise 8.2>
    todo!("lab 8.2: Serve, or say where")
    // </exercise>
}

/// The decision where the slot leaves this node or arrives at it; `None`: nothing special, go on as at rest.
///
/// Leaving: only the owner's mark counts. What is here is served, as if the slot were at rest; what is not can only be at the
/// other side or nowhere, so the client is sent there once. Arriving: only who was sent here is served. A command of
/// which some keys are here and some are not can be served by neither side. `MIGRATE` is served on both sides, whatever
/// is here.
pub fn on_the_move<N: Copy + Eq>(
    asked: &Asked,
    view: &View<N>,
    held: impl FnOnce() -> Held,
) -> Option<Route<N>> {
    // <exercise 8.3>
    todo!("lab 8.3: A slot on the move")
    // </exercise>
}
