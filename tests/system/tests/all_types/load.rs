//! Random writes. Keys are few, so that commands meet each other; now and then one meets a key of a type
//! that it does not work on.

use std::collections::BTreeMap;

use core_types::{Frame, Rng};

/// The words of a command.
pub(crate) type Command = Vec<Vec<u8>>;

/// Where a writer goes with `SELECT`.
const DATABASES: [usize; 4] = [0, 1, 3, 9];

/// Keys of one type in one database.
const KEYS: u64 = 40;

/// A source of commands.
pub(crate) struct Load {
    rng: Rng,
}

/// The words of a command that stand there as they are.
fn words(text: &str) -> Command {
    text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

impl Load {
    pub(crate) fn new(seed: u64) -> Load {
        Load { rng: Rng::new(seed) }
    }

    /// One command, or a whole transaction.
    pub(crate) fn next(&mut self) -> Vec<Command> {
        match self.rng.below(1000) {
            0..30 => vec![words(&format!("SELECT {}", self.pick(&DATABASES)))],
            30..70 => self.transaction(),
            70..72 => vec![words("SWAPDB 0 1")],
            72 if self.rng.chance(10) => vec![words("SELECT 9"), words("FLUSHDB")],
            73..80 => vec![self.waiting()],
            _ => vec![self.write()],
        }
    }

    fn transaction(&mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.rng.chance(20) {
            commands.push(vec![b"WATCH".to_vec(), self.any_key()]);
        }
        commands.push(words("MULTI"));
        for _ in 0..self.rng.between(1, 6) {
            let command = match self.rng.below(20) {
                0 => words(&format!("SELECT {}", self.pick(&DATABASES))),
                // Does not wait here.
                1 => self.waiting(),
                _ => self.write(),
            };
            commands.push(command);
        }
        commands.push(words(if self.rng.chance(10) { "DISCARD" } else { "EXEC" }));
        commands
    }

    /// A command that may wait, for a few milliseconds.
    fn waiting(&mut self) -> Command {
        let text = match self.rng.below(6) {
            0 => "BLPOP L L 0.003",
            1 => "BRPOP L 0.003",
            2 => "BLMOVE L L LEFT RIGHT 0.003",
            3 => "BZPOPMIN Z Z 0.003",
            4 => "BLMPOP 0.003 2 L L RIGHT COUNT 3",
            _ => "BZMPOP 0.003 1 Z MAX COUNT 2",
        };
        self.fill(text)
    }

    fn write(&mut self) -> Command {
        let forms = match self.rng.below(20) {
            0..4 => STRINGS,
            4..7 => LISTS,
            7..10 => HASHES,
            10..13 => SETS,
            13..16 => ZSETS,
            _ => KEYS_OF_ANY_TYPE,
        };
        let form = self.pick(forms);
        self.fill(form)
    }

    /// Replaces the capital single letters of a form.
    fn fill(&mut self, form: &str) -> Command {
        let mut command = Vec::new();
        for word in form.split(' ') {
            match word {
                "S" => command.push(self.key('s')),
                "L" => command.push(self.key('l')),
                "H" => command.push(self.key('h')),
                "T" => command.push(self.key('t')),
                "Z" => command.push(self.key('z')),
                "X" => command.push(self.key('x')),
                "K" => command.push(self.any_key()),
                "v" => command.push(self.text()),
                "v*" => command.extend(self.several(|load| vec![load.text()])),
                "m" => command.push(self.member()),
                "m*" => command.extend(self.several(|load| vec![load.member()])),
                "mv*" => command.extend(self.several(|load| vec![load.member(), load.text()])),
                "fm*" => command.extend(self.several(|load| vec![load.score(), load.member()])),
                "Sv*" => command.extend(self.several(|load| vec![load.key('s'), load.text()])),
                "i" => command.push((self.rng.below(2001) as i64 - 1000).to_string().into()),
                "n" => command.push(self.rng.below(12).to_string().into()),
                "p" => command.push(self.rng.between(1, 4).to_string().into()),
                "o" => command.push(self.rng.below(300).to_string().into()),
                "f" => command.push(self.score()),
                "db" => command.push(self.pick(&DATABASES).to_string().into()),
                "soon" => command.push(self.rng.between(1, 400).to_string().into()),
                "late" => command.push(self.rng.between(10_000, 20_000).to_string().into()),
                // The year 2100, in milliseconds.
                "ever" => command.push((4_102_444_800_000 + self.rng.below(1000)).to_string().into()),
                other => command.push(other.as_bytes().to_vec()),
            }
        }
        command
    }

    fn several(&mut self, draw: fn(&mut Load) -> Command) -> Command {
        (0..self.rng.between(1, 6)).flat_map(|_| draw(self)).collect()
    }

    fn key(&mut self, kind: char) -> Vec<u8> {
        if kind != 'x' && self.rng.chance(3) {
            return self.any_key();
        }
        format!("{kind}:{}", self.rng.below(KEYS)).into_bytes()
    }

    fn any_key(&mut self) -> Vec<u8> {
        let kind = *self.pick(&['s', 'l', 'h', 't', 'z']);
        format!("{kind}:{}", self.rng.below(KEYS)).into_bytes()
    }

    /// Short and long, numbers, text that compresses well, bytes that do not, nothing at all.
    fn text(&mut self) -> Vec<u8> {
        match self.rng.below(40) {
            0 => Vec::new(),
            1 => b"abc".repeat(1 + self.rng.below(400) as usize),
            2 if self.rng.chance(10) => vec![b'l'; 9000 + self.rng.below(9000) as usize],
            3..6 => (0..self.rng.below(40)).map(|_| self.rng.next_u64() as u8).collect(),
            6..10 => (self.rng.next_u64() as i64).to_string().into_bytes(),
            10..25 => (self.rng.below(300) as i64 - 150).to_string().into_bytes(),
            _ => format!("value {}", self.rng.below(1_000_000)).into_bytes(),
        }
    }

    /// Of a few hundred, so that adding and removing meet; mostly numbers, so that sets of numbers stay such
    /// for a while.
    fn member(&mut self) -> Vec<u8> {
        match self.rng.below(20) {
            0 => vec![b'm'; 60 + self.rng.below(10) as usize],
            1..8 => format!("member:{}", self.rng.below(300)).into_bytes(),
            _ => self.rng.below(600).to_string().into_bytes(),
        }
    }

    fn score(&mut self) -> Vec<u8> {
        match self.rng.below(12) {
            0 => b"inf".to_vec(),
            1 => b"-inf".to_vec(),
            2..7 => (self.rng.below(41) as i64 - 20).to_string().into_bytes(),
            7 => format!("{}e{}", self.rng.below(1000), self.rng.below(30)).into_bytes(),
            _ => format!("{:.3}", self.rng.below(200_000) as f64 / 1000.0 - 100.0).into_bytes(),
        }
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        self.rng.pick(items).expect("there is something to pick from")
    }
}

// In these forms stand: S L H T Z a key of that type, X one of a sorted set whose scores are equal (only
// there have ranges by member a meaning), K any other key; v a value, m a member or field, f a score,
// mv pairs, `*` several; i a number, n and p small ones (p above zero), o an offset; soon and late a time.

const STRINGS: &[&str] = &[
    "SET S v",
    "SET S v",
    "SET S i",
    "SET S v PX soon",
    "SET S v EX late",
    "SET S v PXAT ever",
    "SET S v NX",
    "SET S v XX GET",
    "SET S v KEEPTTL",
    "SETNX S v",
    "SETEX S late v",
    "PSETEX S soon v",
    "GETSET S v",
    "GETDEL S",
    "GETEX S PX soon",
    "GETEX S EX late",
    "GETEX S PERSIST",
    "GET S",
    "APPEND S v",
    "SETRANGE S o v",
    "SETBIT S o 1",
    "BITOP XOR S S S",
    "BITOP NOT S S",
    "INCR S",
    "DECRBY S i",
    "INCRBY S i",
    "INCRBYFLOAT S f",
    "INCRBYFLOAT S f",
    "MSET Sv*",
    "MSETNX Sv*",
];

const LISTS: &[&str] = &[
    "LPUSH L v*",
    "RPUSH L v*",
    "RPUSH L m*",
    "LPUSHX L v",
    "RPUSHX L m*",
    "LPOP L",
    "RPOP L",
    "LPOP L n",
    "RPOP L n",
    "LSET L n v",
    "LINSERT L BEFORE m v",
    "LINSERT L AFTER m m",
    "LREM L 0 m",
    "LREM L -1 m",
    "LTRIM L n -1",
    "LTRIM L 0 o",
    "LMOVE L L LEFT RIGHT",
    "LMOVE L L RIGHT LEFT",
    "RPOPLPUSH L L",
    "LMPOP 2 L L LEFT COUNT p",
];

const HASHES: &[&str] = &[
    "HSET H mv*",
    "HSET H mv*",
    "HSET H mv*",
    "HMSET H mv*",
    "HSETNX H m v",
    "HDEL H m*",
    "HDEL H m*",
    "HINCRBY H m i",
    "HINCRBYFLOAT H m f",
    "HGETALL H",
];

const SETS: &[&str] = &[
    "SADD T m*",
    "SADD T m*",
    "SADD T m*",
    "SREM T m*",
    "SMOVE T T m",
    "SPOP T",
    "SPOP T",
    "SPOP T n",
    "SINTERSTORE T T T",
    "SUNIONSTORE T T T",
    "SDIFFSTORE T T T",
];

const ZSETS: &[&str] = &[
    "ZADD Z fm*",
    "ZADD Z fm*",
    "ZADD Z fm*",
    "ZADD Z NX fm*",
    "ZADD Z XX CH fm*",
    "ZADD Z GT fm*",
    "ZADD Z LT CH fm*",
    "ZADD Z INCR f m",
    "ZINCRBY Z f m",
    "ZREM Z m*",
    "ZPOPMIN Z",
    "ZPOPMAX Z n",
    "ZMPOP 2 Z Z MIN COUNT p",
    "ZREMRANGEBYRANK Z n o",
    "ZREMRANGEBYSCORE Z (0 5",
    "ZADD X 0 m 0 m 0 m",
    "ZADD X NX 0 m 0 m 0 m",
    "ZREM X m*",
    "ZREMRANGEBYLEX X [m (n",
    "ZREMRANGEBYLEX X - [2",
    "ZRANGESTORE X X [3 + BYLEX LIMIT n o",
    "ZRANGESTORE Z Z n o",
    "ZRANGESTORE Z Z 0 50 BYSCORE LIMIT n p",
    "ZUNIONSTORE Z 2 Z Z",
    "ZUNIONSTORE Z 3 Z Z T WEIGHTS 1 0.3 2 AGGREGATE SUM",
    "ZINTERSTORE Z 2 Z Z AGGREGATE MAX",
    "ZINTERSTORE Z 2 Z T WEIGHTS 0.1 3",
    "ZDIFFSTORE Z 2 Z Z",
];

const KEYS_OF_ANY_TYPE: &[&str] = &[
    "DEL K",
    "UNLINK K K",
    "EXPIRE K late",
    "EXPIRE K late NX",
    "EXPIRE K late GT",
    "EXPIRE K late LT",
    "EXPIRE K -1",
    "PEXPIRE K soon",
    "PEXPIREAT K ever",
    "PERSIST K",
    "RENAME S S",
    "RENAME L L",
    "RENAME H H",
    "RENAMENX T T",
    "RENAME Z Z",
    "RENAME K K",
    "COPY S S REPLACE",
    "COPY L L DB db REPLACE",
    "COPY H H DB db",
    "COPY T T REPLACE",
    "COPY Z Z DB db REPLACE",
    "MOVE K db",
    "SORT T STORE L ALPHA",
    "SORT T STORE L ALPHA LIMIT n p DESC",
    "SORT L STORE L ALPHA",
    "SORT Z BY nosort STORE L",
    // Not with ALPHA and BY: elements whose weights are equal then come in the order of the hash table.
    "SORT T BY h:*->5 STORE L",
    "SORT L BY nosort GET # GET h:*->5 STORE L",
    "TOUCH K",
];

/// Refusals that a random load must expect, by their first words, and all others.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    commands: u64,
    errors: u64,
    /// One example of each error that tells of a mistake of the load, or of the server.
    unexpected: BTreeMap<String, String>,
}

/// The beginnings of errors that say something about the data, not about the command.
const EXPECTED: &[&str] = &[
    "WRONGTYPE",
    "ERR no such key",
    "ERR index out of range",
    "ERR value is not",
    "ERR value is NaN or Infinity",
    "ERR hash value is not",
    "ERR increment",
    "ERR decrement",
    "ERR resulting score is not a number",
    "ERR source and destination objects are the same",
    "ERR One or more scores can't be converted",
];

impl Refused {
    /// Looks for errors among replies, those of a transaction included.
    pub(crate) fn note(&mut self, commands: &[Command], replies: &[Frame]) {
        for (command, reply) in commands.iter().zip(replies) {
            self.commands += 1;
            self.note_one(command, reply);
        }
    }

    fn note_one(&mut self, command: &Command, reply: &Frame) {
        match reply {
            Frame::Array(parts) => parts.iter().for_each(|part| self.note_one(command, part)),
            Frame::Error(text) => {
                self.errors += 1;
                if !EXPECTED.iter().any(|expected| text.starts_with(expected)) {
                    let shown: Vec<_> = command.iter().map(|word| core_types::show_bytes(word)).collect();
                    self.unexpected.entry(text.clone()).or_insert_with(|| shown.join(" "));
                }
            }
            _ => {}
        }
    }

    /// # Panics
    /// If a command was refused for what it is, or so many that the load shows little.
    pub(crate) fn check(&self) {
        assert!(self.unexpected.is_empty(), "{:#?}", self.unexpected);
        assert!(self.errors * 4 < self.commands, "{} of {} commands failed", self.errors, self.commands);
        println!("{} commands, {} refused", self.commands, self.errors);
    }
}
