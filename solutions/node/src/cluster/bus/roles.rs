//! Who is a master, whose replica somebody is, and whose the slots are.

use bus::{Bitmap, Header};
use core_types::{Epoch, LogLevel, NodeId, Slot, SlotSet};

use crate::Node;
use crate::cluster::{Cluster, Flag};
use crate::layers::election::claims::{Loss, behind, follows, won};
use crate::layers::election::epochs::yields;
use crate::layers::sharding::from_wire;

impl Node {
    /// A member says what it is.
    pub(super) fn hear_role(&mut self, sender: NodeId, header: &Header<'_>) {
        let Some(cluster) = &mut self.cluster else { return };
        let Some(member) = cluster.member_mut(&sender) else { return };
        let Some(master) = header.master.filter(|master| *master != sender) else {
            return cluster.set_as_master(sender);
        };
        if member.is_master() || !member.flags.has(Flag::Replica) {
            member.flags.clear(Flag::Master);
            member.flags.clear(Flag::MigrateTo);
            member.flags.set(Flag::Replica);
            let lost = member.slots().clone();
            let mine = cluster.myself().master == Some(sender) && !cluster.myself().is_master();
            cluster.unassign_all(&sender);
            cluster.todo.update_health = true;
            cluster.must_save();
            if mine {
                self.drop_channels(|slot| lost.contains(slot));
            }
        }
        if let Some(cluster) = &mut self.cluster {
            cluster.set_master_of(sender, master);
        }
    }

    /// A member lists its slots, or its master's, and the epoch they are from.
    pub(super) fn hear_slots(&mut self, sender: NodeId, header: &Header<'_>) {
        let Some(cluster) = &mut self.cluster else { return };
        let Some(member) = cluster.member(&sender) else { return };
        let (is_master, head) = (member.is_master(), cluster.head_of(member).id);
        if is_master {
            cluster.note_listed(&sender, header.slots);
        }
        let Some(known) = cluster.member_mut(&head).map(|head| head.bitmap()) else { return };
        // Nearly always it is what we know already; and otherwise only what is new can change anything.
        if *known != *header.slots {
            let mut fresh = *header.slots;
            if is_master {
                fresh.iter_mut().zip(known).for_each(|(claimed, known)| *claimed &= !known);
            }
            let claimed = from_wire(&fresh);
            if is_master {
                self.take_claim(sender, header.config_epoch, &claimed, count(header.slots));
            }
            let Some(cluster) = &self.cluster else { return };
            if let Some(owner) = behind(&claimed, sender, header.config_epoch, |slot| cluster.held(slot)) {
                let text = format!(
                    "Node {sender} has old slots configuration, sending an UPDATE message about {owner}"
                );
                self.log(LogLevel::Verbose, text);
                self.send_update(sender, owner);
            }
        }
        if is_master {
            self.resolve_collision(sender, header.config_epoch);
        }
    }

    /// Somebody tells us that we are behind.
    pub(super) fn hear_update(&mut self, epoch: Epoch, owner: NodeId, slots: &Bitmap) {
        let Some(cluster) = &mut self.cluster else { return };
        let Some(member) = cluster.member_mut(&owner).filter(|member| member.config_epoch < epoch) else {
            return;
        };
        member.config_epoch = epoch;
        if member.is_myself() {
            // Our file has lost this epoch, or somebody lies. It must not be used for anything else.
            cluster.must_sync();
            return self.log(LogLevel::Warning, "Discarding UPDATE message about myself.");
        }
        cluster.set_as_master(owner);
        cluster.note_listed(&owner, slots);
        cluster.must_save();
        self.take_claim(owner, epoch, &from_wire(slots), count(slots));
    }

    /// Gives a master the slots that its claim wins, and draws the consequences if they were ours. `claimed` may leave out
    /// what is its already; `in_all` counts that, too. (`clusterUpdateSlotsConfigWith`)
    fn take_claim(&mut self, claimant: NodeId, epoch: Epoch, claimed: &SlotSet, in_all: usize) {
        let Some(cluster) = &mut self.cluster else { return };
        let (me, head) = (cluster.me(), cluster.head_of(cluster.myself()).id);
        let importing = |slot: Slot| cluster.importing.contains_key(&slot);
        let won = won(claimed, claimant, epoch, |slot| cluster.held(slot), importing);
        if !won.is_empty() {
            cluster.todo.update_health = true;
            cluster.must_sync();
        }
        // Of the slots that we serve, as a master or as its replica.
        let mut lost = SlotSet::new();
        for slot in won {
            if cluster.owner(slot) == Some(head) {
                lost.insert(slot);
            }
            cluster.assign(slot, claimant);
        }
        let left = cluster.member(&head).map_or(0, |head| head.slots().len());
        let sub_replica_of = cluster.masters_master();
        let loss = Loss { lost: lost.len(), left, claimed: in_all };
        if !lost.is_empty() {
            self.drop_channels(|slot| lost.contains(slot));
        }
        if follows(&loss, self.config.cluster_allow_replica_migration) {
            let text =
                format!("Configuration change detected. Reconfiguring myself as a replica of {claimant}");
            self.log(LogLevel::Warning, text);
            self.change_master(claimant);
        } else if let Some(top) = sub_replica_of {
            self.log(LogLevel::Warning, format!("I'm a sub-replica! Reconfiguring myself to follow {top}"));
            self.change_master(top);
        } else {
            // We go on without these slots, and so without their keys. A replica loses those with its master.
            for slot in lost.iter().filter(|_| head == me) {
                self.delete_keys_in_slot(slot);
            }
        }
    }

    fn change_master(&mut self, master: NodeId) {
        self.set_cluster_master(master);
        if let Some(cluster) = &mut self.cluster {
            cluster.must_sync();
        }
    }

    /// Two masters with one epoch: one of the two takes another.
    fn resolve_collision(&mut self, sender: NodeId, epoch: Epoch) {
        let Some(cluster) = &mut self.cluster else { return };
        let myself = cluster.myself();
        if !myself.is_master() || !yields(myself.id, myself.config_epoch, sender, epoch) {
            return;
        }
        cluster.current_epoch = cluster.current_epoch.next();
        let fresh = cluster.current_epoch;
        cluster.myself_mut().config_epoch = fresh;
        cluster.must_sync();
        let text = format!("WARNING: configEpoch collision with node {sender}. configEpoch set to {fresh}");
        self.log(LogLevel::Verbose, text);
    }
}

/// How many slots there are in a bitmap.
fn count(slots: &Bitmap) -> usize {
    slots.iter().map(|byte| byte.count_ones() as usize).sum()
}

impl Cluster {
    /// Who owns a slot, and in which epoch. Nobody, if the owner does not name it any more.
    fn held(&self, slot: Slot) -> Option<(NodeId, Epoch)> {
        if self.is_orphaned(slot) {
            return None;
        }
        let owner = self.member(&self.owner(slot)?)?;
        Some((owner.id, owner.config_epoch))
    }

    /// A member is a master. (`clusterSetNodeAsMaster`)
    fn set_as_master(&mut self, id: NodeId) {
        let Some(member) = self.member_mut(&id) else { return };
        if member.is_master() {
            return;
        }
        let before = member.master.take();
        member.flags.clear(Flag::Replica);
        member.flags.set(Flag::Master);
        if before.is_some() {
            member.flags.set(Flag::MigrateTo);
        }
        self.note_replicas_of(before);
        self.todo.update_health = true;
        self.must_save();
    }

    /// A member follows this master, if we know it.
    fn set_master_of(&mut self, id: NodeId, master: NodeId) {
        let known = self.member(&master).is_some();
        let Some(member) = self.member_mut(&id).filter(|member| known && member.master != Some(master))
        else {
            return;
        };
        let before = member.master.replace(master);
        self.note_replicas_of(before);
        self.note_replicas_of(Some(master));
        self.must_save();
    }

    /// A master with replicas is one that spare replicas of others may come to when it has lost them; one that never had
    /// any is not.
    pub(in crate::cluster) fn note_replicas_of(&mut self, master: Option<NodeId>) {
        let Some(id) = master else { return };
        let any = self.replicas_of(id).next().is_some();
        if let Some(master) = self.member_mut(&id).filter(|master| master.is_master()) {
            match any {
                true => master.flags.set(Flag::MigrateTo),
                false => master.flags.clear(Flag::MigrateTo),
            }
        }
    }

    /// The master of our master, if that has become a replica of somebody else.
    fn masters_master(&self) -> Option<NodeId> {
        let master = self.member(&self.myself().master?)?;
        master.master.filter(|top| *top != self.me() && !master.is_master() && !self.myself().is_master())
    }
}
