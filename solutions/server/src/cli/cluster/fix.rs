//! `fix`: closes slots that were left open, and covers those that nobody has.
//!
//! What each of them needs is decided by chapter 8, from what the masters say about the slot; here it is asked for
//! and carried out.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use core_types::{Endpoint, Frame, NodeId, Slot};
use node::layers::redirection::{Finding, Mend, Move, close, cover};

use super::check;
use super::links::{Links, unreachable_text, words};
use super::member::list;
use super::mover::{Manner, carry_out, migrate};
use super::say::{self, Failure};
use super::view::View;

/// How far the user allows it to go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) several_owners: bool,
    pub(super) without_unreachable: bool,
}

pub(super) fn run(links: &mut Links, view: &View, wish: Wish, manner: Manner) -> Result<(), Failure> {
    check::info(links, view);
    let health = check::check(links, view, false);
    if !health.open.is_empty() {
        guard(view, wish, "open slots")?;
        for slot in &health.open {
            fix_open(links, &view.entry, *slot, manner)?;
        }
    }
    // Closing a slot may have given it to somebody.
    let view = &View::load(links, &view.entry)?;
    let covered = view.covered();
    let uncovered: Vec<Slot> = health.uncovered.into_iter().filter(|slot| !covered.contains(*slot)).collect();
    if !uncovered.is_empty() {
        guard(view, wish, "slots coverage")?;
        say::step("Fixing slots coverage...");
        fix_coverage(links, view, &uncovered, manner)?;
    }
    if wish.several_owners {
        fix_several_owners(links, view, manner)?;
    }
    let view = View::load(links, &view.entry)?;
    view.wait_for_agreement(links, Duration::from_secs(10));
    let view = View::load(links, &view.entry)?;
    tell!("");
    if check::check(links, &view, true).is_good() {
        Ok(())
    } else {
        Err("The cluster is not in order yet. What is left is told above; it may need another look, or another `fix`.".into())
    }
}

/// Without some of the masters nobody knows what they hold.
fn guard(view: &View, wish: Wish, what: &str) -> Result<(), Failure> {
    if view.unreachable.is_empty() || wish.without_unreachable {
        return Ok(());
    }
    let places: Vec<String> = view.unreachable.iter().map(|member| member.at.to_string()).collect();
    say::remark(format!(
        "Fixing {what} while {} cannot be reached is dangerous: their slots would be given to others, and the keys \
         that they hold would be lost. Bring them back first. If they will never come back, use \
         --cluster-fix-with-unreachable-masters.",
        places.join(", ")
    ));
    Err(Failure::Told)
}

/// What every master says about some slots.
fn look(
    links: &mut Links,
    view: &View,
    slots: &[Slot],
) -> Result<BTreeMap<Slot, Vec<Finding<NodeId>>>, Failure> {
    let mut found: BTreeMap<Slot, Vec<Finding<NodeId>>> = BTreeMap::new();
    for master in view.masters() {
        let questions =
            slots.iter().map(|slot| (master.at.clone(), words(format!("CLUSTER COUNTKEYSINSLOT {slot}"))));
        for (slot, reply) in slots.iter().zip(links.round(questions.collect())) {
            let keys = match reply {
                Ok(Frame::Integer(keys)) => usize::try_from(keys).unwrap_or(0),
                Ok(other) => {
                    return Err(
                        format!("{} cannot count its keys in slot {slot}: {other:?}", master.at).into()
                    );
                }
                Err(error) => return Err(unreachable_text(&master.at, &error).into()),
            };
            let mark =
                |marks: &[(Slot, NodeId)]| marks.iter().find(|(own, _)| own == slot).map(|(_, node)| *node);
            found.entry(*slot).or_default().push(Finding {
                node: master.id,
                owns: master.slots.contains(*slot),
                migrating: mark(&master.migrating),
                importing: mark(&master.importing),
                keys,
            });
        }
    }
    Ok(found)
}

/// Closes one slot.
fn fix_open(links: &mut Links, entry: &Endpoint, slot: Slot, manner: Manner) -> Result<(), Failure> {
    // What has been done for other slots may have changed this one.
    let view = View::load(links, entry)?;
    say::step(format!("Fixing open slot {slot}"));
    let findings = look(links, &view, &[slot])?.remove(&slot).unwrap_or_default();
    let which = |holds: &dyn Fn(&Finding<NodeId>) -> bool| {
        let places = findings
            .iter()
            .filter(|finding| holds(finding))
            .map(|finding| view.place(finding.node).to_string());
        places.collect::<Vec<_>>().join(",")
    };
    tell!("Set as migrating in: {}", which(&|finding| finding.migrating.is_some()));
    tell!("Set as importing in: {}", which(&|finding| finding.importing.is_some()));
    for finding in findings.iter().filter(|finding| finding.keys > 0 && !finding.owns) {
        let keys = say::count(finding.keys, "key");
        say::remark(format!("{} holds {keys} of slot {slot} without owning it!", view.place(finding.node)));
    }
    if findings.iter().all(|finding| finding.migrating.is_none() && finding.importing.is_none()) {
        // Only a replica still shows the mark, or it is gone by now.
        return Ok(());
    }
    match close(&findings) {
        Ok(mends) => mend_all(links, &view, slot, &mends, manner),
        // Nobody claims it, and nobody holds keys of it: then it is no open slot but an uncovered one.
        Err(_) => {
            for finding in
                findings.iter().filter(|finding| finding.importing.is_some() || finding.migrating.is_some())
            {
                mend(links, &view, slot, &Mend::Stable { at: finding.node }, manner)?;
            }
            Ok(())
        }
    }
}

/// Covers slots, after asking: if their owner is only away for a while, this is the wrong moment.
fn fix_coverage(links: &mut Links, view: &View, uncovered: &[Slot], manner: Manner) -> Result<(), Failure> {
    let findings = look(links, view, uncovered)?;
    let spare = view.masters().min_by_key(|master| master.slots.len()).ok_or("There is no master.")?.id;
    let holders = |slot: &Slot| findings[slot].iter().filter(|finding| finding.keys > 0).count();
    for (least, most, what, question) in [
        (
            0,
            0,
            "The following uncovered slots have no keys across the cluster:",
            "Fix these slots by covering with the master that has the fewest?",
        ),
        (
            1,
            1,
            "The following uncovered slots have keys in just one node:",
            "Fix these slots by covering with those nodes?",
        ),
        (
            2,
            usize::MAX,
            "The following uncovered slots have keys in multiple nodes:",
            "Fix these slots by moving keys into a single node?",
        ),
    ] {
        let slots: Vec<Slot> =
            uncovered.iter().copied().filter(|slot| (least..=most).contains(&holders(slot))).collect();
        if slots.is_empty() {
            continue;
        }
        tell!("{what}\n{}", list(slots.iter().copied()));
        if !say::confirm(false, question) {
            return Err("These slots stay uncovered.".into());
        }
        for slot in slots {
            mend_all(links, view, slot, &cover(&findings[&slot], spare), manner)?;
        }
    }
    Ok(())
}

/// Who holds the most keys of a slot keeps it.
fn fix_several_owners(links: &mut Links, view: &View, manner: Manner) -> Result<(), Failure> {
    let doubled: Vec<Slot> = check::several_owners(view).into_iter().map(|(slot, _)| slot).collect();
    for (slot, findings) in look(links, view, &doubled)? {
        say::step(format!("Fixing multiple owners for slot {slot}..."));
        let Some(first) = findings.iter().find(|finding| finding.owns) else { continue };
        mend_all(links, view, slot, &cover(&findings, first.node), manner)?;
        let owner =
            View::load(links, &view.entry)?.members.iter().find(|m| m.slots.contains(slot)).map(|m| m.id);
        for other in view.masters().filter(|other| owner.is_some_and(|owner| owner != other.id)) {
            let owner = owner.expect("it was just looked at");
            mend(links, view, slot, &Mend::Tell { at: other.id, owner }, manner)?;
        }
    }
    Ok(())
}

fn mend_all(
    links: &mut Links,
    view: &View,
    slot: Slot,
    mends: &[Mend<NodeId>],
    manner: Manner,
) -> Result<(), Failure> {
    mends.iter().try_for_each(|step| mend(links, view, slot, step, manner))
}

/// Carries out one step of a repair.
fn mend(
    links: &mut Links,
    view: &View,
    slot: Slot,
    step: &Mend<NodeId>,
    manner: Manner,
) -> Result<(), Failure> {
    match *step {
        Mend::Stable { at } => {
            let at = view.place(at);
            tell!("Setting {slot} as STABLE in {at}");
            links.must(at, format!("CLUSTER SETSLOT {slot} STABLE"))?;
        }
        Mend::Own { at } => {
            let at = view.place(at);
            tell!("Configuring {at} as the slot owner of {slot}");
            links.call(at, format!("CLUSTER DELSLOTS {slot}"))?;
            links.must(at, format!("CLUSTER ADDSLOTS {slot}"))?;
            links.must(at, "CLUSTER BUMPEPOCH")?;
        }
        Mend::Yield { at, to } => {
            let place = view.place(at);
            tell!("{place} gives up its claim on {slot}");
            links.call(place, format!("CLUSTER DELSLOTS {slot}"))?;
            links.must(place, format!("CLUSTER SETSLOT {slot} NODE {to}"))?;
            links.must(place, format!("CLUSTER SETSLOT {slot} IMPORTING {to}"))?;
        }
        Mend::Transfer { from, to } => {
            tell!("Moving slot {slot} from {} to {}", view.place(from), view.place(to));
            carry_out(links, view, &[Move { slot, from, to }], manner)?;
        }
        Mend::MoveKeys { from, to } => {
            let (from, to) = (view.place(from), view.place(to));
            tell!("Moving all the {slot} slot keys from {from} to its owner {to}");
            move_keys(links, slot, from, to, manner)?;
        }
        Mend::Tell { at, owner } => {
            links.must(view.place(at), format!("CLUSTER SETSLOT {slot} NODE {owner}"))?;
        }
    }
    Ok(())
}

/// All keys of a slot, whoever owns it.
fn move_keys(
    links: &mut Links,
    slot: Slot,
    from: &Endpoint,
    to: &Endpoint,
    manner: Manner,
) -> Result<(), Failure> {
    loop {
        let keys = match links.must(from, format!("CLUSTER GETKEYSINSLOT {slot} {}", manner.keys))? {
            Frame::Array(keys) => keys,
            _ => Vec::new(),
        };
        let keys: Vec<Bytes> = keys.iter().filter_map(Frame::as_bytes).map(Bytes::copy_from_slice).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let send = |links: &mut Links, replace: bool| {
            let command = migrate(links, to, &keys, replace, manner.timeout);
            links.round(vec![(from.clone(), command)]).pop().expect("one reply for one command")
        };
        let is_busy = |reply: &_| matches!(reply, Ok(Frame::Error(why)) if why.contains("BUSYKEY"));
        let mut reply = send(links, manner.replace);
        if is_busy(&reply) && equal(links, from, to, &keys) {
            reply = send(links, true);
        }
        match reply {
            reply if is_busy(&reply) => {
                say::remark(format!(
                    "{from} and {to} both hold keys of slot {slot}, with different values. Of these:"
                ));
                for key in &keys {
                    tell!("    {}", core_types::show_bytes(key));
                }
                return Err(format!(
                    "Which values are the right ones, only you can know. With --cluster-replace those of {from} win; \
                     or delete the wrong keys there first."
                )
                .into());
            }
            Ok(Frame::Error(why)) => return Err(format!("{from} could not move keys to {to}: {why}").into()),
            Ok(_) => {}
            Err(error) => return Err(unreachable_text(from, &error).into()),
        }
    }
}

/// True if every one of these keys that is on both sides has the same value on both. `ASKING` opens the door on
/// the side that only imports the slot, and does no harm at the owner.
fn equal(links: &mut Links, one: &Endpoint, other: &Endpoint, keys: &[Bytes]) -> bool {
    let mut dump = |at: &Endpoint| {
        let commands = keys.iter().flat_map(|key| {
            [(at.clone(), words("ASKING")), (at.clone(), vec![b"DUMP".to_vec(), key.to_vec()])]
        });
        let replies = links.round(commands.collect());
        replies.into_iter().skip(1).step_by(2).map(Result::ok).collect::<Vec<_>>()
    };
    let (ours, theirs) = (dump(one), dump(other));
    ours.iter().zip(&theirs).all(|pair| match pair {
        (Some(Frame::Bulk(one)), Some(Frame::Bulk(other))) => one == other,
        // Only on one side: nothing is overwritten.
        (Some(Frame::Bulk(_)), Some(Frame::Null)) => true,
        _ => false,
    })
}
