//! A snapshot that is written while commands run holds the data of the moment at which it began.

use core_types::{ArgsBuf, Millis, Rng};
use keyspace::rdb::{Aux, Options, load};
use keyspace::{COMMANDS, Keyspace, Snapshot};

use crate::support::Shell;

/// Commands on every type. `K` is a key, `V` a value, `N` a number; each is drawn anew where it stands.
const COMMANDS_TO_DRAW: &[&str] = &[
    "SET K V",
    "SET K N",
    "SET K V PX N",
    "APPEND K V",
    "INCRBY K N",
    "SETRANGE K 3 V",
    "SETBIT K N 1",
    "GETDEL K",
    "GETEX K PERSIST",
    "MSET K V K V",
    "RPUSH K V V V",
    "LPUSH K N V",
    "LPOP K",
    "LSET K 0 V",
    "LTRIM K 0 2",
    "LINSERT K BEFORE V V",
    "LREM K 1 V",
    "LMOVE K K LEFT RIGHT",
    "HSET K V V N N",
    "HDEL K V",
    "HINCRBY K V N",
    "SADD K V N",
    "SADD K N N N",
    "SREM K V",
    "SPOP K",
    "SMOVE K K V",
    "SUNIONSTORE K K K",
    "ZADD K N V",
    "ZINCRBY K N V",
    "ZREM K V",
    "ZPOPMIN K",
    "ZREMRANGEBYRANK K 0 0",
    "ZRANGESTORE K K 0 -1",
    "DEL K K",
    "UNLINK K",
    "RENAME K K",
    "COPY K K REPLACE",
    "COPY K K DB D REPLACE",
    "MOVE K D",
    "PEXPIRE K N",
    "PEXPIRE K 100000",
    "PERSIST K",
    "TOUCH K",
    "GET K",
    "LRANGE K 0 -1",
    "SORT K ALPHA STORE K",
    "FLUSHDB",
    "SWAPDB D D",
];

const DATABASES: u64 = 4;

fn draw(rng: &mut Rng, keys: u64) -> String {
    // Rare, or there is never much to save.
    let template = match rng.below(400) {
        0 => "FLUSHALL",
        _ => loop {
            let template = rng.pick(COMMANDS_TO_DRAW).expect("it is not empty");
            if !matches!(*template, "FLUSHDB" | "SWAPDB D D") || rng.chance(20) {
                break *template;
            }
        },
    };
    let word = |word: &str| match word {
        "K" => format!("key:{}", rng.below(keys)),
        "V" => ["x", "y", "12", "a-somewhat-longer-value-that-no-small-form-holds-because-it-is-long"]
            [rng.below(4) as usize]
            .to_string(),
        "N" => rng.between(1, 200).to_string(),
        "D" => rng.below(DATABASES).to_string(),
        word => word.to_string(),
    };
    template.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Runs it if there is such a command yet; what it replies does not matter here.
fn run(shell: &mut Shell, line: &str) {
    let name = line.split(' ').next().expect("a name").to_lowercase();
    if COMMANDS.iter().any(|(spec, _)| spec.name == name) {
        shell.run_args(ArgsBuf::from_parts(line.split(' ')).as_args());
    }
}

fn random_work(shell: &mut Shell, rng: &mut Rng, keys: u64) {
    shell.db = rng.below(DATABASES) as usize;
    let line = draw(rng, keys);
    run(shell, &line);
    shell.pass(rng.below(5));
    if rng.chance(3) {
        shell.keyspace.active_expire(shell.now, 10, &mut Vec::new());
    }
}

fn loaded(bytes: &[u8]) -> Keyspace {
    load(bytes, 16, 9, Options::default()).expect("a sound file").0
}

#[test]
fn a_snapshot_is_the_data_of_the_moment_at_which_it_began() {
    let mut changed_meanwhile = 0;
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let mut shell = Shell::new();
        let keys = rng.between(3, 120);
        for _ in 0..rng.below(400) {
            random_work(&mut shell, &mut rng, keys);
        }
        // Several in a row: what one leaves behind must not disturb the next.
        for round in 0..4 {
            let before = shell.keyspace.clone();
            let mut file = Vec::new();
            let mut snapshot = Snapshot::begin(&mut shell.keyspace, &Aux::default());
            let cancel = rng.chance(20);
            loop {
                for _ in 0..rng.below(12) {
                    random_work(&mut shell, &mut rng, keys);
                }
                let budget = rng.between(1, 200) as usize;
                if snapshot.step(&mut shell.keyspace, budget, &mut file) {
                    break;
                }
                if cancel && rng.chance(10) {
                    break;
                }
            }
            if Snapshot::in_progress(&shell.keyspace) {
                snapshot.cancel(&mut shell.keyspace);
                continue;
            }
            assert_eq!(snapshot.keys_written(), snapshot.keys());
            assert_eq!(loaded(&file), before, "seed {seed}, round {round}");
            changed_meanwhile += u32::from(shell.keyspace != before);
        }
    }
    assert!(changed_meanwhile > 800, "the commands hardly changed anything: {changed_meanwhile}");
}

#[test]
fn flushed_swapped_and_refilled_databases_keep_their_place_in_the_file() {
    let mut shell = Shell::new();
    for number in 0..50 {
        shell.run(&format!("SET a:{number} {number}"));
    }
    shell.db = 1;
    shell.run("SET other 1");
    let before = shell.keyspace.clone();
    let mut file = Vec::new();
    let mut snapshot = Snapshot::begin(&mut shell.keyspace, &Aux::default());
    assert!(!snapshot.step(&mut shell.keyspace, 100, &mut file));
    shell.run("SWAPDB 0 1");
    shell.run("FLUSHDB");
    shell.run("SET a:1 new");
    shell.run("FLUSHALL");
    shell.run("SET a:2 new");
    shell.run("SWAPDB 1 2");
    while !snapshot.step(&mut shell.keyspace, 100, &mut file) {}
    assert_eq!(loaded(&file), before);
    assert!(!Snapshot::in_progress(&shell.keyspace));
}

#[test]
fn reading_a_key_is_no_change() {
    let mut shell = Shell::new();
    for number in 0..100 {
        shell.run(&format!("SET k:{number} value"));
    }
    let mut snapshot = Snapshot::begin(&mut shell.keyspace, &Aux::default());
    let mut file = Vec::new();
    assert!(!snapshot.step(&mut shell.keyspace, 1, &mut file));
    for number in 0..100 {
        shell.run(&format!("GET k:{number}"));
    }
    let so_far = file.len();
    assert!(!snapshot.step(&mut shell.keyspace, 1, &mut file));
    assert!(file.len() - so_far < 40, "only one more key, not all that were read: {}", file.len() - so_far);
    shell.run("SET k:0 changed");
    let so_far = file.len();
    assert!(!snapshot.step(&mut shell.keyspace, 1, &mut file));
    assert!(file.len() - so_far > 20, "the old value of the changed key, and one more");
    snapshot.cancel(&mut shell.keyspace);
}

#[test]
fn an_empty_data_set_is_done_at_once() {
    let mut keyspace = Keyspace::new(16, 1);
    let mut file = Vec::new();
    assert!(Snapshot::begin(&mut keyspace, &Aux::default()).step(&mut keyspace, 1, &mut file));
    assert_eq!(loaded(&file), keyspace);
    let entry = keyspace::Entry::new(keyspace::Value::String(keyspace::Str::Int(1)), Millis::ZERO);
    assert!(size_of_val(&entry) <= 40, "an entry has not grown by its epoch: {}", size_of_val(&entry));
}
