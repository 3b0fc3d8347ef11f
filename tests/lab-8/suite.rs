// The scored suite of chapter 8. Included twice by each `tests/score.rs`, once with the answers under
// test as `lab` and once with the reference answers. A scenario calls the functions of its own exercise
// and nothing else that is to be written, so that one wrong answer turns one exercise red.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use core_types::{Broken, Endpoint, Millis, Rng, Slot, SlotRange, SlotSet};
use lab::{
    Answer, Asked, Cache, Dealt, Errand, Finding, Held, MAX_ATTEMPTS, Mend, Moving, Next, Order, Pick,
    Portion, Progress, Says, Serving, SetSlot, Shard, Share, SlotState, Told, Topology, Transfer, View,
};
use score::{Check, Family};
use sim::trace::Trace;

include!("routing.rs");
include!("asking.rs");
include!("setslot.rs");
include!("client.rs");
include!("world.rs");
include!("transfer.rs");
include!("plans.rs");
include!("repair.rs");

pub(crate) fn suite() -> Vec<Check> {
    vec![
        check("8.1", refusals, Some((refusal_from_seed, 400))),
        check("8.2", at_rest, Some((at_rest_from_seed, 400))),
        check("8.3", moving_slots, Some((moving_from_seed, 400))),
        check("8.4", asking, Some((asking_from_seed, 300))),
        check("8.5", set_slots, Some((set_slot_from_seed, 400))),
        check("8.6", errands, Some((errand_from_seed, 300))),
        check("8.7", transfers, Some((transfer_from_seed, 300))),
        check("8.8", reshards, Some((reshard_from_seed, 150))),
        check("8.9", rebalances, Some((rebalance_from_seed, 150))),
        check("8.10", repairs, Some((repair_from_seed, 500))),
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

fn slot(number: u16) -> Slot {
    Slot::new(number).expect("a scenario's slot is in range")
}

fn place(port: u16) -> Endpoint {
    Endpoint::new("10.0.0.1", port)
}

/// `None` in a quarter of the cases.
fn perhaps<T: Copy>(rng: &mut Rng, of: &[T]) -> Option<T> {
    if rng.chance(25) { None } else { rng.pick(of).copied() }
}
