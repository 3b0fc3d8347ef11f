//! A replica stands for election: it waits, asks once, counts, and in time tries again.
//!
//! ```text
//!            schedule                 ask (a new epoch)            a majority
//!   nothing ──────────▶ waiting ─────────────────────▶ asking ─────────────────▶ won
//!      ▲                   │ more siblings are ahead:     │
//!      │                   └─ wait longer                 │ auth timeout: votes no longer count
//!      └──────────────────────────────────────────────────┘ retry time: schedule anew
//! ```
//!
//! The machine sends nothing and saves nothing. It says what is to be done; the node does it, and calls again ten times a
//! second and whenever something has changed. (`clusterHandleSlaveFailover` in Redis's `cluster.c`)
//!
//! Differences from Redis: votes are counted by voter, so that a voter that is heard twice has one; and an election that
//! is won is over, so that a node that becomes a replica again begins with nothing.

use std::collections::BTreeSet;

use core_types::{Epoch, Millis, NodeId};

use crate::rank::RANK_DELAY;

// ANCHOR: view
/// How far a manual failover is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ByHand {
    /// Nobody has asked for one.
    #[default]
    No,
    /// One has begun; the replica still catches up with its master.
    Begun,
    /// The replica may stand, although its master is alive.
    Ready,
}

/// What a replica knows when it looks at its election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// It is a replica of a master that it knows, and that owns slots: there is something to take over.
    pub has_cause: bool,
    /// That master has failed, by the agreement of the majority.
    pub master_failed: bool,
    /// `cluster-replica-no-failover`: it shall not stand of its own accord.
    pub abstains: bool,
    /// Its data is too old to stand of its own accord.
    pub too_old: bool,
    /// How far a manual failover is.
    pub by_hand: ByHand,
    /// How many siblings have more of the master's data, as of now.
    pub rank: usize,
    /// What a replica of this rank waits, if it schedules its election now.
    pub delay: Millis,
    /// The greatest epoch that it has heard of.
    pub current_epoch: Epoch,
    /// How many masters own slots, dead or alive: the voters.
    pub voters: usize,
    /// `cluster-node-timeout`
    pub node_timeout: Millis,
}
// ANCHOR_END: view

// ANCHOR: act
/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// An election is scheduled. Tell the siblings our offset (a PONG to each), so that they know their rank.
    Schedule {
        /// When it will ask.
        at: Millis,
        /// Its rank then.
        rank: usize,
    },
    /// More siblings than before are ahead: it asks later.
    Postpone {
        /// By how much.
        by: Millis,
        /// The new rank.
        rank: usize,
    },
    /// Make this the current epoch, save it, then ask every node for its vote.
    Ask {
        /// The epoch of the election.
        epoch: Epoch,
        /// The request has the flag FORCEACK: the voters shall not mind that the master is alive.
        forced: bool,
    },
    /// The majority has voted for us: take over, with this epoch.
    Win(Epoch),
    /// Not now.
    Wait(Reason),
}

/// Why a replica whose master has failed does not take over yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its data is too old.
    DataAge,
    /// The delay is not over.
    Delay,
    /// It asked (or was to ask) too long ago; the time to try again has not come.
    Expired,
    /// The votes are not enough yet.
    Votes,
}
// ANCHOR_END: act

/// As Redis's log has it, behind "Currently unable to failover: ".
impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Reason::DataAge => {
                "Disconnected from master for longer than allowed. \
                 Please check the 'cluster-replica-validity-factor' configuration option."
            }
            Reason::Delay => "Waiting the delay before I can start a new failover.",
            Reason::Expired => "Failover attempt expired.",
            Reason::Votes => "Waiting for votes, but majority still not reached.",
        })
    }
}

/// For how long votes count after a replica was to ask: twice the node timeout, and two seconds at least.
pub fn auth_timeout(node_timeout: Millis) -> Millis {
    (node_timeout + node_timeout).max(Millis(2000))
}

/// When a replica may schedule another election, counted from the moment in which it was to ask in the last one: twice
/// [`auth_timeout`]. By then a voter that gave its vote to a sibling is free again.
pub fn retry_time(node_timeout: Millis) -> Millis {
    auth_timeout(node_timeout) + auth_timeout(node_timeout)
}

// ANCHOR: candidate
/// A replica's election.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// When it asks, or has asked. `None`: no election was scheduled yet.
    pub at: Option<Millis>,
    /// The rank that `at` was worked out with.
    pub rank: usize,
    /// The epoch in which it has asked.
    pub asked: Option<Epoch>,
    /// Who has voted for it in that epoch.
    pub votes: BTreeSet<NodeId>,
}
// ANCHOR_END: candidate

impl Candidate {
    /// Looks at the election; what is to be done, if anything. The first of these that applies:
    ///
    /// 1. It has no cause to stand: it has no master with slots, or that has not failed, or it abstains. A manual failover
    ///    that is [`Ready`](ByHand::Ready) outweighs the last two. Nothing is done, and nothing is forgotten.
    /// 2. Its data is too old, and no manual failover is ready: [`Reason::DataAge`].
    /// 3. None was scheduled yet, or the last one was to ask more than [`retry_time`] ago: schedule one, `delay` from now.
    ///    Once a manual failover has begun there is no delay and no rank.
    /// 4. It has not asked yet, its rank has grown, and no manual failover has begun: wait [`RANK_DELAY`] longer for each
    ///    sibling that came in front. (A rank that has become smaller changes nothing.)
    /// 5. The time has not come: [`Reason::Delay`].
    /// 6. It was to ask more than [`auth_timeout`] ago: [`Reason::Expired`].
    /// 7. It has not asked yet: it asks, in the next epoch, the current one plus one. It asks with force once a manual
    ///    failover has begun.
    /// 8. More than half of the voters are for it: it wins, and this election is over and forgotten.
    /// 9. [`Reason::Votes`].
    pub fn step(&mut self, now: Millis, view: &View) -> Option<Act> {
        // <exercise 9.5 step>
        todo!("lab 9.5: Waiting, asking, counting")
        // </exercise>
    }

    /// A vote arrives (`FAILOVER_AUTH_ACK`), in a packet whose current epoch is `epoch`. Does it count? It does if we have
    /// asked, the voter is a master that owns slots (`has_voice`), its epoch is not behind our election's, and it has
    /// not been counted before.
    pub fn hear_vote(&mut self, voter: NodeId, has_voice: bool, epoch: Epoch) -> bool {
        // <exercise 9.5 hear_vote>
        todo!("lab 9.5: Waiting, asking, counting")
        // </exercise>
    }
}
