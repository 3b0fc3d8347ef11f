//! Which keys lie in which slot of a cluster: an index that only a node of a cluster keeps.
//!
//! To move a slot, or to give it up, a node must name its keys, and it has millions of others. The index holds
//! no key. A database has its keys in a table, and each has a position in it; the keys of a slot are a chain
//! of positions, like beads: each knows the next and the one before. That is 12 bytes a key, and 8 bytes a
//! slot for the beginning of its chain and its length. (Redis 7.0 threads a list through its dictionary in the
//! same way, with 16 bytes a key.)
//!
//! Measured with `DEBUG POPULATE`, in bytes a key above those of the empty server, `used_memory` and resident:
//!
//! | keys        | server           |        alone | in a cluster |  the index |
//! |-------------|------------------|-------------:|-------------:|-----------:|
//! | one million | ours             |  98.4, 110.9 | 110.5, 125.0 | 12.1, 14.1 |
//! | one million | redis-server 7.0 |   88.4, 91.5 | 104.5, 107.1 | 16.1, 15.6 |
//! | two million | ours             | 105.0, 118.9 | 117.0, 133.0 | 12.0, 14.1 |
//! | two million | redis-server 7.0 |   96.4, 99.0 | 112.4, 114.6 | 16.0, 15.6 |
//!
//! A new key goes to the front of its slot's chain. Removing a key moves the last key of the table into the
//! gap, so the neighbours of that one are told of its new position; all of it takes a fixed number of steps.

use std::collections::BTreeSet;

use core_types::{Broken, Slot};

use crate::dense::Chunks;

/// Tells the slot of a key.
pub type SlotOf = fn(&[u8]) -> Slot;

/// Where a chain ends.
const NONE: u32 = u32::MAX;

/// One key's place in its chain.
#[derive(Clone, Copy)]
struct Bead {
    before: u32,
    next: u32,
    slot: Slot,
}

/// The chain of one slot.
#[derive(Clone, Copy)]
struct Chain {
    first: u32,
    len: u32,
}

const EMPTY: Chain = Chain { first: NONE, len: 0 };

/// The keys of each slot, by their positions in a table. See the [module](self).
#[derive(Clone)]
pub(crate) struct SlotIndex {
    slot_of: SlotOf,
    /// For every position of the table.
    beads: Chunks<Bead>,
    chains: Box<[Chain]>,
}

impl SlotIndex {
    /// For a table without keys.
    pub(crate) fn new(slot_of: SlotOf) -> SlotIndex {
        SlotIndex { slot_of, beads: Chunks::new(), chains: vec![EMPTY; usize::from(Slot::COUNT)].into() }
    }

    /// The same, for a table that has been emptied.
    pub(crate) fn emptied(&self) -> SlotIndex {
        SlotIndex::new(self.slot_of)
    }

    /// `key` has come to the end of the table.
    pub(crate) fn push(&mut self, key: &[u8]) {
        let slot = (self.slot_of)(key);
        // The table has fewer than four billion keys; it sees to that itself.
        let position = self.beads.len() as u32;
        let chain = &mut self.chains[slot.index()];
        let next = std::mem::replace(&mut chain.first, position);
        chain.len += 1;
        self.beads.push(Bead { before: NONE, next, slot });
        if next != NONE {
            self.beads[next as usize].before = position;
        }
    }

    /// The key at a position is gone, and the last one has come into its place.
    pub(crate) fn swap_remove(&mut self, position: usize) {
        let gone = self.beads[position];
        self.chains[gone.slot.index()].len -= 1;
        self.join(gone.before, gone.next, gone.slot);
        let last = self.beads.len() - 1;
        self.beads.swap_remove(position);
        if position != last {
            let moved = self.beads[position];
            let position = position as u32;
            match moved.before {
                NONE => self.chains[moved.slot.index()].first = position,
                before => self.beads[before as usize].next = position,
            }
            if moved.next != NONE {
                self.beads[moved.next as usize].before = position;
            }
        }
    }

    /// Lets two beads be neighbours.
    fn join(&mut self, before: u32, next: u32, slot: Slot) {
        match before {
            NONE => self.chains[slot.index()].first = next,
            before => self.beads[before as usize].next = next,
        }
        if next != NONE {
            self.beads[next as usize].before = before;
        }
    }

    /// How many keys a slot has.
    pub(crate) fn count(&self, slot: Slot) -> usize {
        self.chains[slot.index()].len as usize
    }

    /// The positions of a slot's keys, the latest first.
    pub(crate) fn positions(&self, slot: Slot) -> impl Iterator<Item = usize> + '_ {
        let mut next = self.chains[slot.index()].first;
        std::iter::from_fn(move || {
            let position = (next != NONE).then_some(next as usize)?;
            next = self.beads[position].next;
            Some(position)
        })
    }

    /// About how many bytes it takes.
    pub(crate) fn memory(&self) -> usize {
        self.beads.memory() + size_of_val(&*self.chains)
    }

    /// What must hold between commands: with `keys`, in the table's order, the chains say what a scan says.
    pub(crate) fn check<'a>(&self, keys: impl ExactSizeIterator<Item = &'a [u8]>) -> Result<(), Broken> {
        const RULE: &str = "each slot's chain holds exactly the keys of that slot";
        let broken = |what: String| Err(Broken::new(RULE, what));
        if keys.len() != self.beads.len() {
            return broken(format!("{} keys, {} beads", keys.len(), self.beads.len()));
        }
        for (position, key) in keys.enumerate() {
            if self.beads[position].slot != (self.slot_of)(key) {
                return broken(format!("position {position} is listed in {:?}", self.beads[position].slot));
            }
        }
        let mut listed = 0;
        // Only the slots that have keys: this runs after every step of a simulation.
        let used: BTreeSet<Slot> = self.beads.iter().map(|bead| bead.slot).collect();
        for slot in used {
            let mut before = NONE;
            // One more than there should be is enough to know, whatever a chain looks like.
            for position in self.positions(slot).take(self.count(slot) + 1) {
                let bead = self.beads[position];
                if bead.slot != slot || bead.before != before {
                    return broken(format!("the chain of {slot:?} is torn at position {position}"));
                }
                before = position as u32;
                listed += 1;
            }
        }
        if listed == self.beads.len() { Ok(()) } else { broken(format!("{listed} positions are listed")) }
    }
}
