//! Elections: who stands, who votes for whom, who wins.

use std::collections::{BTreeMap, BTreeSet};

use core_types::{Broken, Epoch, Millis, NodeId, Offset};
use node::ClusterView;

use super::audit::Audit;
use super::mind::Stand;
use super::wiretap::Told;
use super::{BEST, MAJORITY, ONE_FOR_EACH_MASTER, ONE_VOTE, ONE_WINNER, RANK, RIGHT_TO_ASK, RIGHT_TO_VOTE};
use crate::world::{HostId, World};

/// All elections there were.
#[derive(Debug, Default)]
pub(super) struct Ballots {
    asked: BTreeMap<Epoch, BTreeMap<NodeId, bool>>,
    votes: BTreeMap<(Epoch, HostId), HostId>,
    winners: BTreeMap<Epoch, Winner>,
    /// Epochs that two have won.
    miscounted: BTreeSet<Epoch>,
    /// Who has asked first of all.
    first: Option<HostId>,
}

/// Who has won an epoch.
#[derive(Clone, Copy, Debug)]
struct Winner {
    host: HostId,
    /// It knew of fewer masters with slots than there were.
    short: bool,
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

impl Ballots {
    /// Have two won this epoch, of which one knew too few masters?
    pub(super) fn is_miscounted(&self, epoch: Epoch) -> bool {
        self.miscounted.contains(&epoch)
    }

    /// Has this node asked for votes in that epoch?
    pub(super) fn has_asked(&self, epoch: Epoch, id: NodeId) -> bool {
        self.asked.get(&epoch).is_some_and(|asked| asked.contains_key(&id))
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

    /// Epochs that two have won, because one of them knew too few masters.
    pub fn miscounted(&self) -> u64 {
        self.ballots.miscounted.len() as u64
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
        let Some((at, ballot)) = mind.ballots.get(&epoch) else {
            return Err(Broken::new(
                RIGHT_TO_VOTE,
                format!("in {epoch} for {name}, and it has not decided to"),
            ));
        };
        let master = ballot.replicas.iter().find(|(id, ..)| Some(*id) == chosen);
        let why_not = match master {
            _ if !ballot.voter => Some("and it has no slots itself"),
            None => Some("which is no replica"),
            Some((.., false)) if !forced => Some("whose master has not failed"),
            _ => None,
        };
        if let Some(why_not) = why_not {
            return Err(Broken::new(RIGHT_TO_VOTE, format!("in {epoch} it votes for {name}, {why_not}")));
        }
        let at = *at;
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
        // A majority is one of those whom a candidate knows. When a master says that it is a replica now, all that hear it
        // take its slots from it; until they hear its heir they know one master too few, and two majorities of such a count
        // need not have a voter in common. So it is in Redis (`clusterDelNodeSlots` in `clusterProcessPacket`, and
        // `server.cluster->size`). Then two masters have one epoch, and that ends as other collisions do.
        let counted = mind.size.min(view.size());
        let short = counted < self.custody.servers();
        let winner = *self.ballots.winners.entry(epoch).or_insert(Winner { host: mind.host, short });
        if winner.host != mind.host {
            if !short && !winner.short {
                let detail = format!("it has won {epoch}, and so has {}", world.name(winner.host));
                return Err(Broken::new(ONE_WINNER, detail));
            }
            self.ballots.miscounted.insert(epoch);
        }
        let mind = &self.minds[place];
        let votes = self.ballots.votes.iter();
        let votes = votes.filter(|((at, _), chosen)| *at == epoch && **chosen == mind.host).count();
        let needed = counted / 2 + 1;
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
