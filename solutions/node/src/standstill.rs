//! Standing still: what a node does while a transaction of its waits for another node.
//!
//! `EXEC` runs its queue in one go, and that is all the isolation there is. One command cannot be done in one go:
//! `MIGRATE` sends keys away and has to hear that they have arrived before what comes after it in the queue may see them
//! gone. Redis stands still for that, as it does for every `MIGRATE`; nobody else's command can come in between. So does
//! this node, inside a transaction:
//!
//! ```text
//!        EXEC ─ command … MIGRATE ┐                   ┌ what comes after it ─ end
//!                                 │   stands still    │                        │
//!  others: bytes, ends, signals ──┼─▶ noted in order ─┼───────────────────────▶┴─▶ dealt with in that order
//!                                 └─ keys ──▶ answer ─┘
//! ```
//!
//! Meanwhile only the connections that carry keys are listened to, and the driver is told to leave the others' bytes in
//! their sockets ([`Node::accepts_input`]): what is noted is at most what had been read already. No timer runs but the
//! one that bounds `MIGRATE`; no snapshot begins in the middle of the transaction; the bus is silent, so that a node that
//! stands still for longer than `cluster-node-timeout` is taken for dead, as Redis is. The files go on being written.

use std::collections::VecDeque;

use core_types::{ArgsBuf, Millis, Reply};

use crate::cluster::Journey;
use crate::conn::{Conn, Kind, Replies};
use crate::{ConnId, Node};

/// A transaction that waits in the middle, and all that waits for its end.
pub(crate) struct Standstill {
    /// Whose transaction it is.
    client: ConnId,
    /// What it has not run yet.
    rest: std::vec::IntoIter<ArgsBuf>,
    /// The client wants no reply.
    mute: bool,
    /// What has happened meanwhile, in order.
    events: VecDeque<Event>,
    /// Other clients' keys that have arrived: what is to be deleted must not vanish within a transaction.
    arrived: Vec<Journey>,
}

/// What happened while the node stood still.
enum Event {
    Received(ConnId, Box<[u8]>),
    Connected(ConnId, Box<str>),
    ConnectFailed(ConnId, Box<str>),
    Closed(ConnId),
    Terminate(Box<str>),
}

impl Node {
    /// True while a transaction waits for another node: the driver should read from nobody whose input is not accepted,
    /// and look again at all of them when this is over.
    pub fn stands_still(&self) -> bool {
        self.standstill.is_some()
    }

    /// Is it this connection that has to wait?
    #[inline]
    pub(crate) fn stands_still_for(&self, id: ConnId) -> bool {
        self.standstill.is_some()
            && !self.conns.get(id).is_some_and(|conn| matches!(conn.kind, Kind::Courier(_)))
    }

    /// The command that runs, in the middle of a transaction, waits for another node.
    pub(crate) fn stand_still(&mut self, conn: &Conn) {
        self.standstill = Some(Box::new(Standstill {
            client: conn.id,
            rest: Vec::new().into_iter(),
            mute: conn.replies != Replies::On,
            events: VecDeque::new(),
            arrived: Vec::new(),
        }));
    }

    /// Puts the commands aside that a transaction has not run yet. False if it need not wait.
    pub(crate) fn put_aside(&mut self, rest: &mut std::vec::IntoIter<ArgsBuf>) -> bool {
        let Some(standing) = &mut self.standstill else { return false };
        standing.rest = std::mem::take(rest);
        true
    }

    /// Keys are home. True if they are another client's than the one whose transaction waits: they wait, too.
    pub(crate) fn arrived_too_early(&self, client: ConnId) -> bool {
        self.standstill.as_ref().is_some_and(|standing| standing.client != client)
    }

    pub(crate) fn let_wait(&mut self, journey: Journey) {
        if let Some(standing) = &mut self.standstill {
            standing.arrived.push(journey);
        }
    }

    /// What the transaction waited for is there: it goes on, and then so does everybody. False if none waited.
    pub(crate) fn go_on(&mut self, answer: impl FnOnce(&mut dyn Reply)) -> bool {
        let Some(standing) = self.standstill.take() else { return false };
        let Standstill { client, rest, mute, events, arrived } = *standing;
        // It is there even if its peer has gone: that is one of the events which are to come.
        let Some(mut conn) = self.conns.take(client) else { return false };
        self.unblock(&mut conn);
        let begin = conn.out.len();
        answer(&mut self.encoder(&mut conn));
        self.run_queue(&mut conn, rest);
        if mute {
            conn.out.truncate(begin);
        }
        if let Some(again) = &mut self.standstill {
            (again.mute, again.events, again.arrived) = (mute, events, arrived);
            self.finish(conn);
            return true;
        }
        conn.spoken_at = self.replication.offset();
        conn.watch_broken |= std::mem::take(&mut self.broke_own_watch);
        self.finish(conn);
        self.resume.push_back(client);
        self.serve_waiting();
        arrived.into_iter().for_each(|journey| self.come_home(journey));
        self.resume_clients();
        for event in events {
            self.catch_up_with(event);
        }
        true
    }

    fn catch_up_with(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Received(id, data) => self.receive(now, id, &data),
            Event::Connected(id, addr) => self.connected(now, id, &addr),
            Event::ConnectFailed(id, why) => self.connect_failed(now, id, &why),
            Event::Closed(id) => self.closed(now, id),
            Event::Terminate(signal) => self.terminate(now, &signal),
        }
    }

    fn note(&mut self, event: Event) -> bool {
        let Some(standing) = &mut self.standstill else { return false };
        standing.events.push_back(event);
        true
    }

    /// The node stands still: what has been read is dealt with later.
    #[cold]
    pub(crate) fn receive_later(&mut self, id: ConnId, data: &[u8]) {
        self.note(Event::Received(id, data.into()));
    }

    pub(crate) fn connected_later(&mut self, id: ConnId, addr: &str) -> bool {
        self.stands_still_for(id) && self.note(Event::Connected(id, addr.into()))
    }

    pub(crate) fn connect_failed_later(&mut self, id: ConnId, why: &str) -> bool {
        self.stands_still_for(id) && self.note(Event::ConnectFailed(id, why.into()))
    }

    pub(crate) fn closed_later(&mut self, id: ConnId) -> bool {
        self.stands_still_for(id) && self.note(Event::Closed(id))
    }

    pub(crate) fn terminate_later(&mut self, signal: &str) -> bool {
        self.note(Event::Terminate(signal.into()))
    }

    /// When a node that stands still has to look at the clock.
    pub(crate) fn standstill_deadline(&self) -> Option<Millis> {
        self.standstill.as_ref().and_then(|_| self.migrate_deadline())
    }
}
