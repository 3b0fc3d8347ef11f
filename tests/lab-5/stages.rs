// 5.5: the failover, step by step.

fn act_word(act: Act) -> String {
    match act {
        Act::Elected => "+elected-leader".into(),
        Act::Chosen(place) => format!("+selected-slave number {place}"),
        Act::SendNoOne => "REPLICAOF NO ONE".into(),
        Act::Promoted => "+promoted-slave".into(),
        Act::RewireNext => "tell the next ones".into(),
        Act::RewireAll => "+failover-end-for-timeout, tell all the rest".into(),
        Act::SwitchOver => "+switch-master".into(),
        Act::NotElected => "-failover-abort-not-elected".into(),
        Act::NoReplica => "-failover-abort-no-good-slave".into(),
        Act::ReplicaTimeout => "-failover-abort-slave-timeout".into(),
    }
}

/// One step; false if the failover is over.
fn step(trace: &mut Trace, failover: &mut Failover, now: u64, facts: Facts, timing: &Timing) -> bool {
    let before = failover.stage;
    let act = failover.step(Millis(now), &facts, timing);
    let text = act.map_or("nothing".to_string(), act_word);
    let stage = if failover.stage == before { String::new() } else { format!(" ⇨ {:?}", failover.stage) };
    trace.note(Millis(now), None, format!("{before:?}: {text}{stage}"));
    !matches!(act, Some(Act::NotElected | Act::NoReplica | Act::ReplicaTimeout | Act::SwitchOver))
}

fn begin(trace: &mut Trace, title: &str, at: u64, forced: bool) -> Failover {
    trace.note(Millis(at), None, title.to_string());
    Failover::new(Millis(at), Epoch(7), forced)
}

fn failovers(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "a failover, step by step".into();
    let timing = timing(5000);
    let none = Facts::default();
    let elected = Facts { elected: true, ..none };
    let chosen = Facts { choice: Some(1), ..none };
    let connected = Facts { promoted_connected: true, ..none };
    let master = Facts { promoted_connected: true, promoted_is_master: true, ..none };

    let mut f = begin(trace, "1. all goes well", 0, false);
    for (at, facts) in [
        (100, none),
        (200, elected),
        (300, Facts { elected: true, ..chosen }),
        (400, none),
        (500, connected),
        (600, connected),
        (700, master),
        (800, master),
        (900, Facts { rewired: true, ..master }),
    ] {
        step(trace, &mut f, at, facts, &timing);
    }
    let mut f = begin(trace, "2. nobody is elected", 10_000, false);
    step(trace, &mut f, 12_300, none, &timing);
    step(trace, &mut f, 12_301, Facts { election_over: true, ..none }, &timing);
    let mut f = begin(trace, "3. there is no replica", 20_000, false);
    step(trace, &mut f, 20_100, elected, &timing);
    step(trace, &mut f, 20_200, elected, &timing);
    let mut f = begin(trace, "4. the chosen one cannot be reached", 30_000, false);
    step(trace, &mut f, 30_100, elected, &timing);
    step(trace, &mut f, 30_200, chosen, &timing);
    for at in [35_200, 35_201] {
        step(trace, &mut f, at, none, &timing);
    }
    let mut f = begin(trace, "5. it is told, and stays a replica", 40_000, false);
    for (at, facts) in
        [(40_100, elected), (40_200, chosen), (44_000, connected), (49_000, connected), (49_001, connected)]
    {
        step(trace, &mut f, at, facts, &timing);
    }
    let mut f = begin(trace, "6. the others take too long", 50_000, false);
    for (at, facts) in [
        (50_100, elected),
        (50_200, chosen),
        (50_300, connected),
        (50_400, master),
        (55_400, master),
        (55_401, Facts { promoted_down: true, ..master }),
        (56_000, master),
        (56_100, master),
    ] {
        step(trace, &mut f, at, facts, &timing);
    }
    let mut f = begin(trace, "7. an operator wants it", 60_000, true);
    for (at, facts) in [(60_100, none), (60_200, chosen)] {
        step(trace, &mut f, at, facts, &timing);
    }
    Ok(())
}

fn failover_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "a failover, step by step".into();
    let mut rng = Rng::new(seed);
    let timing = timing(rng.between(500, 5000));
    let mut failover = begin(trace, "a failover", 0, rng.chance(15));
    let mut now = 0;
    for _ in 0..60 {
        now += if rng.chance(10) { rng.below(timing.failover_timeout.0 * 2) } else { 100 };
        let facts = Facts {
            elected: rng.chance(30),
            election_over: rng.chance(5),
            choice: rng.chance(80).then(|| rng.below(3) as usize),
            promoted_connected: rng.chance(60),
            promoted_is_master: rng.chance(30),
            promoted_down: rng.chance(20),
            rewired: rng.chance(15),
        };
        if !step(trace, &mut failover, now, facts, &timing) {
            break;
        }
    }
    Ok(())
}
