//! Meetings that come to nothing, and a name that two have: as Redis takes them.

use std::io::Write;
use std::net::TcpListener;

use system::{Cluster, FakePeer, Kind, Server, both, free_port, redis_tool_or_skip, wait};

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
