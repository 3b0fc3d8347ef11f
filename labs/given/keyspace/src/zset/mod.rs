//! Sorted sets: members in the order of their scores.

mod tree;

use std::cmp::Ordering;

use core_types::format_double;

use crate::keyspace::Compact;
use crate::packed::{At, Item, Packed};
use crate::value::Digits;
pub use tree::Tree;

/// A sorted set: members in the order of their scores, those of equal score in the order of their bytes.
#[derive(Clone, Debug)]
pub enum Zset {
    /// A short one, in order: member, score, member, score.
    Small(Packed),
    /// Any one.
    Large(Box<Tree>),
}

/// The order of members: by score, then by bytes.
#[inline]
fn compare(a: (f64, &[u8]), b: (f64, &[u8])) -> Ordering {
    a.0.partial_cmp(&b.0).expect("a score is a number").then_with(|| a.1.cmp(b.1))
}

/// Whole numbers within these bounds are packed as such (`double2ll` in Redis's `util.c`).
const WHOLE: f64 = (i64::MAX / 2) as f64;

/// The mark in front of the eight bytes of a score that is no whole number. It keeps them from being
/// taken for the digits of one.
const MARK: u8 = b'f';

/// A score as an element of a [`Packed`]. -0 becomes 0, as in Redis's listpack.
fn pack(score: f64, room: &mut [u8; 9]) -> Item<'_> {
    if (-WHOLE..=WHOLE).contains(&score) && score == score.trunc() {
        return Item::Int(score as i64);
    }
    room[0] = MARK;
    room[1..].copy_from_slice(&score.to_le_bytes());
    Item::Bytes(room)
}

fn unpack(item: Item<'_>) -> f64 {
    match item {
        Item::Int(number) => number as f64,
        Item::Bytes(bytes) => f64::from_le_bytes(bytes[1..].try_into().expect("a mark and eight bytes")),
    }
}

impl Zset {
    /// About how many bytes it takes beyond the entry that holds it.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Zset::Small(packed) => packed.size(),
            Zset::Large(tree) => tree.memory(),
        }
    }

    /// A sorted set that holds nothing.
    pub fn new() -> Zset {
        Zset::Small(Packed::new())
    }

    /// A set that holds nothing and is made for many members.
    pub(crate) fn new_large(seed: u64) -> Zset {
        Zset::Large(Box::new(Tree::new(seed)))
    }

    /// Takes the small form if the set fits into it. Only a set that was computed or loaded as a whole
    /// does that: one that was changed member by member stays large.
    pub(crate) fn shrink(self, compact: &Compact) -> Zset {
        let Zset::Large(tree) = &self else { return self };
        let fits = tree.len() <= compact.zset_entries
            && (0..tree.len()).all(|index| tree.at(index).0.len() <= compact.zset_value);
        if !fits {
            return self;
        }
        let mut packed = Packed::new();
        for (member, score) in tree.walk(0, false) {
            packed.push_back(Item::new(member));
            packed.push_back(pack(score, &mut [0; 9]));
        }
        Zset::Small(packed)
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        match self {
            Zset::Small(packed) => packed.len() / 2,
            Zset::Large(tree) => tree.len(),
        }
    }

    /// True without any member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The score of a member.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match self {
            Zset::Small(packed) => find(packed, member).map(|at| score_of(packed, at)),
            Zset::Large(tree) => tree.score(member),
        }
    }

    /// Gives a member a score, whether it is there or not. Returns the score it had. `compact` says how
    /// long the set may stay small, `seed` is for what it becomes then.
    pub fn set(&mut self, member: &[u8], score: f64, compact: &Compact, seed: u64) -> Option<f64> {
        if let Zset::Small(packed) = self {
            let found = find(packed, member);
            let before = found.map(|at| score_of(packed, at));
            if before == Some(score) {
                return before;
            }
            let fits = packed.len() / 2 < compact.zset_entries && member.len() <= compact.zset_value;
            if found.is_some() || fits {
                if let Some(at) = found {
                    packed.remove(at, 2);
                }
                insert(packed, member, score);
                return before;
            }
            self.grow(seed);
        }
        let Zset::Large(tree) = self else { unreachable!("it has just grown") };
        tree.set(member, score)
    }

    fn grow(&mut self, seed: u64) {
        let mut tree = Tree::new(seed);
        let mut digits = Digits::default();
        for (member, score) in self.range(0, self.len(), false) {
            tree.set(member.as_bytes(&mut digits), score);
        }
        *self = Zset::Large(Box::new(tree));
    }

    /// Takes a member out. Returns the score it had.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match self {
            Zset::Small(packed) => {
                let at = find(packed, member)?;
                let score = score_of(packed, at);
                packed.remove(at, 2);
                Some(score)
            }
            Zset::Large(tree) => tree.remove(member),
        }
    }

    /// Takes the members of ranks `start` to `start + count - 1` out. They must be there.
    pub fn remove_range(&mut self, start: usize, count: usize) {
        match self {
            Zset::Small(packed) => {
                if let Some(at) = packed.nth(2 * start) {
                    packed.remove(at, 2 * count);
                }
            }
            Zset::Large(tree) => tree.remove_range(start, count),
        }
    }

    /// How many members come before this one.
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        match self {
            Zset::Small(packed) => {
                let item = Item::new(member);
                packed.iter().step_by(2).position(|found| found == item)
            }
            Zset::Large(tree) => tree.rank(member),
        }
    }

    /// How many members from the first on satisfy a condition that no later one does.
    pub(crate) fn partition(&self, holds: impl Fn(&[u8], f64) -> bool) -> usize {
        match self {
            Zset::Small(_) => {
                let mut digits = Digits::default();
                self.iter().take_while(|(member, score)| holds(member.as_bytes(&mut digits), *score)).count()
            }
            Zset::Large(tree) => tree.partition(holds),
        }
    }

    /// `count` members and their scores, or as many as there are, from the one of rank `start` on:
    /// upward, or `backward`.
    pub fn range(&self, start: usize, count: usize, backward: bool) -> Range<'_> {
        let len = self.len();
        let count = if start >= len { 0 } else { count.min(if backward { start + 1 } else { len - start }) };
        let walk = match self {
            _ if count == 0 => Walk::Nothing,
            Zset::Small(packed) => Walk::Small { packed, at: packed.nth(2 * start), backward },
            Zset::Large(tree) => Walk::Large(tree.walk(start, backward)),
        };
        Range { walk, left: count }
    }

    /// All members and their scores in order.
    pub fn iter(&self) -> Range<'_> {
        self.range(0, self.len(), false)
    }

    /// The member and score at `index` in an order that says nothing about ranks, but in which a large
    /// set finds them fastest, and in which it can be scanned (see [`Db`](crate::Db)).
    pub(crate) fn at(&self, index: usize) -> (Item<'_>, f64) {
        match self {
            Zset::Small(packed) => {
                let at = packed.nth(2 * index).expect("an index below the length");
                (packed.get(at), score_of(packed, at))
            }
            Zset::Large(tree) => {
                let (member, score) = tree.at(index);
                (Item::Bytes(member), score)
            }
        }
    }

    /// A score as `ZSCAN` shows it: large whole numbers of a small set in full, as they are kept.
    pub(crate) fn show_score(&self, score: f64) -> String {
        match (self, pack(score, &mut [0; 9])) {
            (Zset::Small(_), Item::Int(number)) => number.to_string(),
            _ => format_double(score),
        }
    }

    /// The name `OBJECT ENCODING` answers.
    pub(crate) fn encoding(&self) -> &'static str {
        match self {
            Zset::Small(_) => "listpack",
            // A treap really; but this is the name that tools know for the large form.
            Zset::Large(_) => "skiplist",
        }
    }
}

fn find(packed: &Packed, member: &[u8]) -> Option<At> {
    packed.find(Item::new(member), packed.first()?, 2)
}

/// The score behind the member at `at`.
fn score_of(packed: &Packed, at: At) -> f64 {
    unpack(packed.get(packed.next(at).expect("a score behind every member")))
}

/// Puts a member that is not there at its place.
fn insert(packed: &mut Packed, member: &[u8], score: f64) {
    let mut digits = Digits::default();
    let mut place = packed.first();
    while let Some(at) = place {
        if compare((score, member), (score_of(packed, at), packed.get(at).as_bytes(&mut digits))).is_lt() {
            break;
        }
        place = packed.next(at).and_then(|at| packed.next(at));
    }
    let at = place.unwrap_or_else(|| packed.end());
    packed.insert(at, pack(score, &mut [0; 9]));
    packed.insert(at, Item::new(member));
}

impl Default for Zset {
    fn default() -> Zset {
        Zset::new()
    }
}

/// Equal if they hold the same members with the same scores, however.
impl PartialEq for Zset {
    fn eq(&self, other: &Zset) -> bool {
        let mut digits = Digits::default();
        self.len() == other.len()
            && self.iter().all(|(member, score)| other.score(member.as_bytes(&mut digits)) == Some(score))
    }
}

impl Eq for Zset {}

/// Members of a [`Zset`] and their scores, in order.
pub struct Range<'a> {
    walk: Walk<'a>,
    left: usize,
}

enum Walk<'a> {
    Nothing,
    Small { packed: &'a Packed, at: Option<At>, backward: bool },
    Large(tree::Walk<'a>),
}

impl<'a> Iterator for Range<'a> {
    type Item = (Item<'a>, f64);

    fn next(&mut self) -> Option<(Item<'a>, f64)> {
        self.left = self.left.checked_sub(1)?;
        match &mut self.walk {
            Walk::Nothing => None,
            Walk::Small { packed, at: place, backward } => {
                let at = (*place)?;
                let packed = *packed;
                let score = packed.next(at).expect("a score behind every member");
                *place = if *backward {
                    packed.prev(at).and_then(|at| packed.prev(at))
                } else {
                    packed.next(score)
                };
                Some((packed.get(at), unpack(packed.get(score))))
            }
            Walk::Large(walk) => walk.next().map(|(member, score)| (Item::Bytes(member), score)),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Range<'_> {}
