//! One position, one state (P6), in a small world of nodes that write, fall behind, lose their links, are
//! promoted, crash, forget their backlogs and follow each other: whatever [`psync`] lets go on must be sound.
//!
//! The same world must break if the decision forgets where the earlier name ends, and if a master keeps
//! its name when it drops its backlog: a check that cannot fail is none.

use core_types::{History, Millis, Offset, Position, ReplId, Rng};
use solution_2::*;

/// How the master decides.
type Decide = fn(&History, Option<Window>, &[u8], i64) -> Verdict;

/// A node whose stream is a list of writes, each of one byte and with a number of its own.
#[derive(Clone, Debug)]
struct Node {
    history: History,
    /// Everything that has been applied; what was not counted lies in front of `base`.
    data: Vec<u64>,
    /// How many writes are not counted in the offset.
    uncounted: usize,
    /// How many of the last counted writes the backlog holds; `None`: it has none.
    backlog: Option<usize>,
    /// It is a replica: it does not write, even without a link.
    follows: bool,
    /// Whom it follows, or last followed.
    of: usize,
    /// The master that it is linked to.
    link: Option<usize>,
}

impl Node {
    fn offset(&self) -> Offset {
        Offset((self.data.len() - self.uncounted) as u64)
    }

    fn window(&self) -> Option<Window> {
        let end = self.offset();
        self.backlog.map(|kept| Window { start: Offset(end.0 - kept as u64), end })
    }

    /// What it holds at every position of which it can say that it stood there.
    fn at(&self, position: Position) -> Option<&[u64]> {
        let known = self.history.id == position.id
            || self
                .history
                .earlier
                .is_some_and(|past| past.id == position.id && position.offset <= past.offset);
        let counted = position.offset <= self.offset();
        (known && counted).then(|| &self.data[..self.uncounted + position.offset.0 as usize])
    }
}

struct World {
    rng: Rng,
    nodes: Vec<Node>,
    writes: u64,
    decide: Decide,
    /// A master that drops its backlog takes a new name.
    renames: bool,
    continued: u64,
}

impl World {
    const KEPT: usize = 6;

    fn new(seed: u64, decide: Decide, renames: bool) -> World {
        let mut rng = Rng::new(seed);
        let nodes = (0..4)
            .map(|_| Node {
                history: History::new(ReplId::random(&mut rng)),
                data: Vec::new(),
                uncounted: 0,
                backlog: None,
                follows: false,
                of: 0,
                link: None,
            })
            .collect();
        World { rng, nodes, writes: 0, decide, renames, continued: 0 }
    }

    fn step(&mut self) {
        let node = self.rng.below(4) as usize;
        let (of, anybody, rarely) = (self.nodes[node].of, self.rng.below(4) as usize, self.rng.chance(15));
        match (self.rng.below(10), self.nodes[node].follows, self.nodes[node].link) {
            (0..=5, false, _) => self.write(node),
            (0..=6, true, Some(master)) => self.deliver(node, master),
            (7, true, Some(_)) => self.nodes[node].link = None,
            (4..=8, true, None) => self.follow(node, of),
            (6, false, _) if rarely => self.live(node, Millis::from_secs(10)),
            (7, false, _) if rarely => self.crash(node),
            (8, true, _) if rarely => self.promote(node),
            (9, ..) if rarely => self.follow(node, anybody),
            _ => {}
        }
    }

    fn write(&mut self, node: usize) {
        self.writes += 1;
        let here = &mut self.nodes[node];
        here.data.push(self.writes);
        match &mut here.backlog {
            Some(kept) => *kept = (*kept + 1).min(World::KEPT),
            None => here.uncounted += 1,
        }
    }

    /// The replica is sent its next write, if its master still has it; else the link breaks.
    fn deliver(&mut self, node: usize, master: usize) {
        let (here, there) = (self.nodes[node].clone(), self.nodes[master].clone());
        let (at, end) = (here.offset(), there.offset());
        let served = there.window().is_some_and(|window| window.start <= at && at <= end);
        if there.follows || !served || there.history.id != here.history.id {
            self.nodes[node].link = None;
            return;
        }
        if at < end {
            let here = &mut self.nodes[node];
            here.data.push(there.data[there.uncounted + at.0 as usize]);
            here.backlog = here.backlog.map(|kept| (kept + 1).min(World::KEPT));
        }
    }

    fn promote(&mut self, node: usize) {
        let past = Position { id: self.nodes[node].history.id, offset: self.nodes[node].offset() };
        let id = ReplId::random(&mut self.rng);
        (self.nodes[node].follows, self.nodes[node].link) = (false, None);
        self.nodes[node].history = History { id, earlier: Some(past) };
    }

    /// A master crashes, and starts again from a file that lacks its last writes. Its past ends there.
    fn crash(&mut self, node: usize) {
        let lost = self.rng.below(4).min(self.nodes[node].offset().0) as usize;
        let here = &mut self.nodes[node];
        here.data.truncate(here.data.len() - lost);
        let past = Position { id: here.history.id, offset: here.offset() };
        here.history = History { id: ReplId::random(&mut self.rng), earlier: Some(past) };
        here.backlog = Some(0);
        for other in &mut self.nodes {
            other.link = other.link.filter(|&master| master != node);
        }
    }

    /// The backlog begins or ends as the rules say.
    fn live(&mut self, node: usize, alone_for: Millis) {
        let here = &self.nodes[node];
        let replicas = self.nodes.iter().filter(|other| other.link == Some(node)).count();
        let holder = Holder {
            backlog: here.backlog.is_some(),
            follows: here.follows,
            replicas,
            alone_since: Millis::ZERO,
        };
        let fresh = ReplId::random(&mut self.rng);
        match backlog_life(alone_for, Millis::from_secs(5), &holder, &here.history.clone(), || fresh) {
            Life::AsItIs => {}
            Life::Begin(history) => {
                self.nodes[node].history = history;
                self.nodes[node].backlog = Some(0);
            }
            Life::Forget(history) => {
                if self.renames {
                    self.nodes[node].history = history;
                }
                self.nodes[node].backlog = None;
            }
        }
    }

    /// `node` follows `master`, from where it stands if that is allowed.
    fn follow(&mut self, node: usize, master: usize) {
        if master == node || self.nodes[master].follows {
            return;
        }
        let here = &self.nodes[node];
        let held = Held { id: here.history.id, received: here.offset(), applied: here.offset() };
        let asked = psync_request(Some(&held));
        let wanted = std::str::from_utf8(&asked.as_args()[2]).expect("digits").parse().expect("a number");
        let there = &self.nodes[master];
        let verdict = (self.decide)(&there.history, there.window(), &asked.as_args()[1], wanted);
        (self.nodes[node].follows, self.nodes[node].of, self.nodes[node].link) = (true, master, Some(master));
        self.live(master, Millis::ZERO);
        let there = self.nodes[master].clone();
        let here = &mut self.nodes[node];
        match verdict {
            Verdict::Continue { .. } => {
                self.continued += 1;
                // The history may have been renamed; what the replica holds is the past of it.
                here.history = there.history;
            }
            Verdict::Full(_) => {
                here.history = there.history;
                here.data = there.data;
                here.uncounted = there.uncounted;
                here.backlog = None;
            }
        }
        self.live(node, Millis::ZERO);
    }

    /// Any two nodes that know the same position hold the same there.
    fn check(&self) -> Result<(), String> {
        for (one, here) in self.nodes.iter().enumerate() {
            for (other, there) in self.nodes.iter().enumerate().skip(one + 1) {
                for name in
                    [Some(here.history.id), here.history.earlier.map(|past| past.id)].into_iter().flatten()
                {
                    let offset = here.offset().min(there.offset());
                    let position = Position { id: name, offset };
                    if let (Some(this), Some(that)) = (here.at(position), there.at(position))
                        && this != that
                    {
                        return Err(format!(
                            "nodes {one} and {other} differ at {position:?}: {this:?}, {that:?}"
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Runs one seed; how many partial resynchronisations there were, or what broke.
fn run(seed: u64, decide: Decide, renames: bool) -> Result<u64, String> {
    let mut world = World::new(seed, decide, renames);
    for step in 0..300 {
        world.step();
        world.check().map_err(|broken| format!("seed {seed}, step {step}: {broken}"))?;
    }
    Ok(world.continued)
}

#[test]
fn one_position_one_state() {
    let mut continued = 0;
    for seed in 0..300 {
        continued += run(seed, psync, true).unwrap_or_else(|broken| panic!("{broken}"));
    }
    assert!(continued > 1000, "only {continued} replicas went on where they were: this test shows little");
}

#[test]
fn an_earlier_name_without_an_end_is_caught() {
    let endless: Decide = |history, window, id, wanted| {
        let earlier = history.earlier.map(|past| Position { offset: Offset(u64::MAX - 1), ..past });
        psync(&History { earlier, ..*history }, window, id, wanted)
    };
    assert!((0..300).any(|seed| run(seed, endless, true).is_err()), "nobody noticed");
}

#[test]
fn a_backlog_that_is_dropped_without_a_new_name_is_caught() {
    assert!((0..300).any(|seed| run(seed, psync, false).is_err()), "nobody noticed");
}
