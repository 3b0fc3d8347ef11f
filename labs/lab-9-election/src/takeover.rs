//! What the winner does with its victory: it takes the slots, and says so.
//!
//! No one hands out the result of an election. The winner claims its master's slots under the epoch in which it was elected;
//! that epoch is greater than any other, and so every node that hears the claim accepts it, one after the other.

use core_types::{Epoch, SlotSet};

// ANCHOR: step
/// One thing that a new master does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its configuration has this epoch from now on.
    TakeEpoch(Epoch),
    /// It is a master: the link to the old one is cut, the data stays, clients may write.
    BecomeMaster,
    /// These slots are its own.
    Claim(SlotSet),
    /// All this goes to the disk, and it waits until it is there.
    Save,
    /// A PONG to every node: here is my configuration. Nobody waits for the next heartbeat.
    TellAll,
}
// ANCHOR_END: step

/// What a replica does to take its master's place, in order. `mine` is the epoch of its own configuration, `elected` the
/// one it was elected in, or has given itself; it is taken unless `mine` is as great already. `slots` are the old
/// master's. Slots of others are not touched; and nothing is said before it is saved, since a master that forgot its
/// victory in a crash would come back with claims that nobody understands.
/// (`clusterFailoverReplaceYourMaster` in Redis's `cluster.c`)
pub fn takeover(mine: Epoch, elected: Epoch, slots: &SlotSet) -> Vec<Step> {
    // <exercise 9.6>
    todo!("lab 9.6: The winner says so")
    // </exercise>
}
