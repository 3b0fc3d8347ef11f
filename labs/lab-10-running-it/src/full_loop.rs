//! A replica that is never in sync again.
//!
//! The scene: `master` with 4 MiB of data, which can send 512 KiB a second; `replica-1`, in sync; and `client`, which writes to
//! the master over a link that is as fast as it likes. In the master's file stand `client-output-buffer-limit replica 128kb 0 0`
//! and `repl-backlog-size 32kb`. The replica keeps no files.

use core_types::Millis;
use drill::{Schedule, kill, load, restart};

/// A day after which the replica asks for one full synchronisation after the other, and none succeeds.
///
/// What may happen: cables that break or are mended, processes that stand still, one process that dies, and `load("client",
/// bytes a second)`, of up to 64 KiB a second: an eighth of what the master can send. At most ten events in a minute. Two
/// seconds after the last one everything that is still broken is repaired; the load goes on. Then somebody watches for a minute:
/// the master must begin at least three full synchronisations, and the replica may not be in sync at any moment.
pub fn never_in_sync() -> Schedule {
    // <exercise 10.4>
    todo!("lab 10.4: One full synchronisation after the other")
    // </exercise>
}
