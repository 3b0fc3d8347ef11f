//! Who is down: from one node's doubt to the word of all, and back.
//!
//! | a member is | since | it ends with |
//! |---|---|---|
//! | well | | silence for the node timeout |
//! | in doubt (`PFAIL`) | it owes us an answer for that long | its answer; or enough masters who say the same |
//! | failed (`FAIL`) | a majority has said so, or somebody has told us of that | its answer, if by then nobody else serves its slots |
//!
//! Doubts travel with the gossip of every heartbeat, and are counted where they arrive. Whoever first counts enough of
//! them tells all the others at once, replicas included: they only pass on what masters have said.

use core_types::{LogLevel, Millis, NodeId};

use crate::cluster::{Flag, Member};
use crate::layers::gossip::failure::{Opinion, agreed, lifted};
use crate::{ConnId, Node};

impl Node {
    /// It has been silent for too long. That is our opinion alone, and told to the others by gossip.
    pub(super) fn suspect(&mut self, id: NodeId) {
        let Some(cluster) = &mut self.cluster else { return };
        let Some(member) = cluster.member_mut(&id) else { return };
        if !member.may_have_failed() && !member.has_failed() {
            member.flags.set(Flag::MaybeFail);
            cluster.todo.update_health = true;
            self.log(LogLevel::Debug, format!("*** NODE {id} possibly failing"));
        }
    }

    /// A master says whether a member fails.
    pub(super) fn hear_opinion(&mut self, teller: NodeId, about: NodeId, failing: bool) {
        let now = self.now;
        let Some(member) = self.cluster.as_mut().and_then(|cluster| cluster.member_mut(&about)) else {
            return;
        };
        let news = match failing {
            true => member.fail_reports.add(teller, now).then_some("as not reachable."),
            false => member.fail_reports.remove(&teller).then_some("is back online."),
        };
        if let Some(news) = news {
            self.log(LogLevel::Verbose, format!("Node {teller} reported node {about} {news}"));
        }
        if failing {
            self.judge(about);
        }
    }

    /// Do enough masters say that it fails? (`markNodeAsFailingIfNeeded`)
    fn judge(&mut self, about: NodeId) {
        let (now, timeout) = (self.now, self.config.cluster_node_timeout);
        let Some(cluster) = &mut self.cluster else { return };
        let (voters, i_vote) = (cluster.voters().count(), cluster.myself().is_voter());
        let Some(member) = cluster.member_mut(&about) else { return };
        let opinion = Opinion {
            suspected: member.may_have_failed(),
            reports: member.fail_reports.count(now, timeout),
            i_vote,
            voters,
            already: member.has_failed(),
        };
        if agreed(&opinion) {
            self.log(LogLevel::Notice, format!("Marking node {about} as failing (quorum reached)."));
            self.mark_failed(about);
            self.send_failure_to_all(about);
        }
    }

    /// Somebody tells us that a majority has agreed.
    pub(super) fn hear_failure(&mut self, sender: NodeId, about: NodeId) {
        let member = self.cluster.as_ref().and_then(|cluster| cluster.member(&about));
        // We know better than anybody whether we are down.
        if member.is_some_and(|member| !member.is_myself() && !member.has_failed()) {
            self.log(LogLevel::Notice, format!("FAIL message received from {sender} about {about}"));
            self.mark_failed(about);
        }
    }

    fn mark_failed(&mut self, about: NodeId) {
        let now = self.now;
        let Some(cluster) = &mut self.cluster else { return };
        let Some(member) = cluster.member_mut(&about) else { return };
        member.flags.clear(Flag::MaybeFail);
        member.flags.set(Flag::Fail);
        member.failed_at = now;
        cluster.todo.update_health = true;
        cluster.todo.election = true;
        cluster.must_save();
    }

    /// The answer that we waited for.
    pub(super) fn answered(&mut self, conn: ConnId) {
        let (now, timeout) = (self.now, self.config.cluster_node_timeout);
        let Some(id) = self.bus_member(conn) else { return };
        let Some(cluster) = &mut self.cluster else { return };
        let Some(member) = cluster.member_mut(&id) else { return };
        member.pong_received = now;
        member.ping_sent = Millis::ZERO;
        let owns_slots = member.is_master() && !member.slots().is_empty();
        if member.may_have_failed() {
            member.flags.clear(Flag::MaybeFail);
        } else if member.has_failed() && lifted(owns_slots, now.since(member.failed_at), timeout) {
            member.flags.clear(Flag::Fail);
            let text = format!("Clear FAIL state for node {id}: {}", why_lifted(member, owns_slots));
            self.log(LogLevel::Notice, text);
        } else {
            return;
        }
        if let Some(cluster) = &mut self.cluster {
            cluster.todo.update_health = true;
            cluster.must_save();
        }
    }
}

fn why_lifted(member: &Member, owns_slots: bool) -> &'static str {
    match (owns_slots, member.is_master()) {
        (true, _) => "is reachable again and nobody is serving its slots after some time.",
        (false, true) => "master without slots is reachable again.",
        (false, false) => "replica is reachable again.",
    }
}
