//! A real Redis as the master of ours.

use core_types::Frame;
use system::{Kind, Server, data, redis_or_skip, wait};

/// A replica of ours follows a real master with data, synchronised while more is written.
fn follows(test: &str, redis_flags: &[&str]) {
    let Some(master) = redis_or_skip(test, redis_flags) else { return };
    data::write(&mut master.client(), 1, 10_000);
    let port = master.port_text();
    let replica = std::thread::scope(|scope| {
        let writer = scope.spawn(|| data::write(&mut master.client(), 2, 10_000));
        let replica = Server::start(Kind::Ours, &["--replicaof", "127.0.0.1", &port]);
        replica.wait_for_link();
        writer.join().expect("the writer ends");
        replica
    });
    data::write(&mut master.client(), 3, 400);
    replica.wait_for_offset_of(&master);
    let contents = data::read(&master);
    assert!(contents.len() > 20_000, "{} keys", contents.len());
    data::assert_equal(&contents, &data::read(&replica));
}

#[test]
fn real_master_sends_a_payload_with_an_end_mark() {
    follows("real_master_sends_a_payload_with_an_end_mark", &["--repl-diskless-sync", "yes"]);
}

#[test]
fn real_master_sends_a_payload_with_its_length() {
    follows("real_master_sends_a_payload_with_its_length", &["--repl-diskless-sync", "no"]);
}

#[test]
fn real_master_acknowledges_our_offset() {
    let Some(master) = redis_or_skip("real_master_acknowledges_our_offset", &[]) else { return };
    let replica = Server::start(Kind::Ours, &[]);
    replica.run(&format!("REPLICAOF 127.0.0.1 {}", master.port()));
    replica.wait_for_link();
    let mut client = master.client();
    client.run("SET k v");
    // WAIT sends GETACK down the stream and counts the replicas that answer with this offset.
    assert_eq!(client.run("WAIT 1 60000"), Frame::Integer(1));
}

#[test]
fn wrong_masterauth_is_logged_and_heals() {
    let test = "wrong_masterauth_is_logged_and_heals";
    let Some(master) = redis_or_skip(test, &["--requirepass", "secret"]) else { return };
    let port = master.port_text();
    let mut client = master.client();
    client.run("AUTH secret");
    client.run("SET k v");
    let replica = Server::start(Kind::Ours, &["--replicaof", "127.0.0.1", &port, "--masterauth", "wrong"]);
    replica.wait_for_log("Unable to AUTH to MASTER: -WRONGPASS");
    let tries = || replica.log().matches("Unable to AUTH to MASTER").count();
    wait::until("a second attempt", || tries() >= 2);
    assert_eq!(replica.info("master_link_status"), "down");
    assert_eq!(replica.run("CONFIG SET masterauth secret"), Frame::Simple("OK".into()));
    replica.wait_for_link();
    assert_eq!(replica.run("GET k"), Frame::Bulk("v".into()));
}

#[test]
fn missing_masterauth_is_logged() {
    let test = "missing_masterauth_is_logged";
    let Some(master) = redis_or_skip(test, &["--requirepass", "secret"]) else { return };
    let port = master.port_text();
    let replica = Server::start(Kind::Ours, &["--replicaof", "127.0.0.1", &port]);
    replica.wait_for_log("NOAUTH Authentication required");
    assert_eq!(replica.info("master_link_status"), "down");
    replica.run("CONFIG SET masterauth secret");
    replica.wait_for_link();
}

#[test]
fn a_stream_with_transactions_and_select_is_applied() {
    let Some(master) = redis_or_skip("a_stream_with_transactions_and_select_is_applied", &[]) else { return };
    let replica = Server::start(Kind::Ours, &[]);
    replica.run(&format!("REPLICAOF 127.0.0.1 {}", master.port()));
    replica.wait_for_link();
    let mut client = master.client();
    for command in [
        "MULTI",
        "SET a 1",
        "SELECT 3",
        "SET b 2",
        "EXEC",
        "INCRBYFLOAT f 1.5",
        "SET c 3 EX 1000",
        "EXPIRE b 500",
        "GETEX c PERSIST",
        "MOVE b 4",
        "SELECT 4",
        "RENAME b d",
        "COPY d e",
        "SWAPDB 0 1",
        "SET gone x",
        "UNLINK gone",
    ] {
        let reply = client.run(command);
        assert!(!matches!(reply, Frame::Error(_)), "{command}: {reply:?}");
    }
    replica.wait_for_offset_of(&master);
    let contents = data::read(&master);
    assert!(contents.len() >= 5, "{contents:?}");
    data::assert_equal(&contents, &data::read(&replica));
}
