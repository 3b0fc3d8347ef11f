//! A write that a replica has confirmed, and that is gone.
//!
//! The scene is that of [`loss`](crate::loss): `master`, `replica-1`, `replica-2`, `s1`, `s2`, `s3`, `client`.

use core_types::Millis;
use drill::{REST, Schedule, cut, say};

/// A day on which the client is told `OK` for a write and 1 (or more) for the `WAIT` behind it, and later the write is nowhere.
///
/// The rules are those of 10.1, with two differences: the client may type `WAIT replicas milliseconds` (not 0) behind a write, and up
/// to two processes may die. A write counts as confirmed if the `WAIT` that follows it, before the next write, is answered with 1 or
/// more.
pub fn loses_a_confirmed_write() -> Schedule {
    // <exercise 10.3>
    Schedule::new()
        .at(Millis(1_000), cut(&["master", "replica-1", "client"], &[REST]))
        .at(Millis(2_000), say("client", "SET order:1 lamp"))
        .at(Millis(2_000), say("client", "WAIT 1 1000"))
    // </exercise>
}
