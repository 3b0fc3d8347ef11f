// The scored suite of chapter 3. Included twice by each `tests/score.rs`, once with the answers under
// test as `lab` and once with the reference answers. A scenario calls the functions of its own exercise
// and nothing else that is to be written, so that one wrong answer turns one exercise red.

use bytes::{Bytes, BytesMut};
use core_types::{
    Broken, Endpoint, History, Millis, Offset, Position, ReplId, Rng, Role, StreamLog, show_bytes,
};
use lab::{
    Exceeded, Fanout, Fate, OutputLimit, OverLimit, Own, Past, Relay, Running, SnapshotPolicy, Start,
    Upstream, Waiter,
};
use score::{Check, Family};
use sim::trace::Trace;

include!("fanout.rs");
include!("snapshot.rs");
include!("limits.rs");
include!("relay.rs");
include!("history.rs");
include!("subtree.rs");

pub(crate) fn suite() -> Vec<Check> {
    vec![
        check("3.1", cursors, Some((cursors_from_seed, 200))),
        check("3.2", pieces, Some((pieces_from_seed, 300))),
        check("3.3", snapshots, Some((snapshot_from_seed, 1000))),
        check("3.4", limits, Some((limits_from_seed, 300))),
        check("3.5", relays, Some((relay_from_seed, 300))),
        check("3.6", promotions, Some((promotions_from_seed, 300))),
        check("3.7", offers, Some((offer_from_seed, 200))),
        check("3.8", subtrees, None),
    ]
}

type Scenario = fn(&mut Trace) -> Result<(), Broken>;
type SeededRun = fn(u64, &mut Trace) -> Result<(), Broken>;

fn check(id: &'static str, scenario: Scenario, family: Option<(SeededRun, u64)>) -> Check {
    Check { id, scenario, family: family.map(|(run, seeds)| Family { seeds, run, agree: true }) }
}

/// A row that says what the rows below it are about.
fn given(trace: &mut Trace, what: &str, is: impl Into<String>) {
    trace.call(format!("given {what}"), is);
}

/// An id that can be told apart at a glance: forty times the same letter.
fn named(letter: char) -> ReplId {
    ReplId::parse(letter.to_string().repeat(ReplId::LEN).as_bytes()).expect("forty letters are an id")
}

/// The letter of an id made by `named`.
fn letter(id: ReplId) -> char {
    id.as_str().chars().next().expect("an id is never empty")
}

fn show_position(position: Position) -> String {
    format!("{} up to {}", letter(position.id), position.offset)
}

fn show_history(history: History) -> String {
    match history.earlier {
        Some(earlier) => format!("{}, before that {}", letter(history.id), show_position(earlier)),
        None => letter(history.id).to_string(),
    }
}

fn replica() -> Role {
    Role::Replica { of: Endpoint::new("above", 7000) }
}
