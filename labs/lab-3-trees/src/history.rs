//! The names of a history.
//!
//! A replication id names a history of writes; an offset is a place in it. A promoted replica begins a
//! history of its own, and must take a new name for it: its old master may still be alive and writing under the
//! old one. But up to the promotion both are the same, byte for byte. So it remembers the old name as well, and
//! up to where it holds; whoever stands at or before that point can go on where they are.
//!
//! In Redis: `shiftReplicationId`, `replicationCacheMasterUsingMyself` and the `+CONTINUE` branch of
//! `slaveTryPartialResynchronization` in `replication.c`, and `loadDataFromDisk` in `server.c`. Tried with 7.0.15:
//!
//! - A replica that is pointed elsewhere while a snapshot is on its way to it offers its old history, and its old
//!   master continues it.
//! - A replica that is promoted, writes nothing and is pointed back offers its new name, and gets everything.
//! - A master that was saved at 209, wrote up to 242, was killed and started again has a new name at 209 and
//!   `second_repl_offset:210`. Its replica at 242 starts over.

use core_types::{History, Offset, Position, ReplId};

// ANCHOR: past
/// Where a node's data come from, at the moment at which it is told to
/// follow a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// It was a master and wrote this history itself, up to `offset`.
    Master {
        /// The names of what it wrote.
        history: History,
        /// How far it has written.
        offset: Offset,
    },
    /// It was in step with a master. The link may be down by now; even a
    /// new snapshot may be on its way, as long as the data are the old.
    Replica {
        /// The names of what it follows.
        history: History,
        /// How far it has applied it.
        applied: Offset,
        /// How far it has received it. Half a command, or a transaction
        /// without its `EXEC`, is received and not applied.
        received: Offset,
    },
    /// Its data were being replaced by a snapshot, and that did not come
    /// to its end.
    HalfReplaced,
    /// It was just started, and read this position from its RDB file, if
    /// there was one in it.
    Loaded {
        /// `repl-id` and `repl-offset` of the file.
        saved: Option<Position>,
    },
}
// ANCHOR_END: past

/// The history of a node that becomes a master at `offset`, and goes on under the name `new`.
pub fn promoted(history: History, offset: Offset, new: ReplId) -> History {
    // <exercise 3.6 promoted>
    todo!("lab 3.6: A second name")
    // </exercise>
}

/// The history of a replica at `offset` whose master has answered `+CONTINUE`, and `told` it a name with that.
///
/// `None`: nothing has changed. `Some`: the history has a new name, and the replica's own replicas have to
/// connect again to learn it.
pub fn continued(history: History, offset: Offset, told: Option<ReplId>) -> Option<History> {
    // <exercise 3.6 continued>
    todo!("lab 3.6: A second name")
    // </exercise>
}

/// The history of a replica that has taken over everything, by `+FULLRESYNC id`. What its data were called
/// before is of no use to anybody: they are not the same data any more.
pub fn resynchronised(id: ReplId) -> History {
    History::new(id)
}

/// The history and the offset of a node that starts as a *master*, with what its RDB file says about the
/// history of the data in it. `new` is a fresh id.
///
/// Nobody knows what it wrote between that file and its end. So a start is like a promotion at the file's
/// offset.
pub fn restarted(saved: Option<Position>, new: ReplId) -> (History, Offset) {
    // <exercise 3.7 restarted>
    todo!("lab 3.7: What a node can offer")
    // </exercise>
}

/// What a node that is told to follow a master can offer: "I hold this much of that history; can I go on from
/// there?" `None`: it has to ask for everything.
pub fn offer(past: &Past) -> Option<Position> {
    // <exercise 3.7 offer>
    todo!("lab 3.7: What a node can offer")
    // </exercise>
}
