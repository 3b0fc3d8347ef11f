//! Who says that a member fails, and for how long that counts.
//!
//! Doubt travels by gossip, one heartbeat after the other, so the opinions of different masters arrive at different times.
//! They are collected, and each has a date. One that is not repeated fades away: otherwise a node that was slow on Monday,
//! on Tuesday and on Wednesday, each time in the eyes of another master, would be declared dead on Wednesday.

use std::collections::BTreeMap;

use core_types::{Millis, NodeId};

/// A report holds for so many node timeouts (`CLUSTER_FAIL_REPORT_VALIDITY_MULT` in Redis's `cluster.h`).
pub const HOLDS: u64 = 2;

// ANCHOR: reports
/// The masters that say of one member that it fails, each with the time at which it last said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reports<N = NodeId> {
    said: BTreeMap<N, Millis>,
}
// ANCHOR_END: reports

impl<N> Default for Reports<N> {
    fn default() -> Reports<N> {
        Reports { said: BTreeMap::new() }
    }
}

impl<N: Ord> Reports<N> {
    /// Nobody has said anything.
    pub fn new() -> Reports<N> {
        Reports::default()
    }

    /// `teller` says at `now` that the member fails. Is that news? A teller has one voice; saying it again makes its report
    /// young again.
    pub fn add(&mut self, teller: N, now: Millis) -> bool {
        // <exercise 7.6 add>
        todo!("lab 7.6: Reports grow old")
        // </exercise>
    }

    /// `teller` says that the member is well, or `teller` itself is gone. Had it said something else before?
    pub fn remove(&mut self, teller: &N) -> bool {
        // <exercise 7.6 remove>
        todo!("lab 7.6: Reports grow old")
        // </exercise>
    }

    /// How many masters say so at `now`. Reports older than [`HOLDS`] node timeouts are dropped first.
    pub fn count(&mut self, now: Millis, timeout: Millis) -> usize {
        // <exercise 7.6 count>
        todo!("lab 7.6: Reports grow old")
        // </exercise>
    }
}
