//! Counting votes.

use std::collections::BTreeMap;

use core_types::{Epoch, RunId};

/// How many votes make a leader, if `known` sentinels are known, this one included, dead or alive, and the
/// operator's quorum is `quorum`.
///
/// Two majorities of the same set share a member, and a member votes once an epoch: that is the whole reason why
/// there are never two leaders in one epoch. It holds only if everybody counts the *same* set; so those who
/// are down stay in the count. A quorum above the majority raises the bar; one below it does not lower it.
pub fn votes_needed(known: usize, quorum: usize) -> usize {
    // <exercise 5.2 votes_needed>
    todo!("lab 5.2: Who leads")
    // </exercise>
}

/// How many of `known` sentinels may be lost and a failover still happens: enough must be left to hold the
/// master for down, and to elect a leader.
pub fn losses_survived(known: usize, quorum: usize) -> usize {
    known.saturating_sub(votes_needed(known, quorum))
}

/// Whom a sentinel `me` that stands for election in `epoch` offers its own vote: itself, unless others have voted in
/// that epoch already; then whoever has most of their votes, the smallest run id among equals. To insist on
/// oneself would only make the vote split.
pub fn favourite(epoch: Epoch, me: RunId, votes: &[(RunId, Epoch)]) -> RunId {
    // <exercise 5.2 favourite>
    todo!("lab 5.2: Who leads")
    // </exercise>
}

/// Who leads the epoch, if anybody.
///
/// `votes` are the last votes of the others, one each, as far as they have told; those of other epochs do not
/// count. `own` is this sentinel's own last vote. `known` counts all sentinels, this one included.
pub fn leader(
    epoch: Epoch,
    own: Option<(RunId, Epoch)>,
    votes: &[(RunId, Epoch)],
    known: usize,
    quorum: usize,
) -> Option<RunId> {
    // <exercise 5.2 leader>
    todo!("lab 5.2: Who leads")
    // </exercise>
}
