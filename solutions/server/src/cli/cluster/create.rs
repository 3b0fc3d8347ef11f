//! `create`: empty nodes become a cluster.

use std::net::ToSocketAddrs;
use std::time::Duration;

use core_types::{Endpoint, Frame, NodeId};

use super::check;
use super::layout::Layout;
use super::links::{Links, words};
use super::member::Member;
use super::say::{self, Failure};
use super::view::{View, agree};

/// After so many looks without success the user hears what may be wrong; after [`GIVE_UP`] it is over.
const WARN: u32 = 20;
const GIVE_UP: u32 = 120;
const LOOK: Duration = Duration::from_millis(500);

pub(super) fn create(
    links: &mut Links,
    nodes: &[Endpoint],
    replicas: usize,
    yes: bool,
) -> Result<(), Failure> {
    let ids = nodes.iter().map(|node| empty_node(links, node)).collect::<Result<Vec<NodeId>, _>>()?;
    let Some(layout) = Layout::new(nodes, replicas) else {
        say::remark("ERROR: Invalid configuration for cluster creation.");
        say::remark("Redis Cluster requires at least 3 master nodes.");
        say::remark(format!(
            "This is not possible with {} nodes and {replicas} replicas per node.",
            nodes.len()
        ));
        say::remark(format!("At least {} nodes are required.", 3 * (replicas + 1)));
        return Err(Failure::Told);
    };
    show(nodes, &ids, &layout, replicas);
    if !say::confirm(yes, "Can I set the above configuration?") {
        return Err("Nothing has been changed.".into());
    }
    assign_slots(links, nodes, &layout)?;
    say::step("Nodes configuration updated");
    say::step("Assign a different config epoch to each node");
    for (index, node) in nodes.iter().enumerate() {
        // It is no harm if a node has an epoch already: they would be made different later, one by one.
        links.call(node, format!("CLUSTER SET-CONFIG-EPOCH {}", index + 1))?;
    }
    say::step("Sending CLUSTER MEET messages to join the cluster");
    for node in &nodes[1..] {
        meet(links, node, &nodes[0])?;
    }
    wait_for_join(links, nodes)?;
    for (replica, master) in &layout.replicas {
        replicate(links, &nodes[*replica], ids[*master])?;
    }
    wait(
        links,
        nodes,
        |links, nodes| follow(links, nodes, &ids, &layout),
        "the replicas to be known to all",
    )?;
    wait(links, nodes, is_up, "the cluster to take commands")?;
    let view = View::load(links, &nodes[0])?;
    let health = check::check(links, &view, false);
    if health.is_good() { Ok(()) } else { Err(Failure::Told) }
}

/// The id of a node that can be taken into a cluster.
pub(super) fn empty_node(links: &mut Links, node: &Endpoint) -> Result<NodeId, Failure> {
    let own = View::load_own(links, node)?;
    let info = links.text(node, "CLUSTER INFO")?;
    let known: usize =
        field(&info, "cluster_known_nodes").and_then(|number| number.parse().ok()).unwrap_or(1);
    let has_keys = links.text(node, "INFO keyspace")?.contains("db0:");
    if known > 1 || has_keys {
        return Err(format!(
            "Node {node} is not empty. Either the node already knows other nodes (check with CLUSTER NODES) or \
             contains some key in database 0."
        )
        .into());
    }
    Ok(own.id)
}

/// One field of an `INFO`-like text.
pub(super) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

fn show(nodes: &[Endpoint], ids: &[NodeId], layout: &Layout, replicas: usize) {
    say::step(format!("Performing hash slots allocation on {} nodes...", nodes.len()));
    for (index, (_, range)) in layout.masters.iter().enumerate() {
        tell!("Master[{index}] -> Slots {} - {}", range.first, range.last);
    }
    for (index, (replica, master)) in layout.replicas.iter().enumerate() {
        if index == layout.masters.len() * replicas {
            tell!("Adding extra replicas...");
        }
        tell!("Adding replica {} to {}", nodes[*replica], nodes[*master]);
    }
    if !layout.replicas.is_empty() {
        let affinity = layout.affinity(nodes);
        if affinity.with_master > 0 {
            say::warning("Some slaves are in the same host as their master");
        }
        if affinity.with_each_other > 0 {
            say::warning("Some slaves of the same master are in the same host");
        }
        if affinity == Default::default() {
            say::ok("Perfect anti-affinity obtained!");
        }
    }
    for (index, node) in nodes.iter().enumerate() {
        if let Some((_, range)) = layout.masters.iter().find(|(master, _)| *master == index) {
            tell!("M: {} {node}\n   slots:[{range}] ({} slots) master", ids[index], range.len());
        } else if let Some((_, master)) = layout.replicas.iter().find(|(replica, _)| *replica == index) {
            tell!("S: {} {node}\n   replicates {}", ids[index], ids[*master]);
        }
    }
}

fn assign_slots(links: &mut Links, nodes: &[Endpoint], layout: &Layout) -> Result<(), Failure> {
    let commands = layout.masters.iter().map(|(master, range)| {
        let mut command = words("CLUSTER ADDSLOTS");
        command.extend(range.slots().map(|slot| slot.to_string().into_bytes()));
        (nodes[*master].clone(), command)
    });
    let replies = links.round(commands.collect());
    for (reply, (master, _)) in replies.into_iter().zip(&layout.masters) {
        match reply {
            Ok(Frame::Error(why)) => {
                return Err(format!("Node {} does not take its slots: {why}", nodes[*master]).into());
            }
            Ok(_) => {}
            Err(error) => return Err(super::links::unreachable_text(&nodes[*master], &error).into()),
        }
    }
    Ok(())
}

/// Introduces a node to another one, by address: `CLUSTER MEET` takes no names. The port of the other one's cluster
/// bus is told if it is not the usual one.
pub(super) fn meet(links: &mut Links, node: &Endpoint, other: &Endpoint) -> Result<(), Failure> {
    let address = (other.host.as_str(), other.port).to_socket_addrs().ok().and_then(|mut found| found.next());
    let address =
        address.ok_or_else(|| format!("Invalid IP address or hostname specified: {}", other.host))?;
    let bus =
        View::load_own(links, other)?.bus.filter(|&bus| u32::from(bus) != u32::from(other.port) + 10_000);
    let bus = bus.map(|bus| format!(" {bus}")).unwrap_or_default();
    links.must(node, format!("CLUSTER MEET {} {}{bus}", address.ip(), address.port()))?;
    Ok(())
}

/// Waits until every node knows every other one, and all agree.
pub(super) fn wait_for_join(links: &mut Links, nodes: &[Endpoint]) -> Result<(), Failure> {
    wait(
        links,
        nodes,
        |links, nodes| unacquainted(links, nodes).is_empty() && agree(links, nodes),
        "the cluster to join",
    )
}

/// Makes a node a replica. It may take a moment until it has heard of its master.
pub(super) fn replicate(links: &mut Links, replica: &Endpoint, master: NodeId) -> Result<(), Failure> {
    let mut looks = 0;
    loop {
        match links.call(replica, format!("CLUSTER REPLICATE {master}"))? {
            Frame::Error(why) if why.contains("Unknown node") && looks < WARN => {
                looks += 1;
                say::pause(LOOK);
            }
            Frame::Error(why) => {
                return Err(format!("Node {replica} does not become a replica: {why}").into());
            }
            _ => return Ok(()),
        }
    }
}

fn wait(
    links: &mut Links,
    nodes: &[Endpoint],
    mut done: impl FnMut(&mut Links, &[Endpoint]) -> bool,
    what: &str,
) -> Result<(), Failure> {
    tell!("Waiting for {what}");
    for looks in 1..=GIVE_UP {
        if done(links, nodes) {
            return Ok(());
        }
        if looks == WARN {
            for (node, missing) in unacquainted(links, nodes) {
                say::warning(format!("{node} has no connection to {}", missing.join(", ")));
            }
            tell!(
                "The cluster bus has a port of its own, usually the node's port + 10000. Can the nodes reach it?"
            );
        }
        say::pause(LOOK);
    }
    Err(format!("Waited for {what} in vain.").into())
}

/// For each node those of the ids that it has no connection to yet.
fn unacquainted(links: &mut Links, nodes: &[Endpoint]) -> Vec<(Endpoint, Vec<String>)> {
    let seen: Vec<Vec<Member>> =
        nodes.iter().map(|node| View::as_seen_by(links, node).unwrap_or_default()).collect();
    // A node knows best what its own id is.
    let id = |members: &[Member]| members.iter().find(|member| member.has("myself")).map(|member| member.id);
    let ids: Vec<Option<NodeId>> = seen.iter().map(|members| id(members)).collect();
    let knows = |members: &[Member], other: Option<NodeId>| {
        members.iter().any(|member| Some(member.id) == other && member.linked && !member.has("handshake"))
    };
    let missing = |members: &[Member]| -> Vec<String> {
        let strangers = ids.iter().zip(nodes).filter(|(other, _)| !knows(members, **other));
        strangers.map(|(_, node)| node.to_string()).collect()
    };
    let lists = nodes.iter().cloned().zip(seen.iter().map(|members| missing(members)));
    lists.filter(|(_, missing)| !missing.is_empty()).collect()
}

/// True if every node serves its slots. A node waits for two seconds after it has seen that all is in order.
fn is_up(links: &mut Links, nodes: &[Endpoint]) -> bool {
    let state = |links: &mut Links, node| links.text(node, "CLUSTER INFO");
    nodes.iter().all(|node| state(links, node).is_ok_and(|info| field(&info, "cluster_state") == Some("ok")))
}

/// True if every node knows every replica as the replica of its master.
fn follow(links: &mut Links, nodes: &[Endpoint], ids: &[NodeId], layout: &Layout) -> bool {
    nodes.iter().all(|node| {
        let Ok(members) = View::as_seen_by(links, node) else { return false };
        layout.replicas.iter().all(|(replica, master)| {
            members.iter().any(|member| member.id == ids[*replica] && member.master == Some(ids[*master]))
        })
    })
}
