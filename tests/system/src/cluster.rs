//! Servers that form a cluster.

use std::path::Path;
use std::process::{Command, Stdio};

use core_types::Frame;

use crate::{Client, Kind, Server, bounded, free_port, ha_cli, wait};

/// Flags of a node that may join a cluster, with a port of its own for the bus.
pub fn cluster_flags() -> Vec<String> {
    // Not the usual port of the bus, which could be some connection's port already.
    let bus = free_port().to_string();
    ["--cluster-enabled", "yes", "--cluster-node-timeout", "5000", "--cluster-port", &bus]
        .map(str::to_owned)
        .into()
}

/// Servers that form a cluster.
#[derive(Debug)]
pub struct Cluster {
    /// The servers, masters first.
    pub servers: Vec<Server>,
}

impl Cluster {
    /// Starts a server of each kind, with `flags`, and makes masters of all of them, with even shares of the slots.
    ///
    /// # Panics
    /// If that does not succeed.
    pub fn masters(kinds: &[Kind], flags: &[&str]) -> Cluster {
        let start = |kind: &Kind| {
            let own = cluster_flags();
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            Server::start(*kind, &[&own[..], flags].concat())
        };
        let cluster = Cluster { servers: kinds.iter().map(start).collect() };
        let places: Vec<String> = (0..kinds.len()).map(|index| cluster.place(index)).collect();
        let mut create = vec!["create"];
        create.extend(places.iter().map(String::as_str));
        cluster.manage(&create);
        cluster.wait_until_up();
        cluster
    }

    /// The same, and then a replica of each kind in `replicas`: the first follows the first master, and so on, round
    /// and round. Servers are numbered in this order.
    ///
    /// # Panics
    /// If that does not succeed.
    pub fn with_replicas(masters: &[Kind], replicas: &[Kind], flags: &[&str]) -> Cluster {
        let mut cluster = Cluster::masters(masters, flags);
        for kind in replicas {
            let own = cluster_flags();
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            let replica = Server::start(*kind, &[&own[..], flags].concat());
            let bus = own.last().expect("the port of the bus");
            let meet = format!("CLUSTER MEET 127.0.0.1 {} {bus}", replica.port());
            assert_eq!(cluster.servers[0].run(&meet), Frame::Simple("OK".into()));
            cluster.servers.push(replica);
        }
        cluster.wait_until_up();
        for (index, replica) in cluster.servers[masters.len()..].iter().enumerate() {
            let follow = format!("CLUSTER REPLICATE {}", cluster.id(index % masters.len()));
            assert_eq!(replica.run(&follow), Frame::Simple("OK".into()));
        }
        for (index, replica) in cluster.servers[masters.len()..].iter().enumerate() {
            replica.wait_for_link();
            let master = cluster.id(index % masters.len());
            let told = |server: &Server| {
                nodes(server)
                    .iter()
                    .any(|node| node.port == replica.port() && node.master.as_ref() == Some(&master))
            };
            wait::until("all to know the replica", || cluster.servers.iter().all(told));
        }
        cluster
    }

    /// `127.0.0.1:port` of a server.
    pub fn place(&self, index: usize) -> String {
        format!("127.0.0.1:{}", self.servers[index].port())
    }

    /// The node id of a server.
    pub fn id(&self, index: usize) -> String {
        match self.servers[index].run("CLUSTER MYID") {
            Frame::Bulk(id) => String::from_utf8_lossy(&id).into_owned(),
            other => panic!("no id: {other:?}"),
        }
    }

    /// Waits until every server serves, and knows all others.
    pub fn wait_until_up(&self) {
        let size = format!("cluster_known_nodes:{}", self.servers.len());
        let is_up = |server: &Server| match server.run("CLUSTER INFO") {
            Frame::Bulk(text) => {
                let text = String::from_utf8_lossy(&text);
                text.contains("cluster_state:ok") && text.contains(&size)
            }
            _ => false,
        };
        wait::until("all nodes to be up", || self.servers.iter().all(is_up));
    }

    /// Runs `ha-cli --cluster …`, with yes to all questions; what it printed.
    ///
    /// # Panics
    /// If it fails.
    pub fn manage(&self, args: &[&str]) -> String {
        let (text, well) = run(&ha_cli(), &[&["--cluster"], args, &["--cluster-yes"]].concat());
        assert!(well, "`--cluster {}` fails:\n{text}", args.join(" "));
        text
    }

    /// Moves so many slots from one server to another.
    pub fn reshard(&self, from: usize, to: usize, slots: u32) {
        let (from, to, slots) = (self.id(from), self.id(to), slots.to_string());
        let place = self.place(0);
        let args =
            ["reshard", &place, "--cluster-from", &from, "--cluster-to", &to, "--cluster-slots", &slots];
        self.manage(&args);
    }

    /// How many keys a server has.
    pub fn size(&self, index: usize) -> i64 {
        match self.servers[index].run("DBSIZE") {
            Frame::Integer(size) => size,
            other => panic!("no size: {other:?}"),
        }
    }
}

/// One line of `CLUSTER NODES`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeLine {
    /// Its id.
    pub id: String,
    /// Its port for clients.
    pub port: u16,
    /// `master`, `slave`, `fail` and so on, without `myself`.
    pub flags: Vec<String>,
    /// Whom it follows.
    pub master: Option<String>,
    /// Its configuration epoch, or its master's.
    pub epoch: u64,
    /// The connection to it stands.
    pub connected: bool,
    /// Ranges of slots, as they are shown.
    pub slots: Vec<String>,
}

impl NodeLine {
    /// Is it called that?
    pub fn is(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own == flag)
    }
}

/// What a server says of everybody, by id; empty if it does not answer.
pub fn nodes(server: &Server) -> Vec<NodeLine> {
    let answer = Client::connect(server.port())
        .ok()
        .and_then(|mut client| client.try_call(&["CLUSTER", "NODES"]).ok());
    let Some(Frame::Bulk(text)) = answer else { return Vec::new() };
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut nodes: Vec<NodeLine> = text.lines().filter_map(node_line).collect();
    nodes.sort_by(|one, other| one.id.cmp(&other.id));
    nodes
}

fn node_line(line: &str) -> Option<NodeLine> {
    let words: Vec<&str> = line.split(' ').collect();
    let [id, address, flags, master, _, _, epoch, link, slots @ ..] = words.as_slice() else { return None };
    let port = address.split(['@', ',']).next()?.rsplit(':').next()?;
    Some(NodeLine {
        id: (*id).to_owned(),
        port: port.parse().ok()?,
        flags: flags.split(',').filter(|flag| *flag != "myself").map(str::to_owned).collect(),
        master: Some((*master).to_owned()).filter(|master| master != "-"),
        epoch: epoch.parse().ok()?,
        connected: *link == "connected",
        slots: slots.iter().map(|range| (*range).to_owned()).collect(),
    })
}

/// Runs a program without input: what it printed, on both outputs, and whether it succeeded.
pub fn run(program: &Path, args: &[&str]) -> (String, bool) {
    let output = bounded::output(Command::new(program).args(args).stdin(Stdio::null()));
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (text.into_owned(), output.status.success())
}
