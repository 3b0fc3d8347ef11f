//! `score`, `watch` and the overview.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{env, fs};

use colored::Colorize;
use notify::{RecursiveMode, Watcher};
use serde_json::{Value, json};

use crate::exercises;
use crate::progress::Progress;
use crate::repo::{Lab, Repo};

/// An editor saves in several steps; wait until it is quiet for this long.
const QUIET: Duration = Duration::from_millis(40);

/// The cargo that runs us, so that a toolchain override holds for what we start too.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// `cargo workbook` without more: where you are, and what next.
pub(crate) fn overview(repo: &Repo) -> Result<(), String> {
    let progress = Progress::load(repo)?;
    progress.save(repo)?;
    println!("\n  {}\n", "Redis High Availability by Hand".bold());
    let mut next = None;
    let widest = repo.labs.iter().map(|lab| lab.title.chars().count()).max().unwrap_or(0);
    for lab in &repo.labs {
        let exercises = exercises::load(repo, lab)?;
        let of: u64 = exercises.iter().map(|exercise| exercise.points).sum();
        let points: u64 = exercises
            .iter()
            .filter(|exercise| progress.passed(&exercise.id))
            .map(|exercise| exercise.points)
            .sum();
        if next.is_none() {
            let open = exercises.iter().find(|exercise| !progress.passed(&exercise.id));
            next = open.map(|exercise| (lab.clone(), exercise.clone()));
        }
        println!("  {:>2}  {:<widest$}  {}  {points} of {of}", lab.id, lab.title, bar(points, of));
    }
    println!();
    match next {
        Some((lab, exercise)) => {
            println!("  {}  {} {}", "Next".bold(), exercise.id, exercise.title);
            println!("        read the book, {}", exercise.chapter);
            println!("        write    {}/{}", crate::repo::slashes(&lab.lab), exercise.file);
            println!("        score    cargo test -p {}", lab.package());
            println!("        stuck?   cargo workbook hint {}\n", exercise.id);
        }
        None => println!("  Every exercise so far passes.\n"),
    }
    println!("  Three ways in");
    println!("        read     cargo workbook start       the book, and the nodes it talks about");
    println!("        write    cargo workbook watch 0     a score at each save");
    println!("        run      cargo workbook cluster up  the reference nodes, for redis-cli or ha-cli\n");
    Ok(())
}

fn bar(points: u64, of: u64) -> String {
    const WIDTH: u64 = 20;
    let full = (points * WIDTH).checked_div(of).unwrap_or(0);
    let text: String = (0..WIDTH).map(|at| if at < full { '█' } else { '░' }).collect();
    if of > 0 && points == of { text.green().to_string() } else { text }
}

/// Which labs to score: the one asked for, all, or the first that is not done.
pub(crate) fn chosen(repo: &Repo, id: Option<u32>, all: bool) -> Result<Vec<Lab>, String> {
    if let Some(id) = id {
        return repo.lab(id).map(|lab| vec![lab.clone()]);
    }
    if all {
        return Ok(repo.labs.clone());
    }
    let progress = Progress::load(repo)?;
    for lab in &repo.labs {
        let exercises = exercises::load(repo, lab)?;
        if exercises.iter().any(|exercise| !progress.passed(&exercise.id)) {
            return Ok(vec![lab.clone()]);
        }
    }
    Ok(repo.labs.iter().rev().take(1).cloned().collect())
}

/// Scores labs one after the other. Returns true if everything passes.
pub(crate) fn score_all(repo: &Repo, labs: &[Lab], json: bool) -> Result<bool, String> {
    let mut reports = Vec::new();
    let mut passed = true;
    for lab in labs {
        let report = score(repo, lab, !json)?;
        passed &= report["points"] == report["of"] && report["error"].is_null();
        reports.push(report);
    }
    if json {
        let one = if reports.len() == 1 { reports.remove(0) } else { Value::Array(reports) };
        println!("{one:#}");
    }
    Ok(passed)
}

/// Scores one lab and remembers the result. One that comes to no score has an `error` instead of exercises.
fn score(repo: &Repo, lab: &Lab, show: bool) -> Result<Value, String> {
    let Some(report) = run_suite(repo, &lab.package(), show)? else {
        let of: u64 = exercises::load(repo, lab)?.iter().map(|exercise| exercise.points).sum();
        let error = format!("cargo test -p {} comes to no score; does it compile?", lab.package());
        return Ok(json!({"lab": lab.id, "points": 0, "of": of, "exercises": [], "error": error}));
    };
    let mut progress = Progress::load(repo)?;
    progress.absorb(&report);
    progress.save(repo)?;
    // So that an older result of `cargo test` does not win over this one.
    let _ = fs::remove_file(crate::progress::last_score(repo, lab));
    Ok(report)
}

/// Builds and runs the suite of a package. None if it did not come to a score (it does not compile, say).
pub(crate) fn run_suite(repo: &Repo, package: &str, show: bool) -> Result<Option<Value>, String> {
    let path = Scratch(env::temp_dir().join(format!("workbook-{}-{package}.json", std::process::id())));
    let mut command = cargo();
    command.current_dir(&repo.root).args(["test", "--quiet", "--package", package, "--test", "score"]);
    command.env("SCORE_JSON", &path.0).stdin(Stdio::null());
    // Captured, and shown in a better order: warnings first, the screen last.
    if show && io::stdout().is_terminal() {
        command.args(["--color", "always"]).env("CLICOLOR_FORCE", "1");
    }
    let output = command.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    let report = fs::read_to_string(&path.0).ok().and_then(|text| serde_json::from_str(&text).ok());
    if show || report.is_none() {
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            // That it failed is what the screen says.
            if report.is_none() || !line.contains("test failed, to rerun pass") {
                eprintln!("{line}");
            }
        }
    }
    if show {
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }
    Ok(report)
}

/// A file that goes away again.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Scores at each save, until Ctrl-C.
pub(crate) fn watch(repo: &Repo, lab: &Lab) -> Result<(), String> {
    let (saved, saves) = mpsc::channel();
    let notice = move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| event.kind.is_create() || event.kind.is_modify() || event.kind.is_remove())
        {
            let _ = saved.send(());
        }
    };
    let complain = |error: notify::Error| format!("cannot watch {}: {error}", lab.lab.display());
    let mut watcher = notify::recommended_watcher(notice).map_err(complain)?;
    watcher.watch(&repo.path(&lab.lab).join("src"), RecursiveMode::Recursive).map_err(complain)?;
    loop {
        // Clear the screen and go to its top.
        if io::stdout().is_terminal() {
            print!("\x1b[2J\x1b[H");
        }
        score(repo, lab, true)?;
        println!("  Watching {}. Save a file to score again; Ctrl-C ends.", lab.lab.display());
        if saves.recv().is_err() {
            return Ok(());
        }
        while saves.recv_timeout(QUIET) != Err(RecvTimeoutError::Timeout) {}
    }
}
