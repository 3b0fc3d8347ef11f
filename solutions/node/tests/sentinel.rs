//! A sentinel in its node: what must be on the disk before it is told.

use core_types::Millis;
use node::config::Config;
use node::{ConnId, Effect, FileEffect, FileEvent, Node, Peer};

const FIRST: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const SECOND: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

struct Bench {
    node: Node,
    now: Millis,
    /// What the disk has been asked for and has not done.
    disk: Vec<FileEffect>,
}

impl Bench {
    fn new() -> Bench {
        let text = "sentinel monitor watched 127.0.0.1 7000 2\n";
        let config = Config::from_args(&["sentinel.conf", "--sentinel"], &mut |_| Ok(text.into()));
        let mut config = config.expect("a sound file");
        config.file = "sentinel.conf".into();
        let now = Millis::from_secs(1000);
        let mut bench = Bench { node: Node::new(config, 1, now), now, disk: Vec::new() };
        bench.collect();
        bench.disk_works(true);
        bench
    }

    fn collect(&mut self) {
        while let Some(effect) = self.node.poll_effect() {
            if let Effect::File(effect) = effect {
                self.disk.push(effect);
            }
        }
    }

    /// The disk does all it is asked for; at the end of a file well or not.
    fn disk_works(&mut self, well: bool) {
        while !self.disk.is_empty() {
            self.disk_step(well);
        }
    }

    /// The disk does the next thing.
    fn disk_step(&mut self, well: bool) {
        let now = self.now;
        match self.disk.remove(0) {
            FileEffect::Read { file, .. } => self.node.file_event(now, file, FileEvent::Missing),
            FileEffect::Append { file, bytes, .. } => {
                self.node.file_event(now, file, FileEvent::Written(bytes.len()));
            }
            FileEffect::Commit { file, .. } if well => self.node.file_event(now, file, FileEvent::Committed),
            FileEffect::Commit { file, .. } => {
                self.node.file_event(now, file, FileEvent::Failed("No space left on device".into()));
            }
            _ => {}
        }
        self.collect();
    }

    fn client(&mut self) -> ConnId {
        let peer = Peer { addr: "127.0.0.1:1".into(), local_addr: "127.0.0.1:2".into(), loopback: true };
        self.node.accept(self.now, peer)
    }

    fn ask_for_vote(&mut self, client: ConnId, epoch: u64, candidate: &str) {
        let text = format!("SENTINEL is-master-down-by-addr 127.0.0.1 7000 {epoch} {candidate}\r\n");
        self.node.receive(self.now, client, text.as_bytes());
        self.collect();
    }

    fn heard(&self, client: ConnId) -> String {
        String::from_utf8_lossy(self.node.pending(client)).into_owned()
    }
}

#[test]
fn a_vote_is_told_when_it_is_on_the_disk_and_not_before() {
    let mut bench = Bench::new();
    let (one, other) = (bench.client(), bench.client());
    bench.ask_for_vote(one, 1, FIRST);
    // The vote is given. It is told to nobody as long as a crash could take it back.
    bench.ask_for_vote(other, 1, SECOND);
    assert_eq!((bench.heard(one), bench.heard(other)), (String::new(), String::new()));
    bench.disk_works(true);
    assert!(bench.heard(one).contains(FIRST), "{}", bench.heard(one));
    assert!(bench.heard(other).contains(FIRST), "the vote was given already: {}", bench.heard(other));
}

#[test]
fn a_vote_that_comes_while_the_file_is_written_waits_for_the_next_write() {
    let mut bench = Bench::new();
    let (one, other) = (bench.client(), bench.client());
    bench.ask_for_vote(one, 1, FIRST);
    bench.ask_for_vote(other, 2, SECOND);
    // The first write knows nothing of the second vote.
    while bench.heard(one).is_empty() {
        bench.disk_step(true);
    }
    assert_eq!(bench.heard(other), "", "its vote is not in the file yet");
    bench.disk_works(true);
    assert!(bench.heard(other).contains(SECOND), "{}", bench.heard(other));
}

#[test]
fn a_vote_that_cannot_be_saved_is_not_told_and_not_when_it_is_asked_for_again() {
    let mut bench = Bench::new();
    let (one, other) = (bench.client(), bench.client());
    bench.ask_for_vote(one, 1, FIRST);
    bench.disk_works(false);
    assert!(bench.heard(one).starts_with("-ERR Failed to save config file."), "{}", bench.heard(one));
    bench.ask_for_vote(other, 1, FIRST);
    assert_eq!(bench.heard(other), "", "it is in memory, and nowhere else");
    bench.disk_works(true);
    assert!(bench.heard(other).contains(FIRST), "{}", bench.heard(other));
}
