//! Nodes of ours and of Redis in one cluster, on real sockets: they meet, tell the same of one another, and follow each
//! other's data; and what is no packet, or comes from a stranger, is taken as Redis takes it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use bus::{Bitmap, Gossip, Header, encode, node_flag};
use bytes::BytesMut;
use core_types::{Epoch, NodeId, Offset, Rng};
use system::peer::NO_SLOTS;
use system::{Cluster, FakePeer, Kind, Server, both, bounded, free_port, redis_tool_or_skip, wait};

use Kind::{Ours, Redis};

/// Waits until all tell the same of so many members, all connected and well, and whatever `also` wants.
fn agree(members: &[Server], also: impl Fn(&BTreeMap<String, String>) -> bool) -> BTreeMap<String, String> {
    wait::find("all to tell the same", || {
        let stories: Vec<_> = members.iter().map(Server::story).collect();
        let well = |told: &String| {
            told.ends_with("connected") && !told.contains("disconnected") || told.contains(" connected ")
        };
        let fine = |told: &String| well(told) && !told.contains("fail") && !told.contains("handshake");
        let settled = stories[0].len() == members.len() && stories[0].values().all(fine);
        (settled && stories.iter().all(|story| *story == stories[0]) && also(&stories[0]))
            .then(|| stories[0].clone())
    })
}

/// Six nodes: the first three become masters, each other one a replica of the master beside it.
fn life_of_a_cluster(kinds: [Kind; 6]) {
    let cluster = Cluster { servers: kinds.map(|kind| Server::start_member(kind, &[])).into() };
    let members = &cluster.servers;
    for other in &members[1..] {
        members[0].meet(other);
    }
    // Everybody finds everybody, and no two masters keep one epoch.
    agree(members, |story| {
        let epochs = story.values().filter_map(|told| told.split(' ').nth(3));
        epochs.collect::<BTreeSet<_>>().len() == members.len()
    });
    for (index, range) in ["0 5460", "5461 10922", "10923 16383"].into_iter().enumerate() {
        members[index].ok(&format!("CLUSTER ADDSLOTSRANGE {range}"));
    }
    let ids: Vec<String> = members.iter().map(Server::member_id).collect();
    agree(members, |story| (0..3).all(|index| story[&ids[index]].contains(" connected ")));
    for index in 3..6 {
        members[index].ok(&format!("CLUSTER REPLICATE {}", ids[(index + 1) % 3]));
    }
    let story = agree(members, |story| {
        (3..6).all(|index| story[&ids[index]].contains(&format!(" slave {} ", ids[(index + 1) % 3])))
    });
    for (index, member) in members.iter().enumerate() {
        let address = format!("127.0.0.1:{}@{} ", member.port(), member.bus_port());
        assert!(story[&ids[index]].starts_with(&address), "{story:#?}");
        wait::until("the cluster to be well", || {
            member.cluster_info("cluster_state").as_deref() == Some("ok")
        });
    }

    // Whatever is written at the masters arrives at their replicas.
    for number in 0..300 {
        let key = format!("key:{number}");
        let slot = solution_6::key_slot(key.as_bytes()).number();
        let owner = if slot <= 5460 { 0 } else { usize::from(slot > 10922) + 1 };
        members[owner].ok(&format!("SET {key} {number}"));
    }
    for index in 3..6 {
        let master = &members[(index + 1) % 3];
        wait::until("a replica's data", || members[index].run("DBSIZE") == master.run("DBSIZE"));
    }

    if redis_tool_or_skip("life_of_a_cluster", "redis-cli").is_some() {
        for member in [&members[0], &members[5]] {
            let at = format!("127.0.0.1:{}", member.port());
            let check = bounded::output(Command::new("redis-cli").args(["--cluster", "check", &at]));
            let said = String::from_utf8_lossy(&check.stdout).into_owned();
            assert!(check.status.success() && said.contains("All 16384 slots covered"), "{said}");
            assert!(said.contains("All nodes agree about slots configuration"), "{said}");
        }
    }
}

#[test]
fn six_of_ours_become_a_cluster() {
    life_of_a_cluster([Ours; 6]);
}

#[test]
fn masters_of_ours_and_replicas_of_redis_and_the_other_way_round() {
    if redis_tool_or_skip("masters_of_ours_and_replicas_of_redis", "redis-server").is_some() {
        life_of_a_cluster([Ours, Ours, Ours, Redis, Redis, Redis]);
        life_of_a_cluster([Redis, Redis, Redis, Ours, Ours, Ours]);
    }
}

#[test]
fn ours_and_redis_in_turn() {
    if redis_tool_or_skip("ours_and_redis_in_turn", "redis-server").is_some() {
        life_of_a_cluster([Ours, Redis, Ours, Redis, Ours, Redis]);
        life_of_a_cluster([Redis, Ours, Redis, Ours, Redis, Ours]);
    }
}

/// Somebody whom no node knows.
fn stranger(slots: &Bitmap) -> Header<'_> {
    Header {
        sender: NodeId::random(&mut Rng::new(1)),
        current_epoch: Epoch(77),
        config_epoch: Epoch(77),
        offset: Offset(0),
        slots,
        master: None,
        ip: "",
        port: 1,
        plain_port: 0,
        bus_port: 1,
        flags: node_flag::MASTER,
        down: false,
        message_flags: 0,
    }
}

fn rumour<'a>(id: NodeId) -> Gossip<'a> {
    let flags = node_flag::MASTER;
    Gossip { id, ping_sent: 0, pong_received: 9, ip: "127.0.0.1", port: 2, bus_port: 2, flags, plain_port: 0 }
}

/// What bytes do to a node: does it go on listening, and what does it count?
fn effect(member: &Server, bytes: &[u8]) -> (bool, BTreeMap<String, i64>) {
    let counts = || -> BTreeMap<String, i64> {
        let info = member.text("CLUSTER INFO");
        let lines = info.lines().filter_map(|line| line.split_once(':'));
        let counts = lines.filter(|(name, _)| name.ends_with("_received"));
        counts.map(|(name, count)| (name.to_string(), count.parse().expect("a number"))).collect()
    };
    let before = counts();
    let mut peer = FakePeer::stranger(member, stranger(&NO_SLOTS).sender);
    peer.say(bytes);
    let answered = peer.settle();
    peer.end();
    let change = counts().into_iter().map(|(name, count)| {
        let change = count - before.get(&name).unwrap_or(&0);
        (name, change)
    });
    (answered, change.filter(|(_, change)| *change != 0).collect())
}

#[test]
fn bad_packets_and_strangers_are_taken_as_redis_takes_them() {
    let slots = [0xff; 2048];
    let header = stranger(&slots);
    let id = NodeId::random(&mut Rng::new(2));
    let build = |make: &dyn Fn(&mut BytesMut)| {
        let mut out = BytesMut::new();
        make(&mut out);
        out.to_vec()
    };
    let spoiled = |make: &dyn Fn(&mut BytesMut), changes: &[(usize, u8)]| {
        let mut bytes = build(make);
        changes.iter().for_each(|(at, byte)| bytes[*at] = *byte);
        bytes
    };
    let ping = |out: &mut BytesMut| encode::beat(out, bus::Kind::Ping, &header, [], &[]);
    let news = |out: &mut BytesMut| encode::beat(out, bus::Kind::Ping, &header, [rumour(id)], &[]);
    let hostname = |out: &mut BytesMut| {
        encode::beat(out, bus::Kind::Ping, &header, [], &[bus::Extension::Hostname("example.org")]);
    };
    let fail = |out: &mut BytesMut| encode::fail(out, &header, id);
    let update = |out: &mut BytesMut| encode::update(out, &header, Epoch(99), id, &slots);
    let publish = |out: &mut BytesMut| {
        assert!(encode::publish(out, bus::Kind::Publish, &header, b"news", b"hello"));
    };
    let vote = |out: &mut BytesMut| encode::plain(out, bus::Kind::AuthRequest, &header);
    let start_failover = |out: &mut BytesMut| encode::plain(out, bus::Kind::FailoverStart, &header);
    let body = bus::HEADER_LEN;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("a client's command", b"PING\r\n*1\r\n$4\r\nPING\r\n".to_vec()),
        ("a length of nothing", spoiled(&ping, &[(6, 0), (7, 0)])),
        ("a length below that of a header", spoiled(&ping, &[(7, 0xcf)])),
        ("another version", spoiled(&ping, &[(9, 2)])),
        ("an unknown kind", spoiled(&ping, &[(12, 1), (13, 77)])),
        ("a packet of modules", spoiled(&ping, &[(13, 9)])),
        ("a count of what is not there", spoiled(&ping, &[(15, 5)])),
        ("a count of less than is there", spoiled(&news, &[(15, 0)])),
        ("the greatest count", spoiled(&news, &[(14, 255), (15, 255)])),
        ("extensions that nobody announces", spoiled(&hostname, &[(2253, 0)])),
        ("more extensions than there are", spoiled(&hostname, &[(2215, 9)])),
        ("an extension of seven bytes", spoiled(&hostname, &[(body + 3, 7)])),
        ("an extension that is too long", spoiled(&hostname, &[(body + 2, 200)])),
        ("an extension of another kind", spoiled(&hostname, &[(body + 5, 200)])),
        ("a FAIL that is too short", spoiled(&ping, &[(13, 3)])),
        ("a FAIL", build(&fail)),
        ("an UPDATE", build(&update)),
        ("an UPDATE that is a FAIL", spoiled(&fail, &[(13, 7)])),
        ("a message", build(&publish)),
        ("a message whose length is wrong", spoiled(&publish, &[(body + 7, 6)])),
        ("a message of four gigabytes", spoiled(&publish, &[(body + 4, 255)])),
        ("a request for a vote", build(&vote)),
        ("a request for a vote with a tail", spoiled(&fail, &[(13, 5)])),
        ("a request to stand still", build(&start_failover)),
        ("news of somebody", build(&news)),
        ("two good pings", [build(&ping), build(&ping)].concat()),
    ];
    let kinds = both("bad_packets_and_strangers_are_taken_as_redis_takes_them");
    let members: Vec<Server> = kinds.into_iter().map(|kind| Server::start_member(kind, &[])).collect();
    for (what, bytes) in &cases {
        let effects: Vec<_> = members.iter().map(|member| effect(member, bytes)).collect();
        println!("{what}: {:?}", effects[0]);
        assert!(effects.iter().all(|effect| *effect == effects[0]), "{what}: {effects:?}");
        for member in &members {
            let story = member.story();
            assert_eq!(story.len(), 1, "{what} made somebody a member: {story:?}");
            assert!(
                story.values().all(|told| told.contains(" master - ") && told.ends_with("connected")),
                "{story:?}"
            );
            assert_eq!(member.cluster_info("cluster_current_epoch").as_deref(), Some("0"), "{what}");
        }
    }
}

#[test]
fn two_nodes_never_share_one_file() {
    for kind in both("two_nodes_never_share_one_file") {
        let mut first = Server::start_member(kind, &[]);
        let (port, bus_port) = (free_port().to_string(), free_port().to_string());
        let path = first.dir().to_string_lossy().into_owned();
        let said = ended(kind, &["--port", &port, "--cluster-port", &bus_port, "--dir", &path]);
        assert!(said.contains("nodes.conf is already used by a different Redis Cluster node"), "{said}");
        // The first one does not care, and has the file to itself again after a restart.
        let id = first.member_id();
        first.restart();
        assert_eq!(first.member_id(), id);
    }
}

/// Starts a node of a cluster that ends by itself at once; what it says.
fn ended(kind: Kind, flags: &[&str]) -> String {
    let usual = ["--bind", "127.0.0.1", "--cluster-enabled", "yes", "--save", ""];
    let ended = bounded::output(Command::new(kind.program()).args(usual).args(flags));
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    said
}

#[test]
fn a_port_that_is_taken_ends_the_start_as_with_redis() {
    for kind in both("a_port_that_is_taken_ends_the_start_as_with_redis") {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let bus_port = taken.local_addr().expect("its address").port().to_string();
        let dir = tempfile::tempdir().expect("a directory");
        let (port, path) = (free_port().to_string(), dir.path().to_string_lossy().into_owned());
        let flags = ["--bind", "127.0.0.1", "--cluster-enabled", "yes", "--save", "", "--dir", &path];
        let args = ["--port", &port, "--cluster-port", &bus_port];
        let ended = bounded::output(Command::new(kind.program()).args(args).args(flags));
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(
            said.contains(&format!("Failed listening on port {bus_port} (cluster), aborting.")),
            "{said}"
        );
    }
}
