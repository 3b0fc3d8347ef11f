use std::fs::OpenOptions;
use std::net::TcpListener;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use core_types::Frame;
use tempfile::TempDir;

use crate::{Client, programs, wait};

/// Whose server it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `ha-server`.
    Ours,
    /// `redis-server`.
    Redis,
    /// `valkey-server`, which is newer than the Redis that behaviour is settled by.
    Valkey,
}

impl Kind {
    /// The path of its program.
    ///
    /// # Panics
    /// If it is not installed. See [`redis_tool_or_skip`](crate::redis_tool_or_skip) and
    /// [`valkey_or_skip`](crate::valkey_or_skip).
    pub fn program(self) -> PathBuf {
        match self {
            Kind::Ours => programs::ha_server(),
            Kind::Redis => programs::redis_tool("redis-server").expect("redis-server is installed"),
            Kind::Valkey => programs::valkey_server().expect("valkey-server is installed"),
        }
    }
}

/// A server process with a directory of its own. It ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    port: u16,
    flags: Vec<String>,
    child: Child,
    dir: TempDir,
}

impl Server {
    /// Starts a server on a free port and waits until it answers. Flags of ours come first (port,
    /// directory, no persistence, no delay before a snapshot), so that `flags` win.
    ///
    /// # Panics
    /// If it does not answer; with its log.
    pub fn start(kind: Kind, flags: &[&str]) -> Server {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let mut port = free_port();
        let mut child = spawn(kind, port, &flags, dir.path());
        for _ in 0..5 {
            if wait::find("the server's start", || answer_or_end(&mut child, port)) {
                return Server { kind, port, flags, child, dir };
            }
            // A port that was free a moment ago may be taken now: then try another.
            let log = log_of(dir.path());
            assert!(log.contains("Address already in use"), "the server does not start:\n{log}");
            port = free_port();
            child = spawn(kind, port, &flags, dir.path());
        }
        panic!("no free port");
    }

    /// Whose it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its port as a word for a command.
    pub fn port_text(&self) -> String {
        self.port.to_string()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A new connection to it.
    pub fn client(&self) -> Client {
        Client::connect(self.port).expect("the server takes connections")
    }

    /// Sends one command on a connection of its own. Words are split at blanks.
    pub fn run(&self, command: &str) -> Frame {
        self.client().run(command)
    }

    /// Waits until it has loaded its files and serves commands. Right after its start it may not yet.
    pub fn wait_until_loaded(&self) {
        let mut client = self.client();
        wait::until(
            "the end of loading",
            || !matches!(client.run("PING"), Frame::Error(text) if text.starts_with("LOADING")),
        );
    }

    /// One field of `INFO replication`; empty if there is none.
    pub fn info(&self, field: &str) -> String {
        self.client().info(field)
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        log_of(self.dir.path())
    }

    /// Waits until a text is in its log.
    pub fn wait_for_log(&self, text: &str) {
        wait::until(&format!("`{text}` in the log:\n{}", self.log()), || self.log().contains(text));
    }

    /// Waits until it is a replica whose link is up.
    pub fn wait_for_link(&self) {
        let mut client = self.client();
        wait::until("master_link_status:up", || client.info("master_link_status") == "up");
    }

    /// Waits until everything that `master` has said up to now is applied here, and the other way round:
    /// until the offsets are equal and stay so while they are compared.
    pub fn wait_for_offset_of(&self, master: &Server) {
        self.wait_for_link();
        let (mut mine, mut other) = (self.client(), master.client());
        wait::until("equal offsets", || {
            let before = other.info("master_repl_offset");
            mine.info("slave_repl_offset") == before && other.info("master_repl_offset") == before
        });
    }

    /// True while the process lives.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it without warning, as a crash would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again with a file of these bytes in its directory.
    pub fn restart_with_file(&mut self, name: &str, bytes: &[u8]) {
        self.kill();
        std::fs::write(self.dir.path().join(name), bytes).expect("its directory takes a file");
        self.restart();
    }

    /// Starts it again on another port, and with more flags, which win.
    pub fn restart_at(&mut self, port: u16, flags: &[&str]) {
        self.port = port;
        self.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self.restart();
    }

    /// Starts it again on the same port, with the same flags.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.kind, self.port, &self.flags, self.dir.path());
        let answers = wait::find("the server's second start", || answer_or_end(&mut self.child, self.port));
        assert!(answers, "the server does not start again:\n{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- log of {:?} on port {} ---\n{}", self.kind, self.port, self.log());
        }
    }
}

fn spawn(kind: Kind, port: u16, flags: &[String], dir: &Path) -> Child {
    let log = OpenOptions::new().create(true).append(true).open(dir.join("log")).expect("a log file");
    let mut command = Command::new(kind.program());
    command.args(["--port", &port.to_string(), "--save", "", "--dir"]).arg(dir);
    command.args(["--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0"]).args(flags);
    // The pipe ends with us, however we end, and ours with it.
    command.env("HA_EXIT_WITH_PARENT", "1").stdin(Stdio::piped());
    command.stdout(log.try_clone().expect("a second handle")).stderr(log);
    command.spawn().expect("the server's program runs")
}

fn log_of(dir: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(dir.join("log")).unwrap_or_default()).into_owned()
}

/// `Some(true)` once it answers a `PING` (an error is an answer), `Some(false)` once it has ended.
fn answer_or_end(child: &mut Child, port: u16) -> Option<bool> {
    if !matches!(child.try_wait(), Ok(None)) {
        return Some(false);
    }
    let mut client = Client::connect(port).ok()?;
    match client.try_call(&["PING"]).ok()? {
        Frame::Error(text) if text.starts_with("LOADING") => return None,
        _ => {}
    }
    // Somebody else's server may have been faster at this port; ours then ends in a moment.
    match client.try_call(&["INFO", "server"]).ok()? {
        Frame::Bulk(text) => {
            let itself = format!("process_id:{}\r\n", child.id());
            String::from_utf8_lossy(&text).contains(&itself).then_some(true)
        }
        // It wants a password.
        _ => Some(true),
    }
}

/// A port of this machine that nobody listens on right now. It is none of those that the system hands out to
/// clients, so that no connection takes it a moment later.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(97);
    for _ in PORTS {
        let nth = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + (nth % u32::from(PORTS.end - PORTS.start)) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("all of the ports {PORTS:?} are taken");
}

/// Where servers listen.
const PORTS: Range<u16> = 12_000..32_000;
