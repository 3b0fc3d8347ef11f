//! What a seed decides before the run begins: how many, how they are set, the network.

use core_types::{Millis, Periods, Rng};
use sim::Profile;
use sim::nodes::sentinels::NAME;

/// The port of a node that is watched.
pub(crate) const PORT: u16 = 7000;
/// The port of a sentinel.
pub(crate) const WATCH_PORT: u16 = 26379;

/// Everything that is drawn from the seed, the faults excepted.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) profile: Profile,
    pub(crate) nodes: Vec<NodeSetting>,
    pub(crate) sentinels: Vec<SentinelSetting>,
    pub(crate) rhythm: Periods,
    pub(crate) quorum: usize,
    pub(crate) down_after: Millis,
    pub(crate) failover_timeout: Millis,
    pub(crate) parallel_syncs: u64,
    /// Nothing but the master's death happens.
    pub(crate) calm: bool,
    /// The sentinels' files know all there is to know, as after a long life.
    pub(crate) old_acquaintances: bool,
    /// How long the disks take for each thing, at most.
    pub(crate) disk: Millis,
    /// Between two writes of the client.
    pub(crate) pace: (Millis, Millis),
}

/// A node that is watched.
#[derive(Debug)]
pub(crate) struct NodeSetting {
    pub(crate) name: String,
    pub(crate) priority: u32,
    directives: Vec<String>,
    /// It comes back from a crash as it was installed: without its data, and with its first configuration.
    pub(crate) forgets: bool,
}

/// A sentinel.
#[derive(Debug)]
pub(crate) struct SentinelSetting {
    pub(crate) name: String,
    id: String,
}

impl Setting {
    pub(crate) fn draw(rng: &mut Rng) -> Setting {
        let sentinels = *rng.pick(&[3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 7]).unwrap_or(&3);
        let nodes = if rng.chance(70) { 3 } else { 4 };
        let calm = rng.chance(33);
        let majority = sentinels / 2 + 1;
        // A quorum above the majority is rare in life and legal.
        let quorum = if rng.chance(50) { majority } else { rng.between(1, sentinels) };
        let slow = rng.between(2, 20);
        let ping = Millis(rng.between(300, 1000));
        let rhythm = Periods {
            ping,
            info: Millis(rng.between(1000, 4000)),
            ask: Millis(rng.between(300, 1000)),
            hello: Millis(rng.between(600, 1500)),
            tilt_trigger: Millis(2000),
            tilt: Millis(rng.between(500, 2500)),
            reconf_timeout: Millis(rng.between(1500, 5000)),
            link_min_age: Millis(rng.between(500, 6000)),
            election_timeout: Millis(rng.between(1200, 3000)),
        };
        let nodes = (0..nodes).map(|index| NodeSetting::draw(rng, index, calm)).collect();
        let ids = (0..sentinels).map(|index| {
            let id = String::from_utf8_lossy(&rng.hex40()).into_owned();
            SentinelSetting { name: format!("s{index}"), id }
        });
        let ids = ids.collect();
        Setting {
            profile: Profile {
                latency: (Millis(1), Millis(slow)),
                split_percent: rng.below(30),
                connect_timeout: Millis::from_secs(10),
                epoch: Millis(1_700_000_000_000),
                ..Profile::default()
            },
            nodes,
            sentinels: ids,
            rhythm,
            quorum: quorum as usize,
            down_after: Millis(rng.between(400, 1500)),
            failover_timeout: Millis(rng.between(1500, 3000)),
            parallel_syncs: rng.between(1, 3),
            calm,
            old_acquaintances: rng.chance(80),
            disk: Millis(*rng.pick(&[1, 4, 20, 60]).unwrap_or(&4)),
            pace: (Millis(50), Millis(rng.between(60, 300))),
        }
    }

    /// The address of the node at this place; the nodes are the first hosts of the world.
    pub(crate) fn node_ip(place: usize) -> String {
        format!("10.0.0.{}", place + 1)
    }

    /// Can anybody take the master's place?
    pub(crate) fn has_heir(&self) -> bool {
        self.nodes[1..].iter().any(|node| node.priority > 0)
    }

    /// The configuration file of a node, as it was installed.
    pub(crate) fn node_file(&self, place: usize) -> String {
        let node = &self.nodes[place];
        let mut lines = node.directives.clone();
        lines.push(format!("port {PORT}"));
        lines.push(format!("replica-priority {}", node.priority));
        if place > 0 {
            lines.push(format!("replicaof {} {PORT}", Setting::node_ip(0)));
        }
        lines.join("\n")
    }

    /// The configuration file of a sentinel, as it was installed.
    pub(crate) fn sentinel_file(&self, place: usize) -> String {
        let mut lines = vec![
            format!("port {WATCH_PORT}"),
            format!("sentinel myid {}", self.sentinels[place].id),
            format!("sentinel monitor {NAME} {} {PORT} {}", Setting::node_ip(0), self.quorum),
            format!("sentinel down-after-milliseconds {NAME} {}", self.down_after.0),
            format!("sentinel failover-timeout {NAME} {}", self.failover_timeout.0),
            format!("sentinel parallel-syncs {NAME} {}", self.parallel_syncs),
        ];
        if self.old_acquaintances {
            let replicas = (1..self.nodes.len()).map(Setting::node_ip);
            lines.extend(replicas.map(|ip| format!("sentinel known-replica {NAME} {ip} {PORT}")));
            let others = self.sentinels.iter().enumerate().filter(|(other, _)| *other != place);
            lines.extend(others.map(|(other, sentinel)| {
                let ip = Setting::node_ip(self.nodes.len() + other);
                format!("sentinel known-sentinel {NAME} {ip} {WATCH_PORT} {}", sentinel.id)
            }));
        }
        lines.join("\n")
    }

    /// The order that gives a sentinel its rhythm; no file can.
    pub(crate) fn rhythm_order(&self) -> String {
        let periods = &self.rhythm;
        let all = [
            ("ping-period", periods.ping),
            ("info-period", periods.info),
            ("ask-period", periods.ask),
            ("publish-period", periods.hello),
            ("tilt-trigger", periods.tilt_trigger),
            ("tilt-period", periods.tilt),
            ("slave-reconf-timeout", periods.reconf_timeout),
            ("min-link-reconnect-period", periods.link_min_age),
            ("election-timeout", periods.election_timeout),
        ];
        let words = all.iter().map(|(name, value)| format!(" {name} {}", value.0));
        format!("SENTINEL DEBUG{}", words.collect::<String>())
    }
}

impl NodeSetting {
    fn draw(rng: &mut Rng, index: u64, calm: bool) -> NodeSetting {
        let mut directives = vec![
            format!("repl-timeout {}", rng.between(3, 6)),
            "repl-ping-replica-period 1".into(),
            "repl-diskless-sync-delay 0".into(),
            format!("repl-backlog-size {}", if rng.chance(20) { 4000 } else { 1 << 20 }),
            "databases 1".into(),
        ];
        match rng.below(6) {
            0 => directives.push("save 1 1".into()),
            1 => directives.push("appendonly yes".into()),
            _ => directives.push("save \"\"".into()),
        }
        // Mostly equal, so that offsets and run ids decide.
        let priority = if rng.chance(80) { 100 } else { *rng.pick(&[0, 10, 200]).unwrap_or(&100) };
        NodeSetting { name: format!("n{index}"), priority, directives, forgets: !calm && rng.chance(20) }
    }
}
