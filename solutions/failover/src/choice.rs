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
    let alive_within = Millis(periods.ping.0 * 5);
    let calm = situation.master_down_since.is_none();
    let info_within = if calm { Millis(periods.info.0 * 3) } else { alive_within };
    let down_for = situation.master_down_since.map_or(Millis::ZERO, |since| now.since(since));
    let longest = down_for + Millis(situation.down_after.0.saturating_mul(10));
    let fit = |candidate: &Candidate| {
        !candidate.down
            && candidate.connected
            && now.since(candidate.alive_at) <= alive_within
            && candidate.priority > 0
            && candidate.info_at.is_some_and(|at| now.since(at) <= info_within)
            && candidate.without_master <= longest
    };
    let rank = |candidate: &Candidate| {
        let nameless = candidate.id.is_none();
        (candidate.priority, std::cmp::Reverse(candidate.offset), nameless, candidate.id)
    };
    let fit = (0..candidates.len()).filter(|&index| fit(&candidates[index]));
    fit.min_by_key(|&index| rank(&candidates[index]))
    // </exercise>
}
