//! Servers for which the system has less than usual: fewer open files, or files that may not grow.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tempfile::TempDir;

use crate::{Client, Kind, free_port, wait};

/// A server process whose limits can be changed while it runs. It ends when this is dropped.
///
/// It is started through a shell, so that it inherits what can only be set before: it ignores the signal
/// for files that have reached their limit, and sees an error instead, as on a disk that is full.
#[derive(Debug)]
pub struct Fenced {
    kind: Kind,
    port: u16,
    prelude: String,
    flags: Vec<String>,
    child: Child,
    dir: TempDir,
}

impl Fenced {
    /// Starts a server without waiting for it. `prelude` is run by the shell first.
    pub fn start(kind: Kind, prelude: &str, flags: &[&str]) -> Fenced {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let port = free_port();
        let child = spawn(kind, port, prelude, &flags, dir.path());
        Fenced { kind, port, prelude: prelude.to_owned(), flags, child, dir }
    }

    /// Waits until it serves commands.
    ///
    /// # Panics
    /// If it ends instead; with its log.
    pub fn wait_until_it_serves(&mut self) {
        let serves = wait::find("a server that serves", || {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return Some(false);
            }
            let reply = Client::connect(self.port).ok()?.try_call(&["PING"]).ok()?;
            (reply == core_types::Frame::Simple("PONG".into())).then_some(true)
        });
        assert!(serves, "{:?} has ended:\n{}", self.kind, self.log());
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A new connection to it.
    pub fn client(&self) -> Client {
        Client::connect(self.port).expect("the server takes connections")
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.dir.path().join("log")).unwrap_or_default()).into_owned()
    }

    /// Waits until a text is in its log.
    pub fn wait_for_log(&self, text: &str) {
        wait::until(&format!("`{text}` in the log:\n{}", self.log()), || self.log().contains(text));
    }

    /// Waits until the process has ended by itself.
    pub fn wait_for_its_end(&mut self) -> ExitStatus {
        wait::find("the end of the process", || self.child.try_wait().ok().flatten())
    }

    /// From now on no file of it may grow beyond so many bytes; `None`: as long as there is room.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let pid = Pid::from_child(&self.child);
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(pid), Resource::Fsize, limit).expect("limits of a child can be set");
    }

    /// Kills it without warning and starts it again on the same port, without waiting for it.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.child = spawn(self.kind, self.port, &self.prelude, &self.flags, self.dir.path());
    }

    /// Kills it without warning, as a crash would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Fenced {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- log of {:?} on port {} ---\n{}", self.kind, self.port, self.log());
        }
    }
}

fn spawn(kind: Kind, port: u16, prelude: &str, flags: &[String], dir: &Path) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(dir.join("log")).expect("a log file");
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("trap '' XFSZ\n{prelude}\nexec \"$0\" \"$@\"")).arg(kind.program());
    command.args(["--port", &port.to_string(), "--save", "", "--dir"]).arg(dir);
    command.args(["--bind", "127.0.0.1"]).args(flags);
    command.env("HA_EXIT_WITH_PARENT", "1").stdin(Stdio::piped());
    command.stdout(log.try_clone().expect("a second handle")).stderr(log);
    command.process_group(0);
    command.spawn().expect("a shell runs")
}
