//! The failover, step by step.
//!
//! ```text
//!                 elected              chosen              sent                  it says "master"
//! WaitElection ─────────▶ ChooseReplica ─────▶ SendNoOne ─────▶ WaitPromotion ──────────────────▶ Rewire ─────▶ SwitchOver
//!      │ not in time          │ none             │ timeout          │ timeout                        all told, or timeout
//!      ▼                      ▼                  ▼                  ▼
//!    abort                  abort              abort              abort
//! ```
//!
//! Up to `WaitPromotion` everything can be given up without a trace: nobody has been told anything that lasts. Once the
//! replica says that it is a master there is no way back, only forward, and the rest has a time limit instead of
//! an abort.

use core_types::{Epoch, Millis};

use crate::attempt::Timing;

// ANCHOR: stage
/// Where a failover is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// This sentinel stands for election.
    WaitElection,
    /// It leads; a replica must be chosen.
    ChooseReplica,
    /// The chosen one must be told `REPLICAOF NO ONE`.
    SendNoOne,
    /// It was told; its `INFO` must show it.
    WaitPromotion,
    /// The others must be told to follow it.
    Rewire,
    /// Done; the configuration is to be replaced.
    SwitchOver,
}

/// What a step looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// This sentinel leads the attempt's epoch. (A forced one need not.)
    pub elected: bool,
    /// The time for elections is over.
    pub election_over: bool,
    /// The replica that would be chosen now.
    pub choice: Option<usize>,
    /// The promoted replica can be reached.
    pub promoted_connected: bool,
    /// Its last `INFO` says that it is a master.
    pub promoted_is_master: bool,
    /// It is subjectively down.
    pub promoted_down: bool,
    /// All other replicas that are up follow it.
    pub rewired: bool,
}

/// What a step asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The election was won (`+elected-leader`).
    Elected,
    /// This replica shall be the next master (`+selected-slave`).
    Chosen(usize),
    /// Tell it `REPLICAOF NO ONE`.
    SendNoOne,
    /// It is a master: the configuration epoch is now the attempt's, and is to be told in hellos at once
    /// (`+promoted-slave`).
    Promoted,
    /// Tell those who are due to follow it.
    RewireNext,
    /// Time is up: tell all who were not told, whether or not it is their turn (`+failover-end-for-timeout`).
    RewireAll,
    /// It is over (`+failover-end`); replace the configuration (`+switch-master`).
    SwitchOver,
    /// Give up: nobody was elected (`-failover-abort-not-elected`).
    NotElected,
    /// Give up: there is no replica to promote (`-failover-abort-no-good-slave`).
    NoReplica,
    /// Give up: the replica did not do as it was told (`-failover-abort-slave-timeout`).
    ReplicaTimeout,
}
// ANCHOR_END: stage

// ANCHOR: failover
/// One failover of one master, led or hoped to be led by this sentinel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failover {
    /// The epoch it has begun, and which its configuration will carry.
    pub epoch: Epoch,
    /// Where it is.
    pub stage: Stage,
    /// Since when.
    pub since: Millis,
    /// An operator wants it (`SENTINEL FAILOVER`): no election, no agreement.
    pub forced: bool,
}
// ANCHOR_END: failover

impl Failover {
    /// A failover begins, in an epoch of its own.
    pub fn new(now: Millis, epoch: Epoch, forced: bool) -> Failover {
        Failover { epoch, stage: Stage::WaitElection, since: now, forced }
    }

    /// Goes on, as far as the facts allow, by at most one stage. After an act that gives up, or
    /// [`Act::SwitchOver`], there is no failover any more; it is not asked again.
    ///
    /// - `WaitElection`: elected (or forced): on. Otherwise, when the time for elections is over: give up.
    /// - `ChooseReplica`: a replica: on; none: give up at once. A worse moment is not followed by a better one
    ///   within the same attempt.
    /// - `SendNoOne`: when the replica can be reached: on. Not within `failover-timeout`: give up.
    /// - `WaitPromotion`: when its `INFO` says "master": on. Not within `failover-timeout`: give up.
    /// - `Rewire`: nothing is told and nothing is over while the promoted one is down. When the others follow it: on. When
    ///   `failover-timeout` is over: those left are told now, and on. Else the next ones are told.
    /// - `SwitchOver`: the configuration is replaced. (Only [`Act::RewireAll`] leads to a step here: where all others follow,
    ///   `Rewire` has asked for this act already.)
    pub fn step(&mut self, now: Millis, facts: &Facts, timing: &Timing) -> Option<Act> {
        // <exercise 5.5>
        let late = now.since(self.since) > timing.failover_timeout;
        let (act, next) = match self.stage {
            Stage::WaitElection if facts.elected || self.forced => (Act::Elected, Stage::ChooseReplica),
            Stage::WaitElection if facts.election_over => return Some(Act::NotElected),
            Stage::WaitElection => return None,
            Stage::ChooseReplica => match facts.choice {
                Some(replica) => (Act::Chosen(replica), Stage::SendNoOne),
                None => return Some(Act::NoReplica),
            },
            Stage::SendNoOne if facts.promoted_connected => (Act::SendNoOne, Stage::WaitPromotion),
            Stage::WaitPromotion if facts.promoted_is_master => (Act::Promoted, Stage::Rewire),
            Stage::SendNoOne | Stage::WaitPromotion if late => return Some(Act::ReplicaTimeout),
            Stage::SendNoOne | Stage::WaitPromotion => return None,
            Stage::Rewire if facts.promoted_down => return None,
            Stage::Rewire if facts.rewired => (Act::SwitchOver, Stage::SwitchOver),
            Stage::Rewire if late => (Act::RewireAll, Stage::SwitchOver),
            Stage::Rewire => return Some(Act::RewireNext),
            Stage::SwitchOver => return Some(Act::SwitchOver),
        };
        self.stage = next;
        self.since = now;
        Some(act)
        // </exercise>
    }
}
