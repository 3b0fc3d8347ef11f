//! Whole nodes: they start from a `nodes.conf` that names them all, and find each other.

use std::fmt::Write;

use core_types::{Millis, NodeId, Rng, Slot};
use node::config::Config;

use super::{Detection, Size, Traffic, ids, warm_up};
use crate::nodes::{NodeHost, rules};
use crate::world::{Fault, HostId, Profile, World};

const PORT: u16 = 7000;
const BUS_PORT: u16 = 17000;

/// Runs a cluster of whole nodes and counts what they say to each other for `counted`, once the first rush is over.
pub fn whole(size: Size, counted: Millis, seed: u64) -> Traffic {
    let mut cluster = Whole::new(size, seed);
    cluster.wait(warm_up(size.timeout));
    let (bytes, pings) = (cluster.bytes(), cluster.pings());
    cluster.wait(counted);
    let (bytes_now, pings_now) = (cluster.bytes(), cluster.pings());
    let between = |from: usize, to: usize| {
        let place = from * size.nodes + to;
        bytes_now[place] - bytes[place]
    };
    Traffic::of(&size, between, pings_now - pings, counted.0 as f64 / 1000.0)
}

/// Kills a master so many times, each time another one, and lets it come back when all know: what
/// [`deaths`](super::deaths) does with decisions alone.
pub fn whole_deaths(size: Size, count: usize, seed: u64) -> Vec<Detection> {
    let mut cluster = Whole::new(size, seed);
    let mut rng = Rng::new(seed);
    cluster.wait(warm_up(size.timeout));
    let die = |place: usize| {
        // Not always at the same moment of a timeout.
        cluster.wait(Millis(size.timeout.0 + rng.below(size.timeout.0)));
        cluster.kill(place % size.masters(), size)
    };
    (0..count).map(die).collect()
}

/// The nodes in their world.
struct Whole {
    world: World<'static>,
    hosts: Vec<HostId>,
}

impl Whole {
    /// All nodes, started within half a timeout.
    fn new(size: Size, seed: u64) -> Whole {
        let profile = Profile {
            latency: (Millis(1), Millis(1)),
            split_percent: 0,
            epoch: Millis(1_700_000_000_000),
            ..Profile::default()
        };
        let mut world = World::new(seed, profile, None);
        let file = nodes_file(&size);
        let hosts: Vec<HostId> = (0..size.nodes)
            .map(|node| {
                let (settings, file) = (config(size.timeout), file.clone());
                let id = ids(size.nodes)[node];
                world.add(&format!("node-{node}"), &[PORT, BUS_PORT], move |boot| {
                    let who = format!("{id} {} ", address(node));
                    let text = file.replace(&who, &format!("{who}myself,"));
                    let node = NodeHost::with_files(settings.clone(), boot);
                    node.with_file("nodes.conf", &text).without_checks()
                })
            })
            .collect();
        let mut whole = Whole { world, hosts };
        let apart = size.timeout.0 / 2 / size.nodes as u64;
        for place in 0..size.nodes {
            whole.world.start(whole.hosts[place]).expect("no rule is broken");
            whole.wait(Millis(apart));
        }
        whole
    }

    fn wait(&mut self, time: Millis) {
        self.world.run_for(time).expect("no rule is broken");
    }

    /// A node dies, and comes back when everybody knows. When was it noticed? Ends when everybody has forgiven it, so that the
    /// next death finds a quiet cluster.
    fn kill(&mut self, victim: usize, size: Size) -> Detection {
        let (host, id, begin) = (self.hosts[victim], ids(size.nodes)[victim], self.world.now());
        let limit = Millis(size.timeout.0 * 10);
        let (mut suspected, mut agreed) = (None, None);
        self.world.inflict(Fault::Crash(host)).expect("no rule is broken");
        let known = loop {
            self.wait(Millis(1));
            let since = self.world.now().since(begin);
            let (doubt, sure) = self.opinions(id);
            if doubt + sure > 0 {
                suspected.get_or_insert(since);
            }
            if sure > 0 {
                agreed.get_or_insert(since);
            }
            if sure == size.nodes - 1 {
                break since;
            }
            assert!(since < limit, "a death is noticed");
        };
        self.world.inflict(Fault::Restart(host)).expect("no rule is broken");
        while self.opinions(id) != (0, 0) {
            self.wait(Millis(100));
            assert!(self.world.now().since(begin) < limit, "whoever is back is forgiven");
        }
        Detection { suspected: suspected.unwrap_or(known), agreed: agreed.unwrap_or(known), known }
    }

    /// How many nodes doubt whether this one lives, and how many take it for failed.
    fn opinions(&self, id: NodeId) -> (usize, usize) {
        let (mut doubt, mut sure) = (0, 0);
        for host in &self.hosts {
            let view = rules::node(&self.world, *host).and_then(|node| node.cluster_view());
            let Some(member) = view.and_then(|view| view.member(id)) else { continue };
            sure += usize::from(member.has_failed());
            doubt += usize::from(!member.has_failed() && member.may_have_failed());
        }
        (doubt, sure)
    }

    /// Bytes so far, by sender and receiver.
    fn bytes(&self) -> Vec<u64> {
        let pairs = self.hosts.iter().flat_map(|from| self.hosts.iter().map(move |to| (*from, *to)));
        pairs.map(|(from, to)| self.world.sent_between(from, to)).collect()
    }

    /// Pings that were sent so far, by the nodes' own count.
    fn pings(&mut self) -> u64 {
        let mut sum = 0;
        for host in self.hosts.clone() {
            let info = self.order(host, "CLUSTER INFO");
            let count = info.lines().find_map(|line| line.strip_prefix("cluster_stats_messages_ping_sent:"));
            sum += count.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
        }
        sum
    }

    fn order(&mut self, host: HostId, command: &str) -> String {
        let said = self.world.act(host, |node: &mut NodeHost, io| node.order(io, command));
        said.expect("no rule is broken").unwrap_or_default()
    }
}

fn address(node: usize) -> String {
    format!("10.0.0.{}:{PORT}@{BUS_PORT}", node + 1)
}

/// Nothing but heartbeats: no elections, and replicas that say little.
fn config(timeout: Millis) -> Config {
    Config {
        port: PORT,
        cluster_enabled: true,
        cluster_node_timeout: timeout,
        cluster_require_full_coverage: false,
        cluster_replica_no_failover: true,
        repl_diskless_sync_delay: Millis::ZERO,
        ..Config::default()
    }
}

/// What every node knows when it starts; `myself` is still to be put in.
fn nodes_file(size: &Size) -> String {
    let ids: Vec<NodeId> = ids(size.nodes);
    let (masters, slots) = (size.masters(), usize::from(Slot::COUNT));
    let mut text = String::new();
    for (node, id) in ids.iter().enumerate() {
        let _ = match size.master_of(node) {
            Some(master) => {
                writeln!(text, "{id} {} slave {} 0 0 {} connected", address(node), ids[master], master + 1)
            }
            None => {
                let (first, last) = (node * slots / masters, (node + 1) * slots / masters - 1);
                writeln!(text, "{id} {} master - 0 0 {} connected {first}-{last}", address(node), node + 1)
            }
        };
    }
    let _ = writeln!(text, "vars currentEpoch {masters} lastVoteEpoch 0");
    text
}
