//! Writes that were acknowledged and are gone: each is traced to the event that lost it.
//!
//! Of every slot it is known who serves it: the last one that began to, in the greatest epoch. Whoever *begins* to serve is
//! looked at in that very moment (a replica that has taken over, a process that has read its files, a master that has got
//! the slot in a greater epoch): which of the writes that were acknowledged so far does it hold? Those that it holds are
//! its own from now on; the others are lost there, and why is decided there:
//!
//! - [`unreceived`](Losses::unreceived): it was a replica and has taken over. Then the write must lie behind what it had
//!   received ([`HEIR`]): both positions are known, and compared where they are of one history.
//! - [`overruled`](Losses::overruled): whoever acknowledged it did so when another one served the slot already, and it did
//!   not know. Or an operator has given the slot to somebody else, or has said whose epoch is greater.
//! - [`restarted`](Losses::restarted): it began anew, and had been alive when the write was sent.
//!
//! A write that was there when its present owner began, or that the present owner has acknowledged itself, can't be gone
//! at the end ([`EXPLAINED`]). With one exception. The keys of a slot on the move are in two places, and nobody has them
//! all; what is missed there is [`moved`](Losses::moved) if one of those who had a part in it has been replaced or has begun
//! anew since the write.

use std::collections::{BTreeMap, BTreeSet};

use core_types::{Broken, Epoch, Millis, Position, ReplId, Slot, SlotSet};
use node::ClusterView;

use super::peace::Shard;
use super::{Audit, EXPLAINED, HEIR, Roamer};
use crate::nodes::rules;
use crate::world::{HostId, World};

/// Writes, as clients saw them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Acknowledged writes.
    pub acknowledged: u64,
    /// Lost: when a replica took over it had not received them.
    pub unreceived: u64,
    /// Of those, how many were seen to lie behind what it had received. The others are of another history than its own.
    pub behind: u64,
    /// Lost: whoever acknowledged them had been replaced, and did not know; or an operator has decided so.
    pub overruled: u64,
    /// Lost: whoever acknowledged them began anew without them.
    pub restarted: u64,
    /// Lost: their slot was moved, and one of those who had a part in it was replaced or began anew.
    pub moved: u64,
}

impl Losses {
    /// All that were lost.
    pub fn lost(&self) -> u64 {
        self.unreceived + self.overruled + self.restarted + self.moved
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Losses) -> Losses {
        Losses {
            acknowledged: self.acknowledged + other.acknowledged,
            unreceived: self.unreceived + other.unreceived,
            behind: self.behind + other.behind,
            overruled: self.overruled + other.overruled,
            restarted: self.restarted + other.restarted,
            moved: self.moved + other.moved,
        }
    }
}

/// Who serves what, and what became of each write.
#[derive(Debug, Default)]
pub(super) struct Custody {
    /// By client, in the order in which they were acknowledged.
    writes: Vec<Vec<Fate>>,
    /// By slot.
    servers: Vec<Option<Server>>,
    seen: BTreeMap<HostId, Seen>,
    /// When a process last ended that had another one after it, or a master last became a replica.
    ends: BTreeMap<HostId, Millis>,
    /// Slots on the move, now or earlier, and who had a part in it.
    travels: BTreeMap<Slot, BTreeSet<HostId>>,
}

/// What became of a write.
#[derive(Debug)]
struct Fate {
    number: u64,
    slot: Slot,
    /// Between these it was done.
    sent: Millis,
    at: Millis,
    /// Who answers for it.
    holder: Option<HostId>,
    /// Where it is in that one's history, at the latest.
    position: Option<Position>,
    lost: Option<Loss>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    Unreceived { behind: bool },
    Overruled,
    Restarted,
}

#[derive(Clone, Copy, Debug)]
struct Server {
    host: HostId,
    epoch: Epoch,
    since: Millis,
}

/// What was last seen of a node, by one who serves.
#[derive(Debug)]
struct Seen {
    starts: u32,
    master: bool,
    epoch: Epoch,
    slots: SlotSet,
    /// The name of its history, and since when it has written it.
    writes: Option<(ReplId, Millis)>,
}

/// How a node came to serve a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// It was a replica.
    Heir,
    /// A process that has read its files.
    Anew,
    /// It was a master already.
    Claim,
}

/// A node that may begin to serve.
#[derive(Debug)]
struct Beginning {
    host: HostId,
    slots: SlotSet,
    epoch: Epoch,
    how: How,
    /// An operator may take an epoch without votes.
    free_hand: bool,
}

impl Custody {
    pub(super) fn new(clients: usize) -> Custody {
        Custody {
            writes: (0..clients).map(|_| Vec::new()).collect(),
            servers: vec![None; usize::from(Slot::COUNT)],
            ..Custody::default()
        }
    }

    pub(super) fn process_began_anew(&mut self, host: HostId, died: Millis) {
        self.ends.insert(host, died);
    }

    pub(super) fn left_office(&mut self, host: HostId, now: Millis) {
        self.ends.insert(host, now);
    }

    /// How many nodes serve a slot.
    pub(super) fn servers(&self) -> usize {
        let hosts: BTreeSet<HostId> = self.servers.iter().flatten().map(|server| server.host).collect();
        hosts.len()
    }

    /// A client has had answers.
    pub(super) fn note_writes(&mut self, world: &World<'_>, nodes: &[HostId], place: usize, id: HostId) {
        let Some(client) = world.get::<Roamer>(id) else { return };
        // Nobody sets a client's clock, but it does not begin at zero.
        let ahead = world.clock(id).since(world.now());
        for ack in &client.acknowledged()[self.writes[place].len()..] {
            let by = nodes.iter().copied().find(|id| world.ip(*id) == ack.by.host);
            let (sent, at) = (ack.sent.since(ahead), ack.at.since(ahead));
            let key = client.key(ack.write);
            let mut fate =
                Fate { number: ack.write, slot: ack.slot, sent, at, holder: by, position: None, lost: None };
            match self.servers[ack.slot.index()] {
                // It was replaced while the answer was on its way, or before: has its heir got the write?
                Some(server) if Some(server.host) != by => match has(world, server.host, &key) {
                    true => fate.holder = Some(server.host),
                    false => fate.lost = Some(Loss::Overruled),
                },
                _ => fate.position = by.and_then(|by| self.position(world, by, sent)),
            }
            self.writes[place].push(fate);
        }
    }

    /// How far a node is in a history that it writes itself, and has since `sent` or longer.
    fn position(&self, world: &World<'_>, host: HostId, sent: Millis) -> Option<Position> {
        let (id, since) = self.seen.get(&host)?.writes?;
        let node = rules::node(world, host)?;
        let same = node.replication_id() == id && world.starts(host) == self.seen[&host].starts;
        (same && since <= sent).then(|| Position { id, offset: node.replication_offset() })
    }

    /// A node, after each event: does it begin to serve?
    pub(super) fn look(
        &mut self,
        world: &World<'_>,
        clients: &[HostId],
        host: HostId,
        view: &ClusterView<'_>,
        free_hand: bool,
    ) -> Result<(), Broken> {
        let Some(node) = rules::node(world, host).filter(|node| !node.is_loading()) else { return Ok(()) };
        for (slot, _) in view.marks() {
            let server = self.servers[slot.index()].map(|server| server.host);
            self.travels.entry(slot).or_default().extend(server.into_iter().chain([host]));
        }
        let (myself, now, starts) = (view.myself(), world.now(), world.starts(host));
        let (master, epoch) = (myself.is_master(), myself.config_epoch());
        let before = self.seen.get(&host);
        let same_process = before.is_some_and(|before| before.starts == starts);
        let was_master = before.is_some_and(|before| before.master);
        let still = same_process
            && master == was_master
            && before.is_some_and(|before| before.epoch == epoch && before.slots == *myself.slots());
        let id = node.replication_id();
        let writes = before.and_then(|before| before.writes).filter(|_| same_process && was_master);
        let writes = writes.filter(|(writes, _)| *writes == id).or(Some((id, now))).filter(|_| master);
        if still {
            if let Some(seen) = self.seen.get_mut(&host) {
                seen.writes = writes;
            }
            return Ok(());
        }
        let how = match () {
            () if !same_process => How::Anew,
            () if !was_master => How::Heir,
            () => How::Claim,
        };
        let slots = if master { myself.slots().clone() } else { SlotSet::new() };
        self.seen.insert(host, Seen { starts, master, epoch, slots: slots.clone(), writes });
        self.begin(world, clients, &Beginning { host, slots, epoch, how, free_hand })
    }

    fn begin(&mut self, world: &World<'_>, clients: &[HostId], beginning: &Beginning) -> Result<(), Broken> {
        let Beginning { host, ref slots, epoch, how, free_hand } = *beginning;
        let mut begun = SlotSet::new();
        for slot in slots.iter() {
            let server = &mut self.servers[slot.index()];
            match server {
                // It goes on.
                Some(server) if server.host == host && how == How::Claim => server.epoch = epoch,
                // It does not know that it was replaced. (A node that begins anew may have forgotten its own last epoch, which
                // was not on the disk yet: nobody has replaced that one.)
                Some(server) if server.host != host && server.epoch > epoch => {}
                _ => {
                    *server = Some(Server { host, epoch, since: world.now() });
                    begun.insert(slot);
                }
            }
            if let Some(travellers) = self.travels.get_mut(&slot) {
                travellers.insert(host);
            }
        }
        let Some(node) = rules::node(world, host).filter(|_| !begun.is_empty()) else { return Ok(()) };
        let history = node.history();
        let position = Position { id: history.id, offset: node.replication_offset() };
        let travels = &self.travels;
        for (client, writes) in clients.iter().zip(&mut self.writes) {
            let Some(client) = world.get::<Roamer>(*client) else { continue };
            let writes = writes.iter_mut();
            for fate in writes.filter(|fate| begun.contains(fate.slot) && !travels.contains_key(&fate.slot)) {
                let key = client.key(fate.number);
                if node.keyspace().db(0).get(key.as_bytes()).is_some() {
                    (fate.holder, fate.position, fate.lost) = (Some(host), Some(position), None);
                    continue;
                }
                if fate.lost.is_some() {
                    continue;
                }
                let own = fate.holder == Some(host);
                let name = world.name(host);
                fate.lost = Some(match how {
                    How::Heir => {
                        // Its own history, and its master's up to where it took over.
                        let received = history.earlier.filter(|_| !own);
                        let both = received.zip(fate.position).filter(|(one, other)| one.id == other.id);
                        if let Some((received, position)) = both
                            && position.offset <= received.offset
                        {
                            let detail = format!(
                                "{name} takes over at {}, and has no {key}, which was written up to {} of the same history",
                                received.offset, position.offset
                            );
                            return Err(Broken::new(HEIR, detail));
                        }
                        Loss::Unreceived { behind: both.is_some() }
                    }
                    How::Anew if own => {
                        if world.died_at(host).is_none_or(|died| died < fate.sent) {
                            let detail =
                                format!("{name} has begun anew before {key} was sent, and has it no more");
                            return Err(Broken::new(EXPLAINED, detail));
                        }
                        Loss::Restarted
                    }
                    How::Claim | How::Anew if free_hand => Loss::Overruled,
                    How::Claim | How::Anew => {
                        let detail = format!(
                            "{name} has got the slot of {key} in {epoch} without votes, and not the key"
                        );
                        return Err(Broken::new(EXPLAINED, detail));
                    }
                });
            }
        }
        Ok(())
    }
}

impl Audit {
    /// At the end: what became of each write that was acknowledged.
    ///
    /// # Errors
    /// If one is gone and no event has lost it.
    pub fn count_losses(&self, world: &World<'_>, shards: &[Shard]) -> Result<Losses, Broken> {
        let mut losses = Losses::default();
        for (id, writes) in self.cast.clients.iter().zip(&self.custody.writes) {
            let Some(client) = world.get::<Roamer>(*id) else { continue };
            for fate in writes {
                losses.acknowledged += 1;
                let key = client.key(fate.number);
                let owner = shards.iter().find(|shard| shard.slots.contains(fate.slot));
                if owner.is_some_and(|shard| has(world, shard.master, &key)) {
                    continue;
                }
                match (self.custody.travels.get(&fate.slot), fate.lost) {
                    (Some(travellers), _) if self.custody.has_any_ended(travellers, fate) => {
                        losses.moved += 1;
                    }
                    (_, Some(Loss::Unreceived { behind })) => {
                        losses.unreceived += 1;
                        losses.behind += u64::from(behind);
                    }
                    (_, Some(Loss::Overruled)) => losses.overruled += 1,
                    (_, Some(Loss::Restarted)) => losses.restarted += 1,
                    (travellers, None) => {
                        let server = self.custody.servers[fate.slot.index()];
                        let name = |host: Option<HostId>| host.map_or("nobody", |host| world.name(host));
                        let detail = format!(
                            "{key}, acknowledged at {}, was held by {}; {} has served its slot since {}{}",
                            fate.at,
                            name(fate.holder),
                            name(server.map(|server| server.host)),
                            server.map_or(Millis::ZERO, |server| server.since),
                            if travellers.is_some() { ", which was moved" } else { "" }
                        );
                        return Err(Broken::new(EXPLAINED, detail));
                    }
                }
            }
        }
        Ok(losses)
    }
}

impl Custody {
    /// Has one of these been replaced or begun anew since the write was sent?
    fn has_any_ended(&self, travellers: &BTreeSet<HostId>, fate: &Fate) -> bool {
        let hosts = travellers.iter().chain(&fate.holder);
        hosts.filter_map(|host| self.ends.get(host)).any(|end| *end >= fate.sent)
    }
}

/// Does this node hold the key?
fn has(world: &World<'_>, host: HostId, key: &str) -> bool {
    rules::node(world, host).is_some_and(|node| node.keyspace().db(0).get(key.as_bytes()).is_some())
}
