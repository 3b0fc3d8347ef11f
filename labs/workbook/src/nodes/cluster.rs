//! `cargo workbook cluster up | down | status | kill NAME`: nodes that stay when the command has ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Subcommand;

use super::shape::{FIRST_PORT, Node, Plan, Wish};
use super::{
    build_server, command, find_redis, pause, process, require_free, room, status, talk, wait_until_ready,
};
use crate::repo::{self, Repo};

/// What to do with the nodes.
#[derive(Subcommand)]
pub(crate) enum Task {
    /// Start the nodes that do not run
    ///
    /// The first node listens on 7000, the others on the ports after it. At the start they follow each other so:
    ///
    ///   pair     master ── replica
    ///   star     master ── replica-1, replica-2, replica-3, replica-4
    ///   tree     master ── replica-1 ── replica-3, replica-4
    ///                   └─ replica-2
    ///   chain    master ── replica-1 ── replica-2 ── replica-3 ── replica-4
    ///
    /// Without any option, `up` starts those nodes of the running shape that are down; if there is none, a pair. For
    /// another shape, end the running one by `down`.
    #[command(verbatim_doc_comment)]
    Up(Wish),
    /// Stop the nodes that `up` has started
    Down,
    /// Who runs and follows whom, how far each node is behind the top, and when its master last heard of it
    Status,
    /// Crash a node (`up` starts it again)
    Kill {
        /// Its name: `master`, `replica`, or `replica-1` and so on where there are several
        name: String,
    },
}

/// Runs one of them.
pub(crate) fn run(repo: &Repo, task: &Task) -> Result<(), String> {
    match task {
        Task::Up(wish) => up(repo, wish),
        Task::Down => down(repo),
        Task::Status => {
            show(repo, &plan(repo));
            Ok(())
        }
        Task::Kill { name } => kill(repo, &find(&plan(repo), name)?),
    }
}

/// What runs, or would run if nothing is said.
fn plan(repo: &Repo) -> Plan {
    Plan::load(repo).unwrap_or_default()
}

/// The node of this name, or an explanation that names those there are.
fn find(plan: &Plan, name: &str) -> Result<Node, String> {
    let nodes = plan.nodes();
    nodes.iter().find(|node| node.name == name).cloned().ok_or_else(|| {
        let names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
        format!("there is no node \"{name}\". The nodes are: {}", names.join(", "))
    })
}

fn up(repo: &Repo, wish: &Wish) -> Result<(), String> {
    let remembered = Plan::load(repo);
    let runs = |plan: &Plan| plan.nodes().iter().any(|node| running(repo, node).is_some());
    let plan = match remembered {
        Some(plan) if runs(&plan) => Plan::beside(wish, plan)?,
        // All its nodes have crashed: they can be started again, or others instead.
        Some(plan) => Plan::beside(wish, plan).unwrap_or_else(|_| Plan::of(wish)),
        None => Plan::of(wish),
    };
    let nodes = plan.nodes();
    let missing: Vec<&Node> = nodes.iter().filter(|node| running(repo, node).is_none()).collect();
    for node in &missing {
        require_free(node.port, &node.name)?;
    }
    if !missing.is_empty() {
        let redis = if plan.with_redis { Some(find_redis()?) } else { None };
        let ours = build_server(repo, &plan.mine)?;
        plan.save(repo)?;
        for node in &missing {
            let program = redis.as_deref().filter(|_| node.is_redis).unwrap_or(&ours);
            start(repo, program, node)?;
        }
    }
    show(repo, &plan);
    Ok(())
}

fn start(repo: &Repo, program: &Path, node: &Node) -> Result<(), String> {
    let mut child = command(repo, program, node)?
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    repo::write(&pid_path(repo, &node.name), &format!("{}\n", child.id()))?;
    wait_until_ready(repo, node, &mut child).inspect_err(|_| {
        let _ = child.kill();
        let _ = child.wait();
        let _ = fs::remove_file(pid_path(repo, &node.name));
    })
}

fn down(repo: &Repo) -> Result<(), String> {
    let mut stopped = 0;
    // Replicas first: their masters' logs then end quietly.
    for node in plan(repo).nodes().iter().rev() {
        if let Some(pid) = running(repo, node) {
            // Politely, if it is this very process that answers there.
            let answers = talk::ask(node.port, "INFO").ok();
            let same = answers.is_some_and(|info| talk::field(&info, "process_id") == Some(&pid.to_string()));
            if same {
                let _ = talk::ask(node.port, "SHUTDOWN NOSAVE NOW");
            }
            if !gone(pid, if same { 40 } else { 0 }) {
                process::kill(pid)?;
                gone(pid, 40);
            }
            println!("  stopped {} (process {pid})", node.name);
            stopped += 1;
        }
        let _ = fs::remove_file(pid_path(repo, &node.name));
    }
    Plan::forget(repo);
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
    let _ = fs::remove_file(pid_path(repo, &node.name));
    println!("  {} (process {pid}) has crashed. Start it again: cargo workbook cluster up", node.name);
    Ok(())
}

fn show(repo: &Repo, plan: &Plan) {
    println!();
    for line in status::lines(&plan.nodes(), |node| running(repo, node)) {
        println!("  {line}");
    }
    println!("\n  Logs: {}", room(repo).display());
    println!(
        "  Talk to them: cargo run -p server --bin ha-cli -- -p {FIRST_PORT}    (or redis-cli -p {FIRST_PORT})\n"
    );
}

fn pid_path(repo: &Repo, name: &str) -> PathBuf {
    room(repo).join(format!("{name}.pid"))
}

/// The process that `up` has started for this node, if it still runs.
fn running(repo: &Repo, node: &Node) -> Option<u32> {
    let pid = fs::read_to_string(pid_path(repo, &node.name)).ok()?.trim().parse().ok()?;
    process::is_ours(pid).then_some(pid)
}
