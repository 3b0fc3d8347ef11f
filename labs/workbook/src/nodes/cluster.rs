//! `cargo workbook cluster up | down | status | kill NAME`: nodes that stay when the command has ended.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use clap::Subcommand;
use colored::Colorize;

use super::{
    NODES, Node, build_server, command, find, log_path, pause, process, require_free, room, talk,
    wait_until_ready,
};
use crate::repo::{self, Repo};

/// What to do with the nodes.
#[derive(Subcommand)]
pub(crate) enum Task {
    /// Start the nodes that do not run
    Up,
    /// Stop the nodes that `up` has started
    Down,
    /// Who runs, in which role, and how far the replica is
    Status,
    /// Crash a node (`up` starts it again)
    Kill {
        /// `master` or `replica`
        name: String,
    },
}

/// Runs one of them.
pub(crate) fn run(repo: &Repo, task: &Task) -> Result<(), String> {
    match task {
        Task::Up => up(repo),
        Task::Down => down(repo),
        Task::Status => {
            status(repo);
            Ok(())
        }
        Task::Kill { name } => kill(repo, find(name)?),
    }
}

fn up(repo: &Repo) -> Result<(), String> {
    let missing: Vec<&Node> = NODES.iter().filter(|node| running(repo, node).is_none()).collect();
    for node in &missing {
        require_free(node.port, node.name)?;
    }
    if !missing.is_empty() {
        let program = build_server(repo)?;
        for node in &missing {
            let mut child = command(repo, &program, node)?
                .stdin(Stdio::null())
                .spawn()
                .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
            repo::write(&pid_path(repo, node), &format!("{}\n", child.id()))?;
            if let Err(complaint) = wait_until_ready(repo, node, &mut child) {
                let _ = child.kill();
                let _ = child.wait();
                let _ = fs::remove_file(pid_path(repo, node));
                return Err(complaint);
            }
        }
    }
    status(repo);
    Ok(())
}

fn down(repo: &Repo) -> Result<(), String> {
    let mut stopped = 0;
    // Replicas first: their master's log then ends quietly.
    for node in NODES.iter().rev() {
        if let Some(pid) = running(repo, node) {
            // Politely, if it is this very process that answers there.
            let answers = talk::ask(node.port, "INFO").ok();
            let same = answers.is_some_and(|info| talk::field(&info, "process_id") == Some(&pid.to_string()));
            if same {
                let _ = talk::ask(node.port, "SHUTDOWN NOSAVE");
            }
            if !gone(pid, if same { 40 } else { 0 }) {
                process::kill(pid)?;
                gone(pid, 40);
            }
            println!("  stopped {} (process {pid})", node.name);
            stopped += 1;
        }
        let _ = fs::remove_file(pid_path(repo, node));
    }
    if stopped == 0 {
        println!("  No node that `cargo workbook cluster up` has started is running.");
    }
    Ok(())
}

/// Waits until a process has ended, up to so many pauses.
fn gone(pid: u32, pauses: u32) -> bool {
    for _ in 0..pauses {
        if !process::is_ours(pid) {
            return true;
        }
        pause();
    }
    !process::is_ours(pid)
}

fn kill(repo: &Repo, node: &Node) -> Result<(), String> {
    let pid = running(repo, node).ok_or_else(|| {
        format!("{} does not run, or was not started by `cargo workbook cluster up`", node.name)
    })?;
    process::kill(pid)?;
    gone(pid, 40);
    let _ = fs::remove_file(pid_path(repo, node));
    println!("  {} (process {pid}) has crashed. Start it again: cargo workbook cluster up", node.name);
    Ok(())
}

fn status(repo: &Repo) {
    println!();
    for node in &NODES {
        let line = match running(repo, node) {
            Some(pid) => format!("process {pid}, {}", describe(node)),
            None if talk::ask(node.port, "PING").is_ok() => {
                "answers, but was not started by `cluster up`".yellow().to_string()
            }
            None => "down".red().to_string(),
        };
        println!("  {:<8} 127.0.0.1:{}  {line}", node.name.bold(), node.port);
    }
    println!("\n  Logs: {}", log_path(repo, &NODES[0]).with_file_name("").display());
    println!("  Talk to them: cargo run -p server --bin ha-cli -- -p 7000    (or redis-cli -p 7000)\n");
}

/// Role, link and offset, as the node itself tells.
fn describe(node: &Node) -> String {
    let Ok(info) = talk::ask(node.port, "INFO replication") else {
        return "does not answer".red().to_string();
    };
    let get = |name| talk::field(&info, name).unwrap_or("?");
    match get("role") {
        "master" => {
            let replicas = match get("connected_slaves") {
                "1" => "1 replica".to_string(),
                number => format!("{number} replicas"),
            };
            format!("{}, {replicas}, offset {}", "master".green(), get("master_repl_offset"))
        }
        _ => {
            let link = get("master_link_status");
            let link = if link == "up" { link.green() } else { link.red() };
            format!(
                "{} of {}:{}, link {link}, offset {}",
                "replica".green(),
                get("master_host"),
                get("master_port"),
                get("slave_repl_offset")
            )
        }
    }
}

fn pid_path(repo: &Repo, node: &Node) -> PathBuf {
    room(repo).join(format!("{}.pid", node.name))
}

/// The process that `up` has started for this node, if it still runs.
fn running(repo: &Repo, node: &Node) -> Option<u32> {
    let pid = fs::read_to_string(pid_path(repo, node)).ok()?.trim().parse().ok()?;
    process::is_ours(pid).then_some(pid)
}
