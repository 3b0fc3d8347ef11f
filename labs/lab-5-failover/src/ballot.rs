//! The vote: one an epoch, and on disk before it leaves.

use core_types::{Epoch, RunId};

// ANCHOR: ballot
/// What a sentinel must not forget about one master, across a crash too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ballot {
    /// The greatest epoch this sentinel has heard of, for any master
    /// (`current-epoch` in its file).
    pub current: Epoch,
    /// Whom it has voted for last.
    pub leader: Option<RunId>,
    /// In which epoch (`leader-epoch`).
    pub leader_epoch: Epoch,
}

/// A candidate's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// The epoch of its attempt.
    pub epoch: Epoch,
    /// The candidate.
    pub candidate: RunId,
}

/// What follows from a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoteAnswer {
    /// Whom this sentinel has voted for, and when: the answer, whether or not it is the
    /// candidate who asks.
    pub leader: Option<RunId>,
    /// The epoch of that vote.
    pub leader_epoch: Epoch,
    /// The epoch was new (`+new-epoch`).
    pub new_epoch: bool,
    /// The vote was given just now (`+vote-for-leader`).
    pub voted: bool,
}
// ANCHOR_END: ballot

impl VoteAnswer {
    /// The ballot has changed: it must be on disk before the answer is sent. A sentinel that voted, crashed and
    /// came back without its vote would vote twice, and two leaders could win one epoch.
    pub fn must_be_saved(&self) -> bool {
        self.new_epoch || self.voted
    }
}

impl Ballot {
    /// A request arrives.
    ///
    /// - A greater epoch than any before becomes the current one.
    /// - The vote goes to the candidate if this sentinel has not voted in that epoch or a later one, and
    ///   the epoch is the current one: never behind it. First come, first served: it does not matter who asks.
    /// - The answer tells the last vote, old or new.
    pub fn request(&mut self, vote: Vote) -> VoteAnswer {
        // <exercise 5.1>
        todo!("lab 5.1: One vote an epoch")
        // </exercise>
    }
}
