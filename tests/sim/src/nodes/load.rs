//! What a busy client says: writes of all kinds, over several databases, some with a time to live, some together.

use core_types::{ArgsBuf, Millis, Rng};

use super::Load;

/// A random mixture of commands.
#[derive(Clone, Debug)]
pub struct Mixture {
    /// Keys of each type.
    pub keys: u64,
    /// The longest value, in bytes.
    pub value: u64,
    /// Databases that are selected.
    pub databases: u64,
    /// In so many of 1000 cases everything is deleted.
    pub flush: u64,
}

impl Default for Mixture {
    fn default() -> Mixture {
        Mixture { keys: 4, value: 20, databases: 3, flush: 3 }
    }
}

impl Mixture {
    /// A client's load of it.
    pub fn load(self, pace: (Millis, Millis)) -> Load {
        // Commands still to come before the EXEC.
        let mut open = None;
        Load { pace, next: Box::new(move |rng| self.next(rng, &mut open)) }
    }

    fn next(&self, rng: &mut Rng, open: &mut Option<u64>) -> ArgsBuf {
        match open {
            Some(0) => {
                *open = None;
                return words(&[if rng.chance(90) { "EXEC" } else { "DISCARD" }]);
            }
            Some(left) => *left -= 1,
            None if rng.chance(5) => {
                *open = Some(rng.between(0, 4));
                return words(&["MULTI"]);
            }
            None => {}
        }
        self.command(rng)
    }

    /// One command, by itself.
    pub fn command(&self, rng: &mut Rng) -> ArgsBuf {
        if rng.below(1000) < self.flush {
            return words(&[if rng.chance(50) { "FLUSHALL" } else { "FLUSHDB" }]);
        }
        match rng.below(20) {
            0..=6 => self.on_strings(rng),
            7..=8 => self.on_lists(rng),
            9..=10 => self.on_hashes(rng),
            11..=12 => self.on_sets(rng),
            13..=14 => self.on_sorted_sets(rng),
            15..=17 => self.on_any(rng),
            18 => words(&["SELECT", &rng.below(self.databases).to_string()]),
            _ => words(&["PUBLISH", "news", &self.text(rng)]),
        }
    }

    fn key(&self, rng: &mut Rng, kind: &str) -> String {
        format!("{kind}:{}", rng.below(self.keys))
    }

    fn any_key(&self, rng: &mut Rng) -> String {
        let kind = ["string", "list", "hash", "set", "zset"][rng.below(5) as usize];
        self.key(rng, kind)
    }

    fn text(&self, rng: &mut Rng) -> String {
        let letter = char::from(b'a' + rng.below(26) as u8);
        letter.to_string().repeat(rng.below(self.value) as usize + 1)
    }

    fn on_strings(&self, rng: &mut Rng) -> ArgsBuf {
        let (key, other, text) = (self.key(rng, "string"), self.key(rng, "string"), self.text(rng));
        let number = rng.between(1, 3000).to_string();
        match rng.below(14) {
            0..=3 => words(&["SET", &key, &text]),
            4 => words(&["SET", &key, &text, "PX", &number]),
            5 => words(&["SET", &key, &number, "KEEPTTL"]),
            6 => words(&["INCR", &key]),
            7 => words(&["INCRBYFLOAT", &key, "0.1"]),
            8 => words(&["APPEND", &key, &text]),
            9 => words(&["SETRANGE", &key, "3", &text]),
            10 => words(&["GETEX", &key, "PX", &number]),
            11 => words(&["MSET", &key, &number, &other, &text]),
            12 => words(&["GETDEL", &key]),
            _ => words(&["GET", &key]),
        }
    }

    fn on_lists(&self, rng: &mut Rng) -> ArgsBuf {
        let (key, other, text) = (self.key(rng, "list"), self.key(rng, "list"), self.text(rng));
        match rng.below(8) {
            0..=1 => words(&["RPUSH", &key, &text, "x"]),
            2 => words(&["LPUSH", &key, &text]),
            3 => words(&["LPOP", &key]),
            4 => words(&["LMOVE", &key, &other, "LEFT", "RIGHT"]),
            5 => words(&["LTRIM", &key, "-10", "-1"]),
            6 => words(&["LREM", &key, "1", &text]),
            _ => words(&["BLPOP", &key, &other, "0.05"]),
        }
    }

    fn on_hashes(&self, rng: &mut Rng) -> ArgsBuf {
        let (key, field, text) = (self.key(rng, "hash"), rng.below(10).to_string(), self.text(rng));
        match rng.below(5) {
            0..=1 => words(&["HSET", &key, &field, &text]),
            2 => words(&["HINCRBYFLOAT", &key, "sum", "1.5"]),
            3 => words(&["HDEL", &key, &field]),
            _ => words(&["HSETNX", &key, &field, &text]),
        }
    }

    fn on_sets(&self, rng: &mut Rng) -> ArgsBuf {
        let (key, other, member) = (self.key(rng, "set"), self.key(rng, "set"), rng.below(20).to_string());
        match rng.below(6) {
            0..=1 => words(&["SADD", &key, &member, &self.text(rng)]),
            2 => words(&["SPOP", &key]),
            3 => words(&["SREM", &key, &member]),
            4 => words(&["SMOVE", &key, &other, &member]),
            _ => words(&["SUNIONSTORE", &other, &key, &other]),
        }
    }

    fn on_sorted_sets(&self, rng: &mut Rng) -> ArgsBuf {
        let (key, other, member) = (self.key(rng, "zset"), self.key(rng, "zset"), rng.below(20).to_string());
        match rng.below(6) {
            0..=1 => words(&["ZADD", &key, &rng.below(100).to_string(), &member]),
            2 => words(&["ZINCRBY", &key, "0.25", &member]),
            3 => words(&["ZPOPMIN", &key]),
            4 => words(&["ZREMRANGEBYRANK", &key, "10", "-1"]),
            _ => words(&["ZUNIONSTORE", &other, "2", &key, &other]),
        }
    }

    fn on_any(&self, rng: &mut Rng) -> ArgsBuf {
        let (key, other) = (self.any_key(rng), self.any_key(rng));
        let (number, db) = (rng.between(1, 3000).to_string(), rng.below(self.databases).to_string());
        match rng.below(10) {
            0..=1 => words(&["PEXPIRE", &key, &number]),
            2 => words(&["PERSIST", &key]),
            3 => words(&["DEL", &key, &other]),
            4 => words(&["UNLINK", &key]),
            5 => words(&["RENAME", &key, &key.replace(':', ":0")]),
            6 => words(&["COPY", &key, &key, "DB", &db]),
            7 => words(&["MOVE", &key, &db]),
            8 if rng.chance(10) => words(&["SWAPDB", "0", &db]),
            _ => words(&["EXISTS", &key, &other]),
        }
    }
}

fn words(parts: &[&str]) -> ArgsBuf {
    ArgsBuf::from_parts(parts.iter().copied())
}
