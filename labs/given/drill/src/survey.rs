//! A cluster that is looked at with few commands, and what is found.

use core_types::{Frame, Slot};

// ANCHOR: probe
/// Somebody who may ask the masters of a cluster, but not as much as they like.
pub trait Probe {
    /// How many masters there are. They are counted from 0.
    fn masters(&self) -> usize;

    /// Asks one of them, in words separated by spaces, `"SCAN 0 COUNT 100"`, and returns what it says.
    ///
    /// Each call costs one of the commands that are [left](Probe::left). What would hold up other clients is not
    /// sent, and is answered with an error that says why; so is everything once no command is left.
    fn ask(&mut self, master: usize, command: &str) -> Frame;

    /// How many commands are left.
    fn left(&self) -> usize;
}

/// What is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The three slots with the most keys, in any order.
    pub heavy: Vec<Slot>,
    /// The key that takes the most memory.
    pub big: String,
    /// The key that is used most.
    pub hot: String,
    /// Slots that move to another master, so that each holds about as much memory as the others.
    pub moves: Vec<Move>,
}

/// A slot is to be moved, with all its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The slot.
    pub slot: Slot,
    /// From this master, which has it.
    pub from: usize,
    /// To this one.
    pub to: usize,
}
// ANCHOR_END: probe
