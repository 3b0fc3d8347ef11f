mod item;

use std::fmt;

use crate::number::parse_i64;
pub use item::Item;
use item::{read, size_before, tail_width};

/// A sequence of texts and numbers in one piece of memory, for what is small: a short hash or set, a
/// node of a list.
///
/// It serves the purpose of Redis's listpack: no pointers, no memory per element but its own bytes and
/// two more, and a reader that walks through memory in order. The price is that everything but the two
/// ends takes time in proportion to the size, so whoever uses it bounds the size.
///
/// # Layout
/// The number of elements in four bytes, then the elements. Each is a head, a body, and a tail that
/// lets a reader walk backward:
///
/// | head            | body                                   | element                            |
/// |-----------------|----------------------------------------|------------------------------------|
/// | `0x00`–`0x7f`   | as many bytes as the head says         | a text of 0 to 127 bytes           |
/// | `0x80`–`0xdf`   | none                                   | the number head − 128: 0 to 95     |
/// | `0xe0` + w      | w bytes, little-endian                 | a number of 1 to 8 bytes           |
/// | `0xf0` + w      | w bytes of length (1 to 4), the text   | a longer text                      |
///
/// The tail is the size of head and body, seven bits to a byte, lowest bits last; all but the first
/// byte have the top bit set. Numbers take the fewest bytes that hold them and a text that could be a
/// number is one, so equal sequences are equal byte for byte.
///
/// Nothing at all is allocated for an empty sequence, and never more than is used: the next larger
/// block of the allocator is what there is to grow into.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Packed {
    bytes: Box<[u8]>,
}

/// Where an element of a [`Packed`] lies. It holds until the sequence is changed at or before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At(usize);

/// The bytes in front of the first element.
const COUNT: usize = 4;

impl Packed {
    /// The empty sequence.
    pub fn new() -> Packed {
        Packed::default()
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.bytes.first_chunk::<COUNT>().map_or(0, |count| u32::from_le_bytes(*count) as usize)
    }

    /// True without any element.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes it takes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Elements in order. It can be walked from both ends.
    pub fn iter(&self) -> Iter<'_> {
        Iter { bytes: &self.bytes, front: COUNT, back: self.bytes.len(), left: self.len() }
    }

    /// As [`iter`](Packed::iter), with the place of each element.
    pub fn places(&self) -> Places<'_> {
        Places(self.iter())
    }

    /// The element at `at`.
    ///
    /// # Panics
    /// If `at` is [`end`](Packed::end).
    #[inline]
    pub fn get(&self, at: At) -> Item<'_> {
        read(&self.bytes, at.0).0
    }

    /// The place of the first element.
    pub fn first(&self) -> Option<At> {
        (!self.is_empty()).then_some(At(COUNT))
    }

    /// The place of the last element.
    pub fn last(&self) -> Option<At> {
        self.prev(self.end())
    }

    /// The place behind the last element, where there is none.
    pub fn end(&self) -> At {
        At(self.bytes.len().max(COUNT))
    }

    /// The place behind the element at `at`; `None` if that was the last one.
    #[inline]
    pub fn next(&self, at: At) -> Option<At> {
        let next = self.after(at);
        (next < self.bytes.len()).then_some(At(next))
    }

    /// The place of the element before `at`, which may be [`end`](Packed::end).
    #[inline]
    pub fn prev(&self, at: At) -> Option<At> {
        (at.0 > COUNT).then(|| At(at.0 - size_before(&self.bytes, at.0)))
    }

    #[inline]
    fn after(&self, at: At) -> usize {
        let size = read(&self.bytes, at.0).1;
        at.0 + size + tail_width(size)
    }

    /// The place of element `index`, looked for from the nearer end.
    pub fn nth(&self, index: usize) -> Option<At> {
        let len = self.len();
        if index >= len {
            return None;
        }
        let mut at;
        if index < len / 2 {
            at = COUNT;
            for _ in 0..index {
                at = self.after(At(at));
            }
        } else {
            at = self.bytes.len();
            for _ in index..len {
                at -= size_before(&self.bytes, at);
            }
        }
        Some(At(at))
    }

    /// The first element equal to `item`, of those at `start` and every `step` elements behind it. A map
    /// kept as field, value, field, value looks for a field with a step of 2.
    pub fn find(&self, item: Item<'_>, start: At, step: usize) -> Option<At> {
        let mut at = start;
        while at.0 < self.bytes.len() {
            let (found, size) = read(&self.bytes, at.0);
            if found == item {
                return Some(at);
            }
            at.0 += size + tail_width(size);
            for _ in 1..step {
                if at.0 < self.bytes.len() {
                    at.0 = self.after(at);
                }
            }
        }
        None
    }

    /// Adds an element at the end.
    pub fn push_back(&mut self, item: Item<'_>) {
        self.insert(self.end(), item);
    }

    /// Adds an element at the beginning.
    pub fn push_front(&mut self, item: Item<'_>) {
        self.insert(At(COUNT), item);
    }

    /// Adds an element before the one at `at`, or at the end. It then lies at `at` itself.
    pub fn insert(&mut self, at: At, item: Item<'_>) {
        self.put(at, 0, item);
        self.set_len(self.len() + 1);
    }

    /// Puts another element in the place of the one at `at`.
    pub fn replace(&mut self, at: At, item: Item<'_>) {
        self.put(at, self.after(at) - at.0, item);
    }

    fn put(&mut self, at: At, old: usize, item: Item<'_>) {
        debug_assert!(
            !matches!(item, Item::Bytes(bytes) if parse_i64(bytes).is_some()),
            "a number must come as a number"
        );
        let new = item.packed_size();
        self.splice(at.0, old, new);
        item.write(&mut self.bytes[at.0..at.0 + new]);
    }

    /// Takes `count` elements out, from the one at `at` on, or as many as there are. What is left
    /// behind them then lies at `at`.
    pub fn remove(&mut self, at: At, count: usize) {
        let (mut end, mut removed) = (at, 0);
        while removed < count && end.0 < self.bytes.len() {
            end.0 = self.after(end);
            removed += 1;
        }
        self.cut(at.0, end.0, removed);
    }

    /// Keeps `count` elements and drops those behind them.
    pub fn truncate(&mut self, count: usize) {
        if let Some(at) = self.nth(count) {
            self.cut(at.0, self.bytes.len(), self.len() - count);
        }
    }

    /// Drops the first `count` elements.
    pub fn drop_front(&mut self, count: usize) {
        match self.nth(count) {
            Some(at) => self.cut(COUNT, at.0, count),
            None => *self = Packed::new(),
        }
    }

    /// Removes elements equal to `item`: not the first `spared` ones, and then no more than `limit`.
    /// Returns how many. All in one pass, so that a long row of equal elements takes linear time.
    pub fn remove_equal(&mut self, item: Item<'_>, spared: usize, limit: usize) -> usize {
        let len = self.len();
        let mut bytes = std::mem::take(&mut self.bytes).into_vec();
        let (mut at, mut kept, mut seen, mut removed) = (COUNT, COUNT, 0, 0);
        while at < bytes.len() {
            let (found, size) = read(&bytes, at);
            let end = at + size + tail_width(size);
            let equal = found == item;
            seen += usize::from(equal);
            if equal && seen > spared && removed < limit {
                removed += 1;
            } else {
                bytes.copy_within(at..end, kept);
                kept += end - at;
            }
            at = end;
        }
        if removed < len {
            bytes.truncate(kept);
            self.bytes = bytes.into_boxed_slice();
            self.set_len(len - removed);
        }
        removed
    }

    /// Removes the bytes from `start` to `end`, which hold `count` elements.
    fn cut(&mut self, start: usize, end: usize, count: usize) {
        let left = self.len() - count;
        if left == 0 {
            *self = Packed::new();
        } else if count > 0 {
            self.splice(start, end - start, 0);
            self.set_len(left);
        }
    }

    /// Takes out the elements from `at` on, and returns them.
    pub fn split_off(&mut self, at: At) -> Packed {
        let mut tail = Packed::new();
        if at.0 < self.bytes.len() {
            let front = Iter { bytes: &self.bytes, front: COUNT, back: at.0, left: usize::MAX }.raw_count();
            let back = self.len() - front;
            let mut bytes = Vec::with_capacity(COUNT + self.bytes.len() - at.0);
            bytes.extend_from_slice(&(back as u32).to_le_bytes());
            bytes.extend_from_slice(&self.bytes[at.0..]);
            tail.bytes = bytes.into_boxed_slice();
            self.cut(at.0, self.bytes.len(), back);
        }
        tail
    }

    /// Adds all elements of `other` at the end.
    pub fn append(&mut self, other: &Packed) {
        if other.is_empty() {
            return;
        }
        let (len, at) = (self.len() + other.len(), self.end().0);
        self.splice(at, 0, other.bytes.len() - COUNT);
        self.bytes[at..].copy_from_slice(&other.bytes[COUNT..]);
        self.set_len(len);
    }

    fn set_len(&mut self, len: usize) {
        let len = u32::try_from(len).expect("fewer elements than bytes, and those are bounded");
        self.bytes[..COUNT].copy_from_slice(&len.to_le_bytes());
    }

    /// Makes `new` bytes of the `old` ones at `at`; their content is left open.
    fn splice(&mut self, at: usize, old: usize, new: usize) {
        let mut bytes = std::mem::take(&mut self.bytes).into_vec();
        if bytes.is_empty() {
            bytes.reserve_exact(COUNT + new);
            bytes.extend_from_slice(&[0; COUNT]);
        }
        let len = bytes.len();
        if new > old {
            bytes.reserve_exact(new - old);
            bytes.resize(len + new - old, 0);
        }
        bytes.copy_within(at + old..len, at + new);
        bytes.truncate(len + new - old);
        self.bytes = bytes.into_boxed_slice();
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> FromIterator<Item<'a>> for Packed {
    fn from_iter<I: IntoIterator<Item = Item<'a>>>(items: I) -> Packed {
        let mut made = Packed::new();
        items.into_iter().for_each(|item| made.push_back(item));
        made
    }
}

impl<'a> IntoIterator for &'a Packed {
    type Item = Item<'a>;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The elements of a [`Packed`], from either end.
#[derive(Clone)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    front: usize,
    back: usize,
    left: usize,
}

impl<'a> Iter<'a> {
    fn next_place(&mut self) -> Option<(At, Item<'a>)> {
        if self.left == 0 {
            return None;
        }
        let at = At(self.front);
        let (item, size) = read(self.bytes, at.0);
        self.front += size + tail_width(size);
        self.left -= 1;
        Some((at, item))
    }

    fn last_place(&mut self) -> Option<(At, Item<'a>)> {
        if self.left == 0 {
            return None;
        }
        self.back -= size_before(self.bytes, self.back);
        self.left -= 1;
        Some((At(self.back), read(self.bytes, self.back).0))
    }

    /// How many elements lie between the two ends, whatever `left` says.
    fn raw_count(mut self) -> usize {
        let mut count = 0;
        while self.front < self.back {
            self.next_place();
            count += 1;
        }
        count
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;
    fn next(&mut self) -> Option<Item<'a>> {
        self.next_place().map(|(_, item)| item)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.last_place().map(|(_, item)| item)
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// The elements of a [`Packed`] with their places, from either end.
#[derive(Clone)]
pub struct Places<'a>(Iter<'a>);

impl<'a> Iterator for Places<'a> {
    type Item = (At, Item<'a>);
    fn next(&mut self) -> Option<(At, Item<'a>)> {
        self.0.next_place()
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for Places<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.last_place()
    }
}

impl ExactSizeIterator for Places<'_> {}
