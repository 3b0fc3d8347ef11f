//! The failover: carries out what the layer of chapter 5 decides.

use core_types::{Endpoint, LogLevel};

use super::links::Asked;
use super::{Key, Output, Sentinel};
use crate::layers::failover::{
    Act, Attempt, Candidate, Facts, Failover, Rewire, Situation, Stage, Timing, Vote, choose,
    election_is_over, favourite, leader, may_start, next_to_rewire, rewire_is_over,
};
use crate::layers::watching::Kind;

impl Sentinel {
    fn timing(&self, name: &str) -> Timing {
        Timing { failover_timeout: self.masters[name].settings.failover_timeout, periods: self.periods }
    }

    /// Begins a failover if one is due. True if it did.
    pub(super) fn start_if_needed(&mut self, name: &str) -> bool {
        let master = &self.masters[name];
        let down = master.odown_since.is_some();
        let due = may_start(self.now, down, master.failover.is_some(), master.attempt, &self.timing(name));
        if due {
            self.start_failover(name, false);
        }
        due
    }

    /// Begins a failover in an epoch of its own. `forced`: an operator wants it, and nobody is asked.
    pub(crate) fn start_failover(&mut self, name: &str, forced: bool) {
        self.current_epoch = self.current_epoch.next();
        let attempt = Attempt::begins(self.now, &mut self.rng);
        let failover = Failover::new(self.now, self.current_epoch, forced);
        let master = self.master_mut(name);
        master.attempt = attempt;
        master.failover = Some(failover);
        let key = master.key;
        self.save();
        self.new_epoch();
        self.event(LogLevel::Warning, "+try-failover", key, "");
    }

    /// Takes one step of the failover, if there is one.
    pub(super) fn drive_failover(&mut self, name: &str) {
        let Some(mut failover) = self.masters.get(name).and_then(|master| master.failover.clone()) else {
            return;
        };
        let facts = self.facts(name, &failover);
        let act = failover.step(self.now, &facts, &self.timing(name));
        let stage = failover.stage;
        self.master_mut(name).failover = Some(failover);
        if let Some(act) = act {
            self.carry_out(name, act, stage);
        }
    }

    fn facts(&mut self, name: &str, failover: &Failover) -> Facts {
        let mut facts = Facts::default();
        match failover.stage {
            Stage::WaitElection => {
                facts.elected = self.is_elected(name, failover);
                facts.election_over =
                    election_is_over(self.now, self.masters[name].attempt, &self.timing(name));
            }
            Stage::ChooseReplica => {
                facts.choice = self
                    .choose_replica(name)
                    .and_then(|chosen| self.masters[name].replicas.iter().position(|key| *key == chosen));
            }
            _ => {}
        }
        if let Some(promoted) = self.masters[name].promoted {
            let instance = self.instance(promoted);
            facts.promoted_connected = instance.connected();
            // That it is a master is said by an `INFO` that comes while we wait for it (see `promoted`), never by what
            // was heard before, or in TILT, when nothing was made of it.
            facts.promoted_down = instance.is_down();
            let others = self.others(name).into_iter().map(|key| self.instance(key));
            let others: Vec<(Rewire, bool)> = others.map(|other| (other.rewire, other.is_down())).collect();
            facts.rewired = rewire_is_over(&others);
        }
        facts
    }

    /// Counts the votes; casts our own first, for whom most have voted already, or for ourselves.
    fn is_elected(&mut self, name: &str, failover: &Failover) -> bool {
        let peers = &self.masters[name].sentinels;
        let votes: Vec<_> = peers.iter().filter_map(|key| self.instance(*key).vote).collect();
        let known = peers.len() + 1;
        let candidate = favourite(failover.epoch, self.id, &votes);
        let own = self.vote(name, Vote { epoch: failover.epoch, candidate });
        let own = own.leader.map(|leader| (leader, own.leader_epoch));
        let quorum = self.masters[name].settings.quorum;
        leader(failover.epoch, own, &votes, known, quorum) == Some(self.id)
    }

    /// The replica that would be promoted now.
    pub(crate) fn choose_replica(&self, name: &str) -> Option<Key> {
        let master = &self.masters[name];
        let candidates: Vec<Candidate> = master
            .replicas
            .iter()
            .map(|key| self.instance(*key))
            .map(|replica| Candidate {
                id: replica.run_id,
                down: replica.is_down(),
                connected: replica.connected(),
                alive_at: replica.contact.alive_at,
                info_at: replica.contact.info_at,
                without_master: replica.without_master,
                priority: replica.priority,
                offset: replica.offset,
            })
            .collect();
        let situation = Situation {
            master_down_since: self.instance(master.key).down_since,
            down_after: master.settings.down_after,
        };
        let chosen = choose(self.now, &situation, &candidates, &self.periods)?;
        Some(master.replicas[chosen])
    }

    fn carry_out(&mut self, name: &str, act: Act, stage: Stage) {
        let key = self.masters[name].key;
        match act {
            Act::Elected => {
                self.event(LogLevel::Warning, "+elected-leader", key, "");
                if self.failures.after_election {
                    return self.out.push(Output::Crash);
                }
                self.event(LogLevel::Warning, "+failover-state-select-slave", key, "");
            }
            Act::Chosen(place) => {
                let chosen = self.masters[name].replicas[place];
                self.master_mut(name).promoted = Some(chosen);
                self.event(LogLevel::Warning, "+selected-slave", chosen, "");
                self.event(LogLevel::Notice, "+failover-state-send-slaveof-noone", chosen, "");
            }
            Act::SendNoOne => {
                if let Some(promoted) = self.masters[name].promoted {
                    self.tell_to_follow(promoted, None);
                    self.event(LogLevel::Notice, "+failover-state-wait-promotion", promoted, "");
                }
            }
            // The `INFO` that shows it has done everything already: see `promoted`.
            Act::Promoted => {}
            Act::RewireNext => self.rewire_next(name),
            Act::RewireAll => {
                self.event(LogLevel::Warning, "+failover-end-for-timeout", key, "");
                self.event(LogLevel::Warning, "+failover-end", key, "");
                self.rewire_rest(name);
            }
            Act::SwitchOver => {
                if stage == Stage::SwitchOver && self.masters[name].promoted.is_some() {
                    self.end_failover(name);
                }
            }
            Act::NotElected => self.give_up(name, "-failover-abort-not-elected"),
            Act::NoReplica => self.give_up(name, "-failover-abort-no-good-slave"),
            Act::ReplicaTimeout => self.give_up(name, "-failover-abort-slave-timeout"),
        }
    }

    /// The chosen replica says that it is a master.
    pub(super) fn promoted(&mut self, key: Key) {
        let name = self.instance(key).master.clone();
        let now = self.now;
        let timing = self.timing(&name);
        let master = self.master_mut(&name);
        let Some(failover) = &mut master.failover else { return };
        let facts = Facts { promoted_is_master: true, ..Facts::default() };
        if failover.step(now, &facts, &timing) != Some(Act::Promoted) {
            return;
        }
        // From here on this configuration is newer than any other.
        master.config_epoch = failover.epoch;
        let old = master.key;
        self.save();
        self.event(LogLevel::Warning, "+promoted-slave", key, "");
        if self.failures.after_promotion {
            return self.out.push(Output::Crash);
        }
        self.event(LogLevel::Warning, "+failover-state-reconf-slaves", old, "");
        let (from, to) = (self.instance(old).at.clone(), self.instance(key).at.clone());
        self.call_reconfig_script(&name, "leader", &from, &to);
        self.greet_all(&name);
    }

    /// All replicas but the promoted one.
    fn others(&self, name: &str) -> Vec<Key> {
        let master = &self.masters[name];
        master.replicas.iter().copied().filter(|key| Some(*key) != master.promoted).collect()
    }

    fn rewire_next(&mut self, name: &str) {
        let others = self.others(name);
        let states: Vec<(Rewire, bool)> = others
            .iter()
            .map(|key| self.instance(*key))
            .map(|other| (other.rewire, other.connected() && !other.is_down()))
            .collect();
        let parallel = self.masters[name].settings.parallel_syncs;
        for place in next_to_rewire(self.now, parallel, &states, &self.periods) {
            let key = others[place];
            if matches!(states[place].0, Rewire::Sent(_)) {
                self.event(LogLevel::Notice, "-slave-reconf-sent-timeout", key, "");
            }
            self.rewire(name, key, "+slave-reconf-sent");
        }
    }

    /// Time is up: whoever has not been told is told now, as well as it goes.
    fn rewire_rest(&mut self, name: &str) {
        for key in self.others(name) {
            if self.instance(key).rewire == Rewire::Waiting {
                self.rewire(name, key, "+slave-reconf-sent-be");
            }
        }
    }

    fn rewire(&mut self, name: &str, key: Key, event: &'static str) {
        let Some(promoted) = self.masters[name].promoted else { return };
        let new = self.instance(promoted).at.clone();
        if self.tell_to_follow(key, Some(&new)) {
            let now = self.now;
            self.instance_mut(key).rewire = Rewire::Sent(now);
            self.event(LogLevel::Notice, event, key, "");
        }
    }

    fn end_failover(&mut self, name: &str) {
        let master = &self.masters[name];
        let key = master.key;
        let timed_out = self.others(name).iter().any(|other| {
            let other = self.instance(*other);
            !other.is_down() && other.rewire != Rewire::Done
        });
        // With a time limit it was said before the last ones were told.
        if !timed_out {
            self.event(LogLevel::Warning, "+failover-end", key, "");
        }
        if let Some(promoted) = self.masters[name].promoted {
            let to = self.instance(promoted).at.clone();
            self.switch_master(name, to, "");
        }
    }

    /// Gives up, without a trace: nobody was told anything yet that lasts.
    fn give_up(&mut self, name: &str, event: &'static str) {
        let key = self.masters[name].key;
        self.event(LogLevel::Warning, event, key, "");
        let master = self.master_mut(name);
        master.failover = None;
        master.promoted = None;
    }

    /// Replaces the configuration: the master is at `to` now. What was known of the old one and of the replicas is
    /// void; they are found again, the old master as a replica. `observer`: somebody else has done the work, and the
    /// operator's script is told so.
    pub(super) fn switch_master(&mut self, name: &str, to: Endpoint, role: &str) {
        let master = &self.masters[name];
        let old_key = master.key;
        let old = self.instance(old_key).at.clone();
        // Back to the old one, in the middle of a failover: clients have been sent to the promoted one.
        let promoted = master.promoted_master().map(|key| self.instance(key).at.clone());
        let from = promoted.filter(|_| old == to).unwrap_or_else(|| old.clone());
        let text = format!("{name} {} {} {} {}", from.host, from.port, to.host, to.port);
        self.event_plain(LogLevel::Warning, "+switch-master", text);
        let mut replicas: Vec<Endpoint> =
            self.masters[name].replicas.iter().map(|key| self.instance(*key).at.clone()).collect();
        replicas.push(old);
        replicas.retain(|at| *at != to);
        for key in self.masters[name].replicas.clone() {
            self.remove_instance(key);
        }
        self.remove_instance(old_key);
        let key = self.add_instance(Kind::Master, name, name.to_string(), to.clone(), None);
        let master = self.master_mut(name);
        master.key = key;
        master.odown_since = None;
        master.failover = None;
        master.promoted = None;
        master.attempt = Attempt::default();
        for at in replicas {
            if let Some(found) = self.add_replica(name, at) {
                self.event(LogLevel::Notice, "+slave", found, "");
            }
        }
        self.save();
        if !role.is_empty() {
            self.call_reconfig_script(name, role, &from, &to);
        }
    }

    fn call_reconfig_script(&mut self, name: &str, role: &str, from: &Endpoint, to: &Endpoint) {
        if let Some(path) = self.masters[name].settings.reconfig_script.clone() {
            let (from_port, to_port) = (from.port.to_string(), to.port.to_string());
            let args = [name, role, "start", &from.host, &from_port, &to.host, &to_port];
            self.schedule_script(path, args.map(String::from).to_vec());
        }
    }

    /// Tells an instance whom to follow (`None`: nobody), to remember it, and to send its clients away, who would not
    /// notice otherwise that it has another role now. All or nothing. False if it cannot be reached.
    pub(super) fn tell_to_follow(&mut self, key: Key, master: Option<&Endpoint>) -> bool {
        if !self.instance(key).connected() {
            return false;
        }
        let (host, port) = match master {
            Some(master) => (master.host.clone(), master.port.to_string()),
            None => ("NO".into(), "ONE".into()),
        };
        let commands: [&[&str]; 6] = [
            &["MULTI"],
            &["SLAVEOF", &host, &port],
            &["CONFIG", "REWRITE"],
            &["CLIENT", "KILL", "TYPE", "normal"],
            &["CLIENT", "KILL", "TYPE", "pubsub"],
            &["EXEC"],
        ];
        for command in commands {
            self.send(key, Asked::Nothing, command);
        }
        true
    }
}
