//! Replica migration: a master that has lost all its replicas gets one from a shard that has some to spare.
//!
//! Nobody gives orders here either. Every replica looks at the same picture and asks whether it is the one that moves. The
//! rule must therefore name one replica, and the same one for all who see the same.
//! (`clusterHandleSlaveMigration` in Redis's `cluster.c`)
//!
//! Differences from Redis: of several orphans Redis takes the first of a hash table, we take the smallest id; and replicas of
//! a master that has failed are not among those who may have to move, since they have an election to hold.

use core_types::{Millis, NodeId};

/// A master must have been without replicas for longer than this: after a failover the old master's other replicas need a
/// moment to say whom they follow now (`CLUSTER_SLAVE_MIGRATION_DELAY` in Redis's `cluster.h`).
pub const ORPHAN_DELAY: Millis = Millis(5000);

// ANCHOR: shard
/// A master and its replicas, as a node sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// The master.
    pub master: NodeId,
    /// It has failed.
    pub failed: bool,
    /// It owns slots.
    pub has_slots: bool,
    /// It has had replicas before (the flag `migrate-to`): one that never had any is meant to be alone.
    pub had_replicas: bool,
    /// Since when it has been an [orphan](is_orphan) in the eyes of this node.
    pub orphan_since: Option<Millis>,
    /// Its replicas.
    pub replicas: Vec<Replica>,
}

/// A replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its id.
    pub id: NodeId,
    /// It has failed.
    pub failed: bool,
    /// This node alone thinks that it fails.
    pub suspected: bool,
}

/// This node, a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanderer {
    /// Its own id.
    pub me: NodeId,
    /// Its master.
    pub master: NodeId,
    /// `cluster-allow-replica-migration`
    pub allowed: bool,
    /// `cluster-migration-barrier`: how many good replicas its master must keep.
    pub barrier: usize,
    /// The cluster serves, in its eyes. While it does not, nobody moves.
    pub serving: bool,
}
// ANCHOR_END: shard

/// Is this a master in need: alive, once with replicas, and now without a single one that has not failed?
pub fn is_orphan(shard: &Shard) -> bool {
    // <exercise 9.10 is_orphan>
    !shard.failed && shard.had_replicas && shard.replicas.iter().all(|replica| replica.failed)
    // </exercise>
}

/// To which master does this replica move, if it does?
///
/// - It may, and the cluster serves.
/// - Its master has not failed, and more good replicas than the barrier asks it to keep: neither failed nor suspected,
///   this one included.
/// - No living master has more replicas that have not failed than its own, and those are two at least.
/// - Of all replicas of the masters with that many it has the smallest id. (Those that have failed count here,
///   too: all must name the same one.)
/// - There is an orphan with slots that has been one for more than [`ORPHAN_DELAY`]. Of several: the smallest id.
pub fn destination(now: Millis, wanderer: &Wanderer, shards: &[Shard]) -> Option<NodeId> {
    // <exercise 9.10 destination>
    let living = |shard: &&Shard| !shard.failed;
    let standing = |shard: &Shard| shard.replicas.iter().filter(|replica| !replica.failed).count();
    let mine = shards.iter().filter(living).find(|shard| shard.master == wanderer.master)?;
    let good = mine.replicas.iter().filter(|replica| !replica.failed && !replica.suspected).count();
    let most = shards.iter().filter(living).map(standing).max()?;
    if !wanderer.allowed || !wanderer.serving || good <= wanderer.barrier {
        return None;
    }
    if most < 2 || standing(mine) < most {
        return None;
    }
    let richest = shards.iter().filter(living).filter(|shard| standing(shard) == most);
    if richest.flat_map(|shard| &shard.replicas).any(|replica| replica.id < wanderer.me) {
        return None;
    }
    let long = |shard: &&Shard| shard.orphan_since.is_some_and(|since| now.since(since) > ORPHAN_DELAY);
    let needy = shards.iter().filter(|shard| is_orphan(shard) && shard.has_slots);
    needy.filter(long).map(|shard| shard.master).min()
    // </exercise>
}
