// The scored suite of chapter 7. Included twice by each `tests/score.rs`, once with the answers under
// test as `lab` and once with the reference answers. A scenario calls the functions of its own exercise
// and nothing else that is to be written, so that one wrong answer turns one exercise red.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use core_types::{Broken, Millis, Rng};
use lab::{
    Candidate, Contact, Due, Expected, Greeting, Introduction, Known, Opinion, Plan, Reports, Rumour, Seen,
    Serving, Welcome, Why,
};
use score::{Check, Family};
use sim::trace::Trace;

include!("handshake.rs");
include!("heartbeat.rs");
include!("choice.rs");
include!("belief.rs");
include!("reports.rs");
include!("failure.rs");
include!("serving.rs");
include!("cost.rs");

pub(crate) fn suite() -> Vec<Check> {
    vec![
        check("7.1", acquaintance, Some((acquaintance_from_seed, 100))),
        check("7.2", dues, Some((due_from_seed, 400))),
        check("7.3", extra_pings, Some((extra_ping_from_seed, 400))),
        check("7.4", choices, Some((choice_from_seed, 300))),
        check("7.5", beliefs, Some((belief_from_seed, 500))),
        check("7.6", reporting, Some((reports_from_seed, 300))),
        check("7.7", verdicts, Some((verdict_from_seed, 200))),
        check("7.8", serving, Some((serving_from_seed, 200))),
        check("7.9", costs, Some((cost_from_seed, 300))),
    ]
}

type Scenario = fn(&mut Trace) -> Result<(), Broken>;
type SeededRun = fn(u64, &mut Trace) -> Result<(), Broken>;

fn check(id: &'static str, scenario: Scenario, family: Option<(SeededRun, u64)>) -> Check {
    Check { id, scenario, family: family.map(|(run, seeds)| Family { seeds, run, agree: true }) }
}

fn table(trace: &mut Trace, title: &str) {
    trace.title = title.into();
    trace.timeless = true;
}

/// Long ago enough that everything else can have happened before.
const NOW: Millis = Millis(1_000_000);

fn ago(millis: u64) -> Millis {
    Millis(NOW.0 - millis)
}

/// The nodes of these scenarios are called A, B, C and so on.
fn name(index: usize) -> char {
    char::from(b'A' + u8::try_from(index % 26).unwrap_or(0))
}

fn names(of: impl IntoIterator<Item = char>) -> String {
    let all: String = of.into_iter().collect();
    if all.is_empty() { "nobody".into() } else { all }
}

/// Now and then on a bound, and on both sides of it; mostly anywhere up to twice as far.
fn near(rng: &mut Rng, bound: u64) -> u64 {
    if rng.chance(50) { (bound + rng.below(5)).saturating_sub(2) } else { rng.below(2 * bound + 1) }
}
