//! The sentinels of `cluster up --shape sentinel`: their files, and what they think.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use colored::Colorize;

use super::shape::Node;
use super::watch::Picture;
use super::{READY_TRIES, pause, talk};

/// The name under which they watch the master; clients ask for it.
pub(super) const WATCHED: &str = "mymaster";

/// Votes that are needed to call the master down.
const QUORUM: usize = 2;

/// How long a node must be silent to be down, in milliseconds: short enough to watch it happen.
const DOWN_AFTER: u32 = 3000;

/// How long a failover may take, in milliseconds.
const FAILOVER_TIMEOUT: u32 = 20_000;

fn file(directory: &Path) -> PathBuf {
    directory.join("sentinel.conf")
}

/// Writes the sentinel's file, unless it has one already: then it goes on with what it has learnt.
pub(super) fn prepare(directory: &Path, node: &Node, master: u16) -> io::Result<PathBuf> {
    let file = file(directory);
    if !file.exists() {
        let ours = if node.is_redis { "" } else { "enable-test-partition yes\n" };
        let text = format!(
            "port {}\nbind 127.0.0.1\n{ours}sentinel monitor {WATCHED} 127.0.0.1 {master} {QUORUM}\n\
             sentinel down-after-milliseconds {WATCHED} {DOWN_AFTER}\n\
             sentinel failover-timeout {WATCHED} {FAILOVER_TIMEOUT}\n",
            node.port
        );
        fs::write(&file, text)?;
    }
    Ok(file)
}

/// Waits until each of them knows the others and the replicas, if it comes to that: they hear of each other within a few
/// seconds.
pub(super) fn wait_until_met(sentinels: &[Node], replicas: usize) {
    let knows_all = |node: &Node| {
        let fields = talk::ask_list(node.port, &format!("SENTINEL MASTER {WATCHED}")).unwrap_or_default();
        let count = |name: &str| talk::value(&fields, name).and_then(|value| value.parse::<usize>().ok());
        count("num-other-sentinels") >= Some(sentinels.len() - 1) && count("num-slaves") >= Some(replicas)
    };
    for _ in 0..READY_TRIES {
        if sentinels.iter().all(knows_all) {
            return;
        }
        pause();
    }
}

/// The next `up` begins anew.
pub(super) fn forget(directory: &Path) {
    let _ = fs::remove_file(file(directory));
}

/// One line for each sentinel: whom it watches, and what it thinks of it.
pub(super) fn look(sentinels: &[Node], data: &[Node], running: impl Fn(&Node) -> Option<u32>) -> Picture {
    // The nodes with data stand above as a tree, most of them behind a branch of three characters.
    let names = sentinels.iter().map(|node| node.name.len());
    let width = names.chain(data.iter().map(|node| node.name.len() + 3)).max().unwrap_or(0) + 2;
    let mut picture = Picture::default();
    for node in sentinels {
        let place = format!("127.0.0.1:{}  {:<12}", node.port, node.program());
        let answer = talk::ask_list(node.port, &format!("SENTINEL MASTER {WATCHED}"));
        let mut fact = |aspect: &str, text: &str| {
            picture.facts.insert((node.name.clone(), aspect.to_owned()), text.to_owned());
        };
        fact("it", if answer.is_ok() { "runs" } else { "down" });
        let text = match (answer, running(node)) {
            (Ok(fields), process) => {
                let process =
                    process.map_or("not started by `cluster up`".to_string(), |pid| format!("process {pid}"));
                let thinks = describe(&fields, &epoch(node), data);
                fact("thinks", &thinks);
                format!("{thinks}  ({process})")
            }
            (Err(_), Some(pid)) => format!("does not answer (process {pid})").red().to_string(),
            (Err(_), None) => "down".red().to_string(),
        };
        picture.lines.push(format!("{:<width$}{place}  {text}", node.name));
    }
    picture
}

/// The greatest epoch that it has heard of stands in its file only.
fn epoch(node: &Node) -> Option<String> {
    let info = talk::ask(node.port, "INFO server").ok()?;
    let text = fs::read_to_string(talk::field(&info, "config_file")?).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("sentinel current-epoch "))?;
    Some(line.trim().to_string())
}

fn describe(fields: &[String], epoch: &Option<String>, data: &[Node]) -> String {
    let value = |name: &str| talk::value(fields, name).unwrap_or("?");
    let port = value("port");
    let known = data.iter().find(|node| node.port.to_string() == port);
    let master = known.map_or_else(|| format!("{}:{port}", value("ip")), |node| node.name.clone());
    let flags = value("flags");
    let has = |flag: &str| flags.split(',').any(|other| other == flag);
    let health = match (has("o_down"), has("s_down")) {
        (true, _) => "objectively down".red().to_string(),
        (false, true) => "subjectively down".yellow().to_string(),
        (false, false) => "up".green().to_string(),
    };
    let failover = match talk::value(fields, "failover-state") {
        Some(state) if has("failover_in_progress") => format!(", failover: {state}"),
        _ => String::new(),
    };
    let epoch = epoch.as_ref().map_or(String::new(), |epoch| format!("epoch {epoch}, "));
    format!(
        "watches {master} ({health}{failover}), {epoch}configuration of epoch {}, {} replicas, {} other sentinels, \
         quorum {}",
        value("config-epoch"),
        value("num-slaves"),
        value("num-other-sentinels"),
        value("quorum"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_whom_a_sentinel_watches_and_how_that_is() {
        colored::control::set_override(false);
        let fields = [
            "port",
            "7001",
            "ip",
            "127.0.0.1",
            "flags",
            "s_down,o_down,master,failover_in_progress",
            "failover-state",
            "wait_start",
            "config-epoch",
            "3",
            "num-slaves",
            "2",
            "num-other-sentinels",
            "2",
            "quorum",
            "2",
        ];
        let fields: Vec<String> = fields.map(String::from).into();
        assert_eq!(
            describe(&fields, &Some("4".into()), &[]),
            "watches 127.0.0.1:7001 (objectively down, failover: wait_start), epoch 4, configuration of epoch 3, 2 replicas, \
             2 other sentinels, quorum 2"
        );
    }
}
