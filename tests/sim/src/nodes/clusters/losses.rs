//! Writes that were acknowledged and are gone: each must be explained.

use std::collections::{BTreeMap, BTreeSet};

use core_types::{Broken, Millis, Slot};

use super::peace::Shard;
use super::{Audit, EXPLAINED, Roamer};
use crate::nodes::rules;
use crate::world::{HostId, World};

/// What costs a node data that it has acknowledged.
#[derive(Debug, Default)]
pub(super) struct Calamities {
    /// When a process last ended that had another one after it.
    restarts: BTreeMap<HostId, Millis>,
    /// When a node was last a master that became a replica.
    offices: BTreeMap<HostId, Millis>,
    /// When a node that stayed a master last lost a slot to another one. (With `cluster-allow-replica-migration no` it stays
    /// one if its heir claims anything more than what it had.)
    taken: BTreeMap<(HostId, Slot), Millis>,
}

/// Writes, as clients saw them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Acknowledged writes.
    pub acknowledged: u64,
    /// Lost: whoever acknowledged them was another's replica later, and took over its data; or had to leave the slot to
    /// another.
    pub replaced: u64,
    /// Lost: whoever acknowledged them began anew later.
    pub restarted: u64,
    /// Lost: their slot was moved, and a later owner met with one of both.
    pub moved: u64,
}

impl Losses {
    /// All that were lost.
    pub fn lost(&self) -> u64 {
        self.replaced + self.restarted + self.moved
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Losses) -> Losses {
        Losses {
            acknowledged: self.acknowledged + other.acknowledged,
            replaced: self.replaced + other.replaced,
            restarted: self.restarted + other.restarted,
            moved: self.moved + other.moved,
        }
    }
}

impl Calamities {
    pub(super) fn process_began_anew(&mut self, host: HostId, died: Millis) {
        self.restarts.insert(host, died);
    }

    pub(super) fn left_office(&mut self, host: HostId, now: Millis) {
        self.offices.insert(host, now);
    }

    pub(super) fn lost_slots(&mut self, host: HostId, lost: impl Iterator<Item = Slot>, now: Millis) {
        self.taken.extend(lost.map(|slot| ((host, slot), now)));
    }
}

impl Audit {
    /// At the end: what became of each write that was acknowledged. `moved`: slots that somebody has moved between nodes, or
    /// has tried to.
    ///
    /// # Errors
    /// If one is gone and nothing explains it.
    pub fn count_losses(
        &self,
        world: &World<'_>,
        shards: &[Shard],
        moved: &BTreeSet<Slot>,
    ) -> Result<Losses, Broken> {
        let mut losses = Losses::default();
        for id in &self.cast.clients {
            let Some(client) = world.get::<Roamer>(*id) else { continue };
            // Nobody sets a client's clock, but it does not begin at zero.
            let ahead = world.clock(*id).since(world.now());
            for ack in client.acknowledged() {
                let at = ack.at.since(ahead);
                losses.acknowledged += 1;
                let owner = shards.iter().find(|shard| shard.slots.contains(ack.slot));
                let node = owner.and_then(|shard| rules::node(world, shard.master));
                let key = client.key(ack.write);
                if node.is_some_and(|node| node.keyspace().db(0).get(key.as_bytes()).is_some()) {
                    continue;
                }
                let by = self.cast.nodes.iter().find(|id| world.ip(**id) == ack.by.host);
                let later = |when: &BTreeMap<HostId, Millis>| {
                    by.and_then(|by| when.get(by)).is_some_and(|when| *when + ACK >= at)
                };
                let taken = by.and_then(|by| self.calamities.taken.get(&(*by, ack.slot)));
                // Whoever gives a slot away by order has no keys in it any more: that explains nothing.
                let taken = taken.filter(|_| !moved.contains(&ack.slot));
                if later(&self.calamities.offices) || taken.is_some_and(|when| *when + ACK >= at) {
                    losses.replaced += 1;
                } else if later(&self.calamities.restarts) {
                    losses.restarted += 1;
                } else if moved.contains(&ack.slot) && self.anything_since(at) {
                    losses.moved += 1;
                } else {
                    let detail = format!("{key}, acknowledged at {at} by {}", ack.by);
                    return Err(Broken::new(EXPLAINED, detail));
                }
            }
        }
        Ok(losses)
    }

    fn anything_since(&self, at: Millis) -> bool {
        let both = self.calamities.restarts.values().chain(self.calamities.offices.values());
        both.max().is_some_and(|last| *last + ACK >= at)
    }
}

/// An acknowledgement is on its way for so long at most.
const ACK: Millis = Millis(1000);
