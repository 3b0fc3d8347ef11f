//! The shared log, and the end of an event.
//!
//! While an event is handled, writes gather in a buffer. When it is over, the buffer goes to the log, the
//! replicas are handed what their connections can take, and the log drops what nobody needs. A driver that
//! handles many events in a row can put that off until it has handled them all ([`Node::defer_feeding`]): then
//! a hundred clients' writes cost each replica one write.

use core_types::{ArgsBuf, LogLevel, Millis, ReplId};

use crate::Node;
use crate::layers::offsets::{Backlog, Holder, Life, backlog_life};
use crate::layers::trees::{Own, may_add};

/// What is to be done at the end of an event.
#[derive(Default)]
pub(super) struct Turn {
    /// The driver says when an event is over.
    deferred: bool,
    /// Replicas can be handed something, or the log can drop something.
    pub(super) feed: bool,
    /// The replicas shall be asked how far they are.
    pub(super) ask: bool,
    /// A replica has acknowledged, or is gone: those who wait for it look again.
    pub(super) acked: bool,
    /// A replica waits for a snapshot.
    pub(super) snapshot: bool,
}

impl Turn {
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        !(self.feed || self.ask || self.acked || self.snapshot)
    }
}

/// So much memory may the buffer of the stream keep when it is empty, in bytes.
const KEEP: usize = 1024 * 1024;

impl Node {
    /// From here on replicas are fed only when the driver calls `end_turn`. A driver that does so when it has
    /// handed on everything that had arrived, before it writes to any connection, makes one piece of it for
    /// each replica. Without this call they are fed after each event.
    pub fn defer_feeding(&mut self) {
        self.replication.turn.deferred = true;
    }

    /// `end_turn` has something to do.
    pub fn wants_turn(&self) -> bool {
        let something = !self.replication.stream.is_empty() || !self.replication.turn.is_over();
        // Not in the middle of a transaction: what is told and what is copied must belong together.
        something && !self.stands_still()
    }

    /// Everything that had arrived has been handed on.
    pub fn end_turn(&mut self, now: Millis) {
        self.now = now;
        self.settle_turn();
    }

    /// An event is over.
    #[inline]
    pub(crate) fn end_event(&mut self) {
        if self.cluster.is_some() && !self.stands_still() {
            self.settle_cluster();
        }
        if !self.replication.turn.deferred && self.wants_turn() {
            self.settle_turn();
        }
    }

    fn settle_turn(&mut self) {
        // What one of these does may give the others more to do; clients that wait end up answered.
        while self.wants_turn() {
            if std::mem::take(&mut self.replication.turn.snapshot) {
                self.start_due_snapshot();
            }
            self.ask_for_acks();
            self.flush_stream();
            if std::mem::take(&mut self.replication.turn.acked) {
                self.advance_failover();
                self.advance_leaving();
                self.answer_waits();
                self.resume_clients();
            }
            if std::mem::take(&mut self.replication.turn.feed) {
                self.feed_replicas();
                self.trim_log();
            }
        }
    }

    /// Puts `REPLCONF GETACK` into the stream if a client waits for acknowledgements: once, however many do.
    /// Not while writes are suspended: it would move the offset that a failover waits for.
    fn ask_for_acks(&mut self) {
        if !self.replication.turn.ask {
            return;
        }
        self.replication.turn.ask = false;
        let may = may_add(&self.replication.role, Own::GetAck) && self.replication.log.is_some();
        if may && !self.is_paused() && !self.replication.replicas.is_empty() {
            let getack = ArgsBuf::from_parts(["REPLCONF", "GETACK", "*"]);
            self.replication.append(None, getack.as_args());
        }
    }

    /// Hands what the stream has grown by to the log.
    pub(crate) fn flush_stream(&mut self) {
        let replication = &mut self.replication;
        if replication.stream.is_empty() {
            return;
        }
        if let Some(log) = &mut replication.log {
            log.append(&replication.stream);
        }
        replication.stream.clear();
        if replication.stream.capacity() > KEEP {
            replication.stream = bytes::BytesMut::new();
        }
        replication.turn.feed = true;
    }

    pub(super) fn trim_log(&mut self) {
        let needed = self.replication.fanout.needed();
        if let Some(log) = &mut self.replication.log {
            log.trim(needed);
        }
    }

    /// `repl-backlog-size` may have changed.
    pub(crate) fn refresh_backlog_size(&mut self) {
        if let Some(log) = &mut self.replication.log {
            log.set_size(self.config.repl_backlog_size);
            self.replication.turn.feed = true;
        }
    }

    /// Begins, keeps or drops the backlog as the layer decides.
    pub(super) fn look_after_backlog(&mut self) {
        let holder = Holder {
            backlog: self.replication.log.is_some(),
            follows: self.replication.upstream.as_ref().is_some_and(|upstream| upstream.holds_history()),
            replicas: self.replication.replicas.len(),
            alone_since: self.replication.alone_since,
        };
        if self.replication.is_replica() && !holder.follows {
            // Its data are nobody's history yet.
            return;
        }
        let ttl = self.config.repl_backlog_ttl;
        let rng = &mut self.rng;
        let life = backlog_life(self.now, ttl, &holder, &self.replication.history, || ReplId::random(rng));
        match life {
            Life::AsItIs => {}
            Life::Begin(history) => {
                let created = history != self.replication.history;
                self.flush_stream();
                self.replication.history = history;
                let log = Backlog::new(self.config.repl_backlog_size, self.replication.offset());
                self.replication.log = Some(log);
                if created {
                    let id = history.id;
                    let none = "0".repeat(40);
                    let text = format!(
                        "Replication backlog created, my new replication IDs are '{id}' and '{none}'"
                    );
                    self.log(LogLevel::Notice, text);
                }
            }
            Life::Forget(history) => {
                self.flush_stream();
                self.replication.history = history;
                self.replication.log = None;
                let seconds = ttl.as_secs();
                let text =
                    format!("Replication backlog freed after {seconds} seconds without connected replicas.");
                self.log(LogLevel::Notice, text);
            }
        }
    }
}
