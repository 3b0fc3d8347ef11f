//! When to try, when to give up, and when to try again.

use core_types::{Millis, Periods, Rng};

/// The bound of the random delay that keeps sentinels from trying at the same moment (`SENTINEL_MAX_DESYNC`
/// in Redis's `sentinel.c`).
pub const MAX_DESYNC: Millis = Millis(1000);

// ANCHOR: attempt
/// The settings that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// `failover-timeout`, by default three minutes.
    pub failover_timeout: Millis,
    /// The sentinel's rhythm.
    pub periods: Periods,
}

/// When the last attempt began, whoever made it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// The moment from which the next attempt's wait is counted. It may lie a little in the future: that is the
    /// random delay. `None`: there has been none.
    pub at: Option<Millis>,
}
// ANCHOR_END: attempt

impl Attempt {
    /// This sentinel begins an attempt, or has just voted for another one's: either way an attempt is under way,
    /// and the next one waits. The moment is `now` and a random part of [`MAX_DESYNC`], so that sentinels that
    /// saw the master die in the same instant do not go on trying in the same instant.
    pub fn begins(now: Millis, rng: &mut Rng) -> Attempt {
        // <exercise 5.3 begins>
        todo!("lab 5.3: When to try")
        // </exercise>
    }
}

/// May an attempt begin? The master must be objectively down, none may be in progress, and the last one, one's
/// own or one that this sentinel has voted for, must be twice `failover-timeout` ago: the leader of that one
/// may still be at work.
pub fn may_start(
    now: Millis,
    objectively_down: bool,
    in_progress: bool,
    last: Attempt,
    timing: &Timing,
) -> bool {
    // <exercise 5.3 may_start>
    todo!("lab 5.3: When to try")
    // </exercise>
}

/// Has an attempt that began at `attempt` failed to be elected in time? It has when more than
/// [`Periods::election_timeout`] has passed, or more than `failover-timeout` if that is shorter. (A failover that an
/// operator forces asks nobody; it is never over for this reason.)
pub fn election_is_over(now: Millis, attempt: Attempt, timing: &Timing) -> bool {
    // <exercise 5.3 election_is_over>
    todo!("lab 5.3: When to try")
    // </exercise>
}
