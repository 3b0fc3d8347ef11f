//! Measures the longest stalls of a snapshot with a million keys: `cargo run --release -p keyspace --example snapshot_stall`.

use std::time::{Duration, Instant};

use core_types::Millis;
use keyspace::rdb::Aux;
use keyspace::{Keyspace, Snapshot, Str, Value};

const KEYS: u64 = 1_000_000;
const BUDGET: usize = 64 * 1024;

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn key(number: u64) -> Vec<u8> {
    format!("key:{number:012}").into_bytes()
}

fn write(keyspace: &mut Keyspace, number: u64) {
    let key = key(number);
    let db = keyspace.db_mut(0);
    match db.find(&key) {
        Some(at) => db.at_mut(at).value = Value::String(Str::new(&[b'y'; 32])),
        None => drop(db.insert(&key, Value::String(Str::new(&[b'x'; 32])), Millis::ZERO)),
    }
}

fn show(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    let total: Duration = times.iter().sum();
    println!(
        "{name:<28} {:>8} times  median {:>8.1} µs  99.9 % {:>8.1} µs  longest {:>8.1} µs  in all {:>7.1} ms",
        times.len(),
        at(0.5),
        at(0.999),
        at(1.0),
        total.as_secs_f64() * 1e3
    );
}

fn main() {
    let mut keyspace = Keyspace::new(16, 1);
    for number in 0..KEYS {
        write(&mut keyspace, number);
    }
    for round in 0..3 {
        println!(
            "round {round}: {KEYS} keys of 16 bytes with 32 bytes, steps of {BUDGET} bytes, 20 writes between steps"
        );
        let mut random = 12345u64;
        let (mut steps, mut writes, mut plain) = (Vec::new(), Vec::new(), Vec::new());
        let mut draw = || {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (random >> 33) % KEYS
        };
        for _ in 0..20_000 {
            let number = draw();
            let start = now();
            write(&mut keyspace, number);
            plain.push(start.elapsed());
        }
        let start = now();
        let mut snapshot = Snapshot::begin(&mut keyspace, &Aux::default());
        println!("begin: {:.1} µs", start.elapsed().as_secs_f64() * 1e6);
        let (mut out, mut size) = (Vec::new(), 0);
        loop {
            let start = now();
            let done = snapshot.step(&mut keyspace, BUDGET, &mut out);
            steps.push(start.elapsed());
            size += out.len();
            out.clear();
            if done {
                break;
            }
            for _ in 0..20 {
                let number = draw();
                let start = now();
                write(&mut keyspace, number);
                writes.push(start.elapsed());
            }
        }
        show("step", steps);
        show("write during the snapshot", writes);
        show("write without a snapshot", plain);
        println!("{size} bytes");
    }
}
