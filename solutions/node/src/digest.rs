//! A fingerprint of the data set that does not depend on the order of anything: `DEBUG DIGEST`.
//!
//! It is Redis's own recipe (`computeDatasetDigest` in `debug.c`), so that one may compare two servers of
//! either kind with one command. Where order does not matter, SHA-1 sums are combined by *exclusive or*;
//! where it does, each sum is hashed on.

use core_types::format_double;
use keyspace::{Digits, Entry, Keyspace, Value};
use sha1::{Digest as _, Sha1};

/// 160 bits.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Digest([u8; 20]);

impl Digest {
    /// Adds `bytes` in a way that does not depend on what was added before.
    fn add(&mut self, bytes: &[u8]) {
        let sum: [u8; 20] = Sha1::digest(bytes).into();
        for (mine, other) in self.0.iter_mut().zip(sum) {
            *mine ^= other;
        }
    }

    /// Adds `bytes` as the next of a sequence.
    fn mix(&mut self, bytes: &[u8]) {
        self.add(bytes);
        self.0 = Sha1::digest(self.0).into();
    }

    /// The digest of all data.
    pub(crate) fn of_all(keyspace: &Keyspace) -> Digest {
        let mut all = Digest::default();
        for index in 0..keyspace.databases() {
            let db = keyspace.db(index);
            if db.is_empty() {
                continue;
            }
            all.mix(&(index as u32).to_be_bytes());
            for (key, entry) in db.iter() {
                let mut one = Digest::default();
                one.mix(key);
                one.mix_entry(entry);
                all.add(&one.0);
            }
        }
        all
    }

    /// The digest of one value.
    pub(crate) fn of_entry(entry: &Entry) -> Digest {
        let mut one = Digest::default();
        one.mix_entry(entry);
        one
    }

    fn mix_entry(&mut self, entry: &Entry) {
        // The numbers of the types in Redis's `server.h`.
        let kind: u32 = match &entry.value {
            Value::String(_) => 0,
            Value::List(_) => 1,
            Value::Set(_) => 2,
            Value::Zset(_) => 3,
            Value::Hash(_) => 4,
        };
        self.mix(&kind.to_be_bytes());
        let (mut first, mut second) = (Digits::default(), Digits::default());
        match &entry.value {
            Value::String(text) => self.mix(text.as_bytes(&mut first)),
            Value::List(list) => list.iter().for_each(|item| self.mix(item.as_bytes(&mut first))),
            Value::Set(set) => set.iter().for_each(|item| self.add(item.as_bytes(&mut first))),
            Value::Zset(zset) => zset.iter().for_each(|(item, score)| {
                self.add_pair(item.as_bytes(&mut first), format_double(score).as_bytes());
            }),
            Value::Hash(hash) => hash.iter().for_each(|(field, value)| {
                self.add_pair(field.as_bytes(&mut first), value.as_bytes(&mut second));
            }),
        }
        if entry.expire_at().is_some() {
            self.add(b"!!expire!!");
        }
    }

    fn add_pair(&mut self, first: &[u8], second: &[u8]) {
        let mut pair = Digest::default();
        pair.mix(first);
        pair.mix(second);
        self.add(&pair.0);
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
