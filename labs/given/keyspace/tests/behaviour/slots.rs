//! The index of keys by slots says at any moment what a scan of all keys would say.

use std::collections::{BTreeMap, BTreeSet};

use core_types::{Millis, Rng, Slot};
use keyspace::{Keyspace, Snapshot, Str, Value, rdb};

use crate::support::Shell;

/// Any function of the key will do; few slots make long chains.
fn slot_of(key: &[u8]) -> Slot {
    let sum: u16 = key.iter().fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(u16::from(*byte)));
    Slot::new(sum % 7 * 2340).expect("below 16384")
}

fn agrees_with_a_scan(keyspace: &Keyspace) {
    keyspace.check_invariants().unwrap_or_else(|broken| panic!("{broken}"));
    let db = keyspace.db(0);
    let mut scanned: BTreeMap<Slot, BTreeSet<&[u8]>> = BTreeMap::new();
    for (key, _) in db.iter() {
        scanned.entry(slot_of(key)).or_default().insert(key);
    }
    for slot in Slot::all() {
        let listed: BTreeSet<&[u8]> = db.keys_in_slot(slot).collect();
        assert_eq!(db.keys_in_slot(slot).count(), db.count_in_slot(slot), "{slot:?}");
        assert_eq!(listed, scanned.remove(&slot).unwrap_or_default(), "{slot:?}");
    }
}

/// A shell whose data set has one database, as in a cluster.
fn one_database() -> Shell {
    Shell { keyspace: Keyspace::new(1, 1), ..Shell::new() }
}

#[test]
fn agrees_with_a_scan_through_writes_expiry_and_flushes() {
    for seed in 0..5 {
        let mut rng = Rng::new(seed);
        let mut shell = one_database();
        shell.keyspace.index_slots(slot_of);
        for step in 0..600 {
            let key = format!("key:{}", rng.below(60));
            let other = format!("key:{}", rng.below(60));
            shell.now = Millis(shell.now.0 + rng.below(5));
            let line = match rng.below(100) {
                0..40 => format!("SET {key} value"),
                40..50 => format!("SET {key} value PX 40"),
                50..60 => format!("LPUSH list:{key} element"),
                60..65 => format!("LPOP list:{key}"),
                65..80 => format!("DEL {key} {other}"),
                80..88 => format!("RENAME {key} {other}"),
                88..93 => format!("COPY {key} {other} REPLACE"),
                93..95 => format!("GET {key}"),
                95..99 => format!("PEXPIRE {key} 20"),
                _ => "FLUSHALL".to_string(),
            };
            shell.run(&line);
            if rng.below(10) == 0 {
                let mut deleted = Vec::new();
                shell.keyspace.active_expire(shell.now, 100, &mut deleted);
            }
            if step % 50 == 0 {
                agrees_with_a_scan(&shell.keyspace);
            }
        }
    }
}

#[test]
fn an_index_of_keys_that_are_there_already_holds_them_all() {
    let mut shell = one_database();
    for number in 0..3_000 {
        let value = Value::String(Str::Int(number));
        shell.keyspace.db_mut(0).insert(format!("key:{number}").as_bytes(), value, shell.now);
    }
    shell.keyspace.index_slots(slot_of);
    agrees_with_a_scan(&shell.keyspace);
}

#[test]
fn a_loaded_file_is_indexed_as_it_is_read() {
    let mut shell = one_database();
    for number in 0..3_000 {
        let value = Value::String(Str::Int(number));
        shell.keyspace.db_mut(0).insert(format!("key:{number}").as_bytes(), value, shell.now);
    }
    let mut file = Vec::new();
    let mut snapshot = Snapshot::begin(&mut shell.keyspace, &rdb::Aux::default());
    while !snapshot.step(&mut shell.keyspace, 4_096, &mut file) {}
    let mut loader = rdb::Loader::new(1, 9, rdb::Options::default());
    loader.index_slots(slot_of);
    loader.feed(&file).expect("our own file");
    let (loaded, _) = loader.finish().expect("our own file");
    assert_eq!(loaded.len(0), 3_000);
    agrees_with_a_scan(&loaded);
}

#[test]
fn without_an_index_no_slot_has_keys() {
    let mut shell = one_database();
    shell.run("SET key value");
    let db = shell.keyspace.db(0);
    assert_eq!(Slot::all().map(|slot| db.count_in_slot(slot)).sum::<usize>(), 0);
    assert_eq!(db.keys_in_slot(slot_of(b"key")).count(), 0);
    assert_eq!(db.slot_index_memory(), 0);
}
