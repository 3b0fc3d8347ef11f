//! `PSYNC`: a client becomes a replica. Does it go on where it was, or does it take a snapshot?

use std::collections::VecDeque;

use bytes::Bytes;
use core_types::{Args, LogLevel, Millis, Offset, Reply};

use crate::Node;
use crate::conn::{Conn, Kind};
use crate::layers::offsets::{Verdict, Why, psync};
use crate::layers::one_replica::{Attachment, Phase};
use crate::layers::trees::accepts;
use crate::layers::wire::parse_integer;

/// What a replica's connection carries besides a client's.
#[derive(Debug)]
pub(crate) struct ReplicaConn {
    pub(crate) attachment: Attachment,
    /// When it asked for the stream.
    pub(super) asked_at: Millis,
    /// When it last took bytes.
    pub(super) progress_at: Millis,
    /// What is to be handed to the connection next, before more is read from the log.
    pub(super) queue: VecDeque<Bytes>,
    pub(super) payload: Payload,
    /// It asked by the old `SYNC`, which knows no `+FULLRESYNC` and never acknowledges.
    pub(super) old_sync: bool,
    /// It wants a snapshot and no stream (`REPLCONF rdb-only 1`).
    pub(crate) rdb_only: bool,
}

/// How much of a snapshot is still on its way to a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payload {
    /// Nothing: there is none, or it is through.
    None,
    /// It is made and handed to the connection at the same time.
    Streamed,
    /// So many bytes at the front of the queue belong to it.
    Queued(usize),
    /// All of it is on the connection, and ends at this position there.
    Leaving(u64),
}

impl ReplicaConn {
    fn new(attachment: Attachment, now: Millis) -> ReplicaConn {
        ReplicaConn {
            attachment,
            asked_at: now,
            progress_at: now,
            queue: VecDeque::new(),
            payload: Payload::None,
            old_sync: false,
            rdb_only: false,
        }
    }

    /// How many bytes of the stream have left the log for this replica and are not on its connection yet.
    pub(crate) fn stream_waiting(&self) -> usize {
        let queued: usize = self.queue.iter().map(Bytes::len).sum();
        let snapshot = if let Payload::Queued(left) = self.payload { left } else { 0 };
        queued.saturating_sub(snapshot) + self.attachment.held_bytes()
    }

    /// A snapshot is on its way: what lies on the connection is no backlog of the stream.
    pub(crate) fn is_taking_snapshot(&self) -> bool {
        self.payload != Payload::None
    }

    /// How far it is, in Redis's words.
    pub(crate) fn state_word(&self) -> &'static str {
        match self.attachment.phase() {
            // A snapshot whose end is marked is made and sent at the same time.
            Phase::Sending if !self.attachment.eof() => "send_bulk",
            Phase::WaitSnapshot | Phase::Snapshotting | Phase::Sending => "wait_bgsave",
            Phase::AwaitAck | Phase::Online => "online",
        }
    }
}

impl Node {
    /// `PSYNC id offset [FAILOVER]`, or the old `SYNC`: this client becomes a replica.
    pub(crate) fn attach_replica(&mut self, conn: &mut Conn, args: Args<'_>) {
        if matches!(conn.kind, Kind::Replica(_)) || conn.is_monitor {
            return;
        }
        if args.len() > 3
            && args.is(0, "PSYNC")
            && args.is(3, "FAILOVER")
            && !self.take_over_place(conn, args)
        {
            return;
        }
        let (online, failing_over) = (self.replication.link_is_online(), self.replication.failover.is_some());
        if let Err(refusal) = accepts(&self.replication.role, online, failing_over) {
            return self.encoder(conn).error(&refusal.to_string());
        }
        if !conn.out.is_empty() {
            return self.encoder(conn).error("ERR SYNC and PSYNC are invalid with pending output");
        }
        if conn.hello.filtered && !conn.hello.eof {
            return self.encoder(conn).error("ERR Filtered replica requires EOF capability");
        }
        let name = replica_name(conn);
        self.log(LogLevel::Notice, format!("Replica {name} asks for synchronization"));
        if args.is(0, "SYNC") {
            return self.attach_for_snapshot(conn, true);
        }
        let Some(offset) = parse_integer(&args[2]) else {
            let text = format!("Replica {name} asks for synchronization but with a wrong offset");
            self.log(LogLevel::Warning, text);
            return self.encoder(conn).error("ERR value is not an integer or out of range");
        };
        self.flush_stream();
        let window = self.replication.log.as_ref().map(|log| log.window());
        match psync(&self.replication.history, window, &args[1], offset) {
            Verdict::Continue { from } => self.attach_at(conn, from, offset),
            Verdict::Full(why) => {
                self.explain(conn, &args[1], offset, why);
                self.stats.sync_partial_err += u64::from(why.failed());
                self.attach_for_snapshot(conn, false);
            }
        }
    }

    /// It has everything up to `from`, and goes on there.
    fn attach_at(&mut self, conn: &mut Conn, from: Offset, asked: i64) {
        self.stats.sync_partial_ok += 1;
        let behind = self.replication.offset().since(from);
        let text = format!(
            "Partial resynchronization request from {} accepted. Sending {behind} bytes of backlog starting from \
             offset {asked}.",
            replica_name(conn)
        );
        self.log(LogLevel::Notice, text);
        let mut replica = ReplicaConn::new(Attachment::resumed(), self.now);
        replica.rdb_only = conn.hello.rdb_only;
        // An old replica would take the id for part of the line's end.
        let answer = match conn.hello.psync2 {
            true => format!("+CONTINUE {}\r\n", self.replication.history.id),
            false => "+CONTINUE\r\n".to_string(),
        };
        replica.queue.push_back(Bytes::from(answer));
        self.replication.fanout.attach(conn.id, from);
        self.replication.acks.attach(self.now, conn.id);
        self.become_fed(conn, replica);
        self.look_after_backlog();
    }

    /// It has to take a snapshot: one that is being made, or the next.
    fn attach_for_snapshot(&mut self, conn: &mut Conn, old_sync: bool) {
        self.stats.sync_full += 1;
        let mut replica = ReplicaConn::new(Attachment::new(false), self.now);
        replica.old_sync = old_sync;
        replica.rdb_only = conn.hello.rdb_only;
        self.become_fed(conn, replica);
        self.look_after_backlog();
        if conn.hello.filtered {
            self.send_filtered_snapshot(conn);
        } else if self.join_running_snapshot(conn) {
            self.log(LogLevel::Notice, "Waiting for end of BGSAVE for SYNC");
        } else {
            let patient = conn.hello.eof && self.config.repl_diskless_sync;
            if self.persistence.job.is_some() {
                let text = "Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC";
                self.log(LogLevel::Notice, text);
            } else if patient && self.config.repl_diskless_sync_delay > Millis::ZERO {
                self.log(LogLevel::Notice, "Delay next BGSAVE for diskless SYNC");
            }
            self.replication.turn.snapshot = true;
        }
    }

    fn become_fed(&mut self, conn: &mut Conn, replica: ReplicaConn) {
        if self.replication.replicas.is_empty() {
            // Somebody hears it from now on: the first one is due a period from here.
            self.replication.pinged_at = self.now;
        }
        self.replication.replicas.push(conn.id);
        self.replication.turn.feed = true;
        // The gate may open, and a failover's target may be back.
        self.replication.turn.acked = true;
        conn.kind = Kind::Replica(Box::new(replica));
        conn.replica_mute = true;
    }

    /// Redis's words for a partial resynchronisation that cannot be had.
    fn explain(&mut self, conn: &Conn, id: &[u8], offset: i64, why: Why) {
        let name = replica_name(conn);
        let history = self.replication.history;
        let earlier = history.earlier.map_or("0".repeat(40), |past| past.id.to_string());
        let refused = "Partial resynchronization not accepted:";
        let text = match why {
            Why::Asked => format!("Full resync requested by replica {name}"),
            Why::OtherHistory => format!(
                "{refused} Replication ID mismatch (Replica asked for '{}', my replication IDs are '{}' and \
                 '{earlier}')",
                String::from_utf8_lossy(id),
                history.id
            ),
            Why::BeyondCommonPast => format!(
                "{refused} Requested offset for second ID was {offset}, but I can reply up to {}",
                history.earlier.map_or(0, |past| past.offset.0 + 1)
            ),
            Why::NoBacklog | Why::Forgotten | Why::Future => format!(
                "Unable to partial resync with replica {name} for lack of backlog (Replica request was: {offset})."
            ),
        };
        self.log(LogLevel::Notice, text);
        if why == Why::Future {
            let text = format!(
                "Warning: replica {name} tried to PSYNC with an offset that is greater than the master replication \
                 offset."
            );
            self.log(LogLevel::Warning, text);
        }
    }

    /// A replica's connection is closing or closed.
    pub(crate) fn replica_gone(&mut self, conn: &Conn) {
        let Some(at) = self.replication.replicas.iter().position(|id| *id == conn.id) else { return };
        self.replication.replicas.remove(at);
        self.replication.fanout.detach(conn.id);
        self.replication.acks.detach(conn.id);
        if self.replication.replicas.is_empty() {
            self.replication.alone_since = self.now;
        }
        self.replication.turn.feed = true;
        self.replication.turn.acked = true;
        let name = replica_name(conn);
        self.log(LogLevel::Warning, format!("Connection with replica {name} lost."));
    }

    /// Ends the connections of all replicas: what they follow has another name now, or is another history.
    pub(crate) fn close_replicas(&mut self) {
        for id in self.replication.replicas.clone() {
            self.close(id);
        }
    }
}

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
