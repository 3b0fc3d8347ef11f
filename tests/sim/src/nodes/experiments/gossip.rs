//! What gossip costs and how fast it is, against the size of the cluster.
//!
//! Two ways to find out. [`whole`] runs whole nodes, each connected to each other one over the simulated network; that is
//! the truth, and at 200 nodes it takes 40,000 connections. [`lean`] runs the decisions of chapter 7 alone, the same
//! functions that the node calls, and asks the bus's own encoder how long a packet is; a thousand nodes fit into little
//! memory. Where both can be run they have to agree, and a test sees to it.
//!
//! Half of the nodes are masters, and share the slots; each has a replica. Nodes are dealt out to the machines like cards, so
//! that a replica is never beside its master.

mod lean;
pub mod record;
mod whole;

use core_types::{Millis, NodeId, Rng};

pub use lean::{Hearsay, deaths, lean};
pub use whole::{whole, whole_deaths};

/// A cluster and its setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Nodes, half of them replicas.
    pub nodes: usize,
    /// Machines that they are on.
    pub machines: usize,
    /// The node timeout.
    pub timeout: Millis,
}

impl Size {
    /// The machine that a node is on.
    pub fn machine(&self, node: usize) -> usize {
        node % self.machines
    }

    /// How many masters there are: the first nodes.
    pub fn masters(&self) -> usize {
        self.nodes.div_ceil(2)
    }

    /// Is this one of the masters? They all own slots.
    pub fn votes(&self, node: usize) -> bool {
        node < self.masters()
    }

    /// Whose replica a node is.
    pub fn master_of(&self, node: usize) -> Option<usize> {
        // The next one's, so that the two are on different machines.
        node.checked_sub(self.masters()).map(|place| (place + 1) % self.masters())
    }
}

/// What the heartbeats of a quiet cluster cost, as counted over a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// Pings that one node sends in a second, on average. It sends as many pongs.
    pub pings: f64,
    /// Bytes of the packets that one machine sends to others in a second, on average. It receives as many.
    pub out: f64,
    /// Bytes that stay on the machine, from one of its nodes to another.
    pub inside: f64,
    /// The most that any machine sends.
    pub busiest: f64,
}

impl Traffic {
    /// From what was counted: `bytes` from one node to another, `pings` in all, in so many seconds.
    fn of(size: &Size, bytes: impl Fn(usize, usize) -> u64, pings: u64, seconds: f64) -> Traffic {
        let mut out = vec![0; size.machines];
        let mut inside = 0;
        for from in 0..size.nodes {
            for to in 0..size.nodes {
                match size.machine(from) == size.machine(to) {
                    true => inside += bytes(from, to),
                    false => out[size.machine(from)] += bytes(from, to),
                }
            }
        }
        let machines = size.machines as f64;
        let busiest = out.iter().max().copied().unwrap_or(0) as f64;
        Traffic {
            pings: pings as f64 / seconds / size.nodes as f64,
            out: out.iter().sum::<u64>() as f64 / seconds / machines,
            inside: inside as f64 / seconds / machines,
            busiest: busiest / seconds,
        }
    }
}

/// When a death is noticed, counted from the death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detection {
    /// The first node suspects (`PFAIL`).
    pub suspected: Millis,
    /// A first node has heard enough masters: it is agreed (`FAIL`).
    pub agreed: Millis,
    /// Every node that is up knows.
    pub known: Millis,
}

/// Who starts together pings together. It takes a few timeouts until that has worn off.
fn warm_up(timeout: Millis) -> Millis {
    Millis(timeout.0 * 4)
}

/// The names of the nodes: the same in every run.
fn ids(nodes: usize) -> Vec<NodeId> {
    let mut rng = Rng::new(7);
    (0..nodes).map(|_| NodeId::random(&mut rng)).collect()
}
