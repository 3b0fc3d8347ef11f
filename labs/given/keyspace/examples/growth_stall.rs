//! Measures the longest stall of a table that grows: `cargo run --release -p keyspace --example growth_stall [KEYS]`.
//!
//! Every write is timed by itself, by the processor's time of this thread, so that other programs do not
//! count. Each measurement is made several times; the one with the shortest longest time is shown.

use std::time::Duration;

use core_types::Millis;
use keyspace::{Compact, Hash, Keyspace, Set, Str, Value, Zset};

const ROUNDS: usize = 5;

fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn text(number: u64) -> String {
    format!("key:{number:012}")
}

/// Times `keys` writes, each by itself.
fn measure(name: &str, keys: u64, mut make: impl FnMut() -> Box<dyn FnMut(&[u8])>) {
    let mut best: Option<Vec<Duration>> = None;
    for _ in 0..ROUNDS {
        let mut write = make();
        let mut times = Vec::with_capacity(keys as usize);
        for number in 0..keys {
            let key = text(number);
            let start = now();
            write(key.as_bytes());
            times.push(now() - start);
        }
        times.sort_unstable();
        if best.as_ref().is_none_or(|best| times.last() < best.last()) {
            best = Some(times);
        }
    }
    let Some(times) = best else { return };
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    let total: Duration = times.iter().sum();
    println!(
        "{name:<16} {keys:>9} writes  median {:>6.2} µs  99.9 % {:>7.1} µs  99.999 % {:>8.1} µs  longest {:>9.1} µs  in all {:>7.1} ms",
        at(0.5),
        at(0.999),
        at(0.99999),
        at(1.0),
        total.as_secs_f64() * 1e3
    );
}

fn main() {
    let keys: u64 = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(1_000_000);
    measure("strings", keys, || {
        let mut keyspace = Keyspace::new(16, 1);
        Box::new(move |key| {
            keyspace.db_mut(0).insert(key, Value::String(Str::new(&[b'x'; 32])), Millis::ZERO);
        })
    });
    measure("strings, expire", keys, || {
        let mut keyspace = Keyspace::new(16, 1);
        Box::new(move |key| {
            let at = keyspace.db_mut(0).insert(key, Value::String(Str::new(&[b'x'; 32])), Millis::ZERO);
            keyspace.db_mut(0).set_expire_at(at, Some(Millis(1)));
        })
    });
    let compact = Compact::default();
    measure("fields", keys, || {
        let mut hash = Hash::new();
        Box::new(move |key| {
            hash.set(key, b"value", &compact, 1);
        })
    });
    measure("members", keys, || {
        let mut set = Set::new();
        Box::new(move |key| {
            set.add(key, &compact, 1);
        })
    });
    measure("scored members", keys, || {
        let mut zset = Zset::new();
        let mut score = 0.0;
        Box::new(move |key| {
            score += 1.0;
            zset.set(key, score, &compact, 1);
        })
    });
    read(keys);
}

/// Draws keys at random and looks them up.
fn read(keys: u64) {
    let mut keyspace = Keyspace::new(16, 1);
    for number in 0..keys {
        keyspace.db_mut(0).insert(text(number).as_bytes(), Value::String(Str::Int(1)), Millis::ZERO);
    }
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let mut random = 1u64;
        let start = now();
        let mut found = 0;
        for _ in 0..1_000_000 {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            found += u64::from(keyspace.db(0).get(text((random >> 33) % keys).as_bytes()).is_some());
        }
        assert_eq!(found, 1_000_000);
        best = best.min(now() - start);
    }
    println!("a key drawn and looked up: {:.1} ns of {keys}", best.as_secs_f64() * 1e3);
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = now();
        for number in 0..keys {
            keyspace.db_mut(0).remove(text(number).as_bytes());
            keyspace.db_mut(0).insert(text(number).as_bytes(), Value::String(Str::Int(1)), Millis::ZERO);
        }
        best = best.min(now() - start);
    }
    println!("a key removed and set again: {:.1} ns", best.as_secs_f64() * 1e9 / keys as f64);
}
