//! The table beside `indexmap`, whose behaviour it must have.

use core_types::Rng;
use indexmap::IndexMap;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
struct Row {
    key: Box<[u8]>,
    hash: u32,
    value: u64,
}

impl Slot for Row {
    fn key(&self) -> &[u8] {
        &self.key
    }

    fn hash(&self) -> u32 {
        self.hash
    }
}

type Model = IndexMap<Box<[u8]>, u64, FixedState>;

/// Both, changed alike.
struct Pair {
    table: Dense<Row>,
    model: Model,
}

impl Pair {
    fn new(seed: u64) -> Pair {
        Pair { table: Dense::new(seed), model: IndexMap::with_hasher(FixedState::with_seed(seed)) }
    }

    fn set(&mut self, key: &[u8], value: u64) {
        let hash = self.table.hash(key);
        match self.table.find_hashed(key, hash) {
            Some(position) => self.table.at_mut(position).value = value,
            None => drop(self.table.push(Row { key: key.into(), hash, value })),
        }
        self.model.insert(key.into(), value);
    }

    fn remove(&mut self, key: &[u8]) {
        let removed = self.table.find(key).map(|position| self.table.swap_remove(position).value);
        assert_eq!(removed, self.model.swap_remove(key));
    }

    fn check(&self) {
        let rows = self.table.iter().map(|row| (&row.key, &row.value));
        assert!(rows.eq(self.model.iter()), "the same rows in the same order");
        for (position, row) in self.table.iter().enumerate() {
            assert_eq!(self.table.find(&row.key), Some(position));
        }
    }
}

#[derive(Clone, Debug)]
enum Change {
    Set(u16, u64),
    Remove(u16),
    RemoveAt(u16),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        3 => (0..400u16, any::<u64>()).prop_map(|(key, value)| Change::Set(key, value)),
        1 => (0..400u16).prop_map(Change::Remove),
        1 => any::<u16>().prop_map(Change::RemoveAt),
    ];
    proptest::collection::vec(change, 0..600)
}

proptest! {
    #[test]
    fn a_table_does_what_indexmap_does(changes in changes(), seed in any::<u64>()) {
        let mut pair = Pair::new(seed);
        for change in changes {
            match change {
                Change::Set(key, value) => pair.set(&key.to_le_bytes(), value),
                Change::Remove(key) => pair.remove(&key.to_le_bytes()),
                Change::RemoveAt(position) if !pair.model.is_empty() => {
                    let position = usize::from(position) % pair.model.len();
                    let row = pair.table.swap_remove(position);
                    prop_assert_eq!(pair.model.swap_remove_index(position), Some((row.key, row.value)));
                }
                Change::RemoveAt(_) => {}
            }
        }
        pair.check();
    }
}

#[test]
fn it_grows_to_many_segments_and_shrinks_to_one_and_is_right_all_the_time() {
    let mut rng = Rng::new(3);
    let mut pair = Pair::new(3);
    // Up, down by half, up again, down to nothing: splits and merges in every order.
    for (target, chance) in [(40_000, 90), (15_000, 20), (60_000, 85), (100, 5), (5_000, 80), (0, 0)] {
        while pair.model.len() != target {
            let key = rng.below(120_000).to_string().into_bytes();
            if rng.chance(chance) {
                pair.set(&key, rng.next_u64());
            } else if let Some((key, _)) =
                pair.model.get_index(rng.below(pair.model.len().max(1) as u64) as usize)
            {
                let key = key.clone();
                pair.remove(&key);
            }
        }
        pair.check();
        for _ in 0..1000 {
            let key = rng.below(200_000).to_string().into_bytes();
            assert_eq!(pair.table.get(&key).map(|row| row.value), pair.model.get(&*key).copied());
        }
    }
    assert!(pair.table.memory() < 2_000, "a table that was emptied takes {} bytes", pair.table.memory());
}

/// What a write costs at most does not depend on the size of the table, and memory stays in bounds.
#[test]
fn segments_stay_small_and_memory_follows_the_number_of_slots() {
    let mut table = Dense::new(5);
    for number in 0..300_000u32 {
        // Short ones, long ones, ones that differ in the first or in the last byte only.
        let key = match number % 3 {
            0 => number.to_le_bytes().to_vec(),
            1 => format!("user:{number}:name").into_bytes(),
            _ => format!("{number:08}-the-same-end-of-all-of-these-keys").into_bytes(),
        };
        let hash = table.hash(&key);
        table.push(Row { key: key.into(), hash, value: 0 });
        if number % 10_007 == 0 && number > 20_000 {
            let largest = table.index.largest_segment();
            assert!(largest <= 1024 * 7 / 8, "{largest} positions in one segment of {number}");
            let each = table.index.memory() / table.len();
            assert!((5..=13).contains(&each), "{each} bytes of the index for each of {number}");
        }
    }
}
