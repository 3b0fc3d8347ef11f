//! What a seed decides before the run begins: who there is, how nodes are set, the network.

use core_types::{Millis, NodeId, Rng, Slot};
use node::config::Config;
use node::layers::sharding::key_slot;
use sim::Profile;

/// The port for clients.
pub(crate) const PORT: u16 = 7000;
/// The port for other nodes.
pub(crate) const BUS_PORT: u16 = 17000;
/// What a node keeps of its cluster.
pub(crate) const FILE: &str = "nodes.conf";

/// What kind of day it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Day {
    /// Nothing but the death of one master; it must be replaced before anything is repaired.
    Death,
    /// One master is cut off from all other nodes, with a client. It must stop.
    Minority,
    /// Nothing but `CLUSTER FAILOVER`, again and again. No write may be lost.
    Orders,
    /// Everything can break. Nobody takes an epoch without votes.
    Bad,
    /// The same, and operators do what they can: `TAKEOVER`, `BUMPEPOCH`, new nodes, slots that are moved.
    Worst,
}

/// Everything that is drawn from the seed, the faults excepted.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) profile: Profile,
    pub(crate) day: Day,
    pub(crate) nodes: Vec<NodeSetting>,
    pub(crate) masters: usize,
    /// How many of them are in the cluster when it begins; the others are there to be met.
    pub(crate) members: usize,
    pub(crate) timeout: Millis,
    /// The cluster is what files say; otherwise it is formed by orders.
    pub(crate) from_files: bool,
    pub(crate) clients: usize,
    /// On a day on which a master is cut off with the first client: that master's place, and what makes all of the client's
    /// keys its own.
    pub(crate) cut_off: Option<(usize, String)>,
    /// How long the disks take for each thing, at most.
    pub(crate) disk: Millis,
    /// Between two commands of a client.
    pub(crate) pace: (Millis, Millis),
    full_coverage: bool,
    validity: u32,
    barrier: u32,
    /// `cluster-allow-replica-migration`
    pub(crate) allow_migration: bool,
}

/// A node.
#[derive(Debug)]
pub(crate) struct NodeSetting {
    pub(crate) name: String,
    pub(crate) id: NodeId,
    /// Of a replica: the place of its master.
    pub(crate) master: Option<usize>,
    /// The first and the last of a master's slots.
    pub(crate) slots: Option<(u16, u16)>,
    pub(crate) no_failover: bool,
    appendonly: bool,
}

impl Setting {
    pub(crate) fn draw(rng: &mut Rng) -> Setting {
        let day = match rng.below(20) {
            0..=4 => Day::Death,
            5..=7 => Day::Minority,
            8..=9 => Day::Orders,
            10..=14 => Day::Bad,
            _ => Day::Worst,
        };
        let masters = *rng.pick(&[3, 3, 3, 3, 3, 3, 4, 4, 5, 5, 6, 7]).unwrap_or(&3);
        let spares = if day == Day::Worst { rng.below(3) as usize } else { 0 };
        let mut nodes: Vec<NodeSetting> = Vec::new();
        for place in 0..masters {
            let cut = |place: usize| (place * usize::from(Slot::COUNT) / masters) as u16;
            let mut node = NodeSetting::draw(rng, place);
            node.slots = Some((cut(place), cut(place + 1) - 1));
            nodes.push(node);
        }
        for master in 0..masters {
            let most = if masters > 4 { 2 } else { 3 };
            // The first one has a replica at least: somebody must be able to take over.
            let replicas = rng.below(most + 1).max(u64::from(master == 0));
            for _ in 0..replicas {
                let mut node = NodeSetting::draw(rng, nodes.len());
                node.master = Some(master);
                // Somebody else must be able to.
                node.no_failover = day != Day::Orders && replicas > 1 && rng.chance(5);
                nodes.push(node);
            }
        }
        while nodes.len() < 6 {
            let mut node = NodeSetting::draw(rng, nodes.len());
            node.master = Some(rng.below(masters as u64) as usize);
            nodes.push(node);
        }
        nodes.truncate(20 - spares);
        let members = nodes.len();
        for _ in 0..spares {
            nodes.push(NodeSetting::draw(rng, nodes.len()));
        }
        let cut_off = (day == Day::Minority).then(|| {
            let place = rng.below(masters as u64) as usize;
            let is_its = |slot: Slot| {
                let (first, last) = nodes[place].slots.unwrap_or((0, 0));
                (first..=last).contains(&slot.number())
            };
            let mut tags = (0..).map(|number| format!("{{{number}}}"));
            (place, tags.find(|tag| is_its(key_slot(tag.as_bytes()))).unwrap_or_default())
        });
        let slow = rng.between(2, 20);
        Setting {
            profile: Profile {
                latency: (Millis(1), Millis(slow)),
                split_percent: rng.below(30),
                connect_timeout: Millis::from_secs(10),
                epoch: Millis(1_700_000_000_000),
                ..Profile::default()
            },
            day,
            nodes,
            masters,
            members,
            timeout: Millis(rng.between(400, 1500)),
            from_files: rng.chance(75),
            clients: rng.between(1, 2) as usize,
            cut_off,
            disk: Millis(*rng.pick(&[1, 4, 20, 60]).unwrap_or(&4)),
            pace: (Millis(20), Millis(rng.between(30, 200))),
            full_coverage: rng.chance(50),
            // Two split votes, and the data are too old by the default: then nobody takes over.
            validity: match day {
                Day::Death => *rng.pick(&[0, 40]).unwrap_or(&0),
                _ => *rng.pick(&[0, 10, 10, 10]).unwrap_or(&10),
            },
            barrier: rng.between(1, 2) as u32,
            allow_migration: rng.chance(75),
        }
    }

    /// The address of the node at this place; the nodes are the first hosts of the world.
    pub(crate) fn ip(place: usize) -> String {
        format!("10.0.0.{}", place + 1)
    }

    /// How the node at this place is set.
    pub(crate) fn config(&self, place: usize) -> Config {
        let node = &self.nodes[place];
        Config {
            port: PORT,
            databases: 1,
            cluster_enabled: true,
            cluster_config_file: FILE.into(),
            cluster_node_timeout: self.timeout,
            cluster_require_full_coverage: self.full_coverage,
            cluster_replica_validity_factor: self.validity,
            cluster_migration_barrier: self.barrier,
            cluster_allow_replica_migration: self.allow_migration,
            cluster_replica_no_failover: node.no_failover,
            appendonly: node.appendonly,
            save: Vec::new(),
            repl_diskless_sync_delay: Millis::ZERO,
            repl_timeout: Millis::from_secs(5),
            repl_ping_replica_period: Millis::from_secs(1),
            ..Config::default()
        }
    }

    /// What the node at this place has in its file.
    pub(crate) fn file(&self, place: usize) -> String {
        let mut text = String::new();
        for (other, node) in self.nodes[..self.members].iter().enumerate() {
            let myself = if other == place { "myself," } else { "" };
            let (flags, master, epoch) = match node.master {
                None => ("master", "-", other + 1),
                Some(master) => ("slave", self.nodes[master].id.as_str(), master + 1),
            };
            text += &format!(
                "{} {}:{PORT}@{BUS_PORT} {myself}{flags} {master} 0 0 {epoch} connected",
                node.id,
                Setting::ip(other)
            );
            if let Some((first, last)) = node.slots {
                text += &format!(" {first}-{last}");
            }
            text.push('\n');
        }
        text + &format!("vars currentEpoch {} lastVoteEpoch 0\n", self.masters)
    }
}

impl NodeSetting {
    fn draw(rng: &mut Rng, place: usize) -> NodeSetting {
        NodeSetting {
            name: format!("n{place}"),
            id: NodeId::random(rng),
            master: None,
            slots: None,
            no_failover: false,
            appendonly: rng.chance(25),
        }
    }
}
