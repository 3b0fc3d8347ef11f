//! `MIGRATE` without sockets: what happens while keys are under way, and when it goes wrong.

mod common;

use common::Pair;
use node::ConnId;

/// Two nodes without a cluster: `MIGRATE` works there, too.
fn two() -> Pair {
    let mut pair = Pair::new();
    pair.start(7000, |_| {});
    pair.start(7001, |_| {});
    pair
}

/// Sends without waiting for the answer.
fn send(pair: &mut Pair, port: u16, command: &str) -> ConnId {
    let (conn, now) = (pair.client(port), pair.now);
    pair.node(port).receive(now, conn, format!("{command}\r\n").as_bytes());
    pair.settle();
    conn
}

const MOVE_A: &str = "MIGRATE 127.0.0.1 7001 a 0 1000";

#[test]
fn a_key_moves_with_its_value_and_its_time_to_live() {
    let mut pair = two();
    pair.run(7000, "RPUSH a 1 2 3");
    pair.run(7000, "PEXPIRE a 5000");
    assert_eq!(pair.run(7000, MOVE_A), "+OK\r\n");
    assert_eq!(pair.run(7000, "EXISTS a"), ":0\r\n");
    assert_eq!(pair.run(7001, "LRANGE a 0 -1"), "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n");
    assert_eq!(pair.run(7001, "PTTL a"), ":5000\r\n");
    assert_eq!(pair.run(7000, MOVE_A), "+NOKEY\r\n");
}

#[test]
fn of_several_keys_those_that_are_refused_stay() {
    let mut pair = two();
    pair.run(7000, "MSET a 1 b 2 c 3");
    pair.run(7001, "SET b other");
    let refused = "-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n";
    assert_eq!(pair.run(7000, "MIGRATE 127.0.0.1 7001 \"\" 0 1000 KEYS a b c nosuch"), refused);
    assert_eq!(pair.run(7000, "KEYS *"), "*1\r\n$1\r\nb\r\n");
    assert_eq!(pair.run(7001, "MGET a b c"), "*3\r\n$1\r\n1\r\n$5\r\nother\r\n$1\r\n3\r\n");
    assert_eq!(pair.run(7000, "MIGRATE 127.0.0.1 7001 b 0 1000 COPY REPLACE"), "+OK\r\n");
    assert_eq!(pair.run(7000, "GET b"), "$1\r\n2\r\n");
    assert_eq!(pair.run(7001, "GET b"), "$1\r\n2\r\n");
    assert_eq!(pair.run(7000, "MIGRATE 127.0.0.1 7001 b 3 1000"), "+OK\r\n", "into another database");
}

#[test]
fn a_password_is_given_and_a_wrong_one_told() {
    let mut pair = Pair::new();
    pair.start(7000, |_| {});
    pair.start(7001, |config| config.requirepass = Some("secret".into()));
    pair.run(7000, "SET a 1");
    let told = pair.run(7000, MOVE_A);
    assert_eq!(told, "-ERR Target instance replied with error: NOAUTH Authentication required.\r\n");
    let told = pair.run(7000, &format!("{MOVE_A} AUTH wrong"));
    assert!(told.starts_with("-ERR Target instance replied with error: WRONGPASS"), "{told}");
    assert_eq!(pair.run(7000, "GET a"), "$1\r\n1\r\n");
    assert_eq!(pair.run(7000, &format!("{MOVE_A} AUTH2 default secret")), "+OK\r\n");
}

#[test]
fn while_a_key_is_under_way_it_is_read_and_its_writers_wait() {
    let mut pair = two();
    pair.run(7000, "MSET a 1 b 1");
    pair.hold(7001, 7000);
    let mover = send(&mut pair, 7000, MOVE_A);
    assert_eq!(pair.run(7000, "GET a"), "$1\r\n1\r\n");
    assert_eq!(pair.run(7000, "SET b 2"), "+OK\r\n");
    let writer = send(&mut pair, 7000, "APPEND a x\r\nPING");
    let transaction = send(&mut pair, 7000, "MULTI\r\nINCR b\r\nAPPEND a y\r\nEXEC");
    let second = send(&mut pair, 7000, MOVE_A);
    assert_eq!(pair.said(7000, writer), "");
    assert_eq!(pair.said(7000, transaction), "+OK\r\n+QUEUED\r\n+QUEUED\r\n");
    assert_eq!((pair.said(7000, mover), pair.said(7000, second)), (String::new(), String::new()));
    pair.release(7001, 7000);
    assert_eq!(pair.said(7000, mover), "+OK\r\n");
    assert_eq!(
        pair.said(7000, writer),
        ":1\r\n+PONG\r\n",
        "it began anew: the old value is on the other side"
    );
    assert_eq!(pair.said(7000, transaction), "*2\r\n:3\r\n:2\r\n");
    let refused = "-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n";
    assert_eq!(pair.said(7000, second), refused);
    assert_eq!(pair.run(7001, "GET a"), "$1\r\n1\r\n");
}

#[test]
fn a_waiting_client_is_not_served_into_a_key_under_way() {
    let mut pair = two();
    pair.run(7000, "RPUSH a 1");
    let waiting = send(&mut pair, 7000, "BLMOVE q a LEFT RIGHT 0");
    pair.hold(7001, 7000);
    let mover = send(&mut pair, 7000, MOVE_A);
    pair.run(7000, "RPUSH q 2");
    assert_eq!(pair.said(7000, waiting), "");
    pair.release(7001, 7000);
    assert_eq!(pair.said(7000, mover), "+OK\r\n");
    assert_eq!(pair.said(7000, waiting), "$1\r\n2\r\n");
    assert_eq!(pair.run(7000, "LRANGE a 0 -1"), "*1\r\n$1\r\n2\r\n");
    assert_eq!(pair.run(7001, "LRANGE a 0 -1"), "*1\r\n$1\r\n1\r\n");
}

#[test]
fn a_target_that_is_silent_gone_or_refuses_leaves_the_key_here() {
    let mut pair = two();
    pair.run(7000, "SET a 1");
    pair.hold(7001, 7000);
    let mover = send(&mut pair, 7000, MOVE_A);
    let writer = send(&mut pair, 7000, "APPEND a x");
    pair.pass(900);
    assert_eq!(pair.said(7000, mover), "");
    pair.pass(200);
    assert_eq!(pair.said(7000, mover), "-IOERR error or timeout reading to target instance\r\n");
    assert_eq!(pair.said(7000, writer), ":2\r\n");
    pair.release(7001, 7000);

    let mut pair = two();
    pair.run(7000, "SET a 1");
    pair.cut(7000, 7001);
    assert_eq!(pair.run(7000, MOVE_A), "-IOERR error or timeout writing to target instance\r\n");
    assert_eq!(
        pair.run(7000, "MIGRATE 127.0.0.1 9 a 0 1000"),
        "-IOERR error or timeout writing to target instance\r\n"
    );
    assert_eq!(pair.run(7000, "GET a"), "$1\r\n1\r\n");
}

#[test]
fn a_link_that_breaks_half_way_leaves_what_was_not_acknowledged() {
    let mut pair = two();
    pair.run(7000, "MSET a 1 b 2 c 3 d 4");
    // SELECT and two keys are answered by `+OK`.
    pair.cut_after(7001, 7000, 15);
    let told = pair.run(7000, "MIGRATE 127.0.0.1 7001 \"\" 0 1000 KEYS a b c d");
    assert_eq!(told, "-IOERR error or timeout reading to target instance\r\n");
    assert_eq!(pair.run(7000, "MGET a b c d"), "*4\r\n$-1\r\n$-1\r\n$1\r\n3\r\n$1\r\n4\r\n");
    pair.join(7000, 7001);
    assert_eq!(pair.run(7000, "MIGRATE 127.0.0.1 7001 \"\" 0 1000 REPLACE KEYS c d"), "+OK\r\n");
    assert_eq!(pair.run(7001, "MGET a b c d"), "*4\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n");
}

#[test]
fn a_connection_is_kept_and_one_that_ended_meanwhile_is_made_anew() {
    let mut pair = two();
    pair.run(7000, "MSET a 1 b 2 c 3");
    assert_eq!(pair.run(7000, MOVE_A), "+OK\r\n");
    let cached = |pair: &mut Pair, count: usize| {
        let info = pair.run(7000, "INFO stats");
        assert!(info.contains(&format!("migrate_cached_sockets:{count}\r\n")), "{info}");
    };
    cached(&mut pair, 1);
    assert_eq!(pair.run(7000, "MIGRATE 127.0.0.1 7001 b 0 1000"), "+OK\r\n");
    cached(&mut pair, 1);
    pair.run(7001, "CLIENT KILL TYPE normal");
    assert_eq!(pair.run(7000, "MIGRATE 127.0.0.1 7001 c 0 1000"), "+OK\r\n");
    cached(&mut pair, 1);
    pair.pass(11_000);
    cached(&mut pair, 0);
    assert_eq!(pair.run(7001, "DBSIZE"), ":3\r\n");
}

#[test]
fn what_it_cannot_mean_is_refused() {
    let mut pair = two();
    pair.run(7000, "SET a 1");
    for (command, answer) in [
        ("MIGRATE h p a x 1", "-ERR value is not an integer or out of range\r\n"),
        ("MIGRATE h p a 0 1 SOMEHOW", "-ERR syntax error\r\n"),
        ("MIGRATE h p a 0 1 AUTH", "-ERR syntax error\r\n"),
        ("MIGRATE h p a 0 1 AUTH2 user", "-ERR syntax error\r\n"),
        (
            "MIGRATE h p a 0 1 KEYS b",
            "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string\r\n",
        ),
        ("MIGRATE h p \"\" 0 1 KEYS", "+NOKEY\r\n"),
    ] {
        assert_eq!(pair.run(7000, command), answer, "{command}");
    }
}

#[test]
fn a_transaction_waits_for_its_keys_and_nobody_comes_in_between() {
    let mut pair = two();
    pair.start(7002, common::follow(7000));
    pair.pass(2_000);
    pair.run(7000, "MSET a 1 b 1 c 1 d 1");
    pair.hold(7001, 7000);
    // Another client's key is under way already; it comes home after the transaction, though it arrives before.
    let other = send(&mut pair, 7000, "MIGRATE 127.0.0.1 7001 d 0 10000");
    let all = format!(
        "MULTI\r\nINCR b\r\n{MOVE_A}\r\nGET b\r\nEXISTS a d\r\nMIGRATE 127.0.0.1 7001 b 0 1000\r\nEXISTS b"
    );
    let mover = send(&mut pair, 7000, &format!("{all}\r\nEXEC\r\nPING"));
    assert!(pair.node(7000).stands_still());
    let incr = send(&mut pair, 7000, "INCR b");
    let leaves = send(&mut pair, 7000, "SET a mine\r\nSET c mine");
    let now = pair.now;
    pair.node(7000).closed(now, leaves);
    assert_eq!(pair.said(7000, incr), "");
    pair.release(7001, 7000);
    assert!(!pair.node(7000).stands_still());
    let queued = "+QUEUED\r\n".repeat(6);
    assert_eq!(
        pair.said(7000, mover),
        format!("+OK\r\n{queued}*6\r\n:2\r\n+OK\r\n$1\r\n2\r\n:1\r\n+OK\r\n:0\r\n+PONG\r\n")
    );
    assert_eq!(
        pair.said(7000, incr),
        ":1\r\n",
        "it came after the transaction, which had sent the old value away"
    );
    assert_eq!(pair.said(7000, other), "+OK\r\n");
    assert_eq!(pair.run(7000, "MGET a b c d"), "*4\r\n$4\r\nmine\r\n$1\r\n1\r\n$4\r\nmine\r\n$-1\r\n");
    assert_eq!(pair.run(7001, "MGET a b c d"), "*4\r\n$1\r\n1\r\n$1\r\n2\r\n$-1\r\n$1\r\n1\r\n");
    pair.pass(1_000);
    assert!(pair.equal(7000, 7002), "the replica has done the same");
}

#[test]
fn a_transaction_goes_on_when_its_keys_cannot_leave_or_its_client_has_left() {
    let mut pair = two();
    pair.run(7000, "SET a 1");
    pair.hold(7001, 7000);
    let mover = send(&mut pair, 7000, &format!("MULTI\r\n{MOVE_A}\r\nAPPEND a x\r\nEXEC"));
    let now = pair.now;
    pair.node(7000).closed(now, mover);
    let reader = send(&mut pair, 7000, "GET a");
    pair.pass(900);
    assert_eq!(pair.said(7000, reader), "");
    pair.pass(200);
    assert_eq!(pair.said(7000, reader), "$2\r\n1x\r\n");
    pair.release(7001, 7000);
    assert_eq!(pair.run(7000, "INFO clients").matches("blocked_clients:0").count(), 1);

    let conn = send(
        &mut pair,
        7000,
        &format!("SET a 1\r\nCLIENT REPLY OFF\r\nMULTI\r\n{MOVE_A} REPLACE\r\nPING\r\nEXEC"),
    );
    assert_eq!(pair.said(7000, conn), "+OK\r\n");
    assert_eq!(pair.run(7000, "EXISTS a"), ":0\r\n");
}

#[test]
fn no_replica_gets_half_a_transaction() {
    let mut pair = two();
    pair.run(7000, "MSET a 1 b 1");
    pair.hold(7001, 7000);
    let mover = send(&mut pair, 7000, &format!("MULTI\r\nINCR b\r\n{MOVE_A}\r\nINCR b\r\nEXEC"));
    // It asks for the data in the middle of it.
    pair.start(7002, common::follow(7000));
    pair.pass(500);
    pair.release(7001, 7000);
    assert!(pair.said(7000, mover).ends_with("*3\r\n:2\r\n+OK\r\n:3\r\n"));
    pair.pass(3_000);
    assert_eq!(pair.run(7002, "GET b"), "$1\r\n3\r\n");
    assert!(pair.equal(7000, 7002));
}

#[test]
fn what_concerns_all_data_waits_for_the_keys_under_way() {
    let mut pair = two();
    pair.run(7000, "SET a 1");
    pair.run(7000, "COPY a a DB 1");
    pair.hold(7001, 7000);
    let mover = send(&mut pair, 7000, MOVE_A);
    let swap = send(&mut pair, 7000, "SWAPDB 0 1");
    let follows = send(&mut pair, 7000, "REPLICAOF 127.0.0.1 7001");
    assert_eq!((pair.said(7000, swap), pair.said(7000, follows)), (String::new(), String::new()));
    assert!(pair.run(7000, "ROLE").contains("master"));
    pair.release(7001, 7000);
    assert_eq!(pair.said(7000, mover), "+OK\r\n");
    assert_eq!((pair.said(7000, swap), pair.said(7000, follows)), ("+OK\r\n".into(), "+OK\r\n".into()));
    assert!(pair.run(7000, "ROLE").contains("slave"));
}

#[test]
fn a_replica_that_may_write_sends_its_own_keys_away() {
    let mut pair = two();
    pair.start(7002, |config| {
        config.replica_read_only = false;
        common::follow(7000)(config);
    });
    pair.pass(2_000);
    pair.run(7002, "SET mine 1");
    assert_eq!(pair.run(7002, "MIGRATE 127.0.0.1 7001 mine 0 1000"), "+OK\r\n");
    assert_eq!(pair.run(7002, "EXISTS mine"), ":0\r\n");
}
