//! A hostile peer: whatever it says, the node goes on, and what it knows agrees with itself.

use core_types::{NodeId, Rng};

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
        lone::update(friend, me, 0..50, 98),
    ] {
        lone.hear(inbound, &word);
    }
    assert_eq!((lone.story(), lone.epoch(me)), (before, epoch));
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
            match rng.below(12) {
                0 => lone.pass(100 * rng.below(30)),
                1 => drop(lone.run(&format!("CLUSTER ADDSLOTS {}", rng.below(16384)))),
                2 => drop(lone.run(&format!("CLUSTER FORGET {}", names[rng.below(5) as usize]))),
                3 => drop(lone.run(&format!("SET key:{} value", rng.below(100)))),
                4 => drop(lone.run(&format!("CLUSTER REPLICATE {}", names[rng.below(5) as usize]))),
                5 if rng.chance(20) => {
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
    let word = match rng.below(8) {
        0 => lone::failure(sender, other),
        1 => lone::update(sender, other, slots.clone(), epoch),
        2 => lone::message(sender, "channel", "message"),
        3 => lone::meet(sender),
        4 | 5 => lone::ping(sender),
        _ => lone::pong(sender),
    };
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
