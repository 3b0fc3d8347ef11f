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
    quorum.max(known / 2 + 1)
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
    let of_epoch = || votes.iter().filter(|(_, at)| *at == epoch).map(|(candidate, _)| *candidate);
    let count = |id: RunId| of_epoch().filter(|other| *other == id).count();
    of_epoch().max_by_key(|id| (count(*id), std::cmp::Reverse(*id))).unwrap_or(me)
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
    let mut tally: BTreeMap<RunId, usize> = BTreeMap::new();
    for (candidate, at) in votes.iter().copied().chain(own) {
        if at == epoch {
            *tally.entry(candidate).or_default() += 1;
        }
    }
    let needed = votes_needed(known, quorum);
    // More than half of all: there is at most one.
    tally.into_iter().find(|(_, votes)| *votes >= needed).map(|(candidate, _)| candidate)
    // </exercise>
}
