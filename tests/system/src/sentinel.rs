use std::fs::OpenOptions;
use std::process::{Child, Command, Stdio};

use core_types::Frame;
use tempfile::TempDir;

use crate::{Client, Kind, free_port, programs, redis_tool, wait};

/// The name under which the tests' sentinels watch their master.
pub const WATCHED: &str = "watched";

/// A sentinel process with a file of its own. It ends when this is dropped.
#[derive(Debug)]
pub struct Sentinel {
    port: u16,
    child: Child,
    dir: TempDir,
}

impl Sentinel {
    /// Starts a sentinel that watches the master on this port, and waits until it answers. Its rhythm is several
    /// times as fast as usual, so that a test need not wait for long. (`PING` no faster than that: a replica whose
    /// `INFO` is older than five of its periods is not promoted, and in a failover `INFO` comes once a second.)
    ///
    /// # Panics
    /// If it does not answer.
    pub fn start(kind: Kind, master: u16, quorum: usize) -> Sentinel {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let port = free_port();
        let file = dir.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nsentinel monitor {WATCHED} 127.0.0.1 {master} {quorum}\n\
             sentinel down-after-milliseconds {WATCHED} 1000\nsentinel failover-timeout {WATCHED} 6000\n"
        );
        std::fs::write(&file, text).expect("a file");
        let program = match kind {
            Kind::Ours => programs::ha_server(),
            Kind::Redis => redis_tool("redis-server").expect("redis-server is installed"),
        };
        let log =
            OpenOptions::new().create(true).append(true).open(dir.path().join("log")).expect("a log file");
        let mut command = Command::new(program);
        command.arg(&file).arg("--sentinel").env("HA_EXIT_WITH_PARENT", "1").stdin(Stdio::piped());
        command.stdout(log.try_clone().expect("a second handle")).stderr(log);
        let sentinel = Sentinel { port, child: command.spawn().expect("the sentinel's program runs"), dir };
        wait::until("the sentinel's start", || {
            Client::connect(port).is_ok_and(|mut client| client.try_call(&["PING"]).is_ok())
        });
        let rhythm = "SENTINEL DEBUG ping-period 300 info-period 300 ask-period 100 publish-period 200";
        assert_eq!(sentinel.run(rhythm), Frame::Simple("OK".into()));
        sentinel
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
        let Frame::Array(parts) = self.run(&format!("SENTINEL MASTER {WATCHED}")) else {
            return String::new();
        };
        let mut pairs = parts.chunks(2);
        let found = pairs.find(|pair| pair[0].as_bytes() == Some(name.as_bytes()));
        let value = found.and_then(|pair| pair[1].as_bytes());
        String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.dir.path().join("log")).unwrap_or_default()).into_owned()
    }

    /// The file in which it keeps its state.
    pub fn file(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("sentinel.conf")).unwrap_or_default()
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the sentinel on port {} ---\n{}", self.port, self.log());
        }
    }
}
