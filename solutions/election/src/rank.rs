//! Who stands first: the replica that has most of the dead master's data.
//!
//! Nobody compares the replicas from outside. Each works out its own place from the offsets that its siblings have told
//! in their heartbeats, and waits the longer, the further behind it is. The best replica asks while the others still
//! wait, and by the time they would ask, the votes are gone.

use core_types::{Millis, Offset};

// ANCHOR: delays
/// Everybody waits this long at least: the word that the master has failed shall have reached the voters.
/// (`clusterHandleSlaveFailover` in Redis's `cluster.c`, as the other two)
pub const FIXED_DELAY: Millis = Millis(500);

/// And a random time below this, so that replicas of the same rank do not ask in the same moment.
pub const RANDOM_DELAY: Millis = Millis(500);

/// And this for each sibling that has more of the master's data.
pub const RANK_DELAY: Millis = Millis(1000);
// ANCHOR_END: delays

/// How many siblings have more of the master's data than we: our place, from 0. A sibling that will not stand for
/// election (`cluster-replica-no-failover`) counts for nothing, and one that has exactly as much as we stands beside us.
///
/// `mine` is how far our copy is; `siblings` are the master's other replicas: how far each one's copy is, by its last
/// heartbeat, and whether it abstains.
pub fn rank(mine: Offset, siblings: impl IntoIterator<Item = (Offset, bool)>) -> usize {
    // <exercise 9.1 rank>
    siblings.into_iter().filter(|&(offset, abstains)| !abstains && offset > mine).count()
    // </exercise>
}

/// How long a replica of this rank waits before it asks for votes. `random` is the caller's draw, below
/// [`RANDOM_DELAY`].
pub fn delay(rank: usize, random: Millis) -> Millis {
    // <exercise 9.1 delay>
    FIXED_DELAY + random + Millis(RANK_DELAY.0.saturating_mul(rank as u64))
    // </exercise>
}
