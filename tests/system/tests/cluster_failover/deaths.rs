//! Each master is killed in turn.

use system::{Cluster, Kind, redis_tool_or_skip, valkey_or_skip};

use crate::agreement::{check, wait_until_all_follow, wait_until_replica, wait_until_well};
use crate::load::{list_of, numbers, under_load};
use crate::{FLAGS, MASTERS};

use Kind::{Ours, Redis, Valkey};

/// What was known when a master was killed.
struct Death {
    /// What its replica had.
    replicated: Vec<u64>,
    /// How many writes were acknowledged.
    acknowledged: usize,
}

/// Each master is killed in turn. Its replica takes its place, and the dead one comes back as a replica.
fn each_master_dies_in_turn(masters: [Kind; 3], replicas: [Kind; 3]) {
    let mut cluster = Cluster::with_replicas(&masters, &replicas, &FLAGS);
    check(&cluster);
    let mut deaths = Vec::new();
    let load = under_load(&mut cluster, |cluster, load| {
        for dead in 0..MASTERS {
            let heir = dead + MASTERS;
            let replicated = numbers(&cluster.servers[heir], &list_of(dead));
            cluster.servers[dead].kill();
            deaths.push(Death { replicated, acknowledged: load.count(dead) });
            let alive: Vec<usize> = (0..2 * MASTERS).filter(|index| *index != dead).collect();
            wait_until_all_follow(cluster, &alive, heir);
            load.wait_for_all();
            cluster.servers[dead].restart();
            wait_until_replica(cluster, dead, heir);
            wait_until_well(cluster);
            load.wait_for_all();
        }
    });
    check(&cluster);
    for (dead, death) in deaths.iter().enumerate() {
        let lost = load.lost(dead, &cluster);
        eprintln!(
            "{masters:?} {replicas:?}: list {dead}: {} acknowledged, {} of them before the kill, {} lost",
            load.count(dead),
            death.acknowledged,
            lost.len(),
        );
        assert!(
            !lost.iter().any(|number| death.replicated.contains(number)),
            "the replica had some of {lost:?}"
        );
        // They are the last ones before the kill. One answer may still have been on its way to the client.
        let acknowledged = load.acknowledged[dead].lock().expect("no panic");
        let end = [death.acknowledged, death.acknowledged + 1];
        let last = end.into_iter().any(|end| acknowledged.get(..end).is_some_and(|all| all.ends_with(&lost)));
        assert!(last, "{lost:?} are not the last ones before the kill: {:?}", death.acknowledged);
        let (heir, replica) = (&cluster.servers[dead + MASTERS], &cluster.servers[dead]);
        replica.wait_for_offset_of(heir);
        assert_eq!(numbers(replica, &list_of(dead)), numbers(heir, &list_of(dead)));
    }
    eprintln!("refused meanwhile: {:?}", load.refused.lock().expect("no panic"));
}

#[test]
fn masters_of_ours_die_and_ours_take_over() {
    each_master_dies_in_turn([Ours; 3], [Ours; 3]);
}

#[test]
fn masters_of_redis_die_and_ours_take_over() {
    if redis_tool_or_skip("masters_of_redis_die_and_ours_take_over", "redis-server").is_some() {
        each_master_dies_in_turn([Redis; 3], [Ours; 3]);
    }
}

#[test]
fn masters_of_ours_die_and_redis_takes_over() {
    if redis_tool_or_skip("masters_of_ours_die_and_redis_takes_over", "redis-server").is_some() {
        each_master_dies_in_turn([Ours; 3], [Redis; 3]);
    }
}

#[test]
fn masters_die_in_a_cluster_of_both() {
    if redis_tool_or_skip("masters_die_in_a_cluster_of_both", "redis-server").is_some() {
        each_master_dies_in_turn([Ours, Redis, Ours], [Redis, Ours, Redis]);
    }
}

#[test]
fn masters_die_in_a_cluster_with_valkey() {
    if valkey_or_skip("masters_die_in_a_cluster_with_valkey").is_some() {
        each_master_dies_in_turn([Ours, Valkey, Ours], [Valkey, Ours, Valkey]);
    }
}
