//! The book: what each node has done and told, and the rules that are checked with each entry.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use core_types::{Broken, Epoch, Millis, NodeId};
use node::ClusterView;

use super::ballots::Ballots;
use super::losses::Custody;
use super::mind::Mind;
use super::stopwatch::Stopwatch;
use super::wiretap::{Told, What};
use super::{EPOCHS_GROW, FAIL_BY_MAJORITY, KEEPS_PROMISES, NEW_EPOCH, ONE_OWNER};
use crate::nodes::NodeHost;
use crate::world::{Conn, HostId, World};

/// Who takes part, and what nodes were told to go by.
#[derive(Clone, Debug)]
pub struct Cast {
    /// The nodes, those included that join later.
    pub nodes: Vec<HostId>,
    /// The clients: [`Roamer`](super::Roamer)s.
    pub clients: Vec<HostId>,
    /// `cluster-node-timeout`
    pub timeout: Millis,
    /// Nothing that was said takes longer than this to arrive.
    pub memory: Millis,
    /// A node that lies: it is not held to any rule.
    pub liar: Option<HostId>,
}

/// The book. Shared with the world, whose rule it is.
#[derive(Debug)]
pub struct Audit {
    pub(super) cast: Cast,
    pub(super) minds: Vec<Mind>,
    pub(super) ballots: Ballots,
    pub(super) stopwatch: Stopwatch,
    pub(super) custody: Custody,
    /// Somebody may take an epoch without votes: an operator is at work.
    free_hand: bool,
    /// Who has claimed slots in an epoch.
    claims: BTreeMap<Epoch, BTreeSet<NodeId>>,
    /// Epochs that two masters have claimed.
    collisions: BTreeSet<Epoch>,
    /// How often somebody was called dead by somebody else who had found out.
    failures: u64,
    newest_voter: Option<(HostId, Stage)>,
}

/// How far a vote has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It was decided, and may not be on the disk yet.
    Decided,
    /// It was told.
    Told,
}

impl Audit {
    /// Begins to look at the cast, and makes what it sees a rule of the world. `free_hand`: epochs may be taken without
    /// votes.
    pub fn watch(world: &mut World<'_>, cast: Cast, free_hand: bool) -> Rc<RefCell<Audit>> {
        let minds = cast.nodes.iter().map(|host| Mind::new(*host, world)).collect();
        let audit = Audit {
            minds,
            ballots: Ballots::default(),
            stopwatch: Stopwatch::new(cast.clients.len()),
            custody: Custody::new(cast.clients.len()),
            cast,
            free_hand,
            claims: BTreeMap::new(),
            collisions: BTreeSet::new(),
            failures: 0,
            newest_voter: None,
        };
        let audit = Rc::new(RefCell::new(audit));
        let book = Rc::clone(&audit);
        world.always(move |world| book.borrow_mut().check(world));
        audit
    }

    /// From now on epochs may be taken without votes, or may not.
    pub fn set_free_hand(&mut self, free_hand: bool) {
        self.free_hand = free_hand;
    }

    /// A node that has just voted: asked for once.
    pub fn take_newest_voter(&mut self) -> Option<(HostId, Stage)> {
        self.newest_voter.take()
    }

    /// True if somebody has voted since that was last asked.
    pub fn has_new_voter(&self) -> bool {
        self.newest_voter.is_some()
    }

    /// How many epochs two masters have claimed.
    pub fn collisions(&self) -> u64 {
        self.collisions.len() as u64
    }

    /// How often a node has found out by counting that another one has failed.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// The node of this id.
    pub fn host_of(&self, id: NodeId) -> Option<HostId> {
        self.minds.iter().find(|mind| mind.id == Some(id)).map(|mind| mind.host)
    }

    fn check(&mut self, world: &World<'_>) -> Result<(), Broken> {
        let id = world.last_stepped();
        if let Some(place) = self.cast.clients.iter().position(|client| *client == id) {
            self.stopwatch.note_writes(world, place, id);
            self.custody.note_writes(world, &self.cast.nodes, place, id);
            return Ok(());
        }
        if self.cast.liar == Some(id) {
            return Ok(());
        }
        let Some(place) = self.minds.iter().position(|mind| mind.host == id) else { return Ok(()) };
        self.check_node(world, place)
            .map_err(|broken| Broken::new(broken.rule, format!("{}: {}", world.name(id), broken.detail)))
    }

    fn check_node(&mut self, world: &World<'_>, place: usize) -> Result<(), Broken> {
        let host = self.minds[place].host;
        let Some(node) = world.get::<NodeHost>(host) else { return Ok(()) };
        let Some(view) = node.node().cluster_view() else { return Ok(()) };
        self.begin_process(world, place, &view)?;
        self.look_into(world, place, &view)?;
        let Some(wiretap) = node.wiretap() else { return Ok(()) };
        let mind = &mut self.minds[place];
        mind.note_ballots(world, wiretap.ballots());
        let from = std::mem::replace(&mut mind.told, wiretap.told().len());
        for told in &wiretap.told()[from..] {
            self.hear(world, place, &view, told)?;
        }
        self.minds[place].looked_at = world.now();
        Ok(())
    }

    /// A process that was not seen before: the same node, with all that it has promised.
    fn begin_process(
        &mut self,
        world: &World<'_>,
        place: usize,
        view: &ClusterView<'_>,
    ) -> Result<(), Broken> {
        let mind = &mut self.minds[place];
        if mind.starts == world.starts(mind.host) {
            return Ok(());
        }
        if mind.starts > 0 {
            let died = world.died_at(mind.host).unwrap_or(world.now());
            self.custody.process_began_anew(mind.host, died);
        }
        let mind = &mut self.minds[place];
        if mind.id.is_some_and(|id| id != view.me()) {
            let detail = format!("it was {:?}, and is {}", mind.id, view.me());
            return Err(Broken::new("a node keeps its id across a restart", detail));
        }
        let promised = mind.promised.max(mind.voted);
        if view.current_epoch() < promised || view.last_vote_epoch() < mind.voted {
            let detail = format!(
                "it has used {promised} and voted in {}, and begins with {} and {}",
                mind.voted,
                view.current_epoch(),
                view.last_vote_epoch()
            );
            return Err(Broken::new(KEEPS_PROMISES, detail));
        }
        mind.begin(world, view);
        Ok(())
    }

    /// What has changed in its view.
    fn look_into(&mut self, world: &World<'_>, place: usize, view: &ClusterView<'_>) -> Result<(), Broken> {
        let now = world.now();
        let myself = view.myself();
        let mind = &mut self.minds[place];
        if view.current_epoch() < mind.current_epoch || view.last_vote_epoch() < mind.last_vote {
            let detail = format!(
                "from {}/{} to {}/{}",
                mind.current_epoch,
                mind.last_vote,
                view.current_epoch(),
                view.last_vote_epoch()
            );
            return Err(Broken::new(EPOCHS_GROW, detail));
        }
        let stood = self.ballots.has_asked(myself.config_epoch(), view.me());
        mind.note_owned(view, self.free_hand && stood)?;
        mind.note_the_silent(now, view);
        mind.note_rank(now, world, view);
        // Where somebody lies, epochs may rise by as much as it likes.
        if self.cast.liar.is_none() {
            mind.note_stand(view.current_epoch(), now, self.cast.timeout);
        }
        mind.current_epoch = view.current_epoch();
        if view.last_vote_epoch() > mind.last_vote {
            mind.last_vote = view.last_vote_epoch();
            self.newest_voter = Some((mind.host, Stage::Decided));
        }
        let was = (mind.is_master, mind.master);
        (mind.is_master, mind.master) = (myself.is_master(), myself.master());
        match (was.0, mind.is_master) {
            (false, true) if !myself.slots().is_empty() && self.cast.liar.is_none() => {
                self.check_winner(world, place, view)?;
                self.stopwatch.note_promotion(now, was.1.and_then(|id| self.host_of(id)));
            }
            (true, false) => self.custody.left_office(self.minds[place].host, now),
            _ => {}
        }
        let mind = &mut self.minds[place];
        mind.size = view.size();
        // Where somebody lies, nobody can tell who serves what.
        if self.cast.liar.is_some() {
            return Ok(());
        }
        let host = mind.host;
        self.custody.look(world, &self.cast.clients, host, view, self.free_hand)
    }

    /// A packet has left.
    fn hear(
        &mut self,
        world: &World<'_>,
        place: usize,
        view: &ClusterView<'_>,
        told: &Told,
    ) -> Result<(), Broken> {
        let mind = &mut self.minds[place];
        let before = mind.said.insert(told.conn, told.current_epoch).unwrap_or_default();
        if told.current_epoch < before {
            let detail = format!("it told of {}, and before that of {before}", told.current_epoch);
            return Err(Broken::new(EPOCHS_GROW, detail));
        }
        // Where somebody lies, others do what they would not do if they knew.
        let all_honest = self.cast.liar.is_none();
        match told.what {
            What::Ask { forced } if all_honest => self.note_candidate(world, place, told, forced)?,
            What::Vote => {
                let candidate = world.peer(self.minds[place].host, told.conn);
                if self.note_vote(world, place, told.current_epoch, candidate)? {
                    self.newest_voter = Some((self.minds[place].host, Stage::Told));
                }
            }
            What::Fail(about) if all_honest => self.check_agreement(world, place, view, about)?,
            What::Ask { .. } | What::Fail(_) | What::Beat | What::Other => {}
        }
        if all_honest { self.note_claim(place, told) } else { Ok(()) }
    }

    /// It says whose slots are its own, and since which epoch.
    fn note_claim(&mut self, place: usize, told: &Told) -> Result<(), Broken> {
        let mind = &mut self.minds[place];
        if !told.master {
            mind.followed = mind.followed.max(told.config_epoch);
        }
        if !told.master || told.slots.is_empty() {
            return Ok(());
        }
        let epoch = told.config_epoch;
        if epoch == Epoch(0) {
            return Ok(());
        }
        // A packet that has waited tells of what was so when it was made. What it has followed meanwhile was of a greater
        // epoch than what it owned before.
        let known = mind.owned.max(mind.followed);
        if epoch <= known && !mind.has_owned(epoch) {
            let detail = format!("it claims {:?} in {epoch}, and knew of {known}", told.slots);
            return Err(Broken::new(NEW_EPOCH, detail));
        }
        mind.owned = mind.owned.max(epoch);
        mind.promised = mind.promised.max(epoch);
        let is_new = self.claims.entry(epoch).or_default().insert(told.sender);
        let claimants = &self.claims[&epoch];
        if !is_new || claimants.len() < 2 {
            return Ok(());
        }
        self.collisions.insert(epoch);
        let elected = claimants.iter().filter(|id| self.ballots.has_asked(epoch, **id)).count();
        if (elected > 1 || !self.free_hand) && !self.ballots.is_miscounted(epoch) {
            let names: Vec<&str> = claimants.iter().map(|id| id.short()).collect();
            return Err(Broken::new(ONE_OWNER, format!("in epoch {epoch}: {}", names.join(", "))));
        }
        Ok(())
    }

    /// It says that somebody has failed. Have enough masters held that node for down?
    ///
    /// Redis counts what any master says, with slots or without, against a majority of those with slots; and a report is
    /// good for two node timeouts from when it arrives.
    fn check_agreement(
        &mut self,
        world: &World<'_>,
        place: usize,
        view: &ClusterView<'_>,
        about: NodeId,
    ) -> Result<(), Broken> {
        let now = world.now();
        let mind = &mut self.minds[place];
        if mind.announced.insert(about, now).is_none_or(|before| now.since(before) > Millis(100)) {
            self.failures += 1;
        }
        let oldest = Millis(now.0.saturating_sub(self.cast.timeout.0 * 2 + self.cast.memory.0));
        let holds = |mind: &&Mind| mind.held_down.get(&about).is_some_and(|at| *at >= oldest);
        let agree = self.minds.iter().filter(holds).count();
        let voters = view.members().filter(|member| member.votes()).count();
        // The count was made before this packet left.
        let mind = &self.minds[place];
        let needed = voters.min(mind.size) / 2 + 1;
        let needed = mind.needed_then(about, oldest).map_or(needed, |then| then.min(needed));
        if agree < needed {
            let name = self.host_of(about).map_or("somebody", |host| world.name(host));
            let detail =
                format!("{name} is called dead, and {agree} of {needed} masters have held it for that");
            return Err(Broken::new(FAIL_BY_MAJORITY, detail));
        }
        Ok(())
    }
}

/// What was told last on each connection.
pub(super) type Said = BTreeMap<Conn, Epoch>;
