//! Chapters 4 and 5 with whole nodes: a master, two or three replicas, and three, four, five or seven sentinels, each
//! with a clock of its own and a disk that takes its time; a client that asks them where to write; and everything that
//! can go wrong.
//!
//! Safety after every step is the [`Scrutiny`](sim::nodes::Scrutiny)'s: one vote and one leader an epoch, also across
//! crashes; as many opinions as the quorum asks for; a replica that had a right to be promoted. Then everything is
//! repaired, and liveness is required: all sentinels agree on one master, all other nodes follow it and equal it, it
//! takes writes, and it stays so.
//!
//! A third of the runs are *calm*: nothing happens but the master's death, and there must be another before anything is
//! repaired. The others are as bad as it gets ([`chaos`]).
//!
//! What is not in it, because no sentinel survives it: one that comes back without its file. It is a new sentinel, with
//! a vote of its own in an epoch in which it has voted already. And discovery under faults: as long as sentinels don't
//! know each other, their majorities need not meet, so the faults begin when all know all. Redis is the same in both.
//!
//! `SIM_SEEDS=20000` runs more seeds, `SIM_SEED=17` replays one. With `--nocapture` it tells how long failovers took.

mod chaos;
mod flaws;
mod known_bad;
mod play;
mod report;
mod setting;
mod stall;

use std::sync::Mutex;

use sim::family;

use flaws::Flaw;
use report::Report;

const SEEDS: u64 = 40;

#[test]
fn sentinels_agree_on_one_master_once_faults_are_over() {
    let report = Mutex::new(Report::default());
    family::check("sentinels", SEEDS, |seed, trace| {
        let outcome = play::play(seed, trace, Flaw::None)?;
        report.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(&outcome);
        Ok(outcome.steps)
    });
    let report = report.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    println!("{report}");
    if std::env::var_os("SIM_SEED").is_none() && std::env::var_os("SIM_SEEDS").is_none() {
        report.check_that_much_happened();
    }
}
