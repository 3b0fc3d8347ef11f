//! The life of a backlog: when there has to be one, when it may go, and what that means for the name of
//! the history.
//!
//! A master that never had a replica keeps no backlog, and does not count its writes: nobody could ask
//! for them. So there are times of which no byte is counted. A name and an offset must not mean one state
//! before such a time and another one after it; therefore the name changes.

use core_types::{History, Millis, ReplId};

// ANCHOR: life
/// What the decision depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// It has a backlog.
    pub backlog: bool,
    /// It is a replica itself, and has its master's data.
    pub follows: bool,
    /// How many replicas are connected to it, in whatever state.
    pub replicas: usize,
    /// Since when there has been none; of no meaning while there are.
    pub alone_since: Millis,
}

/// What becomes of the backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// All stays as it is.
    AsItIs,
    /// Begin one, and be known under this history from now on.
    Begin(History),
    /// Drop it, and be known under this history from now on.
    Forget(History),
}
// ANCHOR_END: life

/// Decides what becomes of a node's backlog. Called once a second, and when a replica arrives.
///
/// `ttl` is `repl-backlog-ttl` (3600 s by default, 0: for ever). `fresh` makes a new replication id; it is
/// called only if one is needed.
pub fn backlog_life(
    now: Millis,
    ttl: Millis,
    holder: &Holder,
    history: &History,
    fresh: impl FnOnce() -> ReplId,
) -> Life {
    // <exercise 2.9>
    todo!("lab 2.9: The life of a backlog")
    // </exercise>
}
