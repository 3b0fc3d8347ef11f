//! `rebalance`: each master gets its part of the slots, according to its weight.

use core_types::NodeId;
use node::layers::redirection::{Share, moves, rebalance};

use super::links::Links;
use super::mover::Manner;
use super::reshard::{execute, healthy, master};
use super::say::{self, Failure};
use super::view::View;

/// What the user wants.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// Nodes, by the beginnings of their ids, with their weights. All others weigh 1.
    pub(super) weights: Vec<(String, f32)>,
    /// Masters without slots get some, too.
    pub(super) use_empty: bool,
    /// Only say what would be done.
    pub(super) simulate: bool,
    /// How far, in per cent, a node may be from its part before anything is done.
    pub(super) threshold: f32,
}

pub(super) fn run(links: &mut Links, view: &View, wish: &Wish, manner: Manner) -> Result<(), Failure> {
    let mut weights = Vec::new();
    for (id, weight) in &wish.weights {
        weights.push((master(view, id)?.id, *weight));
    }
    let weight = |id: NodeId| weights.iter().rev().find(|(own, _)| *own == id).map(|(_, weight)| *weight);
    let shares: Vec<Share<NodeId>> = view
        .masters()
        .filter(|master| wish.use_empty || !master.slots.is_empty())
        .map(|master| Share {
            node: master.id,
            slots: master.slots.clone(),
            weight: weight(master.id).unwrap_or(1.0),
        })
        .collect();
    let total: f32 = shares.iter().map(|share| share.weight).sum();
    if total <= 0.0 {
        return Err("All weights are zero: nobody would be left to take the slots.".into());
    }
    healthy(links, view, true, "rebalancing")?;
    let portions = rebalance(&shares, wish.threshold);
    if portions.is_empty() {
        say::remark(format!(
            "No rebalancing needed! All nodes are within the {:.2}% threshold.",
            wish.threshold
        ));
        return Ok(());
    }
    say::step(format!("Rebalancing across {} nodes. Total weight = {total:.2}", shares.len()));
    for portion in &portions {
        tell!(
            "Moving {} slots from {} to {}",
            portion.count,
            view.place(portion.from),
            view.place(portion.to)
        );
    }
    if wish.simulate {
        tell!("Nothing has been moved (--cluster-simulate).");
        return Ok(());
    }
    execute(links, view, &moves(&shares, &portions), manner)
}
