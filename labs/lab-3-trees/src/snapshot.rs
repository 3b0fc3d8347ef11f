//! One snapshot for many.
//!
//! A snapshot is the dearest thing a master does for a replica. It costs the same for one as for ten, if the
//! ten can be made to want it at the same time. So a master waits a little for others to come, and lets a
//! latecomer join where that is still right.
//!
//! In Redis: `shouldStartChildReplication` and the three cases of `syncCommand` in `replication.c`. Its log
//! says which one it was: `Delay next BGSAVE for diskless SYNC`, `Waiting for end of BGSAVE for SYNC` (joined),
//! `Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC` (too late).

use core_types::{Millis, Offset};

// ANCHOR: waiter
/// A replica that has asked for everything and has no snapshot yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiter<K> {
    /// Which one.
    pub replica: K,
    /// When it asked.
    pub since: Millis,
    /// It understands a snapshot that ends with a mark (`REPLCONF capa
    /// eof`), and so one that is sent while it is being made.
    pub eof: bool,
}

/// What the configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotPolicy {
    /// `repl-diskless-sync`, by default yes: send a snapshot while it is
    /// being made, if the replica understands that.
    pub diskless: bool,
    /// `repl-diskless-sync-delay`, by default 5 s: how long the first
    /// waits for others.
    pub delay: Millis,
    /// `repl-diskless-sync-max-replicas`, by default 0: with that many
    /// waiting there is no point in waiting longer. 0: no such number.
    pub max_replicas: usize,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start<K> {
    /// Nobody waits for a snapshot, whether one is being made or not.
    Nobody,
    /// Another snapshot is being made; ask again when it is done.
    Busy,
    /// Not before this time; ask again then, or when something changes.
    At(Millis),
    /// Start one snapshot for all of these.
    Now {
        /// They are sent it while it is made, with a mark at its end.
        streamed: Vec<K>,
        /// They are sent it when it is complete, its length first.
        whole: Vec<K>,
    },
}

/// A snapshot that is being made for replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// Where the stream stood when it was started.
    pub offset: Offset,
    /// It is also kept whole. None of *that* is sent before it is
    /// complete, while a streamed one is on the wires already.
    pub whole: bool,
    /// The bytes behind this offset are still in the log.
    pub log_start: Offset,
}
// ANCHOR_END: waiter

/// Decides whether to start a snapshot, and for whom. `busy`: one is being made, for whatever purpose.
pub fn start_snapshot<K: Copy>(
    now: Millis,
    policy: &SnapshotPolicy,
    busy: bool,
    waiting: &[Waiter<K>],
) -> Start<K> {
    // <exercise 3.3 start_snapshot>
    todo!("lab 3.3: One snapshot for many")
    // </exercise>
}

/// May a replica that asks only now be given the snapshot that is being made already?
///
/// It would be sent that snapshot from its first byte, and behind it the stream since the snapshot was started.
pub fn may_join(running: &Running) -> bool {
    // <exercise 3.3 may_join>
    todo!("lab 3.3: One snapshot for many")
    // </exercise>
}
