//! How long it takes from a master's death until there is another.

use core_types::{Endpoint, Millis};

use super::Scrutiny;
use crate::nodes::Seeker;
use crate::world::{HostId, World};

/// One change of master that a death has caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takeover {
    /// From the death to the leader's `+switch-master`.
    pub switched: Millis,
    /// From the death to the first write that another master has accepted.
    pub written: Millis,
}

/// A death that is being watched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Death {
    host: HostId,
    at: Millis,
    switched: Option<Millis>,
    written: Option<Millis>,
}

/// What is measured.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    death: Option<Death>,
    done: Vec<Takeover>,
    /// How many of the client's acknowledged writes have been looked at.
    read: usize,
}

impl Scrutiny {
    /// Times that were measured, in order.
    pub fn takeovers(&self) -> &[Takeover] {
        &self.stopwatch.done
    }

    /// Has the master died? `at`: where the newest configuration says it is.
    pub(super) fn watch_master(&mut self, world: &World<'_>, at: HostId) {
        let watch = &mut self.stopwatch;
        match watch.death {
            // It came back before anybody took its place.
            Some(death) if death.switched.is_none() && world.is_up(death.host) => watch.death = None,
            Some(_) => {}
            None => {
                let died = world.died_at(at).filter(|_| !world.is_up(at));
                watch.death = died.map(|died| Death { host: at, at: died, switched: None, written: None });
            }
        }
    }

    /// A leader has switched from `from` to another master.
    pub(super) fn note_switch(&mut self, world: &World<'_>, from: &str) {
        let now = world.now();
        if let Some(death) = &mut self.stopwatch.death
            && world.ip(death.host) == from
        {
            death.switched.get_or_insert(now);
        }
        self.close_watch();
    }

    /// The client has had answers.
    pub(super) fn note_writes(&mut self, world: &World<'_>, seeker: HostId) {
        let Some(seeker) = world.get::<Seeker>(seeker) else { return };
        let news: &[(u64, Endpoint)] = &seeker.acknowledged()[self.stopwatch.read..];
        self.stopwatch.read += news.len();
        let now = world.now();
        if let Some(death) = &mut self.stopwatch.death
            && news.iter().any(|(_, by)| by.host != world.ip(death.host))
        {
            death.written.get_or_insert(now);
        }
        self.close_watch();
    }

    fn close_watch(&mut self) {
        let watch = &mut self.stopwatch;
        if let Some(Death { at, switched: Some(switched), written: Some(written), .. }) = watch.death {
            watch.done.push(Takeover { switched: switched.since(at), written: written.since(at) });
            watch.death = None;
        }
    }
}
