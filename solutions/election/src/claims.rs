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
    claimed
        .iter()
        .filter(|&slot| match owner(slot) {
            _ if importing(slot) => false,
            None => true,
            Some((owner, _)) if owner == by => false,
            Some((_, held)) => held < epoch,
        })
        .collect()
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
    claimed.iter().filter_map(owner).find(|&(id, held)| id != by && held > epoch).map(|(id, _)| id)
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
    loss.lost > 0 && loss.left == 0 && (may_migrate || loss.claimed == loss.lost)
    // </exercise>
}

#[cfg(test)]
mod tests {
    use core_types::Rng;

    use super::*;

    fn slot(number: u16) -> Slot {
        Slot::new(number).unwrap()
    }

    #[test]
    fn the_greater_epoch_wins_slot_by_slot() {
        let mut rng = Rng::new(3);
        let [a, b, c] = std::array::from_fn(|_| NodeId::random(&mut rng));
        // Slot 0 is nobody's, 1 is a's in epoch 4, 2 is b's in epoch 9, 3 is c's already, 4 is on its way to us.
        let owner = |slot: Slot| match slot.number() {
            1 | 4 => Some((a, Epoch(4))),
            2 => Some((b, Epoch(9))),
            3 => Some((c, Epoch(1))),
            _ => None,
        };
        let claimed: SlotSet = (0..5).map(slot).collect();
        let moving = |at: Slot| at == slot(4);
        let won = |epoch| won(&claimed, c, Epoch(epoch), owner, moving);
        assert_eq!(won(4), [slot(0)], "an equal epoch takes nothing");
        assert_eq!(won(5), [slot(0), slot(1)]);
        assert_eq!(won(10), [slot(0), slot(1), slot(2)]);
        assert_eq!(behind(&claimed, c, Epoch(3), owner), Some(a));
        assert_eq!(behind(&claimed, c, Epoch(8), owner), Some(b));
        assert_eq!(behind(&claimed, c, Epoch(9), owner), None);
    }

    #[test]
    fn who_lost_everything_follows_the_winner() {
        let loss = Loss { lost: 10, left: 0, claimed: 10 };
        assert!(follows(&loss, true) && follows(&loss, false));
        let merged = Loss { claimed: 30, ..loss };
        assert!(follows(&merged, true) && !follows(&merged, false));
        assert!(!follows(&Loss { left: 1, ..loss }, true));
        assert!(!follows(&Loss { lost: 0, ..loss }, true));
    }
}
