//! A sentinel's mind, to look at: what the simulator's rules and the tests of the node judge it by.
//!
//! Nothing here changes anything, and nothing in the node reads it.

use core_types::{Endpoint, Epoch, Millis, Offset, RunId};

use super::instance::Role;
use super::{Instance, Master, Sentinel};
use crate::Node;
use crate::layers::failover::Stage;

/// What a sentinel holds for true of one master.
#[derive(Clone, Copy)]
pub struct Watched<'a> {
    sentinel: &'a Sentinel,
    master: &'a Master,
    name: &'a str,
}

/// What a sentinel holds for true of one replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedReplica {
    /// Where it is.
    pub at: Endpoint,
    /// The run id in its last `INFO`.
    pub run_id: Option<RunId>,
    /// That `INFO` says that it is a master: it is an old one that is back, or one that is about to be.
    pub says_master: bool,
    /// Subjectively down.
    pub down: bool,
    /// The connection for commands stands.
    pub connected: bool,
    /// When that last `INFO` came, by the sentinel's clock.
    pub info_at: Option<Millis>,
    /// For how long it had been without its master then.
    pub without_master: Millis,
    /// Its priority then.
    pub priority: u32,
    /// Its offset then.
    pub offset: Offset,
}

impl Node {
    /// What this sentinel holds for true of the master `name`; `None` if it does not watch one of that name, or is no
    /// sentinel.
    pub fn watched(&self, name: &str) -> Option<Watched<'_>> {
        let sentinel = &self.sentinel.as_ref()?.machine;
        let (name, master) = sentinel.masters.get_key_value(name)?;
        Some(Watched { sentinel, master, name })
    }

    /// By which name this sentinel votes and is voted for.
    pub fn sentinel_id(&self) -> Option<RunId> {
        self.sentinel.as_ref().map(|watcher| watcher.machine.id)
    }

    /// The greatest epoch that this sentinel has heard of.
    pub fn sentinel_epoch(&self) -> Option<Epoch> {
        self.sentinel.as_ref().map(|watcher| watcher.machine.current_epoch)
    }

    /// True for a sentinel that does not trust its clock at the moment.
    pub fn is_tilted(&self) -> bool {
        self.sentinel.as_ref().is_some_and(|watcher| watcher.machine.tilt.is_on())
    }
}

impl Watched<'_> {
    /// Where clients are sent.
    pub fn address(&self) -> Endpoint {
        self.sentinel.master_address(self.name).expect("a master that is watched has an address")
    }

    /// Who is watched as the master; in a failover still the old one.
    pub fn at(&self) -> &Endpoint {
        &self.instance().at
    }

    /// The epoch of the failover that put it there.
    pub fn config_epoch(&self) -> Epoch {
        self.master.config_epoch
    }

    /// Subjectively down.
    pub fn is_down(&self) -> bool {
        self.instance().is_down()
    }

    /// Since when it is subjectively down, by the sentinel's clock.
    pub fn down_since(&self) -> Option<Millis> {
        self.instance().down_since
    }

    /// Objectively down.
    pub fn is_objectively_down(&self) -> bool {
        self.master.odown_since.is_some()
    }

    /// How many opinions that takes.
    pub fn quorum(&self) -> usize {
        self.master.settings.quorum
    }

    /// The failover that this sentinel leads or wants to lead: its epoch, and how far it is.
    pub fn failover(&self) -> Option<(Epoch, Stage)> {
        self.master.failover.as_ref().map(|failover| (failover.epoch, failover.stage))
    }

    /// The replica that this failover has chosen.
    pub fn promoted(&self) -> Option<&Endpoint> {
        self.master.promoted.map(|key| &self.sentinel.instance(key).at)
    }

    /// How many sentinels it knows, itself included.
    pub fn sentinels(&self) -> usize {
        self.master.sentinels.len() + 1
    }

    /// Where those of the others are that are subjectively down.
    pub fn silent_sentinels(&self) -> impl Iterator<Item = &Endpoint> {
        let all = self.master.sentinels.iter().map(|key| self.sentinel.instance(*key));
        all.filter(|other| other.is_down()).map(|other| &other.at)
    }

    /// Its replicas.
    pub fn replicas(&self) -> impl Iterator<Item = WatchedReplica> {
        self.master.replicas.iter().map(|key| {
            let replica = self.sentinel.instance(*key);
            WatchedReplica {
                at: replica.at.clone(),
                run_id: replica.run_id,
                says_master: replica.role == Role::Master,
                down: replica.is_down(),
                connected: replica.connected(),
                info_at: replica.contact.info_at,
                without_master: replica.without_master,
                priority: replica.priority,
                offset: replica.offset,
            }
        })
    }

    /// True if the master, all replicas and all other sentinels are connected, and have answered since they are.
    pub fn hears_all(&self) -> bool {
        let Master { key, replicas, sentinels, .. } = self.master;
        let all = std::iter::once(key).chain(replicas).chain(sentinels);
        let mut contacts = all.map(|key| &self.sentinel.instance(*key).contact);
        contacts.all(|contact| contact.connected_at.is_some_and(|at| contact.alive_at >= at))
    }

    fn instance(&self) -> &Instance {
        self.sentinel.instance(self.master.key)
    }
}
