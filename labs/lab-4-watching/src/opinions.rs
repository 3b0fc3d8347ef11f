//! From one opinion to a common one.

use std::collections::BTreeMap;

use core_types::{Millis, Periods, RunId};

use crate::schedule::Kind;

/// How many questions without an answer make an opinion too old
/// (`sentinelAskMasterStateToOtherSentinels` in Redis's `sentinel.c`).
pub const OPINION_LIFE: u64 = 5;

/// What the others think of one master.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opinions {
    by: BTreeMap<RunId, Opinion>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Opinion {
    down: bool,
    at: Millis,
}

impl Opinions {
    /// Nobody has said anything yet.
    pub fn new() -> Opinions {
        Opinions::default()
    }

    /// The sentinel `who` has answered. Its newest answer replaces the one before.
    pub fn heard(&mut self, now: Millis, who: RunId, down: bool) {
        // <exercise 4.7 heard>
        todo!("lab 4.7: Objectively down")
        // </exercise>
    }

    /// The sentinel `who` is not known any more: neither is its opinion.
    pub fn forget(&mut self, who: &RunId) {
        self.by.remove(who);
    }

    /// When `who` last answered.
    pub fn heard_at(&self, who: &RunId) -> Option<Millis> {
        self.by.get(who).map(|opinion| opinion.at)
    }

    /// Whether `who` held the master for down when it last answered.
    pub fn says_down(&self, who: &RunId) -> bool {
        self.by.get(who).is_some_and(|opinion| opinion.down)
    }

    /// How many others hold the master for down at this moment. An opinion that is older than
    /// [`OPINION_LIFE`] times [`Periods::ask`] is none: whoever gave it may have changed it since and not get through to us.
    pub fn down(&self, now: Millis, periods: &Periods) -> usize {
        // <exercise 4.7 down>
        todo!("lab 4.7: Objectively down")
        // </exercise>
    }
}

/// Is it down *objectively*: do enough sentinels agree?
///
/// Only masters can be. `own` is this sentinel's own opinion, `others` the number of others that share it;
/// together they must reach the `quorum`. Without an own opinion there is nothing to agree with: a
/// sentinel that still hears the master never believes it down, however many say so.
pub fn objectively_down(kind: Kind, own: bool, others: usize, quorum: usize) -> bool {
    // <exercise 4.7 objectively_down>
    todo!("lab 4.7: Objectively down")
    // </exercise>
}

// ANCHOR: question
/// Another sentinel that could be asked what it thinks of a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// It can be reached.
    pub connected: bool,
    /// When it last answered.
    pub answered_at: Option<Millis>,
}
// ANCHOR_END: question

/// Whom to ask now: places in `others`, ascending.
///
/// While this sentinel holds the master for down (`own`), it asks everyone who can be reached and has not answered
/// within [`Periods::ask`]. When it begins a failover it asks all who can be reached at once (`at_once`): what
/// it wants then are votes.
pub fn whom_to_ask(
    now: Millis,
    own: bool,
    at_once: bool,
    others: &[Question],
    periods: &Periods,
) -> Vec<usize> {
    // <exercise 4.8 whom_to_ask>
    todo!("lab 4.8: Asking, and answering")
    // </exercise>
}

/// What to answer another that asks about the instance `kind` (`None`: no instance that is known here) which is
/// down for us or not (`own`).
///
/// Yes only for a master that is down for us, and never in TILT: who does not trust their own clock has no
/// opinion to give.
pub fn answer(kind: Option<Kind>, own: bool, tilt: bool) -> bool {
    // <exercise 4.8 answer>
    todo!("lab 4.8: Asking, and answering")
    // </exercise>
}
