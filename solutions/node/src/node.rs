use std::collections::{BTreeMap, BTreeSet, VecDeque};

use core_types::{ArgsBuf, LogLevel, Millis, ReplId, Rng, RunId};
use keyspace::{Effects, Keyspace};

use crate::blocking::Queue;
use crate::config::Config;
use crate::conn::Conns;
use crate::events::{CRON, SECOND};
use crate::meters::{Meters, NoMeters};
use crate::partition::Partition;
use crate::pause::Pause;
use crate::persistence::Persistence;
use crate::pubsub::Listeners;
use crate::replication::Replication;
use crate::sentinel::Watcher;
use crate::slowlog::Slowlog;
use crate::stats::Stats;
use crate::{ConnId, Effect};

/// A Redis node without its sockets and its clock. See the crate's documentation for how it is driven.
pub struct Node {
    pub(crate) config: Config,
    pub(crate) rng: Rng,
    pub(crate) run_id: ReplId,
    /// What the operating system calls this process; the driver tells.
    pub(crate) process_id: u32,
    pub(crate) started: Millis,
    /// The time of the event that is being handled.
    pub(crate) now: Millis,
    pub(crate) keyspace: Keyspace,
    /// What the command that runs right now changed; kept to reuse its memory.
    pub(crate) effects: Effects,
    pub(crate) conns: Conns,
    pub(crate) replication: Replication,
    pub(crate) persistence: Persistence,
    pub(crate) stats: Stats,
    /// What the driver measures.
    pub(crate) meters: Box<dyn Meters>,
    /// What the meter said when the last command ended.
    pub(crate) meter_mark: u64,
    /// Microseconds that the command that runs has asked to stand still for.
    pub(crate) stalled: u64,
    pub(crate) peak_memory: u64,
    pub(crate) slowlog: Slowlog,
    /// The configuration file is being rewritten.
    pub(crate) rewrite: Option<crate::commands::Rewrite>,
    /// As a node of a cluster: what it knows of that.
    pub(crate) cluster: Option<Box<crate::cluster::Cluster>>,
    /// The file where it keeps that.
    pub(crate) cluster_storage: crate::cluster::Storage,
    /// Keys on their way to other nodes.
    pub(crate) migrations: crate::cluster::Migrations,
    /// A transaction waits for another node, and everybody for it.
    pub(crate) standstill: Option<Box<crate::standstill::Standstill>>,
    /// With `--sentinel` this is what the node does.
    pub(crate) sentinel: Option<Box<Watcher>>,
    /// Who is cut off, in a test.
    pub(crate) partition: Partition,
    /// Clients are not served for a while.
    pub(crate) paused: Option<Pause>,
    /// Connections that get every command.
    pub(crate) monitors: BTreeSet<ConnId>,
    /// `DEBUG SET-ACTIVE-EXPIRE`
    pub(crate) active_expire: bool,
    /// Who watches which key of which database.
    pub(crate) watchers: BTreeMap<(usize, Box<[u8]>), BTreeSet<ConnId>>,
    /// The connection whose command runs has written a key that it watches itself.
    pub(crate) broke_own_watch: bool,
    /// Who waits for which key.
    pub(crate) waiting: BTreeMap<(usize, Box<[u8]>), Queue>,
    pub(crate) blocked_clients: usize,
    /// Keys that have got something, and nobody who waits for them has had a try yet.
    pub(crate) ready: VecDeque<(usize, Box<[u8]>)>,
    /// Clients that waited and may go on with what they sent meanwhile.
    pub(crate) resume: VecDeque<ConnId>,
    pub(crate) resuming: bool,
    pub(crate) listeners: Listeners,
    /// While commands run as one: what the replicas will be told at their end, together.
    pub(crate) unit: Option<Vec<(usize, ArgsBuf)>>,
    /// What the nodes of a cluster say to one another.
    pub(crate) bus: crate::cluster::Bus,
    pub(crate) next_cron: Millis,
    pub(crate) next_second: Millis,
    pub(crate) outbox: VecDeque<Effect>,
    pub(crate) writers: VecDeque<ConnId>,
}

impl Node {
    /// A master with an empty data set, or a replica of what `config` names; files of an earlier run are not
    /// looked at. All its random choices follow from `seed`.
    pub fn new(config: Config, seed: u64, now: Millis) -> Node {
        let mut node = Node::build(config, seed, now);
        if node.sentinel.is_some() {
            node.start_watching();
        } else if node.config.cluster_enabled {
            node.begin_cluster(None);
            node.settle_cluster();
        } else if let Some(master) = node.config.replicaof.clone() {
            node.start_as_replica(master);
        }
        node
    }

    /// As [`new`](Node::new), but first it loads the files that an earlier run has left. It asks for them by
    /// effects, and until it has them, clients are told that it is loading.
    pub fn with_files(config: Config, seed: u64, now: Millis) -> Node {
        if config.sentinel.is_some() {
            // A sentinel's only file is its configuration.
            return Node::new(config, seed, now);
        }
        let mut node = Node::build(config, seed, now);
        if !node.begin_cluster_load() {
            node.begin_load();
        }
        node
    }

    fn build(config: Config, seed: u64, now: Millis) -> Node {
        let mut rng = Rng::new(seed);
        let run_id = ReplId::random(&mut rng);
        let mut keyspace = Keyspace::new(config.databases, rng.next_u64());
        keyspace.compact = config.compact;
        keyspace.set_usage(config.usage());
        let replication = Replication::new(ReplId::random(&mut rng));
        let sentinel = config.sentinel.as_ref().map(|lines| {
            let id = RunId::random(&mut rng);
            Box::new(Watcher::new(lines, config.port, id, rng.next_u64(), now))
        });
        let mut node = Node {
            run_id,
            process_id: 0,
            started: now,
            now,
            keyspace,
            effects: Effects::default(),
            conns: Conns::default(),
            replication,
            persistence: Persistence::new(now),
            stats: Stats::default(),
            meters: Box::new(NoMeters),
            meter_mark: 0,
            stalled: 0,
            peak_memory: 0,
            slowlog: Slowlog::default(),
            rewrite: None,
            cluster: None,
            cluster_storage: crate::cluster::Storage::default(),
            migrations: crate::cluster::Migrations::default(),
            standstill: None,
            sentinel,
            partition: Partition::default(),
            paused: None,
            monitors: BTreeSet::new(),
            active_expire: true,
            watchers: BTreeMap::new(),
            broke_own_watch: false,
            waiting: BTreeMap::new(),
            blocked_clients: 0,
            ready: VecDeque::new(),
            resume: VecDeque::new(),
            resuming: false,
            listeners: Listeners::default(),
            unit: None,
            bus: crate::cluster::Bus::default(),
            next_cron: now + CRON,
            next_second: now + SECOND,
            outbox: VecDeque::new(),
            writers: VecDeque::new(),
            rng,
            config,
        };
        node.log(LogLevel::Notice, "Server initialized");
        node
    }

    /// Takes the number by which the operating system knows this process, for `INFO`.
    pub fn set_process_id(&mut self, id: u32) {
        self.process_id = id;
    }

    /// Takes the driver's meters. Without them times and memory are reported as zero.
    pub fn set_meters(&mut self, meters: Box<dyn Meters>) {
        self.meters = meters;
    }

    pub(crate) fn log(&mut self, level: LogLevel, text: impl Into<String>) {
        if level >= self.config.loglevel {
            let role = match (&self.config.sentinel, self.replication.is_replica()) {
                (Some(_), _) => 'X',
                (None, true) => 'S',
                (None, false) => 'M',
            };
            self.outbox.push_back(Effect::Log { level, role, text: text.into() });
        }
    }

    pub(crate) fn ask(&mut self, effect: Effect) {
        if let Effect::Connect { conn, to } = &effect
            && let Some(conn) = self.conns.get_mut(*conn)
        {
            conn.target = Some(to.clone());
        }
        self.outbox.push_back(effect);
    }
}
