//! This node as a replica that may be of more use elsewhere: it moves to a master that has lost its replicas.

use std::collections::BTreeMap;

use core_types::{LogLevel, NodeId};

use super::{Cluster, Flag};
use crate::Node;
use crate::layers::election::wander::{Replica, Shard, Wanderer, destination, is_orphan};

impl Node {
    /// Ten times a second: notes which masters have lost their replicas, and moves to one of them if that is our part.
    pub(super) fn wander(&mut self) {
        let now = self.now;
        let Some(cluster) = &mut self.cluster else { return };
        let myself = cluster.myself();
        let Some(master) = myself.master.filter(|_| !myself.is_master()) else { return };
        let wanderer = Wanderer {
            me: myself.id,
            master,
            allowed: self.config.cluster_allow_replica_migration,
            barrier: self.config.cluster_migration_barrier as usize,
            serving: cluster.health.ok,
        };
        let mut shards = cluster.shards();
        for shard in &mut shards {
            let since = is_orphan(shard).then(|| shard.orphan_since.unwrap_or(now));
            if shard.orphan_since != since {
                shard.orphan_since = since;
                if let Some(member) = cluster.member_mut(&shard.master) {
                    member.orphan_since = since;
                }
            }
        }
        if let Some(target) = destination(now, &wanderer, &shards) {
            self.log(LogLevel::Warning, format!("Migrating to orphaned master {target}"));
            self.set_cluster_master(target);
        }
    }
}

impl Cluster {
    /// All masters with their replicas.
    fn shards(&self) -> Vec<Shard> {
        let mut replicas: BTreeMap<NodeId, Vec<Replica>> = BTreeMap::new();
        for member in self.members().filter(|member| !member.is_master()) {
            if let Some(master) = member.master {
                let replica = Replica {
                    id: member.id,
                    failed: member.has_failed(),
                    suspected: member.may_have_failed(),
                };
                replicas.entry(master).or_default().push(replica);
            }
        }
        let masters = self.members().filter(|member| member.is_master());
        let shards = masters.map(|member| Shard {
            master: member.id,
            failed: member.has_failed(),
            has_slots: !member.slots().is_empty(),
            had_replicas: member.flags.has(Flag::MigrateTo),
            orphan_since: member.orphan_since,
            replicas: replicas.remove(&member.id).unwrap_or_default(),
        });
        shards.collect()
    }
}
