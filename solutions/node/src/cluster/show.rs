//! The cluster for those who ask: `CLUSTER INFO`, `SLOTS`, `SHARDS`, `LINKS`, `REPLICAS`.

use std::collections::BTreeMap;
use std::fmt::Write;

use core_types::{Args, NodeId, Reply, Slot, SlotRange};

use super::commands::{known, known_at};
use super::state::MESSAGE_TYPES;
use super::{Cluster, Flag, Member};
use crate::Node;
use crate::config::EndpointType;
use crate::conn::Conn;
use crate::layers::sharding::ranges;
use crate::layers::wire::Encoder;

/// Messages of the bus as `CLUSTER INFO` calls them.
const TYPES: [&str; MESSAGE_TYPES] = [
    "ping",
    "pong",
    "meet",
    "fail",
    "publish",
    "auth-req",
    "auth-ack",
    "update",
    "mfstart",
    "module",
    "publishshard",
];

impl Cluster {
    /// `CLUSTER NODES`
    pub(super) fn describe_all(&self) -> String {
        let mut text = String::new();
        for member in self.members() {
            self.describe(member, &mut text);
            text.push('\n');
        }
        text
    }

    /// `CLUSTER INFO`
    pub(super) fn info(&self) -> String {
        let (mut ok, mut maybe, mut failed) = (0, 0, 0);
        for member in self.members() {
            let count = match () {
                () if member.has_failed() => &mut failed,
                () if member.may_have_failed() => &mut maybe,
                () => &mut ok,
            };
            *count += member.slots().len();
        }
        let mut text = String::new();
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            let _ = write!(text, "{name}:{value}\r\n");
        };
        line("cluster_state", &if self.health.ok { "ok" } else { "fail" });
        line("cluster_slots_assigned", &self.assigned());
        line("cluster_slots_ok", &ok);
        line("cluster_slots_pfail", &maybe);
        line("cluster_slots_fail", &failed);
        line("cluster_known_nodes", &self.known());
        line("cluster_size", &self.size);
        line("cluster_current_epoch", &self.current_epoch);
        line("cluster_my_epoch", &self.head_of(self.myself()).config_epoch);
        for (word, counts) in [("sent", &self.sent), ("received", &self.received)] {
            for (name, count) in TYPES.iter().zip(counts).filter(|(_, count)| **count > 0) {
                line(&format!("cluster_stats_messages_{name}_{word}"), count);
            }
            line(&format!("cluster_stats_messages_{word}"), &counts.iter().sum::<u64>());
        }
        line("total_cluster_links_buffer_limit_exceeded", &self.links_cut);
        text
    }

    /// Slots without a gap that have one owner, in order, with the owner.
    fn stretches(&self) -> Vec<(SlotRange, NodeId)> {
        let mut found: Vec<(SlotRange, NodeId)> = Vec::new();
        for slot in Slot::all() {
            let Some(owner) = self.owner(slot) else { continue };
            match found.last_mut() {
                Some((range, of)) if *of == owner && range.last.number() + 1 == slot.number() => {
                    range.last = slot;
                }
                _ => found.push((SlotRange { first: slot, last: slot }, owner)),
            }
        }
        found
    }

    /// A replica that clients may be told of (`isReplicaAvailable`).
    fn is_usable(member: &Member) -> bool {
        !member.has_failed() && (member.is_myself() || member.offset.0 > 0)
    }
}

impl Node {
    /// `CLUSTER SLOTS`
    pub(super) fn cluster_slots(&mut self, conn: &mut Conn) {
        let Some(cluster) = &self.cluster else { return };
        let stretches = cluster.stretches();
        let mut replicas: BTreeMap<NodeId, Vec<&Member>> = BTreeMap::new();
        for member in cluster.members().filter(|member| !member.is_master()) {
            if let Some(master) = member.master.filter(|_| self.is_usable(member)) {
                replicas.entry(master).or_default().push(member);
            }
        }
        let mut reply = Encoder::new(&mut conn.out, conn.protocol);
        reply.array(stretches.len());
        for (range, owner) in stretches {
            let Some(master) = cluster.member(&owner) else { continue };
            let followers = replicas.get(&owner).map_or(&[][..], |list| list);
            reply.array(3 + followers.len());
            reply.integer(range.first.number().into());
            reply.integer(range.last.number().into());
            for member in std::iter::once(&master).chain(followers) {
                self.show_endpoint(&mut reply, member);
            }
        }
    }

    fn is_usable(&self, member: &Member) -> bool {
        match member.is_myself() {
            true => self.replication.offset().0 > 0 && !member.has_failed(),
            false => Cluster::is_usable(member),
        }
    }

    /// One node of a stretch: how it is named by preference, its port, its id, and how else it is known.
    fn show_endpoint(&self, reply: &mut Encoder<'_>, member: &Member) {
        let preferred = self.config.cluster_preferred_endpoint_type;
        reply.array(4);
        match preferred {
            EndpointType::Unknown => reply.null(),
            _ => reply.bulk(self.preferred_name(member).as_bytes()),
        }
        reply.integer(member.port.into());
        reply.bulk(member.id.as_str().as_bytes());
        let ip = (preferred != EndpointType::Ip).then_some(("ip", &member.ip));
        let name = (preferred != EndpointType::Hostname && !member.hostname.is_empty())
            .then_some(("hostname", &member.hostname));
        let more: Vec<_> = ip.into_iter().chain(name).collect();
        reply.map(more.len());
        for (key, value) in more {
            reply.bulk(key.as_bytes());
            reply.bulk(value.as_bytes());
        }
    }

    /// `CLUSTER SHARDS`
    pub(super) fn cluster_shards(&mut self, conn: &mut Conn) {
        let Some(cluster) = &self.cluster else { return };
        let mut shards: BTreeMap<NodeId, Vec<&Member>> = BTreeMap::new();
        for member in cluster.members().filter(|member| !member.flags.has(Flag::Handshake)) {
            let head = cluster.head_of(member).id;
            let shard = shards.entry(head).or_default();
            // The master comes first.
            if member.id == head { shard.insert(0, member) } else { shard.push(member) }
        }
        let mut reply = Encoder::new(&mut conn.out, conn.protocol);
        reply.array(shards.len());
        for (head, members) in shards {
            reply.map(2);
            reply.bulk(b"slots");
            let slots = cluster.member(&head).map(|head| ranges(head.slots())).unwrap_or_default();
            reply.array(slots.len() * 2);
            for range in slots {
                reply.integer(range.first.number().into());
                reply.integer(range.last.number().into());
            }
            reply.bulk(b"nodes");
            reply.array(members.len());
            members.iter().for_each(|member| self.show_member(&mut reply, member));
        }
    }

    fn show_member(&self, reply: &mut Encoder<'_>, member: &Member) {
        let offset = if member.is_myself() { self.replication.offset().0 } else { member.offset.0 };
        let health = match () {
            () if member.has_failed() || member.may_have_failed() => "fail",
            () if !member.is_master() && offset == 0 => "loading",
            () => "online",
        };
        reply.map(if member.hostname.is_empty() { 7 } else { 8 });
        let text = |reply: &mut Encoder<'_>, name: &str, value: &str| {
            reply.bulk(name.as_bytes());
            reply.bulk(value.as_bytes());
        };
        text(reply, "id", member.id.as_str());
        reply.bulk(b"port");
        reply.integer(member.port.into());
        text(reply, "ip", &member.ip);
        reply.bulk(b"endpoint");
        match self.config.cluster_preferred_endpoint_type {
            EndpointType::Unknown => reply.null(),
            _ => reply.bulk(self.preferred_name(member).as_bytes()),
        }
        if !member.hostname.is_empty() {
            text(reply, "hostname", &member.hostname);
        }
        text(reply, "role", if member.is_master() { "master" } else { "replica" });
        reply.bulk(b"replication-offset");
        reply.integer(offset as i64);
        text(reply, "health", health);
    }

    /// `CLUSTER LINKS`
    pub(super) fn cluster_links(&mut self, conn: &mut Conn) {
        let Some(cluster) = &self.cluster else { return };
        let mut links = Vec::new();
        for member in cluster.members() {
            links.extend(member.link.map(|link| ("to", member.id, link)));
            links.extend(member.inbound.map(|link| ("from", member.id, link)));
        }
        let mut reply = Encoder::new(&mut conn.out, conn.protocol);
        reply.array(links.len());
        for (direction, id, link) in links {
            let (waiting, held) = self.bus_waiting(link.conn);
            let events = if waiting > 0 { "rw" } else { "r" };
            reply.map(6);
            for (name, value) in
                [("direction", direction), ("node", id.as_str()), ("create-time", ""), ("events", events)]
            {
                reply.bulk(name.as_bytes());
                match name {
                    "create-time" => reply.integer(link.created.0 as i64),
                    _ => reply.bulk(value.as_bytes()),
                }
            }
            reply.bulk(b"send-buffer-allocated");
            reply.integer(held as i64);
            reply.bulk(b"send-buffer-used");
            reply.integer(waiting as i64);
        }
    }

    /// `CLUSTER REPLICAS id`
    pub(super) fn cluster_replicas(&mut self, conn: &mut Conn, args: Args<'_>) {
        let found = known_at(known(self), args, 2).and_then(|id| {
            let cluster = known(self);
            match cluster.member(&id) {
                Some(member) if !member.flags.has(Flag::Replica) => Ok(id),
                _ => Err("ERR The specified node is not a master".into()),
            }
        });
        let id = match found {
            Ok(id) => id,
            Err(text) => return self.encoder(conn).error(&text),
        };
        let cluster = known(self);
        let lines: Vec<String> = cluster
            .replicas_of(id)
            .map(|member| {
                let mut line = String::new();
                cluster.describe(member, &mut line);
                line
            })
            .collect();
        let mut reply = self.encoder(conn);
        reply.array(lines.len());
        lines.iter().for_each(|line| reply.bulk(line.as_bytes()));
    }
}
