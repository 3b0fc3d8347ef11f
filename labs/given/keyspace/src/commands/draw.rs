//! Random choices, all from the generator of the data set, so that a run can be replayed.

use std::collections::BTreeSet;

use core_types::Rng;

/// A position among `len`, which must not be 0.
pub(super) fn one(rng: &mut Rng, len: usize) -> usize {
    rng.below(len as u64) as usize
}

/// `count` different positions among `len`, or all of them if there are fewer; in ascending order. Every
/// choice is equally likely. (R. Floyd's algorithm: no draw is wasted.)
pub(super) fn different(rng: &mut Rng, len: usize, count: usize) -> BTreeSet<usize> {
    let mut drawn = BTreeSet::new();
    for top in len.saturating_sub(count)..len {
        if !drawn.insert(one(rng, top + 1)) {
            drawn.insert(top);
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_has_the_same_chance() {
        let mut rng = Rng::new(1);
        let mut seen = [0; 7];
        for _ in 0..7000 {
            let drawn = different(&mut rng, 7, 3);
            assert_eq!(drawn.len(), 3);
            drawn.iter().for_each(|&position| seen[position] += 1);
        }
        assert!(seen.iter().all(|count| (2800..3200).contains(count)), "{seen:?}");
        assert_eq!(different(&mut rng, 2, 5).len(), 2);
        assert!(different(&mut rng, 0, 5).is_empty());
    }
}
