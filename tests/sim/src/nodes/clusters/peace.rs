//! Is everything as it should be, once nothing is broken any more?

use core_types::{Epoch, NodeId, Role, Slot, SlotSet};
use node::ClusterView;
use node::layers::one_replica::LinkState;

use crate::nodes::{digest, rules};
use crate::world::{HostId, World};

/// A master, its slots, and who follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// The master.
    pub master: HostId,
    /// Its slots; a master that waits for some has none.
    pub slots: SlotSet,
    /// The epoch of that.
    pub epoch: Epoch,
    /// Its replicas.
    pub replicas: Vec<HostId>,
}

/// The shards of the cluster, if there is nothing left to do: everybody is up, knows everybody and hears everybody; all
/// tell the same of roles, epochs and slots; no two masters have one epoch; every slot has an owner; all serve; and every replica
/// is linked to its master.
///
/// # Errors
/// The first thing that is not so.
pub fn settled(world: &World<'_>, nodes: &[HostId]) -> Result<Vec<Shard>, String> {
    let mut views: Vec<(HostId, ClusterView<'_>)> = Vec::new();
    for id in nodes {
        let view = rules::node(world, *id).and_then(|node| node.cluster_view());
        views.push((*id, view.ok_or_else(|| format!("{} is not up", world.name(*id)))?));
    }
    let name = |id: NodeId| {
        let host = views.iter().find(|(_, view)| view.me() == id).map(|(host, _)| *host);
        host.map_or_else(|| id.short().to_string(), |host| world.name(host).to_string())
    };
    let (first, told) = &views[0];
    for (host, view) in &views {
        let who = world.name(*host);
        if view.members().count() != nodes.len() {
            return Err(format!("{who} knows {} of {} nodes", view.members().count(), nodes.len()));
        }
        for member in view.members() {
            let whom = name(member.id());
            if !member.is_known() || member.has_failed() || member.may_have_failed() {
                return Err(format!("{who} does not hear {whom}"));
            }
            let Some(other) = told.member(member.id()) else {
                return Err(format!("{} does not know {whom}", world.name(*first)));
            };
            let differs = if (member.is_master(), member.master()) != (other.is_master(), other.master()) {
                Some("role")
            } else if member.is_master() && member.config_epoch() != other.config_epoch() {
                Some("epoch")
            } else if member.slots() != other.slots() {
                Some("slots")
            } else {
                None
            };
            if let Some(what) = differs {
                return Err(format!("{who} and {} disagree about the {what} of {whom}", world.name(*first)));
            }
        }
        if !view.serves() {
            return Err(format!("the cluster does not serve in the eyes of {who}"));
        }
    }
    if told.assigned() != usize::from(Slot::COUNT) {
        return Err(format!("{} slots have no owner", usize::from(Slot::COUNT) - told.assigned()));
    }
    let host_of = |id: NodeId| views.iter().find(|(_, view)| view.me() == id).map(|(host, _)| *host);
    let mut shards: Vec<Shard> = Vec::new();
    for master in told.members().filter(|member| member.is_master()) {
        let epoch = master.config_epoch();
        if let Some(other) = shards.iter().find(|shard| shard.epoch == epoch) {
            return Err(format!("{} and {} have epoch {epoch}", name(master.id()), world.name(other.master)));
        }
        let replicas = told.members().filter(|member| member.master() == Some(master.id()));
        let host = host_of(master.id()).ok_or("a master that is nobody")?;
        let replicas: Vec<HostId> = replicas.filter_map(|member| host_of(member.id())).collect();
        if rules::node(world, host).is_none_or(|node| *node.role() != Role::Master) {
            return Err(format!("{} is a replica that calls itself a master", world.name(host)));
        }
        for replica in &replicas {
            let node = rules::node(world, *replica);
            let follows = node.is_some_and(|node| match node.role() {
                Role::Replica { of } => {
                    of.host == world.ip(host) && node.link_state() == Some(LinkState::Online)
                }
                Role::Master => false,
            });
            if !follows {
                return Err(format!("{} has no link to {}", world.name(*replica), world.name(host)));
            }
        }
        shards.push(Shard { master: host, slots: master.slots().clone(), epoch, replicas });
    }
    let placed: usize = shards.iter().map(|shard| 1 + shard.replicas.len()).sum();
    if placed != nodes.len() {
        return Err(format!("{} nodes belong to no shard", nodes.len() - placed));
    }
    Ok(shards)
}

/// The first replica that does not hold its master's data, if all have arrived; to be asked once nobody writes.
pub fn unequal(world: &World<'_>, shards: &[Shard]) -> Option<(HostId, HostId)> {
    let held = |id: HostId| rules::node(world, id).map(|node| digest(node.keyspace()));
    let pairs = shards.iter().flat_map(|shard| shard.replicas.iter().map(|replica| (shard.master, *replica)));
    let mut odd = pairs.filter(|(master, replica)| {
        !rules::is_level(world, *master, *replica) || held(*master) != held(*replica)
    });
    odd.next()
}
