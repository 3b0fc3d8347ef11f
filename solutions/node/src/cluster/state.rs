//! What a node knows of its cluster: the members, who owns which slot, the epochs.
//!
//! Nothing is decided here. The bus merges what it hears into this, `CLUSTER` commands change it, the
//! routing of commands reads it. What must hold at any time is kept by the few functions that change two
//! things at once:
//!
//! - a slot has at most one owner, and the owner's own set of slots says the same;
//! - every owner is a member;
//! - this node itself is a member, under its own id.
//!
//! A change that has to survive a restart is announced by [`Cluster::must_save`]; it is written at the end of
//! the event, and what may only be said when it is on the disk waits for [`Cluster::may_speak`].

use std::cell::Cell;
use std::collections::BTreeMap;

use bus::Bitmap;
use core_types::{Epoch, Millis, NodeId, Slot, SlotSet};

use super::election::Election;
use super::member::{Flag, Member};
use super::owners::Owners;
use crate::layers::gossip::health::Serving;

/// The cluster as this node sees it.
#[derive(Debug)]
pub(crate) struct Cluster {
    me: NodeId,
    /// Everybody, this node included. Somebody whom we have only heard of by `CLUSTER MEET` has a random id
    /// until the answer tells the true one; see [`rename`](Cluster::rename).
    members: BTreeMap<NodeId, Member>,
    owners: Owners,
    /// Slots that their owner does not name any more, and that nobody else has claimed yet.
    orphaned: SlotSet,
    /// Our own slots whose keys are on their way to another node.
    pub(crate) migrating: BTreeMap<Slot, NodeId>,
    /// Slots of others whose keys are on their way to us.
    pub(crate) importing: BTreeMap<Slot, NodeId>,
    /// The greatest epoch that anybody has told us of.
    pub(crate) current_epoch: Epoch,
    /// The epoch of the last election in which we voted: never twice in one.
    pub(crate) last_vote_epoch: Epoch,
    /// Does the cluster serve, as far as we can tell?
    pub(crate) health: Serving,
    /// How many masters own slots, as `CLUSTER INFO` tells it (`cluster_size`).
    pub(crate) size: usize,
    /// Members that were removed by `CLUSTER FORGET`, here or elsewhere.
    pub(crate) forgotten: BTreeMap<NodeId, Forgotten>,
    /// Messages of the bus by type, as `CLUSTER INFO` counts them.
    pub(crate) sent: [u64; MESSAGE_TYPES],
    /// The same for what has arrived.
    pub(crate) received: [u64; MESSAGE_TYPES],
    /// The address that the configuration has told others so far.
    pub(crate) announced_ip: Option<String>,
    /// Times that a link of the bus was cut because too much waited on it.
    pub(crate) links_cut: u64,
    /// Elections and manual failovers that this node has a part in.
    pub(crate) election: Election,
    /// What the end of the event has to see to.
    pub(crate) todo: Todo,
    /// Changes that were asked to be saved, counted.
    wanted: u64,
    /// Up to which of them the slots were last found to agree with the members'.
    checked: Cell<Option<u64>>,
    /// Up to which of them the disk has them.
    saved: u64,
    /// The last one that must be on the disk before anybody hears of it.
    promised: u64,
}

/// A member that was removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forgotten {
    /// Until then nobody can talk us into adding it again.
    pub(crate) until: Millis,
    /// The operator has said so to another node, which has told us.
    pub(crate) hearsay: bool,
}

/// Types of messages on the bus: PING to PUBLISHSHARD.
pub(crate) const MESSAGE_TYPES: usize = 11;

/// What is to be done when the event is over, once, however often it was asked for.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Todo {
    /// Work out anew whether the cluster serves.
    pub(crate) update_health: bool,
    /// Look at the election: a master has failed, a vote has come.
    pub(crate) election: bool,
    /// Write `nodes.conf`.
    pub(crate) save: bool,
    /// What was done may only be told when it is on the disk.
    pub(crate) sync: bool,
}

impl Cluster {
    /// A cluster of one node without slots.
    pub(crate) fn alone(me: NodeId, now: Millis) -> Cluster {
        let mut myself = Member::new(me, now);
        myself.flags.set(Flag::Myself);
        myself.flags.set(Flag::Master);
        Cluster {
            me,
            members: BTreeMap::from([(me, myself)]),
            owners: Owners::default(),
            orphaned: SlotSet::new(),
            migrating: BTreeMap::new(),
            importing: BTreeMap::new(),
            current_epoch: Epoch(0),
            last_vote_epoch: Epoch(0),
            health: Serving::starting(now),
            // Until the first look, as in Redis.
            size: 1,
            forgotten: BTreeMap::new(),
            sent: [0; MESSAGE_TYPES],
            received: [0; MESSAGE_TYPES],
            announced_ip: None,
            links_cut: 0,
            election: Election::default(),
            todo: Todo { update_health: true, ..Todo::default() },
            wanted: 0,
            checked: Cell::new(None),
            saved: 0,
            promised: 0,
        }
    }

    /// Our own id.
    pub(crate) fn me(&self) -> NodeId {
        self.me
    }

    /// Ourselves.
    pub(crate) fn myself(&self) -> &Member {
        self.members.get(&self.me).expect("this node is a member of its cluster")
    }

    /// Ourselves.
    pub(crate) fn myself_mut(&mut self) -> &mut Member {
        self.members.get_mut(&self.me).expect("this node is a member of its cluster")
    }

    /// The member of this id.
    pub(crate) fn member(&self, id: &NodeId) -> Option<&Member> {
        self.members.get(id)
    }

    /// The member of this id. Its slots change through [`assign`](Cluster::assign) alone.
    pub(crate) fn member_mut(&mut self, id: &NodeId) -> Option<&mut Member> {
        self.members.get_mut(id)
    }

    /// Everybody, by id.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// Everybody, by id.
    pub(crate) fn members_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.members.values_mut()
    }

    /// How many members there are, this node and those in handshake included.
    pub(crate) fn known(&self) -> usize {
        self.members.len()
    }

    /// Adds a member. It must be new; and it has no slots yet.
    pub(crate) fn add(&mut self, member: Member) {
        debug_assert!(member.slots().is_empty(), "slots are given by assign");
        let before = self.members.insert(member.id, member);
        debug_assert!(before.is_none(), "a member is added once");
    }

    /// Removes a member, with its slots and with what it has said of others. Never ourselves.
    pub(crate) fn remove(&mut self, id: &NodeId) -> Option<Member> {
        assert!(*id != self.me, "this node stays a member of its cluster");
        let member = self.members.remove(id)?;
        self.owners.drop_owner(*id);
        self.migrating.retain(|_, to| to != id);
        self.importing.retain(|_, from| from != id);
        for other in self.members.values_mut() {
            other.fail_reports.remove(id);
            if other.master == Some(*id) {
                other.master = None;
            }
        }
        Some(member)
    }

    /// Gives a member its true id, when a handshake has told it. The new id must be nobody else's.
    pub(crate) fn rename(&mut self, old: &NodeId, new: NodeId) {
        debug_assert!(!self.members.contains_key(&new), "an id names one member");
        let Some(mut member) = self.members.remove(old) else { return };
        self.owners.rename(*old, new);
        member.id = new;
        if self.me == *old {
            self.me = new;
        }
        self.members.insert(new, member);
    }

    /// Who owns this slot.
    #[inline]
    pub(crate) fn owner(&self, slot: Slot) -> Option<NodeId> {
        self.owners.get(slot)
    }

    /// Do we own it?
    #[inline]
    pub(crate) fn is_mine(&self, slot: Slot) -> bool {
        self.myself().slots.contains(slot)
    }

    /// Gives a slot to a member, whoever had it. (`clusterDelSlot` and `clusterAddSlot` in Redis's `cluster.c`)
    pub(crate) fn assign(&mut self, slot: Slot, id: NodeId) {
        self.unassign(slot);
        self.orphaned.remove(slot);
        let member = self.members.get_mut(&id).expect("an owner is a member");
        member.slots.insert(slot);
        let is_first = member.slots.len() == 1;
        self.owners.set(slot, Some(id));
        // A new master gets a replica from the others, if those have some.
        if is_first && self.members.values().any(|other| !other.is_master() && other.master.is_some()) {
            self.members.get_mut(&id).expect("an owner is a member").flags.set(Flag::MigrateTo);
        }
    }

    /// A member lists its slots. Those that it had and does not list stay its, so that clients hear no error: they are sent
    /// to it, and it sends them on. But its claim is over: whoever claims such a slot gets it, in whatever epoch, and
    /// nobody is told that it is this member's. (`owner_not_claiming_slot`)
    pub(crate) fn note_listed(&mut self, id: &NodeId, listed: &Bitmap) {
        let Some(member) = self.members.get_mut(id) else { return };
        // Nearly always.
        if *member.bitmap() == *listed && self.orphaned.is_empty() {
            return;
        }
        for slot in member.slots.iter() {
            match listed[slot.index() / 8] >> (slot.index() % 8) & 1 {
                0 => self.orphaned.insert(slot),
                _ => self.orphaned.remove(slot),
            };
        }
    }

    /// Does its owner not name this slot any more?
    pub(crate) fn is_orphaned(&self, slot: Slot) -> bool {
        self.orphaned.contains(slot)
    }

    /// Nobody owns this slot from now on. Who did?
    pub(crate) fn unassign(&mut self, slot: Slot) -> Option<NodeId> {
        let id = self.owners.get(slot)?;
        if let Some(member) = self.members.get_mut(&id) {
            member.slots.remove(slot);
        }
        self.owners.set(slot, None);
        Some(id)
    }

    /// Takes all slots from a member.
    pub(crate) fn unassign_all(&mut self, id: &NodeId) {
        if let Some(member) = self.members.get_mut(id) {
            member.slots = SlotSet::new();
        }
        self.owners.drop_owner(*id);
    }

    /// Whose slots this member serves: its own, or its master's. As in Redis (`clusterNodeGetMaster`), a
    /// replica whose master is unknown stands for itself.
    pub(crate) fn head_of<'a>(&'a self, member: &'a Member) -> &'a Member {
        match member.master {
            Some(master) if !member.is_master() => self.members.get(&master).unwrap_or(member),
            _ => member,
        }
    }

    /// The replicas of this member, by id.
    pub(crate) fn replicas_of(&self, id: NodeId) -> impl Iterator<Item = &Member> {
        self.members.values().filter(move |member| member.master == Some(id) && !member.is_master())
    }

    /// The masters that own slots, dead or alive: their majority decides.
    pub(crate) fn voters(&self) -> impl Iterator<Item = &Member> {
        self.members.values().filter(|member| member.is_voter())
    }

    /// How many slots have an owner.
    pub(crate) fn assigned(&self) -> usize {
        self.owners.assigned()
    }

    /// Something has changed that a restart must not forget.
    pub(crate) fn must_save(&mut self) {
        self.todo.save = true;
        self.wanted += 1;
    }

    /// The same, and whoever has asked for the change hears of it when it is on the disk.
    pub(crate) fn must_sync(&mut self) {
        self.must_save();
        self.todo.sync = true;
        self.promised = self.wanted;
    }

    /// Is everything on the disk that others may not hear of before it is?
    pub(crate) fn may_speak(&self) -> bool {
        self.saved >= self.promised
    }

    /// The number of the last change that was asked to be saved.
    pub(crate) fn change(&self) -> u64 {
        self.wanted
    }

    /// The disk has every change up to this one.
    pub(crate) fn mark_saved(&mut self, change: u64) {
        self.saved = self.saved.max(change);
    }

    /// What must hold at any time; the first thing that does not.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Some(myself) = self.members.get(&self.me) else { return Err("we are no member".into()) };
        if !myself.flags.has(Flag::Myself) {
            return Err("our own entry is not marked".into());
        }
        // Sixteen thousand slots are not looked at after each event: whatever changes an owner must be saved.
        let changed = self.checked.replace(Some(self.wanted)) != Some(self.wanted);
        for (id, member) in &self.members {
            if member.id != *id {
                return Err(format!("{} stands under {id}", member.id));
            }
            if !changed {
                continue;
            }
            if let Some(slot) = self.owners.missing(*id, &member.slots) {
                return Err(format!("{id} and the table disagree about {slot:?}"));
            }
        }
        let counted: usize = self.members.values().map(|member| member.slots.len()).sum();
        if counted != self.owners.assigned() {
            return Err(format!("{} slots have owners, members have {counted}", self.owners.assigned()));
        }
        Ok(())
    }
}
