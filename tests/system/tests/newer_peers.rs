//! Servers newer than Redis 7.0 beside ours: Valkey.
//!
//! `valkey-server` is what the environment variable `HA_VALKEY_SERVER` names, or is on `PATH`. Without it these tests are
//! skipped, each by its name, also with `HA_REQUIRE_REDIS=1`: some systems that have a package of Redis have none of
//! Valkey. They were written with Valkey 9.1.2. More of them stand where the same is done with Redis (deaths and
//! handovers in a cluster, messages, sentinels, the graduation); all have Valkey in their names:
//!
//! ```console
//! $ HA_VALKEY_SERVER=/path/of/valkey-server cargo test -p system valkey
//! ```
//!
//! # What Valkey does not do with servers of Redis 7.0's level
//!
//! - A replica that does not tell its version (`REPLCONF version`) gets an RDB file of version 11, whatever Valkey writes
//!   to its own disk. Ours reads that one.
//! - `DUMP`, and so `MIGRATE`, makes payloads of version 80 since Valkey 9. Redis 7.0 refuses them, and so do ours: keys move
//!   to Valkey, slot by slot, and not back. A slot without keys moves both ways.
//! - `CLUSTER MIGRATESLOTS` moves slots between nodes that both know it.
//! - A packet of the bus with a light header goes to those who say that they understand it. Ours do not.

use core_types::Frame;
use system::cluster::nodes;
use system::{Cluster, Kind, Server, data, valkey_or_skip, wait};

use Kind::{Ours, Valkey};

fn replica(kind: Kind, master: &Server, flags: &[&str]) -> Server {
    let port = master.port_text();
    Server::start(kind, &[&["--replicaof", "127.0.0.1", &port], flags].concat())
}

/// A replica takes a snapshot while more is written, goes on where it was after its link has broken, and is counted by
/// `WAIT`.
fn follows(master: Kind, master_flags: &[&str], follower: Kind, follower_flags: &[&str]) {
    let master = Server::start(master, master_flags);
    data::write(&mut master.client(), 1, 4000);
    let replica = std::thread::scope(|scope| {
        let writer = scope.spawn(|| data::write(&mut master.client(), 2, 4000));
        let replica = replica(follower, &master, follower_flags);
        replica.wait_for_link();
        writer.join().expect("the writer ends");
        replica
    });
    assert_eq!(master.run("CLIENT KILL TYPE replica"), Frame::Integer(1));
    data::write(&mut master.client(), 3, 400);
    wait::until("a second attempt", || master.info("sync_partial_ok") == "1");
    replica.wait_for_offset_of(&master);
    assert_eq!(master.info("sync_full"), "1");
    let mut client = master.client();
    client.run("SET k v");
    assert_eq!(client.run("WAIT 1 60000"), Frame::Integer(1));
    let contents = data::read(&master);
    assert!(contents.len() > 7000, "{} keys", contents.len());
    data::assert_equal(&contents, &data::read(&replica));
}

#[test]
fn ours_follows_valkey() {
    if valkey_or_skip("ours_follows_valkey").is_some() {
        for diskless in ["yes", "no"] {
            follows(Valkey, &["--repl-diskless-sync", diskless], Ours, &[]);
        }
    }
}

/// A replica that keeps an append-only file tells, since Redis 7.2, in the same `REPLCONF ACK` how much of it is on the disk.
#[test]
fn valkey_follows_ours() {
    if valkey_or_skip("valkey_follows_ours").is_some() {
        for (diskless, aof) in [("yes", "yes"), ("no", "no")] {
            follows(Ours, &["--repl-diskless-sync", diskless], Valkey, &["--appendonly", aof]);
        }
    }
}

#[test]
fn ours_and_valkey_hand_a_masters_place_to_each_other() {
    if valkey_or_skip("ours_and_valkey_hand_a_masters_place_to_each_other").is_none() {
        return;
    }
    let ours = Server::start(Ours, &[]);
    let valkey = replica(Valkey, &ours, &[]);
    valkey.wait_for_link();
    for (number, (from, to)) in [(&ours, &valkey), (&valkey, &ours), (&ours, &valkey)].into_iter().enumerate()
    {
        from.run(&format!("SET k {number}"));
        from.ok(&format!("FAILOVER TO 127.0.0.1 {} TIMEOUT 20000", to.port()));
        wait::until("the handover", || to.info("role") == "master");
        from.wait_for_offset_of(to);
        assert_eq!(to.text("GET k"), number.to_string());
    }
    assert_eq!((ours.info("sync_full"), valkey.info("sync_full")), ("1".into(), "0".into()));
}

/// The value behind a name, in a list of names and values.
fn value<'a>(list: &'a Frame, name: &str) -> &'a Frame {
    let Frame::Array(parts) = list else { panic!("no list: {list:?}") };
    let found = parts.chunks(2).find(|pair| pair[0].as_bytes() == Some(name.as_bytes()));
    &found.unwrap_or_else(|| panic!("no {name}: {list:?}"))[1]
}

fn elements(list: &Frame) -> &[Frame] {
    match list {
        Frame::Array(elements) => elements,
        other => panic!("no list: {other:?}"),
    }
}

/// `CLUSTER SHARDS` in an order of its own: each shard's slots, and of each node id, port, role and health.
fn shards(server: &Server) -> Vec<String> {
    let answer = server.run("CLUSTER SHARDS");
    let shard = |shard: &Frame| {
        let member = |node: &Frame| {
            let told =
                ["id", "port", "ip", "endpoint", "role", "health"].map(|name| value(node, name).clone());
            format!("{told:?}")
        };
        let mut members: Vec<String> = elements(value(shard, "nodes")).iter().map(member).collect();
        members.sort();
        format!("{:?} {members:?}", value(shard, "slots"))
    };
    let mut shards: Vec<String> = elements(&answer).iter().map(shard).collect();
    shards.sort();
    shards
}

/// `CLUSTER LINKS`: to whom and from whom.
fn links(server: &Server) -> Vec<String> {
    let answer = server.run("CLUSTER LINKS");
    let link = |link: &Frame| format!("{:?} {:?}", value(link, "direction"), value(link, "node"));
    let mut links: Vec<String> = elements(&answer).iter().map(link).collect();
    links.sort();
    links
}

fn mixed() -> Cluster {
    Cluster::with_replicas(&[Ours, Valkey, Ours], &[Valkey, Ours, Valkey], &[])
}

#[test]
fn a_cluster_of_ours_and_valkey_tells_one_story() {
    if valkey_or_skip("a_cluster_of_ours_and_valkey_tells_one_story").is_none() {
        return;
    }
    let cluster = mixed();
    wait::until("all to tell the same of all", || {
        let told: Vec<_> = cluster.servers.iter().map(nodes).collect();
        told[0].len() == 6 && told.iter().all(|all| *all == told[0] && all.iter().all(|node| node.connected))
    });
    wait::until("the same shards", || {
        let told: Vec<_> = cluster.servers.iter().map(shards).collect();
        told[0].len() == 3 && told.iter().all(|all| *all == told[0])
    });
    for server in &cluster.servers {
        wait::until("a connection to each and from each", || links(server).len() == 10);
        let mut distinct = links(server);
        distinct.dedup();
        assert_eq!(distinct.len(), 10, "{:?} {distinct:#?}", server.kind());
    }
}

/// Only who says that it understands extensions hears any: a name of Valkey's reaches ours although ours have none.
#[test]
fn names_are_told_between_ours_and_valkey() {
    if valkey_or_skip("names_are_told_between_ours_and_valkey").is_none() {
        return;
    }
    let cluster = mixed();
    for (index, name) in [(1, "valkey.example.org"), (0, "ours.example.org")] {
        let id = cluster.id(index);
        let named = |server: &Server, name: &str| {
            let story = server.story();
            let place = story[&id].split(' ').next().map(str::to_owned);
            place.is_some_and(
                |place| if name.is_empty() { !place.contains(',') } else { place.ends_with(name) },
            )
        };
        for name in [name, ""] {
            let answer =
                cluster.servers[index].client().call(&["CONFIG", "SET", "cluster-announce-hostname", name]);
            assert_eq!(answer, Frame::Simple("OK".into()));
            wait::until("all to know the name", || cluster.servers.iter().all(|server| named(server, name)));
        }
    }
}

/// Valkey's nodes tell one another whom they were made to forget. Ours hear it, and an operator that says it to all nodes
/// is not told that the node is unknown.
#[test]
fn what_valkey_forgets_is_forgotten_by_ours() {
    if valkey_or_skip("what_valkey_forgets_is_forgotten_by_ours").is_none() {
        return;
    }
    let mut cluster = mixed();
    let gone = Server::start_member(Ours, &[]);
    cluster.servers[0].meet(&gone);
    cluster.servers.push(gone);
    cluster.wait_until_up();
    let gone = cluster.servers.pop().expect("it was pushed");
    let id = gone.member_id();
    cluster.servers[1].ok(&format!("CLUSTER FORGET {id}"));
    wait::until("all to have forgotten it", || {
        cluster.servers.iter().all(|server| !server.story().contains_key(&id))
    });
    for server in &cluster.servers {
        server.ok(&format!("CLUSTER FORGET {id}"));
    }
    // Nobody is talked into adding it again, although it goes on to call.
    let heard = || -> u64 {
        let count = cluster.servers[0].cluster_info("cluster_stats_messages_ping_received");
        count.and_then(|count| count.parse().ok()).unwrap_or_default()
    };
    let before = heard();
    wait::until("more heartbeats", || heard() > before + 20);
    assert!(cluster.servers.iter().all(|server| !server.story().contains_key(&id)));
    // But who never was a member is unknown.
    let unknown = cluster.servers[0].run(&format!("CLUSTER FORGET {}", "0".repeat(40)));
    assert_eq!(unknown, Frame::Error(format!("ERR Unknown node {}", "0".repeat(40))));
}

/// Our master is not forgotten because somebody else has done so: an operator could not have us do that either.
#[test]
fn a_replica_of_ours_keeps_its_master_though_valkey_forgets_it() {
    if valkey_or_skip("a_replica_of_ours_keeps_its_master_though_valkey_forgets_it").is_none() {
        return;
    }
    // Server 4 is ours, and follows server 1, which is Valkey's; server 2 is ours.
    let cluster = mixed();
    let master = cluster.id(1);
    cluster.servers[3].ok(&format!("CLUSTER FORGET {master}"));
    wait::until("another one to have forgotten it", || !cluster.servers[2].story().contains_key(&master));
    assert!(cluster.servers[4].story().contains_key(&master));
    assert_eq!(cluster.servers[4].info("master_port"), cluster.servers[1].port_text());
}

#[test]
fn slots_move_from_ours_to_valkey_with_their_keys() {
    if valkey_or_skip("slots_move_from_ours_to_valkey_with_their_keys").is_none() {
        return;
    }
    let cluster = Cluster::masters(&[Ours, Valkey, Ours], &[]);
    // All of one slot, which is the first that moves: ours has slots from 0 on.
    let names: Vec<String> = (0..200).map(|number| format!("{{06S}}{number}")).collect();
    assert_eq!(cluster.servers[0].run("CLUSTER KEYSLOT {06S}"), Frame::Integer(0));
    let mut client = cluster.servers[0].client();
    for (number, name) in names.iter().enumerate() {
        let line = match number % 5 {
            0 => format!("SET {name} v{number}"),
            1 => format!("HSET {name} a v{number} b w"),
            2 => format!("RPUSH {name} a v{number} a"),
            3 => format!("SADD {name} a v{number} 17"),
            _ => format!("ZADD {name} 1 a 2.5 v{number}"),
        };
        assert!(!matches!(client.run(&line), Frame::Error(_)), "{line}");
    }
    let read = |index: usize| -> Vec<String> {
        let mut client = cluster.servers[index].client();
        let look = |(number, name): (usize, &String)| {
            let line = match number % 5 {
                0 => format!("GET {name}"),
                1 => format!("HGET {name} a"),
                2 => format!("LRANGE {name} 0 -1"),
                3 => format!("SMISMEMBER {name} a v{number} 17"),
                _ => format!("ZRANGE {name} 0 -1 WITHSCORES"),
            };
            format!("{:?}", client.run(&line))
        };
        names.iter().enumerate().map(look).collect()
    };
    let before = read(0);
    cluster.reshard(0, 1, 20);
    assert_eq!((cluster.size(0), cluster.size(1)), (0, 200));
    assert_eq!(read(1), before);

    // Keys do not come back: they stay where they are, and the slot does.
    let migrate = |slot: u16| {
        let moving = [(0, 1, "IMPORTING"), (1, 0, "MIGRATING")];
        for (index, other, word) in moving {
            cluster.servers[index].ok(&format!("CLUSTER SETSLOT {slot} {word} {}", cluster.id(other)));
        }
    };
    migrate(0);
    let keys = format!("MIGRATE 127.0.0.1 {} {} 0 20000", cluster.servers[0].port(), names[0]);
    let text = "ERR Target instance replied with error: ERR DUMP payload version or checksum are wrong";
    assert_eq!(cluster.servers[1].run(&keys), Frame::Error(text.into()));
    for index in [0, 1] {
        cluster.servers[index].ok("CLUSTER SETSLOT 0 STABLE");
    }
    assert_eq!((cluster.size(0), cluster.size(1)), (0, 200));
    assert_eq!(read(1), before);

    // A slot without keys does.
    migrate(6000);
    for index in [0, 1] {
        cluster.servers[index].ok(&format!("CLUSTER SETSLOT 6000 NODE {}", cluster.id(0)));
    }
    let id = cluster.id(0);
    let has_it = |server: &Server| {
        nodes(server).iter().any(|node| node.id == id && node.slots.iter().any(|range| range == "6000"))
    };
    wait::until("all to know the slot's owner", || cluster.servers.iter().all(has_it));
}
