//! A cluster to be broken: whole nodes by name, formed from files, and everything that an exercise asks about them.
//!
//! - [`Cluster`] sets it up and asks who serves what.
//! - [`stop`] plays a partition and sees who goes on (10.7); [`racks`] takes one rack after the other (10.8); [`cures`]
//!   lets a master die in a cluster with wrong lines in its files (10.9); [`survey`] is a cluster full of uneven data
//!   (10.10).
//!
//! Nodes here have no client of their own that could be cut off: whoever asks sits on the node's own machine, so that a
//! node that would still take a write cannot hide.

pub mod cures;
pub mod racks;
pub mod stop;
pub mod survey;

use core_types::{Broken, LogLevel, Millis, NodeId, Rng, Slot};
use drill::{Map, Settings};
use node::config::{Config, LoadError};
use node::layers::sharding::key_slot;

use super::{Drill, Part};
use crate::Trace;
use crate::nodes::{NodeHost, clusters, rules};
use crate::world::{Fault, HostId, Profile, World};

/// The port for clients.
pub const PORT: u16 = 7000;
/// The port for other nodes.
const BUS_PORT: u16 = 17000;
/// What a node keeps of its cluster.
const FILE: &str = "nodes.conf";

/// The rule that lines break which a node does not take.
pub const READABLE: &str = "Every line of a configuration file is one that the node takes.";
/// The rule of the workbook itself: before anything breaks, there is a cluster.
const FORMED: &str = "before anything breaks, the cluster serves (a fault of the workbook)";

/// What is to be set up.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who there is.
    pub map: Map,
    /// `cluster-node-timeout` of all nodes, unless a line says otherwise.
    pub timeout: Millis,
    /// Lines that stand in the nodes' files besides.
    pub settings: Settings,
    /// How fast the network is.
    pub latency: (Millis, Millis),
}

impl Plan {
    /// A healthy cluster with a fast network, and a `cluster-node-timeout` of two seconds.
    pub fn new(map: Map) -> Plan {
        Plan { map, timeout: Millis(2000), settings: Settings::new(), latency: (Millis(1), Millis(3)) }
    }
}

/// A cluster that is being played with.
pub struct Cluster<'t> {
    /// Who plays schedules, and has the world.
    pub drill: Drill<'t>,
    map: Map,
    /// In the order of [`Map::nodes`].
    hosts: Vec<HostId>,
    /// For each shard, what makes a key its own.
    tags: Vec<String>,
    writes: u64,
}

/// What a node says to a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It has taken it.
    Ok,
    /// It has not: its words.
    Refused(String),
    /// It is down, or stands still.
    Nothing,
}

impl<'t> Cluster<'t> {
    /// Sets the scene: all nodes run, and the cluster serves. With a trace the run is recorded.
    ///
    /// # Errors
    /// [`READABLE`] for a line that a node does not take; or a fault of the workbook.
    pub fn new(plan: &Plan, seed: u64, trace: Option<&'t mut Trace>) -> Result<Cluster<'t>, Broken> {
        let mut rng = Rng::new(seed);
        let profile = Profile {
            latency: plan.latency,
            split_percent: 0,
            connect_timeout: Millis::from_secs(10),
            epoch: Millis(1_700_000_000_000),
            ..Profile::default()
        };
        let mut world = World::new(rng.next_u64(), profile, trace);
        let files = Files::draw(plan, &mut rng);
        let names = plan.map.nodes();
        let mut hosts = Vec::new();
        for (place, name) in names.iter().enumerate() {
            let (config, file) = (config(plan, name)?, files.of(place));
            let host = world.add(name, &[PORT, BUS_PORT], move |boot| {
                // What a node checks about itself after each step is not what a drill is about.
                let host = NodeHost::with_files(config.clone(), boot);
                let host = host.with_log(LogLevel::Notice).without_checks();
                if boot.disk.read(FILE).is_some() { host } else { host.with_file(FILE, &file) }
            });
            hosts.push(host);
        }
        let tags = (0..plan.map.shards.len()).map(|shard| files.tag(shard)).collect();
        let parts = names
            .iter()
            .zip(&hosts)
            .map(|(name, host)| ((*name).to_string(), *host, Part::Node { follows: None }));
        let drill = Drill::around(world, parts.collect());
        let map = plan.map.clone();
        Ok(Cluster { drill, map, hosts, tags, writes: 0 })
    }

    /// Starts everybody and waits until all agree and serve.
    ///
    /// # Errors
    /// A fault of the workbook.
    pub fn form(&mut self) -> Result<(), Broken> {
        self.drill.world.start_all()?;
        self.wait_to(Millis::from_secs(60), |cluster| {
            clusters::settled(&cluster.drill.world, &cluster.hosts).is_ok()
        })?
        .ok_or_else(|| {
            let why = clusters::settled(&self.drill.world, &self.hosts).err().unwrap_or_default();
            Broken::new(FORMED, why)
        })?;
        self.drill.begin_now();
        Ok(())
    }

    /// Who is who.
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// The host of a name.
    ///
    /// # Panics
    /// If there is none.
    pub fn host(&self, name: &str) -> HostId {
        let place = self.map.nodes().iter().position(|other| *other == name).expect("a node of the scene");
        self.hosts[place]
    }

    /// Lets time pass until something is so, looked at four times a second. `None` if it never is.
    ///
    /// # Errors
    /// A rule of the simulator that broke.
    pub fn wait_to(
        &mut self,
        limit: Millis,
        mut condition: impl FnMut(&mut Cluster<'t>) -> bool,
    ) -> Result<Option<Millis>, Broken> {
        let begin = self.drill.world.now();
        loop {
            if condition(self) {
                return Ok(Some(self.drill.world.now().since(begin)));
            }
            if self.drill.world.now().since(begin) >= limit {
                return Ok(None);
            }
            self.drill.world.run_for(Millis(250))?;
        }
    }

    /// Kills a node, if it is up.
    ///
    /// # Errors
    /// A rule of the simulator that broke.
    pub fn kill(&mut self, name: &str) -> Result<(), Broken> {
        self.drill.world.inflict(Fault::Crash(self.host(name)))
    }

    /// Somebody on a node's own machine gives it an order. What it says, without the RESP around it; `None` if it is down
    /// or stands still.
    pub fn order(&mut self, name: &str, command: &str) -> Option<String> {
        let host = self.host(name);
        if self.drill.world.is_paused(host) {
            return None;
        }
        // A rule of the simulator would show in the next step, too.
        let said =
            self.drill.world.act(host, |node: &mut NodeHost, io| node.order(io, command)).ok().flatten()?;
        Some(match said.split_once("\r\n") {
            Some((head, "")) => head.to_string(),
            Some((_, body)) => body.trim_end().to_string(),
            None => said,
        })
    }

    /// Somebody on a node's own machine writes to one of the keys of a shard.
    pub fn write(&mut self, name: &str, shard: usize) -> Said {
        self.writes += 1;
        let command = format!("SET {}probe {}", self.tags[shard], self.writes);
        match self.order(name, &command) {
            Some(said) if said == "+OK" => Said::Ok,
            Some(said) => Said::Refused(said.trim_start_matches('-').to_string()),
            None => Said::Nothing,
        }
    }

    /// A key of a shard: with `name` behind what makes it the shard's own.
    pub fn key(&self, shard: usize, name: &str) -> String {
        format!("{}{name}", self.tags[shard])
    }

    /// Who takes a write to this shard, if anybody does.
    pub fn server(&mut self, shard: usize) -> Option<String> {
        let names: Vec<String> = self.map.nodes().iter().map(|name| (*name).to_string()).collect();
        names.into_iter().find(|name| self.write(name, shard) == Said::Ok)
    }

    /// The masters of the first hour whose slots nobody serves now.
    pub fn unserved(&mut self) -> Vec<String> {
        let masters: Vec<String> = self.map.masters().iter().map(|name| (*name).to_string()).collect();
        let mut without = Vec::new();
        for (shard, master) in masters.into_iter().enumerate() {
            if self.server(shard).is_none() {
                without.push(master);
            }
        }
        without
    }

    /// Does the cluster serve in the eyes of this node? `None` while it is down.
    pub fn serves(&self, name: &str) -> Option<bool> {
        let node = rules::node(&self.drill.world, self.host(name))?;
        node.cluster_view().map(|view| view.serves())
    }
}

/// The files of a cluster that has been there for a while.
struct Files {
    ids: Vec<NodeId>,
    /// Of each node: the place of its master.
    masters: Vec<Option<usize>>,
    shards: usize,
}

impl Files {
    fn draw(plan: &Plan, rng: &mut Rng) -> Files {
        let shards = plan.map.shards.len();
        let replicas = plan.map.shards.iter().enumerate();
        let replicas = replicas.flat_map(|(place, shard)| shard.replicas.iter().map(move |_| Some(place)));
        let masters: Vec<Option<usize>> = (0..shards).map(|_| None).chain(replicas).collect();
        Files { ids: masters.iter().map(|_| NodeId::random(rng)).collect(), masters, shards }
    }

    /// The first and the last slot of a shard.
    fn slots(&self, shard: usize) -> (u16, u16) {
        let cut = |place: usize| (place * usize::from(Slot::COUNT) / self.shards) as u16;
        (cut(shard), cut(shard + 1) - 1)
    }

    /// What makes a key one of this shard's.
    fn tag(&self, shard: usize) -> String {
        let (first, last) = self.slots(shard);
        let mut tags = (0..).map(|number| format!("{{{number}}}"));
        let is_its = |tag: &String| (first..=last).contains(&key_slot(tag.as_bytes()).number());
        tags.find(is_its).expect("a shard owns slots")
    }

    /// What the node at this place has in its `nodes.conf`.
    fn of(&self, place: usize) -> String {
        let mut text = String::new();
        for (other, (id, master)) in self.ids.iter().zip(&self.masters).enumerate() {
            let myself = if other == place { "myself," } else { "" };
            let (flags, follows, epoch) = match master {
                None => ("master", "-", other + 1),
                Some(master) => ("slave", self.ids[*master].as_str(), master + 1),
            };
            text += &format!(
                "{id} 10.0.0.{}:{PORT}@{BUS_PORT} {myself}{flags} {follows} 0 0 {epoch} connected",
                other + 1
            );
            if master.is_none() {
                let (first, last) = self.slots(other);
                text += &format!(" {first}-{last}");
            }
            text.push('\n');
        }
        text + &format!("vars currentEpoch {} lastVoteEpoch 0\n", self.shards)
    }
}

/// How a node is set: the scene's own lines, then the plan's. What comes later wins.
fn config(plan: &Plan, name: &str) -> Result<Config, Broken> {
    let mut text = format!(
        "port {PORT}\ndatabases 1\ncluster-enabled yes\ncluster-config-file {FILE}\ncluster-node-timeout {}\n\
         repl-diskless-sync-delay 0\nprotected-mode no\n",
        plan.timeout.0
    );
    for line in plan.settings.lines_of(name) {
        // One line is one line: what stands behind a break in it would not be counted.
        text += &line.replace(['\n', '\r'], " ");
        text.push('\n');
    }
    let config = Config::from_args(&["node.conf"], &mut |_| Ok(text.clone()));
    config.map_err(|error| {
        let why = match &error {
            LoadError::Line { text, why, .. } => format!("'{text}'\n{why}"),
            LoadError::File { .. } => error.to_string(),
        };
        Broken::new(READABLE, format!("{name} does not start:\n>>> {why}"))
    })
}
