//! Limits: on the memory of the process, and on what may wait in a client's buffers.
//!
//! # What counts
//!
//! `maxmemory` is compared with what the allocator has handed out, told by the driver's
//! [`Meters`](crate::Meters), less what waits to be sent to replicas: a slow replica must not cost keys, and
//! the deletions would only make its stream longer. The figure of the allocator is the truth. A count of
//! the data set's own would be deterministic, but it would have to follow every change of every value, and
//! would still know nothing of tables that are half empty.

use core_types::{ArgsBuf, LogLevel};
use keyspace::{CommandSpec, Flags};

use crate::config::{OutputLimit, Policy};
use crate::conn::{Conn, Kind};
use crate::layers::trees::{self, OverLimit};
use crate::{ConnId, Node};

const OUT_OF_MEMORY: &str = "OOM command not allowed when used memory > 'maxmemory'.";

/// How many keys one command may have to wait for. What is still too much then is left to the next.
const EVICT_AT_ONCE: usize = 256;

/// Commands that are let through although a transaction is open and memory is short.
const NEVER_QUEUED: [&str; 5] = ["discard", "multi", "watch", "quit", "reset"];

impl Node {
    /// Keeps to `maxmemory`: evicts, and if that does not help, refuses what would need more.
    #[inline]
    pub(crate) fn make_room(&mut self, conn: &Conn, spec: &CommandSpec) -> Result<(), String> {
        if self.config.maxmemory == 0 || self.evict() {
            return Ok(());
        }
        let refused = match &conn.transaction {
            // What is queued takes memory, too.
            Some(queued) if spec.name == "exec" => queued.may_grow(),
            Some(_) => !NEVER_QUEUED.contains(&spec.name),
            None => spec.flags.contains(Flags::DENYOOM),
        };
        if refused { Err(OUT_OF_MEMORY.into()) } else { Ok(()) }
    }

    /// Evicts keys while too much memory is used. False if that is still so and nothing is left to evict.
    /// A replica leaves it to its master, unless `replica-ignore-maxmemory` is `no`.
    pub(crate) fn evict(&mut self) -> bool {
        let left_to_master = self.replication.is_replica() && self.config.replica_ignore_maxmemory;
        if self.config.maxmemory == 0 || left_to_master || self.is_paused() || self.is_loading() {
            return true;
        }
        let mut budget = EVICT_AT_ONCE;
        while self.counted_memory() > self.config.maxmemory {
            let Policy::Evict { by, volatile } = self.config.maxmemory_policy else { return false };
            let victim = self.keyspace.draw_victim(by, volatile, self.config.maxmemory_samples, self.now);
            let Some((db, key)) = victim else { return false };
            self.keyspace.db_mut(db).remove(&key);
            self.stats.evicted_keys += 1;
            let del = ArgsBuf::from_parts([b"DEL".as_slice(), &key]);
            self.touch_written(db, del.as_args());
            self.propagate(db, del.as_args());
            budget -= 1;
            if budget == 0 {
                return true;
            }
        }
        true
    }

    fn counted_memory(&self) -> u64 {
        self.meters.used_memory().saturating_sub(self.memory_for_slow_replicas())
    }

    /// What is kept only because replicas have not taken it yet: on their connections, and in the log beyond
    /// the backlog.
    pub(crate) fn memory_for_slow_replicas(&self) -> u64 {
        let replicas = self.replication.replicas.iter().filter_map(|id| self.conns.get(*id));
        let waiting: usize = replicas.map(|conn| conn.out.capacity()).sum();
        let log = self.replication.log.as_ref().map_or(0, |log| log.len().saturating_sub(log.size()));
        (waiting + log) as u64
    }

    /// Closes a client for which more waits than it may. What waits is dropped: it would take memory for as
    /// long as the client does not read.
    #[inline]
    pub(crate) fn check_output(&mut self, conn: &mut Conn) {
        let class = match conn.kind {
            Kind::MasterLink | Kind::Watch(_) | Kind::Courier(_) | Kind::Bus(_) => return,
            Kind::Replica(_) => 1,
            Kind::Client if conn.subscriptions.is_empty() => 0,
            Kind::Client => 2,
        };
        let OutputLimit { hard, soft, patience } = self.config.client_output_buffer_limit[class];
        let mut limit = trees::OutputLimit { hard, soft, patience };
        let mut waiting = conn.out.len() as u64;
        if let Kind::Replica(replica) = &conn.kind {
            limit = limit.for_replica(self.config.repl_backlog_size as u64);
            // What the log keeps for it counts as well; a snapshot on its way does not.
            let on_connection = if replica.is_taking_snapshot() { 0 } else { waiting };
            let handed = on_connection + replica.stream_waiting() as u64;
            waiting = handed + self.replication.waiting_for(conn.id);
        }
        if conn.over_limit.check(self.now, waiting, &limit).is_some() && !conn.closing {
            let text = format!(
                "Client id={} addr={} scheduled to be closed ASAP for overcoming of output buffer limits.",
                conn.client_id, conn.addr
            );
            self.log(LogLevel::Warning, text);
            self.drop_taken(conn);
        }
    }

    /// Once a second: the limits that only time breaks.
    pub(crate) fn check_all_outputs(&mut self) {
        let late: Vec<ConnId> = self
            .conns
            .iter()
            .filter(|conn| conn.over_limit != OverLimit::default())
            .map(|conn| conn.id)
            .collect();
        for id in late {
            if let Some(conn) = self.conns.take(id) {
                self.finish(conn);
            }
        }
    }

    /// Closes a client that sends more than it may without a whole command in it.
    pub(crate) fn check_input(&mut self, conn: &mut Conn, waiting: usize) -> bool {
        if waiting <= self.config.client_query_buffer_limit || !matches!(conn.kind, Kind::Client) {
            return true;
        }
        let text = format!(
            "Closing client that reached max query buffer length: id={} addr={}",
            conn.client_id, conn.addr
        );
        self.log(LogLevel::Warning, text);
        self.drop_taken(conn);
        false
    }

    /// Closes a connection that is taken out, without its last words.
    pub(crate) fn drop_taken(&mut self, conn: &mut Conn) {
        self.close_taken(conn);
        conn.out = bytes::BytesMut::new();
    }

    /// The same for one that is in its place.
    pub(crate) fn drop_now(&mut self, id: ConnId) {
        if let Some(mut conn) = self.conns.take(id) {
            self.drop_taken(&mut conn);
            self.finish(conn);
        }
    }
}
