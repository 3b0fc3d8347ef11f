//! Who becomes a master of what, and whose replica everybody else becomes, when a cluster is made.
//!
//! Pure decisions: a machine that dies should take neither a master with its replica nor two replicas of the same
//! master with it. Nothing is known of the machines but the hosts in the addresses.

use std::collections::BTreeMap;

use core_types::{Endpoint, Slot, SlotRange};

/// What each node of a new cluster is to be. Nodes are named by their places in the list they come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// The masters with their slots.
    pub(super) masters: Vec<(usize, SlotRange)>,
    /// The replicas, each with its master.
    pub(super) replicas: Vec<(usize, usize)>,
}

/// How bad a layout is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Affinity {
    /// Replicas on the host of their master.
    pub(super) with_master: usize,
    /// Pairs of replicas of one master on one host.
    pub(super) with_each_other: usize,
}

impl Layout {
    /// So many replicas for each master, at least; nodes that are left over become further replicas. `None`: that
    /// makes fewer than three masters.
    pub(super) fn new(nodes: &[Endpoint], replicas: usize) -> Option<Layout> {
        let masters = nodes.len() / (replicas + 1);
        if masters < 3 {
            return None;
        }
        let order = interleaved(nodes);
        let (masters, rest) = order.split_at(masters);
        let mut layout = Layout {
            masters: masters.iter().copied().zip(parts(masters.len())).collect(),
            replicas: Vec::new(),
        };
        layout.assign(nodes, rest.to_vec(), replicas);
        layout.improve(nodes);
        Some(layout)
    }

    /// Each replica goes to a master on another host, as long as there is a choice.
    fn assign(&mut self, nodes: &[Endpoint], mut free: Vec<usize>, replicas: usize) {
        // Masters and replicas come from the same order of hosts. One host further on they meet others.
        if !free.is_empty() {
            free.rotate_left(1);
        }
        let masters: Vec<usize> = self.masters.iter().map(|(master, _)| *master).collect();
        let rounds = masters.iter().flat_map(|master| std::iter::repeat_n(*master, replicas));
        // What is left over is dealt out one by one.
        for master in rounds.chain(masters.iter().copied().cycle()) {
            if free.is_empty() {
                return;
            }
            let elsewhere = free.iter().position(|&node| nodes[node].host != nodes[master].host);
            self.replicas.push((free.remove(elsewhere.unwrap_or(0)), master));
        }
    }

    /// Lets two replicas change places as long as that makes it better.
    fn improve(&mut self, nodes: &[Endpoint]) {
        let mut best = self.affinity(nodes);
        loop {
            let before = best;
            for one in 0..self.replicas.len() {
                for other in one + 1..self.replicas.len() {
                    self.swap(one, other);
                    let now = self.affinity(nodes);
                    if now < best {
                        best = now;
                    } else {
                        self.swap(one, other);
                    }
                }
            }
            if best == before {
                return;
            }
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        let master = self.replicas[one].1;
        self.replicas[one].1 = self.replicas[other].1;
        self.replicas[other].1 = master;
    }

    /// What is still together that should be apart.
    pub(super) fn affinity(&self, nodes: &[Endpoint]) -> Affinity {
        let host = |node: usize| nodes[node].host.as_str();
        let with_master = self.replicas.iter().filter(|(node, master)| host(*node) == host(*master)).count();
        let mut together: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        for (node, master) in &self.replicas {
            *together.entry((*master, host(*node))).or_default() += 1;
        }
        Affinity { with_master, with_each_other: together.values().map(|count| count - 1).sum() }
    }
}

/// One node of each host in turn; hosts in the order of their first nodes.
fn interleaved(nodes: &[Endpoint]) -> Vec<usize> {
    let mut turns: BTreeMap<&str, usize> = BTreeMap::new();
    let mut order: Vec<(usize, usize)> = nodes
        .iter()
        .enumerate()
        .map(|(index, node)| {
            let turn = turns.entry(node.host.as_str()).or_default();
            *turn += 1;
            (*turn, index)
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, index)| index).collect()
}

/// All slots in so many parts of nearly the same size, cut where `redis-cli` cuts them.
fn parts(count: usize) -> Vec<SlotRange> {
    let size = f32::from(Slot::COUNT) / count as f32;
    let mut first = 0;
    (0..count)
        .map(|index| {
            let end = if index + 1 == count { f32::from(Slot::COUNT) } else { (index + 1) as f32 * size };
            let last = (end - 1.0).round() as u16;
            let slot = |number| Slot::new(number).expect("all parts lie within the slots");
            let range = SlotRange { first: slot(first), last: slot(last) };
            first = last + 1;
            range
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(hosts: &str) -> Vec<Endpoint> {
        hosts.chars().enumerate().map(|(index, host)| Endpoint::new(host, 7000 + index as u16)).collect()
    }

    #[test]
    fn slots_are_cut_as_redis_cli_cuts_them() {
        let text = |count| parts(count).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(text(3), "0-5460 5461-10922 10923-16383");
        assert_eq!(text(4), "0-4095 4096-8191 8192-12287 12288-16383");
        assert_eq!(text(5), "0-3276 3277-6553 6554-9829 9830-13106 13107-16383");
        for count in 3..500 {
            assert_eq!(parts(count).iter().map(|range| range.len()).sum::<usize>(), 16384, "{count}");
        }
    }

    #[test]
    fn replicas_live_on_other_hosts() {
        for (hosts, replicas, left) in [
            ("aabbcc", 1, (0, 0)),
            ("abcabc", 1, (0, 0)),
            ("aaabbb", 1, (0, 0)),
            ("aaabbbccc", 2, (0, 0)),
            ("aaaaaa", 1, (3, 0)),
            ("aaaabb", 1, (1, 0)),
            ("aaabbb", 0, (0, 0)),
        ] {
            let nodes = nodes(hosts);
            let layout = Layout::new(&nodes, replicas).unwrap();
            let found = layout.affinity(&nodes);
            assert_eq!((found.with_master, found.with_each_other), left, "{hosts}: {layout:?}");
            assert_eq!(layout.masters.len() + layout.replicas.len(), nodes.len());
        }
    }

    #[test]
    fn left_over_nodes_become_further_replicas() {
        let layout = Layout::new(&nodes("abcdefgh"), 1).unwrap();
        let count = |master: usize| layout.replicas.iter().filter(|(_, of)| *of == master).count();
        assert_eq!(layout.masters.iter().map(|(master, _)| count(*master)).collect::<Vec<_>>(), [1, 1, 1, 1]);
        let layout = Layout::new(&nodes("abcdefg"), 1).unwrap();
        assert_eq!((layout.masters.len(), layout.replicas.len()), (3, 4));
    }

    #[test]
    fn three_masters_are_the_least() {
        assert_eq!(Layout::new(&nodes("abcde"), 1), None);
        assert_eq!(Layout::new(&[], 0), None);
        assert!(Layout::new(&nodes("abc"), 0).is_some());
    }
}
