//! An operator has a replica take over.

use std::time::Duration;

use core_types::Frame;
use system::{Client, Cluster, Kind, both, redis_tool_or_skip, valkey_or_skip, wait};

use crate::agreement::{check, told_by, wait_until_all_follow, wait_until_replica, wait_until_well};
use crate::load::{list_of, under_load};
use crate::{FLAGS, MASTERS};

use Kind::{Ours, Redis, Valkey};

/// An operator moves each master's place to its replica, and back, while clients write. Nothing is lost, and nobody
/// needs all data anew.
fn places_are_handed_over_and_back(masters: [Kind; 3], replicas: [Kind; 3]) {
    let mut cluster = Cluster::with_replicas(&masters, &replicas, &FLAGS);
    let full_syncs = |cluster: &Cluster| -> Vec<String> {
        cluster.servers.iter().map(|server| server.info("sync_full")).collect()
    };
    let before = full_syncs(&cluster);
    let load = under_load(&mut cluster, |cluster, load| {
        for place in 0..MASTERS {
            for (from, to) in [(place, place + MASTERS), (place + MASTERS, place)] {
                assert_eq!(cluster.servers[to].run("CLUSTER FAILOVER"), Frame::Simple("OK".into()));
                let all: Vec<usize> = (0..2 * MASTERS).collect();
                wait_until_all_follow(cluster, &all, to);
                cluster.servers[from].wait_for_link();
                wait_until_well(cluster);
                load.wait_for_all();
            }
        }
    });
    for index in 0..MASTERS {
        assert_eq!(
            load.lost(index, &cluster),
            [],
            "of list {index}, {} were acknowledged",
            load.count(index)
        );
    }
    assert_eq!(full_syncs(&cluster), before, "everybody went on where it was");
    eprintln!("{masters:?} {replicas:?} refused: {:?}", load.refused.lock().expect("no panic"));
    check(&cluster);
}

#[test]
fn ours_hand_over_to_ours() {
    places_are_handed_over_and_back([Ours; 3], [Ours; 3]);
}

#[test]
fn ours_and_redis_hand_over_to_each_other() {
    if redis_tool_or_skip("ours_and_redis_hand_over_to_each_other", "redis-server").is_some() {
        places_are_handed_over_and_back([Ours, Redis, Ours], [Redis, Ours, Redis]);
    }
}

#[test]
fn ours_and_valkey_hand_over_to_each_other() {
    if valkey_or_skip("ours_and_valkey_hand_over_to_each_other").is_some() {
        places_are_handed_over_and_back([Ours, Valkey, Ours], [Valkey, Ours, Valkey]);
    }
}

/// Asks a replica to take over until it does: voters may want a pause between two votes about one master, and an attempt
/// without votes ends after five seconds.
fn take_over(cluster: &Cluster, replica: usize, way: &str, alive: &[usize]) {
    wait::until(&format!("server {replica} to take over by {way}"), || {
        let ok = Frame::Simple("OK".into());
        assert_eq!(cluster.servers[replica].run(format!("CLUSTER FAILOVER {way}").trim_end()), ok);
        // Not what it says of its data: a replica that has just started follows nobody yet, and calls itself a master.
        let port = cluster.servers[replica].port();
        let done = || told_by(&cluster.servers[replica], port).filter(|node| node.is("master"));
        wait::find_within(Duration::from_secs(6), done).is_some()
    });
    wait_until_all_follow(cluster, alive, replica);
}

/// `CLUSTER FAILOVER` asks a master that is dead for nothing; `FORCE` does not ask it, and `TAKEOVER` asks nobody.
fn force_and_takeover(masters: [Kind; 3], replicas: [Kind; 3]) {
    // Nobody stands for election by itself.
    let flags = [&FLAGS[..], &["--cluster-replica-no-failover", "yes"]].concat();
    let mut cluster = Cluster::with_replicas(&masters, &replicas, &flags);
    let alive = |dead: &[usize]| -> Vec<usize> { (0..6).filter(|index| !dead.contains(index)).collect() };
    // The master lives: it hears of it by the new epoch.
    take_over(&cluster, 3, "FORCE", &alive(&[]));
    wait_until_replica(&cluster, 0, 3);
    take_over(&cluster, 0, "TAKEOVER", &alive(&[]));
    wait_until_replica(&cluster, 3, 0);
    // The master is dead.
    cluster.servers[0].kill();
    let failed = |port: u16| {
        let cluster = &cluster;
        move || told_by(&cluster.servers[3], port).is_some_and(|node| node.is("fail"))
    };
    wait::until("the master's death to be known", failed(cluster.servers[0].port()));
    let refused = cluster.servers[3].run("CLUSTER FAILOVER");
    let text = "ERR Master is down or failed, please use CLUSTER FAILOVER FORCE";
    assert_eq!(refused, Frame::Error(text.into()));
    take_over(&cluster, 3, "FORCE", &alive(&[0]));
    // So are most: no vote can be had.
    cluster.servers[1].kill();
    cluster.servers[2].kill();
    let suspected = |port: u16| told_by(&cluster.servers[4], port).is_some_and(|node| node.flags.len() > 1);
    wait::until("two to be missed", || [1, 2].iter().all(|dead| suspected(cluster.servers[*dead].port())));
    for replica in [4, 5] {
        take_over(&cluster, replica, "TAKEOVER", &alive(&[0, 1, 2]));
    }
    // And all come back as replicas.
    (0..MASTERS).for_each(|dead| cluster.servers[dead].restart());
    (0..MASTERS).for_each(|dead| wait_until_replica(&cluster, dead, dead + MASTERS));
    wait_until_well(&cluster);
    check(&cluster);
}

#[test]
fn force_and_takeover_in_a_cluster_of_ours() {
    force_and_takeover([Ours; 3], [Ours; 3]);
}

#[test]
fn force_and_takeover_in_a_cluster_of_both() {
    if redis_tool_or_skip("force_and_takeover_in_a_cluster_of_both", "redis-server").is_some() {
        force_and_takeover([Redis, Ours, Redis], [Ours, Redis, Ours]);
    }
}

/// What a node answers to a `CLUSTER FAILOVER` that cannot be.
fn refusals(kind: Kind) -> Vec<Frame> {
    let flags = [&FLAGS[..], &["--cluster-replica-no-failover", "yes"]].concat();
    let mut cluster = Cluster::with_replicas(&[kind; 3], &[kind], &flags);
    let mut answers = Vec::new();
    for server in [0, 3] {
        for words in ["", "please", "FORCE now", "TAKEOVER FORCE", "takeovers"] {
            // A replica of a master that is well agrees to the plain form.
            if server == 0 || !words.is_empty() {
                answers.push(cluster.servers[server].run(&format!("CLUSTER FAILOVER {words}")));
            }
        }
    }
    for word in ["force", "TakeOver"] {
        answers.push(cluster.servers[0].run(&format!("CLUSTER FAILOVER {word}")));
    }
    cluster.servers[0].kill();
    let dead = cluster.servers[0].port();
    wait::until("the death to be known", || {
        told_by(&cluster.servers[3], dead).is_some_and(|node| node.is("fail"))
    });
    answers.push(cluster.servers[3].run("CLUSTER FAILOVER"));
    answers
}

#[test]
fn what_cannot_be_is_refused_in_the_words_of_redis() {
    let [ours, redis] = match both("what_cannot_be_is_refused_in_the_words_of_redis")[..] {
        [_, _] => [Ours, Redis].map(refusals),
        _ => return,
    };
    assert_eq!(ours, redis);
    assert!(ours.iter().all(|answer| matches!(answer, Frame::Error(_))), "{ours:?}");
}

/// Clients that wait at a master when a replica takes its place: what each of them reads until its connection ends, or
/// until it has all its answers.
fn waiting_clients(kind: Kind) -> Vec<Vec<Frame>> {
    let cluster = Cluster::with_replicas(&[kind; 3], &[kind], &FLAGS);
    // A list in the first master's slots, and a key beside it.
    let list = list_of(0);
    let set = format!("SET {{{list}}} 1");
    let waits = [format!("BLPOP {list} 0"), format!("{set}\r\nWAIT 5 0\r\nPING"), format!("{set}\r\nPING")];
    let mut clients: Vec<Client> = waits
        .iter()
        .map(|commands| {
            let mut client = cluster.servers[0].client();
            client.send(format!("{commands}\r\n").as_bytes()).expect("it takes them");
            client
        })
        .collect();
    wait::until("two to wait", || cluster.servers[0].info("blocked_clients") == "2");
    assert_eq!(cluster.servers[3].run("CLUSTER FAILOVER"), Frame::Simple("OK".into()));
    wait_until_replica(&cluster, 0, 3);
    let mut said = |client: &mut Client| {
        let mut answers = Vec::new();
        while answers.len() < 3
            && let Ok(answer) = client.next_reply()
        {
            answers.push(answer);
            if answers.len() == 2 && answers[1] == Frame::Simple("PONG".into()) {
                break;
            }
        }
        answers
    };
    clients.iter_mut().map(&mut said).collect()
}

#[test]
fn clients_that_wait_at_a_replaced_master_are_sent_away_as_redis_does() {
    let [ours, redis] = match both("clients_that_wait_at_a_replaced_master_are_sent_away_as_redis_does")[..] {
        [_, _] => [Ours, Redis].map(waiting_clients),
        _ => return,
    };
    assert_eq!(ours, redis);
    let unblocked = |answer: &Frame| matches!(answer, Frame::Error(text) if text.starts_with("UNBLOCKED"));
    assert!(unblocked(&ours[0][0]) && unblocked(&ours[1][1]), "{ours:?}");
}

/// A replica that has just come back is asked for its master's place before it can have talked to anybody.
#[test]
fn who_has_just_come_back_is_not_told_that_its_master_is_down() {
    for kind in both("who_has_just_come_back_is_not_told_that_its_master_is_down") {
        let mut cluster = Cluster::with_replicas(&[kind; 3], &[kind], &FLAGS);
        cluster.servers[3].restart();
        take_over(&cluster, 3, "", &[0, 1, 2, 3]);
    }
}
