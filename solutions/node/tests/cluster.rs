//! Nodes of a cluster, without sockets: what they keep, where they send clients, what becomes of those who wait.

mod common;

use common::Pair;

/// A node that has all slots, and serves.
fn alone(port: u16) -> Pair {
    let mut pair = Pair::new();
    pair.start_in_cluster(port, |_| {});
    assert_eq!(pair.run(port, "CLUSTER ADDSLOTSRANGE 0 16383"), "+OK\r\n");
    pair.pass(3_500);
    assert!(pair.run(port, "CLUSTER INFO").contains("cluster_state:ok"));
    pair
}

/// Two nodes that know each other: the first has the lower half of the slots, the second the upper half.
fn two() -> Pair {
    let mut pair = Pair::new();
    for (port, slots) in [(7000, "0 8191"), (7001, "8192 16383")] {
        pair.start_in_cluster(port, |_| {});
        assert_eq!(pair.run(port, &format!("CLUSTER ADDSLOTSRANGE {slots}")), "+OK\r\n");
        assert_eq!(pair.run(port, &format!("CLUSTER SET-CONFIG-EPOCH {}", port - 6999)), "+OK\r\n");
    }
    assert_eq!(pair.run(7000, "CLUSTER MEET 127.0.0.1 7001"), "+OK\r\n");
    pair.pass(6_000);
    for port in [7000, 7001] {
        let info = pair.run(port, "CLUSTER INFO");
        assert!(info.contains("cluster_state:ok") && info.contains("cluster_slots_assigned:16384"), "{info}");
    }
    pair
}

fn id(pair: &mut Pair, port: u16) -> String {
    pair.run(port, "CLUSTER MYID").lines().nth(1).expect("an id").to_string()
}

/// `nodes.conf`, without the times in it.
fn saved(pair: &Pair, port: u16) -> String {
    let bytes = pair.files.get(&(port, "nodes.conf".to_string())).expect("it was written");
    String::from_utf8(bytes.clone()).expect("text")
}

// foo is in slot 12182, bar in 5061.

#[test]
fn a_restart_keeps_the_name_the_epochs_and_the_slots() {
    let mut pair = two();
    let (me, other) = (id(&mut pair, 7000), id(&mut pair, 7001));
    assert_eq!(pair.run(7000, &format!("CLUSTER SETSLOT 5061 MIGRATING {other}")), "+OK\r\n");
    assert_eq!(pair.run(7000, &format!("CLUSTER SETSLOT 9000 IMPORTING {other}")), "+OK\r\n");
    let before = pair.run(7000, "CLUSTER NODES");
    pair.kill(7000);
    pair.start_in_cluster(7000, |_| {});
    assert_eq!(id(&mut pair, 7000), me);
    let after = pair.run(7000, "CLUSTER NODES");
    let own = |text: &str| {
        let line = text.lines().find(|line| line.contains("myself")).expect("our own line").to_string();
        line.split(' ').filter(|word| word.len() != 13 && *word != "0").collect::<Vec<_>>().join(" ")
    };
    assert_eq!(own(&before), own(&after));
    assert!(own(&after).contains(&format!("[5061->-{other}] [9000-<-{other}]")), "{after}");
    assert!(saved(&pair, 7000).contains("vars currentEpoch 2 lastVoteEpoch 0"), "{}", saved(&pair, 7000));
    pair.pass(6_000);
    assert!(pair.run(7000, "CLUSTER INFO").contains("cluster_state:ok"));
}

#[test]
fn a_torn_or_foreign_nodes_file_ends_the_process() {
    for bad in ["hello\n", "vars currentEpoch 1 lastVoteEpoch 0\n", "\"\n"] {
        let mut pair = Pair::new();
        pair.files.insert((7000, "nodes.conf".into()), bad.into());
        pair.start_in_cluster(7000, |_| {});
        assert_eq!(pair.exits, [7000], "{bad:?}");
        assert!(pair.log.iter().any(|line| line.contains("corrupted cluster config file")), "{:?}", pair.log);
    }
    let mut pair = Pair::new();
    pair.files.insert((7000, "nodes.conf".into()), Vec::new());
    pair.start_in_cluster(7000, |_| {});
    assert!(
        pair.exits.is_empty() && saved(&pair, 7000).contains("myself,master"),
        "an empty file is a new node"
    );
}

#[test]
fn commands_are_served_where_their_slot_is() {
    let mut pair = two();
    assert_eq!(pair.run(7000, "SET bar 1"), "+OK\r\n");
    assert_eq!(pair.run(7000, "SET foo 1"), "-MOVED 12182 127.0.0.1:7001\r\n");
    assert_eq!(pair.run(7001, "SET foo 1"), "+OK\r\n");
    assert_eq!(pair.run(7000, "MGET foo bar"), "-CROSSSLOT Keys in request don't hash to the same slot\r\n");
    assert_eq!(pair.run(7000, "SPUBLISH foo x"), "-MOVED 12182 127.0.0.1:7001\r\n");
    assert_eq!(pair.run(7000, "PING"), "+PONG\r\n");
    let conn = pair.client(7000);
    let now = pair.now;
    pair.node(7000).receive(now, conn, b"MULTI\r\nGET bar\r\nGET foo\r\nEXEC\r\nGET bar\r\n");
    assert_eq!(
        pair.said(7000, conn),
        "+OK\r\n+QUEUED\r\n-MOVED 12182 127.0.0.1:7001\r\n\
         -EXECABORT Transaction discarded because of previous errors.\r\n$1\r\n1\r\n"
    );
}

#[test]
fn a_slot_on_the_move_is_served_on_both_sides() {
    let mut pair = two();
    let (source, target) = (id(&mut pair, 7000), id(&mut pair, 7001));
    pair.run(7000, "SET {bar}1 a");
    assert_eq!(pair.run(7001, &format!("CLUSTER SETSLOT 5061 IMPORTING {source}")), "+OK\r\n");
    assert_eq!(pair.run(7000, &format!("CLUSTER SETSLOT 5061 MIGRATING {target}")), "+OK\r\n");
    assert_eq!(pair.run(7000, "GET {bar}1"), "$1\r\na\r\n");
    assert_eq!(pair.run(7000, "GET {bar}2"), "-ASK 5061 127.0.0.1:7001\r\n");
    let torn = "-TRYAGAIN Multiple keys request during rehashing of slot\r\n";
    assert_eq!(pair.run(7000, "MGET {bar}1 {bar}2"), torn);
    assert_eq!(pair.run(7001, "SET {bar}2 b"), "-MOVED 5061 127.0.0.1:7000\r\n");
    let conn = pair.client(7001);
    let now = pair.now;
    pair.node(7001).receive(now, conn, b"ASKING\r\nSET {bar}2 b\r\nGET {bar}2\r\n");
    assert_eq!(pair.said(7001, conn), "+OK\r\n+OK\r\n-MOVED 5061 127.0.0.1:7000\r\n");
    assert_eq!(pair.run(7000, "CLUSTER SETSLOT 5061 NODE x"), "-ERR Unknown node x\r\n");
    assert_eq!(
        pair.run(7000, &format!("CLUSTER SETSLOT 5061 NODE {target}")),
        "-ERR Can't assign hashslot 5061 to a different node while I still hold keys for this hash slot.\r\n"
    );
    assert_eq!(pair.run(7000, "MIGRATE 127.0.0.1 7001 {bar}1 0 1000"), "+OK\r\n");
    assert_eq!(pair.run(7000, "CLUSTER COUNTKEYSINSLOT 5061"), ":0\r\n");
    assert_eq!(pair.run(7001, "CLUSTER COUNTKEYSINSLOT 5061"), ":2\r\n");
    assert_eq!(pair.run(7001, &format!("CLUSTER SETSLOT 5061 NODE {target}")), "+OK\r\n");
    assert_eq!(pair.run(7001, "CLUSTER BUMPEPOCH"), "+STILL 2\r\n");
    assert_eq!(pair.run(7000, &format!("CLUSTER SETSLOT 5061 NODE {target}")), "+OK\r\n");
    assert_eq!(pair.run(7000, "GET {bar}1"), "-MOVED 5061 127.0.0.1:7001\r\n");
    assert_eq!(pair.run(7001, "MGET {bar}1 {bar}2"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
}

#[test]
fn who_waits_for_a_key_is_sent_after_it() {
    let mut pair = two();
    let (source, target) = (id(&mut pair, 7000), id(&mut pair, 7001));
    let (waiting, now) = (pair.client(7000), pair.now);
    pair.node(7000).receive(now, waiting, b"BLPOP bar 0\r\n");
    assert_eq!(pair.said(7000, waiting), "");
    pair.run(7001, &format!("CLUSTER SETSLOT 5061 IMPORTING {source}"));
    pair.run(7000, &format!("CLUSTER SETSLOT 5061 MIGRATING {target}"));
    pair.run(7001, &format!("CLUSTER SETSLOT 5061 NODE {target}"));
    pair.run(7000, &format!("CLUSTER SETSLOT 5061 NODE {target}"));
    pair.pass(100);
    assert_eq!(pair.said(7000, waiting), "-MOVED 5061 127.0.0.1:7001\r\n");
}

#[test]
fn who_listens_to_a_shard_channel_hears_that_it_went() {
    let mut pair = alone(7000);
    let (listener, now) = (pair.client(7000), pair.now);
    pair.node(7000).receive(now, listener, b"SSUBSCRIBE bar\r\n");
    assert_eq!(pair.said(7000, listener), "*3\r\n$10\r\nssubscribe\r\n$3\r\nbar\r\n:1\r\n");
    assert_eq!(pair.run(7000, "CLUSTER DELSLOTS 5061"), "+OK\r\n");
    assert_eq!(pair.said(7000, listener), "*3\r\n$12\r\nsunsubscribe\r\n$3\r\nbar\r\n:0\r\n");
}

#[test]
fn a_master_takes_the_slots_of_the_keys_that_it_has_loaded() {
    let mut pair = alone(7000);
    pair.run(7000, "SET foo 1");
    pair.run(7000, "BGSAVE");
    pair.pass(1_000);
    pair.kill(7000);
    pair.files.remove(&(7000, "nodes.conf".to_string()));
    pair.start_in_cluster(7000, |_| {});
    assert!(
        pair.log.iter().any(|line| line.contains("I have keys for unassigned slot 12182")),
        "{:?}",
        pair.log
    );
    assert_eq!(pair.run(7000, "CLUSTER COUNTKEYSINSLOT 12182"), ":1\r\n");
    assert!(saved(&pair, 7000).contains("connected 12182\n"), "{}", saved(&pair, 7000));
}

#[test]
fn a_replica_reads_for_those_who_ask_it_to() {
    let mut pair = alone(7000);
    pair.run(7000, "SET bar 1");
    let master = id(&mut pair, 7000);
    pair.start_in_cluster(7002, |_| {});
    assert_eq!(pair.run(7002, "CLUSTER MEET 127.0.0.1 7000"), "+OK\r\n");
    pair.pass(3_000);
    assert_eq!(pair.run(7002, &format!("CLUSTER REPLICATE {master}")), "+OK\r\n");
    pair.pass(4_000);
    assert_eq!(pair.run(7002, "GET bar"), "-MOVED 5061 127.0.0.1:7000\r\n");
    let (conn, now) = (pair.client(7002), pair.now);
    pair.node(7002).receive(now, conn, b"READONLY\r\nGET bar\r\nSET bar 2\r\nREADWRITE\r\nGET bar\r\n");
    let moved = "-MOVED 5061 127.0.0.1:7000\r\n";
    assert_eq!(pair.said(7002, conn), format!("+OK\r\n$1\r\n1\r\n{moved}+OK\r\n{moved}"));
    // Its copy has the index of slots, too.
    assert_eq!(pair.run(7002, "CLUSTER COUNTKEYSINSLOT 5061"), ":1\r\n");
    // A copy that has nothing of the stream yet is not told to clients.
    assert_eq!(pair.run(7000, "SET bar 1"), "+OK\r\n");
    pair.pass(3_000);
    let slots = pair.run(7000, "CLUSTER SLOTS");
    assert!(slots.contains(":7000\r\n") && slots.contains(":7002\r\n"), "{slots}");
    assert_eq!(pair.run(7002, "CLUSTER RESET"), "+OK\r\n");
    assert_eq!(pair.run(7002, "DBSIZE"), ":0\r\n");
    assert!(pair.run(7002, "ROLE").contains("master"));
}

#[test]
fn without_a_cluster_its_commands_say_so() {
    let mut pair = Pair::new();
    pair.start(7000, |_| {});
    for command in ["CLUSTER NODES", "ASKING", "READONLY", "READWRITE"] {
        assert_eq!(
            pair.run(7000, command),
            "-ERR This instance has cluster support disabled\r\n",
            "{command}"
        );
    }
}
