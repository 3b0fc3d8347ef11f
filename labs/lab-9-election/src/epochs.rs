//! Epochs: how a cluster counts its configurations without asking a majority each time.
//!
//! Every master's configuration should have an epoch of its own, since the greater epoch is what decides between two
//! claims. A failover gets one by a vote. Everything else (a slot that was moved, two masters that begin with nothing)
//! may end in two masters with the same epoch. That is resolved without a vote, by a rule that both can apply alone.

use core_types::{Epoch, NodeId};

/// Two masters have the same configuration epoch. Is it we who take a new one? The one with the *smaller* id does, and
/// both know which it is. The other waits: what it hears next settles it.
pub fn yields(me: NodeId, my_epoch: Epoch, other: NodeId, its_epoch: Epoch) -> bool {
    // <exercise 9.8 yields>
    todo!("lab 9.8: Two with one epoch")
    // </exercise>
}

/// A new epoch for our configuration without asking anybody: for a slot that an operator has moved here, for
/// `CLUSTER BUMPEPOCH`, and for a takeover without votes. `None`: there is no need, since ours (`mine`) is the greatest of all
/// already. `current` is the greatest epoch that we have heard of, `others` are the epochs of all configurations that
/// we know. The new one is `current` plus one, and becomes the current one.
///
/// Two nodes that do so at the same time end with the same epoch; see [`yields`].
/// (`clusterBumpConfigEpochWithoutConsensus` in Redis's `cluster.c`)
pub fn without_vote(mine: Epoch, current: Epoch, others: impl IntoIterator<Item = Epoch>) -> Option<Epoch> {
    // <exercise 9.8 without_vote>
    todo!("lab 9.8: Two with one epoch")
    // </exercise>
}
