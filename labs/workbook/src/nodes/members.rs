//! The members of `cluster up --shape cluster`: how they become one, and what each of them says.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::programs::Programs;
use super::shape::Node;
use super::{READY_TRIES, log_path, log_tail, pause, talk};
use crate::repo::Repo;

/// The timeout is short enough to watch what follows from it.
pub(super) const FLAGS: [&str; 4] = ["--cluster-enabled", "yes", "--cluster-node-timeout", "5000"];

/// What a member remembers of its cluster, in its directory.
const FILE: &str = "nodes.conf";

/// Makes a cluster of nodes that are none yet, and waits until each of them serves, if it comes to that. Nodes that have
/// been started again find the others by themselves.
pub(super) fn make_cluster(repo: &Repo, programs: &Programs, nodes: &[Node]) -> Result<(), String> {
    let is_alone = |node: &Node| info(node.port, "cluster_known_nodes").is_some_and(|known| known == "1");
    if nodes.iter().all(is_alone) {
        let places = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port));
        let output = Command::new(programs.client()?)
            .args(["--cluster", "create"])
            .args(places)
            .args(["--cluster-replicas", "1", "--cluster-yes"])
            .output()
            .map_err(|error| format!("cannot run ha-cli: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            // A layer that is not written ends its node as soon as it is needed.
            let gone = nodes.iter().filter(|node| talk::ask(node.port, "PING").is_err());
            let logs: String = gone
                .map(|node| format!("\n{} has ended.\n{}", node.name, log_tail(&log_path(repo, node))))
                .collect();
            return Err(format!("the cluster could not be made:\n{said}{logs}"));
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

/// No connection of the bus leads there.
pub(super) const NO_LINK: &str = "no link";

/// What one member says of itself and of the others.
#[derive(Debug)]
pub(super) struct View {
    pub(super) serves: bool,
    pub(super) current_epoch: u64,
    /// Its `INFO replication`.
    pub(super) replication: String,
    pub(super) keys: u64,
    pub(super) rows: Vec<Row>,
}

/// A line of `CLUSTER NODES`.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) port: u16,
    flags: String,
    /// The id of its master.
    pub(super) master: Option<String>,
    /// The epoch of its configuration.
    pub(super) epoch: u64,
    /// There is a connection of the bus to it.
    connected: bool,
    /// From the first to the last of each range.
    pub(super) slots: Vec<(u16, u16)>,
    /// How many slots are on their way to it or from it.
    pub(super) moving: usize,
}

impl View {
    /// Asks the member on this port. None if it does not answer, or is no member.
    pub(super) fn of(port: u16) -> Option<View> {
        let [info, table, replication, keys] =
            talk::ask_all(port, ["CLUSTER INFO", "CLUSTER NODES", "INFO replication", "DBSIZE"]).ok()?;
        View::parse(&info, &table, replication, &keys)
    }

    pub(super) fn parse(info: &str, table: &str, replication: String, keys: &str) -> Option<View> {
        Some(View {
            serves: talk::field(info, "cluster_state")? == "ok",
            current_epoch: talk::field(info, "cluster_current_epoch")?.parse().ok()?,
            replication,
            keys: keys.strip_prefix(':')?.parse().ok()?,
            rows: table.lines().filter_map(Row::parse).collect(),
        })
    }

    /// The line about itself.
    pub(super) fn own(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.has("myself"))
    }
}

impl Row {
    fn parse(line: &str) -> Option<Row> {
        let words: Vec<&str> = line.split(' ').collect();
        let [id, place, flags, master, _, _, epoch, link, slots @ ..] = &words[..] else { return None };
        let address = place.split(['@', ',']).next()?;
        let range = |word: &&str| {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            Some((first.parse().ok()?, last.parse().ok()?))
        };
        Some(Row {
            id: (*id).to_owned(),
            port: address.rsplit_once(':')?.1.parse().ok()?,
            flags: (*flags).to_owned(),
            master: (*master != "-").then(|| (*master).to_owned()),
            epoch: epoch.parse().ok()?,
            connected: *link == "connected",
            slots: slots.iter().filter_map(range).collect(),
            moving: slots.iter().filter(|word| word.starts_with('[')).count(),
        })
    }

    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.split(',').any(|other| other == flag)
    }

    /// What is wrong with it, as its teller sees it.
    pub(super) fn trouble(&self) -> Option<&'static str> {
        match self.has("myself") {
            true => None,
            false if self.has("fail") => Some("failed"),
            false if self.has("fail?") => Some("perhaps failed"),
            false if self.has("handshake") => Some("handshake"),
            false if !self.connected => Some(NO_LINK),
            false => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read() {
        let id = "0123456789".repeat(4);
        let table = format!(
            "{id} 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-5460 7000 [5-<-{id}]\n\
             {id} 127.0.0.1:7001@17001,name master,fail? - 0 0 2 disconnected 5461-10922\n\
             {id} ::1:7004@17004 slave,fail {id} 0 0 2 connected\n\
             broken\n"
        );
        let info = "cluster_state:fail\r\ncluster_current_epoch:6\r\n";
        let view = View::parse(info, &table, String::new(), ":12").expect("a view");
        assert_eq!((view.serves, view.current_epoch, view.keys, view.rows.len()), (false, 6, 12, 3));
        let own = view.own().expect("it knows itself");
        assert_eq!((own.port, own.epoch, own.moving), (7000, 1, 1));
        assert_eq!(own.slots, [(0, 5460), (7000, 7000)]);
        assert_eq!(view.rows[1].trouble(), Some("perhaps failed"));
        assert_eq!((view.rows[2].trouble(), view.rows[2].port), (Some("failed"), 7004));
        assert_eq!(view.rows[2].master, Some(id));
        assert!(View::parse("", "", String::new(), ":0").is_none());
    }
}
