// The scored suite of chapter 10. Included twice by each `tests/score.rs`, once with the answers under
// test as `lab` and once with the reference answers.
//
// An answer is played with whole nodes, and judged by what happened: any schedule that does the job passes. So no run is compared
// with the reference's (`agree: false`); a judge returns the rule that broke, in words without numbers, and leaves the story of the run in
// the trace. The fixed scenario writes down the judgement alone, which is the same for every answer that passes.

use core_types::{Broken, Frame, Millis, Rng, Slot};
use drill::{Limits, Map, Move, Probe, Schedule, Settings, Sick, Site, Sort, Spot, Survey, Whose};
use score::{Check, Family};
use sim::Fault;
use sim::nodes::drills::cluster::racks::Weakness;
use sim::nodes::drills::cluster::survey::{Asker, Town, Truth};
use sim::nodes::drills::cluster::{cures, racks, stop, survey};
use sim::nodes::drills::{Drill, Said, Scene, Write, stale, told};
use sim::trace::Trace;

include!("loss.rs");
include!("bound.rs");
include!("confirmed.rs");
include!("full_loop.rs");
include!("sizes.rs");
include!("stale.rs");
include!("stop.rs");
include!("racks.rs");
include!("cures.rs");
include!("skew.rs");

pub(crate) fn suite() -> Vec<Check> {
    vec![
        check("10.1", lost, (lost_from_seed, 8)),
        check("10.2", bounded, (bounded_from_seed, 8)),
        check("10.3", lost_though_confirmed, (lost_though_confirmed_from_seed, 8)),
        check("10.4", looped, (looped_from_seed, 3)),
        check("10.5", sized, (sized_from_seed, 6)),
        check("10.6", stale_reads, (stale_reads_from_seed, 6)),
        check("10.7", stops, (stops_from_seed, 6)),
        check("10.8", placements, (placements_from_seed, 300)),
        check("10.9", cures, (cures_from_seed, 12)),
        check("10.10", surveys, (surveys_from_seed, 8)),
    ]
}

type Scenario = fn(&mut Trace) -> Result<(), Broken>;
type SeededRun = fn(u64, &mut Trace) -> Result<(), Broken>;

fn check(id: &'static str, scenario: Scenario, (run, seeds): (SeededRun, u64)) -> Check {
    Check { id, scenario, family: Some(Family { seeds, run, agree: false }) }
}

/// The slowest message of a seed's network, in milliseconds.
fn latency(seed: u64) -> Millis {
    Millis(Rng::new(seed).between(2, 25))
}

/// What the fixed scenario leaves: the judgement, without the times and names that an answer is free to choose.
fn judged(trace: &mut Trace, rows: &[(&str, &str)]) {
    *trace = Trace::table(trace.title.clone());
    for (what, outcome) in rows {
        trace.call(*what, *outcome);
    }
}
