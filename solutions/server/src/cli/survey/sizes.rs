//! `--bigkeys` and `--memkeys`: the biggest key of each type, and how the keys spread over the types.

use std::collections::BTreeMap;

use bytes::Bytes;
use core_types::Frame;

use super::walk::{Walk, size};
use super::{Manner, ask_all, shown};
use crate::cli::client::Client;

/// What makes a key big.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// What it holds: bytes of a string, elements of everything else.
    Elements,
    /// The memory it takes, as the server tells it from so many of its elements.
    Memory { samples: Option<u64> },
}

/// A type of value: its name, the command that tells its size, and what that counts.
struct Type {
    name: &'static str,
    command: &'static str,
    unit: &'static str,
}

const TYPES: [Type; 6] = [
    Type { name: "list", command: "LLEN", unit: "items" },
    Type { name: "hash", command: "HLEN", unit: "fields" },
    Type { name: "string", command: "STRLEN", unit: "bytes" },
    Type { name: "stream", command: "XLEN", unit: "entries" },
    Type { name: "set", command: "SCARD", unit: "members" },
    Type { name: "zset", command: "ZCARD", unit: "members" },
];

/// What was found of one type.
#[derive(Default)]
struct Tally {
    keys: u64,
    total: u64,
    biggest: u64,
    key: Option<Bytes>,
}

/// Everything that was found.
#[derive(Default)]
struct Tallies {
    by_type: BTreeMap<String, Tally>,
    keys: u64,
    key_bytes: u64,
}

/// How many keys were looked at between two lines that say how far it is.
const PROGRESS: u64 = 1_000_000;

pub(super) fn run(client: &mut Client, by: By, manner: &Manner) -> Result<(), String> {
    tell!("\n# Scanning the entire keyspace to find biggest keys as well as");
    tell!("# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec");
    tell!("# per 100 SCAN commands (not usually needed).\n");
    let in_all = size(client)?;
    let mut walk = Walk::new(manner);
    let mut found = Tallies::default();
    while let Some(keys) = walk.next_batch(client)? {
        found.look_at(client, &keys, by, in_all)?;
    }
    found.sum_up(by);
    Ok(())
}

impl By {
    /// What to ask about a key of this type. `None` if only its type can be told.
    fn question<'a>(self, kind: &str, key: &'a [u8], samples: &'a [u8]) -> Option<Vec<&'a [u8]>> {
        match self {
            By::Elements => Some(vec![known(kind)?.command.as_bytes(), key]),
            By::Memory { samples: None } => Some(vec![b"MEMORY", b"USAGE", key]),
            By::Memory { .. } => Some(vec![b"MEMORY", b"USAGE", key, b"SAMPLES", samples]),
        }
    }

    fn unit(self, kind: &str) -> &'static str {
        match self {
            By::Elements => known(kind).map_or("?", |kind| kind.unit),
            By::Memory { .. } => "bytes",
        }
    }
}

fn known(kind: &str) -> Option<&'static Type> {
    TYPES.iter().find(|known| known.name == kind)
}

impl Tallies {
    fn look_at(&mut self, client: &mut Client, keys: &[Bytes], by: By, in_all: u64) -> Result<(), String> {
        let questions: Vec<Vec<&[u8]>> = keys.iter().map(|key| vec![&b"TYPE"[..], key]).collect();
        let kinds: Vec<String> = ask_all(client, &questions)?.iter().map(text).collect();
        let samples = match by {
            By::Memory { samples: Some(count) } => count.to_string(),
            _ => String::new(),
        };
        let percent = 100.0 * self.keys as f64 / in_all.max(1) as f64;
        let (mut asked, mut questions) = (Vec::new(), Vec::new());
        // A key that has gone in the meantime has no type.
        for (key, kind) in keys.iter().zip(&kinds).filter(|(_, kind)| *kind != "none") {
            match by.question(kind, key, samples.as_bytes()) {
                Some(question) => {
                    asked.push((key, kind));
                    questions.push(question);
                }
                None => self.add(key, kind, Some(0), by, percent),
            }
        }
        for ((key, kind), reply) in asked.into_iter().zip(ask_all(client, &questions)?) {
            self.add(key, kind, size_of(&reply), by, percent);
        }
        Ok(())
    }

    /// `size`: none if the key has gone, or become something else, since its type was told.
    fn add(&mut self, key: &Bytes, kind: &str, size: Option<u64>, by: By, percent: f64) {
        let Some(size) = size else { return };
        let tally = self.by_type.entry(kind.to_string()).or_default();
        tally.keys += 1;
        tally.total += size;
        self.keys += 1;
        self.key_bytes += key.len() as u64;
        if size > tally.biggest {
            (tally.biggest, tally.key) = (size, Some(key.clone()));
            let (name, unit) = (shown(key), by.unit(kind));
            tell!("[{percent:05.2}%] Biggest {kind:<6} found so far '{name}' with {size} {unit}");
        }
        if self.keys.is_multiple_of(PROGRESS) {
            tell!("[{percent:05.2}%] Sampled {} keys so far", self.keys);
        }
    }

    fn sum_up(&self, by: By) {
        tell!("\n-------- summary -------\n");
        tell!("Sampled {} keys in the keyspace!", self.keys);
        tell!(
            "Total key length in bytes is {} (avg len {:.2})\n",
            self.key_bytes,
            ratio(self.key_bytes, self.keys)
        );
        for (kind, tally) in self.in_order() {
            if let Some(key) = &tally.key {
                let (name, size) = (shown(key), tally.biggest);
                tell!("Biggest {kind:>6} found '{name}' has {size} {}", by.unit(kind));
            }
        }
        tell!("");
        let empty = Tally::default();
        let absent =
            TYPES.iter().filter(|kind| !self.by_type.contains_key(kind.name)).map(|kind| (kind.name, &empty));
        for (kind, tally) in self.in_order().chain(absent) {
            let share = 100.0 * ratio(tally.keys, self.keys);
            let Tally { keys, total, .. } = tally;
            let (unit, average) = (by.unit(kind), ratio(*total, *keys));
            tell!("{keys} {kind}s with {total} {unit} ({share:05.2}% of keys, avg size {average:.2})");
        }
    }

    /// What was found, known types first.
    fn in_order(&self) -> impl Iterator<Item = (&str, &Tally)> {
        let known_ones = TYPES.iter().filter_map(|kind| Some((kind.name, self.by_type.get(kind.name)?)));
        let others = self.by_type.iter().filter(|(kind, _)| known(kind).is_none());
        known_ones.chain(others.map(|(kind, tally)| (kind.as_str(), tally)))
    }
}

fn ratio(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

fn text(reply: &Frame) -> String {
    reply.as_bytes().map_or("none".into(), |text| String::from_utf8_lossy(text).into_owned())
}

fn size_of(reply: &Frame) -> Option<u64> {
    match reply {
        Frame::Integer(size) => Some(size.unsigned_abs()),
        _ => None,
    }
}
