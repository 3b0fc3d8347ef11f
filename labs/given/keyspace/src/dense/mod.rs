//! Tables that grow without ever stopping: what lies under databases, hashes, sets and sorted sets.
//!
//! A [`Dense`] table keeps its slots in the order in which they came, without gaps: removing one moves the
//! last one into its place. That order follows from the commands alone, never from a hash, and gives `SCAN`,
//! `RANDOMKEY` and the snapshot what they stand on (see [`Db`](crate::Db)). `indexmap` offers the same, and
//! we began with it. But it keeps everything in two pieces of memory, and a piece that is full is replaced
//! by one of twice the size at once: at four million keys one write had to move 235 MiB and hash every key
//! anew, and the client of that write, and all others, waited 200 ms for it. Redis spreads this work: it
//! keeps two tables for a while and moves a few keys with each command.
//!
//! Here nothing is ever moved because the table has grown:
//! - slots lie in [`Chunks`] of equal size, so there is only ever one more to add;
//! - the [`Index`] from hash to position consists of many small hash tables, and growing means to split one
//!   of them in two.
//!
//! The longest stall is thus the splitting of one small table, whatever the size of the whole. There are
//! no two generations to look through, nothing has to be done later, and memory grows evenly, not by
//! doubling.
//!
//! A table also shrinks in the same small steps.

mod chunks;
mod index;

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

pub(crate) use chunks::Chunks;
use index::Index;

/// What a [`Dense`] table holds: something with a name that does not change, and the hash of that name.
pub(crate) trait Slot {
    /// Its name, unique in the table.
    fn key(&self) -> &[u8];
    /// What [`Dense::hash`] said of its name.
    fn hash(&self) -> u32;
}

/// Slots in the order in which they came, to be found by name and by position. See the [module](self).
#[derive(Clone, Debug)]
pub(crate) struct Dense<S> {
    slots: Chunks<S>,
    index: Index,
    hasher: FixedState,
}

impl<S: Slot> Dense<S> {
    /// An empty table. The seed makes collisions hard to construct; nothing else depends on it.
    pub(crate) fn new(seed: u64) -> Dense<S> {
        Dense { slots: Chunks::new(), index: Index::new(), hasher: FixedState::with_seed(seed) }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// What the index goes by. A slot keeps it: whoever moves a slot need not read its name for it.
    #[inline]
    pub(crate) fn hash(&self, key: &[u8]) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_usize(key.len());
        hasher.write(key);
        hasher.finish() as u32
    }

    /// Where `key` lies.
    #[inline]
    pub(crate) fn find(&self, key: &[u8]) -> Option<usize> {
        self.find_hashed(key, self.hash(key))
    }

    /// The same for a key whose hash is known.
    #[inline]
    pub(crate) fn find_hashed(&self, key: &[u8], hash: u32) -> Option<usize> {
        self.index.find(hash, |position| self.slots[position].key() == key)
    }

    /// The slot of `key`.
    #[inline]
    pub(crate) fn get(&self, key: &[u8]) -> Option<&S> {
        self.find(key).map(|position| &self.slots[position])
    }

    /// The slot at a position.
    ///
    /// # Panics
    /// If there is none, as all that take a position.
    #[inline]
    pub(crate) fn at(&self, position: usize) -> &S {
        &self.slots[position]
    }

    /// The slot at a position, to change it, but not its key.
    #[inline]
    pub(crate) fn at_mut(&mut self, position: usize) -> &mut S {
        &mut self.slots[position]
    }

    /// Adds a slot whose key is not there yet. Returns its position.
    #[inline]
    pub(crate) fn push(&mut self, slot: S) -> usize {
        let position = self.slots.len();
        let slots = &self.slots;
        self.index.insert(slot.hash(), position, |position| slots[position].hash());
        self.slots.push(slot);
        position
    }

    /// Takes the slot at `position` out; the last one comes into its place.
    pub(crate) fn swap_remove(&mut self, position: usize) -> S {
        let slots = &self.slots;
        let last = slots.len() - 1;
        self.index.remove(slots[position].hash(), position, |position| slots[position].hash());
        if position != last {
            self.index.moved(slots[last].hash(), last, position);
        }
        self.slots.swap_remove(position)
    }

    /// The slots in order.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &S> + Clone {
        self.slots.iter()
    }

    /// The slots in order, to change them, but not their keys.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut S> {
        self.slots.iter_mut()
    }

    /// The slots alone, when nobody has to find them any more.
    pub(crate) fn into_slots(self) -> Chunks<S> {
        self.slots
    }

    /// About how many bytes the table takes, without what its slots point to.
    pub(crate) fn memory(&self) -> usize {
        self.slots.memory() + self.index.memory()
    }

    /// About how many bytes of that fall to one slot, in a table of any size.
    pub(crate) const MEMORY_OF_ONE: usize = size_of::<S>() + index::MEMORY_OF_ONE;
}

#[cfg(test)]
mod tests;
