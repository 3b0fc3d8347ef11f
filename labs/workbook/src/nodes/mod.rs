//! The reference nodes: `cargo workbook cluster …` and `cargo workbook start`.

mod building;
pub(crate) mod cluster;
mod drawing;
mod members;
mod partition;
mod process;
mod programs;
mod sentinels;
mod shape;
pub(crate) mod start;
mod status;
mod talk;
mod watch;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use shape::Node;
pub(crate) use shape::Wish;

use crate::repo::Repo;

/// How often a node is asked whether it is ready, and how long to wait in between.
const READY_TRIES: u32 = 150;
const PAUSE: Duration = Duration::from_millis(50);

/// Logs, process ids and the nodes' own files.
fn room(repo: &Repo) -> PathBuf {
    repo.path("target").join("cluster")
}

fn log_path(repo: &Repo, node: &Node) -> PathBuf {
    room(repo).join(format!("{}.log", node.name))
}

/// A node's command, with its log and a directory of its own.
fn command(repo: &Repo, program: &Path, node: &Node) -> Result<Command, String> {
    let directory = room(repo).join(&node.name);
    let complain = |error: std::io::Error| format!("cannot prepare {}: {error}", directory.display());
    fs::create_dir_all(&directory).map_err(complain)?;
    // Appended: what a node said before it crashed is worth reading.
    let log = File::options().create(true).append(true).open(log_path(repo, node)).map_err(complain)?;
    let mut command = Command::new(program);
    command.current_dir(&directory);
    if let Some(master) = node.watches {
        let file = sentinels::prepare(&directory, node, master).map_err(complain)?;
        command.arg(file).arg("--sentinel");
        command.stdout(log.try_clone().map_err(complain)?).stderr(log);
        return Ok(command);
    }
    command.args(["--port", &node.port.to_string(), "--bind", "127.0.0.1"]);
    if !node.is_redis {
        command.args(["--enable-test-partition", "yes"]);
    }
    // By default a master waits 5 s for more replicas that want the same snapshot. Nobody else comes here.
    command.args(["--repl-diskless-sync-delay", "0"]);
    if node.in_cluster {
        command.args(members::FLAGS);
    }
    if let Some(master) = node.replica_of {
        command.args(["--replicaof", "127.0.0.1", &master.to_string()]);
    }
    command.stdout(log.try_clone().map_err(complain)?).stderr(log);
    Ok(command)
}

/// Waits until the node answers and, if it is a replica, has its master's data. An error holds the end of its log.
fn wait_until_ready(repo: &Repo, node: &Node, child: &mut Child) -> Result<(), String> {
    for attempt in 0..READY_TRIES {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!(
                "{} ended at once ({status}).\n{}",
                node.name,
                log_tail(&log_path(repo, node))
            ));
        }
        let question = if node.watches.is_some() { "INFO sentinel" } else { "INFO replication" };
        match talk::ask(node.port, question) {
            Ok(info) if talk::field(&info, "master_link_status").is_none_or(|link| link == "up") => {
                return Ok(());
            }
            // The node runs, which is what counts, also if its master does not answer.
            Ok(_) if attempt > 2 * READY_TRIES / 3 => return Ok(()),
            Ok(_) | Err(_) => pause(),
        }
    }
    Err(format!("{} does not answer on port {}.\n{}", node.name, node.port, log_tail(&log_path(repo, node))))
}

fn pause() {
    #[expect(clippy::disallowed_methods, reason = "waiting for another process, in steps; not a test")]
    std::thread::sleep(PAUSE);
}

fn log_tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let tail: String =
        lines[lines.len().saturating_sub(8)..].iter().map(|line| format!("      {line}\n")).collect();
    format!("  The end of {}:\n{tail}", path.display())
}

/// Complains if somebody else has the port.
fn require_free(port: u16, wanted_by: &str) -> Result<(), String> {
    match std::net::TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!(
            "port {port}, which {wanted_by} needs, is taken ({error}). Is `cargo workbook start` running elsewhere? \
             Nodes of `cluster up` end by: cargo workbook cluster down"
        )),
    }
}
