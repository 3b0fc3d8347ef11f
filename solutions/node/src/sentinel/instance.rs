//! One instance, as a sentinel knows it.

use core_types::{Endpoint, Epoch, Millis, Offset, RunId};

use super::links::Link;
use crate::layers::failover::{Attempt, Ballot, Failover, Rewire, Stage};
use crate::layers::watching::{Contact, Kind, Opinions};

/// Names one instance for as long as the sentinel runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) u64);

/// What an instance last said of its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Master,
    Replica,
}

/// A master, a replica or another sentinel.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) kind: Kind,
    /// The name of the master it belongs to; its own, if it is one.
    pub(crate) master: String,
    /// How events and replies call it: a master's name, a replica's address, a sentinel's run id.
    pub(crate) name: String,
    pub(crate) at: Endpoint,
    /// Where its name has led to, if `at` has a name in it.
    pub(crate) ip: Option<String>,
    pub(crate) run_id: Option<RunId>,
    pub(crate) contact: Contact,
    /// For commands.
    pub(crate) commands: Link,
    /// For listening to hellos; a sentinel's is never opened.
    pub(crate) hellos: Link,
    /// When connections were last opened.
    pub(crate) tried_at: Option<Millis>,
    /// Subjectively down, since this time.
    pub(crate) down_since: Option<Millis>,
    /// When it last went down, whether or not it still is.
    pub(crate) went_down_at: Option<Millis>,
    /// Its last `INFO`, whole.
    pub(crate) info: String,
    pub(crate) role: Role,
    pub(crate) role_since: Millis,
    /// A master that restarted; `master-reboot-down-after-period` counts from here.
    pub(crate) rebooted_at: Option<Millis>,
    // What a replica says of itself.
    pub(crate) its_master: Option<Endpoint>,
    pub(crate) its_master_since: Millis,
    pub(crate) link_up: bool,
    pub(crate) without_master: Millis,
    pub(crate) priority: u32,
    pub(crate) offset: Offset,
    pub(crate) announced: bool,
    // What a failover does with a replica.
    pub(crate) rewire: Rewire,
    // What another sentinel said.
    pub(crate) greeted_at: Millis,
    pub(crate) vote: Option<(RunId, Epoch)>,
    pub(crate) asked_to_end_script: bool,
}

impl Instance {
    pub(crate) fn new(
        kind: Kind,
        master: &str,
        name: String,
        at: Endpoint,
        run_id: Option<RunId>,
        now: Millis,
    ) -> Instance {
        Instance {
            kind,
            master: master.to_string(),
            name,
            at,
            ip: None,
            run_id,
            contact: Contact::new(now),
            commands: Link::default(),
            hellos: Link::default(),
            tried_at: None,
            down_since: None,
            went_down_at: None,
            info: String::new(),
            role: if kind == Kind::Master { Role::Master } else { Role::Replica },
            role_since: now,
            rebooted_at: None,
            its_master: None,
            its_master_since: now,
            link_up: false,
            without_master: Millis::ZERO,
            priority: 100,
            offset: Offset(0),
            announced: true,
            rewire: Rewire::Waiting,
            greeted_at: now,
            vote: None,
            asked_to_end_script: false,
        }
    }

    /// Commands can be sent to it.
    pub(crate) fn connected(&self) -> bool {
        self.commands.up
    }

    pub(crate) fn is_down(&self) -> bool {
        self.down_since.is_some()
    }

    /// It is at this address, which may be a name or what a name has led to.
    pub(crate) fn is_at(&self, other: &Endpoint) -> bool {
        self.at == *other || (self.at.port == other.port && self.ip.as_ref() == Some(&other.host))
    }

    /// An address whose port is 0 is one that somebody else has now.
    pub(crate) fn has_address(&self) -> bool {
        self.at.port != 0
    }
}

/// What an operator can set for a master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) quorum: usize,
    pub(crate) down_after: Millis,
    pub(crate) failover_timeout: Millis,
    pub(crate) parallel_syncs: usize,
    pub(crate) reboot_down_after: Millis,
    pub(crate) auth_user: Option<String>,
    pub(crate) auth_pass: Option<String>,
    pub(crate) notification_script: Option<String>,
    pub(crate) reconfig_script: Option<String>,
    /// Commands that the watched instances know by another name.
    pub(crate) renamed: Vec<(String, String)>,
}

impl Settings {
    /// Redis's defaults (`sentinel.c`).
    pub(crate) fn new(quorum: usize) -> Settings {
        Settings {
            quorum,
            down_after: Millis::from_secs(30),
            failover_timeout: Millis::from_secs(180),
            parallel_syncs: 1,
            reboot_down_after: Millis::ZERO,
            auth_user: None,
            auth_pass: None,
            notification_script: None,
            reconfig_script: None,
            renamed: Vec::new(),
        }
    }
}

/// A master with everything that belongs to it.
#[derive(Debug)]
pub(crate) struct Master {
    pub(crate) key: Key,
    pub(crate) settings: Settings,
    pub(crate) replicas: Vec<Key>,
    /// The others who watch it.
    pub(crate) sentinels: Vec<Key>,
    /// The epoch of the failover that put it where it is.
    pub(crate) config_epoch: Epoch,
    /// Objectively down, since this time.
    pub(crate) odown_since: Option<Millis>,
    pub(crate) opinions: Opinions,
    /// Whom this sentinel has voted for. The current epoch in it is the sentinel's, copied in and out.
    pub(crate) ballot: Ballot,
    pub(crate) failover: Option<Failover>,
    /// The replica chosen by the failover.
    pub(crate) promoted: Option<Key>,
    pub(crate) attempt: Attempt,
}

impl Master {
    pub(crate) fn new(key: Key, settings: Settings) -> Master {
        Master {
            key,
            settings,
            replicas: Vec::new(),
            sentinels: Vec::new(),
            config_epoch: Epoch(0),
            odown_since: None,
            opinions: Opinions::new(),
            ballot: Ballot::default(),
            failover: None,
            promoted: None,
            attempt: Attempt::default(),
        }
    }

    /// The replica that is a master by now, although the configuration has not been replaced yet.
    pub(crate) fn promoted_master(&self) -> Option<Key> {
        let failover = self.failover.as_ref()?;
        self.promoted.filter(|_| failover.stage >= Stage::Rewire)
    }
}
