use std::fmt;

/// One of the 16384 parts that a cluster's keys are divided into.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    /// How many there are (`CLUSTER_SLOTS` in Redis's `cluster.h`).
    pub const COUNT: u16 = 16384;

    /// The slot of this number, if it is below [`COUNT`](Slot::COUNT).
    pub const fn new(number: u16) -> Option<Slot> {
        if number < Slot::COUNT { Some(Slot(number)) } else { None }
    }

    /// Its number, from 0 to 16383.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The same, to index a table of all slots.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// All of them, in order.
    pub fn all() -> impl DoubleEndedIterator<Item = Slot> + ExactSizeIterator + Clone {
        (0..Slot::COUNT).map(Slot)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {}", self.0)
    }
}

/// Slots without a gap: from `first` to `last`, both included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotRange {
    /// The lowest.
    pub first: Slot,
    /// The highest; not below `first`.
    pub last: Slot,
}

impl SlotRange {
    /// How many slots there are in it.
    #[expect(clippy::len_without_is_empty, reason = "a range holds at least one slot")]
    pub const fn len(self) -> usize {
        (self.last.0 - self.first.0) as usize + 1
    }

    /// Its slots, in order.
    pub fn slots(self) -> impl DoubleEndedIterator<Item = Slot> + Clone {
        (self.first.0..=self.last.0).map(Slot)
    }
}

/// As `CLUSTER NODES` writes it: `5` or `5-7`.
impl fmt::Display for SlotRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            fmt::Display::fmt(&self.first, f)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl fmt::Debug for SlotRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slots {self}")
    }
}

const WORDS: usize = Slot::COUNT as usize / 64;

/// A set of slots: 2048 bytes of bits, and their count.
///
/// How the bits lie in memory is nobody's business; how they lie on the wire is decided in chapter 6.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SlotSet {
    words: Box<[u64; WORDS]>,
    len: u16,
}

impl SlotSet {
    /// No slot.
    pub fn new() -> SlotSet {
        SlotSet { words: Box::new([0; WORDS]), len: 0 }
    }

    /// Every slot.
    pub fn full() -> SlotSet {
        SlotSet { words: Box::new([u64::MAX; WORDS]), len: Slot::COUNT }
    }

    /// How many slots are in it.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Nothing is in it.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Is this slot in it?
    pub fn contains(&self, slot: Slot) -> bool {
        self.words[slot.index() / 64] & (1 << (slot.index() % 64)) != 0
    }

    /// Adds a slot; `false` if it was in it already.
    pub fn insert(&mut self, slot: Slot) -> bool {
        let new = !self.contains(slot);
        self.words[slot.index() / 64] |= 1 << (slot.index() % 64);
        self.len += u16::from(new);
        new
    }

    /// Takes a slot out; `false` if it was not in it.
    pub fn remove(&mut self, slot: Slot) -> bool {
        let there = self.contains(slot);
        self.words[slot.index() / 64] &= !(1 << (slot.index() % 64));
        self.len -= u16::from(there);
        there
    }

    /// Its slots, in order.
    pub fn iter(&self) -> impl Iterator<Item = Slot> + '_ {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                if left == 0 {
                    return None;
                }
                let bit = left.trailing_zeros() as usize;
                left &= left - 1;
                Some(Slot((index * 64 + bit) as u16))
            })
        })
    }
}

impl Default for SlotSet {
    fn default() -> SlotSet {
        SlotSet::new()
    }
}

impl FromIterator<Slot> for SlotSet {
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> SlotSet {
        let mut set = SlotSet::new();
        set.extend(slots);
        set
    }
}

impl Extend<Slot> for SlotSet {
    fn extend<I: IntoIterator<Item = Slot>>(&mut self, slots: I) {
        for slot in slots {
            self.insert(slot);
        }
    }
}

/// The count and the first few: enough for a log or a failed assertion.
impl fmt::Debug for SlotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} slots", self.len)?;
        for (index, slot) in self.iter().take(8).enumerate() {
            write!(f, "{}{slot}", if index == 0 { ": " } else { ", " })?;
        }
        if self.len > 8 {
            f.write_str(", …")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_counts_what_is_in_it() {
        let mut set = SlotSet::new();
        let last = Slot::new(16383).unwrap();
        assert!(Slot::new(16384).is_none());
        assert!(set.insert(last) && !set.insert(last) && set.insert(Slot::new(0).unwrap()));
        assert_eq!(set.len(), 2);
        assert_eq!(set.iter().map(Slot::number).collect::<Vec<_>>(), [0, 16383]);
        assert!(set.remove(last) && !set.remove(last));
        assert_eq!(set, SlotSet::from_iter([Slot::new(0).unwrap()]));
        assert_eq!(Slot::all().collect::<SlotSet>(), SlotSet::full());
        assert_eq!(SlotSet::full().iter().count(), SlotSet::full().len());
    }
}
