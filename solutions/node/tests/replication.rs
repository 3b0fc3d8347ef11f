//! Two nodes joined by nothing but this test's loop: what one has to say, the other hears at once.

use std::collections::BTreeMap;

use core_types::{Endpoint, Millis};
use node::config::Config;
use node::{ConnId, Effect, Node, Peer};

/// Nodes by port, and who is connected to whom.
struct Pair {
    nodes: BTreeMap<u16, Node>,
    /// Both directions of every connection.
    wires: BTreeMap<(u16, ConnId), (u16, ConnId)>,
    now: Millis,
    log: Vec<String>,
}

impl Pair {
    fn new() -> Pair {
        Pair { nodes: BTreeMap::new(), wires: BTreeMap::new(), now: Millis(1_000_000), log: Vec::new() }
    }

    fn start(&mut self, port: u16, change: impl FnOnce(&mut Config)) {
        let mut config = Config { port, repl_diskless_sync_delay: Millis::ZERO, ..Config::default() };
        change(&mut config);
        self.nodes.insert(port, Node::new(config, u64::from(port), self.now));
        self.settle();
    }

    fn node(&mut self, port: u16) -> &mut Node {
        self.nodes.get_mut(&port).expect("started")
    }

    fn client(&mut self, port: u16) -> ConnId {
        let now = self.now;
        self.node(port).accept(now, peer(port))
    }

    /// One command on a connection of its own; the reply as it was sent.
    fn run(&mut self, port: u16, command: &str) -> String {
        let (now, conn) = (self.now, self.client(port));
        self.node(port).receive(now, conn, format!("{command}\r\n").as_bytes());
        let reply = String::from_utf8_lossy(self.node(port).pending(conn)).into_owned();
        self.node(port).closed(now, conn);
        self.settle();
        reply
    }

    fn pass(&mut self, millis: u64) {
        for _ in 0..millis / 100 {
            self.now += Millis(100);
            for node in self.nodes.values_mut() {
                node.tick(self.now);
            }
            self.settle();
        }
    }

    /// Carries out effects and carries bytes until nobody has anything left to say.
    fn settle(&mut self) {
        let now = self.now;
        loop {
            let mut quiet = true;
            let ports: Vec<u16> = self.nodes.keys().copied().collect();
            for port in ports {
                while let Some(effect) = self.node(port).poll_effect() {
                    quiet = false;
                    match effect {
                        Effect::Connect { conn, to } if self.nodes.contains_key(&to.port) => {
                            let theirs = self.node(to.port).accept(now, peer(port));
                            self.wires.insert((port, conn), (to.port, theirs));
                            self.wires.insert((to.port, theirs), (port, conn));
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
                        Effect::File(_) | Effect::Stall { .. } | Effect::Exit { .. } => {}
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
        let bytes = self.node(port).pending(conn).to_vec();
        self.node(port).sent(now, conn, bytes.len());
        // In pieces, since a network owes nobody whole messages.
        for piece in bytes.chunks(7) {
            self.node(to).receive(now, theirs, piece);
        }
        !bytes.is_empty()
    }

    fn equal(&mut self, a: u16, b: u16) -> bool {
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

fn follow(master: u16) -> impl FnOnce(&mut Config) {
    move |config| config.replicaof = Some(Endpoint::new("127.0.0.1", master))
}

#[test]
fn a_replica_gets_what_was_there_and_what_comes() {
    for diskless in [false, true] {
        let mut pair = Pair::new();
        pair.start(7000, |config| config.repl_diskless_sync = diskless);
        pair.run(7000, "SET before 1");
        pair.start(7001, follow(7000));
        pair.pass(300);
        pair.run(7000, "SET after 2");
        pair.run(7000, "INCR counter");
        assert_eq!(pair.run(7001, "GET before"), "$1\r\n1\r\n", "{:#?}", pair.log);
        assert_eq!(pair.run(7001, "GET after"), "$1\r\n2\r\n");
        assert_eq!(pair.node(7000).replication_offset(), pair.node(7001).replication_offset());
        assert_eq!(pair.node(7000).replication_id(), pair.node(7001).replication_id());
        assert!(pair.equal(7000, 7001));
        pair.pass(2_000);
        assert!(pair.run(7000, "INFO replication").contains("slave0:ip=127.0.0.1,port=7001,state=online"));
    }
}

#[test]
fn databases_are_told_apart_and_expiry_travels_as_a_point_in_time() {
    let mut pair = Pair::new();
    pair.start(7000, |_| {});
    pair.start(7001, follow(7000));
    pair.pass(300);
    let (now, conn) = (pair.now, pair.client(7000));
    pair.node(7000).receive(now, conn, b"SELECT 3\r\nSET k v EX 1\r\nSELECT 0\r\nSET k w\r\n");
    pair.settle();
    assert!(pair.equal(7000, 7001));
    pair.pass(1_500);
    assert!(pair.equal(7000, 7001), "the master's DEL has reached the replica");
    assert_eq!(pair.node(7001).keyspace().len(3), 0);
}

#[test]
fn a_replica_refuses_writes_and_keeps_its_data_when_promoted() {
    let mut pair = Pair::new();
    pair.start(7000, |_| {});
    pair.run(7000, "SET k v");
    pair.start(7001, follow(7000));
    pair.pass(300);
    assert_eq!(pair.run(7001, "SET k w"), "-READONLY You can't write against a read only replica.\r\n");
    assert_eq!(pair.run(7001, "REPLICAOF NO ONE"), "+OK\r\n");
    assert_eq!(pair.run(7001, "SET more x"), "+OK\r\n");
    assert_eq!(pair.run(7001, "GET k"), "$1\r\nv\r\n");
    assert!(pair.run(7001, "ROLE").starts_with("*3\r\n$6\r\nmaster\r\n"));
}

#[test]
fn a_chain_passes_the_masters_bytes_on_unchanged() {
    let mut pair = Pair::new();
    pair.start(7000, |_| {});
    pair.start(7001, follow(7000));
    pair.pass(300);
    let (now, conn) = (pair.now, pair.client(7000));
    pair.node(7000).receive(now, conn, b"SELECT 5\r\nSET five 5\r\n");
    pair.settle();
    pair.start(7002, follow(7001));
    pair.pass(300);
    // No SELECT goes with this one: the leaf must know from the snapshot that the stream is in database 5.
    pair.node(7000).receive(now, conn, b"SET more 6\r\n");
    pair.settle();
    assert!(pair.equal(7000, 7002), "{:#?}", pair.log);
    assert_eq!(pair.node(7002).keyspace().len(5), 2);
    assert_eq!(pair.node(7000).replication_offset(), pair.node(7002).replication_offset());
}

#[test]
fn a_wrong_password_is_tried_again_until_it_is_right() {
    let mut pair = Pair::new();
    pair.start(7000, |config| config.requirepass = Some("secret".into()));
    pair.start(7001, |config| {
        follow(7000)(config);
        config.masterauth = Some("guess".into());
    });
    pair.pass(3_000);
    assert!(pair.log.iter().any(|line| line.contains("Unable to AUTH to MASTER")), "{:#?}", pair.log);
    pair.run(7001, "CONFIG SET masterauth secret");
    pair.pass(3_000);
    assert!(pair.run(7001, "INFO replication").contains("master_link_status:up"));
}
