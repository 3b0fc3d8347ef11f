//! Whose slot it is, when two masters say that it is theirs.
//!
//! Each heartbeat of a master lists its slots, and the epoch of that configuration. The greater epoch wins, slot by slot;
//! there is no other authority. So a node that comes back from the dead, or slept through a failover, cannot take its
//! slots back: its epoch is the old one, and whoever knows better tells it (`UPDATE`).

use core_types::{Epoch, NodeId, Slot, SlotSet};

/// Which of the slots that somebody claims become its, from our point of view: those without an owner, and those whose
/// owner's configuration is older. `owner` tells who owns a slot, and in which epoch. A slot whose keys are on their way
/// to us is left alone: it becomes ours, or nobody's business, by the hand that moves it.
pub fn won(
    claimed: &SlotSet,
    by: NodeId,
    epoch: Epoch,
    owner: impl Fn(Slot) -> Option<(NodeId, Epoch)>,
    importing: impl Fn(Slot) -> bool,
) -> Vec<Slot> {
    // <exercise 9.7 won>
    todo!("lab 9.7: Whose slot it is")
    // </exercise>
}

/// Somebody claims slots of which we know better. Who owns the first of them? One answer suffices: the update lists all
/// of that owner's slots, and if others are behind as well, the next heartbeat shows it.
pub fn behind(
    claimed: &SlotSet,
    by: NodeId,
    epoch: Epoch,
    owner: impl Fn(Slot) -> Option<(NodeId, Epoch)>,
) -> Option<NodeId> {
    // <exercise 9.7 behind>
    todo!("lab 9.7: Whose slot it is")
    // </exercise>
}

// ANCHOR: loss
/// What a claim has cost us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Slots that the claimant took from us, or from our master.
    pub lost: usize,
    /// Slots that we, or our master, still have.
    pub left: usize,
    /// Slots that the claimant claims in all.
    pub claimed: usize,
}
// ANCHOR_END: loss

/// Do we follow the claimant from now on? A master without slots left was failed over: it becomes a replica of whoever
/// took the last of them, and its replicas go with it. If the operator does not want replicas to wander
/// (`cluster-allow-replica-migration no`), only if it took over just what we had: then it is the same shard.
pub fn follows(loss: &Loss, may_migrate: bool) -> bool {
    // <exercise 9.7 follows>
    todo!("lab 9.7: Whose slot it is")
    // </exercise>
}
