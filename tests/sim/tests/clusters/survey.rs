//! All failing seeds at once, by the rule that they break: `SURVEY=0..2000 cargo test --release -p sim --test clusters survey
//! -- --ignored --nocapture`. For whoever changes a rule, or the nodes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::flaws::Flaw;
use crate::play::play;
use crate::report::Report;

/// The seeds that `SURVEY` names.
pub(crate) fn span() -> (u64, u64) {
    let span = std::env::var("SURVEY").unwrap_or_else(|_| "0..100".into());
    let (first, end) = span.split_once("..").expect("from..to");
    (first.parse().expect("a seed"), end.parse().expect("a seed"))
}

#[test]
#[ignore = "a tool: it lists what fails"]
fn survey() {
    let (first, end) = span();
    let next = AtomicU64::new(first);
    let found: Mutex<BTreeMap<String, BTreeMap<u64, String>>> = Mutex::default();
    let report = Mutex::new(Report::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let (rule, detail) = match std::panic::catch_unwind(|| play(seed, None, Flaw::None)) {
                        Ok(Ok(outcome)) => {
                            report.lock().expect("nobody panics").add(&outcome);
                            continue;
                        }
                        Ok(Err(broken)) => (broken.rule, broken.detail),
                        Err(_) => ("nothing panics".into(), String::new()),
                    };
                    println!("{seed}: {rule}");
                    found.lock().expect("nobody panics").entry(rule).or_default().insert(seed, detail);
                }
            });
        }
    });
    for (rule, seeds) in found.into_inner().expect("nobody panics") {
        println!("{} x {rule}", seeds.len());
        for (seed, detail) in seeds.iter().take(12) {
            println!("   {seed}: {}", detail.chars().take(200).collect::<String>());
        }
    }
    println!("{}", report.into_inner().expect("nobody panics"));
}
