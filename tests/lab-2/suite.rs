// The scored suite of chapter 2. Included twice by each `tests/score.rs`, once with the answers under
// test as `lab` and once with the reference answers. A scenario calls the functions of its own exercise
// and nothing else that is to be written, so that one wrong answer turns one exercise red.

use core_types::{Broken, History, Millis, Offset, Position, ReplId, Rng, show_command};
use lab::{
    Acks, BLOCK, Backlog, Held, Holder, Life, MasterBeat, Moment, Peer, PeerState, Pulse, ReplicaBeat,
    Timers, Verdict, Wait, WaitStep, Why, Window, WriteGate,
};
use score::{Check, Family};
use sim::trace::Trace;

include!("backlog.rs");
include!("psync.rs");
include!("heartbeat.rs");
include!("acks.rs");
include!("gate.rs");
include!("life.rs");

pub(crate) fn suite() -> Vec<Check> {
    vec![
        check("2.1", backlog_keeps, (backlog_keeps_from_seed, 200)),
        check("2.2", backlog_is_read, (backlog_is_read_from_seed, 300)),
        check("2.3", decisions, (decisions_from_seed, 1000)),
        check("2.4", questions, (questions_from_seed, 200)),
        check("2.5", master_beats, (master_beats_from_seed, 300)),
        check("2.6", replica_beats, (replica_beats_from_seed, 500)),
        check("2.7", acknowledged, (acknowledged_from_seed, 500)),
        check("2.8", gate, (gate_from_seed, 500)),
        check("2.9", lives, (lives_from_seed, 300)),
    ]
}

type Scenario = fn(&mut Trace) -> Result<(), Broken>;
type SeededRun = fn(u64, &mut Trace) -> Result<(), Broken>;

fn check(id: &'static str, scenario: Scenario, (run, seeds): (SeededRun, u64)) -> Check {
    Check { id, scenario, family: Some(Family { seeds, run, agree: true }) }
}

/// A millisecond later.
fn later(trace: &Trace) -> Millis {
    trace.now() + Millis(1)
}

fn heading(trace: &mut Trace, text: &str) {
    let at = later(trace);
    trace.note(at, None, text);
}

/// Seconds, for scenarios that think in them.
fn secs(seconds: u64) -> Millis {
    Millis::from_secs(seconds)
}

/// An id of one digit, forty times.
fn id(digit: char) -> ReplId {
    digit.to_string().repeat(ReplId::LEN).parse().expect("it has 40 characters")
}

/// One of several, by chance.
fn any_of<T: Copy>(rng: &mut Rng, choices: &[T]) -> T {
    choices[rng.below(choices.len() as u64) as usize]
}
