//! A real Redis as a replica of ours.

use system::{Kind, Server, data, redis_or_skip, redis_tool_or_skip, wait};

/// A real replica of a master of ours with data, synchronised while more is written.
fn follows(test: &str, our_flags: &[&str], redis_flags: &[&str]) {
    if redis_tool_or_skip(test, "redis-server").is_none() {
        return;
    }
    let master = Server::start(Kind::Ours, our_flags);
    data::write(&mut master.client(), 1, 10_000);
    let port = master.port_text();
    let mut flags = vec!["--replicaof", "127.0.0.1", &port];
    flags.extend(redis_flags);
    // Writes go on from before the replica's first word until after its link is up.
    let replica = std::thread::scope(|scope| {
        let writer = scope.spawn(|| data::write(&mut master.client(), 2, 10_000));
        let replica = Server::start(Kind::Redis, &flags);
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
fn real_replica_gets_a_payload_with_an_end_mark() {
    follows("real_replica_gets_a_payload_with_an_end_mark", &["--repl-diskless-sync", "yes"], &[]);
}

#[test]
fn real_replica_gets_a_payload_with_its_length() {
    follows("real_replica_gets_a_payload_with_its_length", &["--repl-diskless-sync", "no"], &[]);
}

#[test]
fn real_replica_loads_from_the_socket() {
    let load = ["--repl-diskless-load", "swapdb"];
    follows("real_replica_loads_from_the_socket", &["--repl-diskless-sync", "yes"], &load);
}

#[test]
fn real_replica_gets_a_del_for_a_key_that_expired() {
    let Some(replica) = redis_or_skip("real_replica_gets_a_del_for_a_key_that_expired", &[]) else { return };
    let master = Server::start(Kind::Ours, &[]);
    replica.run(&format!("REPLICAOF 127.0.0.1 {}", master.port()));
    replica.wait_for_link();
    master.run("SET short life PX 50");
    master.run("SET long life");
    // A replica of Redis 7 hides a key whose time is up but keeps it until the DEL: DBSIZE tells.
    let mut client = replica.client();
    let one = core_types::Frame::Integer(1);
    wait::until("the DEL at the replica", || client.run("EXISTS long") == one && client.run("DBSIZE") == one);
}

#[test]
fn real_replica_survives_its_masters_crash() {
    let Some(replica) = redis_or_skip("real_replica_survives_its_masters_crash", &[]) else { return };
    let mut master = Server::start(Kind::Ours, &[]);
    replica.run(&format!("REPLICAOF 127.0.0.1 {}", master.port()));
    master.run("SET before crash");
    replica.wait_for_offset_of(&master);
    master.restart();
    master.run("SET after crash");
    let mut client = replica.client();
    wait::until("the write after the crash", || {
        client.run("EXISTS after").eq(&core_types::Frame::Integer(1))
    });
    replica.wait_for_offset_of(&master);
    // The master has no persistence: it came back empty, and so did its replica.
    data::assert_equal(&data::read(&master), &data::read(&replica));
    assert_eq!(client.run("EXISTS before"), core_types::Frame::Integer(0));
}

#[test]
fn real_replica_with_a_wrong_password_heals() {
    let test = "real_replica_with_a_wrong_password_heals";
    let Some(replica) = redis_or_skip(test, &["--masterauth", "wrong"]) else { return };
    let master = Server::start(Kind::Ours, &["--requirepass", "secret"]);
    replica.run(&format!("REPLICAOF 127.0.0.1 {}", master.port()));
    replica.wait_for_log("Unable to AUTH to MASTER: -WRONGPASS");
    replica.run("CONFIG SET masterauth secret");
    replica.wait_for_link();
}
