// The ground on which 9.3 and 9.5 are tried once more: a dead master's replicas, and the masters that vote. Packets take
// their time and get lost, voters crash and come back with what was on their disks. Nothing in here is to be written by anybody.

/// A voter.
struct Elector {
    name: char,
    memory: Notes,
    disk: Notes,
    voted_at: Option<Millis>,
    held: Epoch,
    /// When it hears that the master has failed.
    knows_at: Millis,
    up: bool,
}

/// A replica of the dead master.
struct Heir {
    name: char,
    offset: u64,
    /// What it has heard of its siblings' offsets.
    siblings: BTreeMap<usize, u64>,
    standing: Box<dyn Standing>,
    current: Epoch,
    knows_at: Millis,
    /// It is the new master, or has heard of one.
    gone: bool,
}

/// What is on its way, or will happen.
#[derive(Clone, Copy)]
enum Coming {
    Look { heir: usize },
    Offset { from: usize, to: usize, offset: u64 },
    Request { heir: usize, elector: usize, epoch: Epoch },
    Vote { elector: usize, heir: usize, epoch: Epoch },
    Claim { elector: usize, epoch: Epoch },
    News { heir: usize, epoch: Epoch },
    Back { elector: usize },
}

struct Election {
    under: Under,
    rng: Rng,
    /// Packets get lost and voters crash.
    rough: bool,
    queue: BTreeMap<(Millis, u64), Coming>,
    numbered: u64,
    electors: Vec<Elector>,
    heirs: Vec<Heir>,
    /// Who got whose vote in which epoch.
    votes: BTreeMap<(char, Epoch), char>,
    winners: BTreeMap<Epoch, char>,
}

impl Election {
    fn new(seed: u64, under: Under) -> Election {
        let mut rng = Rng::new(seed);
        let rough = rng.chance(70);
        let notes = Notes { current: Epoch(5), voted: Epoch(4) };
        let electors = "pqrstu".chars().take(rng.between(2, 6) as usize);
        let electors = electors.map(|name| Elector {
            name,
            memory: notes,
            disk: notes,
            voted_at: None,
            held: BEFORE,
            knows_at: Millis(rng.below(400)),
            up: true,
        });
        let electors: Vec<Elector> = electors.collect();
        let offsets: Vec<u64> = (0..rng.between(1, 4)).map(|_| 1000 + rng.below(5) * 100).collect();
        let heirs = offsets.iter().enumerate().map(|(place, &offset)| {
            let others = offsets.iter().copied().enumerate().filter(|(other, _)| *other != place);
            Heir {
                name: ['a', 'b', 'c', 'd'][place],
                offset,
                // The last heartbeat of a sibling may be a moment old.
                siblings: others
                    .map(|(other, offset)| (other, offset - if rough { 200 } else { 0 }))
                    .collect(),
                standing: match under {
                    Under::Candidates => Box::new(tried::Stands(Default::default())),
                    Under::Votes => Box::new(given::Stands(Default::default())),
                },
                current: Epoch(5),
                knows_at: Millis(rng.below(300)),
                gone: false,
            }
        });
        let heirs: Vec<Heir> = heirs.collect();
        let mut election = Election {
            under,
            rng,
            rough,
            queue: BTreeMap::new(),
            numbered: 0,
            electors,
            heirs,
            votes: BTreeMap::new(),
            winners: BTreeMap::new(),
        };
        for heir in 0..election.heirs.len() {
            let first = Millis(election.rng.below(100));
            election.push(first, Coming::Look { heir });
        }
        election
    }

    fn push(&mut self, at: Millis, coming: Coming) {
        self.numbered += 1;
        self.queue.insert((at, self.numbered), coming);
    }

    /// A packet leaves. It arrives in its time, or not at all.
    fn send(&mut self, now: Millis, coming: Coming) {
        let (lost, takes) = (self.rng.chance(12), Millis(self.rng.between(1, 60)));
        if !(self.rough && lost) {
            self.push(now + takes, coming);
        }
    }

    fn look(&mut self, trace: &mut Trace, now: Millis, place: usize) -> Result<(), Broken> {
        let random = Millis(self.rng.below(500));
        let heir = &mut self.heirs[place];
        let siblings = heir.siblings.values().map(|&offset| (Offset(offset), false));
        let rank = reference_rules::rank::rank(Offset(heir.offset), siblings);
        let outlook = Outlook {
            master_failed: now >= heir.knows_at,
            gone: heir.gone,
            rank,
            delay: reference_rules::rank::delay(rank, random),
            current: heir.current,
            // The dead master is still one of those that a majority is counted of.
            voters: self.electors.len() + 1,
        };
        let name = heir.name.to_string();
        let note = |text: String, trace: &mut Trace| trace.note(now, Some(&name), text);
        match heir.standing.step(now, &outlook) {
            None => {}
            Some(Move::Schedule(at, rank)) => {
                note(format!("rank {rank}, will ask at {at}"), trace);
                let offset = heir.offset;
                for to in (0..self.heirs.len()).filter(|to| *to != place) {
                    self.send(now, Coming::Offset { from: place, to, offset });
                }
            }
            Some(Move::Postpone(by, rank)) => note(format!("rank {rank}, {by} later"), trace),
            Some(Move::Ask(epoch)) => {
                note(format!("asks in epoch {epoch}"), trace);
                heir.current = heir.current.max(epoch);
                for elector in 0..self.electors.len() {
                    self.send(now, Coming::Request { heir: place, elector, epoch });
                }
            }
            Some(Move::Win(epoch)) => {
                note(format!("wins epoch {epoch}"), trace);
                let won_by = heir.name;
                heir.gone = true;
                if let Some(other) = self.winners.insert(epoch, won_by) {
                    let detail = format!("epoch {epoch}: {other}, and then {won_by}");
                    return Err(Broken::new("An epoch has one winner.", detail));
                }
                for elector in 0..self.electors.len() {
                    self.send(now, Coming::Claim { elector, epoch });
                }
                for other in (0..self.heirs.len()).filter(|other| *other != place) {
                    self.send(now, Coming::News { heir: other, epoch });
                }
            }
        }
        Ok(())
    }

    fn request(
        &mut self,
        trace: &mut Trace,
        now: Millis,
        (heir, place, asked): (usize, usize, Epoch),
    ) -> Result<(), Broken> {
        let (crashes, point) = (self.rng.chance(15), self.rng.below(4) as usize);
        let away = Millis(self.rng.between(20, 900));
        let elector = &mut self.electors[place];
        if !elector.up {
            return Ok(());
        }
        let ballot = Ballot {
            notes: Notes { current: elector.memory.current.max(asked), voted: elector.memory.voted },
            master_failed: now >= elector.knows_at,
            voted_at: elector.voted_at,
            held: elector.held,
        };
        let vote = match self.under {
            Under::Votes => tried::vote(now, asked, &ballot),
            Under::Candidates => given::vote(now, asked, &ballot),
        };
        let (name, candidate) = (elector.name, self.heirs[heir].name);
        let mut steps = vec![];
        if let Some(epoch) = vote {
            trace.note(now, Some(&name.to_string()), format!("votes for {candidate} in epoch {epoch}"));
            steps = vec![Step::Note(epoch), Step::Save, Step::Send(epoch)];
        }
        elector.memory.current = ballot.notes.current;
        for (done, step) in steps.into_iter().enumerate() {
            let elector = &mut self.electors[place];
            if self.rough && crashes && done == point {
                break;
            }
            match step {
                Step::Raise(_) => {}
                Step::Note(epoch) => {
                    elector.memory.voted = epoch;
                    elector.voted_at = Some(now);
                }
                Step::Save => elector.disk = elector.memory,
                Step::Send(epoch) => {
                    if let Some(other) = self.votes.insert((name, epoch), candidate) {
                        let detail =
                            format!("{name} in epoch {epoch}: for {other}, and then for {candidate}");
                        return Err(Broken::new("A voter votes once in an epoch.", detail));
                    }
                    self.send(now, Coming::Vote { elector: place, heir, epoch });
                }
            }
        }
        if self.rough && crashes {
            trace.note(now, Some(&name.to_string()), "crashes");
            self.electors[place].up = false;
            self.push(now + away, Coming::Back { elector: place });
        }
        Ok(())
    }

    fn happens(&mut self, trace: &mut Trace, now: Millis, coming: Coming) -> Result<(), Broken> {
        match coming {
            Coming::Look { heir } => {
                self.push(now + Millis(100), Coming::Look { heir });
                return self.look(trace, now, heir);
            }
            Coming::Offset { from, to, offset } => {
                self.heirs[to].siblings.insert(from, offset);
            }
            Coming::Request { heir, elector, epoch } => {
                return self.request(trace, now, (heir, elector, epoch));
            }
            Coming::Vote { elector, heir, epoch } => {
                let voter = id(self.electors[elector].name);
                let heir = &mut self.heirs[heir];
                if heir.standing.hear_vote(voter, epoch) {
                    let text = format!("has the vote of {}", letter(&voter));
                    trace.note(now, Some(&heir.name.to_string()), text);
                }
            }
            Coming::Claim { elector, epoch } => {
                let elector = &mut self.electors[elector];
                if elector.up {
                    elector.held = elector.held.max(epoch);
                    elector.memory.current = elector.memory.current.max(epoch);
                }
            }
            Coming::News { heir, epoch } => {
                let heir = &mut self.heirs[heir];
                heir.gone = true;
                heir.current = heir.current.max(epoch);
            }
            Coming::Back { elector } => {
                let elector = &mut self.electors[elector];
                elector.up = true;
                elector.memory = elector.disk;
                // When it has voted is only in its memory, as in Redis; in which epoch is what counts.
                elector.voted_at = None;
                trace.note(now, Some(&elector.name.to_string()), "is back");
            }
        }
        Ok(())
    }
}

/// One election, until a while after somebody has won, or for twenty seconds.
fn run_world(seed: u64, trace: &mut Trace, under: Under) -> Result<(), Broken> {
    let mut election = Election::new(seed, under);
    trace.title = "an election".into();
    for name in election.heirs.iter().map(|heir| heir.name).chain(election.electors.iter().map(|e| e.name)) {
        trace.host(&name.to_string());
    }
    let offsets = election.heirs.iter().map(|heir| format!("{} at {}", heir.name, heir.offset));
    trace.note(Millis::ZERO, None, format!("the replicas: {}", list(offsets)));
    let mut until = Millis(20_000);
    while let Some(((at, _), coming)) = election.queue.pop_first() {
        if at > until {
            break;
        }
        election.happens(trace, at, coming)?;
        if !election.winners.is_empty() {
            until = until.min(at + Millis(3000));
        }
    }
    if election.rough {
        return Ok(());
    }
    // Nothing was lost, and nobody crashed.
    let most = election.heirs.iter().map(|heir| heir.offset).max().unwrap_or_default();
    let detail = match election.winners.values().next() {
        None => "nobody has won".to_string(),
        Some(winner) => {
            let behind = election.heirs.iter().any(|heir| heir.name == *winner && heir.offset < most);
            if !behind {
                return Ok(());
            }
            format!("{winner} has won")
        }
    };
    Err(Broken::new("If no packet is lost, the replica with most data wins.", detail))
}
