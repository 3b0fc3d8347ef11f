//! What must not be forgotten, and a disk that takes its time: the node keeps silent until it is safe, and no longer.

use core_types::{Epoch, NodeId, Rng};
use node::{ConnId, FileEffect};

use crate::lone::{self, Lone};

/// One node with a friend that calls it, whose disk stands still.
fn with_a_slow_disk() -> (Lone, NodeId, ConnId) {
    let mut lone = Lone::new();
    let friend = lone.befriend(1, "10.0.0.7");
    let inbound = lone.called_from("10.0.0.7");
    lone.hear(inbound, &lone::ping(friend));
    lone.said(inbound);
    lone.stop_disk();
    (lone, friend, inbound)
}

/// The node takes an epoch that nobody has had. Its answer waits for the disk.
fn bump(lone: &mut Lone, friend: NodeId, inbound: ConnId, greatest: u64) {
    lone.hear(inbound, &lone::ping(friend).in_epoch(greatest));
    // What it may say before.
    lone.said(inbound);
    assert_eq!(lone.run("CLUSTER BUMPEPOCH"), "");
}

fn is_write(effect: &FileEffect) -> bool {
    matches!(effect, FileEffect::Overwrite { .. })
}

fn is_sync(effect: &FileEffect) -> bool {
    matches!(effect, FileEffect::SyncNamed { .. })
}

#[test]
fn a_sync_that_ends_before_a_newer_write_does_not_count_for_that() {
    let (mut lone, friend, inbound) = with_a_slow_disk();
    bump(&mut lone, friend, inbound, 50);
    assert!(matches!(lone.waiting(), [write] if is_write(write)), "{:?}", lone.waiting());
    lone.disk_does(0);
    assert!(matches!(lone.waiting(), [sync] if is_sync(sync)), "{:?}", lone.waiting());
    bump(&mut lone, friend, inbound, 60);
    assert!(
        matches!(lone.waiting(), [sync, write] if is_sync(sync) && is_write(write)),
        "{:?}",
        lone.waiting()
    );
    // The sync of the first epoch ends before the second one is written.
    lone.disk_does(0);
    assert!(lone.said(inbound).kinds().is_empty(), "the second epoch is not even written");
    lone.disk_does(0);
    assert!(matches!(lone.waiting(), [sync] if is_sync(sync)), "it is owed a sync: {:?}", lone.waiting());
    assert!(lone.said(inbound).kinds().is_empty(), "it is written, but not synced");
    lone.disk_does(0);
    assert!(!lone.said(inbound).kinds().is_empty(), "it speaks again");
    lone.hear(inbound, &lone::ping(friend));
    let said = lone.said(inbound);
    assert_eq!(said.packets().last().map(|packet| packet.header.config_epoch), Some(Epoch(61)));
}

/// Writes and syncs that are under way together may end in any order.
#[test]
fn however_the_disk_dawdles_the_node_speaks_in_the_end() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let (mut lone, friend, inbound) = with_a_slow_disk();
        let mut greatest = 50;
        for _ in 0..40 {
            let waiting = lone.waiting().len() as u64;
            assert!(waiting <= 2, "a write and a sync at a time, seed {seed}");
            match rng.below(3) {
                0 => {
                    bump(&mut lone, friend, inbound, greatest);
                    greatest += 10;
                }
                // Saved is enough for this one.
                1 if rng.chance(50) => drop(lone.run(&format!("CLUSTER ADDSLOTS {}", rng.below(16384)))),
                _ if waiting > 0 => lone.disk_does(rng.below(waiting) as usize),
                _ => {}
            }
        }
        while !lone.waiting().is_empty() {
            lone.disk_does(0);
        }
        lone.said(inbound);
        lone.hear(inbound, &lone::ping(friend));
        let me = lone.me();
        let (said, epoch) = (lone.said(inbound), lone.epoch(me));
        assert!(!said.kinds().is_empty(), "silent for ever, seed {seed}");
        assert!(said.packets().iter().all(|packet| packet.header.config_epoch == epoch), "seed {seed}");
    }
}

/// An operator looks at a node whose disk stands still.
#[test]
fn a_slow_disk_keeps_nobody_waiting_who_only_asks() {
    let (mut lone, friend, inbound) = with_a_slow_disk();
    // One write is under way, and another has to wait for its end.
    bump(&mut lone, friend, inbound, 50);
    assert_eq!(lone.run("CLUSTER ADDSLOTS 1"), "", "who gives a slot waits until it is written");
    for asks in [
        "INFO",
        "NODES",
        "SLOTS",
        "SHARDS",
        "LINKS",
        "MYID",
        "KEYSLOT a",
        "COUNTKEYSINSLOT 1",
        "GETKEYSINSLOT 1 1",
        &format!("COUNT-FAILURE-REPORTS {friend}"),
        &format!("REPLICAS {friend}"),
    ] {
        let answer = lone.run(&format!("CLUSTER {asks}"));
        assert!(!answer.is_empty() && !answer.starts_with('-'), "{asks}: {answer:?}");
    }
    for changes in ["ADDSLOTS 1", "SETSLOT 1 STABLE", "SAVECONFIG"] {
        assert_eq!(lone.run(&format!("CLUSTER {changes}")), "", "{changes}");
    }
    let asked = lone.run("CLUSTER LINKS");
    lone.hear(inbound, &lone::ping(friend));
    assert!(lone.said(inbound).kinds().is_empty(), "packets wait");
    assert_ne!(lone.run("CLUSTER LINKS"), asked, "and their bytes are counted");
}
