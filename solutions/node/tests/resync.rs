//! Partial resynchronisation, promotion, `WAIT`, the write gate, `FAILOVER` and shutting down, with two or
//! three nodes joined by nothing but a loop.

mod common;

use common::Pair;

fn info(pair: &mut Pair, port: u16, field: &str) -> String {
    let text = pair.run(port, "INFO everything");
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':').map(str::to_string));
    line.unwrap_or_default()
}

/// A master on 7000 and a replica on 7001, in step, with a write or two behind them.
fn two() -> Pair {
    let mut pair = Pair::new();
    pair.start(7000, |_| {});
    pair.start(7001, common::follow(7000));
    pair.pass(300);
    pair.run(7000, "SET k v");
    pair
}

#[test]
fn a_broken_link_is_continued_and_costs_only_what_was_missed() {
    let mut pair = two();
    pair.cut(7001, 7000);
    pair.run(7000, "INCR n");
    pair.join(7001, 7000);
    pair.pass(2_000);
    assert_eq!(pair.node(7000).sync_counts(), (1, 1, 0), "{:#?}", pair.log);
    assert!(pair.equal(7000, 7001));
    assert_eq!(pair.node(7000).replication_offset(), pair.node(7001).replication_offset());
}

#[test]
fn what_is_missed_beyond_the_backlog_costs_everything() {
    let mut pair = two();
    pair.run(7000, "CONFIG SET repl-backlog-size 16384");
    pair.cut(7001, 7000);
    for _ in 0..5 {
        pair.run(7000, &format!("SET big {}", "x".repeat(10_000)));
    }
    let (start, end) = pair.node(7000).log_window().expect("a backlog");
    assert!(end.since(start) < 3 * 16384, "{start} to {end}");
    pair.join(7001, 7000);
    pair.pass(2_000);
    assert_eq!(pair.node(7000).sync_counts(), (2, 0, 1), "{:#?}", pair.log);
    assert!(pair.equal(7000, 7001));
}

#[test]
fn a_promoted_replica_continues_its_sibling_and_its_old_master() {
    let mut pair = two();
    pair.start(7002, common::follow(7000));
    pair.pass(300);
    pair.run(7000, "SET before 1");
    pair.run(7001, "REPLICAOF NO ONE");
    pair.run(7001, "SET after 2");
    pair.run(7002, "REPLICAOF 127.0.0.1 7001");
    pair.run(7000, "REPLICAOF 127.0.0.1 7001");
    pair.pass(2_000);
    assert_eq!(pair.node(7001).sync_counts(), (0, 2, 0), "{:#?}", pair.log);
    for port in [7000, 7002] {
        assert!(pair.equal(7001, port));
        assert_eq!(pair.node(port).replication_id(), pair.node(7001).replication_id());
    }
}

#[test]
fn a_middle_node_that_learns_a_new_name_makes_its_leaf_learn_it() {
    let mut pair = two();
    pair.start(7002, common::follow(7001));
    pair.start(7003, common::follow(7000));
    pair.pass(500);
    pair.run(7000, "SET more 1");
    // The sibling is promoted, and the middle node with its leaf goes on under it.
    pair.run(7003, "REPLICAOF NO ONE");
    pair.run(7001, "REPLICAOF 127.0.0.1 7003");
    pair.pass(2_000);
    pair.run(7003, "SET under new");
    assert_eq!(pair.node(7003).sync_counts(), (0, 1, 0), "{:#?}", pair.log);
    assert_eq!(pair.node(7001).sync_counts(), (1, 1, 0), "{:#?}", pair.log);
    assert!(pair.equal(7003, 7002));
    assert_eq!(pair.node(7002).replication_id(), pair.node(7003).replication_id());
}

#[test]
fn a_transaction_that_was_cut_is_asked_for_again_as_a_whole() {
    let mut pair = two();
    let before = pair.node(7001).replication_offset();
    // The bytes of the transaction up to the middle of it reach the replica, and then the link breaks.
    pair.cut_after(7000, 7001, 60);
    let (now, conn) = (pair.now, pair.client(7000));
    pair.node(7000).receive(now, conn, b"MULTI\r\nSET a 1\r\nSET b 2\r\nEXEC\r\n");
    pair.settle();
    assert_eq!(pair.node(7001).replication_offset(), before);
    pair.join(7001, 7000);
    pair.pass(2_000);
    assert_eq!(pair.node(7000).sync_counts(), (1, 1, 0), "{:#?}", pair.log);
    assert!(pair.equal(7000, 7001));
}

#[test]
fn wait_is_answered_when_enough_have_it_or_its_time_is_up() {
    let mut pair = two();
    let (now, conn) = (pair.now, pair.client(7000));
    pair.node(7000).receive(now, conn, b"SET a 1\r\nWAIT 1 1000\r\n");
    pair.settle();
    assert_eq!(pair.said(7000, conn), "+OK\r\n:1\r\n");
    pair.node(7000).receive(now, conn, b"SET a 2\r\nWAIT 2 500\r\nPING\r\n");
    pair.settle();
    assert_eq!(pair.said(7000, conn), "+OK\r\n");
    pair.pass(600);
    assert_eq!(pair.said(7000, conn), ":1\r\n+PONG\r\n");
    // In a transaction nobody waits. (The question for the WAIT before counts in the offset, and is not
    // acknowledged before the next beat.)
    pair.pass(1_100);
    pair.node(7000).receive(now, conn, b"MULTI\r\nSET a 3\r\nWAIT 1 0\r\nEXEC\r\n");
    pair.settle();
    assert_eq!(pair.said(7000, conn), "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n");
    assert!(pair.run(7001, "WAIT 1 0").starts_with("-ERR WAIT cannot be used with replica instances."));
}

#[test]
fn the_gate_closes_when_replicas_fall_silent() {
    let mut pair = two();
    pair.run(7000, "CONFIG SET min-slaves-to-write 1 min-replicas-max-lag 2");
    assert_eq!(info(&mut pair, 7000, "min_slaves_good_slaves"), "1");
    assert_eq!(pair.run(7000, "SET k w"), "+OK\r\n");
    pair.cut(7001, 7000);
    assert_eq!(pair.run(7000, "SET k x"), "-NOREPLICAS Not enough good replicas to write.\r\n");
    assert_eq!(pair.run(7000, "GET k"), "$1\r\nw\r\n");
}

#[test]
fn a_failover_hands_over_and_loses_nothing() {
    let mut pair = two();
    let (now, conn) = (pair.now, pair.client(7000));
    pair.node(7000).receive(now, conn, b"SET last word\r\nFAILOVER\r\nSET too late\r\n");
    assert_eq!(pair.node(7000).failover_state(), "waiting-for-sync");
    pair.settle();
    pair.pass(3_000);
    assert_eq!(pair.node(7000).failover_state(), "no-failover", "{:#?}", pair.log);
    assert!(pair.said(7000, conn).ends_with("-READONLY You can't write against a read only replica.\r\n"));
    assert_eq!(pair.run(7001, "GET last"), "$4\r\nword\r\n");
    assert_eq!(pair.run(7001, "SET k w"), "+OK\r\n");
    assert!(pair.equal(7000, 7001));
    assert_eq!(pair.node(7001).sync_counts(), (0, 1, 0), "{:#?}", pair.log);
}

#[test]
fn a_shutdown_waits_for_the_replicas_and_can_be_called_off() {
    let mut pair = two();
    pair.hold(7000, 7001);
    pair.run(7000, "SET k w");
    let (now, conn) = (pair.now, pair.client(7000));
    pair.node(7000).receive(now, conn, b"SHUTDOWN NOSAVE\r\n");
    pair.pass(3_000);
    assert!(!info(&mut pair, 7000, "shutdown_in_milliseconds").is_empty());
    assert_eq!(pair.run(7000, "SHUTDOWN ABORT"), "+OK\r\n");
    assert_eq!(pair.said(7000, conn), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    pair.node(7000).receive(now, conn, b"SHUTDOWN NOSAVE\r\n");
    pair.release(7000, 7001);
    pair.pass(2_000);
    assert_eq!(pair.exits, [7000], "{:#?}", pair.log);
    assert_eq!(pair.run(7001, "GET k"), "$1\r\nw\r\n");
}
