// 9.6: what the winner does.

fn show_takeover(trace: &mut Trace, mine: u64, elected: u64, slots: &SlotSet) {
    let deeds = takeover(Epoch(mine), Epoch(elected), slots);
    let shown = deeds.into_iter().map(|deed| match deed {
        Deed::TakeEpoch(epoch) => format!("take epoch {epoch}"),
        Deed::BecomeMaster => "become a master".into(),
        Deed::Claim(slots) => format!("claim {}", list(slots.iter())),
        Deed::Save => "save".into(),
        Deed::TellAll => "tell all".into(),
    });
    let text = shown.collect::<Vec<_>>().join(", ");
    trace.call(
        format!("my epoch {mine}, elected in {elected}, the old master's slots {}", list(slots.iter())),
        text,
    );
}

fn takeovers(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "the winner");
    show_takeover(trace, 3, 8, &slot_set([1, 2, 16_383]));
    show_takeover(trace, 8, 8, &slot_set([1]));
    show_takeover(trace, 9, 8, &slot_set([1, 2]));
    show_takeover(trace, 0, 1, &slot_set([5]));
    Ok(())
}

fn takeover_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "the winner");
    let mut rng = Rng::new(seed);
    let count = rng.between(1, 5);
    let slots = slot_set((0..count).map(|_| rng.below(16_384) as u16));
    show_takeover(trace, rng.below(9), rng.between(1, 9), &slots);
    Ok(())
}
