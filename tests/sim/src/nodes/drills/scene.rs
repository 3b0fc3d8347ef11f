//! Who is there when a drill begins.

use core_types::{Broken, Endpoint, LogLevel, Millis};
use drill::{Settings, Whose};
use node::config::{Config, LoadError};

use super::Customer;
use crate::nodes::NodeHost;
use crate::nodes::experiments::run_id;
use crate::nodes::stories::PORT;
use crate::world::{HostId, Profile, World};

/// The name under which sentinels watch the master.
pub const SHOP: &str = "shop";

/// The port of a sentinel.
pub const WATCH_PORT: u16 = 26379;

const NODE_FILE: &str = "redis.conf";
const SENTINEL_FILE: &str = "sentinel.conf";

/// What a host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A data node; it follows another one, or nobody.
    Node {
        /// The other one's name.
        follows: Option<String>,
    },
    /// A sentinel that watches [`SHOP`], whose master is at the host `master`.
    Sentinel {
        /// How many must agree that a master is down.
        quorum: usize,
    },
    /// A client of a node.
    Client {
        /// The node's name.
        of: String,
    },
}

/// Hosts and their files. Hosts start in the order in which they were added, sentinels last.
#[derive(Clone, Debug)]
pub struct Scene {
    profile: Profile,
    parts: Vec<(String, Part)>,
    /// What stands in the files before anybody adds lines.
    given: Settings,
    settings: Settings,
    /// What a host can send in a second, where that is limited.
    wires: Vec<(String, u64)>,
    /// The first node's data set, in bytes, before anybody follows it.
    data: u64,
    /// The replicas are started, and nobody waits for them.
    alone: bool,
}

/// A line that the node does not take.
const UNDERSTOOD: &str = "A node takes the lines of its configuration file, or it does not start.";

impl Scene {
    /// Nobody yet. Messages take between one and `latency` milliseconds.
    pub fn new(latency: Millis) -> Scene {
        let profile = Profile {
            latency: (Millis(1), latency.max(Millis(1))),
            connect_timeout: Millis::from_secs(10),
            epoch: Millis(1_700_000_000_000),
            ..Profile::default()
        };
        Scene {
            profile,
            parts: Vec::new(),
            given: Settings::new(),
            settings: Settings::new(),
            wires: Vec::new(),
            data: 0,
            alone: false,
        }
    }

    /// `master`, its replicas `replica-1`, `replica-2`, …, and `client`, a client of the first master.
    pub fn star(replicas: usize, latency: Millis) -> Scene {
        let scene = Scene::new(latency).part("master", Part::Node { follows: None });
        let follows = || Part::Node { follows: Some("master".into()) };
        let scene =
            (1..=replicas).fold(scene, |scene, number| scene.part(&format!("replica-{number}"), follows()));
        scene.part("client", Part::Client { of: "master".into() })
    }

    /// A star, and sentinels `s1`, `s2`, … of which a majority must agree. Every node keeps an append-only file that is
    /// synced with each write, so that what is lost is not lost by a disk.
    pub fn watched(replicas: usize, sentinels: usize, latency: Millis) -> Scene {
        let mut scene = Scene::star(replicas, latency);
        scene.given = scene
            .given
            .nodes("appendonly yes")
            .nodes("appendfsync always")
            .sentinels(format!("sentinel down-after-milliseconds {SHOP} 5000"))
            .sentinels(format!("sentinel failover-timeout {SHOP} 60000"));
        let quorum = sentinels / 2 + 1;
        (1..=sentinels)
            .fold(scene, |scene, number| scene.part(&format!("s{number}"), Part::Sentinel { quorum }))
    }

    /// Adds a host.
    #[must_use]
    pub fn part(mut self, name: &str, part: Part) -> Scene {
        self.parts.push((name.into(), part));
        self
    }

    /// Adds lines that belong to the scene.
    #[must_use]
    pub fn given(mut self, lines: impl FnOnce(Settings) -> Settings) -> Scene {
        self.given = lines(self.given);
        self
    }

    /// These lines stand in the files, behind the scene's own.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Scene {
        self.settings = settings;
        self
    }

    /// A host can send no more than so many bytes a second.
    #[must_use]
    pub fn wire(mut self, host: &str, bytes_a_second: u64) -> Scene {
        self.wires.push((host.into(), bytes_a_second));
        self
    }

    /// The master holds a data set of so many bytes before anybody follows it.
    #[must_use]
    pub fn filled(mut self, bytes: u64) -> Scene {
        self.data = bytes;
        self
    }

    /// The scene is set as soon as everybody runs: the replicas' first synchronisation is a part of the drill.
    #[must_use]
    pub fn from_the_start(mut self) -> Scene {
        self.alone = true;
        self
    }

    pub(super) fn data(&self) -> u64 {
        self.data
    }

    pub(super) fn is_alone(&self) -> bool {
        self.alone
    }

    /// The hosts, by name.
    pub fn hosts(&self) -> Vec<&str> {
        self.parts.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Does each host take its file?
    ///
    /// # Errors
    /// The first line that one does not take, in the node's own words; or one for nobody.
    pub fn check(&self) -> Result<(), Broken> {
        for (whose, line) in self.settings.lines() {
            let Whose::Of(name) = whose else { continue };
            if !self.parts.iter().any(|(host, part)| host == name && !matches!(part, Part::Client { .. })) {
                let hosts = self.parts.iter().filter(|(_, part)| !matches!(part, Part::Client { .. }));
                let hosts: Vec<&str> = hosts.map(|(name, _)| name.as_str()).collect();
                let detail = format!("{line:?} is for {name:?}; there are {}", hosts.join(", "));
                return Err(Broken::new("A line stands in the file of a host that is there.", detail));
            }
        }
        for (place, (name, part)) in self.parts.iter().enumerate() {
            let sentinel = matches!(part, Part::Sentinel { .. });
            let file = match part {
                Part::Node { follows } => self.node_file(name, follows.as_deref()),
                Part::Sentinel { quorum } => self.sentinel_file(name, place, *quorum),
                Part::Client { .. } => continue,
            };
            let args = if sentinel { vec![SENTINEL_FILE, "--sentinel"] } else { vec![NODE_FILE] };
            Config::from_args(&args, &mut |_| Ok(file.clone())).map_err(|error| {
                let why = match &error {
                    LoadError::Line { text, why, .. } => {
                        format!("{name} does not start:\n>>> '{text}'\n{why}")
                    }
                    LoadError::File { .. } => format!("{name} does not start: {error}"),
                };
                Broken::new(UNDERSTOOD, why)
            })?;
        }
        Ok(())
    }

    /// Puts everybody into a world. Nobody runs yet.
    pub(super) fn build<'t>(
        &self,
        seed: u64,
        trace: Option<&'t mut crate::Trace>,
    ) -> (World<'t>, Vec<(String, HostId, Part)>) {
        // What is counted in whole seconds begins anywhere in one.
        let epoch = self.profile.epoch + Millis(seed.wrapping_mul(373) % 1000);
        let mut world = World::new(seed, Profile { epoch, ..self.profile.clone() }, trace);
        let mut hosts = Vec::new();
        for (place, (name, part)) in self.parts.iter().enumerate() {
            let id = match part {
                Part::Node { follows } => {
                    let file = self.node_file(name, follows.as_deref());
                    world.add(name, &[PORT], move |boot| {
                        NodeHost::configured(boot, NODE_FILE, &file, false)
                            .with_log(LogLevel::Notice)
                            .without_checks()
                    })
                }
                Part::Sentinel { quorum } => {
                    let file = self.sentinel_file(name, place, *quorum);
                    world.add(name, &[WATCH_PORT], move |boot| {
                        NodeHost::configured(boot, SENTINEL_FILE, &file, true)
                            .with_log(LogLevel::Notice)
                            .without_checks()
                    })
                }
                Part::Client { of } => {
                    let target = Endpoint::new(of.clone(), PORT);
                    world.add(name, &[], move |boot| Customer::new(target.clone(), boot))
                }
            };
            hosts.push((name.clone(), id, part.clone()));
        }
        for (name, rate) in &self.wires {
            if let Some((_, id, _)) = hosts.iter().find(|(host, ..)| host == name) {
                world.set_bandwidth(*id, Some(*rate));
            }
        }
        (world, hosts)
    }

    fn node_file(&self, name: &str, follows: Option<&str>) -> String {
        let mut lines = vec![
            format!("port {PORT}"),
            "repl-diskless-sync-delay 0".into(),
            format!("replica-announce-ip {name}"),
        ];
        lines.extend(follows.map(|master| format!("replicaof {master} {PORT}")));
        let more = self.given.lines_of(name).chain(self.settings.lines_of(name));
        lines.extend(more.map(String::from));
        lines.join("\n")
    }

    fn sentinel_file(&self, name: &str, place: usize, quorum: usize) -> String {
        let sentinels =
            self.parts.iter().take(place).filter(|(_, part)| matches!(part, Part::Sentinel { .. }));
        let mut lines = vec![
            format!("port {WATCH_PORT}"),
            format!("sentinel myid {}", run_id(sentinels.count())),
            "sentinel resolve-hostnames yes".into(),
            "sentinel announce-hostnames yes".into(),
            format!("sentinel announce-ip {name}"),
            format!("sentinel monitor {SHOP} master {PORT} {quorum}"),
        ];
        let more = self.given.lines_of_sentinel(name).chain(self.settings.lines_of_sentinel(name));
        lines.extend(more.map(String::from));
        lines.join("\n")
    }
}
