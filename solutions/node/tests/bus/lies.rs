//! A hostile peer: whatever it says, the node goes on, and what it knows agrees with itself.

use core_types::{Epoch, NodeId, Rng};

use crate::lone::{self, Lone, Word, id};

#[test]
fn whoever_uses_our_own_name_changes_nothing() {
    let mut lone = Lone::new();
    let friend = lone.befriend(1, "10.0.0.7");
    lone.ok("CLUSTER ADDSLOTSRANGE 0 99");
    let inbound = lone.called_from("10.0.0.66");
    lone.hear(inbound, &lone::ping(friend).at(7000, 17001));
    lone.hear(inbound, &lone::ping(id(5)));
    let (me, before) = (lone.me(), lone.story());
    let epoch = lone.epoch(me);
    for word in [
        lone::ping(me).owning(500..600, 99),
        lone::ping(me).following(friend),
        lone::meet(me).at(1, 2),
        lone::pong(me).named("liar.example.org"),
        lone::failure(me, friend),
        lone::update(me, friend, 0..50, 98),
    ] {
        lone.hear(inbound, &word);
    }
    assert_eq!((lone.story(), lone.epoch(me)), (before, epoch));
}

/// As with Redis. If it is the truth, our file has lost that epoch.
#[test]
fn a_member_may_tell_us_a_greater_epoch_of_our_own_and_no_slots() {
    let mut lone = Lone::new();
    let friend = lone.befriend(1, "10.0.0.7");
    lone.ok("CLUSTER ADDSLOTSRANGE 0 99");
    let (me, link) = (lone.me(), lone.link(friend));
    let before = lone.story();
    lone.hear(link, &lone::update(friend, me, 0..50, 98));
    lone.hear(link, &lone::update(friend, me, 0..200, 97));
    assert_eq!((lone.story(), lone.epoch(me)), (before, Epoch(98)));
    assert!(lone.written.contains(" 98 connected 0-99"), "{}", lone.written);
}

#[test]
fn a_stranger_that_does_not_read_is_cut_off() {
    let mut lone = Lone::new();
    let inbound = lone.called_from("10.0.0.66");
    for _ in 0..400 {
        lone.hear(inbound, &lone::ping(id(5)));
    }
    assert!(!lone.closed(inbound));
    for _ in 0..100 {
        lone.hear(inbound, &lone::ping(id(5)));
    }
    assert!(lone.closed(inbound), "half a thousand answers are more than a mebibyte");
}

/// A member turned bad, and strangers, say whatever there is to say, spoiled here and there, while an operator works.
#[test]
fn any_lies_leave_a_node_that_goes_on() {
    for seed in 0..100 {
        let mut rng = Rng::new(seed);
        let mut lone = Lone::new();
        let mut names = vec![id(1), id(2), id(3), id(4), lone.me()];
        lone.befriend(1, "10.0.0.7");
        lone.befriend(2, "10.0.0.8");
        let client = lone.client();
        lone.tell(client, "HELLO 3");
        lone.tell(client, "SUBSCRIBE channel");
        for _ in 0..60 {
            let link = match rng.below(3) {
                0 => lone.called_from("10.0.0.66"),
                _ => match lone.any_link(rng.below(5) as usize) {
                    Some(link) => link,
                    None => lone.called_from("10.0.0.7"),
                },
            };
            let mut bytes = any_word(&mut rng, &names).bytes();
            if rng.chance(50) {
                for _ in 0..rng.between(1, 8) {
                    let at = rng.below(bytes.len() as u64) as usize;
                    bytes[at] = rng.next_u64() as u8;
                }
            }
            lone.hear_bytes(link, &bytes);
            match rng.below(16) {
                0 => lone.pass(100 * rng.below(30)),
                1 => drop(lone.run(&format!("CLUSTER ADDSLOTS {}", rng.below(16384)))),
                2 => drop(lone.run(&format!("CLUSTER FORGET {}", names[rng.below(5) as usize]))),
                3 => drop(lone.run(&format!("SET key:{} value", rng.below(100)))),
                4 => drop(lone.run(&format!("CLUSTER REPLICATE {}", names[rng.below(5) as usize]))),
                5 => drop(lone.run(["CLUSTER FAILOVER", "CLUSTER FAILOVER FORCE"][rng.below(2) as usize])),
                6 => drop(lone.run(&format!("CONFIG SET cluster-node-timeout {}", rng.between(1, 4_000)))),
                7 => lone.tell(client, "SSUBSCRIBE channel"),
                8 => drop(lone.heard(client)),
                9 if rng.chance(20) => {
                    lone.run(if rng.chance(50) { "CLUSTER RESET HARD" } else { "CLUSTER RESET" });
                    names[4] = lone.me();
                }
                _ => {}
            }
        }
        assert!(lone.run("PING").starts_with("+PONG"), "seed {seed}");
    }
}

fn any_word(rng: &mut Rng, names: &[NodeId]) -> Word {
    let mut name = || names[rng.below(names.len() as u64) as usize];
    let (sender, other, third) = (name(), name(), name());
    let first = rng.below(16384) as usize;
    let slots = first..rng.between(first as u64, 16384) as usize;
    let epoch = rng.below(20);
    let word = match rng.below(14) {
        0 => lone::failure(sender, other),
        1 => lone::update(sender, other, slots.clone(), epoch),
        2 => lone::message(sender, "channel", "message"),
        3 => lone::shard_message(sender, "channel", "message"),
        4 => lone::meet(sender),
        5 => lone::request(sender, epoch),
        6 => lone::request(sender, epoch).forced(),
        7 => lone::vote(sender, epoch),
        8 => lone::pause(sender),
        9 => lone::ping(sender).paused_at(rng.below(100)),
        10 | 11 => lone::ping(sender),
        _ => lone::pong(sender),
    };
    let word = if rng.chance(20) { word.with_offset(rng.next_u64()) } else { word };
    let word = if rng.chance(20) { word.in_epoch(rng.below(40)) } else { word };
    let word = if rng.chance(50) { word.owning(slots, epoch) } else { word };
    let word = if rng.chance(30) { word.following(other) } else { word };
    let word = if rng.chance(20) { word.named("name.example.org") } else { word };
    let word = if rng.chance(20) { word.at(7000 + epoch as u16, 17001 + epoch as u16) } else { word };
    match rng.below(3) {
        0 => word.telling_flags(third, "10.0.0.9", rng.next_u64() as u16),
        1 => word.telling(third, if rng.chance(50) { "10.0.0.10" } else { "nowhere" }),
        _ => word,
    }
}
