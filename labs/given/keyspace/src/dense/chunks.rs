use std::ops::{Index, IndexMut};

/// How many elements a chunk holds. With slots of 64 bytes, as databases have them, a chunk has 64 KiB: few
/// enough for their list to stay in a processor's cache, small enough to be filled in no time.
const CHUNK: usize = 1024;

/// A vector that does not move its elements when it grows: they lie in chunks of equal size.
///
/// Only the first chunk grows by doubling, so that little takes little. A chunk that has become empty is
/// given back, but for one, lest a table at the brink allocates with every write.
#[derive(Clone, Debug)]
pub(crate) struct Chunks<T> {
    /// All but the last that holds something are full. One more may be there, empty.
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Chunks<T> {
    pub(crate) const fn new() -> Chunks<T> {
        Chunks { chunks: Vec::new(), len: 0 }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(crate) fn push(&mut self, element: T) {
        let chunk = self.len / CHUNK;
        if chunk == self.chunks.len() {
            self.add_chunk();
        }
        self.chunks[chunk].push(element);
        self.len += 1;
    }

    #[cold]
    fn add_chunk(&mut self) {
        let first = self.chunks.is_empty();
        // The list of one chunk, too: most tables need no other.
        self.chunks.reserve(if first { 1 } else { 2 });
        self.chunks.push(if first { Vec::new() } else { Vec::with_capacity(CHUNK) });
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<T> {
        let last = self.len.checked_sub(1)?;
        let element = self.chunks[last / CHUNK].pop();
        self.len = last;
        if last.is_multiple_of(CHUNK) {
            self.chunks.truncate(last / CHUNK + 1);
        } else if last < CHUNK {
            self.shrink_first();
        }
        element
    }

    /// Takes an element out; the last one comes into its place.
    ///
    /// # Panics
    /// If there is no such element.
    #[inline]
    pub(crate) fn swap_remove(&mut self, position: usize) -> T {
        let last = self.pop().expect("a position below the length");
        if position == self.len { last } else { std::mem::replace(&mut self[position], last) }
    }

    fn shrink_first(&mut self) {
        let chunk = &mut self.chunks[0];
        if chunk.len() < chunk.capacity() / 8 {
            chunk.shrink_to(2 * chunk.len());
        }
    }

    pub(crate) fn iter(&self) -> Iter<'_, T> {
        Iter { chunks: self, range: 0..self.len }
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.chunks.iter_mut().flatten()
    }

    /// About how many bytes it takes, without what its elements point to.
    pub(crate) fn memory(&self) -> usize {
        self.chunks.iter().map(|chunk| size_of::<Vec<T>>() + chunk.capacity() * size_of::<T>()).sum()
    }
}

impl<T> Index<usize> for Chunks<T> {
    type Output = T;

    #[inline]
    fn index(&self, position: usize) -> &T {
        &self.chunks[position / CHUNK][position % CHUNK]
    }
}

impl<T> IndexMut<usize> for Chunks<T> {
    #[inline]
    fn index_mut(&mut self, position: usize) -> &mut T {
        &mut self.chunks[position / CHUNK][position % CHUNK]
    }
}

/// The elements of [`Chunks`] in order.
#[derive(Debug)]
pub(crate) struct Iter<'a, T> {
    chunks: &'a Chunks<T>,
    range: std::ops::Range<usize>,
}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Iter { chunks: self.chunks, range: self.range.clone() }
    }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        self.range.next().map(|position| &self.chunks[position])
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }

    fn nth(&mut self, count: usize) -> Option<&'a T> {
        self.range.nth(count).map(|position| &self.chunks[position])
    }
}

impl<T> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.range.next_back().map(|position| &self.chunks[position])
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_a_vector_holds_and_gives_its_memory_back() {
        let mut rng = core_types::Rng::new(1);
        let (mut chunks, mut model) = (Chunks::new(), Vec::new());
        let mut largest = 0;
        for round in 0..40 {
            // Growing and shrinking in turn, further each time, over the brink of chunks again and again.
            let (count, chance) = (200 * round, if round % 2 == 0 { 90 } else { 10 });
            for number in 0..count {
                if rng.chance(chance) || model.is_empty() {
                    chunks.push(number);
                    model.push(number);
                } else {
                    let position = rng.below(model.len() as u64) as usize;
                    assert_eq!(chunks.swap_remove(position), model.swap_remove(position));
                }
                assert_eq!(chunks.len(), model.len());
            }
            assert!(chunks.iter().eq(model.iter()), "round {round}");
            assert!(chunks.iter().rev().eq(model.iter().rev()), "round {round}");
            largest = largest.max(chunks.memory());
        }
        assert!(largest > 3 * CHUNK * size_of::<u64>(), "more than a few chunks: {largest}");
        while let Some(element) = chunks.pop() {
            assert_eq!(Some(element), model.pop());
        }
        assert!(model.is_empty() && chunks.memory() < 1000, "{}", chunks.memory());
    }
}
