//! From the log to the connections of the replicas, and their acknowledgements back.

use bytes::{Buf, Bytes};
use core_types::{LogLevel, Offset};

use super::Replication;
use super::attach::{Payload, ReplicaConn, replica_name};
use crate::conn::{Conn, Kind};
use crate::layers::one_replica::Phase;
use crate::{ConnId, Node};

/// So much of a snapshot may wait in a connection's output, in bytes.
const SNAPSHOT_AHEAD: usize = 256 * 1024;

/// So much of the stream may wait there: a few blocks of the log. The rest stays in the log, which all
/// replicas share.
const STREAM_AHEAD: usize = 64 * 1024;

impl Replication {
    /// Shows the layer what the stream has grown by since it was last shown: everything, as far as `room` goes.
    /// What it lets through is appended to `self.sending`.
    fn show(&mut self, id: ConnId, replica: &mut ReplicaConn, room: usize) {
        let Some(log) = &self.log else { return };
        self.fanout.take(id, log, room, &mut self.pieces);
        for piece in self.pieces.drain(..) {
            replica.attachment.written(&piece, &mut self.sending);
        }
    }

    /// The same for all there is; what the layer lets through waits in the replica's queue.
    fn show_all(&mut self, id: ConnId, replica: &mut ReplicaConn) {
        self.show(id, replica, usize::MAX);
        replica.queue.extend(self.sending.drain(..));
    }
}

impl Node {
    pub(crate) fn feed_replicas(&mut self) {
        for at in 0..self.replication.replicas.len() {
            // Feeding may close one.
            if let Some(&id) = self.replication.replicas.get(at) {
                self.feed(id);
            }
        }
    }

    /// Hands a replica what its connection can take now.
    fn feed(&mut self, id: ConnId) {
        let Some(mut conn) = self.conns.take(id) else { return };
        if !conn.closing {
            self.fill(&mut conn);
        }
        self.finish(conn);
    }

    fn fill(&mut self, conn: &mut Conn) {
        let (id, sent) = (conn.id, conn.sent);
        let Kind::Replica(replica) = &mut conn.kind else { return };
        while let Some(next) = replica.queue.front_mut() {
            let room = SNAPSHOT_AHEAD.saturating_sub(conn.out.len()).min(next.len());
            if room == 0 && !next.is_empty() {
                return;
            }
            conn.out.extend_from_slice(&next[..room]);
            next.advance(room);
            if next.is_empty() {
                replica.queue.pop_front();
            }
            if let Payload::Queued(left) = &mut replica.payload {
                *left = left.saturating_sub(room);
                if *left == 0 {
                    replica.payload = Payload::Leaving(sent + conn.out.len() as u64);
                }
            }
        }
        // In the other phases the stream stays in the log until the phase is about to change.
        while replica.attachment.phase() == Phase::Online && conn.out.len() < STREAM_AHEAD {
            let before = conn.out.len();
            self.replication.show(id, replica, STREAM_AHEAD - before);
            for bytes in self.replication.sending.drain(..) {
                conn.out.extend_from_slice(&bytes);
            }
            if conn.out.len() == before {
                break;
            }
        }
    }

    /// The phase of this replica is about to change: the layer is shown the stream up to now, so that it can
    /// tell what was written before from what comes after.
    pub(super) fn hand_over_log(&mut self, id: ConnId) {
        let Some(mut conn) = self.conns.take(id) else { return };
        if let Kind::Replica(replica) = &mut conn.kind {
            self.replication.show_all(id, replica);
        }
        self.conns.put_back(conn);
    }

    /// Bytes have left for a replica.
    pub(crate) fn replica_sent(&mut self, id: ConnId) {
        let (now, Some(conn)) = (self.now, self.conns.get_mut(id)) else { return };
        let sent = conn.sent;
        let Kind::Replica(replica) = &mut conn.kind else { return };
        replica.progress_at = now;
        if let Payload::Leaving(end) = replica.payload
            && sent >= end
        {
            replica.payload = Payload::None;
            self.snapshot_sent(id);
        }
        self.feed(id);
        // The slowest may have moved on.
        self.trim_log();
        self.end_event();
    }

    /// `REPLCONF ACK offset` on a replica's connection, which is taken out.
    pub(crate) fn replica_acked(&mut self, conn: &mut Conn, offset: Offset) {
        let name = replica_name(conn);
        let id = conn.id;
        let Kind::Replica(replica) = &mut conn.kind else { return };
        self.replication.acks.heard(self.now, id, offset);
        self.replication.turn.acked = true;
        let before = replica.attachment.phase();
        if before == Phase::AwaitAck {
            self.replication.show_all(id, replica);
            self.replication.turn.feed = true;
        }
        let mut released = Vec::new();
        replica.attachment.ack(offset, &mut released);
        replica.queue.extend(released);
        if before != Phase::Online && replica.attachment.phase() == Phase::Online {
            self.log(LogLevel::Notice, format!("Synchronization with replica {name} succeeded"));
        }
    }

    pub(crate) fn replica(&self, id: ConnId) -> Option<&ReplicaConn> {
        match &self.conns.get(id)?.kind {
            Kind::Replica(replica) => Some(replica),
            _ => None,
        }
    }

    pub(super) fn replica_mut(&mut self, id: ConnId) -> Option<&mut ReplicaConn> {
        match &mut self.conns.get_mut(id)?.kind {
            Kind::Replica(replica) => Some(replica),
            _ => None,
        }
    }

    /// Lets `act` decide what this replica is sent, and sends it.
    pub(super) fn with_replica(&mut self, id: ConnId, act: impl FnOnce(&mut ReplicaConn, &mut Vec<Bytes>)) {
        let Some(replica) = self.replica_mut(id) else { return };
        let mut out = Vec::new();
        act(replica, &mut out);
        replica.queue.extend(out);
        self.feed(id);
    }
}
