//! Several nodes of a cluster, without sockets: a replica takes its master's place, by election and by hand, and nothing
//! is lost that need not be.

mod common;

use common::Pair;

/// Three masters with a third of the slots each, 7000 to 7002, and replicas: whose each one is, from 7003 on.
fn cluster(replicas_of: &[u16]) -> Pair {
    let mut pair = Pair::new();
    for (port, slots) in [(7000, "0 5460"), (7001, "5461 10922"), (7002, "10923 16383")] {
        pair.start_in_cluster(port, |_| {});
        assert_eq!(pair.run(port, &format!("CLUSTER ADDSLOTSRANGE {slots}")), "+OK\r\n");
        assert_eq!(pair.run(port, &format!("CLUSTER SET-CONFIG-EPOCH {}", port - 6999)), "+OK\r\n");
    }
    let ports: Vec<u16> = (7003..).take(replicas_of.len()).collect();
    for port in &ports {
        pair.start_in_cluster(*port, |_| {});
    }
    for port in (7001..7003).chain(ports.iter().copied()) {
        assert_eq!(pair.run(7000, &format!("CLUSTER MEET 127.0.0.1 {port}")), "+OK\r\n");
    }
    pair.pass(6_000);
    for (port, master) in ports.iter().zip(replicas_of) {
        let master = id(&mut pair, *master);
        assert_eq!(pair.run(*port, &format!("CLUSTER REPLICATE {master}")), "+OK\r\n");
    }
    pair.pass(5_000);
    for port in (7000..7003).chain(ports) {
        let info = pair.run(port, "CLUSTER INFO");
        assert!(info.contains("cluster_state:ok") && info.contains("cluster_size:3"), "{port}: {info}");
    }
    pair
}

fn id(pair: &mut Pair, port: u16) -> String {
    pair.run(port, "CLUSTER MYID").lines().nth(1).expect("an id").to_string()
}

/// What one node says of another: flags, master, and so on.
fn told(pair: &mut Pair, by: u16, of: u16) -> String {
    let text = pair.run(by, "CLUSTER NODES");
    let line = text.lines().find(|line| line.contains(&format!(":{of}@"))).expect("a member");
    line.split_once(' ').expect("a line").1.to_string()
}

/// Lets time pass until this holds; at most a minute.
fn pass_until(pair: &mut Pair, what: &str, mut holds: impl FnMut(&mut Pair) -> bool) {
    for _ in 0..600 {
        if holds(pair) {
            return;
        }
        pair.pass(100);
    }
    panic!("a minute has passed in vain for: {what}");
}

fn is_master(pair: &mut Pair, port: u16) -> bool {
    pair.run(port, "ROLE").contains("master")
}

// bar is in slot 5061, of the first master.

#[test]
fn the_replica_of_a_dead_master_takes_over_and_the_dead_one_comes_back_as_its_replica() {
    let mut pair = cluster(&[7000, 7001, 7002]);
    assert_eq!(pair.run(7000, "SET bar 1"), "+OK\r\n");
    pair.pass(1_000);
    pair.kill(7000);
    pass_until(&mut pair, "the replica to be a master", |pair| is_master(pair, 7003));
    pair.pass(500);
    assert_eq!(pair.run(7003, "GET bar"), "$1\r\n1\r\n");
    assert_eq!(pair.run(7001, "SET bar 2"), "-MOVED 5061 127.0.0.1:7003\r\n");
    let epochs = [7001, 7002, 7004, 7005].map(|by| told(&mut pair, by, 7003));
    let epoch = |line: &str| line.split(' ').nth(5).map(str::to_owned);
    assert!(epochs.iter().all(|line| epoch(line) == epoch(&epochs[0])), "{epochs:?}");
    for wanted in [
        "7003: Start of election delayed for ",
        "7003: Starting a failover election for epoch ",
        "7001: Failover auth granted to ",
        "7003: Failover election won: I'm the new master.",
        "7003: configEpoch set to ",
    ] {
        assert!(pair.log.iter().any(|line| line.starts_with(wanted)), "{wanted}");
    }
    pair.start_in_cluster(7000, |_| {});
    let winner = id(&mut pair, 7003);
    pass_until(&mut pair, "a replica", |pair| told(pair, 7001, 7000).contains(&format!("slave {winner}")));
    pair.pass(3_000);
    assert!(pair.run(7000, "ROLE").contains("connected") && pair.equal(7000, 7003));
}

#[test]
fn of_two_replicas_the_one_with_more_data_wins() {
    for behind in [7003, 7004] {
        let ahead = 7003 + 7004 - behind;
        let mut pair = cluster(&[7000, 7000, 7001, 7002]);
        pair.hold(7000, behind);
        assert_eq!(pair.run(7000, "SET bar 1"), "+OK\r\n");
        pair.settle();
        pair.kill(7000);
        pass_until(&mut pair, "a new master", |pair| is_master(pair, ahead) || is_master(pair, behind));
        assert!(is_master(&mut pair, ahead), "{ahead} has more");
        assert_eq!(pair.run(ahead, "GET bar"), "$1\r\n1\r\n");
        pair.pass(3_000);
        let winner = id(&mut pair, ahead);
        assert!(told(&mut pair, 7001, behind).contains(&format!("slave {winner}")));
        assert!(pair.equal(ahead, behind), "its sibling follows it");
    }
}

#[test]
fn a_failover_by_hand_loses_nothing() {
    let mut pair = cluster(&[7000]);
    // The replica is behind when the operator asks for it.
    pair.hold(7000, 7003);
    let mut clients = Vec::new();
    let mut acknowledged = 0;
    for number in 0..200 {
        if number == 100 {
            assert_eq!(pair.run(7003, "CLUSTER FAILOVER"), "+OK\r\n");
        }
        let (conn, now) = (pair.client(7000), pair.now);
        pair.node(7000).receive(now, conn, format!("SET {{bar}}{number} x\r\n").as_bytes());
        pair.settle();
        match pair.said(7000, conn).as_str() {
            "+OK\r\n" => acknowledged += 1,
            "" => clients.push(conn),
            other => panic!("{other}"),
        }
    }
    assert_eq!((acknowledged, clients.len()), (100, 100), "from the pause on, writes wait");
    assert!(!is_master(&mut pair, 7003));
    pair.release(7000, 7003);
    pass_until(&mut pair, "the replica to be a master", |pair| is_master(pair, 7003));
    pair.pass(300);
    for conn in clients {
        assert_eq!(pair.said(7000, conn), "-MOVED 5061 127.0.0.1:7003\r\n");
    }
    assert_eq!(pair.run(7003, "DBSIZE"), ":100\r\n");
    // The old master goes on where it was.
    pair.pass(3_000);
    assert!(pair.equal(7000, 7003));
    assert_eq!(pair.node(7003).sync_counts().0, 0, "no full synchronisation");
    assert_eq!(pair.node(7003).sync_counts().1, 1);
}

#[test]
fn a_failover_by_hand_that_comes_to_nothing_lets_clients_write_again() {
    let mut pair = cluster(&[7000]);
    pair.hold(7000, 7003);
    assert_eq!(pair.run(7003, "CLUSTER FAILOVER"), "+OK\r\n");
    let (conn, now) = (pair.client(7000), pair.now);
    pair.node(7000).receive(now, conn, b"SET bar 1\r\n");
    pair.settle();
    assert_eq!(pair.said(7000, conn), "");
    // The replica hears nothing of its master, and gives up; so does the master.
    pair.pass(6_000);
    assert_eq!(pair.said(7000, conn), "+OK\r\n");
    for port in [7000, 7003] {
        assert!(pair.log.contains(&format!("{port}: Manual failover timed out.")), "{port}");
    }
    assert!(is_master(&mut pair, 7000) && !is_master(&mut pair, 7003));
}

#[test]
fn while_a_master_hands_over_its_stream_stands_still() {
    let mut pair = cluster(&[7000]);
    assert_eq!(pair.run(7000, "SET bar 1 PX 200"), "+OK\r\n");
    pair.hold(7000, 7003);
    assert_eq!(pair.run(7003, "CLUSTER FAILOVER"), "+OK\r\n");
    let before = pair.node(7000).replication_offset();
    // Neither a ping of the stream, nor the end of a key, by time or because somebody looks at it.
    pair.pass(1_000);
    assert_eq!(pair.run(7000, "GET bar"), "$-1\r\n");
    pair.pass(3_000);
    assert_eq!(pair.node(7000).replication_offset(), before);
    pair.release(7000, 7003);
    pass_until(&mut pair, "the replica to be a master", |pair| is_master(pair, 7003));
    assert_eq!(pair.run(7003, "GET bar"), "$-1\r\n");
}

#[test]
fn a_replica_to_spare_moves_to_a_master_that_has_lost_its_own() {
    for (barrier, allowed, moves) in [(1, true, true), (2, true, false), (1, false, false)] {
        let mut pair = cluster(&[7000, 7000, 7001, 7002]);
        for port in 7000..7007 {
            pair.run(port, &format!("CONFIG SET cluster-migration-barrier {barrier}"));
            let allowed = if allowed { "yes" } else { "no" };
            pair.run(port, &format!("CONFIG SET cluster-allow-replica-migration {allowed}"));
        }
        let (rich, poor) = (id(&mut pair, 7000), id(&mut pair, 7001));
        // Of the replicas that could go, the one with the smaller name does.
        let [one, other] = [7003, 7004].map(|port| (id(&mut pair, port), port));
        let (goes, stays) = (one.clone().min(other.clone()).1, one.max(other).1);
        pair.kill(7005);
        pair.pass(3_000);
        assert!(told(&mut pair, 7000, goes).contains(&format!("slave {rich}")), "it may come back");
        pair.pass(6_000);
        let target = if moves { &poor } else { &rich };
        assert!(told(&mut pair, 7000, goes).contains(&format!("slave {target}")), "{barrier} {allowed}");
        assert!(told(&mut pair, 7000, stays).contains(&format!("slave {rich}")), "one is enough");
        pair.pass(3_000);
        assert!(pair.run(goes, "ROLE").contains("connected"));
    }
}

/// What is deleted for a key that has left belongs before the offset at which a master pauses: otherwise the key would be
/// on both sides, though nobody has failed.
#[test]
fn a_replica_that_wants_the_place_waits_for_the_keys_under_way() {
    let mut pair = cluster(&[7000, 7001, 7002]);
    assert_eq!(pair.run(7000, "SET bar 1"), "+OK\r\n");
    let [from, to] = [7000, 7001].map(|port| id(&mut pair, port));
    assert_eq!(pair.run(7001, &format!("CLUSTER SETSLOT 5061 IMPORTING {from}")), "+OK\r\n");
    assert_eq!(pair.run(7000, &format!("CLUSTER SETSLOT 5061 MIGRATING {to}")), "+OK\r\n");
    pair.pass(500);
    pair.hold(7001, 7000);
    let send = |pair: &mut Pair, command: &[u8]| {
        let (mover, now) = (pair.client(7000), pair.now);
        pair.node(7000).receive(now, mover, command);
        pair.settle();
        mover
    };
    let mover = send(&mut pair, b"MIGRATE 127.0.0.1 7001 bar 0 5000\r\n");
    assert_eq!(pair.run(7003, "CLUSTER FAILOVER"), "+OK\r\n");
    pair.pass(300);
    let asked = |pair: &Pair| pair.log.iter().any(|line| line.starts_with("7000: Manual failover requested"));
    assert!(!asked(&pair), "it waits");
    // Others have to wait for that, so that it comes to an end.
    let next = send(&mut pair, b"MIGRATE 127.0.0.1 7001 baz 0 5000\r\nPING\r\n");
    assert_eq!(pair.said(7000, next), "");
    pair.release(7001, 7000);
    assert_eq!(pair.said(7000, mover), "+OK\r\n");
    assert!(asked(&pair));
    pass_until(&mut pair, "the replica to be a master", |pair| is_master(pair, 7003));
    pair.pass(500);
    assert_eq!(pair.run(7003, "EXISTS bar"), ":0\r\n");
    assert_eq!(pair.run(7001, "DBSIZE"), ":1\r\n");
}

#[test]
fn who_has_just_come_back_can_be_told_to_take_over_at_once() {
    let mut pair = cluster(&[7000, 7001, 7002]);
    assert_eq!(pair.run(7000, "SET bar 1"), "+OK\r\n");
    pair.pass(500);
    pair.kill(7003);
    pair.start_in_cluster(7003, |_| {});
    assert_eq!(pair.run(7003, "CLUSTER FAILOVER"), "+OK\r\n", "though it has talked to nobody yet");
    pass_until(&mut pair, "it to be a master", |pair| told(pair, 7003, 7003).contains("myself,master"));
    assert_eq!(pair.run(7003, "GET bar"), "$1\r\n1\r\n");
}
