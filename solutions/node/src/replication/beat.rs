//! Once a second, and for a replica whenever its pulse says so: signs of life, and the end for those that
//! give none.

use core_types::{ArgsBuf, LogLevel};

use super::attach::{Payload, ReplicaConn, replica_name};
use crate::layers::offsets::{MasterBeat, Peer, PeerState, ReplicaBeat, Timers, master_beat};
use crate::layers::one_replica::Phase;
use crate::layers::trees::{Own, may_add};
use crate::{ConnId, Node};

impl Node {
    /// Once a second.
    pub(crate) fn replication_cron(&mut self) {
        self.beat_as_master();
        self.look_after_backlog();
        // Time has passed for those who wait for acknowledgements and for the gate.
        self.replication.turn.acked |= !self.replication.waiting.is_empty();
    }

    fn timers(&self) -> Timers {
        Timers { ping_period: self.config.repl_ping_replica_period, timeout: self.config.repl_timeout }
    }

    fn beat_as_master(&mut self) {
        if self.replication.replicas.is_empty() {
            return;
        }
        let peers: Vec<Peer<ConnId>> = self
            .replication
            .replicas
            .iter()
            .filter_map(|&id| Some(self.peer(id, self.replica(id)?)))
            .collect();
        let may_ping = may_add(&self.replication.role, Own::Ping)
            && self.replication.log.is_some()
            && self.replication.failover.is_none()
            && !self.is_handing_over();
        let (timers, mut beats) = (self.timers(), Vec::new());
        master_beat(self.now, &timers, &mut self.replication.pinged_at, may_ping, &peers, &mut beats);
        for beat in beats {
            match beat {
                MasterBeat::Ping => {
                    let ping = ArgsBuf::from_parts(["PING"]);
                    self.replication.append(None, ping.as_args());
                }
                MasterBeat::Newline(id) => {
                    self.with_replica(id, |replica, out| replica.attachment.keep_alive(out));
                }
                MasterBeat::TimedOut(id) => self.let_go(id),
            }
        }
    }

    fn peer(&self, id: ConnId, replica: &ReplicaConn) -> Peer<ConnId> {
        let (state, heard) = match replica.attachment.phase() {
            Phase::WaitSnapshot | Phase::Snapshotting => (PeerState::Waiting, replica.asked_at),
            Phase::Sending => (PeerState::Sending, replica.progress_at),
            Phase::AwaitAck | Phase::Online if replica.old_sync => (PeerState::Mute, replica.progress_at),
            Phase::AwaitAck | Phase::Online => {
                (PeerState::Online, self.replication.acks.heard_at(id).unwrap_or(replica.progress_at))
            }
        };
        Peer { replica: id, state, heard }
    }

    /// A replica that has been silent for too long.
    fn let_go(&mut self, id: ConnId) {
        let (Some(conn), Some(replica)) = (self.conns.get(id), self.replica(id)) else { return };
        let what = if replica.payload == Payload::None { "streaming sync" } else { "full sync" };
        let text = format!("Disconnecting timedout replica ({what}): {}", replica_name(conn));
        self.log(LogLevel::Warning, text);
        self.close(id);
    }

    /// As a replica that is online: acknowledges, or gives its master up.
    pub(super) fn beat_as_replica(&mut self) {
        let timers = self.timers();
        let Some(upstream) = &mut self.replication.upstream else { return };
        let Some(pulse) = &upstream.pulse else { return };
        match pulse.beat(self.now, &timers) {
            None => {}
            Some(ReplicaBeat::Ack) => {
                let offset = self.replication.offset();
                self.acknowledge(offset);
            }
            Some(ReplicaBeat::TimedOut) => self.give_master_up(),
        }
    }

    /// When the link or its pulse wants a tick.
    pub(crate) fn link_deadline(&self) -> Option<core_types::Millis> {
        let upstream = self.replication.upstream.as_ref()?;
        let pulse = upstream.pulse.as_ref().map(|pulse| pulse.next_deadline(&self.timers()));
        upstream.link_deadline().into_iter().chain(pulse).min()
    }
}
