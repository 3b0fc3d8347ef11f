//! `cargo workbook start`: the book and the nodes it talks about, until Ctrl-C.
//!
//! Nothing stays behind: a node ends when the pipe to its standard input closes (`HA_EXIT_WITH_PARENT`), which the
//! operating system does for us even if this process is killed. The book press knows no such switch, so a tender
//! ([`tend`], this same program) waits on the pipe for it.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;
use std::{env, thread};

use colored::Colorize;

use super::shape::Plan;
use super::{build, build_server, command, log_path, log_tail, pause, require_free, room, wait_until_ready};
use crate::repo::Repo;

const BOOK_PORT: u16 = 3000;
/// The alias `cargo book` builds there too.
const BOOK_TARGET: &str = "target/book";
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A child and the log it writes.
struct Part {
    name: String,
    child: Child,
    log: PathBuf,
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

/// Serves the book and runs the nodes.
pub(crate) fn start(repo: &Repo) -> Result<(), String> {
    for node in &Plan::default().nodes() {
        require_free(node.port, &node.name)?;
    }
    require_free(BOOK_PORT, "the book")?;
    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = stop.send(());
    })
    .map_err(|error| format!("cannot listen for Ctrl-C: {error}"))?;
    let mut parts = Parts::default();
    match serve(repo, &mut parts, &stopped) {
        Err(complaint) if stopped.try_recv().is_err() => return Err(complaint),
        // Ctrl-C while something was being built or started: the rest is only its echo.
        Err(_) | Ok(()) => {}
    }
    println!("\n  Stopping the nodes and the book.");
    Ok(())
}

fn serve(repo: &Repo, parts: &mut Parts, stopped: &Receiver<()>) -> Result<(), String> {
    println!("  Building the nodes and the book. The first time takes a few minutes, later ones a moment.");
    let server = build_server(repo, &[])?;
    for node in &Plan::default().nodes() {
        let child = command(repo, &server, node)?
            .env("HA_EXIT_WITH_PARENT", "1")
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", server.display()))?;
        parts.0.push(Part { name: node.name.clone(), child, log: log_path(repo, node) });
        let part = parts.0.last_mut().ok_or("just pushed")?;
        wait_until_ready(repo, node, &mut part.child)?;
    }
    let press = build(repo, "book", "book", &["--target-dir", BOOK_TARGET])?;
    parts.0.push(serve_book(repo, &press)?);
    wait_for_book(parts, stopped)?;
    greet(repo);
    loop {
        match stopped.recv_timeout(LOOK_EVERY) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => require_alive(parts)?,
        }
    }
}

fn serve_book(repo: &Repo, press: &PathBuf) -> Result<Part, String> {
    let log = room(repo).join("book.log");
    let complain = |error: io::Error| format!("cannot start the book: {error}");
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
    Ok(Part { name: "the book".into(), child, log })
}

fn wait_for_book(parts: &mut Parts, stopped: &Receiver<()>) -> Result<(), String> {
    // A first rendering of all chapters takes a while on a small machine.
    for _ in 0..600 {
        require_alive(parts)?;
        if std::net::TcpStream::connect(("127.0.0.1", BOOK_PORT)).is_ok() {
            return Ok(());
        }
        if stopped.recv_timeout(LOOK_EVERY).is_ok() {
            return Ok(());
        }
    }
    Err(format!("the book is not served on port {BOOK_PORT}"))
}

fn require_alive(parts: &mut Parts) -> Result<(), String> {
    for part in &mut parts.0 {
        if let Ok(Some(status)) = part.child.try_wait() {
            return Err(format!("{} has ended ({status}).\n{}", part.name, log_tail(&part.log)));
        }
    }
    Ok(())
}

fn greet(repo: &Repo) {
    println!("\n  {}   http://127.0.0.1:{BOOK_PORT}", "Read".bold());
    println!("  {}   in a second terminal:\n", "Type".bold());
    println!("      cargo run -q -p server --bin ha-cli -- -p 7000 SET greeting hello");
    println!("      cargo run -q -p server --bin ha-cli -- -p 7001 GET greeting");
    println!("      cargo test -p lab-0\n");
    println!("  A master listens on 7000, its replica on 7001 (redis-cli works too).");
    println!("  Logs are in {}. Ctrl-C stops everything.", room(repo).display());
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
