//! Sentinels of ours and of Redis in one quorum, over masters and replicas of both kinds.
//!
//! In each test the master is killed. All sentinels must agree on the replica with the lower priority, whoever led;
//! the other replica must follow it; and the old master, when it is back, must become its replica.

use core_types::Frame;
use system::{Client, Kind, Sentinel, Server, redis_tool_or_skip, valkey_or_skip, wait};

use Kind::{Ours, Redis, Valkey};

struct Group {
    master: Server,
    preferred: Server,
    other: Server,
    sentinels: Vec<Sentinel>,
}

fn group(sentinels: [Kind; 3], nodes: [Kind; 3]) -> Group {
    let master = Server::start(nodes[0], &[]);
    let port = master.port_text();
    let of = ["--replicaof", "127.0.0.1", &port];
    let preferred = Server::start(nodes[1], &[&of[..], &["--replica-priority", "10"]].concat());
    let other = Server::start(nodes[2], &of);
    preferred.wait_for_link();
    other.wait_for_link();
    let sentinels: Vec<Sentinel> =
        sentinels.into_iter().map(|kind| Sentinel::start(kind, master.port(), 2)).collect();
    for sentinel in &sentinels {
        wait::until("all to be found", || {
            sentinel.master_field("num-slaves") == "2" && sentinel.master_field("num-other-sentinels") == "2"
        });
        // And each of them reached, with its priority known.
        wait::until("the replicas' INFO", || {
            sentinel.fields_of("REPLICAS", "slave-priority") == ["10", "100"]
                && sentinel.fields_of("REPLICAS", "master-link-status") == ["ok", "ok"]
        });
    }
    Group { master, preferred, other, sentinels }
}

/// A field of `INFO replication`. A sentinel that changes a node's role sends its clients away, us too: then there is none.
fn field(server: &Server, name: &str) -> Option<String> {
    let answer = Client::connect(server.port()).ok()?.try_call(&["INFO", "replication"]).ok()?;
    let text = String::from_utf8_lossy(answer.as_bytes()?).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.map(str::to_owned)
}

/// It follows the other one, and the link is up.
fn follows(replica: &Server, master: &Server) -> bool {
    field(replica, "master_port") == Some(master.port_text())
        && field(replica, "master_link_status").as_deref() == Some("up")
}

fn survives_the_death_of_its_master(sentinels: [Kind; 3], nodes: [Kind; 3]) {
    let Group { mut master, preferred, other, sentinels } = group(sentinels, nodes);
    master.run("SET before 1");
    preferred.wait_for_offset_of(&master);
    master.kill();
    for sentinel in &sentinels {
        wait::until("all sentinels to agree", || sentinel.master_port() == Some(preferred.port()));
    }
    wait::until("the other replica to follow", || follows(&other, &preferred));
    wait::until("the promotion", || field(&preferred, "role").as_deref() == Some("master"));
    let kept =
        wait::find("the data", || Client::connect(preferred.port()).ok()?.try_call(&["GET", "before"]).ok());
    assert_eq!(kept, Frame::Bulk("1".into()));

    master.restart();
    wait::until("the old master to follow", || follows(&master, &preferred));
    let epochs: Vec<String> =
        sentinels.iter().map(|sentinel| sentinel.master_field("config-epoch")).collect();
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0] && epoch != "0"), "{epochs:?}");
    for sentinel in &sentinels {
        // Who led says so last: when the other replica follows, too.
        wait::until("+switch-master", || sentinel.log().contains("+switch-master"));
        assert_eq!(sentinel.log().matches("+switch-master").count(), 1, "one failover, told once");
        let line = format!("sentinel monitor watched 127.0.0.1 {} 2", preferred.port());
        assert!(sentinel.file().contains(&line), "it is in the file:\n{}", sentinel.file());
    }
}

#[test]
fn two_of_ours_and_one_of_redis_over_redis() {
    if redis_tool_or_skip("two_of_ours_and_one_of_redis_over_redis", "redis-server").is_some() {
        survives_the_death_of_its_master([Ours, Ours, Redis], [Redis, Ours, Redis]);
    }
}

#[test]
fn two_of_ours_and_one_of_redis_over_ours() {
    if redis_tool_or_skip("two_of_ours_and_one_of_redis_over_ours", "redis-server").is_some() {
        survives_the_death_of_its_master([Ours, Ours, Redis], [Ours, Redis, Ours]);
    }
}

#[test]
fn one_of_ours_and_two_of_redis_over_redis() {
    if redis_tool_or_skip("one_of_ours_and_two_of_redis_over_redis", "redis-server").is_some() {
        survives_the_death_of_its_master([Ours, Redis, Redis], [Redis, Ours, Redis]);
    }
}

#[test]
fn one_of_ours_and_two_of_redis_over_ours() {
    if redis_tool_or_skip("one_of_ours_and_two_of_redis_over_ours", "redis-server").is_some() {
        survives_the_death_of_its_master([Ours, Redis, Redis], [Ours, Redis, Ours]);
    }
}

#[test]
fn two_of_ours_and_one_of_valkey_over_valkey() {
    if valkey_or_skip("two_of_ours_and_one_of_valkey_over_valkey").is_some() {
        survives_the_death_of_its_master([Ours, Ours, Valkey], [Valkey, Ours, Valkey]);
    }
}

#[test]
fn one_of_ours_and_two_of_valkey_over_ours() {
    if valkey_or_skip("one_of_ours_and_two_of_valkey_over_ours").is_some() {
        survives_the_death_of_its_master([Ours, Valkey, Valkey], [Ours, Valkey, Ours]);
    }
}

#[test]
fn all_of_ours() {
    survives_the_death_of_its_master([Ours; 3], [Ours; 3]);
}
