//! A packet arrives: who speaks, and what follows from it.

use bus::{Beat, Body, Extension, Header, Kind, Packet, node_flag};
use core_types::{LogLevel, Millis, NodeId};

use crate::cluster::Flag;
use crate::layers::gossip::handshake::{Expected, Greeting, Introduction, introduced, welcome};
use crate::pubsub::Space;
use crate::{ConnId, Node};

impl Node {
    /// A whole packet, whose lengths and ids make sense.
    pub(super) fn hear(&mut self, conn: ConnId, packet: &Packet<'_>) {
        let sender = self.known_sender(&packet.header);
        if let Some(sender) = sender {
            self.note_speaker(conn, sender);
            // In a test: now that we know who it is, nothing passes. A connection on which something is lost cannot live
            // on: the other end would wait for our answer for ever.
            if self.is_cut(conn) {
                return self.close(conn);
            }
            self.note_presence(sender, &packet.header);
            self.note_pause(sender, &packet.header);
        }
        match (packet.kind, packet.body, sender) {
            (kind, Body::Beat(beat), _) => self.hear_beat(conn, kind, &packet.header, &beat, sender),
            (_, Body::Fail(about), Some(sender)) => self.hear_failure(sender, about),
            (_, Body::Fail(about), None) => {
                let text =
                    format!("Ignoring FAIL message from unknown node {} about {about}", packet.header.sender);
                self.log(LogLevel::Notice, text);
            }
            (kind, Body::Publish { channel, message }, Some(_)) => {
                let space = if kind == Kind::PublishShard { Space::Shard } else { Space::Channel };
                self.publish(space, channel, message, None);
            }
            (_, Body::Update { config_epoch, node, slots }, Some(_)) => {
                self.hear_update(config_epoch, node, slots);
            }
            (kind, Body::Nothing, Some(sender)) => self.hear_ballot(conn, kind, sender, &packet.header),
            // Strangers have no say.
            (_, Body::Publish { .. } | Body::Update { .. } | Body::Nothing, _) => {}
        }
    }

    /// The member that speaks: somebody whose name we know, and not ourselves.
    fn known_sender(&self, header: &Header<'_>) -> Option<NodeId> {
        let member = self.cluster.as_ref()?.member(&header.sender)?;
        (!member.is_myself() && !member.flags.has(Flag::Handshake)).then_some(member.id)
    }

    /// What any packet tells of its sender.
    fn note_presence(&mut self, sender: NodeId, header: &Header<'_>) {
        let now = self.now;
        let Some(cluster) = &mut self.cluster else { return };
        cluster.current_epoch = cluster.current_epoch.max(header.current_epoch);
        let Some(member) = cluster.member_mut(&sender) else { return };
        member.data_received = now;
        member.offset = header.offset;
        member.offset_at = now;
        if header.config_epoch > member.config_epoch {
            member.config_epoch = header.config_epoch;
            cluster.must_save();
        }
    }

    fn hear_beat(
        &mut self,
        conn: ConnId,
        kind: Kind,
        header: &Header<'_>,
        beat: &Beat<'_>,
        sender: Option<NodeId>,
    ) {
        let greeting = match kind {
            Kind::Meet => Greeting::Meet,
            Kind::Ping => Greeting::Ping,
            _ => Greeting::Pong,
        };
        let known = self.cluster.as_ref().is_some_and(|cluster| cluster.member(&header.sender).is_some());
        let welcome = welcome(greeting, known);
        if kind != Kind::Pong {
            self.learn_own_address(conn, kind);
        }
        if welcome.handshake {
            let ip = self.address_of(conn, header);
            self.start_handshake(&ip, header.port, header.bus_port, false);
            if welcome.listen {
                self.hear_gossip(&beat.gossip, None);
            }
        }
        if welcome.answer {
            self.send_beat(conn, Kind::Pong);
        }
        let inbound = self.bus_link_mut(conn).is_none_or(|link| link.inbound);
        if !inbound && !self.check_identity(conn, header) {
            return;
        }
        // A handshake that has just ended makes a stranger a member; Redis, too, reads the rest of the packet only of those
        // that were members before.
        let Some(sender) = sender else {
            if !inbound && kind == Kind::Pong {
                self.answered(conn);
            }
            return;
        };
        self.note_no_failover(sender, header);
        if kind == Kind::Ping {
            self.update_address(conn, sender, header);
        }
        if !inbound && kind == Kind::Pong {
            self.answered(conn);
        }
        self.hear_role(sender, header);
        self.hear_slots(sender, header);
        if welcome.listen {
            self.hear_gossip(&beat.gossip, Some(sender));
        }
        self.hear_extensions(sender, beat);
    }

    /// Others know our address better than we do: it is where their words arrive. A node may have several; the one that
    /// an operator made somebody meet us at counts.
    fn learn_own_address(&mut self, conn: ConnId, kind: Kind) {
        if self.config.cluster_announce_ip.is_some() {
            return;
        }
        let Some(ip) = self.conns.get(conn).map(|conn| ip_of(&conn.local_addr).to_string()) else { return };
        let Some(cluster) = &mut self.cluster else { return };
        let myself = cluster.myself_mut();
        if (kind == Kind::Meet || myself.ip.is_empty()) && !ip.is_empty() && myself.ip != ip {
            myself.ip.clone_from(&ip);
            cluster.must_save();
            self.log(LogLevel::Warning, format!("IP address for this node updated to {ip}"));
        }
    }

    /// Where the sender is: as it says, or where its words come from.
    fn address_of(&self, conn: ConnId, header: &Header<'_>) -> String {
        match header.ip {
            "" => self.conns.get(conn).map_or(String::new(), |conn| ip_of(&conn.addr).to_string()),
            announced => announced.to_string(),
        }
    }

    /// Somebody answers on a connection that we have opened. False if it is not whom we wanted, and the connection is
    /// closed.
    fn check_identity(&mut self, conn: ConnId, header: &Header<'_>) -> bool {
        let Some(id) = self.bus_member(conn) else { return true };
        let Some(cluster) = &mut self.cluster else { return true };
        let Some(member) = cluster.member(&id) else { return true };
        let expected = match member.flags.has(Flag::Handshake) {
            true => Expected::Anybody,
            false => Expected::Member(id),
        };
        match introduced(expected, header.sender, cluster.member(&header.sender).is_some()) {
            Introduction::AsExpected => true,
            Introduction::Named => {
                cluster.rename(&id, header.sender);
                if let Some(member) = cluster.member_mut(&header.sender) {
                    member.flags.clear(Flag::Handshake);
                    let role = header.flags & (node_flag::MASTER | node_flag::REPLICA);
                    let role = if role == 0 { node_flag::MASTER } else { role };
                    member.flags = crate::cluster::Flags::from_bits(member.flags.bits() | role);
                }
                cluster.must_save();
                self.relabel_links(header.sender);
                self.log(LogLevel::Debug, format!("Handshake with node {} completed.", header.sender));
                true
            }
            Introduction::AlreadyKnown => {
                let text = format!(
                    "Handshake: we already know node {}, updating the address if needed.",
                    header.sender
                );
                self.log(LogLevel::Verbose, text);
                self.update_address(conn, header.sender, header);
                self.remove_member(id);
                false
            }
            Introduction::SomebodyElse => {
                let text =
                    format!("PONG contains mismatching sender ID. About node {id}, it is {}", header.sender);
                if let Some(member) = cluster.member_mut(&id) {
                    member.flags.set(Flag::NoAddress);
                    member.ip.clear();
                    (member.port, member.bus_port) = (0, 0);
                }
                cluster.must_save();
                self.log(LogLevel::Debug, text);
                self.close(conn);
                false
            }
        }
    }

    /// A member speaks from another address than the one we have: from now on we call it there.
    fn update_address(&mut self, conn: ConnId, id: NodeId, header: &Header<'_>) {
        let ip = self.address_of(conn, header);
        let Some(cluster) = &mut self.cluster else { return };
        let Some(member) = cluster.member_mut(&id) else { return };
        // What comes on the connection that we opened is where we called it.
        let ours = member.link.is_some_and(|link| link.conn == conn);
        let same = (&member.ip, member.port, member.bus_port) == (&ip, header.port, header.bus_port);
        if ours || same || ip.is_empty() || member.is_myself() {
            return;
        }
        member.ip = ip;
        (member.port, member.bus_port) = (header.port, header.bus_port);
        member.flags.clear(Flag::NoAddress);
        let text = format!("Address updated for node {id}, now {}:{}", member.ip, member.port);
        cluster.todo.update_health = true;
        cluster.must_save();
        self.cut_bus_link(id);
        self.log(LogLevel::Warning, text);
        let follows = |cluster: &crate::cluster::Cluster| {
            !cluster.myself().is_master() && cluster.myself().master == Some(id)
        };
        if self.cluster.as_deref().is_some_and(follows) {
            self.set_cluster_master(id);
        }
    }

    fn note_no_failover(&mut self, sender: NodeId, header: &Header<'_>) {
        let Some(member) = self.cluster.as_mut().and_then(|cluster| cluster.member_mut(&sender)) else {
            return;
        };
        match header.flags & node_flag::NO_FAILOVER {
            0 => member.flags.clear(Flag::NoFailover),
            _ => member.flags.set(Flag::NoFailover),
        }
    }

    fn hear_extensions(&mut self, sender: NodeId, beat: &Beat<'_>) {
        // A name that is not told any more is gone.
        let mut hostname = "";
        for extension in beat.extensions.iter() {
            match extension {
                Extension::Hostname(name) => hostname = name,
                Extension::ForgottenNode(id, left) => {
                    self.hear_forgotten(sender, id, Millis::from_secs(left));
                }
                // What Redis 7.0 does not show either.
                Extension::HumanName(_) | Extension::ShardId(_) | Extension::Other(_) => {}
            }
        }
        let Some(cluster) = &mut self.cluster else { return };
        let Some(member) = cluster.member_mut(&sender) else { return };
        if member.hostname != hostname && is_hostname(hostname) {
            member.hostname = hostname.to_string();
            cluster.must_save();
        }
    }
}

/// It is written to our file, where a space would begin another word.
fn is_hostname(name: &str) -> bool {
    name.len() < 256 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

/// The address in `10.0.0.1:7000` or `[::1]:7000`.
fn ip_of(address: &str) -> &str {
    let ip = address.rsplit_once(':').map_or("", |(ip, _)| ip);
    ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip)
}
