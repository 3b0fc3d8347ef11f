//! `add-node` and `del-node`.

use core_types::{Endpoint, Frame, NodeId};

use super::check;
use super::create::{empty_node, meet, replicate, wait_for_join};
use super::links::Links;
use super::member::Member;
use super::reshard::master;
use super::say::{self, Failure};
use super::view::View;

/// A node that is empty joins: as a master without slots, or as a replica.
pub(super) fn add(
    links: &mut Links,
    new: &Endpoint,
    view: &View,
    as_replica: bool,
    master_id: Option<&str>,
) -> Result<(), Failure> {
    say::step(format!("Adding node {new} to cluster {}", view.entry));
    let health = check::check(links, view, false);
    if !health.is_good() {
        return Err("A node can only be added to a cluster that is in order.".into());
    }
    let chosen = match (as_replica, master_id) {
        (false, None) => None,
        (false, Some(_)) => return Err("--cluster-master-id makes sense with --cluster-slave only.".into()),
        (true, Some(id)) => Some(master(view, id).map_err(|_| format!("No such master ID {id}"))?),
        (true, None) => {
            let chosen = needy(view).ok_or("There is no master to follow.")?;
            tell!("Automatically selected master {}", chosen.at);
            Some(chosen)
        }
    };
    empty_node(links, new)?;
    if chosen.is_none() {
        copy_functions(links, &view.entry, new)?;
    }
    say::step(format!("Send CLUSTER MEET to node {new} to make it join the cluster."));
    meet(links, new, &view.entry)?;
    let mut all: Vec<Endpoint> = view.members.iter().map(|member| member.at.clone()).collect();
    all.push(new.clone());
    wait_for_join(links, &all)?;
    if let Some(master) = chosen {
        say::step(format!("Configure node as replica of {}.", master.at));
        replicate(links, new, master.id)?;
    }
    say::ok("New node added correctly.");
    Ok(())
}

/// The master with the fewest replicas, the first one among equals.
fn needy(view: &View) -> Option<&Member> {
    view.masters().min_by_key(|master| view.replicas_of(master.id))
}

/// All masters of a cluster hold the same functions, so a new one has to get them. Not every server has functions.
fn copy_functions(links: &mut Links, from: &Endpoint, to: &Endpoint) -> Result<(), Failure> {
    say::step("Getting functions from cluster");
    let payload = match links.call(from, "FUNCTION DUMP")? {
        Frame::Bulk(payload) => payload,
        _ => {
            tell!("There are none: {from} does not know functions.");
            return Ok(());
        }
    };
    say::step(format!("Send FUNCTION LIST to {to} to verify there is no functions in it"));
    match links.call(to, "FUNCTION LIST")? {
        Frame::Array(list) if list.is_empty() => {}
        Frame::Array(_) => {
            return Err(format!(
                "{to} has functions of its own. Remove them with FUNCTION FLUSH and try again."
            )
            .into());
        }
        _ => {
            say::warning(format!("{to} does not know functions, and gets none."));
            return Ok(());
        }
    }
    say::step(format!("Send FUNCTION RESTORE to {to}"));
    let command = vec![b"FUNCTION".to_vec(), b"RESTORE".to_vec(), payload.to_vec()];
    match links.round(vec![(to.clone(), command)]).pop() {
        Some(Ok(Frame::Error(why))) => Err(format!("{to} does not take the functions: {why}").into()),
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(super::links::unreachable_text(to, &error).into()),
        None => Ok(()),
    }
}

/// A node without slots leaves: all others forget it, and it forgets them.
pub(super) fn remove(links: &mut Links, view: &View, id: &str) -> Result<(), Failure> {
    say::step(format!("Removing node {id} from cluster {}", view.entry));
    let id: NodeId = id.parse().map_err(|_| format!("No such node ID {id}"))?;
    let leaving = view.find(id).ok_or_else(|| format!("No such node ID {id}"))?;
    if !leaving.slots.is_empty() {
        return Err(format!("Node {} is not empty! Reshard data away and try again.", leaving.at).into());
    }
    say::step("Sending CLUSTER FORGET messages to the cluster...");
    for other in view.members.iter().filter(|member| member.id != id) {
        if other.master == Some(id) {
            let others =
                View { members: others(view, id), entry: view.entry.clone(), unreachable: Vec::new() };
            let new = needy(&others).ok_or("There is no other master to follow.")?;
            say::step(format!("{} as replica of {}", other.at, new.at));
            replicate(links, &other.at, new.id)?;
        }
        match links.call(&other.at, format!("CLUSTER FORGET {id}"))? {
            // It has heard of it already, from one that was told before.
            Frame::Error(why) if why.contains("Unknown node") => {}
            Frame::Error(why) => return Err(format!("{} does not forget it: {why}", other.at).into()),
            _ => {}
        }
    }
    say::step("Sending CLUSTER RESET SOFT to the deleted node.");
    links.must(&leaving.at, "CLUSTER RESET SOFT")?;
    Ok(())
}

/// All nodes but this one and its replicas.
fn others(view: &View, id: NodeId) -> Vec<Member> {
    view.members.iter().filter(|member| member.id != id && member.master != Some(id)).cloned().collect()
}
