//! The members of `cluster up --shape cluster`: how they become one, and what each of them thinks.

use std::fs;
use std::path::Path;
use std::process::Command;

use colored::Colorize;

use super::shape::Node;
use super::{READY_TRIES, build, pause, talk};
use crate::repo::Repo;

/// The timeout is short enough to watch what follows from it.
pub(super) const FLAGS: [&str; 4] = ["--cluster-enabled", "yes", "--cluster-node-timeout", "5000"];

/// What a member remembers of its cluster, in its directory.
const FILE: &str = "nodes.conf";

/// Makes a cluster of nodes that are none yet, and waits until each of them serves, if it comes to that. Nodes that have
/// been started again find the others by themselves.
pub(super) fn make_cluster(repo: &Repo, nodes: &[Node]) -> Result<(), String> {
    let is_alone = |node: &Node| info(node.port, "cluster_known_nodes").is_some_and(|known| known == "1");
    if nodes.iter().all(is_alone) {
        let client = build(repo, "server", "ha-cli", &[])?;
        let places = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port));
        let output = Command::new(client)
            .args(["--cluster", "create"])
            .args(places)
            .args(["--cluster-replicas", "1", "--cluster-yes"])
            .output()
            .map_err(|error| format!("cannot run ha-cli: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            return Err(format!("the cluster could not be made:\n{said}"));
        }
    }
    for _ in 0..READY_TRIES {
        if nodes.iter().all(|node| info(node.port, "cluster_state").is_some_and(|state| state == "ok")) {
            break;
        }
        pause();
    }
    Ok(())
}

fn info(port: u16, field: &str) -> Option<String> {
    let text = talk::ask(port, "CLUSTER INFO").ok()?;
    talk::field(&text, field).map(str::to_owned)
}

/// The next `up` begins anew: without the old cluster, and without its keys.
pub(super) fn forget(directory: &Path) {
    for file in [FILE, "dump.rdb"] {
        let _ = fs::remove_file(directory.join(file));
    }
}

/// One line for each member that answers: whether it serves, its slots, its epoch, and whom it does not reach.
pub(super) fn lines(nodes: &[Node]) -> Vec<String> {
    let width = nodes.iter().map(|node| node.name.len()).max().unwrap_or(0);
    let line = |node: &Node| {
        let table = talk::ask(node.port, "CLUSTER NODES").ok()?;
        let state = info(node.port, "cluster_state")?;
        Some(format!("{:<width$}  {}", node.name, describe(&table, &state, nodes)))
    };
    nodes.iter().filter_map(line).collect()
}

/// What `CLUSTER NODES` of one member says, in a line.
fn describe(table: &str, state: &str, nodes: &[Node]) -> String {
    let state = if state == "ok" { "serves".green() } else { "does not serve".red() };
    let mut own = String::from("?");
    let mut unwell = Vec::new();
    for row in table.lines() {
        let words: Vec<&str> = row.split(' ').collect();
        let [_, place, flags, _, _, _, epoch, link, slots @ ..] = &words[..] else { continue };
        let has = |flag: &str| flags.split(',').any(|other| other == flag);
        if has("myself") {
            let role = if has("master") { "master" } else { "replica" };
            let slots =
                if slots.is_empty() { "no slots".to_owned() } else { format!("slots {}", slots.join(" ")) };
            own = match has("master") {
                true => format!("{role}, {slots}, epoch {epoch}"),
                false => format!("{role}, epoch {epoch}"),
            };
        } else if has("fail") || has("fail?") || *link != "connected" {
            let port = place.split(['@', ',']).next().and_then(|place| place.rsplit(':').next());
            let known = nodes.iter().find(|node| port == Some(&node.port.to_string()));
            let name = known.map_or(*place, |node| node.name.as_str());
            let how = if has("fail") {
                "failed"
            } else if has("fail?") {
                "perhaps failed"
            } else {
                "no link"
            };
            unwell.push(format!("{name} ({how})"));
        }
    }
    let sees = match unwell.is_empty() {
        true => "all others are well".to_owned(),
        false => format!("{}", format!("sees {}", unwell.join(", ")).yellow()),
    };
    format!("{state}, {own}; {sees}")
}

#[cfg(test)]
mod tests {
    use super::super::shape::{Plan, Shape};
    use super::*;

    #[test]
    fn a_members_view_is_one_line() {
        colored::control::set_override(false);
        let nodes = Plan { shape: Shape::Cluster, ..Plan::default() }.nodes();
        let id = "0123456789".repeat(4);
        let table = format!(
            "{id} 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-5460 [5-<-{id}]\n\
             {id} 127.0.0.1:7001@17001,name master,fail? - 0 0 2 disconnected 5461-10922\n\
             {id} 127.0.0.1:7004@17004 slave,fail {id} 0 0 2 connected\n\
             {id} 127.0.0.1:7009@17009 master - 0 0 3 disconnected\n"
        );
        assert_eq!(
            describe(&table, "fail", &nodes),
            format!(
                "does not serve, master, slots 0-5460 [5-<-{id}], epoch 1; \
                 sees node-1 (perhaps failed), node-4 (failed), 127.0.0.1:7009@17009 (no link)"
            )
        );
        let table = format!("{id} 127.0.0.1:7000@17000 myself,slave {id} 0 0 1 connected\n");
        assert_eq!(describe(&table, "ok", &nodes), "serves, replica, epoch 1; all others are well");
    }
}
