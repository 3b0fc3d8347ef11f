//! Sets and sorted sets under random commands: against a model that is too simple to be wrong, and
//! against a replica that is told what the master told it.

use std::collections::{BTreeMap, BTreeSet};

use core_types::{ArgsBuf, ExpiredKey, Millis, Rng};
use keyspace::{Compact, Keyspace};

use crate::support::Shell;

/// A shell whose collections leave their small forms early, so that both forms and the change from one
/// to the other are seen all the time.
pub(crate) fn shell() -> Shell {
    let mut shell = Shell::new();
    shell.keyspace.compact = Compact { set_intset: 6, zset_entries: 6, zset_value: 3, ..Compact::default() };
    shell
}

fn list(words: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", words.into_iter().collect::<Vec<_>>().join(" "))
}

fn quoted(words: &BTreeSet<String>) -> Vec<String> {
    words.iter().map(|word| format!("\"{word}\"")).collect()
}

fn member(rng: &mut Rng) -> String {
    match rng.below(5) {
        0 => format!("m{}", rng.below(8)),
        1 => format!("long{}", rng.below(3)),
        _ => format!("{}", rng.below(20) as i64 - 8),
    }
}

#[test]
fn sets_are_what_the_model_says() {
    for seed in 0..120 {
        let mut rng = Rng::new(seed);
        let (mut shell, mut model) = (shell(), BTreeMap::<String, BTreeSet<String>>::new());
        for step in 0..150 {
            let key = |rng: &mut Rng| format!("s{}", rng.below(4));
            let (a, b, c, m) = (key(&mut rng), key(&mut rng), key(&mut rng), member(&mut rng));
            let get = |key: &String| model.get(key).cloned().unwrap_or_default();
            let (set_a, set_b) = (get(&a), get(&b));
            let kind = rng.below(9);
            let (line, expected) = match kind {
                0..=2 => {
                    let added = model.entry(a.clone()).or_default().insert(m.clone());
                    (format!("SADD {a} {m}"), i32::from(added).to_string())
                }
                3 => {
                    let removed = model.entry(a.clone()).or_default().remove(&m);
                    (format!("SREM {a} {m}"), i32::from(removed).to_string())
                }
                4 => {
                    let moved = set_a.contains(&m);
                    if moved {
                        model.entry(a.clone()).or_default().remove(&m);
                        model.entry(b.clone()).or_default().insert(m.clone());
                    }
                    (format!("SMOVE {a} {b} {m}"), i32::from(moved).to_string())
                }
                5 => (format!("SISMEMBER {a} {m}"), i32::from(set_a.contains(&m)).to_string()),
                _ => {
                    let (name, result): (_, BTreeSet<String>) = match kind {
                        6 => ("SINTERSTORE", set_a.intersection(&set_b).cloned().collect()),
                        7 => ("SUNIONSTORE", set_a.union(&set_b).cloned().collect()),
                        _ => ("SDIFFSTORE", set_a.difference(&set_b).cloned().collect()),
                    };
                    let len = result.len().to_string();
                    model.insert(c.clone(), result);
                    (format!("{name} {c} {a} {b}"), len)
                }
            };
            model.retain(|_, set| !set.is_empty());
            assert_eq!(shell.run(&line), expected, "seed {seed}, step {step}: {line}");
            let reply = shell.run(&format!("SMEMBERS {a}"));
            let mut members: Vec<&str> =
                reply[1..reply.len() - 1].split(' ').filter(|m| !m.is_empty()).collect();
            members.sort_unstable();
            let expected = quoted(&model.get(&a).cloned().unwrap_or_default());
            let mut expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            expected.sort_unstable();
            assert_eq!(members, expected, "seed {seed}, step {step}: {line}");
            assert_eq!(shell.run("DBSIZE"), model.len().to_string(), "an empty set is no key");
        }
    }
}

/// One sorted set as a list in order.
#[derive(Default)]
struct Model {
    members: Vec<(f64, String)>,
}

impl Model {
    fn remove(&mut self, member: &str) -> Option<f64> {
        let at = self.members.iter().position(|(_, name)| name == member)?;
        Some(self.members.remove(at).0)
    }

    fn set(&mut self, member: &str, score: f64) -> Option<f64> {
        let before = self.remove(member);
        self.members.push((score, member.into()));
        self.members.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.as_bytes().cmp(b.1.as_bytes())));
        before
    }

    fn show<'m>(members: impl Iterator<Item = &'m (f64, String)>) -> String {
        list(members.map(|(score, member)| format!("\"{member}\" {score}")))
    }
}

#[test]
fn sorted_sets_are_what_the_model_says() {
    for seed in 0..120 {
        let mut rng = Rng::new(seed);
        let (mut shell, mut model) = (shell(), Model::default());
        for step in 0..200 {
            let m = member(&mut rng);
            let score = rng.below(12) as f64 / 2.0 - 1.0;
            let (low, high) = (rng.below(10) as i64 - 3, rng.below(14) as i64 - 3);
            let len = model.members.len() as i64;
            let rank = |rank: i64| (if rank < 0 { rank + len } else { rank }).max(0) as usize;
            let ranks =
                || rank(low)..(high.min(len - 1) + if high < 0 { len } else { 0 } + 1).max(0) as usize;
            let in_scores = |entry: &&(f64, String)| entry.0 > low as f64 && entry.0 <= high as f64;
            let (line, expected) = match rng.below(9) {
                0..=2 => {
                    let before = model.set(&m, score);
                    (format!("ZADD z {score} {m}"), i32::from(before.is_none()).to_string())
                }
                3 => {
                    let sum =
                        model.members.iter().find(|(_, name)| *name == m).map_or(0.0, |(s, _)| *s) + score;
                    model.set(&m, sum);
                    (format!("ZINCRBY z {score} {m}"), sum.to_string())
                }
                4 => {
                    let removed = model.remove(&m).is_some();
                    (format!("ZREM z {m}"), i32::from(removed).to_string())
                }
                5 => {
                    let found = model.members.iter().position(|(_, name)| *name == m);
                    (format!("ZRANK z {m}"), found.map_or("nil".into(), |rank| rank.to_string()))
                }
                6 => {
                    let shown = model.members.iter().filter(in_scores).rev();
                    (format!("ZREVRANGEBYSCORE z {high} ({low} WITHSCORES"), Model::show(shown))
                }
                7 => {
                    let range = ranks();
                    let count = range.len();
                    let shown = model.members.iter().skip(range.start).take(count);
                    (format!("ZRANGE z {low} {high} WITHSCORES"), Model::show(shown))
                }
                _ if rng.chance(80) => {
                    let count = model.members.iter().filter(in_scores).count();
                    (format!("ZCOUNT z ({low} {high}"), count.to_string())
                }
                _ => {
                    let range = ranks();
                    let range = range.start.min(range.end)..range.end.min(len as usize);
                    let removed = model.members.drain(range).count();
                    (format!("ZREMRANGEBYRANK z {low} {high}"), removed.to_string())
                }
            };
            assert_eq!(shell.run(&line), expected, "seed {seed}, step {step}: {line}");
            assert_eq!(
                shell.run("ZRANGE z 0 -1 WITHSCORES"),
                Model::show(model.members.iter()),
                "seed {seed}, step {step}: {line}"
            );
        }
    }
}

pub(crate) fn draw(rng: &mut Rng) -> String {
    let key = |rng: &mut Rng| {
        // Now and then a key of another type.
        let kind = *rng.pick(&["s", "s", "s", "z", "z", "z", "l", "b"]).unwrap();
        format!("{kind}{}", rng.below(3))
    };
    let (a, b, c) = (key(rng), key(rng), key(rng));
    let (m, n) = (member(rng), member(rng));
    let score = rng.below(9);
    match rng.below(32) {
        0..=3 => format!("SADD {a} {m} {n}"),
        4 => format!("SREM {a} {m} {n}"),
        5..=6 => format!("SPOP {a}"),
        7 => format!("SPOP {a} {}", rng.below(5)),
        8 => format!("SMOVE {a} {b} {m}"),
        9 => format!("SINTERSTORE {a} {b} {c}"),
        10 => format!("SUNIONSTORE {a} {b} {c}"),
        11 => format!("SDIFFSTORE {a} {b} {c}"),
        12..=15 => format!("ZADD {a} {score} {m} 3 {n}"),
        16 => format!("ZADD {a} GT CH {score} {m}"),
        17 => format!("ZADD {a} INCR {score} {m}"),
        18 => format!("ZREM {a} {m}"),
        19 => format!("ZPOPMIN {a}"),
        20 => format!("ZPOPMAX {a} 2"),
        21 => format!("ZMPOP 2 {a} {b} MAX COUNT 2"),
        22 => format!("BZPOPMIN {a} {b} 0"),
        23 => format!("ZUNIONSTORE {a} 2 {b} {c} WEIGHTS 2 0.5"),
        24 => format!("ZINTERSTORE {a} 2 {b} {c} AGGREGATE MAX"),
        25 => format!("ZDIFFSTORE {a} 2 {b} {c}"),
        26 => format!("ZRANGESTORE {a} {b} 1 -2"),
        27 => format!("ZREMRANGEBYSCORE {a} 2 4"),
        28 => format!("SORT {a} ALPHA STORE {b}"),
        29 => format!("SETBIT {a} {} {}", rng.below(40), rng.below(2)),
        30 => format!("BITOP XOR {a} {b} {c}"),
        _ => format!("PEXPIRE {a} {}", 1 + rng.below(30)),
    }
}

#[test]
fn a_replica_that_is_told_stays_equal() {
    for seed in 0..150 {
        let mut rng = Rng::new(seed);
        let (mut master, mut replica) = (shell(), shell());
        master.may_block = false;
        replica.expired = ExpiredKey::Keep;
        // Its own draws must not matter.
        replica.keyspace = Keyspace::new(16, seed + 1);
        for step in 0..250 {
            let line = draw(&mut rng);
            let args = ArgsBuf::from_parts(line.split(' '));
            master.run_args(args.as_args());
            replica.now = master.now + Millis(rng.below(1000));
            for command in master.effects.told(args.as_args()) {
                let reply = replica.run_args(command);
                assert!(!reply.starts_with('-'), "seed {seed}, step {step}: {command:?} gave {reply}");
            }
            master.pass(rng.below(4));
            assert_eq!(master.keyspace, replica.keyspace, "seed {seed}, step {step}: {line}");
        }
    }
}
