//! One node of a cluster beside a real one: what it refuses, what it serves, how it says so.
//!
//! What has no counterpart is not compared: ids, the order of keys in a slot, `HELP`. `MIGRATE` inside a transaction is
//! refused by ours alone.

use std::time::Duration;

use core_types::Frame;
use system::compare::differences;
use system::{Kind, Server, both, free_port, redis_tool_or_skip, wait};

const PATIENCE: Duration = Duration::from_secs(30);

fn start(kind: Kind) -> Server {
    let bus_port = free_port().to_string();
    let flags = ["--cluster-enabled", "yes", "--cluster-node-timeout", "500", "--cluster-port", &bus_port];
    let server = Server::start(kind, &flags);
    server.wait_until_loaded();
    server
}

fn pair(test: &str) -> Option<(Server, Server)> {
    redis_tool_or_skip(test, "redis-server")?;
    Some((start(Kind::Ours), start(Kind::Redis)))
}

fn is_well(server: &Server) -> bool {
    let info = server.run("CLUSTER INFO");
    String::from_utf8_lossy(info.as_bytes().unwrap_or_default()).contains("cluster_state:ok")
}

#[test]
fn an_empty_node_says_what_redis_says() {
    let Some((ours, real)) = pair("an_empty_node_says_what_redis_says") else { return };
    let found = differences(ours.port(), real.port(), include_str!("../scripts/cluster_empty.txt"), PATIENCE);
    assert!(found.is_empty(), "{found}");
}

#[test]
fn a_node_with_all_slots_says_what_redis_says() {
    let Some((ours, real)) = pair("a_node_with_all_slots_says_what_redis_says") else { return };
    for server in [&ours, &real] {
        assert_eq!(server.run("CLUSTER ADDSLOTSRANGE 0 16383"), Frame::Simple("OK".into()));
        wait::until("the cluster is well", || is_well(server));
    }
    let script = include_str!("../scripts/cluster_serving.txt");
    let found = differences(ours.port(), real.port(), script, PATIENCE);
    assert!(found.is_empty(), "{found}");
}

#[test]
fn keys_travel_between_ours_and_redis_in_both_directions() {
    let Some((ours, real)) = pair("keys_travel_between_ours_and_redis_in_both_directions") else { return };
    for server in [&ours, &real] {
        server.run("CLUSTER ADDSLOTSRANGE 0 16383");
        wait::until("the cluster is well", || is_well(server));
    }
    for (from, to) in [(&ours, &real), (&real, &ours), (&ours, &real)] {
        if from.run("DBSIZE") == Frame::Integer(0) {
            from.run("SET {k}string value");
            from.run("RPUSH {k}list 1 2 3");
            from.run("HSET {k}hash field value");
            from.run("SADD {k}set 1 2 3");
            from.run("ZADD {k}zset 1.5 member");
        }
        let keys = ["{k}string", "{k}list", "{k}hash", "{k}set", "{k}zset"];
        let digest = |server: &Server| {
            [
                "GET {k}string",
                "LRANGE {k}list 0 -1",
                "HGETALL {k}hash",
                "SCARD {k}set",
                "ZRANGE {k}zset 0 -1 WITHSCORES",
            ]
            .map(|command| server.run(command))
        };
        let before = digest(from);
        let port = to.port_text();
        let head = ["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        let moved = from.client().call(&[&head[..], &keys].concat());
        assert_eq!(moved, Frame::Simple("OK".into()));
        assert_eq!(from.run("DBSIZE"), Frame::Integer(0));
        assert_eq!(digest(to), before);
    }
}

#[test]
fn a_nodes_file_of_redis_is_ours_and_the_other_way_round() {
    let Some((mut ours, mut real)) = pair("a_nodes_file_of_redis_is_ours_and_the_other_way_round") else {
        return;
    };
    for server in [&ours, &real] {
        server.run("CLUSTER ADDSLOTSRANGE 0 100 200 300 5000 5000");
        server.run("CLUSTER SET-CONFIG-EPOCH 7");
        server.run("CLUSTER SAVECONFIG");
    }
    let file = |server: &Server| server.dir().join("nodes.conf");
    let text = |server: &Server| std::fs::read_to_string(file(server)).expect("nodes.conf");
    // Ports are each server's own; everything else must be taken as it is.
    let tail = |text: &str| {
        let line = text.lines().find(|line| line.contains("myself")).expect("its own line").to_string();
        line.split(' ').skip(2).map(str::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(tail(&text(&ours)), tail(&text(&real)));
    ours.kill();
    real.kill();
    let (of_ours, of_real) = (text(&ours), text(&real));
    std::fs::write(file(&ours), &of_real).expect("a file");
    std::fs::write(file(&real), &of_ours).expect("a file");
    ours.restart();
    real.restart();
    for (server, written) in [(&ours, of_real), (&real, of_ours)] {
        let id =
            written.lines().find(|line| line.contains("myself")).expect("its own line")[..40].to_string();
        assert_eq!(server.run("CLUSTER MYID"), Frame::Bulk(id.into_bytes().into()));
        let nodes = server.run("CLUSTER NODES");
        let nodes = String::from_utf8_lossy(nodes.as_bytes().unwrap_or_default()).into_owned();
        assert!(nodes.contains("7 connected 0-100 200-300 5000"), "{nodes}");
    }
}

/// What was answered with OK outlives the process.
#[test]
fn slots_that_were_given_are_still_there_after_a_crash() {
    for kind in both("slots_that_were_given_are_still_there_after_a_crash") {
        let mut server = start(kind);
        for round in 0..4 {
            let mut client = server.client();
            let commands: Vec<Vec<Vec<u8>>> = (0..16)
                .map(|nth| {
                    vec![b"CLUSTER".to_vec(), b"ADDSLOTS".to_vec(), (round * 16 + nth).to_string().into()]
                })
                .collect();
            for reply in client.pipeline(&commands) {
                assert_eq!(reply, Frame::Simple("OK".to_owned()));
            }
            server.restart();
            let assigned = format!("cluster_slots_assigned:{}\r\n", (round + 1) * 16);
            let Frame::Bulk(info) = server.run("CLUSTER INFO") else { panic!("no info") };
            let info = String::from_utf8_lossy(&info).into_owned();
            assert!(info.contains(&assigned), "{kind:?}, round {round}:\n{info}");
        }
    }
}

/// The connections of the bus are nobody's clients.
#[test]
fn the_bus_is_not_among_the_clients() {
    for kind in both("the_bus_is_not_among_the_clients") {
        let servers = [start(kind), start(kind)];
        let meet = |port: u16, bus: &str| format!("CLUSTER MEET 127.0.0.1 {port} {bus}");
        let Frame::Array(config) = servers[1].run("CONFIG GET cluster-port") else { panic!("no port") };
        let bus = String::from_utf8_lossy(config[1].as_bytes().expect("a port")).into_owned();
        let bus = if bus == "0" { (servers[1].port() + 10_000).to_string() } else { bus };
        assert_eq!(servers[0].run(&meet(servers[1].port(), &bus)), Frame::Simple("OK".to_owned()));
        let mut client = servers[0].client();
        wait::until("links to the other", || match client.run("CLUSTER LINKS") {
            Frame::Array(links) => links.len() == 2,
            _ => false,
        });
        let Frame::Bulk(list) = client.run("CLIENT LIST") else { panic!("no list") };
        let list = String::from_utf8_lossy(&list).into_owned();
        assert_eq!(list.lines().count(), 1, "{kind:?}: {list}");
        assert_eq!(client.info("connected_clients"), "1", "{kind:?}");
    }
}
