//! Files, on a disk that is nothing but a map, and loses what was not synced when the test wants it to.

use std::collections::{BTreeMap, VecDeque};

use core_types::Millis;
use node::config::{Config, Fsync};
use node::{ConnId, Effect, FileEffect, FileEvent, FileId, Node, Peer};

/// Files by name: what the process sees, and what a crash leaves.
#[derive(Clone, Default)]
struct Disk {
    files: BTreeMap<String, (Vec<u8>, Option<Vec<u8>>)>,
}

/// One process on a disk. Effects on files wait in a queue until the test lets the disk work.
struct Process {
    node: Node,
    disk: Disk,
    open: BTreeMap<FileId, String>,
    queue: VecDeque<FileEffect>,
    now: Millis,
    log: Vec<String>,
    exit: Option<i32>,
    /// Creating a file fails.
    full: bool,
}

const START: Millis = Millis(1_000_000);

impl Process {
    fn start(config: Config, disk: Disk) -> Process {
        Process::start_at(config, disk, START)
    }

    fn start_at(config: Config, disk: Disk, now: Millis) -> Process {
        let mut process = Process::begin(config, disk, now);
        process.work();
        process
    }

    /// The files are asked for, and not read yet.
    fn start_slowly(config: Config, disk: Disk) -> Process {
        Process::begin(config, disk, START)
    }

    fn begin(config: Config, disk: Disk, now: Millis) -> Process {
        let seed = disk.files.len() as u64;
        let node = Node::with_files(config, seed, now);
        let (open, queue) = Default::default();
        let mut process = Process { node, disk, open, queue, now, log: Vec::new(), exit: None, full: false };
        process.collect();
        process
    }

    /// Takes the node's effects; those on files join the queue.
    fn collect(&mut self) {
        while let Some(effect) = self.node.poll_effect() {
            match effect {
                Effect::File(effect) => self.queue.push_back(effect),
                Effect::Log { text, .. } => self.log.push(text),
                Effect::Exit { code } => self.exit = Some(code),
                _ => {}
            }
        }
        while self.node.wants_write().is_some() {}
    }

    /// The disk does everything it is asked for, and time passes as far as the node wants it at once.
    fn work(&mut self) {
        loop {
            while self.step() {}
            if self.node.next_deadline().is_some_and(|deadline| deadline <= self.now) {
                self.node.tick(self.now);
                self.collect();
            } else if self.queue.is_empty() {
                return;
            }
        }
    }

    fn pass(&mut self, millis: u64) {
        self.now += Millis(millis);
        self.node.tick(self.now);
        self.collect();
        self.work();
    }

    /// The disk does one thing. False if there is nothing to do.
    fn step(&mut self) -> bool {
        let Some(effect) = self.queue.pop_front() else { return false };
        let now = self.now;
        match effect {
            FileEffect::Read { file, name } => match self.disk.files.get(&name).cloned() {
                None => self.node.file_event(now, file, FileEvent::Missing),
                Some((bytes, _)) => {
                    for piece in bytes.chunks(7) {
                        self.node.file_event(now, file, FileEvent::Piece(piece));
                    }
                    self.node.file_event(now, file, FileEvent::End);
                }
            },
            FileEffect::Create { file, .. } if self.full => {
                self.node.file_event(now, file, FileEvent::Failed("No space left on device".into()));
            }
            FileEffect::Create { file, name } => {
                self.disk.files.insert(name.clone(), Default::default());
                self.open.insert(file, name);
            }
            FileEffect::Open { file, name } => drop(self.open.insert(file, name)),
            FileEffect::Append { file, bytes, sync } => {
                let Some(name) = self.open.get(&file) else { return true };
                let (current, synced) = self.disk.files.get_mut(name).expect("it is open");
                current.extend_from_slice(&bytes);
                if sync {
                    *synced = Some(current.clone());
                }
                self.node.file_event(now, file, FileEvent::Written(bytes.len()));
            }
            FileEffect::Record { file, bytes } => {
                let Some(name) = self.open.get(&file) else { return true };
                let (current, _) = self.disk.files.get_mut(name).expect("it is open");
                current.extend_from_slice(&bytes);
                self.node.file_event(now, file, FileEvent::Written(bytes.len()));
            }
            FileEffect::Sync { file } => {
                let Some(name) = self.open.get(&file) else { return true };
                let (current, synced) = self.disk.files.get_mut(name).expect("it is open");
                *synced = Some(current.clone());
                self.node.file_event(now, file, FileEvent::Synced);
            }
            FileEffect::Overwrite { .. } | FileEffect::SyncNamed { .. } => {
                unreachable!("that is how a cluster's file is written");
            }
            FileEffect::Commit { file, to } => {
                let Some(name) = self.open.remove(&file) else { return true };
                let (current, _) = self.disk.files.remove(&name).expect("it is open");
                self.disk.files.insert(to.unwrap_or(name), (current.clone(), Some(current)));
                self.node.file_event(now, file, FileEvent::Committed);
            }
            FileEffect::Discard { file } => {
                if let Some(name) = self.open.remove(&file) {
                    self.disk.files.remove(&name);
                }
            }
            FileEffect::Truncate { name, length } => {
                let (current, synced) = self.disk.files.get_mut(&name).expect("it was read");
                current.truncate(length as usize);
                *synced = Some(current.clone());
            }
            FileEffect::Remove { name } => drop(self.disk.files.remove(&name)),
        }
        self.node.check_invariants().expect("an invariant of the node");
        self.collect();
        true
    }

    /// The power fails. What was never synced is gone.
    fn crash(&self) -> Disk {
        let kept = |(name, (_, synced)): (&String, &(Vec<u8>, Option<Vec<u8>>))| {
            synced.clone().map(|bytes| (name.clone(), (bytes.clone(), Some(bytes))))
        };
        Disk { files: self.disk.files.iter().filter_map(kept).collect() }
    }

    /// The process is killed. What the system has got is there.
    fn kill(&self) -> Disk {
        let kept = |(name, (now, _)): (&String, &(Vec<u8>, Option<Vec<u8>>))| {
            (name.clone(), (now.clone(), Some(now.clone())))
        };
        Disk { files: self.disk.files.iter().map(kept).collect() }
    }

    fn client(&mut self) -> ConnId {
        let peer = Peer { addr: "127.0.0.1:50000".into(), local_addr: "127.0.0.1:1".into(), loopback: true };
        self.node.accept(self.now, peer)
    }

    /// Sends a command; what may be said at once is taken.
    fn send(&mut self, client: ConnId, command: &str) -> String {
        self.node.receive(self.now, client, format!("{command}\r\n").as_bytes());
        self.collect();
        self.take(client)
    }

    fn take(&mut self, client: ConnId) -> String {
        let text = String::from_utf8_lossy(self.node.pending(client)).into_owned();
        self.node.sent(self.now, client, text.len());
        text
    }

    /// Sends a command, lets the disk work, and takes the reply.
    fn run(&mut self, command: &str) -> String {
        let client = self.client();
        let mut reply = self.send(client, command);
        self.work();
        reply += &self.take(client);
        self.node.closed(self.now, client);
        reply
    }

    fn file(&self, name: &str) -> String {
        String::from_utf8_lossy(&self.disk.files[name].0).into_owned()
    }
}

fn plain() -> Config {
    Config::default()
}

fn append_only() -> Config {
    Config { appendonly: true, appendfsync: Fsync::Always, ..Config::default() }
}

#[test]
fn what_was_saved_is_there_after_a_restart() {
    let mut process = Process::start(plain(), Disk::default());
    process.run("MSET a 1 b 2");
    process.run("RPUSH list x y");
    process.run("SET gone 1 PX 500");
    assert_eq!(process.run("SAVE"), "+OK\r\n");
    let again = Process::start(plain(), process.crash());
    assert_eq!(again.node.keyspace(), process.node.keyspace());
    let mut late = Process::start_slowly(plain(), process.crash());
    late.now += Millis(1000);
    late.node.tick(late.now);
    late.work();
    assert_eq!(late.run("DBSIZE"), ":3\r\n", "a master leaves out what has expired");
}

#[test]
fn a_save_holds_the_moment_at_which_it_began() {
    let mut process = Process::start(plain(), Disk::default());
    for number in 0..5_000 {
        process.run(&format!("SET key:{number} {}", "x".repeat(50)));
    }
    let client = process.client();
    assert_eq!(process.send(client, "BGSAVE"), "+Background saving started\r\n");
    assert_eq!(process.send(client, "BGSAVE"), "-ERR Background save already in progress\r\n");
    process.send(client, "SET key:1 changed");
    process.send(client, "FLUSHALL");
    assert!(process.send(client, "INFO persistence").contains("rdb_bgsave_in_progress:1"));
    process.work();
    assert!(process.send(client, "INFO persistence").contains("rdb_changes_since_last_save:5002"));
    let mut again = Process::start(plain(), process.crash());
    assert_eq!(again.run("DBSIZE"), ":5000\r\n");
    assert_eq!(again.run("STRLEN key:1"), ":50\r\n");
}

#[test]
fn clients_are_told_that_files_are_loading() {
    let mut process = Process::start(plain(), Disk::default());
    process.run("SET a 1");
    process.run("SAVE");
    let mut again = Process::start_slowly(plain(), process.crash());
    let client = again.client();
    assert_eq!(again.send(client, "GET a"), "-LOADING Redis is loading the dataset in memory\r\n");
    assert!(again.send(client, "INFO persistence").contains("loading:1"));
    again.work();
    assert_eq!(again.send(client, "GET a"), "$1\r\n1\r\n");
}

#[test]
fn save_points_and_a_full_disk() {
    let mut process = Process::start(Config { save: vec![(60, 2)], ..plain() }, Disk::default());
    process.run("MSET a 1 b 2");
    process.pass(30_000);
    assert!(!process.disk.files.contains_key("dump.rdb"));
    process.full = true;
    process.pass(31_000);
    assert!(process.run("SET c 1").starts_with("-MISCONF Redis is configured to save RDB snapshots"));
    assert!(process.run("GET a").starts_with("$1"));
    process.full = false;
    process.pass(6_000);
    assert!(process.disk.files.contains_key("dump.rdb"), "{:#?}", process.log);
    assert_eq!(process.run("SET c 1"), "+OK\r\n");
}

#[test]
fn shutting_down_saves_if_there_are_save_points() {
    for (save, command, saved) in [
        (vec![(60, 2)], "SHUTDOWN", true),
        (vec![(60, 2)], "SHUTDOWN NOSAVE", false),
        (Vec::new(), "SHUTDOWN", false),
        (Vec::new(), "SHUTDOWN SAVE", true),
    ] {
        let mut process = Process::start(Config { save, ..plain() }, Disk::default());
        process.run("SET a 1");
        assert_eq!(process.run(command), "");
        assert_eq!(process.exit, Some(0));
        assert_eq!(process.crash().files.contains_key("dump.rdb"), saved, "{command}");
    }
    let mut process = Process::start(plain(), Disk::default());
    process.full = true;
    assert_eq!(process.run("SHUTDOWN SAVE"), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    assert_eq!(process.exit, None);
}

#[test]
fn a_reply_waits_until_its_write_is_on_the_disk() {
    let mut process = Process::start(append_only(), Disk::default());
    let (writer, reader) = (process.client(), process.client());
    assert_eq!(process.send(reader, "GET a"), "$-1\r\n");
    assert_eq!(process.send(writer, "SET a 1"), "", "not on the disk yet");
    assert!(process.node.holds_back(writer));
    assert_eq!(process.send(reader, "GET a"), "", "it saw what may still be lost");
    process.work();
    assert_eq!(process.take(writer), "+OK\r\n");
    assert_eq!(process.take(reader), "$1\r\n1\r\n");
    let mut again = Process::start(append_only(), process.crash());
    assert_eq!(again.run("GET a"), "$1\r\n1\r\n");
}

#[test]
fn one_sync_serves_all_who_came_during_the_one_before() {
    let mut process = Process::start(append_only(), Disk::default());
    let clients: Vec<ConnId> = (0..10).map(|_| process.client()).collect();
    for (number, client) in clients.iter().enumerate() {
        process.send(*client, &format!("SET key:{number} 1"));
    }
    let mut appends = 0;
    while let Some(effect) = process.queue.front() {
        appends += u32::from(matches!(effect, FileEffect::Append { .. }));
        process.step();
    }
    assert_eq!(appends, 2);
    for client in clients {
        assert_eq!(process.take(client), "+OK\r\n");
    }
}

#[test]
fn the_parts_have_the_names_and_the_content_that_redis_expects() {
    let mut process = Process::start(append_only(), Disk::default());
    process.run("SET a 1");
    let manifest = "appendonlydir/appendonly.aof.manifest";
    assert_eq!(
        process.file(manifest),
        "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
    );
    assert_eq!(
        process.file("appendonlydir/appendonly.aof.1.incr.aof"),
        "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
    );
    assert_eq!(process.run("BGREWRITEAOF"), "+Background append only file rewriting started\r\n");
    assert_eq!(
        process.file(manifest),
        "file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n"
    );
    assert_eq!(process.disk.files.len(), 3, "{:?}", process.disk.files.keys());
}

/// The power fails.
#[test]
fn a_crash_at_any_moment_loses_nothing_acknowledged() {
    end_at_any_moment(Fsync::Always, Process::crash);
}

/// The process is killed, and the machine goes on.
#[test]
fn a_kill_at_any_moment_loses_nothing_acknowledged_whatever_the_policy() {
    for policy in [Fsync::Always, Fsync::EverySec, Fsync::No] {
        end_at_any_moment(policy, Process::kill);
    }
}

/// Writes and rewrites, with an end after each single thing the disk does: whatever had been acknowledged by then is
/// there afterwards.
fn end_at_any_moment(policy: Fsync, end: fn(&Process) -> Disk) {
    let mut crashes = 0;
    for moment in 0.. {
        let config = Config { appendfsync: policy, ..append_only() };
        let mut process = Process::start(config, Disk::default());
        let client = process.client();
        let mut acknowledged = 0;
        let mut replies = String::new();
        let mut left = moment;
        for number in 1..=12 {
            process.node.receive(process.now, client, format!("SET key {number}\r\nINCR sum\r\n").as_bytes());
            if number % 4 == 0 {
                process.node.receive(process.now, client, b"BGREWRITEAOF\r\n");
            }
            process.collect();
            while left > 0 && process.step() {
                left -= 1;
            }
            replies += &process.take(client);
            acknowledged = replies.matches("+OK").count();
        }
        crashes += 1;
        let mut again = Process::start(append_only(), end(&process));
        assert_eq!(again.exit, None, "after {moment} steps: {:#?}", again.log);
        let found = again.run("GET key");
        let number = found.lines().nth(1).map_or(0, |text| text.parse::<usize>().expect("a number"));
        assert!(number >= acknowledged, "after {moment} steps: {number} of {acknowledged}");
        assert_eq!(again.run("SET key 99"), "+OK\r\n");
        if left > 0 {
            break;
        }
    }
    assert!(crashes > 20, "{crashes}");
}

#[test]
fn a_torn_tail_is_cut_off_and_a_torn_middle_refused() {
    let mut process = Process::start(append_only(), Disk::default());
    process.run("SET a 1");
    let name = "appendonlydir/appendonly.aof.1.incr.aof";
    let whole = process.file(name).len();
    for tail in
        ["*3\r\n$3\r\nSET\r\n$1\r\nb", "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n2\r\n", "*"]
    {
        let mut disk = process.crash();
        disk.files.get_mut(name).unwrap().0.extend_from_slice(tail.as_bytes());
        let strict = Process::start(Config { aof_load_truncated: false, ..append_only() }, disk.clone());
        assert_eq!(strict.exit, Some(1));
        let mut again = Process::start(append_only(), disk);
        assert!(again.log.iter().any(|line| line.starts_with("!!! Warning: short read")), "{:#?}", again.log);
        assert_eq!(again.file(name).len(), whole);
        assert_eq!(again.run("DBSIZE"), ":1\r\n");
        again.run("SET c 1");
        assert_eq!(Process::start(append_only(), again.crash()).run("DBSIZE"), ":2\r\n");
    }
    for broken in ["hello\r\n", "*1\r\n$6\r\nNOSUCH\r\n", "*1\r\n$x\r\n"] {
        let mut disk = process.crash();
        let bytes = &mut disk.files.get_mut(name).unwrap().0;
        bytes.splice(23..23, broken.bytes());
        let again = Process::start(append_only(), disk);
        assert_eq!(again.exit, Some(1), "{broken}");
        assert!(again.log.last().unwrap().starts_with("Bad file format reading the append only file"));
    }
}

#[test]
fn it_can_be_switched_on_and_off_while_the_node_runs() {
    let mut process = Process::start(Config { appendfsync: Fsync::Always, ..plain() }, Disk::default());
    process.run("SET before 1");
    assert_eq!(process.run("CONFIG SET appendonly yes"), "+OK\r\n");
    process.run("SET after 1");
    assert_eq!(Process::start(append_only(), process.crash()).run("DBSIZE"), ":2\r\n");
    process.run("CONFIG SET appendonly no");
    process.run("SET never 1");
    process.run("CONFIG SET appendonly yes");
    assert_eq!(Process::start(append_only(), process.crash()).run("DBSIZE"), ":3\r\n");
    assert_eq!(process.disk.files.len(), 3, "{:?}", process.disk.files.keys());
}

#[test]
fn transactions_and_databases_are_found_again() {
    let mut process = Process::start(append_only(), Disk::default());
    let client = process.client();
    for command in [
        "MULTI",
        "SET a 1",
        "SELECT 3",
        "SADD s x y z",
        "SPOP s",
        "EXEC",
        "SET b 1 EX 100",
        "INCRBYFLOAT f 0.1",
    ] {
        process.send(client, command);
        process.work();
    }
    let again = Process::start(append_only(), process.crash());
    assert_eq!(again.node.keyspace(), process.node.keyspace());
}

#[test]
fn offset_and_history_are_taken_over() {
    let mut process = Process::start(plain(), Disk::default());
    // A replica has asked, so there is a backlog, and a place in a history to tell.
    process.run("PSYNC ? -1");
    process.run("SELECT 3");
    process.run("SET a 1");
    process.run("SAVE");
    let (id, offset) = (process.node.replication_id(), process.node.replication_offset());
    let master = core_types::Endpoint::new("127.0.0.1", 1);
    let replica = Process::start(Config { replicaof: Some(master), ..plain() }, process.crash());
    assert_eq!((replica.node.replication_id(), replica.node.replication_offset()), (id, offset));
    let mut again = Process::start(plain(), process.crash());
    assert_ne!(again.node.replication_id(), id);
    let info = again.run("INFO replication");
    assert!(offset.0 > 0 && info.contains(&format!("master_replid2:{id}")), "{info}");
    assert!(info.contains(&format!("second_repl_offset:{}", offset.0 + 1)), "{info}");
    assert!(info.contains(&format!("master_repl_offset:{offset}")), "{info}");
}

#[test]
fn a_node_that_nobody_could_follow_saves_no_place_in_a_history() {
    let mut process = Process::start(plain(), Disk::default());
    process.run("SET a 1");
    process.run("SAVE");
    let id = process.node.replication_id();
    let mut again = Process::start(plain(), process.crash());
    assert!(!again.run("INFO replication").contains(&id.to_string()));
}

#[test]
fn keys_that_expired_meanwhile_are_deletes_in_a_restarted_masters_backlog() {
    let mut process = Process::start(plain(), Disk::default());
    process.run("PSYNC ? -1");
    process.run("SET gone 1 PX 5");
    process.run("SET stays 1");
    process.run("SAVE");
    let offset = process.node.replication_offset();
    process.now += Millis(1000);
    let now = process.now;
    let again = Process::start_at(plain(), process.crash(), now);
    assert_eq!(again.node.keyspace().len(0), 1);
    // SELECT 0 and DEL gone.
    assert_eq!(again.node.log_window(), Some((offset, offset.plus(23 + 23))));
}
