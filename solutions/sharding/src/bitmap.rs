//! A set of slots, as nodes tell it to each other and as people read it.

use core_types::{Slot, SlotRange, SlotSet};

/// How many bytes a set of slots takes on the cluster bus: one bit for each (`CLUSTER_SLOTS/8` in Redis's `cluster.h`).
pub const WIRE_LEN: usize = Slot::COUNT as usize / 8;

/// The set as it travels in each heartbeat. Slot `n` is bit `n % 8` of byte `n / 8`, bit 0 being the least significant.
pub fn to_wire(slots: &SlotSet) -> [u8; WIRE_LEN] {
    // <exercise 6.6 to_wire>
    let mut bytes = [0; WIRE_LEN];
    for slot in slots.iter() {
        bytes[slot.index() / 8] |= 1 << (slot.index() % 8);
    }
    bytes
    // </exercise>
}

/// The set that [`to_wire`] wrote. Any 2048 bytes are some set.
pub fn from_wire(bytes: &[u8; WIRE_LEN]) -> SlotSet {
    // <exercise 6.6 from_wire>
    Slot::all().filter(|slot| bytes[slot.index() / 8] & (1 << (slot.index() % 8)) != 0).collect()
    // </exercise>
}

/// The set as ranges: in order, as few as possible. A slot without neighbours is a range of one.
pub fn ranges(slots: &SlotSet) -> Vec<SlotRange> {
    // <exercise 6.6 ranges>
    let mut ranges: Vec<SlotRange> = Vec::new();
    for slot in slots.iter() {
        match ranges.last_mut() {
            Some(range) if range.last.number() + 1 == slot.number() => range.last = slot,
            _ => ranges.push(SlotRange { first: slot, last: slot }),
        }
    }
    ranges
    // </exercise>
}
