//! Is what a replica holds fresh enough to become the truth?
//!
//! A replica that lost its master hours ago would put the whole shard hours back. It is better that nobody takes over,
//! or so the default has it: `cluster-replica-validity-factor` is where an operator chooses between old data and none.

use core_types::Millis;

// ANCHOR: link
/// A replica's link to its master, as far as the age of its data is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterLink {
    /// It stands, and this is when the last byte came: a write, or the ping of the stream.
    Up {
        /// When something came last.
        heard: Millis,
    },
    /// It is down since then.
    Down {
        /// When it broke.
        since: Millis,
    },
    /// There has been none: this replica has never held its master's data.
    Never,
}

/// What the settings allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// `cluster-node-timeout`
    pub node_timeout: Millis,
    /// `repl-ping-replica-period`: even an idle master says something that often.
    pub ping_period: Millis,
    /// `cluster-replica-validity-factor`; 0: any data is better than none.
    pub factor: u64,
}
// ANCHOR_END: link

/// Is the data of this replica too old to stand for election?
///
/// Its age is how long it has heard nothing from its master, less one `node_timeout`: that long it took until anybody could
/// call the master dead, and the replica is not to blame for it. It may be the sum of `ping_period` and `factor` times
/// `node_timeout`, and no more. A replica that never had a link is too old, unless any age will do.
/// (`clusterHandleSlaveFailover` in Redis's `cluster.c`, which counts in whole seconds.)
pub fn too_old(now: Millis, link: MasterLink, validity: &Validity) -> bool {
    // <exercise 9.2>
    if validity.factor == 0 {
        return false;
    }
    let silent = match link {
        MasterLink::Up { heard } => now.since(heard),
        MasterLink::Down { since } => now.since(since),
        MasterLink::Never => return true,
    };
    let age = silent - validity.node_timeout;
    age > validity.ping_period + Millis(validity.node_timeout.0.saturating_mul(validity.factor))
    // </exercise>
}
