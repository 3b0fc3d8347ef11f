//! Nodes of ours and of Redis find out together that one of them is dead, and that it is back: whoever counts the
//! majority first tells the others, and is believed by both kinds.
//!
//! No replica may stand for election here (`cluster-replica-no-failover`): this is about the diagnosis, not the cure.

use core_types::Frame;
use system::cluster::nodes;
use system::{Cluster, Kind, Server, redis_tool_or_skip, wait};

use Kind::{Ours, Redis};

const FLAGS: [&str; 4] = ["--cluster-node-timeout", "3000", "--cluster-replica-no-failover", "yes"];

/// What the others say of a member: its flags.
fn flags_of(cluster: &Cluster, about: &str, survivors: &[usize]) -> Vec<String> {
    let told = |index: &usize| {
        let line = nodes(&cluster.servers[*index]).into_iter().find(|line| line.id == about);
        line.map_or(String::new(), |line| line.flags.join(","))
    };
    survivors.iter().map(told).collect()
}

fn wait_until_all_say(cluster: &Cluster, about: &str, survivors: &[usize], flags: &str) {
    wait::until(&format!("all survivors to call {about} `{flags}`"), || {
        flags_of(cluster, about, survivors).iter().all(|said| said == flags)
    });
}

fn info(server: &Server, field: &str) -> String {
    let Frame::Bulk(text) = server.run("CLUSTER INFO") else { panic!("no information") };
    let text = String::from_utf8_lossy(&text).into_owned();
    let found = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':').map(str::to_owned));
    found.unwrap_or_default()
}

fn wait_for_state(cluster: &Cluster, servers: &[usize], state: &str) {
    wait::until(&format!("cluster_state:{state}"), || {
        servers.iter().all(|index| info(&cluster.servers[*index], "cluster_state") == state)
    });
}

/// Kills these of three masters and three replicas in turn, and starts each again.
fn deaths_and_returns(masters: [Kind; 3], replicas: [Kind; 3], deaths: &[usize]) {
    let mut cluster = Cluster::with_replicas(&masters, &replicas, &FLAGS);
    for &dead in deaths {
        let id = cluster.id(dead);
        let survivors: Vec<usize> = (0..6).filter(|index| *index != dead).collect();
        let role = if dead < 3 { "master" } else { "slave" };
        let failed = if dead < 3 { "master,fail" } else { "slave,fail,nofailover" };
        let well = if dead < 3 { "master,nofailover" } else { "slave,nofailover" };
        let failed = if dead < 3 { "master,fail,nofailover" } else { failed };
        cluster.servers[dead].kill();
        wait_until_all_say(&cluster, &id, &survivors, failed);
        wait_for_state(&cluster, &survivors, if dead < 3 { "fail" } else { "ok" });
        // Everybody knows how it knows.
        let marked = format!("Marking node {id} as failing (quorum reached).");
        let told = format!("about {id}");
        for index in &survivors {
            let log = cluster.servers[*index].log();
            let heard =
                log.lines().any(|line| line.contains("FAIL message received from") && line.contains(&told));
            assert!(log.contains(&marked) || heard, "server {index} does not say why:\n{log}");
        }
        assert!(survivors.iter().any(|index| cluster.servers[*index].log().contains(&marked)));
        let sent = |index: &usize| info(&cluster.servers[*index], "cluster_stats_messages_fail_sent");
        assert!(survivors.iter().any(|index| !sent(index).is_empty()), "somebody has told the others");

        cluster.servers[dead].restart();
        wait_until_all_say(&cluster, &id, &survivors, well);
        wait_for_state(&cluster, &[0, 1, 2, 3, 4, 5], "ok");
        let why = match role {
            "master" => "is reachable again and nobody is serving its slots after some time.",
            _ => "replica is reachable again.",
        };
        for index in survivors {
            let log = cluster.servers[index].log();
            assert!(
                log.contains(&format!("Clear FAIL state for node {id}: {why}")),
                "server {index}:\n{log}"
            );
        }
    }
}

#[test]
fn six_of_ours_agree_on_each_death_and_each_return() {
    deaths_and_returns([Ours; 3], [Ours; 3], &[0, 4]);
}

#[test]
fn ours_and_redis_in_turn_agree_on_each_death_and_each_return() {
    if redis_tool_or_skip("ours_and_redis_in_turn_agree_on_each_death", "redis-server").is_some() {
        deaths_and_returns([Ours, Redis, Ours], [Redis, Ours, Redis], &[0, 1, 4]);
    }
}

#[test]
fn masters_of_one_kind_and_replicas_of_the_other_agree() {
    if redis_tool_or_skip("masters_of_one_kind_and_replicas_of_the_other_agree", "redis-server").is_some() {
        deaths_and_returns([Ours; 3], [Redis; 3], &[0]);
        deaths_and_returns([Redis; 3], [Ours; 3], &[0]);
    }
}

/// A replica that would itself be patient for a minute has no doubt of its own: only the word of the masters can make
/// it call somebody failed.
fn the_word_alone(masters: Kind, listener: Kind) {
    let mut cluster = Cluster::with_replicas(&[masters; 3], &[listener], &FLAGS);
    let patient = cluster.servers[3].run("CONFIG SET cluster-node-timeout 60000");
    assert_eq!(patient, Frame::Simple("OK".into()));
    let id = cluster.id(2);
    cluster.servers[2].kill();
    wait_until_all_say(&cluster, &id, &[0, 1, 3], "master,fail,nofailover");
    let teller = [0, 1].map(|index| format!("FAIL message received from {} about {id}", cluster.id(index)));
    let log = cluster.servers[3].log();
    assert!(teller.iter().any(|text| log.contains(text)), "{log}");
    assert!(!log.contains("Marking node"), "{log}");
    assert_ne!(info(&cluster.servers[3], "cluster_stats_messages_fail_received"), "");
}

#[test]
fn the_word_of_ours_is_enough_for_redis_and_the_other_way_round() {
    if redis_tool_or_skip("the_word_of_ours_is_enough_for_redis", "redis-server").is_some() {
        the_word_alone(Ours, Redis);
        the_word_alone(Redis, Ours);
    }
}

/// One of three masters is left: it has doubts about both others, and nobody to agree with.
#[test]
fn whoever_is_left_alone_stops_and_declares_nobody_dead() {
    for kind in system::both("whoever_is_left_alone_stops_and_declares_nobody_dead") {
        let mut cluster = Cluster::masters(&[kind; 3], &FLAGS[..2]);
        let ids = [0, 1, 2].map(|index| cluster.id(index));
        // Both at once: otherwise the two that are left agree on the first.
        for index in [1, 2] {
            assert!(cluster.servers[index].is_alive());
        }
        let (one, other) = cluster.servers.split_at_mut(2);
        one[1].kill();
        other[0].kill();
        for id in &ids[1..] {
            wait_until_all_say(&cluster, id, &[0], "master,fail?");
        }
        wait_for_state(&cluster, &[0], "fail");
        let key = "{06S}";
        let refused = cluster.servers[0].run(&format!("SET {key} value"));
        assert_eq!(refused, Frame::Error("CLUSTERDOWN The cluster is down".into()));
        for id in &ids[1..] {
            let reports = cluster.servers[0].run(&format!("CLUSTER COUNT-FAILURE-REPORTS {id}"));
            assert_eq!(reports, Frame::Integer(0));
        }
        // They come back, and it waits before it serves again.
        for index in [1, 2] {
            cluster.servers[index].restart();
        }
        cluster.wait_until_up();
        assert_eq!(cluster.servers[0].run(&format!("SET {key} value")), Frame::Simple("OK".into()));
    }
}
