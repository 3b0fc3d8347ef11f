//! The other replicas: told to follow the new master, some at a time.

use core_types::{Millis, Periods};

// ANCHOR: rewire
/// How far one of the other replicas is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rewire {
    /// It has not been told yet.
    Waiting,
    /// It was told at this time (`+slave-reconf-sent`).
    Sent(Millis),
    /// Its `INFO` names the new master (`+slave-reconf-inprog`).
    InProgress,
    /// Its link to the new master is up (`+slave-reconf-done`).
    Done,
}

/// What a replica's last `INFO` says of its master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RewireStep {
    /// It names the new master.
    pub follows_new: bool,
    /// Its link is up.
    pub link_up: bool,
}
// ANCHOR_END: rewire

/// A replica's `INFO` has come. Naming the new master takes it from `Sent` to `InProgress`, the link being up from
/// there to `Done`; one answer can do both. Whom it names matters in `Sent` only: a replica that is `InProgress` has shown
/// that it follows.
pub fn rewired(state: Rewire, info: RewireStep) -> Rewire {
    // <exercise 5.6 rewired>
    let mut state = state;
    if matches!(state, Rewire::Sent(_)) && info.follows_new {
        state = Rewire::InProgress;
    }
    if state == Rewire::InProgress && info.link_up {
        state = Rewire::Done;
    }
    state
    // </exercise>
}

/// Which of the replicas are told now: places in `replicas`, in order. Each entry says how far it is and whether it can
/// be reached.
///
/// While a replica synchronises it serves old data or none. So at most `parallel` are `Sent` or `InProgress` at a
/// time. One that was `Sent` more than [`Periods::reconf_timeout`] ago counts as `Waiting` again (`-slave-reconf-sent-timeout`):
/// the word may have been lost.
pub fn next_to_rewire(
    now: Millis,
    parallel: usize,
    replicas: &[(Rewire, bool)],
    periods: &Periods,
) -> Vec<usize> {
    // <exercise 5.6 next_to_rewire>
    let waits = |state: Rewire| match state {
        Rewire::Waiting => true,
        Rewire::Sent(at) => now.since(at) > periods.reconf_timeout,
        Rewire::InProgress | Rewire::Done => false,
    };
    let busy = replicas.iter().filter(|(state, _)| !waits(*state) && *state != Rewire::Done).count();
    let ready = (0..replicas.len()).filter(|&index| {
        let (state, connected) = replicas[index];
        waits(state) && connected
    });
    ready.take(parallel.saturating_sub(busy)).collect()
    // </exercise>
}

/// Is this part of the failover over? When every replica that is not down is `Done`. Each entry says how far it is and whether
/// it is down. One that is down is not waited for: whoever sees it again will correct it.
pub fn rewire_is_over(replicas: &[(Rewire, bool)]) -> bool {
    // <exercise 5.6 rewire_is_over>
    replicas.iter().all(|(state, down)| *down || *state == Rewire::Done)
    // </exercise>
}
