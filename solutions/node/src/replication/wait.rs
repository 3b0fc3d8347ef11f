//! `WAIT`, and the gate that closes when too few replicas acknowledge.

use core_types::{Args, Millis, Reply};

use crate::conn::Conn;
use crate::layers::offsets::{Moment, Wait, WaitStep, WriteGate, may_write, wait_step};
use crate::layers::wire::parse_integer;
use crate::{ConnId, Node};

/// `WAIT numreplicas timeout`
pub(crate) fn wait(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    if node.replication.is_replica() {
        return node.encoder(conn).error(AT_REPLICA);
    }
    let Some(replicas) = parse_integer(&args[1]) else {
        return node.encoder(conn).error("ERR value is not an integer or out of range");
    };
    let deadline = match parse_integer(&args[2]) {
        None => return node.encoder(conn).error("ERR timeout is not an integer or out of range"),
        Some(timeout) if timeout < 0 => return node.encoder(conn).error("ERR timeout is negative"),
        Some(0) => None,
        Some(timeout) => match i64::try_from(node.now.0).ok().and_then(|now| now.checked_add(timeout)) {
            Some(deadline) => Some(Millis(deadline as u64)),
            None => return node.encoder(conn).error("ERR timeout is out of range"),
        },
    };
    let replicas = usize::try_from(replicas).unwrap_or(0);
    let wait = Wait { replicas, offset: conn.spoken_at, deadline };
    // A transaction cannot be interrupted.
    let moment = Moment::Called { may_block: !node.in_unit() };
    match wait_step(node.now, &wait, moment, &node.replication.acks) {
        WaitStep::Answer(count) => node.encoder(conn).integer(count as i64),
        step => {
            node.replication.turn.ask |= step == WaitStep::Ask;
            node.block_for_acks(conn, wait, args);
            node.replication.waiting.push(conn.id);
        }
    }
}

const AT_REPLICA: &str = "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if \
a replica is configured to be writable (which is not the default) writes to replicas are just local and are not \
propagated.";

impl Node {
    /// Something may have changed for those who wait for acknowledgements.
    pub(super) fn answer_waits(&mut self) {
        if self.replication.waiting.is_empty() {
            return;
        }
        let mut answers: Vec<(ConnId, usize)> = Vec::new();
        let (conns, replication) = (&self.conns, &mut self.replication);
        replication.waiting.retain(|id| {
            let waits = conns.get(*id).and_then(|conn| conn.blocked.as_ref()?.acks());
            let Some(wait) = waits else { return false };
            match wait_step(self.now, wait, Moment::Waiting, &replication.acks) {
                WaitStep::Answer(count) => {
                    answers.push((*id, count));
                    false
                }
                step => {
                    replication.turn.ask |= step == WaitStep::Ask;
                    true
                }
            }
        });
        for (id, count) in answers {
            self.answer_waiting(id, |reply| reply.integer(count as i64));
        }
    }

    /// While writes were suspended replicas could not be asked; those who wait still want to know.
    pub(crate) fn acks_wanted_again(&mut self) {
        self.replication.turn.ask |= !self.replication.waiting.is_empty();
    }

    /// The offset that a client has written up to is on so many replicas: what a wait in vain is told.
    pub(crate) fn acks_so_far(&self, wait: &Wait) -> usize {
        self.replication.acks.count(wait.offset)
    }

    pub(crate) fn write_gate(&self) -> WriteGate {
        WriteGate { replicas: self.config.min_replicas_to_write, max_lag: self.config.min_replicas_max_lag }
    }

    pub(crate) fn good_replicas(&self) -> usize {
        self.replication.acks.good(self.now, self.config.min_replicas_max_lag)
    }

    /// Why clients of a master may not write for lack of replicas.
    #[inline]
    pub(crate) fn gate_refusal(&self) -> Option<String> {
        if self.config.min_replicas_to_write == 0 || self.replication.is_replica() {
            return None;
        }
        may_write(&self.write_gate(), self.good_replicas()).err().map(|refusal| refusal.to_string())
    }
}
