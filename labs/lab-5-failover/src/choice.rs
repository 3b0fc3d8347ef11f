//! Which replica takes over.

use core_types::{Millis, Offset, Periods, RunId};

// ANCHOR: candidate
/// A replica, as its last answers showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its run id, if it told one.
    pub id: Option<RunId>,
    /// It is subjectively down.
    pub down: bool,
    /// This sentinel is connected to it.
    pub connected: bool,
    /// When it last proved to be alive.
    pub alive_at: Millis,
    /// When its last `INFO` came.
    pub info_at: Option<Millis>,
    /// For how long it had lost its master then; zero: it had not.
    pub without_master: Millis,
    /// `replica-priority`: the lower, the better; 0: never.
    pub priority: u32,
    /// How much of the master's stream it had applied then.
    pub offset: Offset,
}

/// What the choice depends on besides the replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Situation {
    /// Since when the master has been subjectively down; `None`: it is not.
    pub master_down_since: Option<Millis>,
    /// `down-after-milliseconds`
    pub down_after: Millis,
}
// ANCHOR_END: candidate

/// The place of the replica to promote, if one will do.
///
/// Out of the question is a replica that is down or not connected, whose last sign of life is older than
/// five [`Periods::ping`], whose priority is 0, whose `INFO` is missing or older than five [`Periods::ping`] too (`INFO`
/// comes every second while the master is down; if it is not, as in a failover by hand, three
/// [`Periods::info`]), or that had lost its master for too long: for more than the
/// time the master has been down and ten times `down_after`. What it holds would be too old.
///
/// Of the rest the lowest priority wins; among equals the greatest offset, since it has lost least; among equals
/// the smallest run id, so that every sentinel would choose the same; one without a run id comes last.
pub fn choose(
    now: Millis,
    situation: &Situation,
    candidates: &[Candidate],
    periods: &Periods,
) -> Option<usize> {
    // <exercise 5.4>
    todo!("lab 5.4: Which replica takes over")
    // </exercise>
}
