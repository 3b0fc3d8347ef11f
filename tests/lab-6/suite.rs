// The scored suite of chapter 6. Included twice by each `tests/score.rs`, once with the answers under
// test as `lab` and once with the reference answers. A scenario calls the functions of its own exercise
// and nothing else that is to be written, so that one wrong answer turns one exercise red.

use core_types::{ArgsBuf, Broken, Frame, Millis, Rng, Slot, SlotSet, show_bytes};
use lab::{Batch, Health, HealthSettings, Join, Part, Point, Ring, Route, Server};
use score::{Check, Family};
use sim::trace::Trace;

include!("modulo.rs");
include!("ring.rs");
include!("hash_slot.rs");
include!("bitmap.rs");
include!("client.rs");
include!("proxy.rs");
include!("health.rs");

pub(crate) fn suite() -> Vec<Check> {
    vec![
        check("6.1", remainders, Some((remainders_from_seed, 300))),
        check("6.2", circles, Some((circles_from_seed, 100))),
        check("6.3", owners, Some((owners_from_seed, 300))),
        check("6.4", checksums, Some((checksums_from_seed, 200))),
        check("6.5", slots, Some((slots_from_seed, 300))),
        check("6.6", bitmaps, Some((bitmaps_from_seed, 100))),
        check("6.7", pipelines, Some((pipelines_from_seed, 300))),
        check("6.8", routes, Some((routes_from_seed, 300))),
        check("6.9", failures, Some((failures_from_seed, 300))),
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

/// A key as a person reads it; of a very long one only the length.
fn shown(key: &[u8]) -> String {
    if key.len() > 60 { format!("{} bytes", key.len()) } else { format!("\"{}\"", show_bytes(key)) }
}

const MEGABYTE: usize = 1 << 20;
