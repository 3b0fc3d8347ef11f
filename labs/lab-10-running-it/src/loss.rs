//! A write that a master has acknowledged, and that is gone.
//!
//! The scene: `master`, `replica-1` and `replica-2`, the sentinels `s1`, `s2` and `s3` that watch them (quorum 2, down after
//! 5 seconds), and `client`, which is connected to the host `master` and talks to no other. Every node syncs its append-only
//! file with each write: no disk is to blame.

use core_types::Millis;
use drill::{REST, Schedule, cut, say};

/// A day on which the client is told `OK` for a write, and later the write is nowhere.
///
/// The scene is set at time 0: all is in sync, all sentinels know everybody. What may happen: cables that break, are mended or
/// are slow, processes that stand still, and one process that dies, but not the client's; the client types `SET key value`, each key once. At most
/// twenty events in two minutes. A minute after the last one everything that is still broken is repaired, and all agree on one
/// master again. The write is lost if that master does not have its key.
///
/// Messages take a few milliseconds, now more and now less: the day must not depend on it.
pub fn loses_a_write() -> Schedule {
    // <exercise 10.1>
    todo!("lab 10.1: A write that was acknowledged")
    // </exercise>
}
