//! The same keys, distributed in each way: what moves when a server joins or leaves, and how even it is.
//!
//! Given code around your functions; `cargo run -p lab-6 --bin compare` prints its table.

use core_types::{Slot, SlotRange};

use crate::hash::Hash;
use crate::hash_slot::key_slot;
use crate::modulo::modulo;
use crate::ring::{Ring, Server};

/// How many keys are distributed.
pub const KEYS: usize = 100_000;

/// A way to distribute keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// The remainder of the key's hash.
    Modulo,
    /// A ring with this many points for each server.
    Ring(u32),
    /// Slots, of which every server has an equal part; when a server joins or leaves, no more of them change
    /// hands than must.
    Slots,
}

impl Scheme {
    /// Those that the chapter compares.
    pub const ALL: [Scheme; 5] =
        [Scheme::Modulo, Scheme::Ring(4), Scheme::Ring(160), Scheme::Ring(2560), Scheme::Slots];

    /// In words.
    pub fn name(self) -> String {
        match self {
            Scheme::Modulo => "modulo".into(),
            Scheme::Ring(points) => format!("ring, {points} points a server"),
            Scheme::Slots => "slots".into(),
        }
    }
}

/// Keys, with all that a scheme asks of them.
#[derive(Clone, Debug)]
pub struct Keys {
    hashes: Vec<u32>,
    slots: Vec<Slot>,
}

impl Keys {
    /// The keys `user:0`, `user:1` and so on.
    pub fn new(count: usize) -> Keys {
        let keys: Vec<String> = (0..count).map(|number| format!("user:{number}")).collect();
        Keys {
            hashes: keys.iter().map(|key| Hash::Md5.of(key.as_bytes())).collect(),
            slots: keys.iter().map(|key| key_slot(key.as_bytes())).collect(),
        }
    }
}

/// What came out for one scheme.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The scheme.
    pub scheme: Scheme,
    /// How many keys each server has.
    pub keys: Vec<usize>,
    /// How many keys live elsewhere after one more server has joined.
    pub join: usize,
    /// How many of those live on a server that was there before: they moved for nothing.
    pub astray: usize,
    /// How many keys live elsewhere after the last server has left.
    pub leave: usize,
}

impl Row {
    /// The fullest server's keys, as a part of the average.
    pub fn fullest(&self) -> f64 {
        self.relative(self.keys.iter().max())
    }

    /// The emptiest server's keys, as a part of the average.
    pub fn emptiest(&self) -> f64 {
        self.relative(self.keys.iter().min())
    }

    fn relative(&self, keys: Option<&usize>) -> f64 {
        let all: usize = self.keys.iter().sum();
        keys.map_or(0.0, |&keys| keys as f64 * self.keys.len() as f64 / all as f64)
    }
}

/// The servers: `10.0.0.1:6379` and so on.
pub fn servers(count: usize) -> Vec<Server> {
    (1..=count).map(|number| Server::new(format!("10.0.0.{number}:6379"), 1)).collect()
}

/// Where each of `keys` lives among `count` servers.
pub fn owners(scheme: Scheme, keys: &Keys, count: usize) -> Vec<usize> {
    let weights = vec![1; count];
    let ring = match scheme {
        Scheme::Ring(points) => Ring::with_points(&servers(count), points),
        Scheme::Modulo => Ring::default(),
        Scheme::Slots => return slots_of(keys, &even_table(count)),
    };
    let owner = |&hash: &u32| match scheme {
        Scheme::Ring(_) => ring.owner(hash),
        _ => modulo(hash, &weights),
    };
    keys.hashes.iter().map(|hash| owner(hash).expect("there is a server")).collect()
}

/// The comparison for one scheme: `count` servers, one more, one less.
pub fn compare(scheme: Scheme, keys: &Keys, count: usize) -> Row {
    let before = owners(scheme, keys, count);
    let (after_join, after_leave) = match scheme {
        Scheme::Slots => {
            let table = even_table(count);
            (slots_of(keys, &joined(&table, count)), slots_of(keys, &left(&table, count)))
        }
        _ => (owners(scheme, keys, count + 1), owners(scheme, keys, count - 1)),
    };
    let mut shares = vec![0; count];
    for &owner in &before {
        shares[owner] += 1;
    }
    let moved = |after: &[usize]| {
        before.iter().zip(after).filter(|(before, after)| before != after).map(|(_, &after)| after).collect()
    };
    let (join, leave): (Vec<usize>, Vec<usize>) = (moved(&after_join), moved(&after_leave));
    let astray = join.iter().filter(|&&after| after != count).count();
    Row { scheme, keys: shares, join: join.len(), astray, leave: leave.len() }
}

/// The slots of each of `count` masters when they share them evenly, as `redis-cli --cluster create` divides them.
pub fn even(count: usize) -> Vec<SlotRange> {
    let each = f64::from(Slot::COUNT) / count as f64;
    let slot = |number: f64| Slot::new(number as u16).expect("below the number of slots");
    let mut ranges = Vec::with_capacity(count);
    for index in 0..count {
        let cursor = each * index as f64;
        let last =
            if index + 1 == count { f64::from(Slot::COUNT - 1) } else { (cursor + each - 1.0).round() };
        ranges.push(SlotRange { first: slot(cursor.round()), last: slot(last) });
    }
    ranges
}

/// Who has each slot.
fn even_table(count: usize) -> Vec<usize> {
    let ranges = even(count);
    ranges.iter().enumerate().flat_map(|(owner, range)| std::iter::repeat_n(owner, range.len())).collect()
}

fn slots_of(keys: &Keys, table: &[usize]) -> Vec<usize> {
    keys.slots.iter().map(|slot| table[slot.index()]).collect()
}

/// The server `count` joins: everybody gives it every so-many-th slot.
fn joined(table: &[usize], count: usize) -> Vec<usize> {
    let mut seen = vec![0_usize; count];
    let give = |&owner: &usize| {
        seen[owner] += 1;
        if seen[owner].is_multiple_of(count + 1) { count } else { owner }
    };
    table.iter().map(give).collect()
}

/// The last of `count` servers leaves: its slots go to the others in turn.
fn left(table: &[usize], count: usize) -> Vec<usize> {
    let mut turn = 0;
    let take = |&owner: &usize| {
        if owner + 1 < count {
            return owner;
        }
        turn += 1;
        turn % (count - 1)
    };
    table.iter().map(take).collect()
}

/// The table as `cargo run -p lab-6 --bin compare` prints it.
pub fn table(count: usize) -> String {
    let keys = Keys::new(KEYS);
    let percent = |part: usize| format!("{:.1} %", 100.0 * part as f64 / KEYS as f64);
    let mut text = format!(
        "{KEYS} keys on {count} servers\n{:<28}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
        "", "join", "astray", "leave", "fullest", "emptiest"
    );
    for scheme in Scheme::ALL {
        let row = compare(scheme, &keys, count);
        text += &format!(
            "{:<28}{:>10}{:>10}{:>10}{:>10.2}{:>10.2}\n",
            scheme.name(),
            percent(row.join),
            percent(row.astray),
            percent(row.leave),
            row.fullest(),
            row.emptiest()
        );
    }
    text
}
