//! Meetings that come to nothing, and a name that two have: as Redis takes them.

use std::cmp::Ordering;
use std::io::Write;
use std::net::TcpListener;

use core_types::Frame;
use system::cluster::{NodeLine, nodes};
use system::{Cluster, FakePeer, Kind, Server, both, free_port, redis_tool_or_skip, topology, wait};

use Kind::{Ours, Redis};

/// How many members it knows that have not told their name.
fn strangers(server: &Server) -> usize {
    server.story().values().filter(|told| told.contains("handshake")).count()
}

#[test]
fn meeting_oneself_a_dead_host_or_a_client_port_comes_to_nothing() {
    for kind in both("meeting_oneself_a_dead_host_or_a_client_port_comes_to_nothing") {
        let node = Server::start_member(kind, &["--cluster-node-timeout", "1000"]);
        // Somebody who is no node at all, and talks without being asked.
        let chatter = TcpListener::bind("127.0.0.1:0").expect("a port");
        let chatter_port = chatter.local_addr().expect("its address").port();
        let talk = std::thread::spawn(move || {
            while let Ok((mut stream, _)) = chatter.accept() {
                if stream.write_all(b"220 ready, and far longer than the first eight bytes\r\n").is_err() {
                    break;
                }
            }
        });
        let own = (node.port(), node.bus_port());
        let other = Server::start(kind, &[]);
        let dead = (free_port(), free_port());
        for (what, (port, bus_port)) in [
            ("itself", own),
            ("a dead host", dead),
            ("a client port", (other.port(), other.port())),
            ("its own client port", (own.0, own.0)),
            ("somebody who talks", (chatter_port, chatter_port)),
        ] {
            node.ok(&format!("CLUSTER MEET 127.0.0.1 {port} {bus_port}"));
            wait::until(&format!("{kind:?} to have met {what} in vain"), || strangers(&node) == 0);
            let story = node.story();
            assert_eq!(story.len(), 1, "{what}: {story:?}");
            assert!(
                story.values().all(|told| told.starts_with("127.0.0.1:") || told.starts_with(':')),
                "{story:?}"
            );
        }
        // Neither of the two others minds.
        assert_eq!(other.text("PING"), "PONG");
        assert_eq!(node.text("PING"), "PONG");
        drop(talk);
    }
}

/// A node is copied with its file: two of one name, at two places. Whoever talked last is where the name is; when the copy
/// is gone, everybody is well again.
#[test]
fn two_nodes_of_one_name_confuse_a_cluster_until_one_of_them_is_gone() {
    let kinds = match redis_tool_or_skip("two_nodes_of_one_name", "redis-server") {
        Some(_) => vec![[Ours, Redis, Ours], [Redis, Ours, Redis]],
        None => vec![[Ours; 3]],
    };
    for kinds in kinds {
        let mut cluster = Cluster::masters(&kinds, &["--cluster-node-timeout", "3000"]);
        let (id, place) = (cluster.id(0), cluster.servers[0].story());
        let address = place[&id].split(' ').next().unwrap_or_default().to_string();
        let file = std::fs::read(cluster.servers[0].dir().join("nodes.conf")).expect("its file");
        let mut copy = Server::start_member(kinds[0], &["--cluster-node-timeout", "3000"]);
        copy.restart_with_file("nodes.conf", &file);
        assert_eq!(copy.member_id(), id);
        let moved = format!("127.0.0.1:{}@{}", copy.port(), copy.bus_port());
        for server in &cluster.servers[1..] {
            wait::until("the name to be elsewhere", || server.story()[&id].starts_with(&moved));
        }
        // All of them still answer, the two included.
        for server in cluster.servers.iter().chain([&copy]) {
            assert_eq!(server.text("PING"), "PONG");
        }
        copy.kill();
        for server in &cluster.servers {
            wait::until("the name to be where it was", || server.story()[&id].starts_with(&address));
        }
        cluster.wait_until_up();
        for server in &mut cluster.servers {
            assert!(server.is_alive());
        }
    }
}

/// Two nodes that meet at once, twice, are one cluster of two.
#[test]
fn meetings_that_cross_each_other_end_well() {
    let pairs = match redis_tool_or_skip("meetings_that_cross_each_other_end_well", "redis-server") {
        Some(_) => vec![[Ours, Ours], [Ours, Redis]],
        None => vec![[Ours, Ours]],
    };
    for kinds in pairs {
        let [one, other] = kinds.map(|kind| Server::start_member(kind, &[]));
        for _ in 0..2 {
            one.meet(&other);
            other.meet(&one);
        }
        wait::until("two of them", || {
            [&one, &other].iter().all(|server| {
                let story = server.story();
                story.len() == 2
                    && story.values().all(|told| told.ends_with(" connected") && told.contains(" master - "))
            })
        });
    }
}

/// A member that was forgotten does not come back by itself, whatever it says.
#[test]
fn who_was_forgotten_is_a_stranger() {
    for kind in both("who_was_forgotten_is_a_stranger") {
        let node = Server::start_member(kind, &[]);
        let name = "ffffffffffffffffffffffffffffffffffffffff";
        let mut peer = FakePeer::member(&node, name.parse().expect("an id"));
        assert_eq!(node.story().len(), 2);
        node.ok(&format!("CLUSTER FORGET {name}"));
        assert_eq!(node.story().len(), 1);
        // Its connections are gone; a new one takes it nowhere.
        wait::until("an answer on a new connection", || peer.settle());
        assert_eq!(node.story().len(), 1, "{:?}", node.story());
        peer.end();
    }
}

/// It is in slot 5.
const KEY_OF_SLOT_5: &str = "key:720";

/// Who has which slots, in the eyes of one node, who has the greater epoch, and what is in a key of the disputed slot.
fn outcome(server: &Server, ids: &[String; 2]) -> String {
    let nodes = nodes(server);
    let found = |id: &String| nodes.iter().find(|node| node.id == *id);
    let [Some(first), Some(second)] = [&ids[0], &ids[1]].map(found) else { return "strangers".into() };
    let epochs = match first.epoch.cmp(&second.epoch) {
        _ if second.master.is_some() || first.master.is_some() => "",
        Ordering::Less => ", the second's is newer",
        Ordering::Equal => ", equal",
        Ordering::Greater => ", the first's is newer",
    };
    let told = |node: &NodeLine| match &node.master {
        Some(_) => "replica".to_string(),
        None => node.slots.join(" "),
    };
    format!("{} | {}{epochs}", told(first), told(second))
}

/// Of the node with the smaller name and of the other: epochs that were set before, and slots; then the end in both nodes'
/// eyes, and what each of them holds.
type Case = ([u64; 2], [&'static str; 2], &'static str, [&'static str; 2]);

/// Two nodes were given the same slot before they met. The greater epoch has it; if both have none, the node with the
/// smaller name takes a new one. The other one gives the slot up, with its keys; who has nothing else left follows.
#[test]
fn one_slot_given_to_two_nodes_is_one_nodes_in_the_end() {
    let pairs = match redis_tool_or_skip("one_slot_given_to_two_nodes", "redis-server") {
        Some(_) => vec![[Ours, Ours], [Redis, Redis], [Ours, Redis], [Redis, Ours]],
        None => vec![[Ours, Ours]],
    };
    let cases: [Case; 4] = [
        ([0, 0], ["5 7", "5 9"], "5 7 | 9, the first's is newer", ["first", ""]),
        ([1, 2], ["5 7", "5 9"], "7 | 5 9, the second's is newer", ["", "second"]),
        ([2, 1], ["5 7", "5 9"], "5 7 | 9, the first's is newer", ["first", ""]),
        ([1, 2], ["5", "5 9"], "replica | 5 9", ["second", "second"]),
    ];
    topology::together(pairs, |kinds| {
        for (epochs, slots, wanted, values) in &cases {
            let flags = ["--cluster-node-timeout", "5000", "--cluster-require-full-coverage", "no"];
            let mut servers = kinds.map(|kind| Server::start_member(kind, &flags));
            // The first has the smaller name, so they are drawn until that is so.
            let in_order = || {
                servers.iter().for_each(|server| server.ok("CLUSTER RESET HARD"));
                servers[0].member_id() < servers[1].member_id()
            };
            assert!((0..200).any(|_| in_order()), "two hundred times the greater name first");
            let ids = servers.each_ref().map(Server::member_id);
            for (index, name) in ["first", "second"].into_iter().enumerate() {
                let server = &servers[index];
                if epochs[index] > 0 {
                    server.ok(&format!("CLUSTER SET-CONFIG-EPOCH {}", epochs[index]));
                }
                server.ok(&format!("CLUSTER ADDSLOTS {}", slots[index]));
                wait::until("it to serve", || server.run(&format!("SET {KEY_OF_SLOT_5} {name}")) == ok());
            }
            servers[0].meet(&servers[1]);
            let case = format!("{kinds:?}, epochs {epochs:?}, slots {slots:?}");
            for server in &servers {
                let mut last = String::new();
                let settled = wait::find_within(wait::PATIENCE, || {
                    last = outcome(server, &ids);
                    (last == *wanted).then_some(())
                });
                assert!(settled.is_some(), "{case}: {last:?} in the eyes of {:?}", server.kind());
            }
            for (server, value) in servers.iter_mut().zip(values) {
                let mut client = server.client();
                client.run("READONLY");
                let held = || match value.is_empty() {
                    true => client.run("DBSIZE") == Frame::Integer(0),
                    false => {
                        client.run(&format!("GET {KEY_OF_SLOT_5}")) == Frame::Bulk(value.to_string().into())
                    }
                };
                wait::until(&format!("{case}: what {:?} holds to be {value:?}", server.kind()), held);
            }
        }
    });
}

fn ok() -> Frame {
    Frame::Simple("OK".into())
}
