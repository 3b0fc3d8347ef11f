//! Elections: who stands, who votes for whom, who wins.

use std::collections::BTreeMap;

use core_types::{Broken, Epoch, Millis, NodeId, Offset};
use node::ClusterView;

use super::audit::{Audit, Said};
use super::wiretap::Told;
use super::{
    BEST, MAJORITY, NEW_EPOCH, ONE_FOR_EACH_MASTER, ONE_VOTE, ONE_WINNER, RANK, RIGHT_TO_ASK, RIGHT_TO_VOTE,
};
use crate::nodes::NodeHost;
use crate::world::{HostId, World};

/// What was last seen of a node, and all that it has promised.
#[derive(Debug)]
pub(super) struct Mind {
    pub(super) host: HostId,
    pub(super) id: Option<NodeId>,
    pub(super) starts: u32,
    /// How much of what it has told was looked at.
    pub(super) told: usize,
    pub(super) said: Said,
    pub(super) looked_at: Millis,
    pub(super) current_epoch: Epoch,
    pub(super) last_vote: Epoch,
    /// The greatest epoch in which it has asked for votes or owned slots, and told it. Kept across crashes, as is what
    /// follows.
    pub(super) promised: Epoch,
    /// The greatest epoch in which it has voted, and told it.
    pub(super) voted: Epoch,
    /// The greatest epoch in which it has claimed slots.
    pub(super) owned: Epoch,
    /// Epochs in which it has been a master: from the first to the second, for one event can make it take
    /// several.
    owns: Vec<(Epoch, Epoch)>,
    /// The greatest epoch of a master that it has followed.
    pub(super) followed: Epoch,
    pub(super) is_master: bool,
    pub(super) master: Option<NodeId>,
    pub(super) size: usize,
    /// Whom it has held for down while it was a master, and when last.
    pub(super) held_down: BTreeMap<NodeId, Millis>,
    /// Whom it takes for failed, and since when.
    failed: BTreeMap<NodeId, Millis>,
    /// Whom it has announced as failed, and when last.
    pub(super) announced: BTreeMap<NodeId, Millis>,
    /// Since when it has taken its own master for failed, if it does.
    orphaned: Option<Millis>,
    /// What was so when its epoch rose to this one: it may have stood for election.
    stood: BTreeMap<Epoch, Stand>,
    /// How it stood among the replicas of its master, of late.
    ranks: Vec<(Millis, usize)>,
    /// What it saw after the last event: one event can bring a request, and behind it what makes the request look odd.
    before: Ballot,
    /// What it saw when it voted.
    ballots: BTreeMap<Epoch, Ballot>,
    /// When it voted for a replica of a master, by its clock.
    helped: BTreeMap<NodeId, Millis>,
    clock: (Millis, Millis),
}

/// When a node's epoch rose, perhaps because it stands for election.
#[derive(Clone, Copy, Debug)]
struct Stand {
    at: Millis,
    /// Since when its master had failed, if it had.
    orphaned: Option<Millis>,
    /// How many had more of the data.
    rank: usize,
}

/// What a voter saw when it voted.
#[derive(Clone, Debug, Default)]
struct Ballot {
    /// It was a master with slots.
    voter: bool,
    /// By its clock.
    at: Millis,
    /// Each replica, its master, and whether that has failed.
    replicas: Vec<(NodeId, NodeId, bool)>,
}

/// All elections there were.
#[derive(Debug, Default)]
pub(super) struct Ballots {
    asked: BTreeMap<Epoch, BTreeMap<NodeId, bool>>,
    votes: BTreeMap<(Epoch, HostId), HostId>,
    winners: BTreeMap<Epoch, HostId>,
    /// Who has asked first of all.
    first: Option<HostId>,
}

/// What elections there have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elections {
    /// Requests for votes: one for each node and epoch.
    pub started: u64,
    /// Of those, by order of an operator.
    pub forced: u64,
    /// Epochs in which more than one node stood.
    pub contested: u64,
    /// Of those, epochs that nobody won: the vote was split.
    pub split: u64,
    /// Epochs that somebody won.
    pub won: u64,
    /// Votes told.
    pub votes: u64,
}

/// A replica looks at its rank so often at least, and is late when it stands still.
const LOOK: Millis = Millis(400);

impl Ballots {
    /// Has this node asked for votes in that epoch?
    pub(super) fn has_asked(&self, epoch: Epoch, id: NodeId) -> bool {
        self.asked.get(&epoch).is_some_and(|asked| asked.contains_key(&id))
    }
}

impl Mind {
    pub(super) fn new(host: HostId, world: &World<'_>) -> Mind {
        Mind {
            host,
            id: None,
            starts: 0,
            told: 0,
            said: Said::new(),
            looked_at: world.now(),
            current_epoch: Epoch(0),
            last_vote: Epoch(0),
            promised: Epoch(0),
            voted: Epoch(0),
            owned: Epoch(0),
            owns: Vec::new(),
            followed: Epoch(0),
            is_master: false,
            master: None,
            size: 0,
            held_down: BTreeMap::new(),
            failed: BTreeMap::new(),
            announced: BTreeMap::new(),
            orphaned: None,
            stood: BTreeMap::new(),
            ranks: Vec::new(),
            before: Ballot::default(),
            ballots: BTreeMap::new(),
            helped: BTreeMap::new(),
            clock: (world.now(), world.clock(host)),
        }
    }

    /// A new process, as it is.
    pub(super) fn begin(&mut self, world: &World<'_>, view: &ClusterView<'_>) {
        self.id = Some(view.me());
        self.starts = world.starts(self.host);
        self.told = 0;
        self.said.clear();
        (self.current_epoch, self.last_vote) = (view.current_epoch(), view.last_vote_epoch());
        (self.is_master, self.master) = (view.myself().is_master(), view.myself().master());
        self.size = view.size();
        self.failed.clear();
        self.announced.clear();
        self.ranks.clear();
        self.stood.clear();
        self.orphaned = None;
        self.helped.clear();
        self.before = Ballot::default();
        self.clock = (world.now(), world.clock(self.host));
    }

    /// True as long as nobody has set its clock since the process began.
    fn clock_is_true(&self, world: &World<'_>) -> bool {
        let (then, shown) = self.clock;
        world.now().since(then) == world.clock(self.host).since(shown)
    }

    /// Whom does it hold for down, whom for failed?
    pub(super) fn note_the_silent(&mut self, now: Millis, view: &ClusterView<'_>) {
        let master = view.myself().is_master();
        for member in view.members() {
            let (id, failed) = (member.id(), member.has_failed());
            if master && (failed || member.may_have_failed()) {
                self.held_down.insert(id, now);
            }
            if failed {
                self.failed.entry(id).or_insert(now);
            } else {
                self.failed.remove(&id);
            }
        }
    }

    /// Has its own master failed, and how many of the other replicas have more of the data, as far as it has heard?
    pub(super) fn note_rank(&mut self, now: Millis, world: &World<'_>, view: &ClusterView<'_>) {
        self.ranks.retain(|(at, _)| now.since(*at) <= LOOK);
        let failed = view.myself().master().and_then(|master| Some((master, *self.failed.get(&master)?)));
        self.orphaned = failed.map(|(_, since)| since);
        let Some((master, _)) = failed else { return };
        let Some(node) = world.get::<NodeHost>(self.host) else { return };
        let mine = node.node().replication_offset();
        let siblings = view.members().filter(|member| member.master() == Some(master));
        let ahead = siblings
            .filter(|member| member.id() != view.me() && !member.is_no_failover() && member.offset() > mine);
        let rank = ahead.count();
        self.ranks.push((now, rank));
    }

    /// Has this epoch ever been its own, as a master's?
    pub(super) fn has_owned(&self, epoch: Epoch) -> bool {
        self.owns.iter().any(|(first, last)| (*first..=*last).contains(&epoch))
    }

    /// Its epoch, if it is a master. To be called before its role is taken down.
    pub(super) fn note_owned(&mut self, view: &ClusterView<'_>) -> Result<(), Broken> {
        let (myself, before) = (view.myself(), self.owns.last().copied());
        let epoch = myself.config_epoch();
        if !myself.is_master() || before.is_some_and(|(_, last)| last == epoch) {
            return Ok(());
        }
        let known = self.owned.max(self.followed);
        if epoch != Epoch(0) && epoch <= known && !self.has_owned(epoch) {
            return Err(Broken::new(NEW_EPOCH, format!("it is a master in {epoch}, and knew of {known}")));
        }
        // Who was a master before has left behind all between; who was a replica begins.
        let first = before.filter(|_| self.is_master).map_or(epoch, |(_, last)| last.next());
        self.owns.push((first.min(epoch), epoch));
        Ok(())
    }

    /// Its epoch has risen. If it stands for election, then now.
    pub(super) fn note_stand(&mut self, epoch: Epoch, now: Millis) {
        let rank = self.ranks.iter().map(|(_, rank)| *rank).min().unwrap_or(0);
        self.stood.insert(epoch, Stand { at: now, orphaned: self.orphaned, rank });
    }

    /// It has just decided to vote.
    pub(super) fn note_ballot(&mut self, world: &World<'_>, view: &ClusterView<'_>) {
        let mut ballot = self.before.clone();
        ballot.voter |= view.myself().votes();
        ballot.replicas.extend(self.replicas(view));
        ballot.at = world.clock(self.host);
        self.ballots.insert(view.last_vote_epoch(), ballot);
    }

    /// The event is over.
    pub(super) fn note_the_rest(&mut self, now: Millis, view: &ClusterView<'_>) {
        self.looked_at = now;
        let mut replicas = std::mem::take(&mut self.before.replicas);
        replicas.clear();
        replicas.extend(self.replicas(view));
        self.before.replicas = replicas;
        self.before.voter = view.myself().votes();
    }

    fn replicas(&self, view: &ClusterView<'_>) -> impl Iterator<Item = (NodeId, NodeId, bool)> {
        view.members().filter_map(|member| {
            let master = member.master()?;
            Some((member.id(), master, self.failed.contains_key(&master)))
        })
    }
}

impl Audit {
    /// What elections there have been.
    pub fn elections(&self) -> Elections {
        let Ballots { asked, votes, winners, .. } = &self.ballots;
        let contested = asked.iter().filter(|(_, candidates)| candidates.len() > 1);
        Elections {
            started: asked.values().map(|candidates| candidates.len() as u64).sum(),
            forced: asked.values().flat_map(BTreeMap::values).filter(|forced| **forced).count() as u64,
            contested: contested.clone().count() as u64,
            split: contested.filter(|(epoch, _)| !winners.contains_key(epoch)).count() as u64,
            won: winners.len() as u64,
            votes: votes.len() as u64,
        }
    }

    /// It asks for votes.
    pub(super) fn note_candidate(
        &mut self,
        world: &World<'_>,
        place: usize,
        told: &Told,
        forced: bool,
    ) -> Result<(), Broken> {
        let (epoch, id) = (told.current_epoch, told.sender);
        let mind = &self.minds[place];
        if self.ballots.has_asked(epoch, id) {
            // The same request, to somebody else.
            return Ok(());
        }
        if epoch == mind.owned {
            return Err(Broken::new(RIGHT_TO_ASK, format!("in {epoch}, in which it has owned slots")));
        }
        // The request may have waited, for the disk or for a connection.
        let Some(Stand { at, orphaned, rank }) = mind.stood.get(&epoch).copied() else {
            return Err(Broken::new(RIGHT_TO_ASK, format!("in {epoch}, which is no epoch of its own")));
        };
        if !forced {
            let Some(since) = orphaned else {
                let detail = format!("in {epoch}, and its master has not failed");
                return Err(Broken::new(RIGHT_TO_ASK, detail));
            };
            let waited = at.since(since);
            if waited < Millis(500 + 1000 * rank as u64) && mind.clock_is_true(world) {
                let detail = format!("{rank} have more, and it asks in {epoch} after {waited}");
                return Err(Broken::new(RANK, detail));
            }
        }
        self.ballots.asked.entry(epoch).or_default().insert(id, forced);
        self.ballots.first.get_or_insert(self.minds[place].host);
        let mind = &mut self.minds[place];
        mind.promised = mind.promised.max(epoch);
        Ok(())
    }

    /// It tells `candidate` that it votes for it. True if it had not told so before.
    pub(super) fn note_vote(
        &mut self,
        world: &World<'_>,
        place: usize,
        epoch: Epoch,
        candidate: HostId,
    ) -> Result<bool, Broken> {
        let timeout = self.cast.timeout;
        let forced = self.is_forced(epoch, candidate);
        let chosen = self.minds.iter().find(|mind| mind.host == candidate).and_then(|mind| mind.id);
        let mind = &mut self.minds[place];
        let before = *self.ballots.votes.entry((epoch, mind.host)).or_insert(candidate);
        if before != candidate {
            let names = (world.name(before), world.name(candidate));
            return Err(Broken::new(
                ONE_VOTE,
                format!("in epoch {epoch} for {}, and then for {}", names.0, names.1),
            ));
        }
        let is_new = epoch > mind.voted;
        mind.voted = mind.voted.max(epoch);
        if !is_new {
            return Ok(false);
        }
        if self.cast.liar.is_some() {
            return Ok(true);
        }
        let name = world.name(candidate);
        let Some(ballot) = mind.ballots.get(&epoch) else {
            return Err(Broken::new(
                RIGHT_TO_VOTE,
                format!("in {epoch} for {name}, and it has not decided to"),
            ));
        };
        let mut seen = ballot.replicas.iter().filter(|(id, ..)| Some(*id) == chosen);
        let master = seen.clone().find(|(.., failed)| *failed).or(seen.next());
        let why_not = match master {
            _ if !ballot.voter => Some("and it has no slots itself"),
            None => Some("which is no replica"),
            Some((.., false)) if !forced => Some("whose master has not failed"),
            _ => None,
        };
        if let Some(why_not) = why_not {
            return Err(Broken::new(RIGHT_TO_VOTE, format!("in {epoch} it votes for {name}, {why_not}")));
        }
        let at = ballot.at;
        let helped = master.and_then(|(_, master, _)| mind.helped.insert(*master, at));
        if let Some(earlier) = helped.filter(|earlier| at.since(*earlier) < Millis(timeout.0 * 2))
            && mind.clock_is_true(world)
        {
            let detail = format!("in {epoch} for {name}, {} after its last vote", at.since(earlier));
            return Err(Broken::new(ONE_FOR_EACH_MASTER, detail));
        }
        Ok(true)
    }

    fn is_forced(&self, epoch: Epoch, candidate: HostId) -> bool {
        let asked = self.ballots.asked.get(&epoch);
        let of = |id: &NodeId| self.host_of(*id) == Some(candidate);
        asked.is_some_and(|asked| asked.iter().any(|(id, forced)| *forced && of(id)))
    }

    /// A replica has become a master with slots. By votes, or by an operator's order?
    pub(super) fn check_winner(
        &mut self,
        world: &World<'_>,
        place: usize,
        view: &ClusterView<'_>,
    ) -> Result<(), Broken> {
        let mind = &self.minds[place];
        let epoch = view.myself().config_epoch();
        if !self.ballots.has_asked(epoch, view.me()) {
            return Ok(());
        }
        let winner = *self.ballots.winners.entry(epoch).or_insert(mind.host);
        if winner != mind.host {
            let detail = format!("it has won {epoch}, and so has {}", world.name(winner));
            return Err(Broken::new(ONE_WINNER, detail));
        }
        let votes = self.ballots.votes.iter();
        let votes = votes.filter(|((at, _), chosen)| *at == epoch && **chosen == mind.host).count();
        let needed = mind.size.min(view.size()) / 2 + 1;
        if votes < needed {
            return Err(Broken::new(MAJORITY, format!("in {epoch} it has {votes} of {needed}")));
        }
        Ok(())
    }

    /// For runs in which nothing happens but a master's death: how far each of its replicas was. Whoever asked for votes
    /// first has the most. (Whoever wins may have less: when the best are equals, they may split the vote between them, and
    /// while they wait to try again the next one's second is over.)
    ///
    /// # Errors
    /// If another one has more.
    pub fn check_best(&self, world: &World<'_>, offsets: &[(HostId, Offset)]) -> Result<(), Broken> {
        let Some(first) = self.ballots.first else { return Ok(()) };
        let of = |host: HostId| offsets.iter().find(|(other, _)| *other == host).map(|(_, offset)| *offset);
        let Some(mine) = of(first) else { return Ok(()) };
        match offsets.iter().find(|(_, offset)| *offset > mine) {
            None => Ok(()),
            Some((better, offset)) => Err(Broken::new(
                BEST,
                format!("{} asks at {mine}, and {} is at {offset}", world.name(first), world.name(*better)),
            )),
        }
    }
}
