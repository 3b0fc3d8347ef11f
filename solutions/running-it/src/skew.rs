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
    let keys = walk(probe);
    let name = |key: Option<&Key>| key.map_or(String::new(), |key| key.name.clone());
    let slots = weights(&keys);
    Survey {
        heavy: heaviest(&slots),
        big: name(keys.iter().max_by_key(|key| key.bytes)),
        hot: name(keys.iter().max_by_key(|key| key.used)),
        moves: plan(probe.masters(), &slots),
    }
    // </exercise>
}

/// All keys of all masters.
pub fn walk(probe: &mut dyn Probe) -> Vec<Key> {
    // <exercise 10.10 walk>
    let mut keys = Vec::new();
    for master in 0..probe.masters() {
        let mut cursor = "0".to_string();
        loop {
            let Frame::Array(page) = probe.ask(master, &format!("SCAN {cursor} COUNT 100")) else { break };
            let [next, Frame::Array(names)] = &page[..] else { break };
            for name in names.iter().map(text) {
                let slot = number(&probe.ask(master, &format!("CLUSTER KEYSLOT {name}")));
                let bytes = number(&probe.ask(master, &format!("MEMORY USAGE {name}")));
                let used = number(&probe.ask(master, &format!("OBJECT FREQ {name}")));
                let slot = u16::try_from(slot).ok().and_then(Slot::new);
                keys.extend(slot.map(|slot| Key { name, master, slot, bytes, used }));
            }
            cursor = text(next);
            if cursor == "0" {
                break;
            }
        }
    }
    keys
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
    let mut slots = BTreeMap::new();
    for key in keys {
        let slot = slots.entry(key.slot).or_insert(Weight { master: key.master, keys: 0, bytes: 0 });
        slot.keys += 1;
        slot.bytes += key.bytes;
    }
    slots
    // </exercise>
}

/// The three slots with the most keys.
pub fn heaviest(slots: &BTreeMap<Slot, Weight>) -> Vec<Slot> {
    // <exercise 10.10 heaviest>
    let mut order: Vec<Slot> = slots.keys().copied().collect();
    order.sort_by_key(|slot| std::cmp::Reverse(slots[slot].keys));
    order.truncate(3);
    order
    // </exercise>
}

/// Which slots go where, so that the memory of these masters is even.
pub fn plan(masters: usize, slots: &BTreeMap<Slot, Weight>) -> Vec<Move> {
    // <exercise 10.10 plan>
    let mut loads = vec![0; masters];
    slots.values().for_each(|weight| loads[weight.master] += weight.bytes);
    let total: u64 = loads.iter().sum();
    let heaviest = slots.values().map(|weight| weight.bytes).max().unwrap_or(0);
    let bound = (total / masters.max(1) as u64).max(heaviest);
    let mut moves: Vec<Move> = Vec::new();
    loop {
        let (fullest, emptiest) = (
            (0..masters).max_by_key(|master| loads[*master]),
            (0..masters).min_by_key(|master| loads[*master]),
        );
        let (Some(from), Some(to)) = (fullest, emptiest) else { return moves };
        if loads[from] <= bound + bound / 20 {
            return moves;
        }
        let gap = (loads[from] - loads[to]) / 2;
        let fits = |(slot, weight): &(&Slot, &Weight)| {
            let moved = moves.iter().any(|one| one.slot == **slot);
            weight.master == from && !moved && weight.bytes <= gap
        };
        let best = slots.iter().filter(fits).max_by_key(|(_, weight)| weight.bytes);
        let Some((slot, weight)) = best else { return moves };
        loads[from] -= weight.bytes;
        loads[to] += weight.bytes;
        moves.push(Move { slot: *slot, from, to });
    }
    // </exercise>
}
