use std::collections::VecDeque;

use crate::packed::{Item, Packed};

/// A list: short runs of elements, each in one piece of memory, in a ring.
///
/// Both ends take constant time. A place in the middle is found by counting runs, from the nearer end,
/// and then walking through one of them. As in Redis's quicklist a run is bounded (8 KiB by default), and
/// an element beyond the bound has a run of its own.
#[derive(Clone, Debug)]
pub struct List {
    /// None of them is empty.
    nodes: VecDeque<Packed>,
    len: usize,
    /// What bounds a node; see [`Compact::list_node`](crate::Compact::list_node).
    fill: i32,
}

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The beginning (`LEFT`).
    Front,
    /// The end (`RIGHT`).
    Back,
}

/// The largest node of a list whose nodes are bounded by a number of elements, in bytes
/// (`SIZE_SAFETY_LIMIT` in Redis's `quicklist.c`).
const SAFE_SIZE: usize = 8192;

impl Default for List {
    fn default() -> List {
        List::new(-2)
    }
}

impl List {
    /// An empty list; `fill` bounds its nodes, see [`Compact::list_node`](crate::Compact::list_node).
    pub fn new(fill: i32) -> List {
        List { nodes: VecDeque::new(), len: 0, fill }
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True without any element.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// About how many bytes it takes.
    pub(crate) fn memory(&self) -> usize {
        let nodes: usize = self.nodes.iter().map(Packed::size).sum();
        size_of::<List>() + self.nodes.capacity() * size_of::<Packed>() + nodes
    }

    /// Would `node` still be within its bounds with `elements` more of `bytes` in all?
    fn fits(&self, node: &Packed, elements: usize, bytes: usize) -> bool {
        let size = node.size() + bytes;
        match self.fill {
            fill @ 1.. => node.len() + elements <= fill as usize && size <= SAFE_SIZE,
            // -1 is 4 KiB, and each further step doubles that.
            fill => size <= 4096 << (-1 - fill).clamp(0, 4),
        }
    }

    /// Adds an element at an end.
    pub fn push(&mut self, end: End, text: &[u8]) {
        let item = Item::new(text);
        let node = match end {
            End::Front => self.nodes.front(),
            End::Back => self.nodes.back(),
        };
        let fits = node.is_some_and(|node| self.fits(node, 1, item.packed_size()));
        match end {
            End::Front => {
                if !fits {
                    self.nodes.push_front(Packed::new());
                }
                self.nodes[0].push_front(item);
            }
            End::Back => {
                if !fits {
                    self.nodes.push_back(Packed::new());
                }
                self.nodes.back_mut().expect("there is a node now").push_back(item);
            }
        }
        self.len += 1;
    }

    /// The element at an end.
    pub fn peek(&self, end: End) -> Option<Item<'_>> {
        match end {
            End::Front => self.nodes.front()?.iter().next(),
            End::Back => self.nodes.back()?.iter().next_back(),
        }
    }

    /// Drops `count` elements from an end, or all.
    pub fn drop(&mut self, end: End, count: usize) {
        let count = count.min(self.len);
        self.remove(if end == End::Front { 0 } else { self.len - count }, count);
    }

    /// The node that holds element `index`, and its place there.
    fn locate(&self, index: usize) -> Option<(usize, usize)> {
        if index >= self.len {
            return None;
        }
        if index <= self.len / 2 {
            let mut left = index;
            for (number, node) in self.nodes.iter().enumerate() {
                match left.checked_sub(node.len()) {
                    Some(rest) => left = rest,
                    None => return Some((number, left)),
                }
            }
        } else {
            let mut left = self.len - index;
            for (number, node) in self.nodes.iter().enumerate().rev() {
                match node.len().checked_sub(left) {
                    Some(inside) => return Some((number, inside)),
                    None => left -= node.len(),
                }
            }
        }
        unreachable!("the nodes hold as many elements as the list")
    }

    /// Element `index`.
    pub fn get(&self, index: usize) -> Option<Item<'_>> {
        let (node, inside) = self.locate(index)?;
        let node = &self.nodes[node];
        node.nth(inside).map(|at| node.get(at))
    }

    /// Elements in order, from either end.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Item<'_>> {
        self.nodes.iter().flat_map(Packed::iter)
    }

    /// Elements in order from `index` on.
    pub fn iter_from(&self, index: usize) -> impl Iterator<Item = Item<'_>> {
        let (node, inside) = self.locate(index).unwrap_or((self.nodes.len(), 0));
        self.nodes.range(node..).flat_map(Packed::iter).skip(inside)
    }

    /// Puts another element in the place of element `index`; false if there is none.
    pub fn set(&mut self, index: usize, text: &[u8]) -> bool {
        let Some((number, inside)) = self.locate(index) else { return false };
        let item = Item::new(text);
        let node = &self.nodes[number];
        if node.len() == 1 || self.fits(node, 0, item.packed_size()) {
            let node = &mut self.nodes[number];
            let at = node.nth(inside).expect("it has just been located");
            node.replace(at, item);
        } else {
            self.remove(index, 1);
            self.insert(index, text);
        }
        true
    }

    /// Adds an element before element `index`, or at the end if there are only `index`.
    pub fn insert(&mut self, index: usize, text: &[u8]) {
        let Some((number, inside)) = self.locate(index) else { return self.push(End::Back, text) };
        if index == 0 {
            return self.push(End::Front, text);
        }
        self.len += 1;
        let item = Item::new(text);
        let size = item.packed_size();
        let at = self.nodes[number].nth(inside).expect("it has just been located");
        if self.fits(&self.nodes[number], 1, size) {
            return self.nodes[number].insert(at, item);
        }
        // The place between the two halves of the node, or between it and the one before.
        let mut behind = number;
        if inside > 0 {
            let tail = self.nodes[number].split_off(at);
            behind += 1;
            self.nodes.insert(behind, tail);
        }
        if self.fits(&self.nodes[behind - 1], 1, size) {
            self.nodes[behind - 1].push_back(item);
        } else if self.fits(&self.nodes[behind], 1, size) {
            self.nodes[behind].push_front(item);
        } else {
            self.nodes.insert(behind, Packed::from_iter([item]));
            self.merge(behind);
        }
        self.merge(behind);
        self.merge(behind - 1);
    }

    /// Takes `count` elements out from element `index` on; so many there must be.
    pub fn remove(&mut self, index: usize, count: usize) {
        let Some((number, inside)) = self.locate(index) else { return };
        let count = count.min(self.len - index);
        self.len -= count;
        let mut left = count;
        let mut first = number;
        if inside > 0 {
            let node = &mut self.nodes[number];
            let here = left.min(node.len() - inside);
            let at = node.nth(inside).expect("it has just been located");
            node.remove(at, here);
            left -= here;
            first += 1;
        }
        let mut end = first;
        while let Some(node) = self.nodes.get(end)
            && node.len() <= left
        {
            left -= node.len();
            end += 1;
        }
        self.nodes.drain(first..end);
        if left > 0 {
            self.nodes[first].drop_front(left);
        }
        if first > 0 {
            self.merge(first - 1);
        }
    }

    /// Drops all but `count` elements from element `start` on.
    pub fn trim(&mut self, start: usize, count: usize) {
        self.remove((start + count).min(self.len), self.len);
        self.remove(0, start.min(self.len));
    }

    /// Removes up to `limit` elements equal to `text`, the first or the last ones. Returns how many.
    pub fn remove_equal(&mut self, text: &[u8], from: End, limit: usize) -> usize {
        let item = Item::new(text);
        let mut left = limit;
        for index in 0..self.nodes.len() {
            if left == 0 {
                break;
            }
            left -= match from {
                End::Front => self.nodes[index].remove_equal(item, 0, left),
                End::Back => {
                    let index = self.nodes.len() - 1 - index;
                    let node = &mut self.nodes[index];
                    let spared = node.iter().filter(|found| *found == item).count().saturating_sub(left);
                    node.remove_equal(item, spared, left)
                }
            };
        }
        self.nodes.retain(|node| !node.is_empty());
        self.len -= limit - left;
        limit - left
    }

    /// Makes node `number` and the next one a single one if that is within its bounds, so that a list
    /// does not crumble where it is changed again and again.
    fn merge(&mut self, number: usize) {
        let (Some(first), Some(second)) = (self.nodes.get(number), self.nodes.get(number + 1)) else {
            return;
        };
        if self.fits(first, second.len(), second.size()) {
            let second = self.nodes.remove(number + 1).expect("it has just been seen");
            self.nodes[number].append(&second);
        }
    }

    /// What must hold between commands.
    #[cfg(test)]
    pub(crate) fn is_sound(&self) -> bool {
        let bounded = |node: &Packed| node.len() == 1 || self.fits(node, 0, 0);
        self.nodes.iter().map(Packed::len).sum::<usize>() == self.len
            && self.nodes.iter().all(|node| !node.is_empty() && bounded(node))
    }
}

/// Equal if the elements are: where the nodes begin is nobody's business.
impl PartialEq for List {
    fn eq(&self, other: &List) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl Eq for List {}

#[cfg(test)]
mod tests {
    use super::*;
    use core_types::Rng;

    /// Random changes against a ring of texts, with nodes so small that they split and merge all the time.
    #[test]
    fn a_list_is_a_sequence_whatever_its_nodes() {
        for seed in 0..60 {
            let mut rng = Rng::new(seed);
            let fill = [1, 2, 5, -1, -2][seed as usize % 5];
            let mut list = List::new(fill);
            let mut model: VecDeque<Vec<u8>> = VecDeque::new();
            for step in 0..400 {
                change(&mut rng, &mut list, &mut model);
                assert!(list.is_sound(), "seed {seed}, step {step}");
                assert_eq!(list.len(), model.len());
                let texts = list.iter().map(|item| item.to_vec());
                assert!(texts.eq(model.iter().cloned()), "seed {seed}, step {step}");
                let start = rng.below(model.len() as u64 + 1) as usize;
                let from = list.iter_from(start).map(|item| item.to_vec());
                assert!(from.eq(model.iter().skip(start).cloned()), "seed {seed}, step {step}");
                assert_eq!(list.get(start).map(|item| item.to_vec()), model.get(start).cloned());
            }
        }
    }

    fn draw(rng: &mut Rng) -> Vec<u8> {
        match rng.below(8) {
            0..4 => rng.below(4).to_string().into_bytes(),
            4 => vec![b'm'; rng.below(1500) as usize],
            5 if rng.chance(20) => vec![b'l'; 5000 + rng.below(5000) as usize],
            _ => rng.next_u64().to_string().into_bytes(),
        }
    }

    fn change(rng: &mut Rng, list: &mut List, model: &mut VecDeque<Vec<u8>>) {
        let len = model.len();
        let text = draw(rng);
        let place = rng.below(len as u64 + 1) as usize;
        match rng.below(20) {
            0..4 => {
                list.push(End::Front, &text);
                model.push_front(text);
            }
            4..8 => {
                list.push(End::Back, &text);
                model.push_back(text);
            }
            8..13 => {
                list.insert(place, &text);
                model.insert(place, text);
            }
            13 => {
                assert_eq!(list.set(place, &text), place < len);
                if let Some(old) = model.get_mut(place) {
                    *old = text;
                }
            }
            14..17 => {
                let count = rng.below(3).min((len - place) as u64) as usize;
                list.remove(place, count);
                model.drain(place..place + count);
            }
            17 if rng.chance(15) => {
                let count = rng.below((len - place) as u64 + 1) as usize;
                list.trim(place, count);
                *model = model.iter().skip(place).take(count).cloned().collect();
            }
            18 => {
                let (end, count) = if rng.chance(50) { (End::Front, 1) } else { (End::Back, 2) };
                list.drop(end, count);
                let count = count.min(len);
                model.drain(if end == End::Front { 0..count } else { len - count..len });
            }
            _ => remove_equal(rng, list, model),
        }
    }

    fn remove_equal(rng: &mut Rng, list: &mut List, model: &mut VecDeque<Vec<u8>>) {
        let (text, limit) = (draw(rng), rng.below(3) as usize);
        let mut equal: Vec<usize> = (0..model.len()).filter(|&index| model[index] == text).collect();
        let from = if rng.chance(50) { End::Front } else { End::Back };
        if from == End::Back {
            equal.reverse();
        }
        equal.truncate(limit);
        assert_eq!(list.remove_equal(&text, from, limit), equal.len());
        equal.sort_unstable();
        equal.iter().rev().for_each(|&index| drop(model.remove(index)));
    }
}
