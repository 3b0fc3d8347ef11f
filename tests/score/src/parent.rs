//! The parent process: starts a child for each exercise and names what a child died of.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, mpsc};
use std::{env, process, thread};

use serde_json::Value;
use sim::trace::Trace;

use crate::compare::{self, Window};
use crate::verdict::{Outcome, Verdict};
use crate::{Check, Lab, fingerprint, knobs, snapshot};

/// How much of what an answer prints is kept: the end of it.
const PRINTED_BYTES: usize = 16 << 10;
const PRINTED_LINES: usize = 8;

/// How to run the children.
pub(crate) struct Options {
    pub(crate) seed: Option<u64>,
    pub(crate) full: bool,
    pub(crate) threads: usize,
}

/// Scores the exercises at `indexes` of the lab, a few at a time. Outcomes come in the same order.
pub(crate) fn score_all(lab: &Lab, indexes: &[usize], options: &Options) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(vec![None; indexes.len()]);
    thread::scope(|scope| {
        for _ in 0..options.threads.clamp(1, indexes.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let turn = next.fetch_add(1, Relaxed);
                    let Some(&index) = indexes.get(turn) else { return };
                    let outcome = score_one(lab, &lab.subject[index], options);
                    if let Ok(mut outcomes) = outcomes.lock() {
                        outcomes[turn] = Some(outcome);
                    }
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap_or_default();
    let missing =
        || Outcome::Failed(Box::new(Verdict::workbook("This exercise was not scored.", Vec::new())));
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect()
}

fn score_one(lab: &Lab, check: &Check, options: &Options) -> Outcome {
    let outcome = attempt(lab, check.id, options, false).and_then(|attempt| match attempt.report.outcome {
        Some(outcome) => Ok(with_printed(outcome, attempt.printed)),
        None => named_death(lab, check, options, attempt),
    });
    outcome.unwrap_or_else(|complaint| {
        Outcome::Failed(Box::new(Verdict::workbook("The scoring did not work:", vec![complaint])))
    })
}

/// One child from start to end.
struct Attempt {
    report: Report,
    status: Option<ExitStatus>,
    printed: String,
}

/// What the child wrote.
#[derive(Default)]
struct Report {
    /// The last run that was started: None before the first, Some(None) the fixed scenario.
    run: Option<Option<u64>>,
    events: usize,
    stopped: Option<Value>,
    fault: Option<String>,
    outcome: Option<Outcome>,
}

impl Report {
    fn parse(text: &str) -> Report {
        let mut report = Report::default();
        for line in text.lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "run" => {
                    report.run = Some(rest.parse().ok());
                    report.events = 0;
                }
                "event" => report.events += 1,
                "stopped" => {
                    report.stopped = serde_json::from_str(rest).ok();
                    let events = report.stopped.as_ref().and_then(|stopped| stopped["events"].as_u64());
                    report.events = events.unwrap_or(0) as usize;
                }
                "fault" => report.fault = Some(rest.to_string()),
                "outcome" => {
                    let value = serde_json::from_str(rest).ok();
                    report.outcome = value.as_ref().and_then(Outcome::from_json);
                }
                _ => {}
            }
        }
        report
    }
}

fn attempt(lab: &Lab, id: &str, options: &Options, careful: bool) -> Result<Attempt, String> {
    let report = ReportFile::create()?;
    let program = env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let mut command = Command::new(program);
    command
        .env(knobs::CHILD, id)
        .env(knobs::REPORT, &report.path)
        .env("INSTA_OUTPUT", "none")
        .env("INSTA_FORCE_PASS", "0")
        // The hook prints nothing; what is left is the runtime's own noise before it aborts.
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(root) = snapshot::root(lab.id) {
        command.env("INSTA_WORKSPACE_ROOT", root);
    }
    // Only the reference may write snapshots: accepting one must not turn red to green.
    if !lab.package.starts_with("solution-") {
        command.env("INSTA_UPDATE", "no");
    }
    for (name, set) in [(knobs::CAREFUL, careful), (knobs::FULL, options.full)] {
        if set {
            command.env(name, "1");
        }
    }
    if let Some(seed) = options.seed {
        command.env(knobs::SEED, seed.to_string());
    }
    let child = command.spawn().map_err(|error| format!("cannot start a process for {id}: {error}"))?;
    let (status, printed) = wait(child);
    let text = fs::read_to_string(&report.path).unwrap_or_default();
    Ok(Attempt { report: Report::parse(&text), status, printed })
}

/// Waits for the child, or ends it if it outlives even its own watch (a process that is stopped, say).
fn wait(mut child: Child) -> (Option<ExitStatus>, String) {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (done, ends) = mpsc::channel();
    let printed = Mutex::new(String::new());
    thread::scope(|scope| {
        let pipes = [stdout.map(boxed), stderr.map(boxed)];
        for pipe in pipes.into_iter().flatten() {
            let (done, printed) = (done.clone(), &printed);
            scope.spawn(move || {
                let tail = read_tail(pipe);
                if let Ok(mut printed) = printed.lock() {
                    printed.push_str(&tail);
                }
                let _ = done.send(());
            });
        }
        let patience = knobs::timeout() * 8;
        if ends.recv_timeout(patience).is_err() || ends.recv_timeout(patience).is_err() {
            let _ = child.kill();
        }
    });
    (child.wait().ok(), printed.into_inner().unwrap_or_default())
}

fn boxed(pipe: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    Box::new(pipe)
}

fn read_tail(mut pipe: Box<dyn Read + Send>) -> String {
    let mut tail = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(count @ 1..) = pipe.read(&mut chunk) {
        tail.extend_from_slice(&chunk[..count]);
        if tail.len() > 2 * PRINTED_BYTES {
            tail.drain(..tail.len() - PRINTED_BYTES);
        }
    }
    String::from_utf8_lossy(&tail).into_owned()
}

fn with_printed(mut outcome: Outcome, printed: String) -> Outcome {
    if let Outcome::Failed(verdict) = &mut outcome {
        let lines: Vec<_> = printed.lines().filter(|line| !line.trim().is_empty()).collect();
        let from = lines.len().saturating_sub(PRINTED_LINES);
        verdict.printed = lines[from..].iter().map(|line| (*line).to_string()).collect();
    }
    outcome
}

/// A child without an outcome: it was stopped, or it died. Finds out where, and says it in words.
fn named_death(lab: &Lab, check: &Check, options: &Options, first: Attempt) -> Result<Outcome, String> {
    if let Some(fault) = first.report.fault {
        return Err(fault);
    }
    let Some(seed) = first.report.run else {
        return Err(if first.report.stopped.is_some() {
            format!(
                "{} could not even begin: this machine is too busy. Try again, or give it more time: SCORE_TIMEOUT_MS",
                check.id
            )
        } else {
            format!("the process for {} ended before it began. It printed: {}", check.id, first.printed)
        });
    };
    let death = Death::of(&first);
    // A process that dies takes its trace along. Run it again, with a note for each event.
    let events = match first.report.stopped {
        Some(_) => first.report.events,
        None => attempt(lab, check.id, options, true)?.report.events,
    };
    let mut verdict = Verdict { seed, happened: death.sentence(), ..Verdict::default() };
    let mut next = None;
    let reference = lab.reference.iter().find(|reference| reference.id == check.id);
    if let Some(expected) = reference.and_then(|reference| rerun(reference, seed)) {
        let window = if options.full { Window::FULL } else { Window::SHORT };
        verdict.timeline = compare::stuck_timeline(&expected, events, window);
        next = verdict.timeline.last().map(|(_, line)| line.clone());
    }
    verdict.fingerprint = fingerprint::of_death(death.kind(), next.as_deref());
    let printed =
        first.printed.lines().filter(|line| !is_runtime_noise(line)).map(|line| format!("{line}\n"));
    Ok(with_printed(Outcome::Failed(Box::new(verdict)), printed.collect()))
}

fn rerun(reference: &Check, seed: Option<u64>) -> Option<Trace> {
    let mut trace = Trace::default();
    let result = match seed {
        None => (reference.scenario)(&mut trace),
        Some(seed) => (reference.family.as_ref()?.run)(seed, &mut trace),
    };
    result.ok().map(|()| trace)
}

/// What ended a child.
enum Death {
    Loop { seconds: f64 },
    Slow { seconds: f64 },
    Stack,
    Memory,
    Abort,
    Exit(String),
}

impl Death {
    fn of(attempt: &Attempt) -> Death {
        if let Some(stopped) = &attempt.report.stopped {
            let seconds = stopped["ms"].as_f64().unwrap_or(0.0) / 1000.0;
            return if stopped["kind"] == "slow" { Death::Slow { seconds } } else { Death::Loop { seconds } };
        }
        // What Rust's runtime prints before it aborts, on every platform.
        if attempt.printed.contains("has overflowed its stack") {
            Death::Stack
        } else if attempt.printed.contains("memory allocation of") {
            Death::Memory
        } else if attempt.status.is_some_and(|status| status.code().is_none()) {
            Death::Abort
        } else {
            Death::Exit(attempt.status.map_or("an unknown way".into(), |status| status.to_string()))
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Death::Loop { .. } => "loops",
            Death::Slow { .. } => "slow",
            Death::Stack => "overflows the stack",
            Death::Memory => "eats memory",
            Death::Abort => "aborts",
            Death::Exit(_) => "exits",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Death::Loop { seconds } => {
                format!(
                    "Your answer did not come back within {seconds} s, so it was stopped. A loop without an end?"
                )
            }
            Death::Slow { seconds } => format!(
                "All runs together took more than {seconds} s, so they were stopped. The answer is far too slow."
            ),
            Death::Stack => {
                "Your answer overflowed the stack: a recursion without an end, or as deep as its input."
                    .into()
            }
            Death::Memory => format!(
                "Your answer asked for more than {} MiB of memory. Something grows without bound, \
                 or a claimed length was believed.",
                knobs::memory() >> 20
            ),
            Death::Abort => {
                "Your answer aborted the process (a panic while another one unwinds does that too).".into()
            }
            Death::Exit(status) => format!("Your answer ended the process: {status}."),
        }
    }
}

fn is_runtime_noise(line: &str) -> bool {
    [
        "has overflowed its stack",
        "stack overflow",
        "memory allocation of",
        "fatal runtime error",
        "stack backtrace",
        "skipping backtrace",
        "RUST_BACKTRACE",
    ]
    .iter()
    .any(|noise| line.contains(noise))
}

/// A file in the temporary directory that goes away again.
struct ReportFile {
    path: PathBuf,
}

impl ReportFile {
    fn create() -> Result<ReportFile, String> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let directory = env::temp_dir();
        loop {
            let number = NUMBER.fetch_add(1, Relaxed);
            let path = directory.join(format!("score-{}-{number}.txt", process::id()));
            match try_create(&path) {
                Ok(()) => return Ok(ReportFile { path }),
                // Left behind by an earlier process with the same number.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < 10_000 => {}
                Err(error) => return Err(format!("cannot create {}: {error}", path.display())),
            }
        }
    }
}

fn try_create(path: &Path) -> std::io::Result<()> {
    File::options().write(true).create_new(true).open(path).map(|_| ())
}

impl Drop for ReportFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_tells_how_far_a_child_came() {
        let report = Report::parse("run fixed\nevent\nevent\nrun 7\nevent\n");
        assert_eq!((report.run, report.events), (Some(Some(7)), 1));
        assert!(report.outcome.is_none());
        let stopped = Report::parse("run fixed\nstopped {\"kind\":\"loop\",\"ms\":100,\"events\":3}\n");
        assert_eq!((stopped.run, stopped.events), (Some(None), 3));
        // A line that was cut off while the process died counts as nothing.
        assert!(Report::parse("run 1\noutcome {\"state\":\"pas").outcome.is_none());
    }
}
