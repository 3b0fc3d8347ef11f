//! What happens between a cluster's beginning and its repair: one kind of day each.

use std::rc::Rc;

use core_types::{Broken, Millis};
use sim::nodes::clusters::{Roamer, Shard, Stage};
use sim::nodes::rules;
use sim::{Fault, FaultPlan, HostId, World};

use crate::chaos;
use crate::play::{AGREED, Run, order};

const REPLACED: &str = "with nothing else broken, a master that died is replaced";
const STOPS: &str = "a master that is cut off from all others stops after a node timeout";
const OBEYED: &str = "with nothing broken, CLUSTER FAILOVER makes this replica a master";

impl Run {
    /// A master dies that can be replaced. Some of its replicas may have less of the data than others.
    pub(crate) fn one_death(&mut self, world: &mut World<'_>, shards: &[Shard]) -> Result<(), Broken> {
        let able: Vec<&Shard> = shards.iter().filter(|shard| !self.heirs(shard).is_empty()).collect();
        let Some(shard) = self.rng.pick(&able).copied().cloned() else {
            return world.run_for(Millis::from_secs(3));
        };
        for replica in &shard.replicas {
            if self.rng.chance(50) {
                let latency = Millis(self.rng.between(50, 300));
                world.inflict(Fault::Slow(shard.master, *replica, latency))?;
            }
        }
        world.run_for(Millis(self.rng.between(400, 1200)))?;
        self.audit.borrow_mut().watch_death(shard.master, world.now(), shard.slots.clone());
        world.inflict(Fault::Crash(shard.master))?;
        // By then all that was on its way has arrived, and nobody has asked for votes.
        world.run_for(Millis(350))?;
        let heirs = self.heirs(&shard);
        let offset = |id: &HostId| rules::node(world, *id).map(|node| (*id, node.replication_offset()));
        let offsets: Vec<_> = heirs.iter().filter_map(offset).collect();
        let audit = Rc::clone(&self.audit);
        let replaced = |_: &World<'_>| !audit.borrow().takeovers().is_empty();
        world.run_to(Millis::from_secs(60), REPLACED, replaced)?;
        self.audit.borrow().check_best(world, &offsets)
    }

    /// Replicas that may become masters by themselves.
    fn heirs(&self, shard: &Shard) -> Vec<HostId> {
        shard.replicas.iter().filter(|id| !self.setting.nodes[id.0].no_failover).copied().collect()
    }

    /// A master and a client see nobody but each other. Nobody is repaired before the others have gone on.
    pub(crate) fn one_is_cut_off(&mut self, world: &mut World<'_>, shards: &[Shard]) -> Result<(), Broken> {
        let Some((master, _)) = self.setting.cut_off else { return Ok(()) };
        let master = self.cast.nodes[master];
        let Some(shard) = shards.iter().find(|shard| shard.master == master).cloned() else { return Ok(()) };
        let client = self.cast.clients[0];
        let others = self.cast.nodes.iter().chain(&self.cast.clients[1..]);
        for other in others.filter(|other| **other != shard.master) {
            world.inflict(Fault::Partition(shard.master, *other))?;
            world.inflict(Fault::Partition(client, *other))?;
        }
        let cut = world.now();
        world.run_for(Millis(self.setting.timeout.0 * 3 + self.rng.between(3000, 6000)))?;
        // A node timeout to notice, and what a look around and a write's way back take.
        let limit = Millis(self.setting.timeout.0 * 3 / 2 + 1000);
        let ip = world.ip(shard.master).to_string();
        if let Some(client) = world.get::<Roamer>(client) {
            let epoch = self.setting.profile.epoch;
            let by_it = client.acknowledged().iter().rev().find(|ack| ack.by.host == ip);
            let last = by_it.map_or(Millis::ZERO, |ack| ack.at.since(epoch).since(cut));
            self.last_words = Some(last);
            if last > limit {
                return Err(Broken::new(
                    STOPS,
                    format!("{} acknowledges a write {last} later", world.name(shard.master)),
                ));
            }
        }
        Ok(())
    }

    /// Replicas become masters because somebody says so.
    pub(crate) fn orders(&mut self, world: &mut World<'_>) -> Result<(), Broken> {
        for _ in 0..self.rng.between(1, 4) {
            // Masters vote for one replica of a master, and then for none for so long.
            world.run_for(Millis(self.setting.timeout.0 * 2))?;
            // A spare replica may have moved meanwhile. A master that has not heard of that yet passes over its request, here as
            // in Redis.
            let shards = self.peace(world, Millis::from_secs(60), AGREED)?;
            let able: Vec<HostId> = shards.iter().flat_map(|shard| shard.replicas.clone()).collect();
            let Some(replica) = self.rng.pick(&able).copied() else { return Ok(()) };
            self.hands.ordered += 1;
            order(world, replica, "CLUSTER FAILOVER")?;
            let promoted = |world: &World<'_>| {
                let view = rules::node(world, replica).and_then(|node| node.cluster_view());
                view.is_some_and(|view| view.myself().votes())
            };
            world.run_to(Millis::from_secs(10), OBEYED, promoted)?;
            world.run_for(Millis(self.rng.between(0, 2000)))?;
        }
        Ok(())
    }

    pub(crate) fn bad_day(&mut self, world: &mut World<'_>, shards: &[Shard]) -> Result<(), Broken> {
        let begin = world.now();
        let masters: Vec<HostId> =
            shards.iter().filter(|shard| !shard.slots.is_empty()).map(|shard| shard.master).collect();
        let plan = chaos::bad_day(&mut self.rng, begin, &self.cast, &masters);
        world.plan(&plan);
        let end = begin + chaos::BUSY;
        // In some runs a node that has just voted is in danger.
        let strike = self.rng.chance(50);
        let mut next_order = begin + Millis(self.rng.between(100, 3000));
        while world.now() < end {
            let audit = Rc::clone(&self.audit);
            let event = |world: &World<'_>| {
                world.now() >= end || world.now() >= next_order || (strike && audit.borrow().has_new_voter())
            };
            world.run_to(Millis::from_secs(60), "time passes", event)?;
            if world.now() >= next_order {
                self.give_an_order(world)?;
                next_order = world.now() + Millis(self.rng.between(300, 4000));
            }
            let voter = self.audit.borrow_mut().take_newest_voter();
            if let Some((voter, stage)) = voter.filter(|_| strike && world.now() < end && self.rng.chance(30))
            {
                self.strike_down(world, voter, stage)?;
            }
        }
        Ok(())
    }

    /// A node dies in the very moment in which it has decided its vote, or in which the vote has left; and is back soon.
    fn strike_down(&mut self, world: &mut World<'_>, voter: HostId, stage: Stage) -> Result<(), Broken> {
        world.inflict(Fault::Crash(voter))?;
        match stage {
            Stage::Decided => self.struck_down.0 += 1,
            Stage::Told => self.struck_down.1 += 1,
        }
        let back = world.now() + Millis(self.rng.between(1, 400));
        world.plan(&FaultPlan::none().at(back, Fault::Restart(voter)));
        Ok(())
    }
}
