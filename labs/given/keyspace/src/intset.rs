use std::cmp::Ordering;

/// A sorted sequence of different numbers in one piece of memory: a set of numbers, while it is small.
///
/// All numbers take the same room, 2, 4 or 8 bytes: what the widest one needs that was ever there. The
/// first byte says which. As in Redis's intset, looking a number up is a binary search, and adding one
/// moves what is behind it, so the size must be bounded.
#[derive(Clone, Debug)]
pub struct IntSet {
    /// The width, then the numbers, little-endian.
    bytes: Box<[u8]>,
}

const HEAD: usize = 1;
const WIDTHS: [usize; 3] = [2, 4, 8];

impl Default for IntSet {
    fn default() -> IntSet {
        IntSet::new()
    }
}

impl IntSet {
    /// A set that holds nothing.
    pub fn new() -> IntSet {
        IntSet { bytes: Box::new([WIDTHS[0] as u8]) }
    }

    #[inline]
    fn width(&self) -> usize {
        usize::from(self.bytes[0])
    }

    /// How many numbers there are.
    #[inline]
    pub fn len(&self) -> usize {
        (self.bytes.len() - HEAD) / self.width()
    }

    /// True without any number.
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == HEAD
    }

    /// The number at `index`, in ascending order.
    ///
    /// # Panics
    /// If there are not so many.
    #[inline]
    pub fn at(&self, index: usize) -> i64 {
        let width = self.width();
        let at = HEAD + index * width;
        read(&self.bytes[at..at + width])
    }

    /// The numbers in ascending order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = i64> + Clone {
        self.bytes[HEAD..].chunks_exact(self.width()).map(read)
    }

    /// Where `number` lies, or where it would have to.
    fn search(&self, number: i64) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.at(middle).cmp(&number) {
                Ordering::Equal => return Ok(middle),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    /// True if `number` is in the set.
    #[inline]
    pub fn contains(&self, number: i64) -> bool {
        self.search(number).is_ok()
    }

    /// Adds a number. False if it was there already.
    pub fn insert(&mut self, number: i64) -> bool {
        let Err(index) = self.search(number) else { return false };
        let needed = width_of(number);
        if needed > self.width() {
            self.widen(needed);
        }
        let width = self.width();
        let at = HEAD + index * width;
        let mut bytes = std::mem::take(&mut self.bytes).into_vec();
        let len = bytes.len();
        bytes.reserve_exact(width);
        bytes.resize(len + width, 0);
        bytes.copy_within(at..len, at + width);
        bytes[at..at + width].copy_from_slice(&number.to_le_bytes()[..width]);
        self.bytes = bytes.into_boxed_slice();
        true
    }

    /// Takes a number out. False if it was not there.
    pub fn remove(&mut self, number: i64) -> bool {
        let Ok(index) = self.search(number) else { return false };
        let width = self.width();
        let at = HEAD + index * width;
        let mut bytes = std::mem::take(&mut self.bytes).into_vec();
        bytes.drain(at..at + width);
        self.bytes = bytes.into_boxed_slice();
        true
    }

    fn widen(&mut self, width: usize) {
        let mut bytes = Vec::with_capacity(HEAD + self.len() * width);
        bytes.push(width as u8);
        self.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()[..width]));
        self.bytes = bytes.into_boxed_slice();
    }
}

fn read(bytes: &[u8]) -> i64 {
    match bytes {
        [a, b] => i64::from(i16::from_le_bytes([*a, *b])),
        [a, b, c, d] => i64::from(i32::from_le_bytes([*a, *b, *c, *d])),
        _ => i64::from_le_bytes(bytes.try_into().expect("numbers take 2, 4 or 8 bytes")),
    }
}

fn width_of(number: i64) -> usize {
    if i16::try_from(number).is_ok() {
        WIDTHS[0]
    } else if i32::try_from(number).is_ok() {
        WIDTHS[1]
    } else {
        WIDTHS[2]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use core_types::Rng;

    use super::*;

    #[test]
    fn it_is_a_sorted_set_of_numbers_of_any_width() {
        for seed in 0..50 {
            let mut rng = Rng::new(seed);
            let (mut set, mut model) = (IntSet::new(), BTreeSet::new());
            for _ in 0..400 {
                // Wide numbers are rare, so that each width is seen for a while.
                let bits = if rng.chance(1) { 63 } else { 5 + rng.below(4 + seed % 20) };
                let number = (rng.next_u64() as i64) >> (63 - bits);
                if rng.chance(60) {
                    assert_eq!(set.insert(number), model.insert(number));
                } else {
                    assert_eq!(set.remove(number), model.remove(&number));
                }
                assert_eq!(set.contains(number), model.contains(&number));
                assert_eq!(set.len(), model.len());
                assert_eq!(set.is_empty(), model.is_empty());
            }
            assert!(set.iter().eq(model.iter().copied()), "seed {seed}");
        }
    }

    #[test]
    fn the_ends_of_the_range_fit() {
        let mut set = IntSet::new();
        for number in [i64::MAX, i64::MIN, 0, i64::from(i16::MIN), i64::from(i32::MAX)] {
            assert!(set.insert(number));
            assert!(!set.insert(number));
        }
        let sorted = [i64::MIN, i64::from(i16::MIN), 0, i64::from(i32::MAX), i64::MAX];
        assert!(set.iter().eq(sorted));
    }
}
