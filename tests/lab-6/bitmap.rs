// 6.6: a set of slots as bytes and as ranges.

fn set(slots: &[u16]) -> SlotSet {
    slots.iter().filter_map(|&number| Slot::new(number)).collect()
}

/// The bytes that are not 0, or how many there are.
fn bytes_shown(bytes: &[u8; lab::WIRE_LEN]) -> String {
    let set: Vec<String> = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte != 0)
        .map(|(place, byte)| format!("{place}: {byte:08b}"))
        .collect();
    match set.len() {
        0 => "all 0".into(),
        1..=6 => set.join(", "),
        many => format!("{many} bytes not 0, the first {}, the last {}", set[0], set[many - 1]),
    }
}

fn slots_shown(slots: &SlotSet) -> String {
    let list: Vec<String> = slots.iter().map(|slot| slot.to_string()).collect();
    match list.len() {
        0 => "no slot".into(),
        1..=8 => list.join(" "),
        many => format!("{many} slots, {} to {}", list[0], list[many - 1]),
    }
}

fn write(trace: &mut Trace, slots: &SlotSet) {
    trace.call(format!("to wire: {}", slots_shown(slots)), bytes_shown(&lab::to_wire(slots)));
}

fn read(trace: &mut Trace, bytes: &[u8; lab::WIRE_LEN]) {
    trace.call(format!("from wire: {}", bytes_shown(bytes)), slots_shown(&lab::from_wire(bytes)));
}

fn in_ranges(trace: &mut Trace, slots: &SlotSet) {
    let ranges: Vec<String> = lab::ranges(slots).iter().map(|range| range.to_string()).collect();
    let answer = if ranges.is_empty() { "nothing".into() } else { ranges.join(" ") };
    trace.call(format!("ranges of {}", slots_shown(slots)), answer);
}

fn bitmaps(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "sets of slots");
    for slots in [&[][..], &[0], &[1], &[7], &[8], &[0, 7, 8, 15], &[5460, 5461], &[16383]] {
        write(trace, &set(slots));
    }
    write(trace, &SlotSet::full());
    let one = |place: usize, byte: u8| {
        let mut bytes = [0; lab::WIRE_LEN];
        bytes[place] = byte;
        bytes
    };
    for (place, byte) in
        [(0, 0), (0, 1), (0, 2), (0, 0x80), (1, 1), (682, 0b0011_0000), (2047, 0x40), (2047, 0x80)]
    {
        read(trace, &one(place, byte));
    }
    read(trace, &[0xff; lab::WIRE_LEN]);
    for slots in
        [&[][..], &[5], &[5, 6], &[5, 6, 7], &[5, 7], &[0, 1, 2, 16383], &[16382, 16383], &[1, 3, 4, 6, 7, 8]]
    {
        in_ranges(trace, &set(slots));
    }
    in_ranges(trace, &SlotSet::full());
    Ok(())
}

fn bitmaps_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "sets of slots");
    let mut rng = Rng::new(seed);
    let mut slots = SlotSet::new();
    for _ in 0..rng.below(6) {
        let first = rng.below(u64::from(Slot::COUNT)) as u16;
        let last = first.saturating_add(rng.below(20) as u16);
        slots.extend((first..=last).filter_map(Slot::new));
    }
    write(trace, &slots);
    in_ranges(trace, &slots);
    let mut bytes = [0; lab::WIRE_LEN];
    for _ in 0..rng.below(4) {
        bytes[rng.below(lab::WIRE_LEN as u64) as usize] = rng.below(256) as u8;
    }
    read(trace, &bytes);
    Ok(())
}
