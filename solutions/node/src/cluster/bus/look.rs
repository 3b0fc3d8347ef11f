//! Ten times a second: are the connections there, who is to be pinged, who is silent for too long?

use core_types::NodeId;

use crate::Node;
use crate::cluster::{Flag, Member};
use crate::layers::gossip::handshake::patience;
use crate::layers::gossip::heartbeat::{Contact, Due, LOOKS_PER_EXTRA_PING, due, extra_ping};

impl Node {
    pub(super) fn bus_look_around(&mut self) {
        self.enforce_link_limit();
        self.end_late_handshakes();
        self.open_missing_links();
        if self.bus.looks.is_multiple_of(LOOKS_PER_EXTRA_PING) {
            self.ping_one_more();
        }
        self.ping_the_silent();
    }

    /// Whoever has not told its name in time is forgotten.
    fn end_late_handshakes(&mut self) {
        let (now, patience) = (self.now, patience(self.config.cluster_node_timeout));
        self.remove_members(|member| member.flags.has(Flag::Handshake) && now.since(member.since) > patience);
    }

    fn remove_members(&mut self, gone: impl Fn(&Member) -> bool) {
        let Some(cluster) = &mut self.cluster else { return };
        let ids: Vec<NodeId> =
            cluster.members().filter(|member| gone(member)).map(|member| member.id).collect();
        for id in ids {
            self.remove_member(id);
        }
    }

    /// Forgets a member, with its connections.
    pub(super) fn remove_member(&mut self, id: NodeId) {
        if let Some(member) = self.cluster.as_mut().and_then(|cluster| cluster.remove(&id)) {
            self.bus_forgot(&member);
        }
    }

    /// Before the first look around somebody wants to be talked to: we need not wait for it. Redis has called everybody
    /// before it hears its first client.
    pub(crate) fn call_before_first_look(&mut self) {
        if self.bus.looks == 0 && !self.persistence.is_loading() {
            self.open_missing_links();
        }
    }

    fn open_missing_links(&mut self) {
        let Some(cluster) = &self.cluster else { return };
        let missing = |member: &&Member| {
            !member.is_myself()
                && !member.flags.has(Flag::NoAddress)
                && member.link.is_none()
                && !member.ip.is_empty()
        };
        let missing: Vec<NodeId> = cluster.members().filter(missing).map(|member| member.id).collect();
        for id in missing {
            self.open_bus_link(id);
        }
    }

    fn ping_one_more(&mut self) {
        let Some(cluster) = &self.cluster else { return };
        let members: Vec<&Member> = cluster.members().collect();
        let chosen = extra_ping(&mut self.rng, members.len(), |place| {
            let member = members[place];
            let ready = member.link.is_some() && member.ping_sent.0 == 0;
            let fit = !member.is_myself() && !member.flags.has(Flag::Handshake);
            (ready && fit).then_some(member.pong_received)
        });
        if let Some(id) = chosen.map(|place| members[place].id) {
            self.send_beat_to(id, bus::Kind::Ping);
        }
    }

    fn ping_the_silent(&mut self) {
        let (now, timeout) = (self.now, self.config.cluster_node_timeout);
        let Some(cluster) = &self.cluster else { return };
        let looked_at = |member: &&Member| {
            !member.is_myself() && !member.flags.has(Flag::NoAddress) && !member.flags.has(Flag::Handshake)
        };
        let dues: Vec<(NodeId, Due)> = cluster
            .members()
            .filter(looked_at)
            // Our own packets to it wait for our own disk: who has not been asked is not silent, and a connection that is cut
            // takes them along, votes too. Redis stands still meanwhile, and speaks before it looks.
            .filter(|member| member.link.is_none_or(|link| !self.bus.held.contains(&link.conn)))
            .map(|member| (member.id, due(now, &contact(member), timeout)))
            .filter(|(_, due)| *due != Due::default())
            .collect();
        for (id, due) in dues {
            if due.reconnect {
                self.cut_bus_link(id);
            }
            if due.ping {
                self.send_beat_to(id, bus::Kind::Ping);
            }
            if due.suspect {
                self.suspect(id);
            }
        }
    }
}

fn contact(member: &Member) -> Contact {
    Contact {
        linked: member.link.map(|link| link.created),
        ping_sent: member.ping_sent,
        pong_received: member.pong_received,
        data_received: member.data_received,
    }
}
