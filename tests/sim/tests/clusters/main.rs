//! Chapters 7 and 9 with whole nodes: six to twenty of them in a cluster, each with a clock of its own and a disk that
//! takes its time; clients that find their way by redirections; and everything that can go wrong.
//!
//! Safety after every step is the [`Audit`](sim::nodes::clusters::Audit)'s. Then everything is repaired, and liveness is
//! required: all nodes agree on roles, slots and epochs, every slot has an owner, clients can write, replicas equal
//! their masters, and it stays so. Every write that was acknowledged and is gone must be explained.
//!
//! A quarter of the runs are *calm*: nothing happens but one master's death, and its slots must be written to again before
//! anything is repaired. In some a master is cut off together with a client, and must stop; in some operators order one
//! failover after the other, and nothing may be lost. The others are as bad as it gets ([`chaos`], [`hands`]).
//!
//! `SIM_CLUSTER_SEEDS=20000` runs more seeds (of `SIM_SEEDS` this family plays a tenth: a run takes a tenth of a second and
//! more), `SIM_SEED=17` replays one. With `--nocapture` it tells how elections went, how long
//! failovers took, and what was lost.

mod chaos;
mod days;
mod flaws;
mod hands;
mod hostile;
mod known_bad;
mod play;
mod report;
mod setting;
mod survey;

use std::sync::Mutex;

use sim::family;

use flaws::Flaw;
use report::Report;

const SEEDS: u64 = 24;

#[test]
fn clusters_agree_once_faults_are_over() {
    let report = Mutex::new(Report::default());
    family::check_share("clusters", SEEDS, (10, "SIM_CLUSTER_SEEDS"), |seed, trace| {
        let outcome = play::play(seed, trace, Flaw::None)?;
        report.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(&outcome);
        Ok(outcome.steps)
    });
    let report = report.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    println!("{report}");
    if std::env::var_os("SIM_SEED").is_none() {
        report.check_that_much_happened();
    }
}
