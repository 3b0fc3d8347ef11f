//! Connections of the bus.

use bus::{Arrival, Decoder, Packet};
use bytes::BytesMut;
use core_types::{Endpoint, LogLevel, Millis, NodeId};

use crate::cluster::{Flag, Link};
use crate::conn::{Conn, Kind};
use crate::{ConnId, Effect, Node, Peer};

/// A stranger that does not read our answers is cut off when so many bytes of them wait. Redis keeps all of them.
const MOST_FOR_A_STRANGER: usize = 1 << 20;

/// What the bus keeps for one connection.
#[derive(Debug)]
pub(crate) struct BusLink {
    decoder: Decoder,
    /// The member that it leads to, or that has spoken on it. Of a link that we opened it is always known, if only under
    /// a name made up for the handshake.
    pub(super) member: Option<NodeId>,
    /// The other side has opened it.
    pub(super) inbound: bool,
    /// The driver has said that it stands.
    standing: bool,
    /// Packets that may leave when the connection stands, and when the disk has what they tell.
    held: BytesMut,
    created: Millis,
}

impl BusLink {
    fn new(member: Option<NodeId>, inbound: bool, longest: u64, created: Millis) -> Box<BusLink> {
        let (decoder, held) = (Decoder::new(longest), BytesMut::new());
        // Who calls us has a connection already.
        Box::new(BusLink { decoder, member, inbound, standing: inbound, held, created })
    }
}

impl Node {
    /// Another node has connected to our bus port.
    pub fn accept_bus(&mut self, now: Millis, peer: Peer) -> ConnId {
        self.now = now;
        let id = self.conns.open(peer.addr, peer.local_addr, now);
        let longest = self.longest_message();
        // What is heard may change the data set: not while it is being loaded.
        let ready = self.cluster.is_some() && !self.persistence.is_loading();
        if let Some(conn) = self.conns.get_mut(id) {
            conn.kind = Kind::Bus(BusLink::new(None, true, longest, now));
            self.bus.links += 1;
            let text = format!("Accepting cluster node connection from {}", conn.addr);
            self.log(LogLevel::Verbose, text);
        }
        if !ready {
            self.close(id);
        }
        id
    }

    /// Is this a connection of the bus?
    pub fn is_bus(&self, id: ConnId) -> bool {
        self.conns.get(id).is_some_and(|conn| matches!(conn.kind, Kind::Bus(_)))
    }

    /// How many connections of the bus there are. They are no clients.
    pub(crate) fn bus_links(&self) -> usize {
        self.bus.links
    }

    /// Takes a connection that is gone out of the table.
    pub(crate) fn forget_conn(&mut self, id: ConnId) -> Option<Box<Conn>> {
        let conn = self.conns.remove(id)?;
        self.bus.links -= usize::from(matches!(conn.kind, Kind::Bus(_)));
        Some(conn)
    }

    /// The longest message of `PUBLISH` that another node may send: a channel and a message, each as long as a client
    /// may send it.
    fn longest_message(&self) -> u64 {
        (self.config.proto_max_bulk_len as u64).saturating_mul(2)
    }

    /// Bytes on a connection of the bus.
    pub(crate) fn receive_for_bus(&mut self, mut conn: Box<Conn>, data: &[u8]) {
        let id = conn.id;
        if let Kind::Bus(link) = &mut conn.kind {
            link.decoder.feed(data);
        }
        self.conns.put_back(conn);
        // A packet may end the connection it came on.
        while let Some(Conn { kind: Kind::Bus(link), closing: false, addr, .. }) = self.conns.get_mut(id) {
            match link.decoder.next() {
                Ok(None) => break,
                Ok(Some(Arrival::Packet(bytes))) => {
                    self.count_received(bus::number_of_kind(&bytes));
                    match Packet::parse(&bytes) {
                        Ok(packet) => self.hear(id, &packet),
                        Err(why) => self.log_bad_packet(id, &why),
                    }
                }
                Ok(Some(Arrival::Dropped { kind, why })) => {
                    self.count_received(kind);
                    self.log_bad_packet(id, &why);
                }
                Err(_) => {
                    let text =
                        format!("Bad message length or signature received on the Cluster bus from {addr}");
                    self.log(LogLevel::Warning, text);
                    self.close(id);
                }
            }
        }
        self.end_event();
    }

    fn log_bad_packet(&mut self, id: ConnId, why: &bus::PacketError) {
        let addr = self.conns.get(id).map_or("", |conn| &conn.addr);
        let text = format!("Received an invalid packet on the Cluster bus from {addr}: {why}");
        self.log(LogLevel::Warning, text);
    }

    /// A node counts every packet, good or bad, if only its kind exists.
    fn count_received(&mut self, kind: u16) {
        if let Some(cluster) = &mut self.cluster
            && let Some(count) = cluster.received.get_mut(usize::from(kind))
        {
            *count += 1;
        }
    }

    /// Opens the connection by which we talk to a member.
    pub(super) fn open_bus_link(&mut self, member: NodeId) {
        let (now, longest) = (self.now, self.longest_message());
        let Some(known) = self.cluster.as_ref().and_then(|cluster| cluster.member(&member)) else { return };
        let to = Endpoint::new(known.ip.clone(), known.bus_port);
        let conn = self.conns.open(to.to_string(), String::new(), now);
        if let Some(opened) = self.conns.get_mut(conn) {
            opened.kind = Kind::Bus(BusLink::new(Some(member), false, longest, now));
            opened.authenticated = true;
            self.bus.links += 1;
        }
        if let Some(known) = self.cluster.as_mut().and_then(|cluster| cluster.member_mut(&member)) {
            known.link = Some(Link { conn, created: now, connected: false });
        }
        self.ask(Effect::Connect { conn, to });
    }

    /// A connection that we asked for stands: we ping, or ask to be taken in.
    pub(crate) fn bus_connected(&mut self, id: ConnId) {
        let Some(member) = self.bus_member(id) else { return };
        let Some(known) = self.cluster.as_mut().and_then(|cluster| cluster.member_mut(&member)) else {
            return;
        };
        let Some(link) = known.link.as_mut().filter(|link| link.conn == id) else { return };
        link.connected = true;
        let kind = match known.flags.has(Flag::Meet) {
            true => bus::Kind::Meet,
            false => bus::Kind::Ping,
        };
        // A ping that an earlier connection has not answered is still owed: the node may be down, and not the connection.
        let owed = known.ping_sent;
        known.flags.clear(Flag::Meet);
        // What was said while the connection was being made comes first: on a connection our epochs never go back. A
        // request to be taken in has nothing before it, for nothing is told to a node in handshake.
        let early = self.bus_link_mut(id).map(|link| {
            link.standing = true;
            std::mem::take(&mut link.held)
        });
        self.send_bytes(id, &early.unwrap_or_default());
        self.send_beat(id, kind);
        if owed != Millis::ZERO
            && let Some(known) = self.cluster.as_mut().and_then(|cluster| cluster.member_mut(&member))
        {
            known.ping_sent = owed;
        }
    }

    /// A connection that we asked for could not be made.
    pub(crate) fn bus_connect_failed(&mut self, id: ConnId, why: &str) {
        let Some(cluster) = &mut self.cluster else { return };
        let found = cluster.members_mut().find(|member| member.link.is_some_and(|link| link.conn == id));
        let Some(member) = found else { return };
        member.link = None;
        let text =
            format!("Connection with Node {} at {}:{} failed: {why}", member.id, member.ip, member.bus_port);
        self.log(LogLevel::Verbose, text);
    }

    /// A connection of the bus ends.
    pub(crate) fn bus_lost(&mut self, conn: &Conn) {
        self.bus.held.remove(&conn.id);
        let Kind::Bus(link) = &conn.kind else { return };
        let member = link.member.and_then(|id| self.cluster.as_mut()?.member_mut(&id));
        if let Some(member) = member {
            member.link.take_if(|link| link.conn == conn.id);
            member.inbound.take_if(|link| link.conn == conn.id);
        }
    }

    /// The member that a connection leads to.
    pub(crate) fn bus_member(&self, id: ConnId) -> Option<NodeId> {
        match &self.conns.get(id)?.kind {
            Kind::Bus(link) => link.member,
            _ => None,
        }
    }

    pub(super) fn bus_link_mut(&mut self, id: ConnId) -> Option<&mut BusLink> {
        match &mut self.conns.get_mut(id)?.kind {
            Kind::Bus(link) => Some(link),
            _ => None,
        }
    }

    /// Somebody speaks on a connection that it has opened: that is the one by which it talks to us.
    pub(super) fn note_speaker(&mut self, id: ConnId, speaker: NodeId) {
        let Some(link) = self.bus_link_mut(id).filter(|link| link.inbound && link.member != Some(speaker))
        else {
            return;
        };
        let before = link.member.replace(speaker);
        let created = link.created;
        let Some(cluster) = &mut self.cluster else { return };
        if let Some(before) = before.and_then(|id| cluster.member_mut(&id)) {
            before.inbound.take_if(|link| link.conn == id);
        }
        let Some(member) = cluster.member_mut(&speaker) else { return };
        let older = member.inbound.replace(Link { conn: id, created, connected: true });
        // It has made its connection anew; the old one is of no use to anybody.
        if let Some(older) = older {
            self.close(older.conn);
        }
    }

    /// Makes the member's connections known under its new id.
    pub(super) fn relabel_links(&mut self, member: NodeId) {
        let known = self.cluster.as_ref().and_then(|cluster| cluster.member(&member));
        let conns: Vec<ConnId> = known
            .iter()
            .flat_map(|member| member.link.iter().chain(&member.inbound))
            .map(|link| link.conn)
            .collect();
        for conn in conns {
            if let Some(link) = self.bus_link_mut(conn) {
                link.member = Some(member);
            }
        }
    }

    /// Cuts the connection by which we talk to a member. The next look around makes it anew.
    pub(super) fn cut_bus_link(&mut self, member: NodeId) {
        let known = self.cluster.as_ref().and_then(|cluster| cluster.member(&member));
        if let Some(link) = known.and_then(|member| member.link) {
            self.close(link.conn);
        }
    }

    /// Appends a packet to what a connection has to say; or keeps it, until the connection stands, and until the disk
    /// has what it tells.
    pub(super) fn send_packet(&mut self, id: ConnId, kind: bus::Kind, packet: &[u8]) {
        if self.send_bytes(id, packet)
            && let Some(cluster) = &mut self.cluster
        {
            cluster.sent[kind.index()] += 1;
        }
    }

    /// The same for any number of packets that are counted already. False if the connection is at its end.
    fn send_bytes(&mut self, id: ConnId, packets: &[u8]) -> bool {
        let Some(cluster) = &mut self.cluster else { return false };
        let may_speak = cluster.may_speak();
        let Some(conn) = self.conns.get_mut(id).filter(|conn| !conn.closing) else { return false };
        let Kind::Bus(link) = &mut conn.kind else { return false };
        if link.member.is_none() && conn.out.len() + link.held.len() > MOST_FOR_A_STRANGER {
            self.close(id);
            return false;
        }
        if may_speak && link.standing && link.held.is_empty() {
            self.send_raw(id, packets);
        } else if !packets.is_empty() {
            link.held.extend_from_slice(packets);
            if link.standing {
                self.bus.held.insert(id);
            }
        }
        true
    }

    /// The disk has what the packets on this connection tell.
    pub(super) fn bus_release(&mut self, id: ConnId) {
        if let Some(link) = self.bus_link_mut(id) {
            let held = std::mem::take(&mut link.held);
            self.send_raw(id, &held);
        }
    }

    /// How many connections there are when everything is well: one to each member and one from it
    /// (`getClusterConnectionsCount`).
    pub(crate) fn wanted_bus_links(&self) -> usize {
        self.cluster.as_ref().map_or(0, |cluster| (cluster.known() - 1) * 2)
    }

    /// How much memory all of them take, with their buffers, which may be empty (`mem_cluster_links`).
    pub(crate) fn bus_memory(&self) -> usize {
        let of = |conn: &Conn| match &conn.kind {
            Kind::Bus(link) => {
                size_of_val(&**link)
                    + conn.out.capacity()
                    + conn.input.pending.capacity()
                    + link.held.capacity()
                    + link.decoder.allocated()
            }
            _ => 0,
        };
        match self.bus.links {
            0 => 0,
            _ => self.conns.iter().map(of).sum(),
        }
    }

    /// How many bytes wait on a connection, and how much memory they take (`CLUSTER LINKS`).
    pub(crate) fn bus_waiting(&self, id: ConnId) -> (usize, usize) {
        match self.conns.get(id) {
            Some(Conn { kind: Kind::Bus(link), out, .. }) => {
                (out.len() + link.held.len(), out.capacity() + link.held.capacity())
            }
            _ => (0, 0),
        }
    }

    /// A connection on which too much waits is cut: the other side does not read.
    pub(super) fn enforce_link_limit(&mut self) {
        let limit = self.config.cluster_link_sendbuf_limit;
        let Some(cluster) = self.cluster.as_ref().filter(|_| limit > 0) else { return };
        let links = cluster.members().flat_map(|member| member.link.iter().chain(&member.inbound));
        let over: Vec<ConnId> =
            links.map(|link| link.conn).filter(|conn| self.bus_waiting(*conn).1 as u64 > limit).collect();
        for conn in over {
            let text = format!(
                "Freeing outbound cluster link to node {} after exceeding size limit {limit}",
                self.bus_member(conn).map_or(String::new(), |id| id.to_string())
            );
            self.log(LogLevel::Warning, text);
            if let Some(cluster) = &mut self.cluster {
                cluster.links_cut += 1;
            }
            // What waits is not worth waiting for.
            if let Some(mut taken) = self.conns.take(conn) {
                taken.out.clear();
                self.close_taken(&mut taken);
                self.finish(taken);
            }
        }
    }
}
