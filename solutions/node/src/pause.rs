//! `CLIENT PAUSE`: for a while, clients are not served.
//!
//! A command that may not run now stays where it is, in its connection's input, and the connection is
//! *postponed*. When the pause ends, everybody goes on as if the bytes had just arrived. Replicas and our
//! master are never paused: a pause is there so that they can catch up.

use core_types::Millis;
use keyspace::{CommandSpec, Flags};

use crate::conn::{Conn, Kind};
use crate::{ConnId, Node};

/// Who is not served, and until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pause {
    pub(crate) until: Millis,
    /// Every command, not only those that may write.
    pub(crate) all: bool,
}

impl Node {
    /// Starts a pause. One that is on already is neither shortened nor made milder.
    pub(crate) fn pause(&mut self, until: Millis, all: bool) {
        let (until, all) = match self.paused {
            Some(before) => (before.until.max(until), before.all || all),
            None => (until, all),
        };
        self.paused = Some(Pause { until, all });
    }

    /// Ends the pause that a client has asked for, if there is one.
    pub(crate) fn unpause(&mut self) {
        self.paused = None;
        self.release_postponed();
    }

    /// A pause is over: everybody goes on, and is postponed again if another one lasts.
    pub(crate) fn release_postponed(&mut self) {
        self.acks_wanted_again();
        let waiting: Vec<ConnId> =
            self.conns.iter().filter(|conn| conn.postponed).map(|conn| conn.id).collect();
        for id in waiting {
            if let Some(conn) = self.conns.get_mut(id) {
                conn.postponed = false;
                self.resume.push_back(id);
            }
        }
    }

    pub(crate) fn end_due_pause(&mut self) {
        if self.paused.is_some_and(|pause| self.now >= pause.until) {
            self.unpause();
        }
    }

    /// Writes wait, or everything does: because a client wants it, or so that replicas can catch up before
    /// this node hands over its place or ends.
    #[inline]
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.is_some()
            || self.replication.failover.is_some()
            || self.replication.leaving.is_some()
            || self.cluster.as_ref().is_some_and(|cluster| cluster.holds_writes(self.now))
    }

    /// True if this command has to wait for the end of a pause.
    #[inline]
    pub(crate) fn is_paused_for(&self, conn: &Conn, spec: &CommandSpec) -> bool {
        if !self.is_paused() {
            return false;
        }
        let all = self.paused.is_some_and(|pause| pause.all);
        let writes = spec.flags.contains(Flags::WRITE)
            || spec.flags.contains(Flags::MAY_REPLICATE)
            || (spec.name == "exec" && conn.transaction.as_ref().is_some_and(|queued| queued.may_write()));
        matches!(conn.kind, Kind::Client) && !conn.is_monitor && (all || writes)
    }

    /// How many clients wait for its end.
    pub(crate) fn postponed_clients(&self) -> usize {
        if !self.is_paused() { 0 } else { self.conns.iter().filter(|conn| conn.postponed).count() }
    }
}
