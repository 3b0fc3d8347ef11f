//! This node as a voter: a replica asks for its vote.
//!
//! # Differences from Redis
//!
//! A master does not vote in the epoch of its own slots: it has won that epoch, or taken it. To Redis it has not voted in it,
//! and a replica that has just become a master may give its new vote to a rival in the same epoch. As it has taken the
//! vote of its old master's place with it, both may have a majority then, and one epoch two winners.

use core_types::{LogLevel, NodeId};

use crate::Node;
use crate::layers::election::votes::{Answer, Asker, Request, Step, Voter, answer, steps};

impl Node {
    /// A replica asks for our vote. The promise is on the disk before the vote leaves.
    pub(super) fn hear_vote_wanted(&mut self, sender: NodeId, request: &Request<'_>) {
        let now = self.now;
        let Some(cluster) = &self.cluster else { return };
        let Some(member) = cluster.member(&sender) else { return };
        let replaced = member.master.filter(|_| !member.is_master());
        let asker = match replaced.and_then(|id| cluster.member(&id)) {
            _ if member.is_master() => Asker::Master,
            None => Asker::OfUnknown,
            Some(master) => Asker::Replica { master_failed: master.has_failed(), voted_at: master.voted_at },
        };
        let voter = Voter {
            has_voice: cluster.myself().is_voter(),
            current_epoch: cluster.current_epoch,
            last_vote_epoch: cluster.last_vote_epoch.max(cluster.myself().config_epoch),
            node_timeout: self.config.cluster_node_timeout,
        };
        let answer = answer(now, &voter, asker, request, |slot| {
            let owner = cluster.member(&cluster.owner(slot)?)?;
            Some(owner.config_epoch)
        });
        let current = voter.current_epoch;
        if let Answer::Refuse(why) = answer
            && voter.has_voice
        {
            self.log(LogLevel::Warning, format!("Failover auth denied to {sender}: {why}"));
        }
        for step in steps(current, request.epoch, answer) {
            let Some(cluster) = &mut self.cluster else { return };
            match step {
                Step::Raise(epoch) => cluster.current_epoch = epoch,
                Step::Note(epoch) => {
                    cluster.last_vote_epoch = epoch;
                    if let Some(master) = replaced.and_then(|id| cluster.member_mut(&id)) {
                        master.voted_at = Some(now);
                    }
                }
                // What is sent from here on waits until it is there.
                Step::Save => cluster.must_sync(),
                Step::Send(epoch) => {
                    self.send_vote(sender);
                    let text = format!("Failover auth granted to {sender} for epoch {epoch}");
                    self.log(LogLevel::Warning, text);
                }
            }
        }
    }
}
