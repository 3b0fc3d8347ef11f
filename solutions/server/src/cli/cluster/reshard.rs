//! `reshard`: some slots of these masters to that one.

use std::time::Duration;

use core_types::{NodeId, Slot};
use node::layers::redirection::{Move, Share, reshard};

use super::check;
use super::links::Links;
use super::member::{Member, list};
use super::mover::{Manner, carry_out};
use super::say::{self, Failure};
use super::view::View;

/// What the user has said on the command line; the rest is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    pub(super) slots: Option<usize>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) yes: bool,
}

/// How long nodes may take to agree before and after slots are moved.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn run(links: &mut Links, view: &View, wish: &Wish, manner: Manner) -> Result<(), Failure> {
    healthy(links, view, false, "resharding")?;
    let count = number_of_slots(wish)?;
    let target = target(view, wish)?;
    let sources = sources(view, wish, target)?;
    tell!("\nReady to move {count} slots.\n  Source nodes:");
    for source in &sources {
        check::show_member(view, source, "    ");
    }
    tell!("  Destination node:");
    check::show_member(view, target, "    ");
    let shares: Vec<Share<NodeId>> =
        sources.iter().map(|source| Share::new(source.id, source.slots.clone())).collect();
    let to = target.id;
    let plan: Vec<Move<NodeId>> = reshard(&shares, count)
        .into_iter()
        .map(|pick| Move { slot: pick.slot, from: pick.from, to })
        .collect();
    show_plan(&plan);
    if plan.is_empty() {
        return Err("The source nodes have no slot to give.".into());
    }
    if !say::confirm(wish.yes, "Do you want to proceed with the proposed reshard plan?") {
        return Err("Nothing has been moved.".into());
    }
    execute(links, view, &plan, manner)
}

/// A cluster in which something is open is not to be changed further.
pub(super) fn healthy(links: &mut Links, view: &View, quiet: bool, before: &str) -> Result<(), Failure> {
    // After an earlier command gossip may still be on its way.
    view.wait_for_agreement(links, PATIENCE);
    if check::check(links, view, quiet).is_good() {
        return Ok(());
    }
    say::remark(format!("Please fix your cluster problems before {before}"));
    Err(Failure::Told)
}

/// Moves, reports, and waits until everybody knows.
pub(super) fn execute(
    links: &mut Links,
    view: &View,
    plan: &[Move<NodeId>],
    manner: Manner,
) -> Result<(), Failure> {
    let moved = carry_out(links, view, plan, manner)?;
    say::ok(format!("{} and {} moved.", say::count(moved.slots, "slot"), say::count(moved.keys, "key")));
    if !view.wait_for_agreement(links, PATIENCE) {
        say::warning("The nodes do not agree yet. Gossip needs a little longer; look again with `check`.");
    }
    Ok(())
}

fn show_plan(plan: &[Move<NodeId>]) {
    tell!("  Resharding plan:");
    for part in plan.chunk_by(|one, next| one.from == next.from) {
        let slots = list(part.iter().map(|step| step.slot));
        let word = if part.len() == 1 { "slot" } else { "slots" };
        tell!("    Moving {word} {slots} from {}", part[0].from);
    }
}

fn number_of_slots(wish: &Wish) -> Result<usize, Failure> {
    let allowed = 1..=usize::from(Slot::COUNT);
    if let Some(count) = wish.slots {
        let wrong = || format!("--cluster-slots is a number from 1 to {}.", Slot::COUNT);
        return if allowed.contains(&count) { Ok(count) } else { Err(wrong().into()) };
    }
    loop {
        let answer = say::ask(format!("How many slots do you want to move (from 1 to {})?", Slot::COUNT));
        match answer.ok_or(Failure::Told)?.parse() {
            Ok(count) if allowed.contains(&count) => return Ok(count),
            _ => {}
        }
    }
}

fn target<'a>(view: &'a View, wish: &Wish) -> Result<&'a Member, Failure> {
    if let Some(id) = &wish.to {
        return master(view, id);
    }
    loop {
        let id = say::ask("What is the receiving node ID?").ok_or(Failure::Told)?;
        match master(view, &id) {
            Ok(master) => return Ok(master),
            Err(Failure::Because(why)) => say::remark(why),
            Err(Failure::Told) => {}
        }
    }
}

/// A master by its id, or by the beginning of it if no other one begins so.
pub(super) fn master<'a>(view: &'a View, id: &str) -> Result<&'a Member, Failure> {
    let unknown = || format!("The specified node ({id}) is not known or not a master, please retry.");
    match view.masters_by_prefix(id)[..] {
        [master] if !id.is_empty() => Ok(master),
        [_, _, ..] if !id.is_empty() => Err(format!("More than one master's id begins with {id}.").into()),
        _ => Err(unknown().into()),
    }
}

fn sources<'a>(view: &'a View, wish: &Wish, target: &Member) -> Result<Vec<&'a Member>, Failure> {
    let words: Vec<String> = match &wish.from {
        Some(from) => from.split(',').map(str::to_owned).collect(),
        None => ask_for_sources()?,
    };
    let mut sources: Vec<&Member> = Vec::new();
    for word in &words {
        if word == "all" {
            let givers = view.masters().filter(|master| master.id != target.id && !master.slots.is_empty());
            return Ok(givers.collect());
        }
        let source = master(view, word)?;
        if source.id == target.id {
            return Err("It is not possible to use the target node as source node.".into());
        }
        if !sources.iter().any(|known| known.id == source.id) {
            sources.push(source);
        }
    }
    if sources.is_empty() { Err("No source nodes given, operation aborted.".into()) } else { Ok(sources) }
}

fn ask_for_sources() -> Result<Vec<String>, Failure> {
    tell!("Please enter all the source node IDs.");
    tell!("  Type 'all' to use all the nodes as source nodes for the hash slots.");
    tell!("  Type 'done' once you entered all the source nodes IDs.");
    let mut words = Vec::new();
    loop {
        match say::ask(format!("Source node #{}:", words.len() + 1)).ok_or(Failure::Told)?.as_str() {
            "done" => return Ok(words),
            "all" => return Ok(vec!["all".into()]),
            "" => {}
            word => words.push(word.to_owned()),
        }
    }
}
