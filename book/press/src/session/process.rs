//! A child process whose output is read while it runs, and that never outlives its owner.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// How long to wait between two looks at something that cannot wake us.
const PAUSE: Duration = Duration::from_millis(5);

/// Time that is left for something.
#[derive(Clone, Copy)]
pub(super) struct Deadline(std::time::Instant);

#[expect(clippy::disallowed_methods, reason = "real processes run on the real clock")]
impl Deadline {
    pub(super) fn after(limit: Duration) -> Deadline {
        Deadline(std::time::Instant::now() + limit)
    }

    /// None once it has passed.
    pub(super) fn left(self) -> Option<Duration> {
        self.0.checked_duration_since(std::time::Instant::now()).filter(|left| !left.is_zero())
    }

    /// Lets a moment pass. False once the deadline has.
    pub(super) fn pause(self) -> bool {
        match self.left() {
            Some(left) => {
                std::thread::sleep(PAUSE.min(left));
                true
            }
            None => false,
        }
    }
}

/// What was printed so far, and whether more can come.
#[derive(Default)]
struct Output {
    lines: Vec<String>,
    ended: bool,
}

/// A running program. Dropping it kills it.
pub(super) struct Process {
    child: Child,
    /// What types at it, if it reads.
    typist: Option<ChildStdin>,
    output: Arc<(Mutex<Output>, Condvar)>,
}

impl Process {
    /// Starts `command`, whose output and errors are read together.
    pub(super) fn start(command: Command) -> Result<Process, String> {
        Process::begin(command, Stdio::null())
    }

    /// Starts a `command` that reads what is typed ([`Process::type_line`]).
    pub(super) fn start_to_type(command: Command) -> Result<Process, String> {
        Process::begin(command, Stdio::piped())
    }

    fn begin(mut command: Command, input: Stdio) -> Result<Process, String> {
        let failed = |error: std::io::Error| format!("cannot start it: {error}");
        let (reader, writer) = std::io::pipe().map_err(failed)?;
        command.stdin(input).stdout(writer.try_clone().map_err(failed)?).stderr(writer);
        let mut child = command.spawn().map_err(failed)?;
        // The command holds our copies of the pipe's end; while it lives, the reader sees no end.
        drop(command);
        let output = Arc::new((Mutex::new(Output::default()), Condvar::new()));
        let shared = Arc::clone(&output);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(reader);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_string();
                line.clear();
                let (output, changed) = &*shared;
                output.lock().expect("no reader panics").lines.push(text);
                changed.notify_all();
            }
            let (output, changed) = &*shared;
            output.lock().expect("no reader panics").ended = true;
            changed.notify_all();
        });
        Ok(Process { typist: child.stdin.take(), child, output })
    }

    /// Types a line.
    pub(super) fn type_line(&mut self, line: &str) -> Result<(), String> {
        let typist = self.typist.as_mut().ok_or("nobody reads what is typed")?;
        typist.write_all(format!("{line}\n").as_bytes()).map_err(|error| format!("it does not read: {error}"))
    }

    /// Nothing more will be typed; a client ends by that.
    pub(super) fn stop_typing(&mut self) {
        self.typist = None;
    }

    /// What Ctrl-C does to it.
    pub(super) fn interrupt(&mut self) {
        let asked = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        // A system without that command: then it ends in another way.
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
    }

    /// Waits until `enough` accepts what was printed, or nothing more can come, or time is up. Returns what
    /// was printed.
    pub(super) fn output(&self, deadline: Deadline, enough: impl Fn(&[String]) -> bool) -> Vec<String> {
        let (output, changed) = &*self.output;
        let mut guard = output.lock().expect("no reader panics");
        while !guard.ended && !enough(&guard.lines) {
            let Some(left) = deadline.left() else { break };
            guard = changed.wait_timeout(guard, left).expect("no reader panics").0;
        }
        guard.lines.clone()
    }

    /// Waits for the end. None if it does not come in time.
    pub(super) fn wait(&mut self, deadline: Deadline) -> Option<ExitStatus> {
        loop {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            if !deadline.pause() {
                return None;
            }
        }
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill, and `wait` still collects it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
