//! A master, its replicas and the sentinels that watch them, by name.

use core_types::{Endpoint, LogLevel, Millis, Role};
use node::config::Config;

use crate::Trace;
use crate::nodes::stories::{PORT, config};
use crate::nodes::{Client, NodeHost};
use crate::trace::Kind;
use crate::world::{Fault, HostId, Profile, World};

/// The port of every sentinel.
pub const SENTINEL_PORT: u16 = 26379;

/// Nodes and sentinels that know each other by name, and clients.
///
/// Names take the place of addresses everywhere: in what the nodes announce, in what the sentinels tell of
/// themselves, and so in every event.
pub struct Group<'t> {
    /// The world, for whatever else a story needs.
    pub world: World<'t>,
    sentinels: Vec<String>,
}

impl<'t> Group<'t> {
    /// Nobody so far. With a trace the run is recorded.
    pub fn new(profile: Profile, trace: Option<&'t mut Trace>) -> Group<'t> {
        Group { world: World::new(1, profile, trace), sentinels: Vec::new() }
    }

    /// A node that follows another one, or nobody. `tune` changes its configuration.
    pub fn node(
        &mut self,
        name: &str,
        follows: Option<&str>,
        tune: impl Fn(&mut Config) + 'static,
    ) -> HostId {
        let mut settings = config(follows);
        settings.replica_announce_ip = Some(name.into());
        tune(&mut settings);
        self.world.add(name, &[PORT], move |boot| NodeHost::new(settings.clone(), boot))
    }

    /// A sentinel that watches `shop`, whose master is at `master`. Its events stand in the trace. `settings` are
    /// lines of its file, such as `down-after-milliseconds shop 1000`.
    pub fn sentinel(&mut self, name: &str, quorum: usize, settings: &[&str]) -> HostId {
        let fixed = [
            format!("myid {}", run_id(self.sentinels.len())),
            "resolve-hostnames yes".into(),
            "announce-hostnames yes".into(),
            format!("announce-ip {name}"),
            format!("monitor shop master {PORT} {quorum}"),
        ];
        let lines = fixed.iter().map(String::as_str).chain(settings.iter().copied());
        let lines = lines.map(|line| line.split(' ').map(String::from).collect()).collect();
        let config = Config {
            port: SENTINEL_PORT,
            file: "sentinel.conf".into(),
            sentinel: Some(lines),
            ..Config::for_sentinel()
        };
        self.sentinels.push(name.into());
        self.world.add(name, &[SENTINEL_PORT], move |boot| {
            NodeHost::new(config.clone(), boot).with_log(LogLevel::Notice)
        })
    }

    /// A client of a node.
    pub fn client(&mut self, name: &str, of: &str) -> HostId {
        let target = Endpoint::new(of, PORT);
        self.world.add(name, &[], move |boot| Client::new(target.clone(), boot))
    }

    /// Starts hosts, one after the other.
    pub fn start(&mut self, hosts: &[HostId]) {
        for &host in hosts {
            self.world.start(host).expect("no rule is broken");
        }
    }

    /// Starts nodes, and sentinels when the replicas are there, so many milliseconds apart. It takes another five seconds
    /// until the sentinels have found each other, by two hellos, and heard an `INFO` of every node.
    pub fn start_all(&mut self, nodes: &[HostId], sentinels: &[HostId], apart: u64) {
        self.start(nodes);
        self.wait(1500);
        for &sentinel in sentinels {
            self.start(&[sentinel]);
            self.wait(apart);
        }
        self.wait(5000);
    }

    /// Sends a command. No time passes.
    ///
    /// # Panics
    /// If the client has no connection.
    pub fn say(&mut self, client: HostId, command: &str) {
        let sent = self.world.act(client, |client: &mut Client, io| client.send(io, command));
        assert_eq!(sent.expect("no rule is broken"), Some(true), "the client has a connection");
    }

    /// A client turns to another node.
    pub fn retarget(&mut self, client: HostId, target: &Endpoint) {
        let turned = self.world.act(client, |client: &mut Client, io| {
            client.retarget(io, target.clone());
        });
        turned.expect("no rule is broken");
        // It tries again half a second later, as after any loss of its connection.
        self.wait(510);
    }

    /// Lets time pass.
    pub fn wait(&mut self, millis: u64) {
        self.world.run_for(Millis(millis)).expect("no rule is broken");
    }

    /// True if a host's log has a line that begins so. Only in a run that is recorded.
    pub fn has_said(&mut self, host: HostId, line: &str) -> bool {
        let name = self.world.name(host).to_string();
        let says = |kind: &Kind| matches!(kind, Kind::Note { host: Some(host), label } if *host == name && label.starts_with(line));
        self.world.trace().is_some_and(|trace| trace.events.iter().rev().any(|event| says(&event.kind)))
    }

    /// True if a node is up and is a master.
    pub fn is_master(&self, node: HostId) -> bool {
        self.world.get::<NodeHost>(node).is_some_and(|host| *host.node().role() == Role::Master)
    }

    /// Something breaks or is repaired.
    pub fn inflict(&mut self, fault: Fault) {
        self.world.inflict(fault).expect("no rule is broken");
    }

    /// Nothing gets through any more between the hosts of one side and those of the other. The trace says it once, in
    /// these words.
    pub fn cut(&mut self, one: &[HostId], other: &[HostId], words: &str) {
        self.all_of(one, other, words, Fault::Partition);
    }

    /// The cable is mended.
    pub fn mend(&mut self, one: &[HostId], other: &[HostId], words: &str) {
        self.all_of(one, other, words, Fault::Heal);
    }

    fn all_of(&mut self, one: &[HostId], other: &[HostId], words: &str, fault: fn(HostId, HostId) -> Fault) {
        let at = self.world.now();
        let before = self.world.trace().map_or(0, |trace| {
            trace.fault(at, words);
            trace.events.len()
        });
        for &left in one {
            for &right in other {
                self.inflict(fault(left, right));
            }
        }
        if let Some(trace) = self.world.trace() {
            let mut place = 0;
            trace.events.retain(|event| {
                place += 1;
                place <= before || !matches!(event.kind, Kind::Fault { .. })
            });
        }
    }
}

/// The run id of a sentinel: its place, forty times, so that ids have the order of the names.
pub fn run_id(place: usize) -> String {
    char::from_digit(place as u32 + 1, 16).expect("fewer than fifteen sentinels").to_string().repeat(40)
}
