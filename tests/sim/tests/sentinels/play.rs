//! One run: they get to know each other, something happens, everything is repaired, and all agree.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use core_types::{Broken, Endpoint, LogLevel, Millis, Rng};
use sim::nodes::sentinels::{self, Cast, NAME, Scrutiny};
use sim::nodes::{NodeHost, Seeker, digest, rules};
use sim::{Boot, Fault, HostId, Io, Trace, World};

use crate::chaos;
use crate::flaws::{self, Flaw};
use crate::report::Outcome;
use crate::setting::{PORT, Setting, WATCH_PORT};

pub(crate) const CONF: &str = "node.conf";
const ACQUAINTED: &str = "with nothing broken, all sentinels find each other and all replicas";
const REPLACED: &str = "with nothing else broken, a master that died is replaced";
const AGREED: &str = "after all is repaired, all sentinels agree on one master that all others follow";
const STAYS: &str = "once all agree, it stays so";
const WRITABLE: &str = "after all is repaired, the client can write to the master";
const EQUAL: &str = "after all is repaired, all nodes hold the master's data";

/// Plays the run of a seed, with sentinels that have this flaw.
pub(crate) fn play(seed: u64, trace: Option<&mut Trace>, flaw: Flaw) -> Result<Outcome, Broken> {
    let mut rng = Rng::new(seed);
    let setting = Rc::new(Setting::draw(&mut rng));
    let mut world = World::new(rng.next_u64(), setting.profile.clone(), trace);
    let cast = stage(&mut world, &setting, flaw);
    let scrutiny = Scrutiny::watch(&mut world, cast.clone());
    let mut run = Run { setting, cast, scrutiny, flaw, rng, struck_down: 0 };
    world.start_all()?;
    run.get_acquainted(&mut world)?;
    if run.setting.calm {
        run.only_the_master_dies(&mut world)?;
    } else {
        run.bad_day(&mut world)?;
    }
    let begin = world.now();
    let writes = run.settle(&mut world)?;
    let scrutiny = run.scrutiny.borrow();
    Ok(Outcome {
        steps: world.steps(),
        calm: run.setting.calm,
        down_after: run.setting.down_after,
        takeovers: scrutiny.takeovers().to_vec(),
        elections: scrutiny.elections(),
        switches: scrutiny.switches(),
        struck_down: run.struck_down,
        writes,
        settled_in: world.now().since(begin),
    })
}

/// Puts everybody into the world.
fn stage(world: &mut World<'_>, setting: &Rc<Setting>, flaw: Flaw) -> Cast {
    let nodes: Vec<HostId> = (0..setting.nodes.len())
        .map(|place| {
            let setting = Rc::clone(setting);
            let name = setting.nodes[place].name.clone();
            world.add(&name, &[PORT], move |boot| {
                let file = setting.node_file(place);
                let fresh = Boot { disk: sim::Disk::default(), ..boot.clone() };
                let boot = if setting.nodes[place].forgets { &fresh } else { boot };
                flaws::node(flaw, NodeHost::configured(boot, CONF, &file, false))
            })
        })
        .collect();
    let sentinels: Vec<HostId> = (0..setting.sentinels.len())
        .map(|place| {
            let setting = Rc::clone(setting);
            let name = setting.sentinels[place].name.clone();
            world.add(&name, &[WATCH_PORT], move |boot| {
                let mut boot = boot.clone();
                if let Some(kept) = boot.disk.read(CONF) {
                    let kept = flaws::file(flaw, &String::from_utf8_lossy(kept));
                    boot.disk.write(CONF, kept.as_bytes());
                }
                let host = NodeHost::configured(&boot, CONF, &setting.sentinel_file(place), true)
                    .with_slow_disk((Millis(0), setting.disk), boot.seed)
                    .with_log(LogLevel::Warning)
                    .with_order(&setting.rhythm_order());
                flaws::sentinel(flaw, host, boot.seed)
            })
        })
        .collect();
    let targets: Vec<Endpoint> =
        sentinels.iter().map(|id| Endpoint::new(world.ip(*id), WATCH_PORT)).collect();
    let pace = setting.pace;
    let seeker = world.add("client", &[], move |boot| Seeker::new(targets.clone(), NAME, pace, boot));
    Cast {
        sentinels,
        nodes,
        priorities: setting.nodes.iter().map(|node| node.priority).collect(),
        seeker: Some(seeker),
        rhythm: setting.rhythm,
        down_after: setting.down_after,
        memory: Millis::from_secs(10),
        quorum: setting.quorum,
    }
}

struct Run {
    setting: Rc<Setting>,
    cast: Cast,
    scrutiny: Rc<RefCell<Scrutiny>>,
    flaw: Flaw,
    rng: Rng,
    struck_down: u64,
}

/// A condition that costs something is not looked at after each event.
#[derive(Default)]
struct Rarely(Cell<Millis>);

impl Rarely {
    fn is_time(&self, world: &World<'_>) -> bool {
        let due = world.now() >= self.0.get();
        if due {
            self.0.set(world.now() + Millis(40));
        }
        due
    }
}

impl Run {
    /// Nothing is broken yet: all sentinels find all others, and have heard from every replica.
    fn get_acquainted(&mut self, world: &mut World<'_>) -> Result<(), Broken> {
        let cast = self.cast.clone();
        let knows_all = move |world: &World<'_>| {
            let knows = |id: &HostId| {
                let watched = rules::node(world, *id).and_then(|node| node.watched(NAME));
                watched.is_some_and(|watched| {
                    let replicas =
                        watched.replicas().filter(|replica| replica.info_at.is_some() && !replica.down);
                    watched.sentinels() == cast.sentinels.len()
                        && watched.silent_sentinels().next().is_none()
                        && replicas.count() + 1 == cast.nodes.len()
                })
            };
            cast.sentinels.iter().all(knows) && sentinels::settled(world, &cast).is_some()
        };
        let rarely = Rarely::default();
        world.run_to(Millis::from_secs(60), ACQUAINTED, |world| rarely.is_time(world) && knows_all(world))?;
        Ok(())
    }

    fn only_the_master_dies(&mut self, world: &mut World<'_>) -> Result<(), Broken> {
        let plan = chaos::only_the_master_dies(&mut self.rng, world.now(), &self.cast);
        let end = plan.faults.first().map_or(Millis::ZERO, |(time, _)| *time);
        world.plan(&plan);
        world.run_until(end)?;
        if !self.setting.has_heir() {
            return world.run_for(Millis::from_secs(3));
        }
        let scrutiny = Rc::clone(&self.scrutiny);
        let replaced = |_: &World<'_>| !scrutiny.borrow().takeovers().is_empty();
        world.run_to(Millis::from_secs(120), REPLACED, replaced)?;
        Ok(())
    }

    fn bad_day(&mut self, world: &mut World<'_>) -> Result<(), Broken> {
        let begin = world.now();
        let plan = chaos::bad_day(&mut self.rng, begin, &self.cast);
        world.plan(&plan);
        let end = begin + chaos::BUSY;
        // In some runs a sentinel that has just voted is in danger.
        let strike = self.rng.chance(45);
        while world.now() < end {
            let scrutiny = Rc::clone(&self.scrutiny);
            let forgets = self.flaw == Flaw::CountsSurvivors;
            let cast = self.cast.clone();
            let rarely = Rarely::default();
            let silent = |world: &World<'_>| {
                forgets && rarely.is_time(world) && who_misses_some(world, &cast).is_some()
            };
            let event = |world: &World<'_>| {
                world.now() >= end || (strike && scrutiny.borrow().has_new_voter()) || silent(world)
            };
            world.run_to(Millis::from_secs(60), "time passes", event)?;
            let voter = self.scrutiny.borrow_mut().take_newest_voter();
            if let Some(voter) = voter.filter(|_| strike && world.now() < end && self.rng.chance(30)) {
                self.strike_down(world, voter)?;
            }
            if forgets && let Some(sentinel) = who_misses_some(world, &self.cast) {
                self.forget_the_silent(world, sentinel)?;
            }
        }
        Ok(())
    }

    /// A sentinel dies in the very moment in which its vote has left, and is back soon.
    fn strike_down(&mut self, world: &mut World<'_>, voter: HostId) -> Result<(), Broken> {
        world.inflict(Fault::Crash(voter))?;
        self.struck_down += 1;
        let back = world.now() + Millis(self.rng.between(1, 400));
        world.plan(&sim::FaultPlan::none().at(back, Fault::Restart(voter)));
        Ok(())
    }

    /// The flaw of [`Flaw::CountsSurvivors`]: whoever is down is taken off the list, and the list is counted.
    fn forget_the_silent(&mut self, world: &mut World<'_>, sentinel: HostId) -> Result<(), Broken> {
        let Some(watched) = rules::node(world, sentinel).and_then(|node| node.watched(NAME)) else {
            return Ok(());
        };
        let silent: Vec<String> = watched.silent_sentinels().map(|at| at.host.clone()).collect();
        world.act(sentinel, |_: &mut NodeHost, io: &mut Io<'_, '_>| {
            let text = io.disk().read(CONF).map(|text| String::from_utf8_lossy(text).into_owned());
            let shorter = flaws::file_without(&text.unwrap_or_default(), &silent);
            io.disk().write(CONF, shorter.as_bytes());
            io.disk().sync(CONF);
        })?;
        world.inflict(Fault::Crash(sentinel))?;
        world.inflict(Fault::Restart(sentinel))
    }

    /// Safety first, then liveness. Returns how many writes were acknowledged, and how many of them are lost.
    fn settle(&mut self, world: &mut World<'_>) -> Result<(u64, u64), Broken> {
        world.heal_all()?;
        let cast = self.cast.clone();
        let rarely = Rarely::default();
        let agreed = |world: &World<'_>| rarely.is_time(world) && sentinels::settled(world, &cast).is_some();
        world.run_to(Millis::from_secs(300), AGREED, agreed)?;
        let seeker = self.cast.seeker.expect("there is a client");
        let written =
            |world: &World<'_>| world.get::<Seeker>(seeker).map_or(0, |seeker| seeker.acknowledged().len());
        let before = written(world);
        world.run_to(Millis::from_secs(30), WRITABLE, |world| written(world) > before)?;
        let switches = self.scrutiny.borrow().switches();
        let calm = self.setting.rhythm.hello + Millis(500);
        world.run_for(calm)?;
        let master = sentinels::settled(world, &cast);
        let masters = sentinels::masters(world, &cast);
        let Some(master) = master.filter(|master| masters == [*master]) else {
            return Err(Broken::new(STAYS, format!("masters: {masters:?}")));
        };
        if self.scrutiny.borrow().switches() != switches {
            return Err(Broken::new(STAYS, "a sentinel has switched to another master again"));
        }
        world.act(seeker, |seeker: &mut Seeker, _| seeker.stop())?;
        let nodes = cast.nodes.clone();
        let others = || nodes.iter().filter(|node| **node != master);
        let level = |world: &World<'_>| others().all(|node| rules::is_level(world, master, *node));
        world.run_to(Millis::from_secs(60), EQUAL, level)?;
        let held = |id: HostId| rules::node(world, id).map(|node| digest(node.keyspace()));
        if let Some(odd) = others().find(|node| held(**node) != held(master)) {
            return Err(Broken::new(EQUAL, format!("{} does not", world.name(*odd))));
        }
        Ok(count_writes(world, seeker, master))
    }
}

/// A sentinel for which another one is down.
fn who_misses_some(world: &World<'_>, cast: &Cast) -> Option<HostId> {
    let misses = |id: &&HostId| {
        let watched = rules::node(world, **id).and_then(|node| node.watched(NAME));
        !world.is_paused(**id) && watched.is_some_and(|watched| watched.silent_sentinels().next().is_some())
    };
    cast.sentinels.iter().find(misses).copied()
}

fn count_writes(world: &World<'_>, seeker: HostId, master: HostId) -> (u64, u64) {
    let (Some(seeker), Some(node)) = (world.get::<Seeker>(seeker), rules::node(world, master)) else {
        return (0, 0);
    };
    let lost = seeker
        .acknowledged()
        .iter()
        .filter(|(write, _)| node.keyspace().db(0).get(Seeker::key(*write).as_bytes()).is_none());
    (seeker.acknowledged().len() as u64, lost.count() as u64)
}
