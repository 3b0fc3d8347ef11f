// 4.9: when not to trust one's own clock.

fn pulse(trace: &mut Trace, tilt: &mut Tilt, now: u64, periods: &Periods) {
    let step = match tilt.tick(Millis(now), periods) {
        TiltStep::Same => "no change",
        TiltStep::Enter => "TILT begins",
        TiltStep::Leave => "TILT ends",
    };
    let state = if tilt.is_on() { "in TILT" } else { "judging" };
    trace.call(format!("the timer runs at {now} ms"), format!("{step}, {state}"));
}

fn tilts(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "the rhythm of the timer");
    let periods = Periods::default();
    let mut tilt = Tilt::new(Millis(10_000));
    for now in [
        10_100, 10_200, 12_200, 14_201, 14_301, 15_000, 20_000, 21_900, 23_800, 25_700, 27_600, 29_500,
        31_400, 33_300, 35_200, 37_100, 39_000, 40_900, 42_800, 44_700, 46_600, 48_500, 49_999, 50_000,
        50_100, 50_050, 50_150,
    ] {
        pulse(trace, &mut tilt, now, &periods);
    }
    Ok(())
}

fn tilt_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "the rhythm of the timer");
    let mut rng = Rng::new(seed);
    let periods = Periods {
        tilt_trigger: Millis(rng.between(100, 3000)),
        tilt: Millis(rng.between(500, 10_000)),
        ..Periods::default()
    };
    let mut now = 50_000;
    let mut tilt = Tilt::new(Millis(now));
    for _ in 0..rng.between(3, 25) {
        now = match rng.below(10) {
            0 => now - rng.between(1, 2000),
            1 => now + periods.tilt_trigger.0 + rng.below(3) - 1,
            2 => now + periods.tilt_trigger.0 * 3,
            3 => tilt.since().map_or(now + 1, |since| (since.0 + periods.tilt.0).max(now)),
            _ => now + rng.below(periods.tilt_trigger.0),
        };
        pulse(trace, &mut tilt, now, &periods);
    }
    Ok(())
}
