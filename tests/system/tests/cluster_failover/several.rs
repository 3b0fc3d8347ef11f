//! More replicas than masters: which of them takes over, and which moves to a master that has none.

use std::process::Command;

use core_types::Frame;
use system::{Cluster, Kind, Server, redis_tool_or_skip};

use crate::FLAGS;
use crate::agreement::{wait_until_all_follow, wait_until_replica, wait_until_replica_of, wait_until_well};
use crate::load::list_of;

use Kind::{Ours, Redis};

/// Of two replicas the one that has more of the dead master's data takes over, whoever it is.
fn the_better_replica_wins(master: Kind, [better, worse]: [Kind; 2]) {
    let cluster = Cluster::with_replicas(&[Ours, master, Ours], &[Ours, better, Ours, Ours, worse], &FLAGS);
    let mut cluster = cluster;
    let (ahead, behind) = (4, 7);
    // It hears nothing more, and more is written than a socket holds.
    signal(&cluster.servers[behind], "-STOP");
    let mut writer = cluster.servers[1].client();
    let value = "x".repeat(1 << 20);
    let list = list_of(1);
    for number in 0..24 {
        assert_eq!(writer.call(&["RPUSH", &list, &value]), Frame::Integer(number + 1));
    }
    cluster.servers[ahead].wait_for_offset_of(&cluster.servers[1]);
    cluster.servers[1].kill();
    signal(&cluster.servers[behind], "-CONT");
    wait_until_all_follow(&cluster, &[0, 2, 3, 4, 5, 6, 7], ahead);
    wait_until_replica_of(&cluster, &[0, 2, 3, 4, 5, 6, 7], behind, ahead);
    cluster.servers[behind].wait_for_offset_of(&cluster.servers[ahead]);
    let mut client = cluster.servers[ahead].client();
    assert_eq!(client.call(&["LLEN", &list]), Frame::Integer(24));
}

fn signal(server: &Server, signal: &str) {
    let sent = Command::new("kill").args([signal, &server.pid().to_string()]).status().expect("kill runs");
    assert!(sent.success(), "{signal}");
}

#[test]
fn of_two_replicas_of_ours_the_better_one_wins() {
    the_better_replica_wins(Ours, [Ours, Ours]);
}

#[test]
fn of_a_replica_of_ours_and_one_of_redis_the_better_one_wins() {
    if redis_tool_or_skip("of_a_replica_of_ours_and_one_of_redis_the_better_one_wins", "redis-server")
        .is_some()
    {
        the_better_replica_wins(Redis, [Ours, Redis]);
        the_better_replica_wins(Ours, [Redis, Ours]);
    }
}

/// A replica to spare moves to a master that has lost its own, whoever they are.
fn a_spare_replica_moves(masters: [Kind; 3], spare: [Kind; 2]) {
    let mut cluster = Cluster::with_replicas(&masters, &[spare[0], Ours, Ours, spare[1]], &FLAGS);
    let (one, other) = ((cluster.id(3), 3), (cluster.id(6), 6));
    let (goes, stays) = (one.clone().min(other.clone()).1, one.max(other).1);
    cluster.servers[4].kill();
    let alive = [0, 1, 2, 3, 5, 6];
    wait_until_replica_of(&cluster, &alive, goes, 1);
    wait_until_replica_of(&cluster, &alive, stays, 0);
    cluster.servers[goes].wait_for_offset_of(&cluster.servers[1]);
    // The dead one comes back to where it was.
    cluster.servers[4].restart();
    wait_until_replica(&cluster, 4, 1);
    wait_until_well(&cluster);
}

#[test]
fn a_spare_replica_of_ours_moves_to_a_master_of_ours() {
    a_spare_replica_moves([Ours; 3], [Ours; 2]);
}

#[test]
fn spare_replicas_of_both_agree_on_who_moves() {
    if redis_tool_or_skip("spare_replicas_of_both_agree_on_who_moves", "redis-server").is_some() {
        a_spare_replica_moves([Ours, Redis, Ours], [Ours, Redis]);
        a_spare_replica_moves([Redis, Ours, Ours], [Redis, Ours]);
    }
}
