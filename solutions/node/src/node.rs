use std::collections::{BTreeMap, BTreeSet, VecDeque};

use core_types::{ArgsBuf, Broken, LogLevel, Millis, Offset, ReplId, Rng, Role};
use keyspace::{Effects, Keyspace};

use crate::blocking::Queue;
use crate::config::Config;
use crate::conn::{Conn, Conns, Input, Kind};
use crate::layers::one_replica::LinkState;
use crate::meters::{Meters, NoMeters};
use crate::pause::Pause;
use crate::persistence::Persistence;
use crate::pubsub::Listeners;
use crate::replication::Replication;
use crate::slowlog::Slowlog;
use crate::stats::Stats;
use crate::{ConnId, Effect, Peer};

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
    next_cron: Millis,
    next_second: Millis,
    outbox: VecDeque<Effect>,
    writers: VecDeque<ConnId>,
}

impl Node {
    /// A master with an empty data set, or a replica of what `config` names; files of an earlier run are not
    /// looked at. All its random choices follow from `seed`.
    pub fn new(config: Config, seed: u64, now: Millis) -> Node {
        let mut node = Node::build(config, seed, now);
        if let Some(master) = node.config.replicaof.clone() {
            node.start_as_replica(master);
        }
        node
    }

    /// As [`new`](Node::new), but first it loads the files that an earlier run has left. It asks for them by
    /// effects, and until it has them, clients are told that it is loading.
    pub fn with_files(config: Config, seed: u64, now: Millis) -> Node {
        let mut node = Node::build(config, seed, now);
        node.begin_load();
        node
    }

    fn build(config: Config, seed: u64, now: Millis) -> Node {
        let mut rng = Rng::new(seed);
        let run_id = ReplId::random(&mut rng);
        let mut keyspace = Keyspace::new(config.databases, rng.next_u64());
        keyspace.compact = config.compact;
        let replication = Replication::new(ReplId::random(&mut rng));
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

    /// A client has connected. If it may not stay, an error is pending and a `Close` follows.
    pub fn accept(&mut self, now: Millis, peer: Peer) -> ConnId {
        self.now = now;
        self.stats.connections_received += 1;
        let full = self.conns.len() >= self.config.maxclients;
        let id = self.conns.open(peer.addr, peer.local_addr, now);
        let refusal = if full {
            Some("-ERR max number of clients reached\r\n")
        } else if self.config.protected_mode && self.config.requirepass.is_none() && !peer.loopback {
            Some(PROTECTED)
        } else {
            None
        };
        let open_to_all = self.config.requirepass.is_none();
        if let Some(conn) = self.conns.get_mut(id) {
            conn.authenticated = open_to_all;
        }
        if let Some(text) = refusal {
            self.stats.rejected_connections += 1;
            self.send_raw(id, text.as_bytes());
            self.close(id);
        }
        id
    }

    /// Bytes from a connection. All of `data` is taken.
    pub fn receive(&mut self, now: Millis, id: ConnId, data: &[u8]) {
        self.now = now;
        self.stats.net_input_bytes += data.len() as u64;
        let Some(mut conn) = self.conns.take(id) else { return };
        conn.last_input = now;
        if !conn.closing {
            if matches!(conn.kind, Kind::MasterLink) {
                self.conns.put_back(conn);
                self.receive_from_master(data);
                self.flush_stream();
                return;
            }
            let mut input = std::mem::take(&mut conn.input);
            if conn.waits() || self.persistence.is_exiting() {
                input.pending.extend_from_slice(data);
            } else if input.pending.is_empty() {
                // The usual case: whole commands, executed where the driver read them.
                let used = self.execute_all(&mut conn, &mut input, data);
                input.pending.extend_from_slice(&data[used..]);
            } else {
                input.pending.extend_from_slice(data);
                let pending = std::mem::take(&mut input.pending);
                let used = self.execute_all(&mut conn, &mut input, &pending);
                input.pending = pending;
                let _ = input.pending.split_to(used);
            }
            if input.pending.is_empty() {
                input.pending = bytes::BytesMut::new();
            }
            if self.check_input(&mut conn, input.pending.len()) {
                conn.input = input;
            }
        }
        self.finish(conn);
        self.resume_clients();
        self.flush_stream();
    }

    /// `Effect::Connect` succeeded.
    pub fn connected(&mut self, now: Millis, id: ConnId, local_addr: &str) {
        self.now = now;
        if let Some(conn) = self.conns.get_mut(id) {
            conn.local_addr = local_addr.to_string();
            conn.last_input = now;
        }
        self.link_connected(id);
    }

    /// `Effect::Connect` failed.
    pub fn connect_failed(&mut self, now: Millis, id: ConnId, why: &str) {
        self.now = now;
        self.conns.remove(id);
        self.link_failed(id, why);
    }

    /// A connection is gone: its peer closed it, an error struck, or the driver has carried out
    /// `Effect::Close`. Called once for each connection; the id is dead afterwards.
    pub fn closed(&mut self, now: Millis, id: ConnId) {
        self.now = now;
        let Some(mut conn) = self.conns.remove(id) else { return };
        if !conn.closing {
            self.detach(&mut conn);
        }
    }

    /// Lets time pass. A tick too many does no harm.
    pub fn tick(&mut self, now: Millis) {
        self.now = now;
        // A clock that jumped back must not stop the timers until it has caught up.
        if now + CRON < self.next_cron {
            self.next_cron = now;
            self.next_second = now;
        }
        if now >= self.next_cron {
            self.next_cron = now + CRON;
            self.expire_some();
            self.persistence_cron();
            self.evict();
            self.stats.sample(now);
            self.peak_memory = self.peak_memory.max(self.meters.used_memory());
        }
        if now >= self.next_second {
            self.next_second = now + SECOND;
            self.replication_cron();
            self.close_idle_clients();
            self.check_all_outputs();
        }
        self.advance_job();
        self.end_due_pause();
        self.end_waits();
        self.link_tick();
        self.resume_clients();
        self.flush_stream();
    }

    /// When `tick` is wanted next.
    pub fn next_deadline(&self) -> Option<Millis> {
        if self.job_is_ready() {
            return Some(self.now);
        }
        let cron = self.next_cron.min(self.next_second);
        let link = self.link_deadline().unwrap_or(cron);
        let cron = self.paused.map_or(cron, |pause| pause.until.min(cron));
        Some(self.wait_deadline().unwrap_or(cron).min(link).min(cron))
    }

    /// Bytes that wait to be written to this connection.
    pub fn pending(&self, id: ConnId) -> &[u8] {
        self.conns.get(id).map_or(&[], |conn| &conn.out[..self.free_output(conn)])
    }

    /// The driver has written `count` of the pending bytes.
    pub fn sent(&mut self, now: Millis, id: ConnId, count: usize) {
        self.now = now;
        self.stats.net_output_bytes += count as u64;
        if let Some(conn) = self.conns.get_mut(id) {
            conn.mark_sent(count);
            match conn.kind {
                Kind::Replica(_) => self.replica_sent(id),
                // It had sent more than it cared to hear answered; go on where we stopped.
                Kind::Client if conn.throttled && conn.out.len() < STOP_READING => self.receive(now, id, &[]),
                _ => {}
            }
        }
    }

    /// The next connection that has bytes to write and had none when it was last named here.
    pub fn wants_write(&mut self) -> Option<ConnId> {
        while let Some(id) = self.writers.pop_front() {
            if let Some(conn) = self.conns.get_mut(id) {
                conn.queued = false;
                if !self.pending(id).is_empty() {
                    return Some(id);
                }
            }
        }
        None
    }

    /// The next thing to do for the node, in order.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        if self.outbox.is_empty() {
            self.flush_files_by_itself();
        }
        self.outbox.pop_front()
    }

    /// False while a client lets its replies pile up: the driver stops reading from it, and TCP makes
    /// the client wait. Redis goes on reading and closes the client at its output-buffer limit, if one
    /// is set; for normal clients none is by default, and memory grows.
    pub fn accepts_input(&self, id: ConnId) -> bool {
        self.conns
            .get(id)
            .is_none_or(|conn| conn.out.len() < STOP_READING || !matches!(conn.kind, Kind::Client))
    }

    /// The driver was told to stop (`signal` is `SIGTERM` or `SIGINT`).
    pub fn terminate(&mut self, now: Millis, signal: &str) {
        self.now = now;
        self.log(LogLevel::Warning, format!("Received {signal} scheduling shutdown..."));
        let save = if self.persistence.is_loading() { Some(false) } else { None };
        self.shut_down_with(save, false, None);
    }

    /// What must hold after every event. Checked by the simulator.
    pub fn check_invariants(&self) -> Result<(), Broken> {
        self.keyspace.check_invariants()?;
        self.replication.check_invariants(&self.conns)
    }

    /// The data set.
    pub fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }

    /// Master, or replica of whom.
    pub fn role(&self) -> &Role {
        &self.replication.role
    }

    /// The history this node's data belong to.
    pub fn replication_id(&self) -> ReplId {
        self.replication.id
    }

    /// How far in that history it is.
    pub fn replication_offset(&self) -> Offset {
        self.replication.offset()
    }

    /// How far the link to the master is; `None` on a master.
    pub fn link_state(&self) -> Option<LinkState> {
        self.replication.link_state()
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn log(&mut self, level: LogLevel, text: impl Into<String>) {
        if level >= self.config.loglevel {
            let role = if self.replication.is_replica() { 'S' } else { 'M' };
            self.outbox.push_back(Effect::Log { level, role, text: text.into() });
        }
    }

    pub(crate) fn ask(&mut self, effect: Effect) {
        self.outbox.push_back(effect);
    }

    /// Gives a connection that was taken out back, and notes whether it has something to say.
    pub(crate) fn finish(&mut self, mut conn: Box<Conn>) {
        self.check_output(&mut conn);
        self.hold_output(&mut conn);
        if !conn.out.is_empty() && !conn.queued {
            conn.queued = true;
            self.writers.push_back(conn.id);
        }
        self.conns.put_back(conn);
    }

    /// Appends bytes to what a connection has to say.
    pub(crate) fn send_raw(&mut self, id: ConnId, bytes: &[u8]) {
        if let Some(mut conn) = self.conns.take(id) {
            conn.out.extend_from_slice(bytes);
            self.finish(conn);
        }
    }

    /// Something a connection has to say may leave now.
    pub(crate) fn queue_writer(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.get_mut(id)
            && !conn.queued
            && !conn.out.is_empty()
        {
            conn.queued = true;
            self.writers.push_back(id);
        }
    }

    /// Closes a connection after what is pending on it.
    pub(crate) fn close(&mut self, id: ConnId) {
        if let Some(mut conn) = self.conns.take(id) {
            self.close_taken(&mut conn);
            self.finish(conn);
        }
    }

    /// The same for a connection that is taken out.
    pub(crate) fn close_taken(&mut self, conn: &mut Conn) {
        if !conn.closing {
            conn.closing = true;
            conn.input = Input::default();
            self.detach(conn);
            self.outbox.push_back(Effect::Close { conn: conn.id });
        }
    }

    /// What a connection was for ends here.
    fn detach(&mut self, conn: &mut Conn) {
        self.unblock(conn);
        conn.postponed = false;
        self.monitors.remove(&conn.id);
        self.unwatch_all(conn);
        self.unsubscribe_all(conn);
        match conn.kind {
            Kind::Client => {}
            Kind::Replica(_) => self.replica_gone(conn),
            Kind::MasterLink => self.link_closed(conn.id),
        }
    }

    fn close_idle_clients(&mut self) {
        let limit = self.config.timeout;
        if limit == Millis::ZERO {
            return;
        }
        let now = self.now;
        let idle: Vec<ConnId> = self
            .conns
            .iter()
            .filter(|conn| {
                // Who waits for something is not idle.
                let idle = conn.blocked.is_none() && conn.subscriptions.is_empty();
                matches!(conn.kind, Kind::Client)
                    && idle
                    && !conn.closing
                    && now.since(conn.last_input) > limit
            })
            .map(|conn| conn.id)
            .collect();
        for id in idle {
            self.log(LogLevel::Verbose, "Closing idle client");
            self.close(id);
        }
    }
}

/// How often keys are expired and snapshots are started: ten times a second, Redis's default `hz`.
const CRON: Millis = Millis(100);
const SECOND: Millis = Millis(1000);

/// A client with this many reply bytes outstanding is not served further until it has taken some.
pub(crate) const STOP_READING: usize = 8 * 1024 * 1024;

const PROTECTED: &str = "-DENIED Redis is running in protected mode because protected mode is enabled and no \
password is set for the default user. In this mode connections are only accepted from the loopback interface. \
Set a password with 'requirepass', or turn the mode off with 'CONFIG SET protected-mode no' from this machine \
or '--protected-mode no' at the start, if the network can be trusted.\r\n";
