//! The child process: scores one exercise and writes what came of it to a report file.
//!
//! The report is a few lines: `run fixed` or `run 7` before each run of the answer, in careful mode one `event`
//! for each event of that run, and last `outcome {json}`. If the process dies, what is there tells how far it came.

use std::fs::File;
use std::io::Write;
use std::panic;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use std::{env, thread};

use serde_json::json;

use crate::compare::Window;
use crate::judge::{self, Plan};
use crate::{Lab, bound, knobs, snapshot};

/// As much stack as Rust gives to a thread or a test: deep recursion over a peer's input shows soon.
const STACK: usize = 2 << 20;

/// Events of the run that is going on. One run at a time in this process.
static EVENTS: AtomicUsize = AtomicUsize::new(0);
static CAREFUL: OnceLock<Mutex<File>> = OnceLock::new();

enum News {
    Starting,
    Outcome(Box<crate::verdict::Outcome>),
}

/// Runs in the child. `id` is the exercise.
pub(crate) fn main(lab: Lab, id: &str) -> ExitCode {
    let Some(path) = env::var_os(knobs::REPORT) else {
        eprintln!("{} is set without {}", knobs::CHILD, knobs::REPORT);
        return ExitCode::from(2);
    };
    let report = match File::options().append(true).open(&path) {
        Ok(file) => file,
        Err(error) => {
            eprintln!("cannot write the report {}: {error}", path.to_string_lossy());
            return ExitCode::from(2);
        }
    };
    if env::var_os(knobs::CAREFUL).is_some()
        && let Ok(file) = report.try_clone()
    {
        let _ = CAREFUL.set(Mutex::new(file));
    }
    sim::trace::watch(count_event);
    panic::set_hook(Box::new(judge::remember_panic));
    supervise(lab, id, &Arc::new(Mutex::new(report)));
    // Not a plain return: the answer's thread may still be busy for ever.
    std::process::exit(0)
}

fn count_event() {
    EVENTS.fetch_add(1, Relaxed);
    if let Some(file) = CAREFUL.get()
        && let Ok(mut file) = file.lock()
    {
        let _ = file.write_all(b"event\n");
    }
}

/// Lets a thread do the work and watches the clock over it.
fn supervise(lab: Lab, id: &str, report: &Arc<Mutex<File>>) {
    let (news, inbox) = mpsc::channel();
    let id = id.to_string();
    let worker = thread::Builder::new().name("answer".into()).stack_size(STACK);
    let notes = Arc::clone(report);
    let spawned = worker.spawn(move || work(&lab, &id, &notes, &news));
    if let Err(error) = spawned {
        line(report, &format!("fault cannot start a thread: {error}"));
        return;
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "the watch over an answer that does not come back needs a real clock"
    )]
    let begun = Instant::now();
    let (each, all) = (knobs::timeout(), knobs::timeout() * 6);
    // Until the answer's first run nothing of it is at work, and what is will end, however busy the machine.
    let mut patience = all;
    loop {
        match inbox.recv_timeout(patience) {
            Ok(News::Starting) if begun.elapsed() < all => patience = each,
            Ok(News::Starting) => return line(report, &stopped("slow", all)),
            Ok(News::Outcome(outcome)) => return line(report, &format!("outcome {}", outcome.to_json())),
            Err(RecvTimeoutError::Timeout) => return line(report, &stopped("loop", patience)),
            Err(RecvTimeoutError::Disconnected) => {
                return line(report, "fault the scoring thread ended without an outcome");
            }
        }
    }
}

fn stopped(kind: &str, limit: Duration) -> String {
    format!(
        "stopped {}",
        json!({ "kind": kind, "ms": limit.as_millis() as u64, "events": EVENTS.load(Relaxed) })
    )
}

fn work(lab: &Lab, id: &str, report: &Arc<Mutex<File>>, news: &mpsc::Sender<News>) {
    let subject = lab.subject.iter().find(|check| check.id == id);
    let reference = lab.reference.iter().find(|check| check.id == id);
    let (Some(subject), Some(reference)) = (subject, reference) else {
        return line(report, &format!("fault there is no exercise {id} in this suite"));
    };
    let snapshots = match snapshot::directory(lab.id) {
        Ok(directory) => directory,
        Err(complaint) => return line(report, &format!("fault {complaint}")),
    };
    bound::cap_memory(knobs::memory());
    let window = if env::var_os(knobs::FULL).is_some() { Window::FULL } else { Window::SHORT };
    let only = env::var(knobs::SEED).ok().and_then(|seed| seed.parse().ok());
    let plan = Plan { subject, reference, snapshots: &snapshots, only, window };
    let outcome = judge::judge(&plan, |seed| {
        EVENTS.store(0, Relaxed);
        line(report, &seed.map_or("run fixed".to_string(), |seed| format!("run {seed}")));
        let _ = news.send(News::Starting);
    });
    let _ = news.send(News::Outcome(Box::new(outcome)));
}

fn line(report: &Arc<Mutex<File>>, text: &str) {
    if let Ok(mut file) = report.lock() {
        // One write per line: a process that dies leaves whole lines.
        let _ = file.write_all(format!("{text}\n").as_bytes());
    }
}
