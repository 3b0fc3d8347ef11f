use core_types::{Broken, Millis};
use foldhash::fast::FixedState;
use indexmap::{IndexMap, IndexSet};

use crate::snapshot::{Capture, Entries};
use crate::{Entry, Value};

/// One database: its keys in a definite order.
///
/// Keys lie in a dense table in the order in which they were first set; removing one moves the last key
/// into the gap. The order follows from the commands alone, never from a hash, so two nodes that ran the
/// same commands iterate in the same order, and a failing simulation replays exactly.
///
/// The dense table also gives `SCAN` its guarantee at no cost. A scan walks *downward*, and its cursor is
/// the number of keys still below it. A new key goes to the top, which the scan has left behind. A removal
/// moves the topmost key down: either a key the scan has already shown (then it may be shown again, which
/// Redis allows too), or one that was still to come (and then it stays so). No key that is there all the
/// time is ever missed. The active expiry cycle walks the keys with a TTL in the same way.
#[derive(Clone)]
pub struct Db {
    pub(crate) entries: Entries,
    /// The keys of those entries that expire.
    volatile: IndexSet<Box<[u8]>, FixedState>,
    /// How many of `volatile` the active expiry has still to look at in its present round.
    pub(crate) expire_cursor: usize,
    /// The number of the last snapshot that has begun; new entries carry it.
    pub(crate) epoch: u16,
    /// Set while a snapshot in progress has not seen all of this database.
    pub(crate) capture: Option<Box<Capture>>,
}

impl Db {
    /// An empty database. The seed only makes collisions hard to construct; nothing else depends on it.
    pub fn new(seed: u64) -> Db {
        let hasher = FixedState::with_seed(seed);
        Db {
            entries: IndexMap::with_hasher(hasher.clone()),
            volatile: IndexSet::with_hasher(hasher),
            expire_cursor: 0,
            epoch: 0,
            capture: None,
        }
    }

    /// How many keys there are, expired ones that nobody has met yet included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without any key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many of the keys have an expiry.
    pub fn volatile_len(&self) -> usize {
        self.volatile.len()
    }

    /// Where `key` lies at the moment. The position holds until the next key is removed.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<usize> {
        self.entries.get_index_of(key)
    }

    /// The entry of `key`, expired or not.
    pub fn get(&self, key: &[u8]) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// The key and entry at a position.
    ///
    /// # Panics
    /// If there is none. Positions come from [`find`](Db::find).
    #[inline]
    pub fn at(&self, position: usize) -> (&[u8], &Entry) {
        let (key, entry) = self.entries.get_index(position).expect("a position that was just found");
        (key, entry)
    }

    /// The entry at a position, to change its value.
    ///
    /// # Panics
    /// As [`at`](Db::at).
    #[inline]
    pub fn at_mut(&mut self, position: usize) -> &mut Entry {
        self.before_change(position);
        &mut self.entries[position]
    }

    /// Notes that a command used the key at a position. That is no change: no snapshot cares.
    #[inline]
    pub(crate) fn touch(&mut self, position: usize, now: Millis) {
        self.entries[position].touch(now);
    }

    /// Keys and entries in the database's order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &Entry)> {
        self.entries.iter().map(|(key, entry)| (&**key, entry))
    }

    /// Sets `key` to `value` without expiry, whatever it was before. Returns its position.
    pub fn insert(&mut self, key: &[u8], value: Value, now: Millis) -> usize {
        self.insert_entry(key, Entry::new(value, now))
    }

    /// Sets `key` to `entry`, expiry included. Returns its position.
    pub fn insert_entry(&mut self, key: &[u8], mut entry: Entry) -> usize {
        entry.epoch = self.epoch;
        let expires = entry.expire_at().is_some();
        let position = match self.entries.get_index_of(key) {
            Some(position) => {
                self.before_change(position);
                let old = std::mem::replace(&mut self.entries[position], entry);
                if old.expire_at().is_some() && !expires {
                    self.volatile.swap_remove(key);
                }
                position
            }
            None => self.entries.insert_full(key.into(), entry).0,
        };
        if expires && !self.volatile.contains(key) {
            self.volatile.insert(key.into());
        }
        position
    }

    /// Gives the key at `position` an expiry, or takes it away. Returns the one it had.
    pub fn set_expire_at(&mut self, position: usize, at: Option<Millis>) -> Option<Millis> {
        self.before_change(position);
        let (key, entry) = self.entries.get_index_mut(position).expect("a position that was just found");
        let before = entry.expire_at();
        entry.set_expire_at(at);
        match (before, at) {
            (None, Some(_)) => {
                self.volatile.insert(key.clone());
            }
            (Some(_), None) => {
                self.volatile.swap_remove(key);
            }
            _ => {}
        }
        before
    }

    /// Takes `key` out.
    pub fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        if self.capture.is_some() {
            self.before_change(self.find(key)?);
        }
        let entry = self.entries.swap_remove(key)?;
        if entry.expire_at().is_some() {
            self.volatile.swap_remove(key);
        }
        Some(entry)
    }

    /// About how many bytes the key at a position and its value take.
    pub(crate) fn memory_at(&self, position: usize) -> usize {
        let (key, entry) = self.at(position);
        // The table keeps key and entry with their hash, and in its index the number of the slot. For
        // eight numbers there are at least nine places, each with a byte of its own.
        let slot = size_of::<(Box<[u8]>, Entry, u64)>() + size_of::<usize>() + 2;
        let listed =
            if entry.expire_at().is_some() { key.len() + 2 * size_of::<Box<[u8]>>() + 10 } else { 0 };
        slot + key.len() + listed + entry.value.memory()
    }

    /// Takes the key at a position out.
    pub(crate) fn remove_at(&mut self, position: usize) {
        self.before_change(position);
        let (key, entry) = self.entries.swap_remove_index(position).expect("a position that was just found");
        if entry.expire_at().is_some() {
            self.volatile.swap_remove(&key);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        // Not `IndexMap::clear`, which would keep the memory of a data set that is gone.
        let hasher = self.entries.hasher().clone();
        let entries = std::mem::replace(&mut self.entries, IndexMap::with_hasher(hasher.clone()));
        self.volatile = IndexSet::with_hasher(hasher);
        self.expire_cursor = 0;
        self.keep_flushed(entries);
    }

    /// The key at a position of the list of keys that expire.
    pub(crate) fn volatile_at(&self, position: usize) -> Option<&[u8]> {
        self.volatile.get_index(position).map(|key| &**key)
    }

    /// What must hold between commands.
    pub fn check_invariants(&self) -> Result<(), Broken> {
        const RULE: &str = "the list of keys that expire holds exactly the keys with an expiry";
        let expiring = self.entries.values().filter(|entry| entry.expire_at().is_some()).count();
        if expiring != self.volatile.len() {
            return Err(Broken::new(RULE, format!("{} listed, {expiring} expire", self.volatile.len())));
        }
        match self.volatile.iter().find(|key| self.get(key).is_none_or(|entry| entry.expire_at().is_none())) {
            Some(key) => Err(Broken::new(RULE, format!("{} does not expire", core_types::show_bytes(key)))),
            None => Ok(()),
        }
    }
}

/// Equal if they hold the same keys, in any order, with equal entries.
impl PartialEq for Db {
    fn eq(&self, other: &Db) -> bool {
        self.len() == other.len() && self.iter().all(|(key, entry)| other.get(key) == Some(entry))
    }
}

impl Eq for Db {}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter().map(|(key, entry)| (core_types::show_bytes(key), entry))).finish()
    }
}
