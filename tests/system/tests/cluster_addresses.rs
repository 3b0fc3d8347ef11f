//! Where a node is, and what it is called: announced to the others, changed while it runs, changed by a restart; in
//! clusters of ours and of Redis.

use system::{Cluster, Kind, Server, both, free_port, redis_tool_or_skip, wait};

use Kind::{Ours, Redis};

/// What a server says of another's place: `ip:port@bus-port,name`.
fn place(server: &Server, of: &str) -> String {
    let story = server.story();
    story.get(of).and_then(|told| told.split(' ').next()).unwrap_or_default().to_string()
}

fn wait_for_place(cluster: &Cluster, of: &str, expected: &str) {
    wait::until(&format!("all to find {of} at {expected}"), || {
        cluster.servers.iter().all(|server| place(server, of) == expected)
    });
}

fn mixtures(test: &str) -> Vec<[Kind; 3]> {
    match redis_tool_or_skip(test, "redis-server") {
        Some(_) => vec![[Ours, Redis, Ours], [Redis, Ours, Redis]],
        None => vec![[Ours; 3]],
    }
}

/// The first node announces something else than what it is; all the others tell so, and clients are sent there.
#[test]
fn what_a_node_announces_is_told_by_all() {
    for kinds in mixtures("what_a_node_announces_is_told_by_all") {
        // Two addresses of this machine, so that the node can be reached at both.
        let cluster = Cluster::masters(&kinds, &["--bind", "127.0.0.1", "127.0.0.2"]);
        let (first, id) = (&cluster.servers[0], cluster.id(0));
        let (port, bus_port) = (first.port(), first.bus_port());
        let set = |name: &str, value: &str| {
            let answer = first.client().call(&["CONFIG", "SET", name, value]);
            assert_eq!(answer, core_types::Frame::Simple("OK".into()), "{name}");
        };
        set("cluster-announce-hostname", "one.example.org");
        wait_for_place(&cluster, &id, &format!("127.0.0.1:{port}@{bus_port},one.example.org"));
        for server in &cluster.servers[1..] {
            server.ok("CONFIG SET cluster-preferred-endpoint-type hostname");
            assert_eq!(
                server.run("GET {b}1"),
                core_types::Frame::Error(format!("MOVED 3300 one.example.org:{port}"))
            );
            server.ok("CONFIG SET cluster-preferred-endpoint-type unknown-endpoint");
            assert_eq!(server.run("GET {b}1"), core_types::Frame::Error(format!("MOVED 3300 :{port}")));
            server.ok("CONFIG SET cluster-preferred-endpoint-type ip");
        }
        set("cluster-announce-hostname", "");
        wait_for_place(&cluster, &id, &format!("127.0.0.1:{port}@{bus_port}"));

        set("cluster-announce-port", "7777");
        wait_for_place(&cluster, &id, &format!("127.0.0.1:7777@{bus_port}"));
        set("cluster-announce-port", "0");
        wait_for_place(&cluster, &id, &format!("127.0.0.1:{port}@{bus_port}"));

        set("cluster-announce-ip", "127.0.0.2");
        wait_for_place(&cluster, &id, &format!("127.0.0.2:{port}@{bus_port}"));
        assert_eq!(
            cluster.servers[1].run("GET {b}1"),
            core_types::Frame::Error(format!("MOVED 3300 127.0.0.2:{port}"))
        );
        wait::until("everybody to be well", || {
            cluster.servers.iter().all(|server| server.cluster_info("cluster_state").as_deref() == Some("ok"))
        });
        // Without an announced address it is where its packets come from.
        set("cluster-announce-ip", "");
        wait::until("its own address again", || {
            cluster.servers[1..]
                .iter()
                .all(|server| place(server, &id) == format!("127.0.0.1:{port}@{bus_port}"))
        });
    }
}

/// A node is started again elsewhere, with the same file: the others follow it, and so does its replica.
#[test]
fn a_node_that_moves_is_found_again() {
    for kinds in mixtures("a_node_that_moves_is_found_again") {
        let mut cluster =
            Cluster::with_replicas(&kinds, &[kinds[1]], &["--cluster-replica-no-failover", "yes"]);
        let id = cluster.id(0);
        cluster.servers[0].ok("SET {b}1 before");
        cluster.servers[3].wait_for_offset_of(&cluster.servers[0]);
        let (port, bus_port) = (free_port(), free_port());
        cluster.servers[0].restart_at(port, &["--cluster-port", &bus_port.to_string()]);
        assert_eq!(cluster.id(0), id);
        wait_for_place(&cluster, &id, &format!("127.0.0.1:{port}@{bus_port}"));
        cluster.wait_until_up();
        cluster.servers[0].ok("SET {b}2 after");
        cluster.servers[3].wait_for_offset_of(&cluster.servers[0]);
        assert_eq!(cluster.servers[3].info("master_port"), port.to_string());
    }
}

/// What a node says of itself at once, beside what a real one says.
#[test]
fn a_node_shows_what_it_announces_as_redis_does() {
    let stories: Vec<Vec<String>> = both("a_node_shows_what_it_announces_as_redis_does")
        .into_iter()
        .map(|kind| {
            let server = Server::start_member(kind, &[]);
            let (id, port, bus_port) = (server.member_id(), server.port(), server.bus_port());
            let settings = [
                ("cluster-announce-ip", "10.1.1.1"),
                ("cluster-announce-port", "7777"),
                ("cluster-announce-bus-port", "17777"),
                ("cluster-announce-hostname", "one.example.org"),
                ("cluster-announce-hostname", "not_a_name"),
                ("cluster-announce-hostname", "two.example.org"),
                ("cluster-replica-no-failover", "yes"),
                ("cluster-announce-tls-port", "5"),
                ("cluster-announce-ip", ""),
                ("cluster-announce-port", "0"),
                ("cluster-announce-bus-port", "0"),
                ("cluster-announce-hostname", ""),
                ("cluster-replica-no-failover", "no"),
                ("cluster-announce-port", "65536"),
                ("cluster-link-sendbuf-limit", "-1"),
                ("cluster-link-sendbuf-limit", "1mb"),
                ("cluster-node-timeout", "-1"),
                ("cluster-node-timeout", "100"),
            ];
            let tell = |(name, value): (&str, &str)| {
                let answer = server.client().call(&["CONFIG", "SET", name, value]);
                let line = server.text("CLUSTER NODES").replace(&id, "me");
                let line =
                    line.replace(&format!(":{port}@"), ":port@").replace(&format!("@{bus_port}"), "@bus");
                format!("{name} {value}: {answer:?} {line}")
            };
            settings.map(tell).into()
        })
        .collect();
    assert!(stories.iter().all(|told| *told == stories[0]), "{stories:#?}");
}

/// What `INFO` says of the bus.
#[test]
fn the_bus_is_in_info() {
    for kind in both("the_bus_is_in_info") {
        let cluster = Cluster::masters(&[kind; 3], &[]);
        let server = &cluster.servers[0];
        assert_eq!(server.info("cluster_connections"), "4", "one to each other, and one from it");
        let memory: u64 = server.info("mem_cluster_links").parse().expect("bytes");
        assert!(memory > 0, "buffers take memory");
        for field in ["cluster_stats_messages_ping_sent", "cluster_stats_messages_pong_received"] {
            assert!(server.cluster_info(field).is_some(), "{field}");
        }
        let total = |way: &str| -> u64 {
            let text = server.text("CLUSTER INFO");
            let ends = format!("_{way}:");
            let counts = text.lines().filter(|line| line.contains(&ends));
            let number = |line: &str| line.rsplit(':').next().and_then(|n| n.parse::<u64>().ok());
            let (sums, parts): (Vec<&str>, Vec<&str>) =
                counts.partition(|line| line.starts_with(&format!("cluster_stats_messages_{way}:")));
            let parts: u64 = parts.into_iter().filter_map(number).sum();
            assert_eq!(sums.into_iter().find_map(number), Some(parts), "{text}");
            parts
        };
        assert!(total("sent") > 0 && total("received") > 0);
        assert_eq!(server.cluster_info("total_cluster_links_buffer_limit_exceeded").as_deref(), Some("0"));
    }
}
