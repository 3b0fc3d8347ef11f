//! `cargo workbook start`: the book and the nodes it talks about, until Ctrl-C.
//!
//! Nothing stays behind: a node ends when the pipe to its standard input closes (`HA_EXIT_WITH_PARENT`), which the
//! operating system does for us even if this process is killed. The book press knows no such switch, so a tender
//! ([`tend`], this same program) waits on the pipe for it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;
use std::{env, fs, thread};

use colored::Colorize;

use super::building::{Wanted, build};
use super::programs::{self, Programs};
use super::shape::{FIRST_PORT, Node, Plan, Shape, Wish};
use super::{
    cluster, command, log_path, log_tail, members, pause, require_free, room, sentinels, wait_until_ready,
};
use crate::repo::Repo;

const BOOK_PORT: u16 = 3000;
/// As the alias `cargo book` has it: what one has built, the other needs not build again.
const BOOK_OPTIONS: [&str; 4] = ["--profile", "book", "--target-dir", "target/book"];
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A child and the log it writes.
struct Part {
    name: String,
    child: Child,
    log: PathBuf,
    /// A node may crash: that is what it is there for. Without the book there is nothing to go on with.
    is_node: bool,
}

/// Everything that was started; stopped when it goes out of scope, however that comes.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Drop for Parts {
    fn drop(&mut self) {
        for part in &mut self.0 {
            // Closing its standard input is the signal.
            drop(part.child.stdin.take());
        }
        for part in self.0.iter_mut().rev() {
            let mut patience = 40;
            while patience > 0 && matches!(part.child.try_wait(), Ok(None)) {
                pause();
                patience -= 1;
            }
            let _ = part.child.kill();
            let _ = part.child.wait();
        }
    }
}

/// Serves the book and runs the nodes: a cluster of six if nothing else is wished for.
pub(crate) fn start(repo: &Repo, wish: &Wish) -> Result<(), String> {
    let plan = Plan::of(&wish.clone().or_shape(Shape::Cluster))?;
    programs::require_layers(repo, &plan.mine)?;
    for node in &plan.nodes() {
        require_free(node.port, &node.name)?;
    }
    require_free(BOOK_PORT, "the book")?;
    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = stop.send(());
    })
    .map_err(|error| format!("cannot listen for Ctrl-C: {error}"))?;
    let mut parts = Parts::default();
    let served = serve(repo, &plan, &mut parts, &stopped);
    let was_stopped = served.is_ok() || stopped.try_recv().is_ok();
    if was_stopped {
        println!("\n  Stopping the nodes and the book.");
    }
    drop(parts);
    // And the nodes that `cluster up` has started again meanwhile.
    cluster::down(repo);
    // Ctrl-C while something was being built or started: the rest is only its echo.
    served.or_else(|complaint| if was_stopped { Ok(()) } else { Err(complaint) })
}

/// The book comes first: there is something to read while the nodes are built.
fn serve(repo: &Repo, plan: &Plan, parts: &mut Parts, stopped: &Receiver<()>) -> Result<(), String> {
    println!("\n  First the book, then {} beside it.", plan.describe());
    println!(
        "  What is not built yet is built now. The first time that takes minutes, later ones a moment.\n"
    );
    let press =
        Wanted { what: "the book's press", package: "book", binaries: &["book"], options: &BOOK_OPTIONS };
    let press = build(repo, &press)?.pop().ok_or("one program was asked for")?;
    parts.0.push(serve_book(repo, &press)?);
    println!("  Drawing the pages …");
    if !wait_for_book(parts, stopped)? {
        return Ok(());
    }
    println!("  {}   http://127.0.0.1:{BOOK_PORT}   and the nodes come while you do", "Read".bold());
    let nodes = plan.nodes();
    let programs = Programs::make(repo, &nodes.iter().collect::<Vec<_>>())?;
    println!("  Starting {} nodes …", nodes.len());
    // From now on the other commands know these nodes.
    plan.save(repo)?;
    for node in &nodes {
        // What an earlier run has left, if it was ended by force.
        let directory = room(repo).join(&node.name);
        members::forget(&directory);
        sentinels::forget(&directory);
        let program = programs.of(node)?;
        let child = command(repo, program, node)?
            .env("HA_EXIT_WITH_PARENT", "1")
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        cluster::note_process(repo, node, child.id())?;
        let log = log_path(repo, node);
        parts.0.push(Part { name: node.name.clone(), child, log, is_node: true });
        let part = parts.0.last_mut().ok_or("just pushed")?;
        wait_until_ready(repo, node, &mut part.child)?;
    }
    cluster::bring_together(repo, &programs, &nodes)?;
    greet(repo, plan);
    loop {
        match stopped.recv_timeout(LOOK_EVERY) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => look_after(parts)?,
        }
    }
}

fn serve_book(repo: &Repo, press: &PathBuf) -> Result<Part, String> {
    let log = room(repo).join("book.log");
    let complain = |error: io::Error| format!("cannot start the book: {error}");
    // The book is the first to live there.
    fs::create_dir_all(room(repo)).map_err(complain)?;
    let file = File::create(&log).map_err(complain)?;
    let tender = env::current_exe().map_err(complain)?;
    let child = Command::new(tender)
        .arg("tend")
        .arg(press)
        .args(["serve", "--port", &BOOK_PORT.to_string()])
        .current_dir(&repo.root)
        .stdin(Stdio::piped())
        .stdout(file.try_clone().map_err(complain)?)
        .stderr(file)
        .spawn()
        .map_err(complain)?;
    Ok(Part { name: "the book".into(), child, log, is_node: false })
}

/// Waits for the first page. False: somebody has lost patience.
fn wait_for_book(parts: &mut Parts, stopped: &Receiver<()>) -> Result<bool, String> {
    // A first rendering of all chapters takes a while on a small machine.
    for _ in 0..1500 {
        look_after(parts)?;
        if book_answers() {
            return Ok(true);
        }
        if stopped.recv_timeout(LOOK_EVERY).is_ok() {
            return Ok(false);
        }
    }
    Err(format!("the book is not served on port {BOOK_PORT}"))
}

/// The press listens before it has pages: what counts is an answer.
fn book_answers() -> bool {
    let ask = || -> io::Result<usize> {
        let mut stream = TcpStream::connect(("127.0.0.1", BOOK_PORT))?;
        stream.set_read_timeout(Some(LOOK_EVERY))?;
        stream.write_all(b"HEAD / HTTP/1.0\r\n\r\n")?;
        stream.read(&mut [0; 64])
    };
    ask().is_ok_and(|length| length > 0)
}

/// Says which nodes have ended. That the book has is an error.
fn look_after(parts: &mut Parts) -> Result<(), String> {
    let mut complaint = None;
    parts.0.retain_mut(|part| {
        let Ok(Some(status)) = part.child.try_wait() else { return true };
        let what = format!("{} has ended ({status}).", part.name);
        // Nobody sends a signal by accident, but a node that ends by itself has a reason.
        let log =
            if status.code().is_some_and(|code| code != 0) { log_tail(&part.log) } else { String::new() };
        match part.is_node {
            true => println!("\n  {what} Start it again: cargo workbook cluster up\n{log}"),
            false => complaint = Some(format!("{what}\n{}", log_tail(&part.log))),
        }
        false
    });
    complaint.map_or(Ok(()), Err)
}

fn greet(repo: &Repo, plan: &Plan) {
    let nodes = plan.nodes();
    let flag = if nodes[0].in_cluster { "-c " } else { "" };
    let last = nodes.iter().rfind(|node| node.watches.is_none()).map_or(FIRST_PORT, |node| node.port);
    println!("\n  {}   http://127.0.0.1:{BOOK_PORT}", "Read".bold());
    println!("  {}   in a second terminal:\n", "Type".bold());
    println!("      cargo run -q -p server --bin ha-cli -- {flag}-p {FIRST_PORT} SET greeting hello");
    println!("      cargo run -q -p server --bin ha-cli -- {flag}-p {last} GET greeting");
    println!(
        "      cargo workbook cluster status --watch   {}",
        "then, in a third one, kill what you like:".dimmed()
    );
    println!("      cargo workbook cluster kill {}", nodes.get(1).map_or(0, Node::number));
    println!("      cargo test -p lab-0\n");
    println!("  {}", described(plan, last));
    println!("  Logs are in {}. Ctrl-C stops everything.", room(repo).display());
}

/// Who listens where.
fn described(plan: &Plan, last: u16) -> String {
    let what = match plan.shape {
        Shape::Cluster => {
            return format!(
                "Six nodes listen on {FIRST_PORT} to {last}: three masters that share the slots, and a replica of each."
            );
        }
        Shape::Pair => return format!("A master listens on {FIRST_PORT}, its replica on {last}."),
        _ => plan.describe(),
    };
    format!("It is {what}: the master listens on {FIRST_PORT}, the others on the ports behind it.")
}

/// Runs a command until it ends or standard input closes; then ends it. For `start` only.
pub(crate) fn tend(words: &[String]) -> Result<bool, String> {
    let (program, arguments) = words.split_first().ok_or("tend needs a command")?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start {program}: {error}"))?;
    let (closed, closes) = mpsc::channel();
    thread::spawn(move || {
        // Whatever comes is thrown away; what counts is the end.
        let mut buffer = [0; 64];
        while let Ok(1..) = io::stdin().read(&mut buffer) {}
        let _ = closed.send(());
    });
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Ok(status.success());
        }
        if closes.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout) {
            let _ = child.kill();
            let _ = child.wait();
            return Ok(true);
        }
    }
}
