//! What a test asks a server that is a node of a cluster.

use std::collections::BTreeMap;

use core_types::Frame;

use crate::cluster::cluster_flags;
use crate::{Kind, Server};

impl Server {
    /// Starts a node of a cluster that knows nobody yet. `flags` win over those that it gets anyway.
    pub fn start_member(kind: Kind, flags: &[&str]) -> Server {
        let own = cluster_flags();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        Server::start(kind, &[&own[..], flags].concat())
    }

    /// The answer to a command that answers with text.
    ///
    /// # Panics
    /// If it does not.
    pub fn text(&self, command: &str) -> String {
        let answer = self.run(command);
        match answer.as_bytes() {
            Some(bytes) => String::from_utf8_lossy(bytes).trim_end().to_string(),
            None => panic!("{command}: {answer:?}"),
        }
    }

    /// Runs a command that succeeds.
    ///
    /// # Panics
    /// If it does not.
    pub fn ok(&self, command: &str) {
        assert_eq!(self.run(command), Frame::Simple("OK".into()), "{command}");
    }

    /// Its id in the cluster.
    pub fn member_id(&self) -> String {
        self.text("CLUSTER MYID")
    }

    /// Where other nodes connect to it.
    pub fn bus_port(&self) -> u16 {
        let text = self.text("CLUSTER NODES");
        let own = text.lines().find(|line| line.contains("myself")).expect("it knows itself");
        let port = own.split('@').nth(1).and_then(|rest| rest.split([' ', ',']).next());
        port.and_then(|port| port.parse().ok()).expect("a port of the bus")
    }

    /// Makes it meet another node.
    pub fn meet(&self, other: &Server) {
        self.ok(&format!("CLUSTER MEET 127.0.0.1 {} {}", other.port(), other.bus_port()));
    }

    /// What it says of everybody, by id: address, flags, master, epoch, link and slots, but for times and who is meant
    /// by `myself`.
    pub fn story(&self) -> BTreeMap<String, String> {
        let text = self.text("CLUSTER NODES");
        let lines = text.lines().map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let flags = words[2].replace("myself,", "");
            (words[0].to_string(), [&[words[1], &flags, words[3]], &words[6..]].concat().join(" "))
        });
        lines.collect()
    }

    /// One field of `CLUSTER INFO`.
    pub fn cluster_info(&self, field: &str) -> Option<String> {
        let info = self.text("CLUSTER INFO");
        info.lines().find_map(|line| Some(line.strip_prefix(field)?.strip_prefix(':')?.to_string()))
    }
}
