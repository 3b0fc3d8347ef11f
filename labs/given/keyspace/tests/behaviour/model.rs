//! Random commands against a model that is too simple to be wrong, and against a replica that is told
//! what the master told it.

use std::collections::BTreeMap;

use core_types::{ArgsBuf, ExpiredKey, Rng, show_command};
use keyspace::Keyspace;

use crate::support::Shell;

/// Each key with its value and the last millisecond of its life. Expired keys are simply not there.
#[derive(Default)]
struct Model {
    keys: BTreeMap<String, (String, Option<u64>)>,
}

impl Model {
    fn run(&mut self, words: &[&str], now: u64) -> String {
        self.keys.retain(|_, (_, until)| until.is_none_or(|until| now <= until));
        let bulk = |text: Option<&String>| text.map_or("nil".to_string(), |text| format!("\"{text}\""));
        match words {
            ["GET", key] => bulk(self.keys.get(*key).map(|(value, _)| value)),
            ["SET", key, value] => {
                self.keys.insert(key.to_string(), (value.to_string(), None));
                "OK".into()
            }
            ["SET", key, value, "PX", time] => {
                let until = now + time.parse::<u64>().unwrap();
                self.keys.insert(key.to_string(), (value.to_string(), Some(until)));
                "OK".into()
            }
            ["APPEND", key, value] => {
                let entry = self.keys.entry(key.to_string()).or_default();
                entry.0 += value;
                entry.0.len().to_string()
            }
            ["INCR", key] => {
                let entry = self.keys.entry(key.to_string()).or_insert(("0".into(), None));
                match entry.0.parse::<i64>().ok().filter(|number| number.to_string() == entry.0) {
                    Some(number) => {
                        entry.0 = (number + 1).to_string();
                        entry.0.clone()
                    }
                    None => "-ERR value is not an integer or out of range".into(),
                }
            }
            ["DEL", keys @ ..] => {
                keys.iter().filter(|key| self.keys.remove(**key).is_some()).count().to_string()
            }
            ["EXISTS", key] => i32::from(self.keys.contains_key(*key)).to_string(),
            ["RENAME", from, to] => match self.keys.remove(*from) {
                Some(entry) => {
                    self.keys.insert(to.to_string(), entry);
                    "OK".into()
                }
                None => "-ERR no such key".into(),
            },
            ["PEXPIRE", key, time] => match self.keys.get_mut(*key) {
                Some(_) if time.starts_with('-') => {
                    self.keys.remove(*key);
                    "1".into()
                }
                Some(entry) => {
                    entry.1 = Some(now + time.parse::<u64>().unwrap());
                    "1".into()
                }
                None => "0".into(),
            },
            ["PERSIST", key] => match self.keys.get_mut(*key) {
                Some(entry) => i32::from(entry.1.take().is_some()).to_string(),
                None => "0".into(),
            },
            ["PTTL", key] => match self.keys.get(*key) {
                Some((_, Some(until))) => (until - now).to_string(),
                Some((_, None)) => "-1".into(),
                None => "-2".into(),
            },
            other => panic!("the model does not know {other:?}"),
        }
    }
}

fn draw(rng: &mut Rng) -> String {
    const VALUES: &[&str] = &["1", "x", "41", "-7", "007", "a-longer-value", "1234567890123456789"];
    let key = |rng: &mut Rng| format!("k{}", rng.below(12));
    let (a, b) = (key(rng), key(rng));
    let value = *rng.pick(VALUES).unwrap();
    match rng.below(16) {
        0..=2 => format!("GET {a}"),
        3..=4 => format!("SET {a} {value}"),
        5..=6 => format!("SET {a} {value} PX {}", rng.between(1, 60)),
        7 => format!("APPEND {a} {value}"),
        8 => format!("INCR {a}"),
        9 => format!("DEL {a} {b}"),
        10 => format!("EXISTS {a}"),
        11 => format!("RENAME {a} {b}"),
        12 => format!("PEXPIRE {a} {}", rng.below(60) as i64 - 5),
        13 => format!("PERSIST {a}"),
        _ => format!("PTTL {a}"),
    }
}

#[test]
fn replies_are_the_model_s_and_a_replica_stays_equal() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let (mut master, mut replica, mut model) = (Shell::new(), Shell::new(), Model::default());
        replica.expired = ExpiredKey::Keep;
        for step in 0..300 {
            let line = draw(&mut rng);
            // A time of zero ends the key at once, a corner that has its own test.
            if line.ends_with(" 0") {
                continue;
            }
            let words: Vec<&str> = line.split(' ').collect();
            let expected = model.run(&words, master.now.0);
            let args = ArgsBuf::from_parts(&words);
            assert_eq!(master.run_args(args.as_args()), expected, "seed {seed}, step {step}: {line}");

            // Late, as a replica is: its clock must not matter.
            replica.now = master.now + core_types::Millis(rng.below(1000));
            let told = master.effects.told(args.as_args());
            told.for_each(|command| assert!(!replica.run_args(command).starts_with("-ERR"), "{command:?}"));
            master.pass(rng.below(10));
            if rng.chance(5) {
                let mut deleted = Vec::new();
                master.keyspace.active_expire(master.now, 10, &mut deleted);
                for dead in deleted {
                    let command = ArgsBuf::from_parts([b"DEL", &*dead.key]);
                    assert_eq!(replica.run_args(command.as_args()), "1", "{}", show_command([&*dead.key]));
                }
            }
            assert_eq!(master.keyspace, replica.keyspace, "seed {seed}, step {step}: {line}");
        }
    }
}

#[test]
fn keyspaces_are_equal_whatever_their_order() {
    let mut one = Shell::new();
    let mut two = Shell::new();
    one.run("MSET a 1 b 2");
    two.run("MSET b 2 a 1");
    assert_eq!(one.keyspace, two.keyspace);
    two.run("EXPIRE a 10");
    assert_ne!(one.keyspace, two.keyspace);
    assert_ne!(one.keyspace, Keyspace::new(16, 1));
}
