//! This node as a replica whose master is gone, or that an operator wants to be master: it stands for election, and takes
//! over when it has won. What is to be done, and when, is [`Candidate`]'s to say; here it is done.
//!
//! ```text
//! FAIL of my master ─▶ Schedule ─▶ (siblings ahead: Postpone) ─▶ Ask ─▶ votes ─▶ Win ─▶ takeover
//!                      PONG to       log                         epoch           slots, epoch on disk,
//!                      the siblings                              on disk,        PONG to all
//!                                                                request to all
//! ```
//!
//! It is looked at ten times a second, when its delay is over, and at the end of every event that may have changed the
//! picture: a master is marked as failed, a vote has come, an operator's wish is ready
//! ([`Todo::election`](super::state::Todo)).
//!
//! # Differences from Redis
//!
//! - An election's delay ends when it ends, and not at the next look around.
//! - `CLUSTER FAILOVER` begins an election of its own. In Redis 7.0 an earlier attempt may stay in its way for four
//!   node timeouts, and an earlier victory may be taken for the new one.
//! - Votes for one master's place are void when the replica follows another.
//! - `TAKEOVER` takes a new epoch in any case. In Redis 7.0 a replica that has restarted takes its master's epoch for its
//!   own, and claims the slots in that.

use core_types::{Epoch, LogLevel, Millis, NodeId};

use super::Cluster;
use crate::Node;
use crate::layers::election::age::{MasterLink, Validity, too_old};
use crate::layers::election::candidate::{Act, ByHand, Candidate, Reason, View};
use crate::layers::election::manual::{Manual, Pause};
use crate::layers::election::rank::{RANDOM_DELAY, delay, rank};
use crate::layers::election::takeover::{Step, takeover};

/// The same reason is logged so often (`CLUSTER_CANT_FAILOVER_RELOG_PERIOD` in Redis's `cluster.h`).
const RELOG: Millis = Millis::from_secs(5 * 60);

/// A replica says why it does not take over when its master has been down for the node timeout and this long.
const PATIENCE: Millis = Millis(5_000);

/// What a node keeps of elections and manual failovers. Nothing of it survives a restart; what must is in
/// [`Cluster::current_epoch`] and [`Cluster::last_vote_epoch`].
#[derive(Debug, Default)]
pub(crate) struct Election {
    candidate: Candidate,
    /// When its delay is over.
    delayed_until: Option<Millis>,
    /// As a replica: an operator wants it to take over.
    pub(super) manual: Option<Manual>,
    /// As a master: a replica takes over by hand, and clients may not write.
    pub(super) pause: Option<Pause>,
    /// Why it could not take over when it was last looked at.
    reason: Option<Reason>,
    /// When the log last said so.
    said_at: Option<Millis>,
}

impl Election {
    /// How far a manual failover is.
    pub(super) fn by_hand(&self) -> ByHand {
        self.manual.as_ref().map_or(ByHand::No, Manual::by_hand)
    }

    /// Whatever was scheduled or asked for is void: another election begins.
    pub(super) fn begin_anew(&mut self) {
        self.candidate = Candidate::default();
    }

    /// A vote. Does it count?
    pub(super) fn hear_vote(&mut self, voter: NodeId, has_voice: bool, epoch: Epoch) -> bool {
        self.candidate.hear_vote(voter, has_voice, epoch)
    }

    /// As a master: clients' writes wait for a replica to take over.
    pub(crate) fn is_pausing(&self) -> bool {
        self.pause.is_some()
    }

    /// Is it worth a line in the log that this is the reason why we wait? (`clusterLogCantFailover`)
    fn shall_say(
        &mut self,
        now: Millis,
        reason: Reason,
        failed_for: Option<Millis>,
        timeout: Millis,
    ) -> bool {
        let said_lately = self.said_at.is_some_and(|at| now.since(at) < RELOG);
        if self.reason == Some(reason) && said_lately {
            return false;
        }
        self.reason = Some(reason);
        let soon = failed_for.is_some_and(|failed_for| failed_for < timeout + PATIENCE);
        if !soon {
            self.said_at = Some(now);
        }
        !soon
    }
}

impl Node {
    /// Ten times a second, and whenever an election's delay is over.
    pub(crate) fn election_tick(&mut self) {
        self.end_late_failover();
        self.catch_up_by_hand();
        self.stand_for_election();
        self.wander();
    }

    /// An event is over that may concern the election.
    pub(super) fn election_settle(&mut self) {
        let Some(cluster) = &mut self.cluster else { return };
        let asked_for = std::mem::take(&mut cluster.todo.election);
        if cluster.election.by_hand() == ByHand::Begun {
            self.catch_up_by_hand();
            self.stand_for_election();
        } else if asked_for {
            self.stand_for_election();
        }
    }

    /// When it is to be looked at next, if that is not at the usual time.
    pub(crate) fn election_deadline(&self) -> Option<Millis> {
        self.cluster.as_ref()?.election.delayed_until
    }

    /// A scheduled election that is due is not left until the next look around.
    pub(crate) fn end_election_delay(&mut self) {
        let now = self.now;
        let Some(cluster) = &mut self.cluster else { return };
        if cluster.election.delayed_until.take_if(|at| now >= *at).is_some() {
            self.stand_for_election();
        }
    }

    fn stand_for_election(&mut self) {
        // By hand there is no delay: one thing follows the other.
        while let Some(view) = self.election_view() {
            let now = self.now;
            let Some(cluster) = &mut self.cluster else { return };
            let act = cluster.election.candidate.step(now, &view);
            if let Some(Act::Schedule { .. } | Act::Postpone { .. }) = act {
                cluster.election.delayed_until = cluster.election.candidate.at.filter(|at| *at > now);
            }
            match act {
                None => {
                    cluster.election.reason = None;
                    return;
                }
                Some(Act::Schedule { at, rank }) => {
                    let (wait, offset) = (at.since(now).0, self.replication.offset());
                    let text = format!(
                        "Start of election delayed for {wait} milliseconds (rank #{rank}, offset {offset})."
                    );
                    self.log(LogLevel::Warning, text);
                    self.bus_tell_siblings();
                    if at > now {
                        return;
                    }
                }
                Some(Act::Postpone { by, rank }) => {
                    let text =
                        format!("Replica rank updated to #{rank}, added {} milliseconds of delay.", by.0);
                    self.log(LogLevel::Warning, text);
                    return;
                }
                Some(Act::Ask { epoch, forced }) => {
                    cluster.current_epoch = epoch;
                    cluster.todo.update_health = true;
                    cluster.must_sync();
                    self.log(LogLevel::Warning, format!("Starting a failover election for epoch {epoch}."));
                    self.ask_for_votes(forced);
                    return;
                }
                Some(Act::Win(epoch)) => {
                    self.log(LogLevel::Warning, "Failover election won: I'm the new master.");
                    return self.take_over(epoch);
                }
                Some(Act::Wait(reason)) => return self.say_why_not(reason),
            }
        }
    }

    /// What a replica knows when it looks at its election; `None`: we are no replica of a known master.
    fn election_view(&mut self) -> Option<View> {
        let cluster = self.cluster.as_ref()?;
        let (config, myself) = (&self.config, cluster.myself());
        let master = cluster.member(&myself.master?).filter(|_| !myself.is_master())?;
        let mine = self.replication.offset();
        let siblings = cluster.replicas_of(master.id).filter(|replica| !replica.is_myself());
        let rank =
            rank(mine, siblings.map(|replica| (replica.offset, replica.flags.has(super::Flag::NoFailover))));
        let validity = Validity {
            node_timeout: config.cluster_node_timeout,
            ping_period: config.repl_ping_replica_period,
            factor: u64::from(config.cluster_replica_validity_factor),
        };
        let random = Millis(self.rng.below(RANDOM_DELAY.0));
        Some(View {
            has_cause: !master.slots().is_empty(),
            master_failed: master.has_failed(),
            abstains: config.cluster_replica_no_failover,
            too_old: too_old(self.now, self.replication.master_link(), &validity),
            by_hand: cluster.election.by_hand(),
            rank,
            delay: delay(rank, random),
            current_epoch: cluster.current_epoch,
            voters: cluster.voters().count(),
            node_timeout: config.cluster_node_timeout,
        })
    }

    fn say_why_not(&mut self, reason: Reason) {
        let (now, timeout) = (self.now, self.config.cluster_node_timeout);
        let Some(cluster) = &mut self.cluster else { return };
        let master = cluster.myself().master.and_then(|id| cluster.member(&id));
        let failed_for =
            master.filter(|master| master.has_failed()).map(|master| now.since(master.failed_at));
        if cluster.election.shall_say(now, reason, failed_for, timeout) {
            self.log(LogLevel::Warning, format!("Currently unable to failover: {reason}"));
        }
    }

    /// Takes the master's place, in a configuration of this epoch. (`clusterFailoverReplaceYourMaster`)
    pub(super) fn take_over(&mut self, epoch: Epoch) {
        let Some(cluster) = &self.cluster else { return };
        let (mine, head) = (cluster.myself().config_epoch, cluster.head_of(cluster.myself()));
        for step in takeover(mine, epoch, head.slots()) {
            let Some(cluster) = &mut self.cluster else { return };
            match step {
                Step::TakeEpoch(epoch) => {
                    cluster.myself_mut().config_epoch = epoch;
                    let text = format!("configEpoch set to {epoch} after successful failover");
                    self.log(LogLevel::Warning, text);
                }
                Step::BecomeMaster => self.become_cluster_master("failover"),
                Step::Claim(slots) => {
                    let me = cluster.me();
                    slots.iter().for_each(|slot| cluster.assign(slot, me));
                }
                // What is told from here on waits until it is there.
                Step::Save => cluster.must_sync(),
                Step::TellAll => {
                    self.look_at_health();
                    self.bus_tell_all();
                }
            }
        }
        self.forget_failover_by_hand();
    }
}

impl Cluster {
    /// No client may write: a replica takes over.
    pub(crate) fn holds_writes(&self, now: Millis) -> bool {
        self.election.pause.is_some_and(|pause| now < pause.writes_until)
    }
}

impl crate::replication::Replication {
    /// The link to the master, as far as the age of the data is concerned.
    fn master_link(&self) -> MasterLink {
        let Some(upstream) = &self.upstream else { return MasterLink::Never };
        match upstream.since_down {
            _ if self.link_is_online() => MasterLink::Up { heard: upstream.last_io() },
            Some(since) => MasterLink::Down { since },
            None => MasterLink::Never,
        }
    }
}
