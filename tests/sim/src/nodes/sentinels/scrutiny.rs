//! The rules, checked after every step.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use core_types::{Broken, Endpoint, Epoch, Millis, Periods, Role, RunId};
use node::layers::failover::Stage;
use node::layers::one_replica::LinkState;
use node::{Node, Watched};

use super::takeover::Stopwatch;
use super::{EPOCHS_GROW, MAJORITY, NAME, ONE_CLAIM, ONE_LEADER, ONE_VOTE, ONLY_MASTERS, QUORUM, host};
use crate::world::{HostId, World};

/// Who takes part, and what a sentinel was told to go by.
#[derive(Clone, Debug)]
pub struct Cast {
    /// Who watches.
    pub sentinels: Vec<HostId>,
    /// Who is watched; the first one is the master when the run begins.
    pub nodes: Vec<HostId>,
    /// The `replica-priority` of each of those.
    pub priorities: Vec<u32>,
    /// The client.
    pub seeker: Option<HostId>,
    /// The sentinels' rhythm.
    pub rhythm: Periods,
    /// `down-after-milliseconds`
    pub down_after: Millis,
    /// Nothing that was said takes longer than this to arrive.
    pub memory: Millis,
    /// How many sentinels must agree.
    pub quorum: usize,
}

/// What was last seen of a sentinel.
#[derive(Debug)]
pub(super) struct Mind {
    host: HostId,
    id: Option<RunId>,
    starts: u32,
    events: usize,
    votes: usize,
    /// The epoch of its newest attempt.
    attempt: Option<Epoch>,
    chosen: bool,
    config_epoch: Epoch,
    current_epoch: Epoch,
    /// When it last held a master for down, by its address.
    held_down: BTreeMap<String, Millis>,
    clock: Option<(Millis, Millis)>,
}

/// What was last seen of a node that is watched.
#[derive(Debug)]
pub(super) struct Body {
    host: HostId,
    starts: u32,
    /// The run ids of all its processes.
    pub(super) run_ids: BTreeSet<String>,
    /// Since when a replica that was once online has not been.
    pub(super) apart_since: Option<Millis>,
    was_online: bool,
    clock: Option<(Millis, Millis)>,
}

/// What elections there have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elections {
    /// Epochs in which somebody stood.
    pub epochs: u64,
    /// Of those, epochs in which more than one did.
    pub contested: u64,
    /// Of those, epochs that had no leader: the vote was split.
    pub split: u64,
    /// Epochs that had a leader.
    pub won: u64,
    /// Votes told.
    pub votes: u64,
}

/// The book. Shared with the world, whose rule it is.
#[derive(Debug)]
pub struct Scrutiny {
    pub(super) cast: Cast,
    minds: Vec<Mind>,
    pub(super) bodies: Vec<Body>,
    votes: BTreeMap<(Epoch, usize), RunId>,
    candidates: BTreeMap<Epoch, BTreeSet<usize>>,
    leaders: BTreeMap<Epoch, usize>,
    claims: BTreeMap<Epoch, (Endpoint, usize)>,
    switches: u64,
    pub(super) stopwatch: Stopwatch,
    newest_voter: Option<HostId>,
}

/// True as long as nobody has set the clock since it was first looked at.
fn clock_is_true(clock: Option<(Millis, Millis)>, world: &World<'_>, host: HostId) -> bool {
    clock.is_some_and(|(then, shown)| world.now().since(then) == world.clock(host).since(shown))
}

impl Mind {
    pub(super) fn clock_is_true(&self, world: &World<'_>) -> bool {
        clock_is_true(self.clock, world, self.host)
    }
}

impl Body {
    pub(super) fn clock_is_true(&self, world: &World<'_>) -> bool {
        clock_is_true(self.clock, world, self.host)
    }
}

impl Scrutiny {
    /// Begins to look at the cast, and makes what it sees a rule of the world.
    pub fn watch(world: &mut World<'_>, cast: Cast) -> Rc<RefCell<Scrutiny>> {
        let minds = cast.sentinels.iter().map(|host| Mind {
            host: *host,
            id: None,
            starts: 0,
            events: 0,
            votes: 0,
            attempt: None,
            chosen: false,
            config_epoch: Epoch(0),
            current_epoch: Epoch(0),
            held_down: BTreeMap::new(),
            clock: Some((world.now(), world.clock(*host))),
        });
        let bodies = cast.nodes.iter().map(|host| Body {
            host: *host,
            starts: 0,
            run_ids: BTreeSet::new(),
            apart_since: None,
            was_online: false,
            clock: Some((world.now(), world.clock(*host))),
        });
        let scrutiny = Scrutiny {
            minds: minds.collect(),
            bodies: bodies.collect(),
            cast,
            votes: BTreeMap::new(),
            candidates: BTreeMap::new(),
            leaders: BTreeMap::new(),
            claims: BTreeMap::new(),
            switches: 0,
            stopwatch: Stopwatch::default(),
            newest_voter: None,
        };
        let scrutiny = Rc::new(RefCell::new(scrutiny));
        let book = Rc::clone(&scrutiny);
        world.always(move |world| book.borrow_mut().check(world));
        scrutiny
    }

    /// The sentinel that has just told its vote in an epoch for the first time; asked for once.
    pub fn take_newest_voter(&mut self) -> Option<HostId> {
        self.newest_voter.take()
    }

    /// True if somebody has voted since that was last asked.
    pub fn has_new_voter(&self) -> bool {
        self.newest_voter.is_some()
    }

    /// How often a sentinel has switched to another master, whoever it was.
    pub fn switches(&self) -> u64 {
        self.switches
    }

    /// What elections there have been.
    pub fn elections(&self) -> Elections {
        let contested = self.candidates.iter().filter(|(_, candidates)| candidates.len() > 1);
        Elections {
            epochs: self.candidates.len() as u64,
            contested: contested.clone().count() as u64,
            split: contested.filter(|(epoch, _)| !self.leaders.contains_key(epoch)).count() as u64,
            won: self.leaders.len() as u64,
            votes: self.votes.len() as u64,
        }
    }

    fn check(&mut self, world: &World<'_>) -> Result<(), Broken> {
        let id = world.last_stepped();
        if self.cast.seeker == Some(id) {
            self.note_writes(world, id);
        } else if let Some(place) = self.minds.iter().position(|mind| mind.host == id) {
            self.check_sentinel(world, place).map_err(|broken| {
                Broken::new(broken.rule, format!("{}: {}", world.name(id), broken.detail))
            })?;
        } else if let Some(place) = self.bodies.iter().position(|body| body.host == id) {
            self.look_at_node(world, place);
        }
        let newest = self.claims.last_key_value().map(|(_, (at, _))| at);
        let nodes = &self.cast.nodes;
        let master =
            newest.and_then(|at| nodes.iter().find(|id| world.ip(**id) == at.host)).or(nodes.first());
        if let Some(master) = master.copied() {
            self.watch_master(world, master);
        }
        Ok(())
    }

    fn look_at_node(&mut self, world: &World<'_>, place: usize) {
        let body = &mut self.bodies[place];
        let Some(node) = host(world, body.host).map(super::NodeHost::node) else { return };
        if body.starts != world.starts(body.host) {
            body.starts = world.starts(body.host);
            body.run_ids.insert(node.run_id().to_string());
            (body.apart_since, body.was_online) = (None, false);
        }
        let online = *node.role() == Role::Master || node.link_state() == Some(LinkState::Online);
        body.was_online |= online;
        match online {
            true => body.apart_since = None,
            false if body.was_online => drop(body.apart_since.get_or_insert(world.now())),
            false => {}
        }
    }

    fn check_sentinel(&mut self, world: &World<'_>, place: usize) -> Result<(), Broken> {
        let Some(host) = host(world, self.minds[place].host) else { return Ok(()) };
        let Some(overheard) = host.overheard() else { return Ok(()) };
        let node = host.node();
        self.begin_process(world, place, node)?;
        let Some(watched) = node.watched(NAME) else { return Ok(()) };
        self.look_into(world, place, node, &watched)?;
        let mind = &mut self.minds[place];
        let votes = overheard.votes()[std::mem::replace(&mut mind.votes, overheard.votes().len())..].to_vec();
        for (candidate, epoch) in votes {
            self.note_vote(place, epoch, candidate)?;
        }
        let mind = &mut self.minds[place];
        let from = std::mem::replace(&mut mind.events, overheard.events().len());
        for event in &overheard.events()[from..] {
            self.hear(world, place, event)?;
        }
        Ok(())
    }

    /// A process that was not seen before: the same sentinel, if it is what it should be.
    fn begin_process(&mut self, world: &World<'_>, place: usize, node: &Node) -> Result<(), Broken> {
        let mind = &mut self.minds[place];
        if mind.starts == world.starts(mind.host) {
            return Ok(());
        }
        (mind.starts, mind.events, mind.votes) = (world.starts(mind.host), 0, 0);
        (mind.attempt, mind.chosen) = (None, false);
        (mind.config_epoch, mind.current_epoch) = (Epoch(0), Epoch(0));
        let id = node.sentinel_id();
        if mind.id.is_some() && mind.id != id {
            let detail = format!("it was {:?}, and is {id:?}", mind.id);
            return Err(Broken::new("a sentinel keeps its id across a restart", detail));
        }
        mind.id = id;
        Ok(())
    }

    /// What has changed in its view.
    fn look_into(
        &mut self,
        world: &World<'_>,
        place: usize,
        node: &Node,
        watched: &Watched<'_>,
    ) -> Result<(), Broken> {
        let now = world.now();
        let current = node.sentinel_epoch().unwrap_or_default();
        let mind = &mut self.minds[place];
        if watched.config_epoch() < mind.config_epoch || current < mind.current_epoch {
            let detail = format!(
                "from {}/{} to {}/{current}",
                mind.config_epoch,
                mind.current_epoch,
                watched.config_epoch()
            );
            return Err(Broken::new(EPOCHS_GROW, detail));
        }
        mind.current_epoch = current;
        if watched.is_down() {
            mind.held_down.insert(watched.at().host.clone(), now);
        }
        if let Some((epoch, stage)) = watched.failover() {
            let is_new = mind.attempt != Some(epoch);
            mind.attempt = Some(epoch);
            let chosen = stage > Stage::ChooseReplica;
            let just_chosen = chosen && (!mind.chosen || is_new);
            mind.chosen = chosen;
            if is_new {
                self.candidates.entry(epoch).or_default().insert(place);
            }
            if just_chosen {
                let mind = &self.minds[place];
                self.check_choice(world, mind.host, mind, watched)?;
            }
        }
        let mind = &mut self.minds[place];
        if mind.config_epoch != watched.config_epoch() {
            mind.config_epoch = watched.config_epoch();
            let at = watched.address();
            let (before, by) =
                self.claims.entry(watched.config_epoch()).or_insert_with(|| (at.clone(), place));
            if *before != at {
                let other = world.name(self.minds[*by].host);
                let detail = format!("{at} in epoch {}, {other} says {before}", watched.config_epoch());
                return Err(Broken::new(ONE_CLAIM, detail));
            }
        }
        Ok(())
    }

    fn note_vote(&mut self, place: usize, epoch: Epoch, candidate: RunId) -> Result<(), Broken> {
        let mut new = false;
        let before = *self.votes.entry((epoch, place)).or_insert_with(|| {
            new = true;
            candidate
        });
        if before != candidate {
            let detail =
                format!("in epoch {epoch} for {}, and then for {}", before.short(), candidate.short());
            return Err(Broken::new(ONE_VOTE, detail));
        }
        if new {
            self.newest_voter = Some(self.minds[place].host);
        }
        Ok(())
    }

    /// An event of the log.
    fn hear(&mut self, world: &World<'_>, place: usize, event: &str) -> Result<(), Broken> {
        let words: Vec<&str> = event.split(' ').collect();
        match words[..] {
            ["+vote-for-leader", candidate, epoch, ..] => {
                if let (Ok(candidate), Ok(epoch)) = (RunId::parse(candidate.as_bytes()), epoch.parse()) {
                    self.note_vote(place, Epoch(epoch), candidate)?;
                }
            }
            ["+elected-leader", ..] => self.check_leader(world, place)?,
            ["+odown", "master", _, ip, ..] => self.check_agreement(world, place, ip)?,
            ["+odown", ..] => return Err(Broken::new(ONLY_MASTERS, event)),
            ["+switch-master", _, from, ..] => {
                self.switches += 1;
                // Who leads has made this configuration; the others have been told of it.
                let mind = &self.minds[place];
                if self.leaders.get(&mind.config_epoch) == Some(&place) {
                    self.note_switch(world, from);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn check_leader(&mut self, world: &World<'_>, place: usize) -> Result<(), Broken> {
        let mind = &self.minds[place];
        let (Some(epoch), Some(id)) = (mind.attempt, mind.id) else { return Ok(()) };
        let other = *self.leaders.entry(epoch).or_insert(place);
        if other != place {
            let other = world.name(self.minds[other].host);
            return Err(Broken::new(ONE_LEADER, format!("in epoch {epoch} it was elected, and {other}")));
        }
        let of_epoch = self.votes.iter().filter(|((at, _), _)| *at == epoch);
        let votes = of_epoch.filter(|(_, candidate)| **candidate == id).count();
        let needed = self.cast.quorum.max(self.cast.sentinels.len() / 2 + 1);
        if votes < needed {
            return Err(Broken::new(MAJORITY, format!("in epoch {epoch} it has {votes} of {needed}")));
        }
        Ok(())
    }

    /// It holds the master at `ip` for objectively down. Have enough others held it for down themselves? What they
    /// said may be old by now, and may have been about an earlier master, but not by more than `memory`.
    fn check_agreement(&self, world: &World<'_>, place: usize, ip: &str) -> Result<(), Broken> {
        let oldest = Millis(world.now().0.saturating_sub(self.cast.memory.0));
        let agrees =
            |mind: &&Mind| mind.held_down.contains_key(ip) || mind.held_down.values().any(|at| *at >= oldest);
        let others = self.minds.iter().enumerate().filter(|(other, _)| *other != place);
        let count = 1 + others.map(|(_, mind)| mind).filter(agrees).count();
        if count < self.cast.quorum || !self.minds[place].held_down.contains_key(ip) {
            let detail = format!("{count} of {} have held {ip} for down", self.cast.quorum);
            return Err(Broken::new(QUORUM, detail));
        }
        Ok(())
    }
}
