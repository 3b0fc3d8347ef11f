use core_types::{Broken, Millis, Rng};

use crate::dense::{Chunks, Dense, Slot};
use crate::slots::{SlotIndex, SlotOf};
use crate::snapshot::Capture;
use crate::{Entry, Usage, Value};

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
    pub(crate) entries: Dense<Kept>,
    /// Where the entries that expire lie. Each of them knows its place in this list.
    volatile: Chunks<u32>,
    /// How many of `volatile` the active expiry has still to look at in its present round.
    pub(crate) expire_cursor: usize,
    /// The number of the last snapshot that has begun; new entries carry it.
    pub(crate) epoch: u16,
    /// Set while a snapshot in progress has not seen all of this database.
    pub(crate) capture: Option<Box<Capture>>,
    /// In a cluster: the keys of each slot.
    slots: Option<Box<SlotIndex>>,
    /// What is kept about the use of keys.
    usage: Usage,
    /// For that alone: what is counted by chance must not change what `RANDOMKEY` draws.
    usage_rng: Rng,
    seed: u64,
}

/// A key and its entry as they lie in the table: just one line of a processor's cache.
#[derive(Clone)]
#[repr(align(64))]
pub(crate) struct Kept {
    pub(crate) key: Box<[u8]>,
    pub(crate) entry: Entry,
    hash: u32,
    /// If the entry expires, its place in the list of those.
    listed: u32,
}

impl Slot for Kept {
    #[inline]
    fn key(&self) -> &[u8] {
        &self.key
    }

    #[inline]
    fn hash(&self) -> u32 {
        self.hash
    }
}

impl Db {
    /// An empty database. The seed only makes collisions hard to construct; nothing else depends on it.
    pub fn new(seed: u64) -> Db {
        Db {
            entries: Dense::new(seed),
            volatile: Chunks::new(),
            expire_cursor: 0,
            epoch: 0,
            capture: None,
            slots: None,
            usage: Usage::default(),
            usage_rng: Rng::new(seed),
            seed,
        }
    }

    /// Keeps from now on an index of the keys by slots of a cluster, those that are there already included.
    pub fn index_slots(&mut self, slot_of: SlotOf) {
        let mut slots = SlotIndex::new(slot_of);
        self.entries.iter().for_each(|kept| slots.push(&kept.key));
        self.slots = Some(Box::new(slots));
    }

    /// How many keys lie in a slot, expired ones that nobody has met yet included. Without an index: none.
    pub fn count_in_slot(&self, slot: core_types::Slot) -> usize {
        self.slots.as_ref().map_or(0, |slots| slots.count(slot))
    }

    /// The keys of a slot, the latest first. Without an index: none.
    pub fn keys_in_slot(&self, slot: core_types::Slot) -> impl Iterator<Item = &[u8]> {
        let positions = self.slots.iter().flat_map(move |slots| slots.positions(slot));
        positions.map(|position| &*self.entries.at(position).key)
    }

    /// About how many bytes the index of slots takes.
    pub fn slot_index_memory(&self) -> usize {
        self.slots.as_ref().map_or(0, |slots| slots.memory())
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
        self.entries.find(key)
    }

    /// The entry of `key`, expired or not.
    pub fn get(&self, key: &[u8]) -> Option<&Entry> {
        self.entries.get(key).map(|kept| &kept.entry)
    }

    /// The key and entry at a position.
    ///
    /// # Panics
    /// If there is none. Positions come from [`find`](Db::find).
    #[inline]
    pub fn at(&self, position: usize) -> (&[u8], &Entry) {
        let kept = self.entries.at(position);
        (&kept.key, &kept.entry)
    }

    /// The entry at a position, to change its value.
    ///
    /// # Panics
    /// As [`at`](Db::at).
    #[inline]
    pub fn at_mut(&mut self, position: usize) -> &mut Entry {
        self.before_change(position);
        &mut self.entries.at_mut(position).entry
    }

    /// Notes that a command used the key at a position. That is no change: no snapshot cares.
    #[inline]
    pub(crate) fn touch(&mut self, position: usize, now: Millis) {
        let (usage, rng) = (self.usage, &mut self.usage_rng);
        let entry = &mut self.entries.at_mut(position).entry;
        entry.touched = usage.used(entry.touched, now, rng);
    }

    /// Keeps this about the use of keys from now on.
    pub(crate) fn set_usage(&mut self, usage: Usage) {
        self.usage = usage;
    }

    /// How often the key at a position is used, if that is counted.
    pub(crate) fn frequency(&self, position: usize, now: Millis) -> Option<u8> {
        self.usage.frequency(self.at(position).1.touched, now)
    }

    /// An entry for a new key, that does not expire.
    pub fn new_entry(&self, value: Value, now: Millis) -> Entry {
        Entry::with_use(value, self.usage.first(now))
    }

    /// The same for one whose use so far is told.
    pub(crate) fn entry_used(&self, value: Value, frequency: u8, now: Millis) -> Entry {
        let touched = self.usage.told(frequency, now).unwrap_or_else(|| self.usage.first(now));
        Entry::with_use(value, touched)
    }

    /// Keys and entries in the database's order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &Entry)> {
        self.entries.iter().map(|kept| (&*kept.key, &kept.entry))
    }

    /// Sets `key` to `value` without expiry, whatever it was before. Returns its position.
    pub fn insert(&mut self, key: &[u8], value: Value, now: Millis) -> usize {
        let mut entry = self.new_entry(value, now);
        // A new value makes a key that is used often no new key.
        if let (Usage::Frequency { .. }, Some(position)) = (self.usage, self.find(key)) {
            entry.touched = self.at(position).1.touched;
        }
        self.insert_entry(key, entry)
    }

    /// Sets `key` to `entry`, expiry included. Returns its position.
    pub fn insert_entry(&mut self, key: &[u8], mut entry: Entry) -> usize {
        entry.epoch = self.epoch;
        let at = entry.expire_at();
        let hash = self.entries.hash(key);
        match self.entries.find_hashed(key, hash) {
            Some(position) => {
                self.before_change(position);
                let kept = self.entries.at_mut(position);
                let before = std::mem::replace(&mut kept.entry, entry).expire_at();
                self.list(position, before, at);
                position
            }
            None => {
                let position = self.entries.push(Kept { key: key.into(), entry, hash, listed: 0 });
                if let Some(slots) = &mut self.slots {
                    slots.push(key);
                }
                self.list(position, None, at);
                position
            }
        }
    }

    /// Gives the key at `position` an expiry, or takes it away. Returns the one it had.
    pub fn set_expire_at(&mut self, position: usize, at: Option<Millis>) -> Option<Millis> {
        self.before_change(position);
        let entry = &mut self.entries.at_mut(position).entry;
        let before = entry.expire_at();
        entry.set_expire_at(at);
        self.list(position, before, at);
        before
    }

    /// Keeps the list of entries that expire in step with a change of expiry.
    #[inline]
    fn list(&mut self, position: usize, before: Option<Millis>, now: Option<Millis>) {
        match (before, now) {
            (None, Some(_)) => {
                // Fewer than four billion: the table has seen to that.
                self.entries.at_mut(position).listed = self.volatile.len() as u32;
                self.volatile.push(position as u32);
            }
            (Some(_), None) => {
                let listed = self.entries.at(position).listed;
                self.unlist(listed);
            }
            _ => {}
        }
    }

    /// Takes the place `listed` out of the list of entries that expire.
    fn unlist(&mut self, listed: u32) {
        self.volatile.swap_remove(listed as usize);
        if (listed as usize) < self.volatile.len() {
            let moved = self.volatile[listed as usize];
            self.entries.at_mut(moved as usize).listed = listed;
        }
    }

    /// Takes `key` out.
    pub fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        self.find(key).map(|position| self.take(position))
    }

    fn take(&mut self, position: usize) -> Entry {
        self.before_change(position);
        let kept = self.entries.at(position);
        if kept.entry.expire_at().is_some() {
            self.unlist(kept.listed);
        }
        let removed = self.entries.swap_remove(position);
        if let Some(slots) = &mut self.slots {
            slots.swap_remove(position);
        }
        if position < self.entries.len() {
            let moved = self.entries.at(position);
            if moved.entry.expire_at().is_some() {
                self.volatile[moved.listed as usize] = position as u32;
            }
        }
        removed.entry
    }

    /// About how many bytes the key at a position and its value take.
    pub(crate) fn memory_at(&self, position: usize) -> usize {
        let (key, entry) = self.at(position);
        let listed = if entry.expire_at().is_some() { size_of::<u32>() } else { 0 };
        Dense::<Kept>::MEMORY_OF_ONE + key.len() + listed + entry.value.memory()
    }

    /// Takes the key at a position out.
    pub(crate) fn remove_at(&mut self, position: usize) {
        self.take(position);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        let entries = std::mem::replace(&mut self.entries, Dense::new(self.seed));
        self.volatile = Chunks::new();
        self.expire_cursor = 0;
        if let Some(slots) = &mut self.slots {
            **slots = slots.emptied();
        }
        self.keep_flushed(entries);
    }

    /// The position of the key at a place of the list of keys that expire.
    ///
    /// # Panics
    /// If the list is shorter.
    pub(crate) fn volatile_at(&self, place: usize) -> usize {
        self.volatile[place] as usize
    }

    /// What must hold between commands.
    pub fn check_invariants(&self) -> Result<(), Broken> {
        const RULE: &str = "the list of keys that expire holds exactly the keys with an expiry";
        let expiring = self.iter().filter(|(_, entry)| entry.expire_at().is_some()).count();
        if expiring != self.volatile.len() {
            return Err(Broken::new(RULE, format!("{} listed, {expiring} expire", self.volatile.len())));
        }
        let out_of_step = |&(place, position): &(usize, &u32)| {
            let position = *position as usize;
            position >= self.len() || {
                let kept = self.entries.at(position);
                kept.listed as usize != place || kept.entry.expire_at().is_none()
            }
        };
        if let Some((place, position)) = self.volatile.iter().enumerate().find(out_of_step) {
            return Err(Broken::new(RULE, format!("place {place}: position {position}")));
        }
        self.slots.as_ref().map_or(Ok(()), |slots| slots.check(self.entries.iter().map(|kept| &*kept.key)))
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
