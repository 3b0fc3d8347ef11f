//! The master's side: replicas that are attached, their snapshot, and the stream they are fed.

use std::collections::VecDeque;

use bytes::Bytes;
use core_types::{Args, LogLevel, Millis, Offset, Reply};

use crate::conn::{Conn, Kind};
use crate::layers::one_replica::{Attachment, Phase};
use crate::{ConnId, Node};

/// What a replica's connection carries besides a client's.
#[derive(Debug)]
pub(crate) struct ReplicaConn {
    pub(crate) attachment: Attachment,
    /// When it asked for the stream.
    asked_at: Millis,
    /// When it last acknowledged an offset.
    pub(crate) acked_at: Millis,
    /// When it last took bytes.
    progress_at: Millis,
    /// What is still to be handed to the connection of a snapshot that is complete.
    rest: VecDeque<Bytes>,
    /// While a snapshot is sent: the position on the connection at which it ends.
    payload_end: Option<u64>,
    /// What its acknowledgement has released of the stream; sent once the command has run.
    pub(crate) released: Vec<Bytes>,
    /// It asked by the old `SYNC`, which knows no `+FULLRESYNC` and never acknowledges.
    old_sync: bool,
}

impl Node {
    /// `PSYNC id offset`, or the old `SYNC`: this client becomes a replica.
    pub(crate) fn attach_replica(&mut self, conn: &mut Conn, args: Args<'_>) {
        if matches!(conn.kind, Kind::Replica(_)) {
            return;
        }
        if self.replication.is_replica() && !self.replication.link_is_online() {
            return self.encoder(conn).error("NOMASTERLINK Can't SYNC while not connected with my master");
        }
        if !conn.out.is_empty() {
            return self.encoder(conn).error("ERR SYNC and PSYNC are invalid with pending output");
        }
        let old_sync = args.is(0, "SYNC");
        let name = replica_name(conn);
        self.log(LogLevel::Notice, format!("Replica {name} asks for synchronization"));
        if !old_sync {
            let asked = args.get(1).unwrap_or_default();
            if asked == b"?" {
                self.log(LogLevel::Notice, format!("Full resync requested by replica {name}"));
            } else {
                self.stats.sync_partial_err += 1;
                let text = format!(
                    "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '{}', \
                     my replication IDs are '{}' and '{}')",
                    String::from_utf8_lossy(asked),
                    self.replication.id,
                    "0".repeat(40)
                );
                self.log(LogLevel::Notice, text);
            }
        }
        self.stats.sync_full += 1;
        let eof = self.config.repl_diskless_sync && conn.hello.eof && !old_sync;
        self.replication.feeding = true;
        self.replication.replicas.insert(conn.id);
        conn.kind = Kind::Replica(Box::new(ReplicaConn {
            attachment: Attachment::new(eof),
            asked_at: self.now,
            acked_at: self.now,
            progress_at: self.now,
            rest: VecDeque::new(),
            payload_end: None,
            released: Vec::new(),
            old_sync,
        }));
        conn.replica_mute = true;
        if self.config.repl_diskless_sync && self.config.repl_diskless_sync_delay > Millis::ZERO {
            self.log(LogLevel::Notice, "Delay next BGSAVE for diskless SYNC");
        }
    }

    /// Starts one snapshot for all replicas that wait for one, when the time has come: at once, or
    /// `repl-diskless-sync-delay` after the first asked, so that those who come together share it.
    pub(crate) fn start_due_snapshot(&mut self) {
        if self.persistence.job.is_some() {
            // One at a time; the next one is theirs.
            return;
        }
        let waiting: Vec<ConnId> = self.replicas_in(Phase::WaitSnapshot);
        let Some(first) = waiting.iter().filter_map(|id| self.replica(*id)).map(|r| r.asked_at).min() else {
            return;
        };
        let diskless = self.config.repl_diskless_sync;
        let delay = if diskless { self.config.repl_diskless_sync_delay } else { Millis::ZERO };
        if self.now.since(first) >= delay {
            self.start_snapshot(&waiting);
        }
    }

    fn start_snapshot(&mut self, waiting: &[ConnId]) {
        // What was written up to here belongs to the others; it is in the snapshot for these.
        self.flush_stream();
        self.replication.writer.forget_db();
        let target = if self.config.repl_diskless_sync { "replicas sockets" } else { "disk" };
        self.log(LogLevel::Notice, format!("Starting BGSAVE for SYNC with target: {target}"));
        let id = self.replication.id;
        let offset = self.replication.offset();
        let (mut streaming, mut whole) = (Vec::new(), Vec::new());
        for &conn in waiting {
            self.with_replica(conn, |replica, out| {
                replica.attachment.snapshot_started(id, offset, out);
                if replica.old_sync {
                    out.clear();
                }
            });
            if self.replica(conn).is_some_and(|replica| replica.attachment.eof()) {
                let mark = self.rng.hex40();
                self.begin_stream(conn, &mark);
                streaming.push((conn, mark));
            } else {
                whole.push(conn);
            }
        }
        self.begin_replica_job(streaming, whole);
    }

    /// Sends what stands before a snapshot whose end is marked. The pieces follow as they are made.
    fn begin_stream(&mut self, conn: ConnId, mark: &[u8; 40]) {
        // The layer says what stands around a snapshot by being given an empty one: all but the mark at
        // the end is what stands before it.
        let now = self.now;
        self.with_replica(conn, |replica, out| {
            replica.progress_at = now;
            let mut around = Vec::new();
            replica.attachment.snapshot_ready(mark, Bytes::new(), &mut around);
            let mut around = around.concat();
            around.truncate(around.len().saturating_sub(mark.len()));
            out.push(Bytes::from(around));
        });
    }

    /// The last piece of a snapshot was handed to these replicas: the mark follows.
    pub(crate) fn end_streams(&mut self, streaming: &[(ConnId, [u8; 40])]) {
        for (conn, mark) in streaming {
            self.send_raw(*conn, mark);
            let end = self.conns.get(*conn).map(Conn::queued_until);
            if let Some(replica) = self.replica_mut(*conn) {
                replica.payload_end = end;
            }
        }
    }

    /// A snapshot is complete, for replicas that must be told its length first.
    pub(crate) fn send_wholes(&mut self, whole: &[ConnId], payload: Bytes) {
        let now = self.now;
        for &conn in whole {
            // This kind has no mark.
            self.with_replica(conn, |replica, out| {
                replica.progress_at = now;
                let mut parts = Vec::new();
                replica.attachment.snapshot_ready(&[b'0'; 40], payload.clone(), &mut parts);
                let mut parts = VecDeque::from(parts);
                out.extend(parts.pop_front());
                replica.rest = parts;
            });
            self.send_rest(conn);
        }
    }

    /// Hands on more of a snapshot that is complete, as the connection takes it: what lies in a
    /// connection's output counts against its limit.
    fn send_rest(&mut self, id: ConnId) {
        loop {
            let Some(room) = self.conns.get(id).map(|conn| AHEAD.saturating_sub(conn.out.len())) else {
                return;
            };
            let Some(replica) = self.replica_mut(id) else { return };
            let Some(next) = replica.rest.front_mut() else { return };
            if room == 0 {
                return;
            }
            let piece = next.split_to(room.min(next.len()));
            if next.is_empty() {
                replica.rest.pop_front();
            }
            let last = replica.rest.is_empty();
            self.send_raw(id, &piece);
            if last {
                let end = self.conns.get(id).map(Conn::queued_until);
                if let Some(replica) = self.replica_mut(id) {
                    replica.payload_end = end;
                }
            }
        }
    }

    /// Hands what the stream has grown by to the attached replicas.
    pub(crate) fn flush_stream(&mut self) {
        if self.replication.stream.is_empty() {
            return;
        }
        let bytes = self.replication.stream.split().freeze();
        self.feed(&bytes);
    }

    /// The stream grew by `bytes`, written here or received from our master.
    pub(crate) fn feed(&mut self, bytes: &Bytes) {
        let replicas: Vec<ConnId> = self.replication.replicas.iter().copied().collect();
        for id in replicas {
            self.with_replica(id, |replica, out| replica.attachment.written(bytes, out));
        }
    }

    /// Bytes have left for a replica: its snapshot may be through.
    pub(crate) fn replica_sent(&mut self, id: ConnId) {
        let Some(conn) = self.conns.get(id) else { return };
        let (sent, name) = (conn.sent, replica_name(conn));
        let now = self.now;
        if let Some(replica) = self.replica_mut(id) {
            replica.progress_at = now;
        }
        self.send_rest(id);
        let Some(replica) = self.replica_mut(id) else { return };
        if replica.payload_end.is_none_or(|end| sent < end) {
            return;
        }
        replica.payload_end = None;
        self.with_replica(id, |replica, out| replica.attachment.payload_sent(out));
        if self.replica(id).is_some_and(|replica| replica.attachment.phase() == Phase::Online) {
            self.log(LogLevel::Notice, format!("Synchronization with replica {name} succeeded"));
        } else {
            self.log(
                LogLevel::Notice,
                format!(
                    "Streamed replica with replica {name} via socket: waiting for REPLCONF ACK to enable streaming"
                ),
            );
        }
    }

    /// `REPLCONF ACK offset` on a replica's connection, which is taken out.
    pub(crate) fn replica_acked(&mut self, conn: &mut Conn, offset: Offset) {
        let name = replica_name(conn);
        let now = self.now;
        let ours = self.replication.offset();
        let Kind::Replica(replica) = &mut conn.kind else { return };
        let before = replica.attachment.phase();
        replica.acked_at = now;
        // What lies ahead of our stream cannot have been applied from it.
        replica.attachment.ack(offset.min(ours), &mut replica.released);
        let after = replica.attachment.phase();
        if before != Phase::Online && after == Phase::Online {
            self.log(LogLevel::Notice, format!("Synchronization with replica {name} succeeded"));
        }
    }

    /// Once a second: signs of life for the replicas, and the end for those that give none.
    pub(crate) fn feed_cron(&mut self) {
        let period = self.config.repl_ping_replica_period;
        let due = self.now.since(self.replication.pinged_at) >= period;
        if due && self.replication.is_feeding() && !self.replication.replicas.is_empty() {
            self.replication.pinged_at = self.now;
            let ping = core_types::ArgsBuf::from_parts(["PING"]);
            self.replication.append(None, ping.as_args());
        }
        let limit = self.config.repl_timeout;
        let replicas: Vec<ConnId> = self.replication.replicas.iter().copied().collect();
        for id in replicas {
            self.with_replica(id, |replica, out| replica.attachment.keep_alive(out));
            let Some(replica) = self.replica(id) else { continue };
            let online = replica.attachment.phase() == Phase::Online && !replica.old_sync;
            let stuck =
                replica.attachment.phase() == Phase::Sending && self.now.since(replica.progress_at) > limit;
            if stuck {
                let name = self.conns.get(id).map(replica_name).unwrap_or_default();
                self.log(LogLevel::Warning, format!("Disconnecting timedout replica (full sync): {name}"));
                self.close(id);
                continue;
            }
            if online && self.now.since(replica.acked_at) > limit {
                let name = self.conns.get(id).map(replica_name).unwrap_or_default();
                self.log(
                    LogLevel::Warning,
                    format!("Disconnecting timedout replica (streaming sync): {name}"),
                );
                self.close(id);
            }
        }
    }

    /// A replica's connection is closing or closed.
    pub(crate) fn replica_gone(&mut self, conn: &Conn) {
        if self.replication.replicas.remove(&conn.id) {
            let name = replica_name(conn);
            self.log(LogLevel::Warning, format!("Connection with replica {name} lost."));
        }
    }

    /// Ends the connections of all replicas: what they follow is not this history any more.
    pub(crate) fn close_replicas(&mut self) {
        let replicas: Vec<ConnId> = self.replication.replicas.iter().copied().collect();
        for id in replicas {
            self.close(id);
        }
    }

    fn replicas_in(&self, phase: Phase) -> Vec<ConnId> {
        let ids = self.replication.replicas.iter().copied();
        ids.filter(|id| self.replica(*id).is_some_and(|r| r.attachment.phase() == phase)).collect()
    }

    pub(crate) fn replica(&self, id: ConnId) -> Option<&ReplicaConn> {
        match &self.conns.get(id)?.kind {
            Kind::Replica(replica) => Some(replica),
            _ => None,
        }
    }

    fn replica_mut(&mut self, id: ConnId) -> Option<&mut ReplicaConn> {
        match &mut self.conns.get_mut(id)?.kind {
            Kind::Replica(replica) => Some(replica),
            _ => None,
        }
    }

    /// Lets `act` decide what this replica is sent, and sends it.
    fn with_replica(&mut self, id: ConnId, act: impl FnOnce(&mut ReplicaConn, &mut Vec<Bytes>)) {
        let Some(replica) = self.replica_mut(id) else { return };
        let mut out = Vec::new();
        act(replica, &mut out);
        for bytes in out {
            self.send_raw(id, &bytes);
        }
    }
}

/// So much of a snapshot may wait in a connection's output, in bytes.
const AHEAD: usize = 1024 * 1024;

/// A replica as Redis names it in its log: the address it announced or comes from, and its port.
pub(crate) fn replica_name(conn: &Conn) -> String {
    if conn.hello.port == 0 {
        return conn.addr.clone();
    }
    format!("{}:{}", replica_ip(conn), conn.hello.port)
}

/// The address that a replica announced, or the one it comes from.
pub(crate) fn replica_ip(conn: &Conn) -> String {
    let came_from = || conn.addr.rsplit_once(':').map_or(conn.addr.as_str(), |(ip, _)| ip).to_string();
    conn.hello.ip.clone().unwrap_or_else(came_from)
}
