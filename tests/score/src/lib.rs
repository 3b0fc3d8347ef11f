//! The harness behind `cargo test -p lab-N`.
//!
//! A suite is a list of [`Check`]s, built twice: against the answers under test and against the reference
//! answers. Each check has a fixed scenario and may have a family of scenarios made from seeds. [`main`] runs each
//! exercise in a process of its own, so that no answer can break the screen: a panic, a loop, a deep recursion and
//! runaway memory are caught and named. Then it prints one screen: the exercises, the score, and for the first that
//! fails the verdict.
//!
//! What decides: the answer's fixed run must equal the reference's, line by line, which in turn must equal the
//! snapshot in `tests/lab-N/snapshots`; no rule may be broken; and each seed of the family must pass likewise.
//! A panic from `todo!("lab 3.2: …")` counts as "not started".
//!
//! Knobs for tools: `SCORE_JSON=file`, `SCORE_TIMEOUT_MS`, `SCORE_MEMORY_MB`, `SCORE_SNAPSHOTS=directory`.

mod args;
mod bound;
mod catalog;
mod child;
mod compare;
mod fingerprint;
mod judge;
mod knobs;
mod lab;
mod parent;
mod report;
mod screen;
mod snapshot;
mod verdict;

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;
use std::{env, thread};

use libtest_mimic::{Arguments, ColorSetting, FormatSetting};

pub use bound::peak_bytes;
pub use lab::{Check, Family, Lab};

/// Scores `lab` as the command line asks and prints one screen. Success only if every exercise passes.
pub fn main(lab: Lab) -> ExitCode {
    if let Ok(id) = env::var(knobs::CHILD) {
        return child::main(lab, &id);
    }
    let (rest, seed) = match args::take_seed(env::args_os()) {
        Ok(taken) => taken,
        Err(complaint) => return refuse(&complaint),
    };
    let request = args::Request { arguments: Arguments::from_iter(rest), seed };
    let catalog = match catalog::Catalog::parse(lab.catalog) {
        Ok(catalog) => catalog,
        Err(error) => return refuse(&format!("tests/lab-{}/catalog.json: {error}", lab.id)),
    };
    run(&lab, &catalog, &request)
}

fn run(lab: &Lab, catalog: &catalog::Catalog, request: &args::Request) -> ExitCode {
    let arguments = &request.arguments;
    let exercises: Vec<_> = lab.subject.iter().map(|check| catalog.exercise(check.id)).collect();
    let names: Vec<_> =
        exercises.iter().map(|exercise| (exercise.id.clone(), exercise.title.clone())).collect();
    let chosen = args::select(arguments, &names);
    if arguments.list {
        return list(arguments, &names, &chosen);
    }
    match arguments.color {
        Some(ColorSetting::Always) => colored::control::set_override(true),
        Some(ColorSetting::Never) => colored::control::set_override(false),
        Some(ColorSetting::Auto) | None => {}
    }
    #[expect(clippy::disallowed_methods, reason = "only for `finished in 0.21s`")]
    let begun = Instant::now();
    let options = parent::Options {
        seed: request.seed,
        full: request.seed.is_some() || (chosen.len() == 1 && lab.subject.len() > 1),
        threads: arguments
            .test_threads
            .or_else(|| thread::available_parallelism().ok().map(usize::from))
            .unwrap_or(1),
    };
    let outcomes = parent::score_all(lab, &chosen, &options);
    let rows: Vec<_> = chosen
        .iter()
        .zip(outcomes)
        .map(|(&index, outcome)| screen::Row { exercise: exercises[index].clone(), outcome })
        .collect();
    let screen = screen::Screen {
        lab: lab.id,
        title: &catalog.title,
        package: lab.package,
        layer: catalog.layer,
        rows: &rows,
        filtered_out: lab.subject.len() - chosen.len(),
        seed: request.seed,
        seconds: begun.elapsed().as_secs_f64(),
    };
    // Not `print!`: `cargo test -p lab-0 | head` closes the pipe, and that is no reason to panic.
    let _ = std::io::stdout().write_all(screen.render().as_bytes());
    if let Err(complaint) = report::write(&screen) {
        return refuse(&complaint);
    }
    let passed = rows.iter().all(|row| row.outcome.state() == "passed");
    if passed { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

/// The shape that IDEs and nextest expect.
fn list(arguments: &Arguments, names: &[(String, String)], chosen: &[usize]) -> ExitCode {
    for &index in chosen {
        println!("{}: test", names[index].0);
    }
    if arguments.format != Some(FormatSetting::Terse) {
        println!("\n{} tests, 0 benchmarks", chosen.len());
    }
    ExitCode::SUCCESS
}

fn refuse(complaint: &str) -> ExitCode {
    eprintln!("error: {complaint}");
    ExitCode::from(2)
}
