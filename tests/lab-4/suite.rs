// The scored suite of chapter 4. Included twice by each `tests/score.rs`, once with the answers under
// test as `lab` and once with the reference answers. A scenario calls the functions of its own exercise
// and nothing else that is to be written, so that one wrong answer turns one exercise red.

use core_types::{Broken, Endpoint, Epoch, Frame, Millis, Periods, Rng, RunId};
use lab::{Contact, Hello, Kind, Opinions, Peer, Probe, Question, Sighting, Tilt, TiltStep};
use score::{Check, Family};
use sim::trace::Trace;

include!("schedule.rs");
include!("contact.rs");
include!("hello.rs");
include!("discovery.rs");
include!("silence.rs");
include!("opinions.rs");
include!("tilt.rs");

pub(crate) fn suite() -> Vec<Check> {
    vec![
        check("4.1", probes, Some((probes_from_seed, 300))),
        check("4.2", answers, Some((answers_from_seed, 300))),
        check("4.3", hellos, Some((hello_from_seed, 300))),
        check("4.4", sightings, Some((sighting_from_seed, 300))),
        check("4.5", silences, Some((silence_from_seed, 400))),
        check("4.6", dead_links, Some((dead_link_from_seed, 400))),
        check("4.7", agreement, Some((agreement_from_seed, 300))),
        check("4.8", questions, Some((questions_from_seed, 300))),
        check("4.9", tilts, Some((tilt_from_seed, 300))),
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

/// An instance that was connected long ago and has just answered everything.
fn well() -> Contact {
    Contact {
        connected_at: Some(ago(100_000)),
        unanswered_since: None,
        pinged_at: NOW,
        heard_at: NOW,
        alive_at: NOW,
        info_at: Some(NOW),
        hello_at: NOW,
    }
}
