//! The last thing that a master does for its replicas: before it ends, it lets them catch up.
//!
//! Clients may not write meanwhile, so what the replicas lack gets less and less. It ends when they all have
//! everything, or when `shutdown-timeout` is over.

use core_types::{LogLevel, Millis};

use super::attach::replica_name;
use crate::{ConnId, Node};

/// A shutdown that waits for replicas.
#[derive(Clone, Debug)]
pub(crate) struct Leaving {
    /// What was asked for.
    save: Option<bool>,
    force: bool,
    /// Who asked.
    clients: Vec<ConnId>,
    deadline: Millis,
}

impl Node {
    /// Ends the process, after the replicas have caught up unless `at_once`, and after a last save (see
    /// `shut_down_with`).
    pub(crate) fn leave(&mut self, save: Option<bool>, force: bool, at_once: bool, client: Option<ConnId>) {
        if let Some(leaving) = &mut self.replication.leaving {
            // It is on its way already; this one waits with the other.
            leaving.clients.extend(client);
            return;
        }
        self.flush_stream();
        self.log(LogLevel::Warning, "User requested shutdown...");
        let patience = self.config.shutdown_timeout;
        if at_once || patience == Millis::ZERO || self.lagging_replicas().is_empty() {
            return self.shut_down_with(save, force, client.into_iter().collect());
        }
        self.log(LogLevel::Notice, "Waiting for replicas before shutting down.");
        let (clients, deadline) = (client.into_iter().collect(), self.now + patience);
        self.replication.leaving = Some(Leaving { save, force, clients, deadline });
    }

    fn lagging_replicas(&self) -> Vec<ConnId> {
        let everything = Some(self.replication.offset());
        let lags = |id: &ConnId| self.replication.acks.acked(*id) != everything;
        let wants_stream = |id: &ConnId| self.replica(*id).is_some_and(|replica| !replica.rdb_only);
        self.replication.replicas.iter().copied().filter(wants_stream).filter(lags).collect()
    }

    /// Time has passed, or a replica has acknowledged.
    pub(crate) fn advance_leaving(&mut self) {
        let Some(leaving) = &self.replication.leaving else { return };
        let late = self.now >= leaving.deadline;
        let lagging = self.lagging_replicas();
        if !late && !lagging.is_empty() {
            return;
        }
        for id in &lagging {
            let name = self.conns.get(*id).map(replica_name).unwrap_or_default();
            let acked = self.replication.acks.acked(*id).unwrap_or_default();
            let behind = self.replication.offset().since(acked);
            let lag = self.replication.acks.lag(self.now, *id).unwrap_or(0);
            let state = self.replica(*id).map_or("", |replica| replica.state_word());
            let text = format!(
                "Lagging replica {name} reported offset {behind} behind master, lag={lag}, state={state}."
            );
            self.log(LogLevel::Warning, text);
        }
        let all = self.replication.replicas.len();
        let text = format!("{} of {all} replicas are in sync when shutting down.", all - lagging.len());
        self.log(LogLevel::Notice, text);
        if let Some(leaving) = self.replication.leaving.take() {
            self.shut_down_with(leaving.save, leaving.force, leaving.clients);
            // If that failed, the node goes on.
            self.release_postponed();
        }
    }

    /// `SHUTDOWN ABORT`. False if there is nothing to abort.
    pub(crate) fn stay(&mut self) -> bool {
        let Some(leaving) = self.replication.leaving.take() else { return false };
        self.log(LogLevel::Notice, "Shutdown manually aborted.");
        for client in leaving.clients {
            let text = "ERR Errors trying to SHUTDOWN. Check logs.";
            self.answer_waiting(client, |reply| reply.error(text));
        }
        self.release_postponed();
        true
    }

    /// When this node stops waiting for its replicas.
    pub(crate) fn leaving_deadline(&self) -> Option<Millis> {
        self.replication.leaving.as_ref().map(|leaving| leaving.deadline)
    }
}
