//! One snapshot for all who wait for one.

use bytes::Bytes;
use core_types::LogLevel;
use keyspace::{Keyspace, rdb};

use super::attach::{Payload, ReplicaConn, replica_name};
use crate::conn::{Conn, Kind};
use crate::layers::one_replica::{Attachment, Phase};
use crate::layers::trees::{Running, SnapshotPolicy, Start, Waiter, may_join, start_snapshot};
use crate::{ConnId, Node};

impl Node {
    /// Starts a snapshot for the replicas that wait for one, when the layer says so.
    pub(crate) fn start_due_snapshot(&mut self) {
        if self.replication.replicas.is_empty() {
            return;
        }
        let waiting = self.snapshot_waiters();
        let policy = SnapshotPolicy {
            diskless: self.config.repl_diskless_sync,
            delay: self.config.repl_diskless_sync_delay,
            max_replicas: self.config.repl_diskless_sync_max_replicas,
        };
        let busy = self.persistence.job.is_some() || self.in_unit();
        match start_snapshot(self.now, &policy, busy, &waiting) {
            Start::Now { streamed, whole } => self.start_snapshot(&streamed, &whole),
            // Ten times a second somebody looks again.
            Start::Nobody | Start::Busy | Start::At(_) => {}
        }
    }

    fn snapshot_waiters(&self) -> Vec<Waiter<ConnId>> {
        let mut waiting = Vec::new();
        for &id in &self.replication.replicas {
            let (Some(conn), Some(replica)) = (self.conns.get(id), self.replica(id)) else { continue };
            if replica.attachment.phase() == Phase::WaitSnapshot {
                let eof = conn.hello.eof && !replica.old_sync;
                waiting.push(Waiter { replica: id, since: replica.asked_at, eof });
            }
        }
        waiting
    }

    fn start_snapshot(&mut self, streamed: &[ConnId], whole: &[ConnId]) {
        // What was written up to here belongs to the others; it is in the snapshot for these.
        self.flush_stream();
        self.replication.writer.forget_db();
        let target = if streamed.is_empty() { "disk" } else { "replicas sockets" };
        self.log(LogLevel::Notice, format!("Starting BGSAVE for SYNC with target: {target}"));
        for (ids, eof) in [(streamed, true), (whole, false)] {
            for &id in ids {
                self.announce_snapshot(id, eof);
            }
        }
        let mut marked = Vec::new();
        for &id in streamed {
            let mark = self.rng.hex40();
            self.begin_stream(id, &mark);
            marked.push((id, mark));
        }
        self.begin_replica_job(marked, whole.to_vec());
    }

    /// A snapshot of now is for this replica, and every byte of the stream behind it.
    fn announce_snapshot(&mut self, id: ConnId, eof: bool) {
        let (history, offset) = (self.replication.history.id, self.replication.offset());
        self.replication.fanout.attach(id, offset);
        self.with_replica(id, |replica, out| {
            replica.attachment = Attachment::new(eof);
            replica.attachment.snapshot_started(history, offset, out);
            if replica.old_sync {
                out.clear();
            }
        });
    }

    /// A replica that comes while a snapshot is being made takes that one, if the layer allows it. Its
    /// connection is taken out.
    pub(super) fn join_running_snapshot(&mut self, conn: &mut Conn) -> bool {
        let Some(log_start) = self.replication.log.as_ref().map(|log| log.start()) else { return false };
        let Some((offset, whole)) = self.persistence.job.as_deref().and_then(|job| job.for_replicas()) else {
            return false;
        };
        if !may_join(&Running { offset, whole, log_start }) {
            return false;
        }
        let history = self.replication.history.id;
        self.replication.fanout.attach(conn.id, offset);
        let Kind::Replica(replica) = &mut conn.kind else { return false };
        let mut out = Vec::new();
        replica.attachment.snapshot_started(history, offset, &mut out);
        if !replica.old_sync {
            replica.queue.extend(out);
        }
        if let Some(job) = &mut self.persistence.job {
            job.add_replica(conn.id);
        }
        true
    }

    /// Sends what stands before a snapshot whose end is marked. The pieces follow as they are made.
    fn begin_stream(&mut self, conn: ConnId, mark: &[u8; 40]) {
        let now = self.now;
        self.with_replica(conn, |replica, out| {
            replica.progress_at = now;
            replica.payload = Payload::Streamed;
            out.push(before_marked(replica, mark));
        });
    }

    /// The last piece of a snapshot was handed to these replicas: the mark follows.
    pub(crate) fn end_streams(&mut self, streaming: &[(ConnId, [u8; 40])]) {
        for (conn, mark) in streaming {
            self.send_raw(*conn, mark);
            let end = self.conns.get(*conn).map(Conn::queued_until);
            if let (Some(replica), Some(end)) = (self.replica_mut(*conn), end) {
                replica.payload = Payload::Leaving(end);
            }
        }
    }

    /// A snapshot is complete, for replicas that must be told its length first.
    pub(crate) fn send_wholes(&mut self, whole: &[ConnId], payload: Bytes) {
        let now = self.now;
        for &conn in whole {
            self.hand_over_log(conn);
            // This kind has no mark.
            self.with_replica(conn, |replica, out| {
                replica.progress_at = now;
                replica.attachment.snapshot_ready(&[b'0'; 40], payload.clone(), out);
                let waits: usize = replica.queue.iter().map(Bytes::len).sum();
                replica.payload = Payload::Queued(waits + out.iter().map(Bytes::len).sum::<usize>());
            });
        }
    }

    /// A snapshot without data, for a client that has filtered them out: `redis-cli --functions-rdb` does, and
    /// there are no functions here. Its connection is taken out.
    pub(super) fn send_filtered_snapshot(&mut self, conn: &mut Conn) {
        let (history, offset) = (self.replication.history.id, self.replication.offset());
        let mut snapshot = Vec::new();
        let empty = Keyspace::new(1, self.rng.next_u64());
        rdb::save(&empty, &self.aux(false), &mut snapshot);
        let mark = self.rng.hex40();
        self.replication.fanout.attach(conn.id, offset);
        let Kind::Replica(replica) = &mut conn.kind else { return };
        let mut out = Vec::new();
        replica.attachment = Attachment::new(true);
        replica.attachment.snapshot_started(history, offset, &mut out);
        replica.attachment.snapshot_ready(&mark, Bytes::from(snapshot), &mut out);
        replica.payload = Payload::Queued(out.iter().map(Bytes::len).sum());
        replica.queue.extend(out);
    }

    /// The last byte of a snapshot has left for this replica.
    pub(super) fn snapshot_sent(&mut self, id: ConnId) {
        let Some(name) = self.conns.get(id).map(replica_name) else { return };
        if self.replica(id).is_some_and(|replica| replica.rdb_only) {
            let text =
                format!("RDB transfer completed, rdb only replica ({name}) should be disconnected asap");
            self.log(LogLevel::Notice, text);
            return self.close(id);
        }
        // Up to here the stream is held back, and from here on perhaps not.
        self.hand_over_log(id);
        self.replication.acks.attach(self.now, id);
        self.with_replica(id, |replica, out| replica.attachment.payload_sent(out));
        let online = self.replica(id).is_some_and(|replica| replica.attachment.phase() == Phase::Online);
        let text = match online {
            true => format!("Synchronization with replica {name} succeeded"),
            false => format!(
                "Streamed replica with replica {name} via socket: waiting for REPLCONF ACK to enable streaming"
            ),
        };
        self.log(LogLevel::Notice, text);
        self.replication.turn.acked = true;
    }
}

/// What stands before a snapshot whose end is marked. The layer says what stands around a snapshot by being
/// given an empty one: all but the mark at the end is what stands before it.
fn before_marked(replica: &mut ReplicaConn, mark: &[u8; 40]) -> Bytes {
    let mut around = Vec::new();
    replica.attachment.snapshot_ready(mark, Bytes::new(), &mut around);
    let mut around = around.concat();
    around.truncate(around.len().saturating_sub(mark.len()));
    Bytes::from(around)
}
