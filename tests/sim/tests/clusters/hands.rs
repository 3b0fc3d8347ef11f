//! What operators do on a bad day, and how they put things in order afterwards.
//!
//! They do that as `redis-cli --cluster fix` does, and they must. `CLUSTER ADDSLOTS` and `SETSLOT` are written and not synced,
//! in Redis as here: a machine that dies soon after a slot was moved to it may come back without it. If the source has given
//! the slot away by then, it is nobody's in its owners' own words, while all others still name one of them; and as packets
//! say only what a node has, that stays so until somebody gives the slot to a node anew.

use std::collections::BTreeMap;

use core_types::{Broken, Endpoint, Millis, NodeId, Slot, SlotSet};
use node::layers::election::manual;
use node::layers::redirection::transfer::Transfer;
use sim::nodes::clusters::{Mover, Roamer};
use sim::nodes::rules;
use sim::{HostId, World};

use crate::play::{Run, order};
use crate::setting::{Day, PORT, Setting};

const OVER: &str = "a manual failover ends, at the latest when its time is over";
const MENDED: &str = "after all is repaired, slots on the move come to rest";

/// What was done, and by whom.
#[derive(Debug)]
pub(crate) struct Hands {
    /// Who moves slots.
    mover: HostId,
    /// Manual failovers.
    pub(crate) ordered: u64,
    /// Slots whose move was begun.
    pub(crate) moved: u64,
    /// Replicas of replicas that did not find their way.
    pub(crate) chained: u64,
    /// Until when each node may still do the manual failover that was last ordered of it, by its own clock.
    orders: BTreeMap<HostId, Millis>,
}

/// A mark on a slot: whose, and where it comes from or goes to.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: HostId,
    slot: Slot,
    arrives: bool,
}

impl Hands {
    pub(crate) fn new(world: &mut World<'_>, nodes: &[HostId]) -> Hands {
        let nodes: Vec<Endpoint> = nodes.iter().map(|id| Endpoint::new(world.ip(*id), PORT)).collect();
        let mover = world.add("operator", &[], move |boot| Mover::new(nodes.clone(), boot));
        Hands { mover, ordered: 0, moved: 0, chained: 0, orders: BTreeMap::new() }
    }
}

impl Run {
    /// Somebody gives an order, to whoever is up.
    pub(crate) fn give_an_order(&mut self, world: &mut World<'_>) -> Result<(), Broken> {
        let Some(host) = self.rng.pick(&self.joined).copied() else { return Ok(()) };
        let free = self.setting.day == Day::Worst;
        match self.rng.below(if free { 18 } else { 5 }) {
            0..=2 => self.order_failover(world, host, "CLUSTER FAILOVER")?,
            3..=4 => self.order_failover(world, host, "CLUSTER FAILOVER FORCE")?,
            5..=6 => self.order_failover(world, host, "CLUSTER FAILOVER TAKEOVER")?,
            7 => drop(order(world, host, "CLUSTER BUMPEPOCH")?),
            8..=9 if self.joined.len() < self.cast.nodes.len() => {
                let new = self.cast.nodes[self.joined.len()];
                self.joined.push(new);
                drop(order(world, host, &format!("CLUSTER MEET {} {PORT}", Setting::ip(new.0)))?);
            }
            10..=17 => self.move_a_slot(world, host)?,
            _ => {}
        }
        Ok(())
    }

    fn order_failover(&mut self, world: &mut World<'_>, host: HostId, command: &str) -> Result<(), Broken> {
        self.hands.ordered += 1;
        self.hands.orders.insert(host, world.clock(host) + manual::TIMEOUT);
        order(world, host, command).map(drop)
    }

    /// A slot with some keys, from one master to another, as far as `host` knows who they are.
    fn move_a_slot(&mut self, world: &mut World<'_>, host: HostId) -> Result<(), Broken> {
        let Some(view) = rules::node(world, host).and_then(|node| node.cluster_view()) else { return Ok(()) };
        let masters: Vec<NodeId> = view
            .members()
            .filter(|member| member.is_master() && member.is_known())
            .map(|member| member.id())
            .collect();
        // One that has keys.
        let client = self.rng.pick(&self.cast.clients).and_then(|client| world.get::<Roamer>(*client));
        let slots: Vec<Slot> =
            client.iter().flat_map(|client| client.acknowledged()).map(|ack| ack.slot).collect();
        let (Some(slot), Some(target)) = (self.rng.pick(&slots).copied(), self.rng.pick(&masters).copied())
        else {
            return Ok(());
        };
        let Some(source) = view.owner(slot).filter(|source| *source != target) else { return Ok(()) };
        self.begin_move(world, slot, source, target)
    }

    fn begin_move(
        &mut self,
        world: &mut World<'_>,
        slot: Slot,
        source: NodeId,
        target: NodeId,
    ) -> Result<(), Broken> {
        let audit = self.audit.borrow();
        let (from, to) = (audit.host_of(source), audit.host_of(target));
        drop(audit);
        let (Some(from), Some(to)) = (from, to) else { return Ok(()) };
        self.hands.moved += 1;
        let transfer = Transfer::new(slot, from.0, to.0, Vec::new());
        world.act(self.hands.mover, |mover: &mut Mover, io| {
            mover.give(io.now(), transfer, [source, target]);
        })?;
        Ok(())
    }

    /// Everything works again: what was begun is brought to its end.
    pub(crate) fn finish(&mut self, world: &mut World<'_>) -> Result<(), Broken> {
        // Files are read.
        world.run_for(Millis(500))?;
        // A handshake that was given up during a fault is the operator's to repeat.
        for new in self.joined[self.setting.members..].iter().copied() {
            drop(order(world, self.joined[0], &format!("CLUSTER MEET {} {PORT}", Setting::ip(new.0)))?);
        }
        // A manual failover that was ordered a moment ago may still be done; and later than that where the clock has been
        // set back since, as a node goes by its clock, in Redis as here.
        let orders = std::mem::take(&mut self.hands.orders);
        if !orders.is_empty() {
            let over = |world: &World<'_>| orders.iter().all(|(host, until)| world.clock(*host) > *until);
            world.run_to(Millis::from_secs(60), OVER, over)?;
            world.run_for(Millis(500))?;
        }
        if self.hands.moved == 0 && self.bare(world).is_empty() {
            return Ok(());
        }
        for _ in 0..20 {
            world.run_for(Millis(2000 + self.setting.timeout.0 * 2))?;
            let mover = self.hands.mover;
            let idle = |world: &World<'_>| world.get::<Mover>(mover).is_some_and(Mover::is_idle);
            world.run_to(Millis::from_secs(60), MENDED, idle)?;
            let (marks, bare, strays) = (self.marks(world), self.bare(world), self.strays(world));
            if marks.is_empty() && bare.is_empty() && strays.is_empty() {
                return Ok(());
            }
            for (replica, master) in strays {
                order(world, replica, &format!("CLUSTER REPLICATE {master}"))?;
            }
            for mark in &marks {
                let is_bare = bare.contains(&mark.slot);
                self.mend(world, mark, is_bare, &marks)?;
            }
            // A slot on its way may get its owner by that.
            for slot in bare.into_iter().filter(|_| marks.is_empty()) {
                self.cover(world, slot)?;
            }
        }
        Err(Broken::new(MENDED, format!("{:?}, and {:?} are nobody's", self.marks(world), self.bare(world))))
    }

    /// Replicas that will not find their way by themselves. With `cluster-allow-replica-migration no` a replica follows an
    /// heir only if that claims just what its master had. When a slot of those went elsewhere in the same moment nobody
    /// does, and no later claim makes it look again, in Redis as here: it is left where it is, for an operator.
    fn strays(&self, world: &World<'_>) -> Vec<(HostId, NodeId)> {
        if self.setting.allow_migration { Vec::new() } else { self.replicas_of_replicas(world) }
    }

    /// Replicas whose master has become a replica, and the master of that one.
    fn replicas_of_replicas(&self, world: &World<'_>) -> Vec<(HostId, NodeId)> {
        let of = |host: &HostId| {
            let view = rules::node(world, *host)?.cluster_view()?;
            let top = view.member(view.myself().master()?)?.master()?;
            Some((*host, top))
        };
        self.joined.iter().filter_map(of).collect()
    }

    /// All agree, and yet there is a replica of a replica: tells it whom to follow. How many there were.
    ///
    /// A node looks for that only when somebody claims a slot that it takes for another's (`clusterUpdateSlotsConfigWith` is
    /// called for nothing else), here as in Redis 7.0. It can come too early. A packet that was held back says that the
    /// heir is still a replica of the old master, which is not there and has not been told; the node follows the old
    /// master, and when that becomes the heir's replica nobody claims anything any more. `redis-server` 7.0.15 leaves such a
    /// chain as it is, too: see `tests/cluster_bus.rs`.
    pub(crate) fn cut_chains(&mut self, world: &mut World<'_>) -> Result<u64, Broken> {
        let chained = self.replicas_of_replicas(world);
        for (replica, master) in &chained {
            order(world, *replica, &format!("CLUSTER REPLICATE {master}"))?;
        }
        Ok(chained.len() as u64)
    }

    /// Slots that no node calls its own.
    fn bare(&self, world: &World<'_>) -> Vec<Slot> {
        let views = self.joined.iter().filter_map(|id| rules::node(world, *id)?.cluster_view());
        let own: Vec<SlotSet> = views.map(|view| view.myself().slots().clone()).collect();
        Slot::all().filter(|slot| !own.iter().any(|own| own.contains(*slot))).collect()
    }

    /// Gives a slot that is nobody's to the master that has most of its keys; of those that have as many, to the one that
    /// most nodes take for its owner.
    fn cover(&mut self, world: &mut World<'_>, slot: Slot) -> Result<(), Broken> {
        let views: Vec<_> =
            self.joined.iter().filter_map(|id| rules::node(world, *id)?.cluster_view()).collect();
        let named = |id: NodeId| views.iter().filter(|view| view.owner(slot) == Some(id)).count();
        let masters = self.joined.iter().filter_map(|host| {
            let node = rules::node(world, *host)?;
            let view = node.cluster_view().filter(|view| view.myself().is_master())?;
            Some(((node.keyspace().db(0).count_in_slot(slot), named(view.me())), *host))
        });
        let Some((_, master)) = masters.max_by_key(|(worth, _)| *worth) else { return Ok(()) };
        self.audit.borrow_mut().set_free_hand(true);
        // It may take somebody else for the owner.
        order(world, master, &format!("CLUSTER DELSLOTS {slot}"))?;
        order(world, master, &format!("CLUSTER ADDSLOTS {slot}"))?;
        order(world, master, "CLUSTER BUMPEPOCH").map(drop)
    }

    /// Slots on their way, as each node sees it.
    fn marks(&self, world: &World<'_>) -> Vec<Mark> {
        let mut marks = Vec::new();
        for at in &self.joined {
            let view = rules::node(world, *at).and_then(|node| node.cluster_view());
            let found = view.iter().flat_map(|view| view.marks());
            marks.extend(found.map(|(slot, arrives)| Mark { at: *at, slot, arrives }));
        }
        marks
    }

    /// A slot that arrives is moved to its end, from whoever most others take for its owner. One that leaves for somebody
    /// who does not wait for it stays.
    fn mend(
        &mut self,
        world: &mut World<'_>,
        mark: &Mark,
        is_bare: bool,
        all: &[Mark],
    ) -> Result<(), Broken> {
        let Mark { at, slot, arrives } = *mark;
        let view = rules::node(world, at).and_then(|node| node.cluster_view());
        let (me, known) = (view.map(|view| view.me()), view.and_then(|view| view.owner(slot)));
        let mut owners: BTreeMap<NodeId, usize> = BTreeMap::new();
        for other in self.joined.iter().filter(|other| **other != at) {
            let view = rules::node(world, *other).and_then(|node| node.cluster_view());
            if let Some(owner) = view.and_then(|view| view.owner(slot)) {
                *owners.entry(owner).or_default() += 1;
            }
        }
        let owner = owners.into_iter().max_by_key(|(_, count)| *count).map(|(owner, _)| owner);
        match (owner, me) {
            // Whom the others take for its owner does not know of it, and could not give it away: it is to be covered.
            (Some(owner), Some(me)) if arrives && owner != me && is_bare => {
                order(world, at, &format!("CLUSTER SETSLOT {slot} STABLE")).map(drop)
            }
            (Some(owner), Some(me)) if arrives && owner != me && known == Some(owner) => {
                self.begin_move(world, slot, owner, me)
            }
            // As long as a slot is marked, a node hears nothing of whom it has gone to.
            (Some(owner), Some(me)) if arrives && owner != me => {
                order(world, at, &format!("CLUSTER SETSLOT {slot} STABLE")).map(drop)
            }
            // The move was done, and the machine died before its disk had that: the others know who has got the slot.
            (Some(_), Some(me)) if arrives => {
                order(world, at, &format!("CLUSTER SETSLOT {slot} NODE {me}")).map(drop)
            }
            _ if !arrives && all.iter().any(|other| other.slot == slot && other.arrives) => Ok(()),
            _ => order(world, at, &format!("CLUSTER SETSLOT {slot} STABLE")).map(drop),
        }
    }
}
