//! The vote: what a master asks itself before it gives it, and in which order it acts.
//!
//! A vote is a promise: "in this epoch I have helped nobody else". Two candidates of which each has a majority of the same
//! masters would share at least one voter, and that voter would have broken its promise. So the promise must also outlive
//! the voter's process; see [`steps`].

use std::fmt;

use core_types::{Epoch, Millis, Slot, SlotSet};

// ANCHOR: request
/// What a replica sends: the header of any packet, and nothing else (`FAILOVER_AUTH_REQUEST`).
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The epoch that it wants to be elected in.
    pub epoch: Epoch,
    /// The epoch of its master's configuration, as the replica knows it.
    pub config_epoch: Epoch,
    /// Its master's slots, as the replica knows them.
    pub slots: &'a SlotSet,
    /// An operator wants it (the flag FORCEACK): the master need not have failed.
    pub forced: bool,
}

/// Who asks, as the voter knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A master: it has nobody to replace.
    Master,
    /// A replica whose master the voter does not know.
    OfUnknown,
    /// A replica.
    Replica {
        /// Its master has failed, by the agreement of the majority (`FAIL`; not `PFAIL`).
        master_failed: bool,
        /// When the voter last gave a vote to a replica of that master, if it did since it runs.
        voted_at: Option<Millis>,
    },
}

/// The voter itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voter {
    /// It is a master that owns slots. Nobody else has a voice.
    pub has_voice: bool,
    /// The greatest epoch that it has heard of, the request's included.
    pub current_epoch: Epoch,
    /// The epoch of its last vote.
    pub last_vote_epoch: Epoch,
    /// `cluster-node-timeout`
    pub node_timeout: Millis,
}
// ANCHOR_END: request

// ANCHOR: answer
/// What the voter decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The vote, for this epoch (`FAILOVER_AUTH_ACK`).
    Grant(Epoch),
    /// Silence. No voter ever says no; the reason goes to its own log.
    Refuse(Refusal),
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// We have no voice. Not worth a line in the log.
    NoVoice,
    /// The election is of an epoch that is over.
    OldEpoch {
        /// The request's.
        asked: Epoch,
        /// Ours.
        current: Epoch,
    },
    /// The vote of this epoch is given.
    AlreadyVoted(Epoch),
    /// A master asks.
    IsMaster,
    /// We do not know its master.
    MasterUnknown,
    /// Its master has not failed, and nobody said that it does not matter.
    MasterIsUp,
    /// Another replica of that master got a vote not long ago: let it do its work.
    TooSoon {
        /// How much longer.
        wait: Millis,
    },
    /// We know of a newer owner of one of these slots.
    OldSlots {
        /// The first such slot.
        slot: Slot,
        /// The epoch of its owner.
        held: Epoch,
        /// The request's configuration.
        asked: Epoch,
    },
}
// ANCHOR_END: answer

/// As Redis's log has it, behind "Failover auth denied to <id>: ".
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoVoice => f.write_str("I'm not a master with slots"),
            Refusal::OldEpoch { asked, current } => write!(f, "reqEpoch ({asked}) < curEpoch({current})"),
            Refusal::AlreadyVoted(epoch) => write!(f, "already voted for epoch {epoch}"),
            Refusal::IsMaster => f.write_str("it is a master node"),
            Refusal::MasterUnknown => f.write_str("I don't know its master"),
            Refusal::MasterIsUp => f.write_str("its master is up"),
            Refusal::TooSoon { wait } => {
                write!(f, "can't vote about this master before {} milliseconds", wait.0)
            }
            Refusal::OldSlots { slot, held, asked } => {
                write!(f, "slot {slot} epoch ({held}) > reqEpoch ({asked})")
            }
        }
    }
}

/// Does the voter give its vote? `owner_epoch` tells in which epoch a slot's owner, as the voter knows it, claimed
/// its slots; `None`: nobody owns it. The first of these that holds is the reason to refuse:
///
/// 1. the voter has no voice;
/// 2. the request's epoch is behind the current one;
/// 3. the vote of the current epoch is given;
/// 4. the asker is a master, or its master is unknown, or that has not failed (unless the request is forced);
/// 5. a replica of the same master got this voter's vote less than twice the node timeout ago;
/// 6. a slot that the asker wants has an owner with a newer configuration than the asker knows.
///
/// (`clusterSendFailoverAuthIfNeeded` in Redis's `cluster.c`)
pub fn answer(
    now: Millis,
    voter: &Voter,
    asker: Asker,
    request: &Request<'_>,
    owner_epoch: impl Fn(Slot) -> Option<Epoch>,
) -> Answer {
    // <exercise 9.3>
    todo!("lab 9.3: The vote")
    // </exercise>
}

// ANCHOR: steps
/// One thing that a voter does about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its current epoch becomes this one.
    Raise(Epoch),
    /// It notes that it has voted in this epoch (`lastVoteEpoch`), and when, for that master.
    Note(Epoch),
    /// What it has noted goes to the disk, and it waits until it is there.
    Save,
    /// The vote leaves.
    Send(Epoch),
}
// ANCHOR_END: steps

/// What a voter does when a request of epoch `heard` reaches it, in order, if its current epoch is `current` until then
/// and its answer will be `answer`.
///
/// A greater epoch becomes the current one, whatever the answer is; it need not be saved for that alone, since the next
/// packet of anybody tells it again. A vote is noted, saved and only then sent: a voter that sends first and crashes
/// before it has saved comes back without its promise, and gives the vote of the same epoch a second time.
pub fn steps(current: Epoch, heard: Epoch, answer: Answer) -> Vec<Step> {
    // <exercise 9.4>
    todo!("lab 9.4: On disk before it leaves")
    // </exercise>
}
