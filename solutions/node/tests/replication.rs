//! Two nodes joined by nothing but this test's loop: what one has to say, the other hears at once.

mod common;

use common::{Pair, follow};

#[test]
fn a_replica_gets_what_was_there_and_what_comes() {
    for diskless in [false, true] {
        let mut pair = Pair::new();
        pair.start(7000, |config| config.repl_diskless_sync = diskless);
        pair.run(7000, "SET before 1");
        pair.start(7001, follow(7000));
        pair.pass(300);
        pair.run(7000, "SET after 2");
        pair.run(7000, "INCR counter");
        assert_eq!(pair.run(7001, "GET before"), "$1\r\n1\r\n", "{:#?}", pair.log);
        assert_eq!(pair.run(7001, "GET after"), "$1\r\n2\r\n");
        assert_eq!(pair.node(7000).replication_offset(), pair.node(7001).replication_offset());
        assert_eq!(pair.node(7000).replication_id(), pair.node(7001).replication_id());
        assert!(pair.equal(7000, 7001));
        pair.pass(2_000);
        assert!(pair.run(7000, "INFO replication").contains("slave0:ip=127.0.0.1,port=7001,state=online"));
    }
}

#[test]
fn databases_are_told_apart_and_expiry_travels_as_a_point_in_time() {
    let mut pair = Pair::new();
    pair.start(7000, |_| {});
    pair.start(7001, follow(7000));
    pair.pass(300);
    let (now, conn) = (pair.now, pair.client(7000));
    pair.node(7000).receive(now, conn, b"SELECT 3\r\nSET k v EX 1\r\nSELECT 0\r\nSET k w\r\n");
    pair.settle();
    assert!(pair.equal(7000, 7001));
    pair.pass(1_500);
    assert!(pair.equal(7000, 7001), "the master's DEL has reached the replica");
    assert_eq!(pair.node(7001).keyspace().len(3), 0);
}

#[test]
fn a_replica_refuses_writes_and_keeps_its_data_when_promoted() {
    let mut pair = Pair::new();
    pair.start(7000, |_| {});
    pair.run(7000, "SET k v");
    pair.start(7001, follow(7000));
    pair.pass(300);
    assert_eq!(pair.run(7001, "SET k w"), "-READONLY You can't write against a read only replica.\r\n");
    assert_eq!(pair.run(7001, "REPLICAOF NO ONE"), "+OK\r\n");
    assert_eq!(pair.run(7001, "SET more x"), "+OK\r\n");
    assert_eq!(pair.run(7001, "GET k"), "$1\r\nv\r\n");
    assert!(pair.run(7001, "ROLE").starts_with("*3\r\n$6\r\nmaster\r\n"));
}

#[test]
fn a_chain_passes_the_masters_bytes_on_unchanged() {
    let mut pair = Pair::new();
    pair.start(7000, |_| {});
    pair.start(7001, follow(7000));
    pair.pass(300);
    let (now, conn) = (pair.now, pair.client(7000));
    pair.node(7000).receive(now, conn, b"SELECT 5\r\nSET five 5\r\n");
    pair.settle();
    pair.start(7002, follow(7001));
    pair.pass(300);
    // No SELECT goes with this one: the leaf must know from the snapshot that the stream is in database 5.
    pair.node(7000).receive(now, conn, b"SET more 6\r\n");
    pair.settle();
    assert!(pair.equal(7000, 7002), "{:#?}", pair.log);
    assert_eq!(pair.node(7002).keyspace().len(5), 2);
    assert_eq!(pair.node(7000).replication_offset(), pair.node(7002).replication_offset());
}

#[test]
fn a_wrong_password_is_tried_again_until_it_is_right() {
    let mut pair = Pair::new();
    pair.start(7000, |config| config.requirepass = Some("secret".into()));
    pair.start(7001, |config| {
        follow(7000)(config);
        config.masterauth = Some("guess".into());
    });
    pair.pass(3_000);
    assert!(pair.log.iter().any(|line| line.contains("Unable to AUTH to MASTER")), "{:#?}", pair.log);
    pair.run(7001, "CONFIG SET masterauth secret");
    pair.pass(3_000);
    assert!(pair.run(7001, "INFO replication").contains("master_link_status:up"));
}
