/// A small seeded generator of random numbers (SplitMix64).
///
/// The same seed gives the same numbers on every machine and in every release; recorded traces and
/// failing seeds depend on that, so the algorithm must never change. Not for secrets.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// A generator whose whole future follows from `seed`.
    pub const fn new(seed: u64) -> Rng {
        Rng { state: seed }
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`. The bias is below `bound / 2^64`.
    ///
    /// # Panics
    /// If `bound` is zero: there is no number to give.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a range that holds no number");
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        assert!(low <= high, "a range that holds no number");
        low + self.below(high - low + 1)
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One element of `items`, or `None` if there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() { None } else { items.get(self.below(items.len() as u64) as usize) }
    }

    /// An independent generator, for a part of a run whose draws must not disturb the rest.
    pub fn fork(&mut self) -> Rng {
        Rng::new(self.next_u64())
    }

    /// Forty lowercase hexadecimal digits: the shape of run ids, replication ids and node ids.
    pub fn hex40(&mut self) -> [u8; 40] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        std::array::from_fn(|_| DIGITS[self.below(16) as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_sequence_never_changes() {
        let mut rng = Rng::new(1);
        assert_eq!(rng.next_u64(), 10451216379200822465);
        assert_eq!(rng.next_u64(), 13757245211066428519);
    }

    #[test]
    fn below_stays_below_and_reaches_every_value() {
        let mut rng = Rng::new(7);
        let mut seen = [0u32; 5];
        for _ in 0..5000 {
            seen[rng.below(5) as usize] += 1;
        }
        assert!(seen.iter().all(|&n| n > 800), "{seen:?}");
    }
}
