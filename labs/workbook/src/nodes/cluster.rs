//! `cargo workbook cluster up | down | status | kill | partition | heal`: nodes that stay when the command has ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::{Args, Subcommand};

use super::programs::{self, Programs};
use super::shape::{FIRST_PORT, Node, Plan, Wish};
use super::watch::{self, Picture};
use super::{
    command, drawing, members, partition, pause, process, require_free, room, sentinels, status, talk,
    wait_until_ready,
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
    ///
    /// Your own layers: `--mine 7,9` in all nodes that are not real Redis, `--mine 7,9 --nodes 1,3` in these two.
    #[command(verbatim_doc_comment)]
    Up(Wish),
    /// Stop the nodes that `up` has started
    Down,
    /// Who runs and follows whom, how far each node is behind the top, and when its master last heard of it
    ///
    /// Of a cluster: roles, slots, epochs, links, lag, and how each node sees the others.
    Status {
        #[command(flatten)]
        then: Then,
    },
    /// Crash a node (`up` starts it again)
    Kill {
        /// Its name (`master`, `replica-1`, `node-2`, …) or its number: 0 listens on 7000, 1 on 7001, and so on
        name: String,
        #[command(flatten)]
        then: Then,
    },
    /// Cut nodes off from each other, as if cables were cut: `partition 0,3 1,2,4,5`
    ///
    /// Each group is a list of names or numbers between commas. Between two groups nothing passes, in either direction:
    /// connections stay, and nothing comes through; new ones are neither made nor refused. Nodes that are in no group are
    /// together on one more side. You are on no side: `ha-cli` and redis-cli reach all nodes.
    ///
    /// In a cluster the bus is cut together with the ports for clients.
    ///
    /// Only our nodes can do that (it is a command for tests, which Redis does not have). What is between two real
    /// redis-servers nobody cuts: then you are told.
    #[command(verbatim_doc_comment)]
    Partition {
        /// The groups; one alone is cut off from all others
        #[arg(required = true)]
        groups: Vec<String>,
        #[command(flatten)]
        then: Then,
    },
    /// End the partition: what was held back comes through
    Heal {
        #[command(flatten)]
        then: Then,
    },
}

/// What comes after it.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Then {
    /// Draw the status again and again, with what changes, until Ctrl-C
    #[arg(long, short)]
    watch: bool,
}

/// Runs one of them.
pub(crate) fn run(repo: &Repo, task: &Task) -> Result<(), String> {
    match task {
        Task::Up(wish) => up(repo, wish),
        Task::Down => match down(repo) {
            0 => {
                println!("  No node that `cargo workbook cluster up` has started is running.");
                Ok(())
            }
            _ => Ok(()),
        },
        Task::Status { then: Then { watch: true } } => watch(repo),
        Task::Status { .. } => {
            show(repo, &plan(repo));
            Ok(())
        }
        Task::Kill { name, then } => {
            kill(repo, &plan(repo).find(name)?)?;
            and_then(repo, *then)
        }
        Task::Partition { groups, then } => {
            let mut plan = plan(repo);
            plan.partition = partition::sides(&plan.nodes(), groups, |word| plan.find(word))?;
            divide(repo, &plan)?;
            and_then(repo, *then)
        }
        Task::Heal { then } => {
            divide(repo, &Plan { partition: Vec::new(), ..plan(repo) })?;
            and_then(repo, *then)
        }
    }
}

fn and_then(repo: &Repo, then: Then) -> Result<(), String> {
    match then.watch {
        true => watch(repo),
        false => {
            println!("  Look at it: cargo workbook cluster status, or status --watch\n");
            Ok(())
        }
    }
}

fn watch(repo: &Repo) -> Result<(), String> {
    // Whoever cuts or heals in another terminal writes it down.
    watch::watch(|| Ok(picture(repo, &plan(repo))))
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
    println!();
    Ok(())
}

/// What runs, or would run if nothing is said.
fn plan(repo: &Repo) -> Plan {
    Plan::load(repo).unwrap_or_default()
}

fn up(repo: &Repo, wish: &Wish) -> Result<(), String> {
    let remembered = Plan::load(repo);
    let runs = |plan: &Plan| plan.nodes().iter().any(|node| running(repo, node).is_some());
    let plan = match remembered {
        Some(plan) if runs(&plan) => Plan::beside(wish, plan)?,
        // All its nodes have crashed: they can be started again, or others instead.
        Some(plan) => Plan::beside(wish, plan).or_else(|_| Plan::of(wish))?,
        None => Plan::of(wish)?,
    };
    programs::require_layers(repo, &plan.mine)?;
    let nodes = plan.nodes();
    let missing: Vec<&Node> = nodes.iter().filter(|node| running(repo, node).is_none()).collect();
    for node in &missing {
        require_free(node.port, &node.name)?;
    }
    if !missing.is_empty() {
        let programs = Programs::make(repo, &missing)?;
        plan.save(repo)?;
        for node in &missing {
            start(repo, programs.of(node)?, node)?;
        }
        if plan.partition.is_empty() {
            bring_together(repo, &programs, &nodes)?;
        } else {
            // Who comes back is where it was.
            let up: Vec<Node> = nodes.iter().filter(|node| running(repo, node).is_some()).cloned().collect();
            partition::apply(&up, &plan.partition)?;
        }
    }
    show(repo, &plan);
    Ok(())
}

/// Waits until nodes that have just been started know each other.
pub(super) fn bring_together(repo: &Repo, programs: &Programs, nodes: &[Node]) -> Result<(), String> {
    if nodes[0].in_cluster {
        members::make_cluster(repo, programs, nodes)?;
    }
    let (watchers, data) = watchers_and_data(nodes);
    sentinels::wait_until_met(&watchers, data.len().saturating_sub(1));
    Ok(())
}

fn start(repo: &Repo, program: &Path, node: &Node) -> Result<(), String> {
    let mut child = command(repo, program, node)?
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    note_process(repo, node, child.id())?;
    wait_until_ready(repo, node, &mut child).inspect_err(|_| {
        let _ = child.kill();
        let _ = child.wait();
        let _ = fs::remove_file(pid_path(repo, &node.name));
    })
}

/// Writes down that this process runs the node.
pub(super) fn note_process(repo: &Repo, node: &Node, pid: u32) -> Result<(), String> {
    repo::write(&pid_path(repo, &node.name), &format!("{pid}\n"))
}

/// Ends all nodes, also those that somebody has started again meanwhile. Returns how many there were.
pub(super) fn down(repo: &Repo) -> usize {
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
                if let Err(complaint) = process::kill(pid) {
                    println!("  {}: {complaint}", node.name);
                    continue;
                }
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
    stopped
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

/// Everything that there is to see.
fn picture(repo: &Repo, plan: &Plan) -> Picture {
    let nodes = plan.nodes();
    let running = |node: &Node| running(repo, node);
    let mut picture = match nodes[0].in_cluster {
        true => drawing::look(&nodes, running),
        false => {
            let (watchers, data) = watchers_and_data(&nodes);
            let mut picture = status::look(&data, running);
            let watching = sentinels::look(&watchers, &data, running);
            picture.lines.extend(watching.lines);
            picture.facts.extend(watching.facts);
            picture
        }
    };
    if !plan.partition.is_empty() {
        picture.lines.push(String::new());
        picture.lines.extend(partition::describe(&nodes, &plan.partition));
    }
    picture
}

fn watchers_and_data(nodes: &[Node]) -> (Vec<Node>, Vec<Node>) {
    nodes.iter().cloned().partition(|node| node.watches.is_some())
}

fn show(repo: &Repo, plan: &Plan) {
    let nodes = plan.nodes();
    let (watchers, _) = watchers_and_data(&nodes);
    println!();
    for line in picture(repo, plan).lines {
        println!("  {line}");
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
