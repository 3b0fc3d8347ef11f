//! What elections and manual failovers say on the bus: asking for votes, giving one, asking a master to pause. These
//! messages have no body; the header says everything.

use bus::{Header, Kind, encode, message_flag};
use core_types::NodeId;

use super::is_listener;
use crate::cluster::{Cluster, Member};
use crate::layers::election::votes::Request;
use crate::layers::sharding::from_wire;
use crate::{ConnId, Node};

impl Node {
    /// A message of an election, from a member.
    pub(super) fn hear_ballot(&mut self, conn: ConnId, kind: Kind, sender: NodeId, header: &Header<'_>) {
        match kind {
            Kind::AuthRequest => {
                let request = Request {
                    epoch: header.current_epoch,
                    config_epoch: header.config_epoch,
                    slots: &from_wire(header.slots),
                    forced: header.message_flags & message_flag::FORCE_ACK != 0,
                };
                self.hear_vote_wanted(sender, &request);
            }
            Kind::AuthAck => {
                let Some(cluster) = &mut self.cluster else { return };
                let has_voice = cluster.member(&sender).is_some_and(Member::is_voter);
                cluster.todo.election |= cluster.election.hear_vote(sender, has_voice, header.current_epoch);
            }
            Kind::FailoverStart => self.hear_pause_wanted(conn, sender),
            _ => {}
        }
    }

    /// What the header of any packet tells of a manual failover.
    pub(super) fn note_pause(&mut self, sender: NodeId, header: &Header<'_>) {
        if header.message_flags & message_flag::PAUSED != 0 {
            self.hear_pause(sender, header.offset);
        }
    }

    /// Asks every node for its vote; only masters with slots will answer. (`clusterRequestFailoverAuth`)
    pub(in crate::cluster) fn ask_for_votes(&mut self, forced: bool) {
        let flags = if forced { message_flag::FORCE_ACK } else { 0 };
        for conn in self.links_to_all() {
            self.send_built(conn, Kind::AuthRequest, |_, _, header, out| {
                let header = Header { message_flags: header.message_flags | flags, ..*header };
                encode::plain(out, Kind::AuthRequest, &header);
            });
        }
    }

    /// Our vote. It waits on the connection until it is on the disk, like everything that is said meanwhile.
    pub(in crate::cluster) fn send_vote(&mut self, to: NodeId) {
        self.send_plain(to, Kind::AuthAck);
    }

    /// Asks our master to hold its clients' writes back.
    pub(in crate::cluster) fn ask_to_pause(&mut self, master: NodeId) {
        self.send_plain(master, Kind::FailoverStart);
    }

    fn send_plain(&mut self, to: NodeId, kind: Kind) {
        for conn in self.links_of(|member| member.id == to) {
            self.send_built(conn, kind, |_, _, header, out| encode::plain(out, kind, header));
        }
    }

    /// The other replicas of our master are to hear of our offset now, and our own replicas.
    pub(in crate::cluster) fn bus_tell_siblings(&mut self) {
        let Some(cluster) = &self.cluster else { return };
        let (me, master) = (cluster.me(), cluster.myself().master);
        let near = |member: &Member| {
            !member.is_master()
                && member.master.is_some()
                && (member.master == Some(me) || member.master == master)
        };
        for conn in self.links_of(near) {
            self.send_beat(conn, Kind::Pong);
        }
    }

    /// The connections by which we talk to these members.
    fn links_of(&self, of: impl Fn(&Member) -> bool) -> Vec<ConnId> {
        let members = self.cluster.iter().flat_map(|cluster| cluster.members());
        let listeners = members.filter(|member| is_listener(member) && of(member));
        listeners.filter_map(|member| Some(member.link?.conn)).collect()
    }
}

/// The [`message_flag`]s of all that this node says.
pub(super) fn flags_of(cluster: &Cluster) -> u8 {
    if cluster.election.is_pausing() { message_flag::PAUSED } else { 0 }
}
