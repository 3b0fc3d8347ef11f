//! Becoming a replica, changing masters, becoming a master again; the words of INFO and ROLE.

use core_types::Frame;
use system::{Client, Kind, Server, data, redis_or_skip, wait};

fn follow(replica: &Server, master: &Server) {
    let reply = replica.run(&format!("REPLICAOF 127.0.0.1 {}", master.port()));
    assert_eq!(reply, Frame::Simple("OK".into()));
}

fn bulk(text: &str) -> Frame {
    Frame::Bulk(text.to_owned().into())
}

#[test]
fn ours_of_ours_of_ours() {
    let top = Server::start(Kind::Ours, &[]);
    data::write(&mut top.client(), 1, 2_000);
    let (middle, port) = (Server::start(Kind::Ours, &[]), top.port_text());
    let flag = Server::start(Kind::Ours, &["--slaveof", "127.0.0.1", &port]);
    assert_eq!(middle.run(&format!("SLAVEOF 127.0.0.1 {port}")), Frame::Simple("OK".into()));
    middle.wait_for_link();
    let leaf = Server::start(Kind::Ours, &[]);
    follow(&leaf, &middle);
    leaf.wait_for_link();
    data::write(&mut top.client(), 2, 2_000);
    flag.wait_for_offset_of(&top);
    middle.wait_for_offset_of(&top);
    leaf.wait_for_offset_of(&middle);
    let contents = data::read(&top);
    for replica in [&flag, &middle, &leaf] {
        data::assert_equal(&contents, &data::read(replica));
    }
    assert_eq!(leaf.info("master_replid"), top.info("master_replid"));
    assert_eq!(leaf.info("master_repl_offset"), top.info("master_repl_offset"));
}

#[test]
fn no_one_keeps_the_data_and_takes_writes() {
    let master = Server::start(Kind::Ours, &[]);
    let replica = Server::start(Kind::Ours, &[]);
    master.run("SET k v");
    follow(&replica, &master);
    replica.wait_for_offset_of(&master);
    let id = replica.info("master_replid");
    assert_eq!(replica.run("REPLICAOF NO ONE"), Frame::Simple("OK".into()));
    assert_eq!(replica.info("role"), "master");
    assert_ne!(replica.info("master_replid"), id, "a new history has a new name");
    assert_eq!(replica.run("GET k"), bulk("v"));
    assert_eq!(replica.run("SET own write"), Frame::Simple("OK".into()));
    master.run("SET later x");
    assert_eq!(replica.run("EXISTS later"), Frame::Integer(0));
    wait::until("the master sees it go", || master.info("connected_slaves") == "0");
}

#[test]
fn switching_masters_replaces_the_data() {
    let (first, second) = (Server::start(Kind::Ours, &[]), Server::start(Kind::Ours, &[]));
    data::write(&mut first.client(), 1, 400);
    data::write(&mut second.client(), 2, 400);
    let replica = Server::start(Kind::Ours, &[]);
    follow(&replica, &first);
    replica.wait_for_offset_of(&first);
    let again = replica.run(&format!("REPLICAOF 127.0.0.1 {}", first.port()));
    assert_eq!(again, Frame::Simple("OK Already connected to specified master".into()));
    follow(&replica, &second);
    wait::until("the second history", || replica.info("master_replid") == second.info("master_replid"));
    replica.wait_for_offset_of(&second);
    data::assert_equal(&data::read(&second), &data::read(&replica));
}

#[test]
fn master_is_killed_and_comes_back() {
    let mut master = Server::start(Kind::Ours, &[]);
    let replica = Server::start(Kind::Ours, &[]);
    master.run("SET k v");
    follow(&replica, &master);
    replica.wait_for_offset_of(&master);
    master.kill();
    wait::until("the link is down", || replica.info("master_link_status") == "down");
    assert_eq!(replica.run("GET k"), bulk("v"), "stale reads are served by default");
    replica.run("CONFIG SET replica-serve-stale-data no");
    let refused = Frame::Error(
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.".into(),
    );
    assert_eq!(replica.run("GET k"), refused);
    replica.wait_for_log("Error condition on socket for SYNC: Connection refused");
    master.restart();
    replica.wait_for_link();
    replica.wait_for_offset_of(&master);
    assert_eq!(replica.run("EXISTS k"), Frame::Integer(0), "it came back empty");
}

#[test]
fn a_replica_is_read_only_until_told_otherwise() {
    let master = Server::start(Kind::Ours, &[]);
    let replica = Server::start(Kind::Ours, &[]);
    follow(&replica, &master);
    replica.wait_for_link();
    let refused = Frame::Error("READONLY You can't write against a read only replica.".into());
    for command in ["SET k v", "DEL k", "EXPIRE k 1", "FLUSHALL", "INCR n"] {
        assert_eq!(replica.run(command), refused, "{command}");
    }
    replica.run("CONFIG SET slave-read-only no");
    assert_eq!(replica.run("SET k v"), Frame::Simple("OK".into()));
    assert_eq!(master.run("EXISTS k"), Frame::Integer(0), "a write here stays here");
}

#[test]
fn expired_keys_leave_a_replica_by_its_masters_del() {
    let master = Server::start(Kind::Ours, &[]);
    let replica = Server::start(Kind::Ours, &[]);
    follow(&replica, &master);
    replica.wait_for_link();
    master.run("SET short life PX 50");
    master.run("SET long life");
    let mut client = replica.client();
    wait::until("the DEL at the replica", || {
        client.run("EXISTS long") == Frame::Integer(1) && client.run("DBSIZE") == Frame::Integer(1)
    });
    assert_eq!(client.run("GET short"), Frame::Null);
}

/// The names of the fields in a section of INFO, and ROLE's types.
fn shape(client: &mut Client) -> (Vec<String>, Vec<String>) {
    let reply = client.run("INFO replication");
    let text = String::from_utf8_lossy(reply.as_bytes().unwrap_or_default()).into_owned();
    let names = text.lines().filter_map(|line| Some(line.split_once(':')?.0.to_owned()));
    // The backlog is chapter 2's.
    let fields = names.filter(|name| !name.starts_with("repl_backlog")).collect();
    let Frame::Array(role) = client.run("ROLE") else { panic!("ROLE is a list") };
    let types = role.iter().map(|part| match part {
        Frame::Bulk(word) => String::from_utf8_lossy(word).into_owned(),
        Frame::Integer(_) => "a number".into(),
        Frame::Array(rows) => format!("{} rows", rows.len()),
        other => format!("{other:?}"),
    });
    (fields, types.collect())
}

#[test]
fn info_and_role_have_the_shape_of_redis() {
    let test = "info_and_role_have_the_shape_of_redis";
    let Some(real) = redis_or_skip(test, &[]) else { return };
    let ours = Server::start(Kind::Ours, &[]);
    let real_replica = Server::start(Kind::Redis, &[]);
    let our_replica = Server::start(Kind::Ours, &[]);
    assert_eq!(shape(&mut ours.client()), shape(&mut real.client()), "masters without replicas");
    follow(&our_replica, &real);
    follow(&real_replica, &ours);
    our_replica.wait_for_offset_of(&real);
    real_replica.wait_for_offset_of(&ours);
    let row = |server: &Server| {
        wait::find("an online replica", || {
            Some(server.info("slave0")).filter(|row| row.contains("state=online"))
        })
    };
    // A replica counts in ROLE once its first acknowledgement is there.
    let (our_row, real_row) = (row(&ours), row(&real));
    assert_eq!(shape(&mut ours.client()), shape(&mut real.client()), "masters with one replica");
    let (our_fields, mut our_role) = shape(&mut our_replica.client());
    let (real_fields, mut real_role) = shape(&mut real_replica.client());
    (our_role[1], real_role[1]) = ("host".into(), "host".into());
    assert_eq!(our_fields, real_fields, "replicas");
    assert_eq!(our_role, real_role, "replicas");
    let names = |row: &str| {
        row.split(',').map(|pair| pair.split('=').next().unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&our_row), names(&real_row), "the row of a replica");
}
