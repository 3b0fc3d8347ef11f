//! Partial resynchronisation: the replica's question and the master's decision.
//!
//! ```text
//! replica → master   PSYNC <id> <number of the first byte it wants>
//! master  → replica  +CONTINUE              the stream goes on from there
//!                    +FULLRESYNC id offset  everything from the beginning
//! ```
//!
//! A replica that has applied n bytes wants byte n + 1: that is the number in `PSYNC`. Here and in the
//! rest of this crate an [`Offset`] is always n; the number on the wire occurs in this file only.

use core_types::{ArgsBuf, History, Offset, ReplId};

// ANCHOR: window
/// The part of the stream that a master's backlog holds: the bytes
/// behind `start`, up to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Whoever has everything up to here can be served.
    pub start: Offset,
    /// Where the stream stands.
    pub end: Offset,
}

/// What a master decides about `PSYNC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// `+CONTINUE`, and then the stream from here on.
    Continue {
        /// What the replica has: the first byte it is sent is the one
        /// behind it.
        from: Offset,
    },
    /// `+FULLRESYNC`: the replica has to take a snapshot.
    Full(Why),
}

/// Why a replica cannot go on where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It did not ask to: an id that begins with `?`.
    Asked,
    /// The id is neither this node's present name nor its earlier one.
    OtherHistory,
    /// The id is the earlier name, but the replica went on under it when
    /// this node had left it already.
    BeyondCommonPast,
    /// The histories agree, but this node keeps no backlog.
    NoBacklog,
    /// The first byte it wants is not in the backlog any more.
    Forgotten,
    /// It claims to have more than has ever been written.
    Future,
}
// ANCHOR_END: window

impl Why {
    /// True if a partial resynchronisation was wanted and could not be had: `sync_partial_err` in `INFO`
    /// counts these.
    pub fn failed(self) -> bool {
        self != Why::Asked
    }
}

/// Decides what a master with this `history` and this backlog (`None`: it keeps none) answers to
/// `PSYNC id offset`.
///
/// Both arguments are as the replica sent them: `id` may have any length, and `offset` is the number of
/// the first byte that is wanted, so one more than what the replica has. Ids compare without regard to
/// upper and lower case. Where several reasons apply, the first of [`Why`] is told.
pub fn psync(history: &History, window: Option<Window>, id: &[u8], offset: i64) -> Verdict {
    // <exercise 2.3>
    let is = |name: ReplId| id.eq_ignore_ascii_case(name.as_str().as_bytes());
    let wanted = i128::from(offset);
    let first_behind = |offset: Offset| i128::from(offset.0) + 1;
    if id.first() == Some(&b'?') {
        return Verdict::Full(Why::Asked);
    }
    if !is(history.id) {
        match history.earlier {
            Some(past) if is(past.id) && wanted <= first_behind(past.offset) => {}
            Some(past) if is(past.id) => return Verdict::Full(Why::BeyondCommonPast),
            _ => return Verdict::Full(Why::OtherHistory),
        }
    }
    match window {
        None => Verdict::Full(Why::NoBacklog),
        Some(window) if wanted < first_behind(window.start) => Verdict::Full(Why::Forgotten),
        Some(window) if wanted > first_behind(window.end) => Verdict::Full(Why::Future),
        Some(_) => Verdict::Continue { from: Offset(offset as u64 - 1) },
    }
    // </exercise>
}

// ANCHOR: held
/// What a replica still holds of a stream when its link has broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The history that its data belong to.
    pub id: ReplId,
    /// How many bytes have arrived.
    pub received: Offset,
    /// How many of them have been applied. Fewer, if a command has
    /// arrived in part, or a transaction without its end.
    pub applied: Offset,
}
// ANCHOR_END: held

/// The question that a replica asks when it connects; `None`: it holds nothing that could be continued.
///
/// What had arrived but not been applied was lost with the connection.
pub fn psync_request(held: Option<&Held>) -> ArgsBuf {
    // <exercise 2.4>
    match held {
        None => ArgsBuf::from_parts(["PSYNC", "?", "-1"]),
        Some(held) => {
            let first_wanted = held.applied.plus(1).to_string();
            ArgsBuf::from_parts(["PSYNC", held.id.as_str(), &first_wanted])
        }
    }
    // </exercise>
}
