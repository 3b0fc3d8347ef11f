//! What was seen of one node: its view after each event, and what it must not forget across a crash.

use std::collections::BTreeMap;

use core_types::{Broken, Epoch, Millis, NodeId};
use node::ClusterView;

use super::NEW_EPOCH;
use super::audit::Said;
use super::ear::Ballot;
use crate::nodes::NodeHost;
use crate::world::{HostId, World};

/// A replica looks at its rank so often at least, and is late when it stands still.
const LOOK: Millis = Millis(400);

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
    /// Whenever it began to take somebody for failed: how many masters had to agree, as it saw the cluster then.
    verdicts: BTreeMap<NodeId, Vec<(Millis, usize)>>,
    /// Whom it has announced as failed, and when last.
    pub(super) announced: BTreeMap<NodeId, Millis>,
    /// Since when it has taken its own master for failed, if it does.
    orphaned: Option<Millis>,
    /// Whenever that began.
    griefs: Vec<Grief>,
    /// What was so when its epoch rose to this one: it may have stood for election.
    pub(super) stood: BTreeMap<Epoch, Stand>,
    /// How it stood among the replicas of its master, of late.
    ranks: Vec<(Millis, usize)>,
    /// How many of its process's ballots were looked at.
    decided: usize,
    /// When it decided to vote, by its clock, and what it saw.
    pub(super) ballots: BTreeMap<Epoch, (Millis, Ballot)>,
    /// When it voted for a replica of a master, by its clock.
    pub(super) helped: BTreeMap<NodeId, Millis>,
    clock: (Millis, Millis),
}

/// A replica began to take its master for failed.
#[derive(Clone, Copy, Debug)]
struct Grief {
    master: NodeId,
    since: Millis,
    /// How many had more of the data at worst, as long as that was so.
    rank: usize,
}

/// When a node's epoch rose, perhaps because it stands for election.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    pub(super) at: Millis,
    /// Since when its master had failed, if it had.
    pub(super) orphaned: Option<Millis>,
    /// How many had more of the data.
    pub(super) rank: usize,
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
            verdicts: BTreeMap::new(),
            announced: BTreeMap::new(),
            orphaned: None,
            griefs: Vec::new(),
            stood: BTreeMap::new(),
            ranks: Vec::new(),
            decided: 0,
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
        self.verdicts.clear();
        self.announced.clear();
        self.ranks.clear();
        self.stood.clear();
        self.orphaned = None;
        self.griefs.clear();
        self.helped.clear();
        self.decided = 0;
        self.clock = (world.now(), world.clock(self.host));
    }

    /// True as long as nobody has set its clock since the process began.
    pub(super) fn clock_is_true(&self, world: &World<'_>) -> bool {
        let (then, shown) = self.clock;
        world.now().since(then) == world.clock(self.host).since(shown)
    }

    /// Whom does it hold for down, whom for failed?
    pub(super) fn note_the_silent(&mut self, now: Millis, view: &ClusterView<'_>) {
        let master = view.myself().is_master();
        let size = self.size;
        let needed = || view.members().filter(|member| member.votes()).count().min(size) / 2 + 1;
        for member in view.members() {
            let (id, failed) = (member.id(), member.has_failed());
            if master && (failed || member.may_have_failed()) {
                self.held_down.insert(id, now);
            }
            if failed {
                self.failed.entry(id).or_insert_with(|| {
                    self.verdicts.entry(id).or_default().push((now, needed()));
                    now
                });
            } else {
                self.failed.remove(&id);
            }
        }
    }

    /// How many masters had to agree, at least, when it found since `oldest` that this member has failed. What it says of that
    /// may have waited for a connection, and by then it may know more masters: a new node hears of one after the other.
    pub(super) fn needed_then(&self, about: NodeId, oldest: Millis) -> Option<usize> {
        let verdicts = self.verdicts.get(&about)?.iter();
        verdicts.filter(|(at, _)| *at >= oldest).map(|(_, needed)| *needed).min()
    }

    /// Has its own master failed, and how many of the other replicas have more of the data, as far as it has heard?
    pub(super) fn note_rank(&mut self, now: Millis, world: &World<'_>, view: &ClusterView<'_>) {
        self.ranks.retain(|(at, _)| now.since(*at) <= LOOK);
        let failed = view.myself().master().and_then(|master| Some((master, *self.failed.get(&master)?)));
        self.orphaned = failed.map(|(_, since)| since);
        let Some((master, since)) = failed else { return };
        if self.griefs.last().is_none_or(|grief| (grief.master, grief.since) != (master, since)) {
            self.griefs.push(Grief { master, since, rank: 0 });
        }
        let Some(node) = world.get::<NodeHost>(self.host) else { return };
        let mine = node.node().replication_offset();
        let siblings = view.members().filter(|member| member.master() == Some(master));
        let ahead = siblings
            .filter(|member| member.id() != view.me() && !member.is_no_failover() && member.offset() > mine);
        let rank = ahead.count();
        self.ranks.push((now, rank));
        if let Some(grief) = self.griefs.last_mut() {
            grief.rank = grief.rank.max(rank);
        }
    }

    /// Has this epoch ever been its own, as a master's?
    pub(super) fn has_owned(&self, epoch: Epoch) -> bool {
        self.owns.iter().any(|(first, last)| (*first..=*last).contains(&epoch))
    }

    /// Its epoch, if it is a master. To be called before its role is taken down.
    ///
    /// `taken_by_hand`: it has stood for this epoch, and an operator may have given the same one to its master meanwhile,
    /// without votes. Then it has followed it when it wins it, and the two collide as others do.
    pub(super) fn note_owned(&mut self, view: &ClusterView<'_>, taken_by_hand: bool) -> Result<(), Broken> {
        let (myself, before) = (view.myself(), self.owns.last().copied());
        let epoch = myself.config_epoch();
        if !myself.is_master() || before.is_some_and(|(_, last)| last == epoch) {
            return Ok(());
        }
        let known = self.owned.max(self.followed);
        let rival = taken_by_hand && epoch == self.followed && epoch > self.owned;
        if epoch != Epoch(0) && epoch <= known && !self.has_owned(epoch) && !rival {
            return Err(Broken::new(NEW_EPOCH, format!("it is a master in {epoch}, and knew of {known}")));
        }
        // Who was a master before has left behind all between; who was a replica begins.
        let first = before.filter(|_| self.is_master).map_or(epoch, |(_, last)| last.next());
        self.owns.push((first.min(epoch), epoch));
        Ok(())
    }

    /// Its epoch has risen. If it stands for election, then now; in any of the epochs between, for one event can make it
    /// stand and then hear of a greater one.
    ///
    /// The delay is drawn when its master fails, and not again when that has come back and fails once more before the
    /// attempt is over: two node timeouts, two seconds at least, behind the delay. (In Redis only `auth_retry_time` lets
    /// `clusterHandleSlaveFailover` draw another.) So the earliest failure counts that can have set it, with the rank that
    /// it had then.
    pub(super) fn note_stand(&mut self, epoch: Epoch, now: Millis, timeout: Millis) {
        let rank = self.ranks.iter().map(|(_, rank)| *rank).min().unwrap_or(0);
        let attempt = (timeout.0 * 2).max(2000);
        let orphaned = self.orphaned.map(|since| {
            let of = self.griefs.last().map(|grief| grief.master);
            let delay = |grief: &Grief| 1000 * (grief.rank.max(rank) as u64 + 1);
            let may_count = |grief: &&Grief| {
                Some(grief.master) == of && now.since(grief.since) <= Millis(delay(grief) + attempt)
            };
            self.griefs.iter().find(may_count).map_or(since, |grief| grief.since)
        });
        let stand = Stand { at: now, orphaned, rank };
        while self.current_epoch < epoch {
            self.current_epoch = self.current_epoch.next();
            self.stood.insert(self.current_epoch, stand);
        }
    }

    /// It may have decided to vote.
    pub(super) fn note_ballots(&mut self, world: &World<'_>, all: &[Ballot]) {
        let clock = world.clock(self.host);
        let new = &all[std::mem::replace(&mut self.decided, all.len())..];
        self.ballots.extend(new.iter().map(|ballot| (ballot.epoch, (clock, ballot.clone()))));
    }
}
