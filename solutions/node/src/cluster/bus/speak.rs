//! What we say: packets, and to whom they go.

use bus::{Bitmap, Extension, Gossip, Header, Kind, encode, message_flag};
use bytes::BytesMut;
use core_types::{Millis, NodeId, SlotSet};

use crate::cluster::{Cluster, Flag, Member};
use crate::layers::gossip::rumour::{Candidate, choose};
use crate::layers::sharding::to_wire;
use crate::pubsub::Space;
use crate::{ConnId, Node};

impl Node {
    /// Sends a heartbeat on the connection by which we talk to a member, if there is one. One that is still being made
    /// counts for a ping: its first word will be one, and silence from now on is silence.
    pub(in crate::cluster) fn send_beat_to(&mut self, member: NodeId, kind: Kind) {
        let now = self.now;
        let Some(known) = self.cluster.as_mut().and_then(|cluster| cluster.member_mut(&member)) else {
            return;
        };
        match known.link {
            Some(link) if link.connected => self.send_beat(link.conn, kind),
            Some(_) if kind == Kind::Ping => known.ping_sent = now,
            _ => {}
        }
    }

    /// Sends a heartbeat on a connection: who we are, and what we know of some others.
    pub(in crate::cluster) fn send_beat(&mut self, conn: ConnId, kind: Kind) {
        let now = self.now;
        let told = self.draw_gossip();
        let pinged = self.bus_link_mut(conn).filter(|link| !link.inbound && kind == Kind::Ping);
        let pinged = pinged.and_then(|link| link.member);
        let Some(cluster) = &mut self.cluster else { return };
        if let Some(member) = pinged.and_then(|id| cluster.member_mut(&id)) {
            member.ping_sent = now;
        }
        self.send_built(conn, kind, |node, cluster, header, out| {
            let entries = told.iter().filter_map(|id| cluster.member(id)).map(gossip_of);
            let hostname = node.config.cluster_announce_hostname.as_deref().map(Extension::Hostname);
            // Newer nodes tell theirs only to those who say that they understand some.
            let header = Header { message_flags: header.message_flags | message_flag::EXTENSIONS, ..*header };
            encode::beat(out, kind, &header, entries, hostname.as_slice());
        });
    }

    /// Tells a member that it, or somebody it speaks for, is behind: these slots are another's by now.
    pub(super) fn send_update(&mut self, to: NodeId, about: NodeId) {
        let Some(conn) = self.link_to(to) else { return };
        self.send_built(conn, Kind::Update, |_, cluster, header, out| {
            if let Some(owner) = cluster.member(&about) {
                // What it does not name itself is not ours to name.
                let named: SlotSet =
                    owner.slots().iter().filter(|slot| !cluster.is_orphaned(*slot)).collect();
                encode::update(out, header, owner.config_epoch, owner.id, &to_wire(&named));
            }
        });
    }

    /// Hands a message to the other nodes, whose clients may have subscribed: to all of them, or of a shard's channel to
    /// those that serve the same slots. (`clusterPropagatePublish`)
    pub(crate) fn bus_publish(&mut self, space: Space, channel: &[u8], message: &[u8]) {
        let sharded = space == Space::Shard;
        let Some(cluster) = &self.cluster else { return };
        let head = cluster.head_of(cluster.myself()).id;
        let hears =
            |member: &&Member| super::is_listener(member) && (!sharded || cluster.head_of(member).id == head);
        let listeners: Vec<ConnId> =
            cluster.members().filter(hears).filter_map(|member| Some(member.link?.conn)).collect();
        let kind = if sharded { Kind::PublishShard } else { Kind::Publish };
        for conn in listeners {
            self.send_built(conn, kind, |_, _, header, out| {
                // Longer than a packet can be is longer than a client can send.
                let _ = encode::publish(out, kind, header, channel, message);
            });
        }
    }

    /// The connection by which we talk to a member. One that is still being made keeps what is said on it.
    pub(super) fn link_to(&self, member: NodeId) -> Option<ConnId> {
        Some(self.cluster.as_ref()?.member(&member)?.link?.conn)
    }

    /// The connections to all members. (`clusterBroadcastMessage`)
    pub(super) fn links_to_all(&self) -> Vec<ConnId> {
        let members = self.cluster.iter().flat_map(|cluster| cluster.members());
        let listeners = members.filter(|member| super::is_listener(member));
        listeners.filter_map(|member| Some(member.link?.conn)).collect()
    }

    /// Tells everybody that a member is down. (`clusterSendFail`)
    pub(super) fn send_failure_to_all(&mut self, about: NodeId) {
        for conn in self.links_to_all() {
            self.send_built(conn, Kind::Fail, |_, _, header, out| encode::fail(out, header, about));
        }
    }

    pub(super) fn send_built(
        &mut self,
        conn: ConnId,
        kind: Kind,
        build: impl FnOnce(&Node, &Cluster, &Header<'_>, &mut BytesMut),
    ) {
        let mut out = std::mem::take(&mut self.bus.scratch);
        out.clear();
        if let Some(cluster) = &self.cluster {
            let slots = cluster.head_of(cluster.myself()).slots();
            let told = self.bus.told.take().filter(|(told, _)| told == slots);
            let told = told.unwrap_or_else(|| (slots.clone(), Box::new(to_wire(slots))));
            build(self, cluster, &self.bus_header(cluster, &told.1), &mut out);
            self.bus.told = Some(told);
        }
        if !out.is_empty() {
            self.send_packet(conn, kind, &out);
        }
        self.bus.scratch = out;
    }

    /// Who we are.
    fn bus_header<'a>(&'a self, cluster: &'a Cluster, slots: &'a Bitmap) -> Header<'a> {
        let myself = cluster.myself();
        Header {
            sender: myself.id,
            current_epoch: cluster.current_epoch,
            config_epoch: cluster.head_of(myself).config_epoch,
            offset: self.replication.offset(),
            slots,
            master: myself.master,
            ip: self.config.cluster_announce_ip.as_deref().unwrap_or_default(),
            port: myself.port,
            plain_port: 0,
            bus_port: myself.bus_port,
            flags: myself.flags.bits(),
            down: !cluster.health.ok,
            message_flags: super::ballots::flags_of(cluster),
        }
    }

    /// Of whom the next heartbeat tells.
    fn draw_gossip(&mut self) -> Vec<NodeId> {
        let Some(cluster) = &self.cluster else { return Vec::new() };
        choose(&mut self.rng, cluster.members().map(|member| (member.id, candidate(member))))
    }
}

fn candidate(member: &Member) -> Candidate {
    Candidate {
        myself: member.is_myself(),
        handshake: member.flags.has(Flag::Handshake),
        no_address: member.flags.has(Flag::NoAddress),
        suspected: member.may_have_failed(),
        linked: member.link.is_some(),
        owns_slots: !member.slots().is_empty(),
    }
}

fn gossip_of(member: &Member) -> Gossip<'_> {
    let seconds = |time: Millis| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    Gossip {
        id: member.id,
        ping_sent: seconds(member.ping_sent),
        pong_received: seconds(member.pong_received),
        ip: &member.ip,
        port: member.port,
        bus_port: member.bus_port,
        flags: member.flags.bits(),
        plain_port: 0,
    }
}
