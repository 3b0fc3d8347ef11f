//! The nodes as a tree: who follows whom right now, as they say themselves, and how far each of them is.

use std::collections::BTreeSet;

use colored::Colorize;

use super::shape::Node;
use super::talk;
use super::watch::{Facts, Picture};

/// A node, and what it says of itself if it answers.
struct Seen<'n> {
    node: &'n Node,
    /// What `cluster up` has started and still runs.
    pid: Option<u32>,
    info: Option<String>,
}

impl Seen<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        talk::field(self.info.as_deref()?, name)
    }

    /// Whom it follows: as it says, or as it was started if it says nothing.
    fn master(&self) -> Option<u16> {
        match self.info {
            Some(_) => self.field("master_port")?.parse().ok(),
            None => self.node.replica_of,
        }
    }

    fn offset(&self) -> Option<u64> {
        self.field("slave_repl_offset").or_else(|| self.field("master_repl_offset"))?.parse().ok()
    }
}

/// One line for each node, below the one it follows. `running` tells the process of a node that was started.
pub(super) fn look(nodes: &[Node], running: impl Fn(&Node) -> Option<u32>) -> Picture {
    let look = |node| Seen { node, pid: running(node), info: talk::ask(node.port, "INFO replication").ok() };
    let seen: Vec<Seen<'_>> = nodes.iter().map(look).collect();
    Picture { lines: tree(&seen), facts: facts(&seen) }
}

fn facts(seen: &[Seen<'_>]) -> Facts {
    let mut facts = Facts::new();
    for one in seen {
        let mut fact = |aspect: &str, text: &str| {
            facts.insert((one.node.name.clone(), aspect.to_owned()), text.to_owned());
        };
        fact("it", if one.info.is_some() { "runs" } else { "down" });
        let master = one.master().filter(|_| one.info.is_some());
        let name = |port: u16| {
            let known = seen.iter().find(|other| other.node.port == port);
            known.map_or_else(|| port.to_string(), |other| other.node.name.clone())
        };
        match (one.field("role"), master) {
            (_, Some(port)) => fact("role", &format!("replica of {}", name(port))),
            (Some("master"), None) => fact("role", "master"),
            _ => {}
        }
        if let Some(link) = one.field("master_link_status") {
            fact("link", &format!("link {link}"));
        }
    }
    facts
}

fn tree(seen: &[Seen<'_>]) -> Vec<String> {
    let ports: BTreeSet<u16> = seen.iter().map(|one| one.node.port).collect();
    let mut drawing = Drawing { seen, drawn: BTreeSet::new(), rows: Vec::new() };
    for one in seen.iter().filter(|one| one.master().is_none_or(|master| !ports.contains(&master))) {
        drawing.add(one, one.offset(), "", "");
    }
    // Who is left follows somebody who follows it.
    for one in seen {
        drawing.add(one, one.offset(), "", "");
    }
    let width = drawing.rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    let pad = |label: &str| " ".repeat(width - label.chars().count());
    drawing.rows.iter().map(|(label, text)| format!("{}{}  {text}", label.bold(), pad(label))).collect()
}

struct Drawing<'s> {
    seen: &'s [Seen<'s>],
    drawn: BTreeSet<u16>,
    rows: Vec<(String, String)>,
}

impl Drawing<'_> {
    /// Adds a node and all below it. `top` is the offset of the node they all get their data from.
    fn add(&mut self, one: &Seen<'_>, top: Option<u64>, branch: &str, below: &str) {
        let port = one.node.port;
        if !self.drawn.insert(port) {
            return;
        }
        let master = one.master().and_then(|master| self.seen.iter().find(|other| other.node.port == master));
        let text = describe(one, master, top);
        self.rows.push((format!("{branch}{}", one.node.name), text));
        let children: Vec<&Seen<'_>> =
            self.seen.iter().filter(|other| other.master() == Some(port)).collect();
        for (index, child) in children.iter().enumerate() {
            let last = index + 1 == children.len();
            let (branch, deeper) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.add(child, top, &format!("{below}{branch}"), &format!("{below}{deeper}"));
        }
    }
}

fn describe(one: &Seen<'_>, master: Option<&Seen<'_>>, top: Option<u64>) -> String {
    let node = one.node;
    let place = format!("127.0.0.1:{}  {:<12}", node.port, node.program());
    let Some(offset) = one.offset() else {
        let state = match one.pid {
            Some(pid) => format!("does not answer (process {pid})"),
            None => "down".to_string(),
        };
        return format!("{place}  {}", state.red());
    };
    let process = match one.pid {
        Some(pid) => format!("process {pid}"),
        None => "not started by `cluster up`".yellow().to_string(),
    };
    if one.field("role") == Some("master") {
        let replicas = match one.field("connected_slaves").unwrap_or("?") {
            "1" => "1 replica".to_string(),
            number => format!("{number} replicas"),
        };
        return format!("{place}  {}, {replicas}, offset {offset}  ({process})", "master".green());
    }
    let of = master.map_or_else(
        || format!("127.0.0.1:{}", one.field("master_port").unwrap_or("?")),
        |master| master.node.name.clone(),
    );
    let role = format!("{} of {of}", "replica".green());
    if one.field("master_link_status") != Some("up") {
        return format!("{place}  {role}, link {}, offset {offset}  ({process})", "down".red());
    }
    let behind = match top.map(|top| top.saturating_sub(offset)) {
        Some(0) => "has everything".to_string(),
        Some(behind) => format!("{behind} bytes behind"),
        None => "its master does not answer".to_string(),
    };
    let lag = master.and_then(|master| talk::lag(master.info.as_deref()?, node.port));
    let lag = lag.map_or_else(String::new, |lag| format!(", lag {lag} s"));
    format!("{place}  {role}, link {}, offset {offset}, {behind}{lag}  ({process})", "up".green())
}

#[cfg(test)]
mod tests {
    use super::super::shape::{Plan, Shape};
    use super::*;

    fn replica(of: u16, offset: u64) -> Option<String> {
        Some(format!(
            "role:slave\r\nmaster_port:{of}\r\nmaster_link_status:up\r\nslave_repl_offset:{offset}\r\n"
        ))
    }

    fn drawn(infos: [Option<String>; 5]) -> String {
        colored::control::set_override(false);
        let nodes = Plan { shape: Shape::Tree, ..Plan::default() }.nodes();
        let seen: Vec<Seen<'_>> =
            nodes.iter().zip(infos).map(|(node, info)| Seen { node, pid: Some(1), info }).collect();
        tree(&seen).iter().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn replicas_stand_below_whom_they_follow_now() {
        let master = "role:master\r\nconnected_slaves:2\r\nmaster_repl_offset:100\r\n\
                      slave0:ip=127.0.0.1,port=7001,state=online,offset=90,lag=1\r\n";
        let infos = [
            Some(master.into()),
            replica(7000, 90),
            replica(7000, 100),
            replica(7001, 90),
            replica(7002, 40),
        ];
        assert_eq!(
            drawn(infos),
            "\
master           127.0.0.1:7000  ha-server     master, 2 replicas, offset 100  (process 1)
├─ replica-1     127.0.0.1:7001  ha-server     replica of master, link up, offset 90, 10 bytes behind, lag 1 s  (process 1)
│  └─ replica-3  127.0.0.1:7003  ha-server     replica of replica-1, link up, offset 90, 10 bytes behind  (process 1)
└─ replica-2     127.0.0.1:7002  ha-server     replica of master, link up, offset 100, has everything  (process 1)
   └─ replica-4  127.0.0.1:7004  ha-server     replica of replica-2, link up, offset 40, 60 bytes behind  (process 1)
"
        );
    }

    #[test]
    fn everybody_is_drawn_once_even_in_a_loop() {
        let infos = [replica(7001, 1), replica(7000, 1), None, replica(7001, 1), replica(9999, 1)];
        let text = drawn(infos);
        for name in ["master", "replica-1", "replica-2", "replica-3", "replica-4"] {
            let begins_so =
                |line: &&str| line.trim_start_matches(['│', '├', '└', '─', ' ']).starts_with(name);
            assert_eq!(text.lines().filter(begins_so).count(), 1, "{name} in\n{text}");
        }
    }
}
