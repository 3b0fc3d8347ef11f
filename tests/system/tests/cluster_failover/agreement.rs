//! What all servers say of the cluster in the end.

use std::collections::BTreeSet;
use std::process::Command;

use system::cluster::{NodeLine, nodes};
use system::{Cluster, Server, bounded, redis_tool_or_skip, wait};

/// What a server says of one member; `None` if it does not answer, or does not know it.
pub(crate) fn told_by(server: &Server, port: u16) -> Option<NodeLine> {
    nodes(server).into_iter().find(|node| node.port == port)
}

/// Waits until all servers of `alive` call `winner` the master of slots, in one epoch, and greater than all others'.
pub(crate) fn wait_until_all_follow(cluster: &Cluster, alive: &[usize], winner: usize) {
    let port = cluster.servers[winner].port();
    wait::until(&format!("server {winner} to be called a master by all, in one epoch"), || {
        let told: Vec<_> = alive.iter().filter_map(|index| told_by(&cluster.servers[*index], port)).collect();
        let master = |node: &NodeLine| node.is("master") && !node.slots.is_empty();
        told.len() == alive.len()
            && told
                .iter()
                .all(|node| master(node) && node.epoch == told[0].epoch && node.slots == told[0].slots)
    });
    let all = nodes(&cluster.servers[alive[0]]);
    let own = all.iter().find(|node| node.port == port).expect("it was there a moment ago");
    let others = all.iter().filter(|node| node.is("master") && node.id != own.id);
    assert!(others.clone().all(|node| node.epoch < own.epoch), "{all:#?}");
}

/// Waits until all servers tell the same of roles, epochs and slots, and nobody has failed.
pub(crate) fn wait_until_well(cluster: &Cluster) {
    let well = || {
        let told: Vec<Vec<NodeLine>> = cluster.servers.iter().map(nodes).collect();
        let fine = |node: &NodeLine| node.connected && !node.is("fail") && !node.is("fail?");
        (told[0].len() == cluster.servers.len()
            && told.iter().all(|all| *all == told[0] && all.iter().all(fine)))
        .then(|| told[0].clone())
    };
    let all = wait::find("all to agree", well);
    let epochs: Vec<u64> = all.iter().filter(|node| node.is("master")).map(|node| node.epoch).collect();
    let distinct: BTreeSet<u64> = epochs.iter().copied().collect();
    assert_eq!(distinct.len(), epochs.len(), "an epoch for each master: {all:#?}");
    cluster.wait_until_up();
}

pub(crate) fn check(cluster: &Cluster) {
    if redis_tool_or_skip("redis-cli --cluster check", "redis-cli").is_none() {
        return;
    }
    let args = ["--cluster", "check", &cluster.place(0)];
    let checked = bounded::output(Command::new("redis-cli").args(args));
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && said.contains("All 16384 slots covered"), "{said}");
    assert!(said.contains("All nodes agree about slots configuration"), "{said}");
    assert!(!said.contains("[WARNING]"), "{said}");
}

/// Waits until all servers call one a replica of another, and it is in step with that.
pub(crate) fn wait_until_replica(cluster: &Cluster, replica: usize, master: usize) {
    let all: Vec<usize> = (0..cluster.servers.len()).collect();
    wait_until_replica_of(cluster, &all, replica, master);
}

/// The same, if only those of `alive` can be asked.
pub(crate) fn wait_until_replica_of(cluster: &Cluster, alive: &[usize], replica: usize, master: usize) {
    let (port, id) = (cluster.servers[replica].port(), cluster.id(master));
    let follows = |node: NodeLine| node.is("slave") && node.master.as_ref() == Some(&id);
    let told = |index: &usize| told_by(&cluster.servers[*index], port).is_some_and(follows);
    wait::until(&format!("server {replica} to be called a replica of server {master}"), || {
        alive.iter().all(told)
    });
    cluster.servers[replica].wait_for_link();
}
