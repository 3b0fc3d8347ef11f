use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use core_types::Frame;
use tempfile::TempDir;

use crate::{Client, Kind, free_port, wait};

/// The name under which the tests' sentinels watch their master.
pub const WATCHED: &str = "watched";

/// A sentinel process with a file of its own. It ends when this is dropped.
#[derive(Debug)]
pub struct Sentinel {
    kind: Kind,
    port: u16,
    child: Child,
    dir: TempDir,
}

/// What came of the start of a sentinel that does not start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The process's exit code.
    pub code: Option<i32>,
    /// What it printed, its name and version masked.
    pub text: String,
}

impl Sentinel {
    /// Starts a sentinel that watches the master on this port, and waits until it answers. Its rhythm is several
    /// times as fast as usual, so that a test need not wait for long. (`PING` no faster than that: a replica whose
    /// `INFO` is older than five of its periods is not promoted, and in a failover `INFO` comes once a second. For the
    /// same reason hellos are not faster either: four of their periods are the patience of those who do not lead with a
    /// replica that calls itself a master, and the leader may take that second to see that its own order was obeyed.)
    ///
    /// # Panics
    /// If it does not answer.
    pub fn start(kind: Kind, master: u16, quorum: usize) -> Sentinel {
        let sentinel = Sentinel::with_lines(kind, &watching(master, quorum));
        sentinel.hurry();
        sentinel
    }

    /// Starts a sentinel with these lines in its file, behind that of its port, and waits until it answers. Its rhythm
    /// is the usual one.
    ///
    /// # Panics
    /// If it does not start.
    pub fn with_lines(kind: Kind, lines: &str) -> Sentinel {
        Sentinel::try_with_lines(kind, lines).expect("the sentinel takes its file")
    }

    /// The same, or how it refuses the file.
    ///
    /// # Panics
    /// If it neither answers nor ends.
    pub fn try_with_lines(kind: Kind, lines: &str) -> Result<Sentinel, Refusal> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let port = free_port();
        std::fs::write(file_in(dir.path()), format!("port {port}\n{lines}")).expect("a file");
        let child = spawn(kind, dir.path());
        let mut sentinel = Sentinel { kind, port, child, dir };
        match sentinel.answer_or_end() {
            None => Ok(sentinel),
            Some(code) => Err(Refusal { code, text: refusal_in(&sentinel.log()) }),
        }
    }

    /// Makes its rhythm several times as fast as usual: see [`Sentinel::start`].
    ///
    /// # Panics
    /// If it refuses.
    pub fn hurry(&self) {
        let rhythm = "SENTINEL DEBUG ping-period 300 info-period 300 ask-period 100 publish-period 600";
        assert_eq!(self.run(rhythm), Frame::Simple("OK".into()));
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whose it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Sends one command on a connection of its own. Words are split at blanks.
    pub fn run(&self, command: &str) -> Frame {
        Client::connect(self.port).expect("the sentinel takes connections").run(command)
    }

    /// The port of the master, as it believes.
    pub fn master_port(&self) -> Option<u16> {
        match self.run(&format!("SENTINEL GET-MASTER-ADDR-BY-NAME {WATCHED}")) {
            Frame::Array(parts) => std::str::from_utf8(parts.get(1)?.as_bytes()?).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// One field of what it knows of its master.
    pub fn master_field(&self, name: &str) -> String {
        pair_value(&self.run(&format!("SENTINEL MASTER {WATCHED}")), name)
    }

    /// One field of what it knows of each replica, or of each other sentinel, in order.
    pub fn fields_of(&self, which: &str, name: &str) -> Vec<String> {
        let Frame::Array(list) = self.run(&format!("SENTINEL {which} {WATCHED}")) else { return Vec::new() };
        let mut values: Vec<String> = list.iter().map(|one| pair_value(one, name)).collect();
        values.sort();
        values
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        log_of(self.dir.path())
    }

    /// The file in which it keeps its state.
    pub fn file(&self) -> String {
        std::fs::read_to_string(file_in(self.dir.path())).unwrap_or_default()
    }

    /// Ends it without warning.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again, with the file that it has left.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.kind, self.dir.path());
        assert_eq!(self.answer_or_end(), None, "the sentinel does not start again:\n{}", self.log());
    }

    /// Waits until it answers (`None`), or has ended: then its exit code.
    fn answer_or_end(&mut self) -> Option<Option<i32>> {
        let port = self.port;
        wait::find("the sentinel's start", || {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(Some(status.code()));
            }
            Client::connect(port).ok()?.try_call(&["PING"]).ok().map(|_| None)
        })
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- log of the sentinel on port {} ---\n{}", self.port, self.log());
        }
    }
}

/// The lines of a file by which the tests' sentinels watch the master on this port.
pub fn watching(master: u16, quorum: usize) -> String {
    format!(
        "sentinel monitor {WATCHED} 127.0.0.1 {master} {quorum}\n\
         sentinel down-after-milliseconds {WATCHED} 1000\nsentinel failover-timeout {WATCHED} 6000\n"
    )
}

/// One value of a flat list of names and values; empty if it is not there.
pub fn pair_value(list: &Frame, name: &str) -> String {
    let Frame::Array(parts) = list else { return String::new() };
    let found = parts.chunks(2).find(|pair| pair[0].as_bytes() == Some(name.as_bytes()));
    let bytes = found.and_then(|pair| pair.get(1)?.as_bytes());
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

fn file_in(dir: &Path) -> PathBuf {
    dir.join("sentinel.conf")
}

/// What it printed when it refused its file, without lines of the log and without its name.
fn refusal_in(log: &str) -> String {
    let Some((_, text)) = log.split_once("*** FATAL CONFIG FILE ERROR (") else { return log.to_owned() };
    text.split_once(") ***\n").map_or(text, |(_, text)| text).to_owned()
}

fn spawn(kind: Kind, dir: &Path) -> Child {
    let log = OpenOptions::new().create(true).append(true).open(dir.join("log")).expect("a log file");
    let mut command = Command::new(kind.program());
    command.arg(file_in(dir)).arg("--sentinel").env("HA_EXIT_WITH_PARENT", "1").stdin(Stdio::piped());
    command.current_dir(dir).stdout(log.try_clone().expect("a second handle")).stderr(log);
    command.spawn().expect("the sentinel's program runs")
}

fn log_of(dir: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(dir.join("log")).unwrap_or_default()).into_owned()
}
