// The scored suite of chapter 5. Included twice by each `tests/score.rs`, once with the answers under
// test as `lab` and once with the reference answers. A scenario calls the functions of its own exercise
// and nothing else that is to be written, so that one wrong answer turns one exercise red.

use core_types::{Broken, Endpoint, Epoch, Millis, Offset, Periods, Rng, RunId};
use lab::{
    Act, Attempt, Ballot, Candidate, Claim, Correction, Facts, Failover, Reported, Rewire, RewireStep,
    Situation, Standing, Timing, Vote,
};
use score::{Check, Family};
use sim::trace::Trace;

include!("ballot.rs");
include!("leader.rs");
include!("attempt.rs");
include!("choice.rs");
include!("stages.rs");
include!("rewire.rs");
include!("config.rs");

pub(crate) fn suite() -> Vec<Check> {
    vec![
        check("5.1", votes, Some((votes_from_seed, 400)), true),
        check("5.2", tallies, Some((tally_from_seed, 400)), true),
        check("5.3", attempts, Some((attempt_from_seed, 300)), true),
        check("5.4", choices, Some((choice_from_seed, 400)), true),
        check("5.5", failovers, Some((failover_from_seed, 300)), true),
        check("5.6", rewiring, Some((rewiring_from_seed, 400)), true),
        check("5.7", claims, None, true),
        check("5.8", corrections, Some((correction_from_seed, 400)), true),
    ]
}

type Scenario = fn(&mut Trace) -> Result<(), Broken>;
type SeededRun = fn(u64, &mut Trace) -> Result<(), Broken>;

fn check(id: &'static str, scenario: Scenario, family: Option<(SeededRun, u64)>, agree: bool) -> Check {
    Check { id, scenario, family: family.map(|(run, seeds)| Family { seeds, run, agree }) }
}

fn table(trace: &mut Trace, title: &str) {
    trace.title = title.into();
    trace.timeless = true;
}

/// A run id of one letter, as far as a reader is concerned.
fn id(letter: char) -> RunId {
    RunId::parse(letter.to_string().repeat(RunId::LEN).as_bytes()).expect("forty characters")
}

fn letter(id: &RunId) -> char {
    id.as_str().chars().next().unwrap_or('?')
}

/// The time at which the scenarios happen: late enough that everything has been long ago.
const NOW: Millis = Millis(1_000_000);

fn ago(millis: u64) -> Millis {
    Millis(NOW.0 - millis)
}

/// Mostly around a bound, where mistakes live.
fn near(rng: &mut Rng, bound: u64) -> u64 {
    if rng.chance(60) { (bound + rng.between(0, 4)).saturating_sub(2) } else { rng.below(2 * bound + 10) }
}
