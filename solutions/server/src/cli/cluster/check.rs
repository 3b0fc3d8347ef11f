//! `check` and `info`: what state the cluster is in.

use std::collections::BTreeSet;

use core_types::{Frame, Slot};

use super::links::{Links, words};
use super::member::{Member, list, show_ranges};
use super::say;
use super::view::View;

/// What a check has found.
pub(super) struct Health {
    pub(super) agreed: bool,
    /// Slots that are on the move, or were when somebody stopped.
    pub(super) open: BTreeSet<Slot>,
    pub(super) uncovered: Vec<Slot>,
}

impl Health {
    pub(super) fn is_good(&self) -> bool {
        self.agreed && self.open.is_empty() && self.uncovered.is_empty()
    }
}

/// One line for each master, and the sum.
pub(super) fn info(links: &mut Links, view: &View) {
    let masters: Vec<&Member> = view.masters().collect();
    let questions = masters.iter().map(|master| (master.at.clone(), words("DBSIZE"))).collect();
    let mut keys = 0;
    for (master, reply) in masters.iter().zip(links.round(questions)) {
        let own = match reply {
            Ok(Frame::Integer(number)) => number,
            _ => 0,
        };
        keys += own;
        tell!(
            "{} ({}...) -> {own} keys | {} slots | {} slaves.",
            master.at,
            master.id.short(),
            master.slots.len(),
            view.replicas_of(master.id)
        );
    }
    say::ok(format!("{keys} keys in {} masters.", masters.len()));
    tell!("{:.2} keys per slot on average.", keys as f64 / f64::from(Slot::COUNT));
}

/// Looks at everything and says what it finds. `quiet`: without the list of nodes.
pub(super) fn check(links: &mut Links, view: &View, quiet: bool) -> Health {
    say::step(format!("Performing Cluster Check (using node {})", view.entry));
    if !quiet {
        show(view);
    }
    let agreed = view.agrees(links);
    if agreed {
        say::ok("All nodes agree about slots configuration.");
    } else {
        say::error("Nodes don't agree about configuration!");
    }
    Health { agreed, open: open_slots(view), uncovered: coverage(view) }
}

/// All nodes.
pub(super) fn show(view: &View) {
    for member in &view.members {
        show_member(view, member, "");
    }
}

/// A node in two or three lines.
pub(super) fn show_member(view: &View, member: &Member, margin: &str) {
    let letter = if member.is_replica() { 'S' } else { 'M' };
    tell!("{margin}{letter}: {} {}", member.id, member.at);
    tell!("{margin}   slots:{} ({} slots) {}", show_ranges(&member.slots), member.slots.len(), member.role());
    if let Some(master) = member.master {
        tell!("{margin}   replicates {master}");
    }
    let replicas = view.replicas_of(member.id);
    if replicas > 0 {
        tell!("{margin}   {replicas} additional replica(s)");
    }
}

/// Slots that somebody has marked.
pub(super) fn open_slots(view: &View) -> BTreeSet<Slot> {
    say::step("Check for open slots...");
    let mut open = BTreeSet::new();
    for member in &view.members {
        for (state, slots) in [("migrating", &member.migrating), ("importing", &member.importing)] {
            if slots.is_empty() {
                continue;
            }
            let slots: Vec<Slot> = slots.iter().map(|(slot, _)| *slot).collect();
            open.extend(&slots);
            say::warning(format!("Node {} has slots in {state} state {}.", member.at, list(slots)));
        }
    }
    if !open.is_empty() {
        say::warning(format!("The following slots are open: {}.", list(open.iter().copied())));
    }
    open
}

/// Slots that nobody claims.
pub(super) fn coverage(view: &View) -> Vec<Slot> {
    say::step("Check slots coverage...");
    let covered = view.covered();
    let uncovered: Vec<Slot> = Slot::all().filter(|slot| !covered.contains(*slot)).collect();
    if uncovered.is_empty() {
        say::ok(format!("All {} slots covered.", Slot::COUNT));
    } else {
        say::error(format!("Not all {} slots are covered by nodes.", Slot::COUNT));
        tell!(
            "Nobody has these {}: {}",
            say::count(uncovered.len(), "slot"),
            list(uncovered.iter().copied())
        );
    }
    uncovered
}

/// Slots that more than one node claims, with those nodes.
pub(super) fn several_owners(view: &View) -> Vec<(Slot, Vec<&Member>)> {
    say::step("Check for multiple slot owners...");
    let mut found = Vec::new();
    for slot in Slot::all() {
        let owners: Vec<&Member> = view.masters().filter(|master| master.slots.contains(slot)).collect();
        if owners.len() > 1 {
            say::warning(format!("Slot {slot} has {} owners:", owners.len()));
            for owner in &owners {
                tell!("    {}", owner.at);
            }
            found.push((slot, owners));
        }
    }
    if found.is_empty() {
        say::ok("No multiple owners found.");
    }
    found
}
