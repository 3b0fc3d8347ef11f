//! A sentinel: the node's other life, `--sentinel`.
//!
//! It holds no data. It keeps connections to masters, their replicas and other sentinels, forms opinions and acts on
//! them. What is *decided* is in the layers of chapter 4 ([`crate::layers::watching`]) and chapter 5
//! ([`crate::layers::failover`]); here is what the decisions are applied to.
//!
//! The sentinel is a machine of its own inside the node: it is told of time, of its connections and of what arrives on
//! them, and asks for everything else by an [`Output`], in order. The node carries them out. So all of it runs in the
//! simulator.
//!
//! | file | |
//! |---|---|
//! | `instance` | one master, replica or sentinel, as this sentinel knows it |
//! | `links` | connections: opening, probing, what an answer belongs to |
//! | `report` | what an `INFO` changes |
//! | `greeting` | hellos, sent and heard |
//! | `judge` | opinions: subjectively and objectively down, asking the others, votes |
//! | `act` | the failover |
//! | `events`, `scripts` | what is told to the log, to subscribers and to programs |
//! | `commands`, `itself`, `show`, `settings` | what operators see and set, and the lines of the file |
//! | `host` | the sentinel in its node: connections, the file, clients |
//! | `view` | its mind, to look at |
//!
//! # Differences from Redis
//!
//! - Redis shares the connection to a sentinel between all masters that both watch. Here each master has its own: one
//!   connection more for each, and nothing to be disentangled when a master goes.
//! - A name (`resolve-hostnames yes`) is looked up whenever a connection is made, by the driver; without `announce-hostnames
//!   yes` the first answer takes its place. Redis looks it up when it reads it, and stands still meanwhile.
//! - A sentinel that has promoted a replica, and hears of a newer configuration with the *old* master before its failover
//!   has ended, gives its failover up and goes back. Redis goes on, and names its own master with the other's epoch: from then on
//!   two sentinels disagree until the next failover. The simulator has found it (`tests/sim`, family `sentinels`).
//! - The small differences that remain in commands, files and hellos are listed at the heads of
//!   `tests/system/tests/sentinel_*.rs`.

mod act;
mod commands;
mod events;
mod greeting;
pub(crate) mod host;
mod instance;
mod itself;
mod judge;
mod links;
mod report;
mod scripts;
mod settings;
mod show;
mod view;

use std::collections::BTreeMap;

use core_types::{ArgsBuf, Endpoint, Epoch, LogLevel, Millis, Periods, Rng, RunId};

use crate::layers::watching::{Kind, Tilt, TiltStep};

pub(crate) use host::{Watch, Watcher};
pub(crate) use instance::{Instance, Key, Master, Settings};
pub(crate) use links::LinkId;
pub use view::{Watched, WatchedReplica};

/// What a sentinel asks of its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Open a connection.
    Connect { link: LinkId, to: Endpoint },
    /// Send a command on it.
    Send { link: LinkId, command: ArgsBuf },
    /// Close it. Nothing that still arrives on it may be passed on.
    Close { link: LinkId },
    /// Something happened: for the log, and for those who subscribe to the channel of that name.
    Event { level: LogLevel, name: &'static str, text: String },
    /// Write to the log only.
    Log { level: LogLevel, text: String },
    /// The state has changed: write the configuration file. What follows in the outputs leaves after it is on disk.
    Save,
    /// Run a program of the operator's.
    Script { id: u64, path: String, args: Vec<String> },
    /// It takes too long: end it.
    EndScript { id: u64 },
    /// Stop at once, as if the power had gone (`SENTINEL SIMULATE-FAILURE`).
    Crash,
}

/// Times that are no period: what a new master gets, and how long scripts may take. `SENTINEL DEBUG` changes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Defaults {
    pub(crate) down_after: Millis,
    pub(crate) failover_timeout: Millis,
    pub(crate) script_max_runtime: Millis,
    pub(crate) script_retry_delay: Millis,
}

impl Default for Defaults {
    fn default() -> Defaults {
        Defaults {
            down_after: Millis::from_secs(30),
            failover_timeout: Millis::from_secs(180),
            script_max_runtime: Millis::from_secs(60),
            script_retry_delay: Millis::from_secs(30),
        }
    }
}

/// What makes a sentinel die on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SimulatedFailures {
    pub(crate) after_election: bool,
    pub(crate) after_promotion: bool,
}

/// A sentinel without its sockets, its file and its clock.
#[derive(Debug)]
pub(crate) struct Sentinel {
    /// Who it is: its name in every vote. It survives restarts.
    pub(crate) id: RunId,
    /// It has its name from its file, not from a dice.
    pub(crate) named: bool,
    /// The greatest epoch it has heard of.
    pub(crate) current_epoch: Epoch,
    pub(crate) periods: Periods,
    /// By name.
    pub(crate) masters: BTreeMap<String, Master>,
    pub(crate) instances: BTreeMap<Key, Instance>,
    pub(crate) tilt: Tilt,
    /// How often it went into TILT since it started.
    pub(crate) tilts: u64,
    /// What it tells others of its own address, where that is not what its sockets say.
    pub(crate) announce_ip: Option<String>,
    pub(crate) announce_port: Option<u16>,
    /// The port it listens on.
    pub(crate) port: u16,
    /// How it logs in at other sentinels: a user, and a password.
    pub(crate) peer_user: Option<String>,
    pub(crate) peer_password: Option<String>,
    /// Names are resolved when somebody connects; otherwise only addresses are taken.
    pub(crate) resolve_hostnames: bool,
    pub(crate) announce_hostnames: bool,
    /// Scripts cannot be set while it runs: whoever can send it commands shall not be able to run programs.
    pub(crate) deny_scripts_reconfig: bool,
    pub(crate) defaults: Defaults,
    pub(crate) failures: SimulatedFailures,
    scripts: scripts::Scripts,
    /// What was to be written to the file last is not there.
    unsaved: bool,
    rng: Rng,
    /// The time of the event that is being handled.
    now: Millis,
    next_key: u64,
    next_link: u64,
    /// Which instance a connection belongs to.
    owners: BTreeMap<LinkId, Key>,
    out: Vec<Output>,
}

impl Sentinel {
    /// A sentinel that watches nothing yet.
    pub(crate) fn new(id: RunId, port: u16, seed: u64, now: Millis) -> Sentinel {
        Sentinel {
            id,
            named: false,
            current_epoch: Epoch(0),
            periods: Periods::default(),
            masters: BTreeMap::new(),
            instances: BTreeMap::new(),
            tilt: Tilt::new(now),
            tilts: 0,
            announce_ip: None,
            announce_port: None,
            port,
            peer_user: None,
            peer_password: None,
            resolve_hostnames: false,
            announce_hostnames: false,
            deny_scripts_reconfig: true,
            defaults: Defaults::default(),
            failures: SimulatedFailures::default(),
            scripts: scripts::Scripts::default(),
            unsaved: false,
            rng: Rng::new(seed),
            now,
            next_key: 0,
            next_link: 0,
            owners: BTreeMap::new(),
            out: Vec::new(),
        }
    }

    /// What it has asked for since the last time, in order.
    pub(crate) fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }

    /// Ten times a second.
    pub(crate) fn tick(&mut self, now: Millis) {
        self.now = now;
        match self.tilt.tick(now, &self.periods) {
            TiltStep::Enter => {
                self.tilts += 1;
                self.event_plain(LogLevel::Warning, "+tilt", "#tilt mode entered".into());
            }
            TiltStep::Leave => self.event_plain(LogLevel::Warning, "-tilt", "#tilt mode exited".into()),
            TiltStep::Same => {}
        }
        let names: Vec<String> = self.masters.keys().cloned().collect();
        for name in names {
            self.tick_master(&name);
        }
        self.tick_scripts();
    }

    /// One master with all that belongs to it. A failover that ends here may have replaced all of it.
    fn tick_master(&mut self, name: &str) {
        for key in self.family(name) {
            self.keep_links(key);
            self.probe(key);
            if !self.tilt.is_on() {
                self.judge(key);
            }
        }
        if self.tilt.is_on() {
            return;
        }
        self.judge_together(name);
        let started = self.start_if_needed(name);
        if started {
            self.ask_others(name, true);
        }
        self.drive_failover(name);
        self.ask_others(name, false);
    }

    /// The master, its replicas and the other sentinels, in this order.
    fn family(&self, name: &str) -> Vec<Key> {
        let Some(master) = self.masters.get(name) else { return Vec::new() };
        let mut keys = vec![master.key];
        keys.extend(&master.replicas);
        keys.extend(&master.sentinels);
        keys
    }

    /// Begins to watch a master. `Err` if one of that name is watched already.
    pub(crate) fn monitor(
        &mut self,
        now: Millis,
        name: &str,
        at: Endpoint,
        settings: Settings,
    ) -> Result<(), ()> {
        self.now = now;
        if self.masters.contains_key(name) {
            return Err(());
        }
        let key = self.add_instance(Kind::Master, name, name.to_string(), at, None);
        self.masters.insert(name.to_string(), Master::new(key, settings));
        Ok(())
    }

    /// Adds a replica that was found, or that the file names. `None` if it is known.
    pub(crate) fn add_replica(&mut self, master: &str, at: Endpoint) -> Option<Key> {
        let known = &self.masters.get(master)?.replicas;
        if known.iter().any(|key| self.instances[key].at == at) {
            return None;
        }
        let key = self.add_instance(Kind::Replica, master, at.to_string(), at, None);
        self.masters.get_mut(master)?.replicas.push(key);
        Some(key)
    }

    /// Adds another sentinel that was heard, or that the file names.
    pub(crate) fn add_sentinel(&mut self, master: &str, at: Endpoint, id: RunId) -> Option<Key> {
        let key = self.add_instance(Kind::Sentinel, master, id.to_string(), at, Some(id));
        self.masters.get_mut(master)?.sentinels.push(key);
        Some(key)
    }

    fn add_instance(
        &mut self,
        kind: Kind,
        master: &str,
        name: String,
        at: Endpoint,
        id: Option<RunId>,
    ) -> Key {
        self.next_key += 1;
        let key = Key(self.next_key);
        self.instances.insert(key, Instance::new(kind, master, name, at, id, self.now));
        key
    }

    /// Forgets an instance, and closes its connections.
    pub(crate) fn remove_instance(&mut self, key: Key) {
        self.close_links(key);
        if let Some(gone) = self.instances.remove(&key)
            && let Some(master) = self.masters.get_mut(&gone.master)
        {
            master.replicas.retain(|other| *other != key);
            master.sentinels.retain(|other| *other != key);
            if let Some(id) = gone.run_id.filter(|_| gone.kind == Kind::Sentinel) {
                master.opinions.forget(&id);
            }
        }
    }

    /// Stops watching a master.
    pub(crate) fn unmonitor(&mut self, now: Millis, name: &str) -> bool {
        self.now = now;
        if !self.masters.contains_key(name) {
            return false;
        }
        for key in self.family(name) {
            self.remove_instance(key);
        }
        self.masters.remove(name);
        true
    }

    /// Where the master of that name is now: during a failover, from the promotion on, it is the promoted replica.
    pub(crate) fn master_address(&self, name: &str) -> Option<Endpoint> {
        let master = self.masters.get(name)?;
        let key = master.promoted_master().unwrap_or(master.key);
        self.instances.get(&key).map(|instance| instance.at.clone())
    }

    fn instance(&self, key: Key) -> &Instance {
        self.instances.get(&key).expect("a key that is in use names an instance")
    }

    fn save(&mut self) {
        self.out.push(Output::Save);
    }
}
