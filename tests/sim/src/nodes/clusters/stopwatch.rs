//! How long it takes from a master's death until its slots take writes again.

use core_types::{Millis, SlotSet};

use super::{Audit, Roamer};
use crate::world::{HostId, World};

/// One change of master that a death has caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takeover {
    /// From the death until a replica called itself master.
    pub promoted: Millis,
    /// From the death to the first write to one of its slots that somebody else has acknowledged.
    pub written: Millis,
}

/// A death that is being watched.
#[derive(Clone, Debug)]
struct Death {
    host: HostId,
    at: Millis,
    slots: SlotSet,
    promoted: Option<Millis>,
    written: Option<Millis>,
}

/// What is measured.
#[derive(Debug)]
pub(super) struct Stopwatch {
    death: Option<Death>,
    done: Vec<Takeover>,
    /// How many of each client's acknowledged writes have been looked at.
    read: Vec<usize>,
}

impl Stopwatch {
    pub(super) fn new(clients: usize) -> Stopwatch {
        Stopwatch { death: None, done: Vec::new(), read: vec![0; clients] }
    }

    /// A replica of `before` has become a master.
    pub(super) fn note_promotion(&mut self, now: Millis, before: Option<HostId>) {
        if let Some(death) = self.death.as_mut().filter(|death| before == Some(death.host)) {
            death.promoted.get_or_insert(now);
        }
        self.close();
    }

    /// A client has had answers.
    pub(super) fn note_writes(&mut self, world: &World<'_>, place: usize, client: HostId) {
        let Some(client) = world.get::<Roamer>(client) else { return };
        let from = std::mem::replace(&mut self.read[place], client.acknowledged().len());
        let Some(death) = &mut self.death else { return };
        let dead = world.ip(death.host);
        let news = &client.acknowledged()[from..];
        if news.iter().any(|ack| death.slots.contains(ack.slot) && ack.by.host != dead) {
            death.written.get_or_insert(world.now());
        }
        self.close();
    }

    fn close(&mut self) {
        if let Some(Death { at, promoted: Some(promoted), written: Some(written), .. }) = self.death {
            self.done.push(Takeover { promoted: promoted.since(at), written: written.since(at) });
            self.death = None;
        }
    }
}

impl Audit {
    /// This master of these slots dies now. One death is watched at a time.
    pub fn watch_death(&mut self, host: HostId, at: Millis, slots: SlotSet) {
        self.stopwatch.death = Some(Death { host, at, slots, promoted: None, written: None });
    }

    /// Times that were measured, in order.
    pub fn takeovers(&self) -> &[Takeover] {
        &self.stopwatch.done
    }
}
