//! Nodes joined by nothing but a loop: what one has to say, the other hears at once.

#![allow(dead_code, reason = "each test uses some of it")]

use std::collections::{BTreeMap, BTreeSet};

use core_types::{Endpoint, Millis};
use node::config::Config;
use node::{ConnId, Effect, FileEffect, FileEvent, FileId, Node, Peer};

/// Nodes by port, and who is connected to whom.
pub(crate) struct Pair {
    nodes: BTreeMap<u16, Node>,
    /// Both directions of every connection.
    wires: BTreeMap<(u16, ConnId), (u16, ConnId)>,
    /// Ports between which no connection can be made, and none lives.
    cut: BTreeSet<(u16, u16)>,
    /// From one port to another: so many bytes more, and then that is cut.
    budget: BTreeMap<(u16, u16), usize>,
    /// From one port to another nothing is carried for now.
    held: BTreeSet<(u16, u16)>,
    /// Files by the port of their node, for those that were started with some.
    pub(crate) files: BTreeMap<(u16, String), Vec<u8>>,
    with_files: BTreeSet<u16>,
    /// Files that are being written.
    open: BTreeMap<(u16, FileId), (String, Vec<u8>)>,
    /// Nodes that have asked for their end.
    pub(crate) exits: Vec<u16>,
    pub(crate) now: Millis,
    pub(crate) log: Vec<String>,
}

impl Pair {
    pub(crate) fn new() -> Pair {
        Pair {
            nodes: BTreeMap::new(),
            wires: BTreeMap::new(),
            cut: BTreeSet::new(),
            budget: BTreeMap::new(),
            held: BTreeSet::new(),
            files: BTreeMap::new(),
            with_files: BTreeSet::new(),
            open: BTreeMap::new(),
            exits: Vec::new(),
            now: Millis(1_000_000),
            log: Vec::new(),
        }
    }

    pub(crate) fn start(&mut self, port: u16, change: impl FnOnce(&mut Config)) {
        let mut config = Config { port, repl_diskless_sync_delay: Millis::ZERO, ..Config::default() };
        change(&mut config);
        self.nodes.insert(port, Node::new(config, u64::from(port), self.now));
        self.settle();
    }

    /// A node of a cluster, with the files that an earlier one of this port has left. Its bus is 10,000 higher.
    pub(crate) fn start_in_cluster(&mut self, port: u16, change: impl FnOnce(&mut Config)) {
        let mut config = Config {
            port,
            cluster_enabled: true,
            cluster_node_timeout: Millis(1_000),
            repl_diskless_sync_delay: Millis::ZERO,
            ..Config::default()
        };
        change(&mut config);
        self.with_files.insert(port);
        self.nodes.insert(port, Node::with_files(config, u64::from(port), self.now));
        self.settle();
    }

    /// The node is gone, and all that was not in its files.
    pub(crate) fn kill(&mut self, port: u16) {
        let now = self.now;
        let ends: Vec<(u16, ConnId)> = self.wires.keys().copied().filter(|(at, _)| *at == port).collect();
        let others: Vec<(u16, ConnId)> = ends.iter().filter_map(|end| self.wires.remove(end)).collect();
        self.nodes.remove(&port);
        self.open.retain(|(at, _), _| *at != port);
        for (other, conn) in others {
            self.wires.remove(&(other, conn));
            if let Some(node) = self.nodes.get_mut(&other) {
                node.closed(now, conn);
            }
        }
    }

    fn carry_out(&mut self, port: u16, effect: FileEffect) {
        let now = self.now;
        let mut events = Vec::new();
        let file = match effect {
            FileEffect::Read { file, name } => {
                match self.files.get(&(port, name)) {
                    Some(bytes) => events.extend([FileEvent::Piece(bytes), FileEvent::End]),
                    None => events.push(FileEvent::Missing),
                }
                file
            }
            FileEffect::Create { file, name } => {
                self.open.insert((port, file), (name, Vec::new()));
                file
            }
            FileEffect::Append { file, bytes, .. } | FileEffect::Record { file, bytes } => {
                if let Some((_, content)) = self.open.get_mut(&(port, file)) {
                    content.extend_from_slice(&bytes);
                }
                events.push(FileEvent::Written(bytes.len()));
                file
            }
            FileEffect::Overwrite { file, name, bytes } => {
                let content = self.files.entry((port, name)).or_default();
                let behind = content.get(bytes.len()..).unwrap_or_default().to_vec();
                *content = [&bytes[..], &behind].concat();
                events.push(FileEvent::Written(bytes.len()));
                file
            }
            FileEffect::Sync { file } | FileEffect::SyncNamed { file, .. } => {
                events.push(FileEvent::Synced);
                file
            }
            FileEffect::Commit { file, to } => {
                if let Some((name, content)) = self.open.remove(&(port, file)) {
                    self.files.insert((port, to.unwrap_or(name)), content);
                }
                events.push(FileEvent::Committed);
                file
            }
            _ => return,
        };
        if let Some(node) = self.nodes.get_mut(&port) {
            events.into_iter().for_each(|event| node.file_event(now, file, event));
        }
    }

    pub(crate) fn node(&mut self, port: u16) -> &mut Node {
        self.nodes.get_mut(&port).expect("started")
    }

    pub(crate) fn client(&mut self, port: u16) -> ConnId {
        let now = self.now;
        self.node(port).accept(now, peer(port))
    }

    /// One command on a connection of its own; the reply as it was sent.
    pub(crate) fn run(&mut self, port: u16, command: &str) -> String {
        let (now, conn) = (self.now, self.client(port));
        self.node(port).receive(now, conn, format!("{command}\r\n").as_bytes());
        self.settle();
        let reply = String::from_utf8_lossy(self.node(port).pending(conn)).into_owned();
        self.node(port).closed(now, conn);
        self.settle();
        reply
    }

    pub(crate) fn pass(&mut self, millis: u64) {
        for _ in 0..millis / 100 {
            self.now += Millis(100);
            for node in self.nodes.values_mut() {
                node.tick(self.now);
            }
            self.settle();
        }
    }

    /// Carries out effects and carries bytes until nobody has anything left to say.
    pub(crate) fn settle(&mut self) {
        let now = self.now;
        loop {
            let mut quiet = true;
            let ports: Vec<u16> = self.nodes.keys().copied().collect();
            for port in ports {
                while let Some(effect) = self.node(port).poll_effect() {
                    quiet = false;
                    match effect {
                        Effect::Connect { conn, to } if self.is_open(port, to.port) => {
                            let (at, bus) = self.listener(to.port);
                            let theirs = match bus {
                                true => self.node(at).accept_bus(now, peer(port)),
                                false => self.node(at).accept(now, peer(port)),
                            };
                            self.wires.insert((port, conn), (at, theirs));
                            self.wires.insert((at, theirs), (port, conn));
                            self.node(port).connected(now, conn, "127.0.0.1:1");
                        }
                        Effect::Connect { conn, .. } => {
                            self.node(port).connect_failed(now, conn, "Connection refused");
                        }
                        Effect::Close { conn } => {
                            self.carry(port, conn);
                            self.node(port).closed(now, conn);
                            if let Some((peer_port, peer_conn)) = self.wires.remove(&(port, conn)) {
                                self.wires.remove(&(peer_port, peer_conn));
                                self.node(peer_port).closed(now, peer_conn);
                            }
                        }
                        Effect::Log { text, .. } => self.log.push(format!("{port}: {text}")),
                        Effect::Exit { .. } => self.exits.push(port),
                        Effect::File(effect) if self.with_files.contains(&port) => {
                            self.carry_out(port, effect);
                        }
                        Effect::File(_)
                        | Effect::Stall { .. }
                        | Effect::Run { .. }
                        | Effect::EndRun { .. }
                        | Effect::Partition => {}
                    }
                }
                while let Some(conn) = self.node(port).wants_write() {
                    quiet &= !self.carry(port, conn);
                }
                self.node(port).check_invariants().expect("an invariant of the node");
            }
            if quiet {
                return;
            }
        }
    }

    fn carry(&mut self, port: u16, conn: ConnId) -> bool {
        let now = self.now;
        let Some(&(to, theirs)) = self.wires.get(&(port, conn)) else { return false };
        if self.held.contains(&(port, to)) {
            return false;
        }
        let mut bytes = self.node(port).pending(conn).to_vec();
        let mut over = false;
        if let Some(left) = self.budget.get_mut(&(port, to)) {
            over = bytes.len() >= *left;
            bytes.truncate(*left);
            *left -= bytes.len();
        }
        self.node(port).sent(now, conn, bytes.len());
        // In pieces, since a network owes nobody whole messages.
        for piece in bytes.chunks(7) {
            self.node(to).receive(now, theirs, piece);
        }
        if over {
            self.budget.remove(&(port, to));
            self.cut(port, to);
        }
        !bytes.is_empty()
    }

    /// Whose port this is, and whether it is the bus's.
    fn listener(&self, port: u16) -> (u16, bool) {
        match port.checked_sub(10_000).filter(|port| self.with_files.contains(port)) {
            Some(node) => (node, true),
            None => (port, false),
        }
    }

    fn is_open(&self, from: u16, to: u16) -> bool {
        let to = self.listener(to).0;
        self.nodes.contains_key(&to) && !self.cut.contains(&(from.min(to), from.max(to)))
    }

    /// Breaks the connections between two nodes, until they are joined again.
    pub(crate) fn cut(&mut self, a: u16, b: u16) {
        self.cut.insert((a.min(b), a.max(b)));
        let now = self.now;
        let between = |(from, to): &(u16, u16)| (*from, *to) == (a, b) || (*from, *to) == (b, a);
        let ends: Vec<(u16, ConnId)> =
            self.wires.iter().filter(|(from, to)| between(&(from.0, to.0))).map(|(from, _)| *from).collect();
        for end in &ends {
            self.wires.remove(end);
        }
        for (port, conn) in ends {
            self.node(port).closed(now, conn);
        }
        self.settle();
    }

    /// The same, when so many more bytes have gone from one to the other.
    pub(crate) fn cut_after(&mut self, from: u16, to: u16, bytes: usize) {
        self.budget.insert((from, to), bytes);
    }

    /// Lets them connect again.
    pub(crate) fn join(&mut self, a: u16, b: u16) {
        self.cut.remove(&(a.min(b), a.max(b)));
    }

    /// Carries nothing from one to the other.
    pub(crate) fn hold(&mut self, from: u16, to: u16) {
        self.held.insert((from, to));
    }

    /// Carries it again, and what was held back.
    pub(crate) fn release(&mut self, from: u16, to: u16) {
        self.held.remove(&(from, to));
        let ends: Vec<ConnId> =
            self.wires.iter().filter(|(at, peer)| at.0 == from && peer.0 == to).map(|(at, _)| at.1).collect();
        for conn in ends {
            self.carry(from, conn);
        }
        self.settle();
    }

    /// What waits on a client's connection, taken as if it had read it.
    pub(crate) fn said(&mut self, port: u16, conn: ConnId) -> String {
        let now = self.now;
        let text = String::from_utf8_lossy(self.node(port).pending(conn)).into_owned();
        self.node(port).sent(now, conn, text.len());
        text
    }

    pub(crate) fn equal(&mut self, a: u16, b: u16) -> bool {
        let all = |node: &Node| {
            let mut entries: Vec<String> = node
                .keyspace()
                .iter()
                .map(|(db, key, entry)| format!("{db} {key:?} {:?} {:?}", entry.value, entry.expire_at()))
                .collect();
            entries.sort();
            entries
        };
        all(self.node(a)) == all(self.node(b))
    }
}

fn peer(port: u16) -> Peer {
    Peer { addr: format!("127.0.0.1:{}", 40_000 + port), local_addr: "127.0.0.1:1".into(), loopback: true }
}

pub(crate) fn follow(master: u16) -> impl FnOnce(&mut Config) {
    move |config| config.replicaof = Some(Endpoint::new("127.0.0.1", master))
}
