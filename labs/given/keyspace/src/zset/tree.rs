use std::cmp::Ordering;

use core_types::Rng;

use crate::dense::{Dense, Slot};

/// Members with their scores, to be found by member, by score and by rank.
///
/// Two structures in one: a hash table from member to score, and a search tree over the same entries,
/// in the order of score and then member. A node of the tree *is* an entry of the table, and its links
/// are positions in the table, so neither members nor scores are kept twice and there is one allocation
/// for all nodes. Every node knows the size of its subtree: that gives ranks.
///
/// The tree is a treap: a search tree by score and member, and a heap by a priority that is drawn when
/// the member comes. It then has the shape of a tree filled in random order, whatever the order really
/// was, and its expected depth is logarithmic. Redis keeps a skip list instead, which makes the same
/// bet on random draws; the treap needs two links per member and answers the same questions.
///
/// Removing an entry from the table moves the last one into the gap; the link to that one is then
/// corrected.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Dense<Node>,
    root: u32,
    /// Draws the priorities.
    rng: Rng,
}

#[derive(Clone, Debug)]
struct Node {
    member: Box<[u8]>,
    score: f64,
    left: u32,
    right: u32,
    /// How many nodes there are in the subtree, this one included.
    size: u32,
    /// Not below that of any node in the subtree.
    priority: u32,
    hash: u32,
}

impl Slot for Node {
    #[inline]
    fn key(&self) -> &[u8] {
        &self.member
    }

    #[inline]
    fn hash(&self) -> u32 {
        self.hash
    }
}

/// A node whose place is looked for: what is needed on the way, so that it need not be read at each step.
#[derive(Clone, Copy)]
struct Sought {
    index: u32,
    score: f64,
    priority: u32,
}

/// No node.
const NONE: u32 = u32::MAX;

impl Tree {
    pub(super) fn new(seed: u64) -> Tree {
        Tree { nodes: Dense::new(seed), root: NONE, rng: Rng::new(seed) }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// About how many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        self.nodes.memory() + self.nodes.iter().map(|node| node.member.len()).sum::<usize>()
    }

    pub(super) fn score(&self, member: &[u8]) -> Option<f64> {
        self.nodes.get(member).map(|node| node.score)
    }

    /// Gives a member a score, whether it is there or not. Returns the score it had.
    pub(super) fn set(&mut self, member: &[u8], score: f64) -> Option<f64> {
        let hash = self.nodes.hash(member);
        if let Some(index) = self.nodes.find_hashed(member, hash) {
            let index = index as u32;
            let before = self.node(index).score;
            if before != score {
                self.root = self.detach(self.root, self.seek(index));
                let node = self.node_mut(index);
                (node.score, node.left, node.right, node.size) = (score, NONE, NONE, 1);
                self.root = self.attach(self.root, self.seek(index));
            }
            return Some(before);
        }
        let priority = self.rng.next_u64() as u32;
        let member = member.into();
        let index = self.nodes.push(Node { member, score, left: NONE, right: NONE, size: 1, priority, hash });
        let index = u32::try_from(index).ok().filter(|index| *index != NONE);
        let index = index.expect("fewer than four billion members");
        self.root = self.attach(self.root, Sought { index, score, priority });
        None
    }

    /// Takes a member out. Returns the score it had.
    pub(super) fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let index = self.nodes.find(member)?;
        Some(self.remove_at(index as u32))
    }

    /// Takes the node at a position out. Returns its score.
    fn remove_at(&mut self, index: u32) -> f64 {
        self.root = self.detach(self.root, self.seek(index));
        let last = self.nodes.len() as u32 - 1;
        if index != last {
            self.relink(last, index);
        }
        self.nodes.swap_remove(index as usize).score
    }

    /// Makes the link to `from` one to `to`, where that node is about to go.
    fn relink(&mut self, from: u32, to: u32) {
        if self.root == from {
            self.root = to;
            return;
        }
        let (mut top, sought) = (self.root, self.seek(from));
        loop {
            let node = self.node(top);
            let is_left = self.is_before(sought, node);
            let next = if is_left { node.left } else { node.right };
            if next == from {
                let node = self.node_mut(top);
                *(if is_left { &mut node.left } else { &mut node.right }) = to;
                return;
            }
            top = next;
        }
    }

    /// How many members come before this one.
    pub(super) fn rank(&self, member: &[u8]) -> Option<usize> {
        let index = self.nodes.find(member)? as u32;
        let (mut top, mut rank, sought) = (self.root, 0, self.seek(index));
        while top != index {
            let node = self.node(top);
            if self.is_before(sought, node) {
                top = node.left;
            } else {
                rank += self.size(node.left) + 1;
                top = node.right;
            }
        }
        Some((rank + self.size(self.node(top).left)) as usize)
    }

    /// How many members from the first on satisfy a condition that no later one does.
    pub(super) fn partition(&self, holds: impl Fn(&[u8], f64) -> bool) -> usize {
        let (mut top, mut count) = (self.root, 0);
        while top != NONE {
            let (member, node) = self.entry(top);
            if holds(member, node.score) {
                count += self.size(node.left) + 1;
                top = node.right;
            } else {
                top = node.left;
            }
        }
        count as usize
    }

    /// The member and score at a position of the table, which says nothing about ranks.
    pub(super) fn at(&self, index: usize) -> (&[u8], f64) {
        let (member, node) = self.entry(index as u32);
        (member, node.score)
    }

    /// Members from the one of rank `start` on, to the last or, `backward`, to the first.
    pub(super) fn walk(&self, start: usize, backward: bool) -> Walk<'_> {
        let mut walk = Walk { tree: self, path: Vec::new(), backward };
        let (mut top, mut rank) = (self.root, start);
        while top != NONE {
            let node = self.node(top);
            let before = self.size(node.left) as usize;
            match rank.cmp(&before) {
                Ordering::Less => {
                    if !backward {
                        walk.path.push(top);
                    }
                    top = node.left;
                }
                Ordering::Equal => {
                    walk.path.push(top);
                    break;
                }
                Ordering::Greater => {
                    if backward {
                        walk.path.push(top);
                    }
                    rank -= before + 1;
                    top = node.right;
                }
            }
        }
        walk
    }

    /// Takes the members of ranks `start` to `start + count - 1` out.
    pub(super) fn remove_range(&mut self, start: usize, count: usize) {
        for _ in 0..count {
            let index = self.walk(start, false).path.last().copied();
            self.remove_at(index.expect("a rank that is there"));
        }
    }

    #[inline]
    fn entry(&self, index: u32) -> (&[u8], &Node) {
        let node = self.node(index);
        (&node.member, node)
    }

    #[inline]
    fn node(&self, index: u32) -> &Node {
        self.nodes.at(index as usize)
    }

    #[inline]
    fn node_mut(&mut self, index: u32) -> &mut Node {
        self.nodes.at_mut(index as usize)
    }

    #[inline]
    fn size(&self, top: u32) -> u32 {
        if top == NONE { 0 } else { self.node(top).size }
    }

    /// What must be known of a node to find its place.
    fn seek(&self, index: u32) -> Sought {
        let node = self.node(index);
        Sought { index, score: node.score, priority: node.priority }
    }

    /// True if a node's place is before that of another. Only equal scores need a look at the members.
    #[inline]
    fn is_before(&self, sought: Sought, other: &Node) -> bool {
        match sought.score.partial_cmp(&other.score).expect("a score is a number") {
            Ordering::Equal => self.node(sought.index).member < other.member,
            order => order.is_lt(),
        }
    }

    fn resize(&mut self, top: u32) {
        let node = self.node(top);
        let size = self.size(node.left) + self.size(node.right) + 1;
        self.node_mut(top).size = size;
    }

    /// Puts a node without children into the subtree at `top`. Returns what is now on top.
    fn attach(&mut self, top: u32, new: Sought) -> u32 {
        if top == NONE {
            return new.index;
        }
        let node = self.node(top);
        if new.priority > node.priority {
            let (left, right) = self.split(top, new);
            let size = self.size(left) + self.size(right) + 1;
            let node = self.node_mut(new.index);
            (node.left, node.right, node.size) = (left, right, size);
            return new.index;
        }
        if self.is_before(new, node) {
            let left = self.attach(node.left, new);
            let node = self.node_mut(top);
            (node.left, node.size) = (left, node.size + 1);
        } else {
            let right = self.attach(node.right, new);
            let node = self.node_mut(top);
            (node.right, node.size) = (right, node.size + 1);
        }
        top
    }

    /// Splits a subtree into what comes before a node and what comes behind it.
    fn split(&mut self, top: u32, pivot: Sought) -> (u32, u32) {
        if top == NONE {
            return (NONE, NONE);
        }
        let node = self.node(top);
        let halves = if self.is_before(pivot, node) {
            let (left, right) = self.split(node.left, pivot);
            self.node_mut(top).left = right;
            (left, top)
        } else {
            let (left, right) = self.split(node.right, pivot);
            self.node_mut(top).right = left;
            (top, right)
        };
        self.resize(top);
        halves
    }

    /// Takes a node out of the subtree at `top`. Returns what is now on top.
    fn detach(&mut self, top: u32, target: Sought) -> u32 {
        let node = self.node(top);
        if top == target.index {
            return self.merge(node.left, node.right);
        }
        if self.is_before(target, node) {
            let left = self.detach(node.left, target);
            let node = self.node_mut(top);
            (node.left, node.size) = (left, node.size - 1);
        } else {
            let right = self.detach(node.right, target);
            let node = self.node_mut(top);
            (node.right, node.size) = (right, node.size - 1);
        }
        top
    }

    /// One subtree of two, of which all of the first comes before all of the second.
    fn merge(&mut self, left: u32, right: u32) -> u32 {
        if left == NONE || right == NONE {
            return if left == NONE { right } else { left };
        }
        let top = if self.node(left).priority > self.node(right).priority {
            let inner = self.merge(self.node(left).right, right);
            self.node_mut(left).right = inner;
            left
        } else {
            let inner = self.merge(left, self.node(right).left);
            self.node_mut(right).left = inner;
            right
        };
        self.resize(top);
        top
    }
}

/// Members and scores of a [`Tree`] in order.
pub(super) struct Walk<'a> {
    tree: &'a Tree,
    /// The nodes that are still to come with what is behind them; the next one last.
    path: Vec<u32>,
    backward: bool,
}

impl<'a> Iterator for Walk<'a> {
    type Item = (&'a [u8], f64);

    fn next(&mut self) -> Option<(&'a [u8], f64)> {
        let (member, node) = self.tree.entry(self.path.pop()?);
        let mut next = if self.backward { node.left } else { node.right };
        while next != NONE {
            self.path.push(next);
            let node = self.tree.node(next);
            next = if self.backward { node.right } else { node.left };
        }
        Some((member, node.score))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a subtree; returns its size and depth.
    fn check(tree: &Tree, top: u32, seen: &mut Vec<u32>) -> (u32, u32) {
        if top == NONE {
            return (0, 0);
        }
        let node = tree.node(top);
        for child in [node.left, node.right] {
            assert!(child == NONE || tree.node(child).priority <= node.priority, "heap order");
        }
        let left = check(tree, node.left, seen);
        seen.push(top);
        let right = check(tree, node.right, seen);
        assert_eq!(node.size, left.0 + right.0 + 1, "size");
        (node.size, left.1.max(right.1) + 1)
    }

    #[test]
    fn order_sizes_and_links_hold_after_any_change() {
        for seed in 0..40 {
            let mut rng = Rng::new(seed);
            let mut tree = Tree::new(seed);
            for _ in 0..300 {
                let member = format!("m{}", rng.below(60)).into_bytes();
                match rng.below(3) {
                    0 => drop(tree.remove(&member)),
                    1 if tree.len() > 3 => tree.remove_range(rng.below(tree.len() as u64 - 2) as usize, 2),
                    _ => drop(tree.set(&member, rng.below(8) as f64)),
                }
                let mut seen = Vec::new();
                check(&tree, tree.root, &mut seen);
                assert_eq!(seen.len(), tree.len());
                assert!(
                    seen.is_sorted_by(|a, b| tree.is_before(tree.seek(*a), tree.node(*b))),
                    "seed {seed}"
                );
            }
        }
    }

    #[test]
    fn it_stays_flat_when_members_come_in_order() {
        let mut tree = Tree::new(1);
        for number in 0..20_000u32 {
            tree.set(&number.to_be_bytes(), f64::from(number));
        }
        let (size, depth) = check(&tree, tree.root, &mut Vec::new());
        assert_eq!(size, 20_000);
        assert!(depth < 50, "{depth}");
        assert_eq!(tree.rank(&777u32.to_be_bytes()), Some(777));
        assert_eq!(tree.walk(19_998, false).count(), 2);
        assert_eq!(tree.walk(2, true).map(|(_, score)| score).collect::<Vec<_>>(), [2.0, 1.0, 0.0]);
        assert_eq!(tree.partition(|_, score| score < 500.0), 500);
    }
}
