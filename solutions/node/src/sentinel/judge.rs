//! Opinions: our own, those of the others, and votes.

use core_types::{Endpoint, Epoch, Frame, LogLevel, Millis, RunId};

use super::instance::Role;
use super::links::Asked;
use super::{Key, Sentinel};
use crate::layers::failover::{Attempt, Vote, VoteAnswer};
use crate::layers::watching::{Kind, Question, answer, objectively_down, subjectively_down, whom_to_ask};

impl Sentinel {
    /// Is this instance down, for us?
    pub(super) fn judge(&mut self, key: Key) {
        let now = self.now;
        let instance = self.instance(key);
        let settings = &self.masters[&instance.master].settings;
        let claims_replica =
            (instance.kind == Kind::Master && instance.role == Role::Replica).then_some(instance.role_since);
        let rebooted = instance.rebooted_at.is_some_and(|at| now.since(at) > settings.reboot_down_after);
        let down = rebooted
            || subjectively_down(
                now,
                instance.kind,
                &instance.contact,
                claims_replica,
                settings.down_after,
                &self.periods,
            );
        if down == instance.is_down() {
            return;
        }
        let instance = self.instance_mut(key);
        if down {
            instance.down_since = Some(now);
            instance.went_down_at = Some(now);
            self.event(LogLevel::Warning, "+sdown", key, "");
        } else {
            instance.down_since = None;
            instance.asked_to_end_script = false;
            self.event(LogLevel::Warning, "-sdown", key, "");
        }
    }

    /// Do enough sentinels agree that the master is down?
    pub(super) fn judge_together(&mut self, name: &str) {
        let now = self.now;
        let master = &self.masters[name];
        let key = master.key;
        let own = self.instance(key).is_down();
        let others = master.opinions.down(now, &self.periods);
        let quorum = master.settings.quorum;
        let down = objectively_down(Kind::Master, own, others, quorum);
        if down == master.odown_since.is_some() {
            return;
        }
        self.master_mut(name).odown_since = down.then_some(now);
        if down {
            let text = format!(" #quorum {}/{quorum}", others + 1);
            self.event(LogLevel::Warning, "+odown", key, &text);
        } else {
            self.event(LogLevel::Warning, "-odown", key, "");
        }
    }

    /// Asks the others what they think, and for their votes once we try to fail over.
    pub(super) fn ask_others(&mut self, name: &str, at_once: bool) {
        let now = self.now;
        let Some(master) = self.masters.get(name) else { return };
        let peers = master.sentinels.clone();
        let questions: Vec<Question> = peers
            .iter()
            .map(|key| self.instance(*key))
            .map(|peer| Question {
                connected: peer.connected(),
                answered_at: peer.run_id.and_then(|id| master.opinions.heard_at(&id)),
            })
            .collect();
        let instance = self.instance(master.key);
        let (ip, port) = (instance.at.host.clone(), instance.at.port.to_string());
        let candidate = if master.failover.is_some() { self.id.to_string() } else { "*".into() };
        let epoch = self.current_epoch.to_string();
        for place in whom_to_ask(now, instance.is_down(), at_once, &questions, &self.periods) {
            self.send(
                peers[place],
                Asked::Opinion,
                &["SENTINEL", "is-master-down-by-addr", &ip, &port, &epoch, &candidate],
            );
        }
    }

    /// The answer: an opinion, and perhaps a vote.
    pub(super) fn opinion(&mut self, key: Key, frame: &Frame) {
        let now = self.now;
        let Frame::Array(parts) = frame else { return };
        let [Frame::Integer(down), leader, Frame::Integer(epoch)] = &parts[..] else { return };
        let instance = self.instance(key);
        let (Some(who), name) = (instance.run_id, instance.master.clone()) else { return };
        self.master_mut(&name).opinions.heard(now, who, *down == 1);
        let leader = leader.as_bytes().and_then(|leader| RunId::parse(leader).ok());
        if let (Some(leader), Ok(epoch)) = (leader, u64::try_from(*epoch)) {
            let vote = (leader, Epoch(epoch));
            if self.instance(key).vote != Some(vote) {
                let text = format!("{} voted for {leader} {epoch}", self.instance(key).name);
                self.log(LogLevel::Notice, text);
            }
            self.instance_mut(key).vote = Some(vote);
        }
    }

    /// `SENTINEL is-master-down-by-addr`: another asks for our opinion, and with a run id for our vote. The answer must
    /// not leave before what it saves is on disk.
    pub(crate) fn give_opinion(
        &mut self,
        now: Millis,
        host: &str,
        port: u16,
        epoch: Epoch,
        candidate: Option<RunId>,
    ) -> (bool, Option<VoteAnswer>) {
        self.now = now;
        let asked = Endpoint::new(host, port);
        let found = self.masters.iter().find(|(_, master)| self.instance(master.key).is_at(&asked));
        let Some((name, master)) = found else { return (answer(None, false, self.tilt.is_on()), None) };
        let name = name.clone();
        let own = self.instance(master.key).is_down();
        let opinion = answer(Some(Kind::Master), own, self.tilt.is_on());
        let vote = candidate.map(|candidate| self.vote(&name, Vote { epoch, candidate }));
        (opinion, vote)
    }

    /// Somebody, perhaps we ourselves, asks for this sentinel's vote.
    pub(super) fn vote(&mut self, name: &str, vote: Vote) -> VoteAnswer {
        let current = self.current_epoch;
        let master = self.master_mut(name);
        master.ballot.current = current;
        let answer = master.ballot.request(vote);
        self.current_epoch = self.masters[name].ballot.current;
        if answer.must_be_saved() || self.unsaved {
            self.save();
        }
        if answer.new_epoch {
            self.new_epoch();
        }
        if answer.voted {
            let text = format!("{} {}", vote.candidate, answer.leader_epoch);
            self.event_plain(LogLevel::Warning, "+vote-for-leader", text);
            if vote.candidate != self.id {
                // Its attempt is under way; ours would only disturb it.
                let attempt = Attempt::begins(self.now, &mut self.rng);
                self.master_mut(name).attempt = attempt;
            }
        }
        answer
    }

    pub(super) fn master_mut(&mut self, name: &str) -> &mut super::Master {
        self.masters.get_mut(name).expect("the name of a master that is watched")
    }

    pub(super) fn log(&mut self, level: LogLevel, text: String) {
        self.out.push(super::Output::Log { level, text });
    }
}
