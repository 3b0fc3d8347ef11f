use hashbrown::HashTable;

/// With more positions than this for each segment there is one segment more. A segment then holds between
/// about this and twice this number, which fill up to 13/16 of 1024 places.
const PER_SEGMENT: usize = 416;

/// With fewer than this for each there is one less.
const TOO_FEW: usize = PER_SEGMENT / 2;

/// With fewer segments than this, memory counts for more than the few moves that room saves.
const FEW: usize = 8;

/// So many bits of a hash tell places inside a segment apart.
const PLACE_BITS: u32 = 10;

/// About how many bytes the index needs for one position: four, and one for the mark that a place is taken,
/// and some of the places are free.
pub(super) const MEMORY_OF_ONE: usize = 8;

/// Positions by hash, in many small hash tables: the segments.
///
/// The scheme is known as linear hashing. Let there be 2ⁿ + s segments, s < 2ⁿ. Then n bits of a hash name
/// its segment, and if that is one of the first s, which have been split already, one bit more decides
/// between it and its other half, the segment 2ⁿ further. To grow is to split segment s into itself and a
/// new one at the end; after 2ⁿ such steps n has grown by one. Which segment is split does not depend on
/// which is full. That is what makes it simple: there is no directory, the number of segments says it all.
/// It takes a hash that spreads well; what is still uneven, the tables inside cope with.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// At least one, once there is a position.
    segments: Vec<HashTable<u32>>,
    len: usize,
}

/// The segment of a hash, among `count`.
#[inline]
fn segment_of(hash: u32, count: usize) -> usize {
    let mask = count.next_power_of_two() - 1;
    // Inside a segment the lowest bits name the place, so here they come last.
    let segment = hash.rotate_right(PLACE_BITS) as usize & mask;
    if segment < count { segment } else { segment & (mask >> 1) }
}

/// What the hash tables inside want: they take places from the low bits and marks from the high ones.
#[inline]
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The segment from which the last of `count` was split.
fn other_half(count: usize) -> usize {
    let last = count - 1;
    last & !(1 << last.ilog2())
}

fn narrow(position: usize) -> u32 {
    u32::try_from(position).expect("a table holds fewer than four billion keys")
}

impl Index {
    pub(super) const fn new() -> Index {
        Index { segments: Vec::new(), len: 0 }
    }

    /// The position with this hash for which `is_it` holds.
    #[inline]
    pub(super) fn find(&self, hash: u32, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let segment = self.segments.get(segment_of(hash, self.segments.len()))?;
        segment.find(spread(hash), |position| is_it(*position as usize)).map(|position| *position as usize)
    }

    /// Adds a position. `hash_of` tells the hash of those that are there.
    #[inline]
    pub(super) fn insert(&mut self, hash: u32, position: usize, hash_of: impl Fn(usize) -> u32) {
        if self.len >= self.segments.len() * PER_SEGMENT {
            self.split(&hash_of);
        }
        self.len += 1;
        let segment = segment_of(hash, self.segments.len());
        self.segments[segment]
            .insert_unique(spread(hash), narrow(position), |position| spread(hash_of(*position as usize)));
    }

    /// Takes a position out. `hash_of` tells the hash of all others.
    #[inline]
    pub(super) fn remove(&mut self, hash: u32, position: usize, hash_of: impl Fn(usize) -> u32) {
        let segment = segment_of(hash, self.segments.len());
        let position = narrow(position);
        let found = self.segments[segment].find_entry(spread(hash), |found| *found == position);
        found.expect("the index knows every position").remove();
        self.len -= 1;
        if self.len < self.segments.len() * TOO_FEW {
            self.merge(&hash_of);
        }
    }

    /// What lay at one position now lies at another.
    #[inline]
    pub(super) fn moved(&mut self, hash: u32, from: usize, to: usize) {
        let segment = segment_of(hash, self.segments.len());
        let from = narrow(from);
        let found = self.segments[segment].find_mut(spread(hash), |found| *found == from);
        *found.expect("the index knows every position") = narrow(to);
    }

    /// One segment more.
    #[cold]
    fn split(&mut self, hash_of: &impl Fn(usize) -> u32) {
        self.segments.push(HashTable::new());
        let count = self.segments.len();
        if count == 1 {
            return;
        }
        let half = other_half(count);
        // The hashes lie all over the table. Read one after another, with nothing in between that needs
        // them, they come as fast as memory can bring them.
        let all: Vec<(u32, u32)> =
            self.segments[half].drain().map(|position| (position, hash_of(position as usize))).collect();
        // In a large table at once as much room as a segment will ever need.
        let room = if count < FEW { all.len() / 2 } else { 2 * PER_SEGMENT };
        let hasher = |position: &u32| spread(hash_of(*position as usize));
        self.segments[count - 1].reserve(room, hasher);
        for (position, hash) in all {
            let segment = segment_of(hash, count);
            debug_assert!(segment == half || segment == count - 1, "a split touches no other segment");
            self.segments[segment].insert_unique(spread(hash), position, hasher);
        }
    }

    /// One segment less, or less room in the only one.
    #[cold]
    fn merge(&mut self, hash_of: &impl Fn(usize) -> u32) {
        let hasher = |position: &u32| spread(hash_of(*position as usize));
        let count = self.segments.len();
        if count > 1 {
            let half = other_half(count);
            for position in self.segments.pop().unwrap_or_default() {
                self.segments[half].insert_unique(hasher(&position), position, hasher);
            }
        } else if self.segments[0].len() < self.segments[0].capacity() / 8 {
            self.segments[0].shrink_to(2 * self.len, hasher);
        }
    }

    #[cfg(test)]
    pub(super) fn largest_segment(&self) -> usize {
        self.segments.iter().map(HashTable::len).max().unwrap_or(0)
    }

    /// About how many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        self.segments.iter().map(|segment| size_of::<HashTable<u32>>() + segment.allocation_size()).sum()
    }
}
