//! `cargo workbook cluster up | down | status | kill | partition | heal`: nodes that stay when the command has ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Subcommand;

use super::shape::{FIRST_PORT, Node, Plan, Wish};
use super::{
    build_server, command, find_redis, members, partition, pause, process, require_free, room, sentinels,
    status, talk, wait_until_ready,
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
    ///   sentinel master ── replica-1, replica-2, watched by sentinel-1, sentinel-2, sentinel-3
    ///   cluster  node-0 … node-5: three masters that share the slots, and a replica of each
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
        /// Its name (`master`, `replica-1`, …) or its number: 0 listens on 7000, 1 on 7001, and so on
        name: String,
    },
    /// Cut nodes off from each other, as if cables were cut: `partition 0,3 1,2,4,5`
    ///
    /// Each group is a list of names or numbers between commas. Between two groups nothing passes, in either direction:
    /// connections stay, and nothing comes through; new ones are neither made nor refused. Nodes that are in no group are
    /// together on one more side. You are on no side: `ha-cli` and redis-cli reach all nodes.
    ///
    /// What is between two real redis-servers nobody can cut: then you are told.
    #[command(verbatim_doc_comment)]
    Partition {
        /// The groups; one alone is cut off from all others
        #[arg(required = true)]
        groups: Vec<String>,
    },
    /// End the partition: what was held back comes through
    Heal,
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
        Task::Partition { groups } => {
            let mut plan = plan(repo);
            plan.partition = partition::sides(&plan.nodes(), groups, |word| find(&plan, word))?;
            divide(repo, &plan)
        }
        Task::Heal => divide(repo, &Plan { partition: Vec::new(), ..plan(repo) }),
    }
}

/// Makes the nodes that run keep to the plan's partition, and remembers it.
fn divide(repo: &Repo, plan: &Plan) -> Result<(), String> {
    let up: Vec<Node> = plan.nodes().into_iter().filter(|node| running(repo, node).is_some()).collect();
    if up.is_empty() {
        return Err("no node is running. Start some: cargo workbook cluster up".to_string());
    }
    let notes = partition::apply(&up, &plan.partition)?;
    plan.save(repo)?;
    println!();
    for line in partition::describe(&plan.nodes(), &plan.partition).into_iter().chain(notes) {
        println!("  {line}");
    }
    println!("\n  Look at it: cargo workbook cluster status\n");
    Ok(())
}

/// What runs, or would run if nothing is said.
fn plan(repo: &Repo) -> Plan {
    Plan::load(repo).unwrap_or_default()
}

/// The node of this name, or an explanation that names those there are.
fn find(plan: &Plan, name: &str) -> Result<Node, String> {
    let nodes = plan.nodes();
    let is_it = |node: &&Node| node.name == name || name.parse() == Ok(node.number());
    nodes.iter().find(is_it).cloned().ok_or_else(|| {
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
        if nodes[0].in_cluster {
            members::make_cluster(repo, &nodes)?;
        }
        if plan.partition.is_empty() {
            let (watchers, data): (Vec<Node>, Vec<Node>) =
                nodes.iter().cloned().partition(|node| node.watches.is_some());
            sentinels::wait_until_met(&watchers, data.len().saturating_sub(1));
        } else {
            // Who comes back is where it was.
            let up: Vec<Node> = nodes.iter().filter(|node| running(repo, node).is_some()).cloned().collect();
            partition::apply(&up, &plan.partition)?;
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
        sentinels::forget(&room(repo).join(&node.name));
        members::forget(&room(repo).join(&node.name));
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
    let nodes = plan.nodes();
    let (watchers, data): (Vec<Node>, Vec<Node>) =
        nodes.iter().cloned().partition(|node| node.watches.is_some());
    for line in status::lines(&data, |node| running(repo, node)) {
        println!("  {line}");
    }
    for line in sentinels::lines(&watchers, &data, |node| running(repo, node)) {
        println!("  {line}");
    }
    if nodes[0].in_cluster {
        println!();
        for line in members::lines(&nodes) {
            println!("  {line}");
        }
    }
    if !plan.partition.is_empty() {
        println!();
        for line in partition::describe(&nodes, &plan.partition) {
            println!("  {line}");
        }
    }
    println!("\n  Logs: {}", room(repo).display());
    if let Some(sentinel) = watchers.first() {
        let (port, name) = (sentinel.port, sentinels::WATCHED);
        println!("  Where is the master? ha-cli -p {port} SENTINEL GET-MASTER-ADDR-BY-NAME {name}");
    }
    let flag = if nodes[0].in_cluster { "-c " } else { "" };
    println!(
        "  Talk to them: cargo run -p server --bin ha-cli -- {flag}-p {FIRST_PORT}    (or redis-cli {flag}-p {FIRST_PORT})\n"
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
