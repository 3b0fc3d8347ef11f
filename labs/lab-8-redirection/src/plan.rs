//! Which slots move: a reshard plan and a rebalance plan, as `redis-cli --cluster` computes them.

use core_types::{Slot, SlotSet};

// ANCHOR: plan
/// A master with its slots, and how much it shall have beside the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Share<N> {
    /// The node.
    pub node: N,
    /// Its slots.
    pub slots: SlotSet,
    /// 1 for a usual node, 2 for one that shall hold twice as much, 0 for one that is to be emptied.
    pub weight: f32,
}

/// A slot that is to move away from a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick<N> {
    /// Which slot.
    pub slot: Slot,
    /// Who has it.
    pub from: N,
}

/// So many slots from here to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion<N> {
    /// Who gives.
    pub from: N,
    /// Who takes.
    pub to: N,
    /// How many.
    pub count: usize,
}

/// One step of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move<N> {
    /// Which slot.
    pub slot: Slot,
    /// Who has it.
    pub from: N,
    /// Who gets it.
    pub to: N,
}
// ANCHOR_END: plan

impl<N> Share<N> {
    /// A node of the usual weight.
    pub fn new(node: N, slots: SlotSet) -> Share<N> {
        Share { node, slots, weight: 1.0 }
    }
}

/// Takes `count` slots from the sources, from each in proportion to what it has.
///
/// The one with the most slots comes first (among equals the order stays), and its part is rounded up, that of all
/// others down. Each gives its lowest slots, and together they never give more than `count`. (Because of the rounding
/// they may give a few less.)
pub fn reshard<N: Copy>(sources: &[Share<N>], count: usize) -> Vec<Pick<N>> {
    // <exercise 8.8>
    todo!("lab 8.8: A reshard plan")
    // </exercise>
}

/// The portions that bring each node to its part of all slots; none if no node is further than `threshold` per cent
/// away from it. A node's part is all 16384 slots divided by the total weight, times its own weight, rounded down.
///
/// - The distance of a node is `|100 - 100 × part / slots|` per cent; a node without slots is too far away if its part
///   is more than 1. With a threshold of 0 no node is ever too far away.
/// - A node's balance is its slots less its part. What rounding left over is given to those nodes whose balance is not
///   above zero, one slot each, in their order, again and again until the balances add up to zero.
/// - Sorted by balance (equals keep their order), the neediest at the front takes from the richest at the back, as much as
///   the smaller of the two allows; who is at zero steps aside.
pub fn rebalance<N: Copy>(shares: &[Share<N>], threshold: f32) -> Vec<Portion<N>> {
    // <exercise 8.9>
    todo!("lab 8.9: A rebalance plan")
    // </exercise>
}

/// The slots behind each portion: each giver gives its lowest ones.
pub fn moves<N: Copy + Eq>(shares: &[Share<N>], portions: &[Portion<N>]) -> Vec<Move<N>> {
    let mut shares = shares.to_vec();
    let mut moves = Vec::new();
    for portion in portions {
        let Some(giver) = shares.iter_mut().find(|share| share.node == portion.from) else { continue };
        let slots: Vec<Slot> = giver.slots.iter().take(portion.count).collect();
        for slot in slots {
            giver.slots.remove(slot);
            moves.push(Move { slot, from: portion.from, to: portion.to });
        }
    }
    moves
}
