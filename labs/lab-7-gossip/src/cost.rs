//! What gossip costs, in bytes.
//!
//! A heartbeat says who its sender is, with all its slots, and tells of some others. A node sends one to every other in half
//! a node timeout, and is answered. So what one node sends grows with the number of nodes, and what all send together
//! with its square, or faster: in a large cluster a heartbeat tells of more nodes, and is longer.

use core_types::Millis;

use crate::rumour::wanted;

/// A heartbeat that tells of nobody, in bytes: 2,048 of them are the slots.
pub const HEADER: usize = 2256;

/// What each member adds that is told of, in bytes.
pub const ENTRY: usize = 104;

// ANCHOR: plan
/// A cluster whose cost is to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How many nodes there are.
    pub nodes: usize,
    /// How many of them run on the machine in question. All others are elsewhere.
    pub here: usize,
    /// Of how many members a heartbeat tells.
    pub told: usize,
    /// The node timeout.
    pub timeout: Millis,
}
// ANCHOR_END: plan

impl Plan {
    /// A cluster in which heartbeats tell of as many as usual.
    pub fn new(nodes: usize, here: usize, timeout: Millis) -> Plan {
        Plan { nodes, here, told: wanted(nodes), timeout }
    }

    /// How long one heartbeat is, in bytes.
    pub fn heartbeat(&self) -> usize {
        // <exercise 7.9 heartbeat>
        todo!("lab 7.9: What it costs")
        // </exercise>
    }

    /// How many pings one node sends in a second, at most: one, and one to each other in every half of the node timeout.
    /// A node that is alone has nobody to ping.
    pub fn pings(&self) -> f64 {
        // <exercise 7.9 pings>
        todo!("lab 7.9: What it costs")
        // </exercise>
    }

    /// How many bits leave the machine in a second, at most. As many come in.
    ///
    /// Every ping is answered by a heartbeat of the same length. What nodes on this machine tell each other does not leave
    /// it.
    pub fn bits_out(&self) -> f64 {
        // <exercise 7.9 bits_out>
        todo!("lab 7.9: What it costs")
        // </exercise>
    }
}
