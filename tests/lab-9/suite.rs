// The scored suite of chapter 9. Included twice by each `tests/score.rs`, once with the answers under
// test as `lab` and once with the reference answers. A scenario calls the functions of its own exercise
// and nothing else that is to be written; where it needs other rules of the chapter (the worlds of 9.3, 9.4 and 9.5), it
// takes them from the reference, so that one wrong answer turns one exercise red.

use std::collections::{BTreeMap, BTreeSet};

use core_types::{Broken, Epoch, Millis, NodeId, Offset, Rng, Slot, SlotSet};
use lab::age::{MasterLink, Validity, too_old};
use lab::candidate::{Act, ByHand, Candidate, View, auth_timeout, retry_time};
use lab::claims::{Loss, behind, follows, won};
use lab::epochs::{without_vote, yields};
use lab::manual::{Manual, Master, Way, begin, pause};
use lab::rank::{delay, rank};
use lab::takeover::{Step as Deed, takeover};
use lab::votes::{Answer, Asker, Refusal, Request, Step, Voter, answer, steps};
use lab::wander::{Replica, Shard, Wanderer, destination, is_orphan};
use score::{Check, Family};
use sim::trace::Trace;
use solution_9 as reference_rules;

include!("rank.rs");
include!("age.rs");
include!("votes.rs");
include!("order.rs");
include!("candidate.rs");
include!("rules.rs");
include!("world.rs");
include!("takeover.rs");
include!("claims.rs");
include!("epochs.rs");
include!("manual.rs");
include!("wander.rs");

pub(crate) fn suite() -> Vec<Check> {
    vec![
        check("9.1", ranks, Some((rank_from_seed, 400))),
        check("9.2", ages, Some((age_from_seed, 400))),
        check("9.3", votes, Some((votes_from_seed, 400))),
        check("9.4", orders, Some((order_from_seed, 300))),
        check("9.5", elections, Some((election_from_seed, 400))),
        check("9.6", takeovers, Some((takeover_from_seed, 200))),
        check("9.7", claims, Some((claim_from_seed, 300))),
        check("9.8", collisions, Some((collision_from_seed, 300))),
        check("9.9", by_hand, Some((by_hand_from_seed, 400))),
        check("9.10", wanderings, Some((wandering_from_seed, 500))),
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

/// A node's id of one letter, as far as a reader is concerned.
fn id(letter: char) -> NodeId {
    NodeId::parse(letter.to_string().repeat(NodeId::LEN).as_bytes()).expect("forty characters")
}

fn letter(id: &NodeId) -> char {
    id.as_str().chars().next().unwrap_or('?')
}

fn slot(number: u16) -> Slot {
    Slot::new(number).expect("a scenario's slot is in range")
}

fn slot_set(numbers: impl IntoIterator<Item = u16>) -> SlotSet {
    numbers.into_iter().map(slot).collect()
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() { "none".into() } else { items.join(" ") }
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
