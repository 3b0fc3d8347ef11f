//! What can be seen of a node from outside. Nothing here changes it.

use core_types::{Broken, Epoch, History, NodeId, Offset, ReplId, Role, Slot, SlotSet};
use keyspace::Keyspace;

use crate::cluster::{Cluster, Flag, Member};
use crate::config::Config;
use crate::layers::one_replica::LinkState;
use crate::{ConnId, Node};

impl Node {
    /// What must hold after every event. Checked by the simulator.
    pub fn check_invariants(&self) -> Result<(), Broken> {
        self.keyspace.check_invariants()?;
        self.replication.check_invariants(&self.conns)?;
        let known = self.cluster.as_ref().map_or(Ok(()), |cluster| cluster.check());
        known.map_err(|detail| Broken::new("what a node knows of its cluster agrees with itself", detail))
    }

    /// The data set.
    pub fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }

    /// What this process calls itself in `INFO`; another one after each restart.
    pub fn run_id(&self) -> &str {
        self.run_id.as_str()
    }

    /// Master, or replica of whom.
    pub fn role(&self) -> &Role {
        &self.replication.role
    }

    /// The history this node's data belong to.
    pub fn replication_id(&self) -> ReplId {
        self.replication.history.id
    }

    /// How far in that history it is.
    pub fn replication_offset(&self) -> Offset {
        self.replication.offset()
    }

    /// How far the link to the master is; `None` on a master.
    pub fn link_state(&self) -> Option<LinkState> {
        self.replication.link_state()
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// All names of that history.
    pub fn history(&self) -> History {
        self.replication.history
    }

    /// What the log holds of the stream, as it was at the end of the last event: every byte behind the first
    /// offset, up to the second. `None`: there is none.
    pub fn log_window(&self) -> Option<(Offset, Offset)> {
        self.replication.log.as_ref().map(|log| (log.start(), log.end()))
    }

    /// How many bytes it keeps at least (`repl-backlog-size`).
    pub fn log_size(&self) -> Option<usize> {
        self.replication.log.as_ref().map(|log| log.size())
    }

    /// How many bytes of the stream the log really holds.
    pub fn log_bytes(&self) -> usize {
        self.replication.log.as_ref().map_or(0, |log| log.len())
    }

    /// True if the offset tells how far the data are: on a replica, and on a master that keeps a backlog. A
    /// master without one does not count its writes.
    pub fn offset_tells(&self) -> bool {
        self.replication.is_replica() || self.replication.log.is_some()
    }

    /// How many replicas are attached, in whatever state.
    pub fn attached_replicas(&self) -> usize {
        self.replication.replicas.len()
    }

    /// The attached replicas, in the order in which they came.
    pub fn replicas(&self) -> &[ConnId] {
        &self.replication.replicas
    }

    /// Up to where this replica has been handed the stream; `None` while it waits for a snapshot.
    pub fn replica_cursor(&self, id: ConnId) -> Option<Offset> {
        self.replication.fanout.at(id)
    }

    /// What this replica has acknowledged; `None` until it is online.
    pub fn acked_by(&self, id: ConnId) -> Option<Offset> {
        self.replication.acks.acked(id)
    }

    /// Full synchronisations, and partial ones that were given and refused, since the start.
    pub fn sync_counts(&self) -> (u64, u64, u64) {
        (self.stats.sync_full, self.stats.sync_partial_ok, self.stats.sync_partial_err)
    }

    /// `master_failover_state` of `INFO`.
    pub fn failover_state(&self) -> &'static str {
        self.replication.failover.as_ref().map_or("no-failover", |failover| failover.word())
    }

    /// Bytes that lie in memory for replicas: the log, and what waits on their connections.
    pub fn replication_memory(&self) -> usize {
        let log = self.replication.log.as_ref().map_or(0, |log| log.len());
        let replicas = self.replication.replicas.iter().filter_map(|id| self.conns.get(*id));
        log + replicas.map(|conn| conn.out.capacity()).sum::<usize>()
    }

    /// What this node knows of its cluster; `None` before it has read its file, and outside of a cluster.
    pub fn cluster_view(&self) -> Option<ClusterView<'_>> {
        self.cluster.as_deref().map(|cluster| ClusterView { cluster })
    }
}

/// A cluster as one of its nodes sees it.
#[derive(Clone, Copy, Debug)]
pub struct ClusterView<'a> {
    cluster: &'a Cluster,
}

impl<'a> ClusterView<'a> {
    /// The node's own id.
    pub fn me(&self) -> NodeId {
        self.cluster.me()
    }

    /// The node itself.
    pub fn myself(&self) -> MemberView<'a> {
        MemberView { member: self.cluster.myself() }
    }

    /// Everybody that it knows, itself included, by id.
    pub fn members(&self) -> impl Iterator<Item = MemberView<'a>> + use<'a> {
        self.cluster.members().map(|member| MemberView { member })
    }

    /// The member of this id.
    pub fn member(&self, id: NodeId) -> Option<MemberView<'a>> {
        self.cluster.member(&id).map(|member| MemberView { member })
    }

    /// Who owns this slot.
    pub fn owner(&self, slot: Slot) -> Option<NodeId> {
        self.cluster.owner(slot)
    }

    /// How many slots have an owner.
    pub fn assigned(&self) -> usize {
        self.cluster.assigned()
    }

    /// `cluster_current_epoch`
    pub fn current_epoch(&self) -> Epoch {
        self.cluster.current_epoch
    }

    /// The epoch of the last election in which it has voted.
    pub fn last_vote_epoch(&self) -> Epoch {
        self.cluster.last_vote_epoch
    }

    /// How many masters own slots, when it last looked.
    pub fn size(&self) -> usize {
        self.cluster.size
    }

    /// Does the cluster serve?
    pub fn serves(&self) -> bool {
        self.cluster.health.ok
    }

    /// Slots on their way: those that arrive here (true), and those that leave.
    pub fn marks(&self) -> impl Iterator<Item = (Slot, bool)> + use<'a> {
        let arriving = self.cluster.importing.keys().map(|slot| (*slot, true));
        arriving.chain(self.cluster.migrating.keys().map(|slot| (*slot, false)))
    }

    /// Are keys of some slot on their way to it, or from it?
    pub fn is_moving_slots(&self) -> bool {
        !self.cluster.importing.is_empty() || !self.cluster.migrating.is_empty()
    }
}

/// A member of a cluster as one node sees it.
#[derive(Clone, Copy, Debug)]
pub struct MemberView<'a> {
    member: &'a Member,
}

impl<'a> MemberView<'a> {
    /// Its id; made up while the first answer is awaited.
    pub fn id(&self) -> NodeId {
        self.member.id
    }

    /// Is it a master, with or without slots?
    pub fn is_master(&self) -> bool {
        self.member.is_master()
    }

    /// Of a replica: whose.
    pub fn master(&self) -> Option<NodeId> {
        self.member.master.filter(|_| !self.member.is_master())
    }

    /// The epoch of its slots.
    pub fn config_epoch(&self) -> Epoch {
        self.member.config_epoch
    }

    /// The slots it owns.
    pub fn slots(&self) -> &'a SlotSet {
        self.member.slots()
    }

    /// A master that owns slots.
    pub fn votes(&self) -> bool {
        self.is_master() && !self.member.slots().is_empty()
    }

    /// `FAIL`: the cluster has agreed that it is down.
    pub fn has_failed(&self) -> bool {
        self.member.has_failed()
    }

    /// `PFAIL`: the node itself thinks so.
    pub fn may_have_failed(&self) -> bool {
        self.member.may_have_failed()
    }

    /// Nothing more is to be learnt of it: its id and its address are known.
    pub fn is_known(&self) -> bool {
        !self.member.flags.has(Flag::Handshake) && !self.member.flags.has(Flag::NoAddress)
    }

    /// It does not become a master by itself.
    pub fn is_no_failover(&self) -> bool {
        self.member.flags.has(Flag::NoFailover)
    }

    /// How far its copy of the data was, by its last message.
    pub fn offset(&self) -> Offset {
        self.member.offset
    }
}
