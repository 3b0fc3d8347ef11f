//! The gate: what a node refuses to do because of its place in the replication.
//!
//! A replica that takes writes of its own is no copy any more, and nothing ever repairs it. That is why
//! replicas are read-only by default, and why even the passing of time must not change their data: an
//! expired key is removed when the master says so.

use std::fmt;

use core_types::{ExpiredKey, Origin, Role};

// ANCHOR: gate
/// What the decision depends on besides the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// This node follows a master.
    pub role_is_replica: bool,
    /// `replica-read-only`, by default yes.
    pub read_only: bool,
    /// The replica is connected to its master and has its data.
    pub link_up: bool,
    /// `replica-serve-stale-data`, by default yes: answer although the
    /// link is down.
    pub serve_stale: bool,
    /// A snapshot is being loaded: there is no whole data set to answer
    /// from.
    pub loading: bool,
}

/// What the decision depends on about the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandTraits {
    /// It may change data.
    pub write: bool,
    /// It may run although the data are stale (`INFO`, `REPLICAOF`, …).
    pub while_stale: bool,
    /// It may run while a snapshot is being loaded.
    pub while_loading: bool,
}
// ANCHOR_END: gate

/// Why a command does not run. Displays as the error that the client gets, code first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A write at a read-only replica.
    ReadOnly,
    /// The link is down, and this replica was told not to answer from stale data.
    MasterDown,
    /// A snapshot is being loaded.
    Loading,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::ReadOnly => "READONLY You can't write against a read only replica.",
            Refusal::MasterDown => {
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
            }
            Refusal::Loading => "LOADING Redis is loading the dataset in memory",
        })
    }
}

/// Decides whether a command may run.
///
/// Where several refusals apply, the client is told the first of: [`Refusal::ReadOnly`],
/// [`Refusal::MasterDown`], [`Refusal::Loading`]. The last one goes for a master as well. What the master sends
/// is never refused: a replica that skips a command of the stream is no copy any more.
pub fn may_run(gate: &Gate, origin: Origin, command: CommandTraits) -> Result<(), Refusal> {
    // <exercise 1.7>
    if origin == Origin::MasterLink {
        return Ok(());
    }
    if gate.role_is_replica && gate.read_only && command.write {
        return Err(Refusal::ReadOnly);
    }
    if gate.role_is_replica && !gate.link_up && !gate.serve_stale && !command.while_stale {
        return Err(Refusal::MasterDown);
    }
    if gate.loading && !command.while_loading {
        return Err(Refusal::Loading);
    }
    Ok(())
    // </exercise>
}

/// Decides what becomes of a key whose time is up, when a command touches it.
///
/// The master deletes it and says so in the stream. A replica waits for that word: to its clients the
/// key is gone; to the stream it still exists, because at the point where the master wrote the command,
/// it did. (A master has no stream to run: that combination does not occur.)
pub fn expired_key(role: &Role, origin: Origin) -> ExpiredKey {
    // <exercise 1.8>
    match (role, origin) {
        (Role::Master, _) => ExpiredKey::Delete,
        (Role::Replica { .. }, Origin::Client) => ExpiredKey::Hide,
        (Role::Replica { .. }, Origin::MasterLink) => ExpiredKey::Keep,
    }
    // </exercise>
}
