//! Names of histories in a small world of nodes: they write, follow, are promoted, die and start from files.
//!
//! The invariant: a node that is told to continue, and is sent what lies behind the offset that it offered, holds
//! what its new master holds. Everything else about names (who is told what, how long a name is kept) is a
//! means to that end.

use core_types::{History, Offset, Position, ReplId, Rng};
use solution_3::{Past, continued, offer, promoted, restarted, resynchronised};

/// A node. Its data are a list of writes, each with a number of its own; the list's length is the offset.
#[derive(Clone)]
struct Node {
    history: History,
    data: Vec<u64>,
    master: bool,
    /// Its RDB file: what it held when it was last saved.
    file: Option<(ReplId, Vec<u64>)>,
}

impl Node {
    fn offset(&self) -> Offset {
        Offset(self.data.len() as u64)
    }

    fn past(&self) -> Past {
        let (history, offset) = (self.history, self.offset());
        if self.master {
            Past::Master { history, offset }
        } else {
            Past::Replica { history, applied: offset, received: offset.plus(3) }
        }
    }

    /// `PSYNC`, for a backlog that never forgets.
    fn continues(&self, asked: Position) -> bool {
        let under = |name: Position| asked.id == name.id && asked.offset <= name.offset;
        under(Position { id: self.history.id, offset: self.offset() })
            || self.history.earlier.is_some_and(under)
    }
}

/// The decisions under test; a test can put a wrong one in.
struct Rules {
    promoted: fn(History, Offset, ReplId) -> History,
    restarted: fn(Option<Position>, ReplId) -> (History, Offset),
    offer: fn(&Past) -> Option<Position>,
}

const RULES: Rules = Rules { promoted, restarted, offer };

/// How a run went: partial synchronisations, full ones, and of the partial ones those under an earlier name.
#[derive(Default, Debug)]
struct Count {
    partial: u64,
    full: u64,
    under_earlier_name: u64,
}

/// One run. `Err`: somebody was told to continue, and its data are not its master's.
fn run(seed: u64, rules: &Rules) -> Result<Count, String> {
    let mut rng = Rng::new(seed);
    let first = ReplId::random(&mut rng);
    let count = rng.between(2, 7) as usize;
    let blank = Node { history: History::new(first), data: Vec::new(), master: false, file: None };
    let mut nodes = vec![blank; count];
    nodes[0].master = true;
    let mut counted = Count::default();
    for write in 0..rng.between(10, 120) {
        let who = rng.below(count as u64) as usize;
        match rng.below(10) {
            0..=3 => {
                if nodes[who].master {
                    nodes[who].data.push(write);
                }
            }
            4 => {
                let node = &mut nodes[who];
                if !node.master {
                    node.history = (rules.promoted)(node.history, node.offset(), ReplId::random(&mut rng));
                    node.master = true;
                }
            }
            5 => nodes[who].file = Some((nodes[who].history.id, nodes[who].data.clone())),
            6 => {
                // It dies and starts as a master, from its file or with nothing.
                let node = &mut nodes[who];
                let saved = node.file.clone();
                let position =
                    saved.as_ref().map(|(id, data)| Position { id: *id, offset: Offset(data.len() as u64) });
                let (history, offset) = (rules.restarted)(position, ReplId::random(&mut rng));
                node.history = history;
                node.data = saved.map_or(Vec::new(), |(_, data)| data);
                node.master = true;
                assert_eq!(offset, node.offset(), "the offset is the file's");
            }
            _ => {
                let other = (who + 1 + rng.below(count as u64 - 1) as usize) % count;
                let mut past = nodes[who].past();
                if rng.chance(15) {
                    // It starts from its file, as a replica.
                    let file = nodes[who].file.clone();
                    let saved = file
                        .as_ref()
                        .map(|(id, data)| Position { id: *id, offset: Offset(data.len() as u64) });
                    past = Past::Loaded { saved };
                    if let Some((id, data)) = file {
                        nodes[who].history = History::new(id);
                        nodes[who].data = data;
                    }
                }
                let asked = (rules.offer)(&past);
                let above = nodes[other].clone();
                let node = &mut nodes[who];
                if let Some(asked) = asked.filter(|asked| above.continues(*asked)) {
                    let mut data = node.data.clone();
                    data.extend(above.data.iter().skip(asked.offset.0 as usize));
                    if data != above.data {
                        return Err(format!("node {who} continued, and holds other data than node {other}"));
                    }
                    counted.partial += 1;
                    counted.under_earlier_name += u64::from(asked.id != above.history.id);
                    node.history = continued(node.history, node.offset(), Some(above.history.id))
                        .unwrap_or(node.history);
                } else {
                    counted.full += 1;
                    node.history = resynchronised(above.history.id);
                }
                node.data = above.data;
                node.master = false;
            }
        }
    }
    Ok(counted)
}

#[test]
fn whoever_continues_ends_with_its_masters_data() {
    let mut total = Count::default();
    for seed in 0..20_000 {
        let count = run(seed, &RULES).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        total.partial += count.partial;
        total.full += count.full;
        total.under_earlier_name += count.under_earlier_name;
    }
    // The test would say little if hardly anybody ever continued.
    assert!(total.partial > 50_000, "{total:?}");
    assert!(total.under_earlier_name > 5_000, "{total:?}");
}

/// The same worlds find each of these mistakes.
#[test]
fn a_wrong_rule_is_found() {
    let wrong = [
        ("keeps the old name", Rules { promoted: |history, _, _| history, ..RULES }),
        (
            "one byte too far",
            Rules { promoted: |history, offset, new| promoted(history, offset.plus(1), new), ..RULES },
        ),
        (
            "goes on under the name in the file",
            Rules {
                restarted: |saved, new| match saved {
                    Some(saved) => (History::new(saved.id), saved.offset),
                    None => restarted(None, new),
                },
                ..RULES
            },
        ),
        (
            "offers its earlier name",
            Rules {
                offer: |past| match *past {
                    Past::Master { history, offset } => {
                        history.earlier.or(Some(Position { id: history.id, offset }))
                    }
                    _ => offer(past),
                },
                ..RULES
            },
        ),
        (
            "offers what it has received",
            Rules {
                offer: |past| match *past {
                    Past::Replica { history, received, .. } => {
                        Some(Position { id: history.id, offset: received })
                    }
                    _ => offer(past),
                },
                ..RULES
            },
        ),
    ];
    for (name, rules) in wrong {
        assert!((0..2000).any(|seed| run(seed, &rules).is_err()), "{name}: no seed finds it");
    }
}
