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
    let total: usize = sources.iter().map(|share| share.slots.len()).sum();
    let mut sorted: Vec<&Share<N>> = sources.iter().collect();
    sorted.sort_by_key(|share| std::cmp::Reverse(share.slots.len()));
    let mut picks = Vec::new();
    for (index, share) in sorted.into_iter().enumerate() {
        let all = count * share.slots.len();
        let part = if index == 0 { all.div_ceil(total.max(1)) } else { all / total.max(1) };
        let part = part.min(count - picks.len());
        picks.extend(share.slots.iter().take(part).map(|slot| Pick { slot, from: share.node }));
    }
    picks
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
    let total_weight: f64 = shares.iter().map(|share| f64::from(share.weight)).sum();
    if total_weight <= 0.0 {
        return Vec::new();
    }
    let part = |share: &Share<N>| (f64::from(Slot::COUNT) * f64::from(share.weight) / total_weight) as i64;
    let too_far = |share: &Share<N>| {
        let (part, slots) = (part(share), share.slots.len());
        let distance = (100.0 - 100.0 * part as f64 / slots as f64).abs();
        threshold > 0.0 && if slots > 0 { distance > f64::from(threshold) } else { part > 1 }
    };
    if !shares.iter().any(too_far) {
        return Vec::new();
    }
    let mut balances: Vec<(N, i64)> =
        shares.iter().map(|share| (share.node, share.slots.len() as i64 - part(share))).collect();
    let mut left_over: i64 = balances.iter().map(|(_, balance)| balance).sum();
    while left_over > 0 && balances.iter().any(|(_, balance)| *balance <= 0) {
        for (_, balance) in &mut balances {
            if *balance <= 0 && left_over > 0 {
                *balance -= 1;
                left_over -= 1;
            }
        }
    }
    balances.sort_by_key(|(_, balance)| *balance);
    let mut portions = Vec::new();
    let (mut poor, mut rich) = (0, balances.len() - 1);
    while balances[poor].1 < 0 && balances[rich].1 > 0 {
        let count = (-balances[poor].1).min(balances[rich].1);
        portions.push(Portion { from: balances[rich].0, to: balances[poor].0, count: count as usize });
        balances[poor].1 += count;
        balances[rich].1 -= count;
        poor += usize::from(balances[poor].1 == 0);
        rich -= usize::from(balances[rich].1 == 0);
    }
    portions
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
