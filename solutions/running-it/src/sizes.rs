//! How large an output buffer and a backlog must be.
//!
//! The scene: `master` with its data, `replica-1`, which has just been started, and `client`, which writes steadily.

use core_types::Millis;
use drill::Settings;

/// What is known about a master and its replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// The master's data set, in bytes.
    pub data: u64,
    /// What the master can send, in bytes a second.
    pub wire: u64,
    /// What is written to it, in bytes of the replication stream a second. Less than half of `wire`.
    pub rate: u64,
    /// The longest break of the link that shall not cost a full synchronisation.
    pub outage: Millis,
}

/// Lines for the master's file, with `client-output-buffer-limit` and `repl-backlog-size` only, so that under this load
///
/// - a replica without data needs one full synchronisation, and no second;
/// - a replica whose link breaks for up to `outage` goes on where it was.
///
/// Neither size may be more than four times what it has to be, or [`SLACK`] if that is more: memory is not free.
///
/// After a break TCP tries again at growing distances, so that the replica is back after twice the outage and a second at the
/// latest.
pub fn sizes(load: &Load) -> Settings {
    // <exercise 10.5>
    // What is written while the snapshot is sent, and half of that again.
    let hard = load.rate * load.data / load.wire * 3 / 2;
    let silence = 2 * load.outage.0 + 1000;
    let backlog = load.rate * silence / 1000 * 3 / 2;
    Settings::new()
        .of("master", format!("client-output-buffer-limit replica {hard} 0 0"))
        .of("master", format!("repl-backlog-size {backlog}"))
    // </exercise>
}

/// A size of up to so many bytes is never too large.
pub const SLACK: u64 = 128 * 1024;
