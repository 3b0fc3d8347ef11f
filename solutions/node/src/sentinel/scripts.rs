//! Programs of the operator's: notified of events, told of a new master.
//!
//! They are run beside the sentinel and never waited for. What goes wrong is tried again, if the program asks for that
//! by its exit code; what takes too long is ended.

use std::collections::VecDeque;

use core_types::{LogLevel, Millis, Reply};

use super::{Output, Sentinel};

/// How many may wait and run (`SENTINEL_SCRIPT_MAX_QUEUE` in Redis's `sentinel.c`). With more, the oldest that
/// wait are dropped.
const MOST: usize = 256;
/// How many may run at a time (`SENTINEL_SCRIPT_MAX_RUNNING`).
const MOST_RUNNING: usize = 16;
/// How often one is tried (`SENTINEL_SCRIPT_MAX_RETRY`).
const TRIES: u32 = 10;

/// One run, or one to come.
#[derive(Debug)]
struct Script {
    id: u64,
    path: String,
    args: Vec<String>,
    running_since: Option<Millis>,
    /// Not before this time.
    not_before: Millis,
    tries: u32,
}

/// All that run or wait, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Scripts {
    list: VecDeque<Script>,
    next_id: u64,
}

impl Scripts {
    fn running(&self) -> usize {
        self.list.iter().filter(|script| script.running_since.is_some()).count()
    }

    /// How many run, and how many there are in all.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.running(), self.list.len())
    }
}

impl Sentinel {
    /// A program shall be run with these arguments.
    pub(super) fn schedule_script(&mut self, path: String, args: Vec<String>) {
        let scripts = &mut self.scripts;
        scripts.next_id += 1;
        let (id, not_before) = (scripts.next_id, Millis::ZERO);
        scripts.list.push_back(Script { id, path, args, running_since: None, not_before, tries: 0 });
        if scripts.list.len() > MOST
            && let Some(oldest) = scripts.list.iter().position(|script| script.running_since.is_none())
        {
            scripts.list.remove(oldest);
        }
    }

    /// Starts what is due, and ends what takes too long.
    pub(super) fn tick_scripts(&mut self) {
        let now = self.now;
        let longest = self.defaults.script_max_runtime;
        let late = |script: &&Script| script.running_since.is_some_and(|since| now.since(since) > longest);
        let late: Vec<(u64, String)> =
            self.scripts.list.iter().filter(late).map(|script| (script.id, script.path.clone())).collect();
        for (id, path) in late {
            self.event_plain(LogLevel::Warning, "-script-timeout", path);
            self.out.push(Output::EndScript { id });
        }
        while self.scripts.running() < MOST_RUNNING {
            let due = |script: &&mut Script| script.running_since.is_none() && now >= script.not_before;
            let Some(script) = self.scripts.list.iter_mut().find(due) else { return };
            script.running_since = Some(now);
            script.tries += 1;
            let run = Output::Script { id: script.id, path: script.path.clone(), args: script.args.clone() };
            self.out.push(run);
        }
    }

    /// A program has ended, with this exit code; `None`: by a signal, or it could not be started. Exit code 1 asks to
    /// be run again later, and so does a violent end; each time the wait is twice as long.
    pub(crate) fn script_ended(&mut self, now: Millis, id: u64, code: Option<i32>) {
        self.now = now;
        let Some(place) = self.scripts.list.iter().position(|script| script.id == id) else { return };
        let again = matches!(code, None | Some(1));
        let script = &mut self.scripts.list[place];
        if again && script.tries < TRIES {
            let factor = 1 << (script.tries - 1);
            script.running_since = None;
            script.not_before = now + Millis(self.defaults.script_retry_delay.0.saturating_mul(factor));
            return;
        }
        let Some(script) = self.scripts.list.remove(place) else { return };
        if code != Some(0) {
            let (signal, exit) = (u8::from(code.is_none()), code.unwrap_or(0));
            let text = format!("{} {signal} {exit}", script.path);
            self.event_plain(LogLevel::Warning, "-script-error", text);
        }
    }

    /// `SENTINEL PENDING-SCRIPTS`
    pub(super) fn show_scripts(&self, reply: &mut dyn Reply) {
        reply.array(self.scripts.list.len());
        for script in &self.scripts.list {
            let (flags, name, time) = match script.running_since {
                Some(since) => ("running", "run-time", self.now.since(since)),
                None => ("scheduled", "run-delay", script.not_before.since(self.now)),
            };
            reply.map(5);
            reply.bulk(b"argv");
            reply.array(1 + script.args.len());
            for word in std::iter::once(&script.path).chain(&script.args) {
                reply.bulk(word.as_bytes());
            }
            let fields = [
                ("flags", flags.to_string()),
                // Which number the system gave it is the driver's affair.
                ("pid", "0".into()),
                (name, time.0.to_string()),
                ("retry-num", script.tries.to_string()),
            ];
            for (name, value) in fields {
                reply.bulk(name.as_bytes());
                reply.bulk(value.as_bytes());
            }
        }
    }
}
