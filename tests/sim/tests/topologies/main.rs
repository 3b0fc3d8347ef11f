//! Chapters 2 and 3 with whole nodes: trees of up to twelve, with and without files, clients that write, operators
//! who rearrange the tree, and everything that can go wrong.
//!
//! Safety after every step is the [`Ledger`](sim::nodes::Ledger)'s: one data set at each position of a history, nobody
//! ahead of the master, snapshots only where nothing less will do, `WAIT` taken at its word. Then everything is
//! repaired, the clients fall silent, and liveness is required: under one root, all nodes become equal to it.
//! `SIM_SEEDS=10000` runs more seeds, `SIM_SEED=17` replays one.

mod known_bad;
mod play;
mod setting;

use std::sync::atomic::{AtomicU64, Ordering};

use sim::family;

const SEEDS: u64 = 100;

#[test]
fn trees_are_one_data_set_again_once_faults_are_over() {
    let shown: [AtomicU64; 4] = Default::default();
    family::check("topologies", SEEDS, |seed, trace| {
        let (steps, totals) = play::play(seed, trace, |_, node| node)?;
        let counts = [totals.compared, totals.full, totals.partial, totals.confirmed];
        for (sum, count) in shown.iter().zip(counts) {
            sum.fetch_add(count, Ordering::Relaxed);
        }
        Ok(steps)
    });
    let [compared, full, partial, confirmed] = shown.map(AtomicU64::into_inner);
    println!(
        "topologies: {full} full and {partial} partial synchronisations, {confirmed} confirmed waits, {compared} data \
         sets compared"
    );
    if std::env::var_os("SIM_SEED").is_none() && std::env::var_os("SIM_SEEDS").is_none() {
        assert!(
            compared > 1000 && full > 100 && partial > 10,
            "a family that compares nothing shows nothing"
        );
    }
}
