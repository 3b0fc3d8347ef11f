//! What is wrong with the data, from few questions: slots with many keys, a big key, a hot key, and memory that is not even.
//!
//! Eight hundred to a thousand keys lie on three or four masters. Keys are counted by use (`maxmemory-policy
//! allkeys-lfu`), so that `OBJECT FREQ` answers.

use std::collections::BTreeMap;

use core_types::{Frame, Slot};
use drill::{Move, Probe, Survey};

/// A key, and what was asked about it. You may need less of it, or more: nothing but [`survey`] is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// The master that has it.
    pub master: usize,
    /// Its slot.
    pub slot: Slot,
    /// What it takes, in bytes.
    pub bytes: u64,
    /// How much it is used, as a counter.
    pub used: u64,
}

/// What a slot weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// The master that has it.
    pub master: usize,
    /// How many keys it has.
    pub keys: usize,
    /// Their memory, in bytes.
    pub bytes: u64,
}

/// Looks at a cluster with as many commands as the probe allows, about four for each key, and says what it finds.
///
/// The plan moves whole slots, each once, from the master that has it. Then no master holds more memory than
/// 110 % of an equal part; or of the heaviest slot, if that alone is more than an equal part. At most half of all memory moves.
/// Memory is what `MEMORY USAGE` says.
pub fn survey(probe: &mut dyn Probe) -> Survey {
    // <exercise 10.10 survey>
    todo!("lab 10.10: Skew, and a plan")
    // </exercise>
}

/// All keys of all masters.
pub fn walk(probe: &mut dyn Probe) -> Vec<Key> {
    // <exercise 10.10 walk>
    todo!("lab 10.10: Skew, and a plan")
    // </exercise>
}

/// The text of an answer; empty if it is none.
pub fn text(frame: &Frame) -> String {
    String::from_utf8_lossy(frame.as_bytes().unwrap_or_default()).into_owned()
}

/// The number of an answer; 0 if it is none.
pub fn number(frame: &Frame) -> u64 {
    if let Frame::Integer(number) = frame { number.unsigned_abs() } else { 0 }
}

/// What each slot weighs that has keys.
pub fn weights(keys: &[Key]) -> BTreeMap<Slot, Weight> {
    // <exercise 10.10 weights>
    todo!("lab 10.10: Skew, and a plan")
    // </exercise>
}

/// The three slots with the most keys.
pub fn heaviest(slots: &BTreeMap<Slot, Weight>) -> Vec<Slot> {
    // <exercise 10.10 heaviest>
    todo!("lab 10.10: Skew, and a plan")
    // </exercise>
}

/// Which slots go where, so that the memory of these masters is even.
pub fn plan(masters: usize, slots: &BTreeMap<Slot, Weight>) -> Vec<Move> {
    // <exercise 10.10 plan>
    todo!("lab 10.10: Skew, and a plan")
    // </exercise>
}
