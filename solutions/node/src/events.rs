//! What can happen to a node: the driver calls these.

use core_types::{LogLevel, Millis};

use crate::cluster::Ended;
use crate::conn::Kind;
use crate::{ConnId, Effect, Node, Peer};

impl Node {
    /// A client has connected. If it may not stay, an error is pending and a `Close` follows.
    pub fn accept(&mut self, now: Millis, peer: Peer) -> ConnId {
        self.now = now;
        self.stats.connections_received += 1;
        let full = self.conns.len() - self.bus_links() >= self.config.maxclients;
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
        if self.stands_still_for(id) {
            return self.receive_later(id, data);
        }
        self.stats.net_input_bytes += data.len() as u64;
        let Some(mut conn) = self.conns.take(id) else { return };
        conn.last_input = now;
        if !conn.closing {
            if matches!(conn.kind, Kind::Watch(_)) {
                self.receive_for_watch(conn, data);
                return;
            }
            if matches!(conn.kind, Kind::Bus(_)) {
                self.receive_for_bus(conn, data);
                return;
            }
            if matches!(conn.kind, Kind::Courier(_)) {
                self.receive_for_courier(conn, data);
                self.end_event();
                return;
            }
            if matches!(conn.kind, Kind::MasterLink) {
                self.conns.put_back(conn);
                self.receive_from_master(data);
                self.end_event();
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
        self.end_event();
    }

    /// Where `Effect::Connect` has led to: a driver that resolves names tells it just before it says that the
    /// connection is there.
    pub fn reached(&mut self, id: ConnId, addr: &str) {
        if let Some(conn) = self.conns.get_mut(id) {
            conn.addr = addr.to_string();
        }
    }

    /// `Effect::Connect` succeeded.
    pub fn connected(&mut self, now: Millis, id: ConnId, local_addr: &str) {
        self.now = now;
        if self.connected_later(id, local_addr) {
            return;
        }
        if let Some(conn) = self.conns.get_mut(id) {
            conn.local_addr = local_addr.to_string();
            conn.last_input = now;
        }
        self.link_connected(id);
        self.watch_connected(id);
        self.bus_connected(id);
        self.courier_connected(id);
        self.end_event();
    }

    /// `Effect::Connect` failed.
    pub fn connect_failed(&mut self, now: Millis, id: ConnId, why: &str) {
        self.now = now;
        if self.connect_failed_later(id, why) {
            return;
        }
        self.forget_conn(id);
        self.link_failed(id, why);
        self.watch_lost(id, why);
        self.bus_connect_failed(id, why);
        // A name that nobody has, as the drivers put it.
        let ended = if why.contains("lookup") { Ended::Unknown } else { Ended::Closed };
        self.courier_failed(id, ended);
        self.end_event();
    }

    /// A connection is gone: its peer closed it, an error struck, or the driver has carried out
    /// `Effect::Close`. Called once for each connection; the id is dead afterwards.
    pub fn closed(&mut self, now: Millis, id: ConnId) {
        self.now = now;
        if self.closed_later(id) {
            return;
        }
        let Some(mut conn) = self.forget_conn(id) else { return };
        if !conn.closing {
            self.detach(&mut conn);
        }
        self.end_event();
    }

    /// Lets time pass. A tick too many does no harm.
    pub fn tick(&mut self, now: Millis) {
        self.now = now;
        if self.stands_still() {
            // Its end makes up for all the rest at the next tick.
            self.migrate_tick();
            return self.end_event();
        }
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
            self.cluster_cron();
            self.close_idle_couriers();
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
        self.end_election_delay();
        self.end_due_pause();
        self.advance_failover();
        self.advance_leaving();
        self.end_waits();
        self.link_tick();
        self.watch_tick();
        self.migrate_tick();
        self.bus_tick();
        self.resume_clients();
        self.end_event();
    }

    /// When `tick` is wanted next.
    pub fn next_deadline(&self) -> Option<Millis> {
        if self.stands_still() {
            return self.standstill_deadline();
        }
        if self.job_is_ready() {
            return Some(self.now);
        }
        let cron = self.next_cron.min(self.next_second);
        let link = self.link_deadline().unwrap_or(cron);
        let cron = self.watch_deadline().map_or(cron, |deadline| deadline.min(cron));
        let cron = self.paused.map_or(cron, |pause| pause.until.min(cron));
        let stages = [
            self.failover_deadline(),
            self.leaving_deadline(),
            self.migrate_deadline(),
            self.bus_deadline(),
            self.election_deadline(),
        ];
        let cron = stages.into_iter().flatten().fold(cron, Millis::min);
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
                Kind::Courier(_) => self.courier_sent(id),
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
    ///
    /// Also false, for most connections, while the node [stands still](Node::stands_still).
    pub fn accepts_input(&self, id: ConnId) -> bool {
        !self.stands_still_for(id)
            && self
                .conns
                .get(id)
                .is_none_or(|conn| conn.out.len() < STOP_READING || !matches!(conn.kind, Kind::Client))
    }

    /// The driver was told to stop (`signal` is `SIGTERM` or `SIGINT`).
    pub fn terminate(&mut self, now: Millis, signal: &str) {
        self.now = now;
        if self.terminate_later(signal) {
            return;
        }
        self.log(LogLevel::Warning, format!("Received {signal} scheduling shutdown..."));
        let save = if self.persistence.is_loading() { Some(false) } else { None };
        self.leave(save, false, false, None);
        self.end_event();
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
                // Who waits, or listens, is silent for a reason.
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
pub(crate) const CRON: Millis = Millis(100);
pub(crate) const SECOND: Millis = Millis(1000);

/// A client with this many reply bytes outstanding is not served further until it has taken some.
pub(crate) const STOP_READING: usize = 8 * 1024 * 1024;

const PROTECTED: &str = "-DENIED Redis is running in protected mode because protected mode is enabled and no \
password is set for the default user. In this mode connections are only accepted from the loopback interface. \
Set a password with 'requirepass', or turn the mode off with 'CONFIG SET protected-mode no' from this machine \
or '--protected-mode no' at the start, if the network can be trusted.\r\n";
