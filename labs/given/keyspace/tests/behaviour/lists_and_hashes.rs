//! Random commands on lists and hashes against models that are too simple to be wrong, and against a
//! replica that knows nothing but what the master told it.

use std::collections::{BTreeMap, VecDeque};

use core_types::{ArgsBuf, ExpiredKey, Rng};
use keyspace::rdb::{Aux, Loader, Options, save};

use crate::support::Shell;

#[derive(Default)]
struct Model {
    lists: BTreeMap<String, VecDeque<String>>,
    hashes: BTreeMap<String, BTreeMap<String, String>>,
}

fn bulk(text: Option<&String>) -> String {
    text.map_or("nil".into(), |text| format!("\"{text}\""))
}

impl Model {
    fn run(&mut self, words: &[&str]) -> String {
        let reply = if words[0].starts_with('H') { self.hash(words) } else { self.list(words) };
        // What has lost its last element is no key any more.
        self.lists.retain(|_, list| !list.is_empty());
        self.hashes.retain(|_, hash| !hash.is_empty());
        reply
    }

    fn list(&mut self, words: &[&str]) -> String {
        let list = self.lists.entry(words[1].into()).or_default();
        let len = list.len();
        // A place as the command means it: from the front, perhaps outside.
        let place = |index: usize| {
            let number = words[index].parse::<i64>().unwrap();
            if number < 0 { number + len as i64 } else { number }
        };
        let inside = |index: usize| usize::try_from(place(index)).ok().filter(|place| *place < len);
        match words {
            ["LPUSH", _, texts @ ..] => {
                texts.iter().for_each(|text| list.push_front(text.to_string()));
                list.len().to_string()
            }
            ["RPUSH", _, texts @ ..] => {
                list.extend(texts.iter().map(|text| text.to_string()));
                list.len().to_string()
            }
            ["LPOP", _] => bulk(list.pop_front().as_ref()),
            ["RPOP", _] => bulk(list.pop_back().as_ref()),
            ["LLEN", _] => len.to_string(),
            ["LINDEX", ..] => bulk(inside(2).and_then(|index| list.get(index))),
            ["LSET", _, _, text] => match inside(2) {
                _ if len == 0 => "-ERR no such key".into(),
                Some(index) => {
                    list[index] = text.to_string();
                    "OK".into()
                }
                None => "-ERR index out of range".into(),
            },
            ["LINSERT", _, side, pivot, text] => match list.iter().position(|other| other == pivot) {
                _ if len == 0 => "0".into(),
                Some(index) => {
                    list.insert(index + usize::from(*side == "AFTER"), text.to_string());
                    list.len().to_string()
                }
                None => "-1".into(),
            },
            ["LREM", _, count, text] => remove_equal(list, count.parse().unwrap(), text).to_string(),
            ["LTRIM", ..] | ["LRANGE", ..] => {
                let (start, end) = (place(2).max(0) as usize, (place(3) + 1).clamp(0, len as i64) as usize);
                let part: VecDeque<String> = list.iter().take(end).skip(start).cloned().collect();
                if words[0] == "LRANGE" {
                    let texts: Vec<String> = part.iter().map(|text| bulk(Some(text))).collect();
                    return format!("[{}]", texts.join(" "));
                }
                *list = part;
                "OK".into()
            }
            ["LMOVE", _, to, from_end, to_end] => {
                let taken = if *from_end == "LEFT" { list.pop_front() } else { list.pop_back() };
                let Some(text) = taken else { return "nil".into() };
                let target = self.lists.entry(to.to_string()).or_default();
                match *to_end {
                    "LEFT" => target.push_front(text.clone()),
                    _ => target.push_back(text.clone()),
                }
                bulk(Some(&text))
            }
            other => panic!("the model does not know {other:?}"),
        }
    }

    fn hash(&mut self, words: &[&str]) -> String {
        let hash = self.hashes.entry(words[1].into()).or_default();
        match words {
            ["HSET", _, pairs @ ..] => {
                let before = hash.len();
                hash.extend(pairs.chunks(2).map(|pair| (pair[0].to_string(), pair[1].to_string())));
                (hash.len() - before).to_string()
            }
            ["HGET", _, field] => bulk(hash.get(*field)),
            ["HDEL", _, fields @ ..] => {
                fields.iter().filter(|field| hash.remove(**field).is_some()).count().to_string()
            }
            ["HLEN", _] => hash.len().to_string(),
            ["HEXISTS", _, field] => i32::from(hash.contains_key(*field)).to_string(),
            ["HINCRBY", _, field, by] => {
                let value = hash.get(*field).map_or("0", |value| value);
                match value.parse::<i64>().ok().filter(|number| number.to_string() == value) {
                    Some(number) => {
                        let sum = (number + by.parse::<i64>().unwrap()).to_string();
                        hash.insert(field.to_string(), sum.clone());
                        sum
                    }
                    None => "-ERR hash value is not an integer".into(),
                }
            }
            other => panic!("the model does not know {other:?}"),
        }
    }
}

fn remove_equal(list: &mut VecDeque<String>, count: i64, text: &str) -> usize {
    let mut equal: Vec<usize> = (0..list.len()).filter(|&index| list[index] == text).collect();
    if count < 0 {
        equal.reverse();
    }
    if count != 0 {
        equal.truncate(count.unsigned_abs() as usize);
    }
    equal.sort_unstable();
    equal.iter().rev().for_each(|&index| drop(list.remove(index)));
    equal.len()
}

fn draw(rng: &mut Rng) -> String {
    const TEXTS: &[&str] = &["1", "x", "41", "-7", "007", "a-longer-text", "1234567890123456789", "x"];
    let (a, b) = (format!("l{}", rng.below(3)), format!("l{}", rng.below(3)));
    let hash = format!("h{}", rng.below(3));
    let field = format!("f{}", rng.below(30));
    let long = "y".repeat(70 + rng.below(9000) as usize);
    let text = if rng.chance(3) { long.as_str() } else { *rng.pick(TEXTS).unwrap() };
    let other = *rng.pick(TEXTS).unwrap();
    let end = |rng: &mut Rng| *rng.pick(&["LEFT", "RIGHT"]).unwrap();
    let place = |rng: &mut Rng| rng.below(24) as i64 - 12;
    match rng.below(22) {
        0..=2 => format!("LPUSH {a} {text} {other}"),
        3..=4 => format!("RPUSH {a} {text} {other} {text}"),
        5 => format!("LPOP {a}"),
        6 => format!("RPOP {a}"),
        7 => format!("LLEN {a}"),
        8 => format!("LINDEX {a} {}", place(rng)),
        9 => format!("LSET {a} {} {text}", place(rng)),
        10 => format!("LINSERT {a} {} {other} {text}", *rng.pick(&["BEFORE", "AFTER"]).unwrap()),
        11 => format!("LREM {a} {} {other}", rng.below(5) as i64 - 2),
        12 => format!("LRANGE {a} {} {}", place(rng), place(rng)),
        13 if rng.chance(10) => format!("LTRIM {a} {} {}", place(rng), place(rng)),
        13 => format!("LTRIM {a} 1 -1"),
        14..=15 => format!("LMOVE {a} {b} {} {}", end(rng), end(rng)),
        16..=17 => format!("HSET {hash} {field} {text} {other} {text}"),
        18 => format!("HGET {hash} {field}"),
        19 => format!("HDEL {hash} {field} {other}"),
        20 => format!("HEXISTS {hash} {field}"),
        _ if rng.chance(50) => format!("HLEN {hash}"),
        _ => format!("HINCRBY {hash} {other} {}", place(rng)),
    }
}

#[test]
fn replies_are_the_models_and_a_replica_stays_equal() {
    for seed in 0..100 {
        let mut rng = Rng::new(seed);
        let (mut master, mut replica, mut model) = (Shell::new(), Shell::new(), Model::default());
        replica.expired = ExpiredKey::Keep;
        replica.may_block = false;
        // Small bounds, so that both forms of a hash and many nodes of a list occur.
        master.keyspace.compact.hash_entries = 8;
        master.keyspace.compact.list_node = [-1, 3][seed as usize % 2];
        for step in 0..400 {
            let line = draw(&mut rng);
            let words: Vec<&str> = line.split(' ').collect();
            let args = ArgsBuf::from_parts(&words);
            let reply = master.run_args(args.as_args());
            assert_eq!(reply, model.run(&words), "seed {seed}, step {step}: {line}");
            for command in master.effects.told(args.as_args()) {
                let reply = replica.run_args(command);
                assert!(!reply.starts_with("-ERR"), "{command:?}: {reply}");
            }
            assert_eq!(master.keyspace, replica.keyspace, "seed {seed}, step {step}: {line}");
        }
        assert_eq!(master.keyspace.len(0), model.lists.len() + model.hashes.len(), "an empty key is left");
        let mut file = Vec::new();
        save(&master.keyspace, &Aux::default(), &mut file);
        let mut loader = Loader::new(16, 9, Options::default());
        file.chunks(1 + seed as usize).for_each(|piece| loader.feed(piece).unwrap());
        assert_eq!(loader.finish().unwrap().0, master.keyspace, "seed {seed}, saved and loaded in pieces");
    }
}

#[test]
fn blocking_commands_reach_a_replica_as_plain_ones() {
    let mut rng = Rng::new(3);
    let (mut master, mut replica) = (Shell::new(), Shell::new());
    replica.may_block = false;
    for _ in 0..2000 {
        let (a, b) = (rng.below(3), rng.below(3));
        let line = match rng.below(9) {
            0..4 => format!("RPUSH l{a} {b} x y"),
            4 => format!("BLPOP l{a} l{b} 0"),
            5 => format!("BRPOP l{a} 0"),
            6 => format!("BLMOVE l{a} l{b} LEFT RIGHT 0"),
            7 => format!("BRPOPLPUSH l{a} l{b} 0"),
            _ => format!("BLMPOP 0 2 l{a} l{b} RIGHT COUNT {}", 1 + a),
        };
        let args = ArgsBuf::from_parts(line.split(' '));
        master.run_args(args.as_args());
        for command in master.effects.told(args.as_args()) {
            assert!(!command.name().starts_with(b"B"), "{command:?}");
            replica.run_args(command);
        }
        assert_eq!(master.keyspace, replica.keyspace, "{line}");
    }
}
