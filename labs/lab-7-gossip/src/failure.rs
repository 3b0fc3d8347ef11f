//! When doubt becomes certainty, and when that is taken back.
//!
//! Who has had no answer for a whole node timeout may have failed: `PFAIL`, one node's opinion, of which nothing
//! follows. If a majority of the masters that own slots has the same opinion at the same time, it has failed: `FAIL`. Whoever
//! comes to that conclusion first tells everybody, and they believe it without counting again.

use core_types::Millis;

/// A master that answers again, and whose slots nobody has taken, is let back after so many node timeouts
/// (`CLUSTER_FAIL_UNDO_TIME_MULT` in Redis's `cluster.h`).
pub const UNDO_AFTER: u64 = 2;

// ANCHOR: opinion
/// What this node knows when it asks itself whether a member has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// I have had no answer from it for a node timeout (`PFAIL`).
    pub suspected: bool,
    /// How many others with a vote say the same, by reports that still hold.
    pub reports: usize,
    /// I have a vote: I am a master that owns slots.
    pub i_vote: bool,
    /// How many masters own slots, dead or alive, me included.
    pub voters: usize,
    /// It is marked as failed already (`FAIL`).
    pub already: bool,
}
// ANCHOR_END: opinion

/// Does this node declare the member failed, now? Then it tells everybody. (`markNodeAsFailingIfNeeded` in Redis's
/// `cluster.c`)
///
/// Only if it suspects the member itself, and more than half of all voters do; its own vote counts, if it has one.
/// A replica has none, and may still be the first to notice that the votes of others suffice.
pub fn agreed(opinion: &Opinion) -> bool {
    // <exercise 7.7 agreed>
    todo!("lab 7.7: From doubt to certainty, and back")
    // </exercise>
}

/// A member that was marked as failed has answered. Is the mark taken from it? At once, if it owns no slots: then
/// nothing depends on everybody's agreeing. A master with slots waits, since its replicas may be electing a successor;
/// if they have not in [`UNDO_AFTER`] node timeouts, they will not.
pub fn lifted(owns_slots: bool, failed_for: Millis, timeout: Millis) -> bool {
    // <exercise 7.7 lifted>
    todo!("lab 7.7: From doubt to certainty, and back")
    // </exercise>
}
