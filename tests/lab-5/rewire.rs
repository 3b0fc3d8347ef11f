// 5.6: the other replicas, some at a time.

fn rewire_word(state: Rewire) -> String {
    match state {
        Rewire::Waiting => "waiting".into(),
        Rewire::Sent(at) => format!("sent {} ago", NOW.since(at)),
        Rewire::InProgress => "in progress".into(),
        Rewire::Done => "done".into(),
    }
}

fn told(trace: &mut Trace, state: Rewire, follows_new: bool, link_up: bool) {
    let after = lab::rewired(state, RewireStep { follows_new, link_up });
    let text = format!(
        "{}; INFO: {} the new master, link {}",
        rewire_word(state),
        if follows_new { "follows" } else { "does not follow" },
        if link_up { "up" } else { "down" }
    );
    trace.call(text, rewire_word(after));
}

fn tell(trace: &mut Trace, parallel: usize, replicas: &[(Rewire, bool)], periods: &Periods) {
    let next = lab::next_to_rewire(NOW, parallel, replicas, periods);
    let shown: Vec<String> = replicas
        .iter()
        .map(|(state, connected)| {
            format!("{}{}", rewire_word(*state), if *connected { "" } else { " (away)" })
        })
        .collect();
    trace.call(format!("parallel-syncs {parallel}: {}", shown.join("; ")), format!("tell {next:?}"));
}

fn finished(trace: &mut Trace, replicas: &[(Rewire, bool)]) {
    let over = lab::rewire_is_over(replicas);
    let shown: Vec<String> = replicas
        .iter()
        .map(|(state, down)| format!("{}{}", rewire_word(*state), if *down { " (down)" } else { "" }))
        .collect();
    trace.call(format!("over? {}", shown.join("; ")), if over { "yes" } else { "no" });
}

fn rewiring(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "the other replicas");
    let periods = Periods::default();
    let sent = |millis: u64| Rewire::Sent(ago(millis));
    for (state, follows_new, link_up) in [
        (sent(100), false, true),
        (sent(100), true, false),
        (sent(100), true, true),
        (Rewire::InProgress, true, false),
        (Rewire::InProgress, true, true),
        (Rewire::InProgress, false, true),
        (Rewire::Waiting, true, true),
        (Rewire::Done, false, false),
    ] {
        told(trace, state, follows_new, link_up);
    }
    let waiting = (Rewire::Waiting, true);
    for (parallel, replicas) in [
        (1, vec![waiting, waiting, waiting]),
        (2, vec![waiting, waiting, waiting]),
        (1, vec![(Rewire::Done, true), waiting, waiting]),
        (1, vec![(sent(100), true), waiting]),
        (2, vec![(Rewire::InProgress, true), waiting, waiting]),
        (1, vec![(sent(10_000), true), waiting]),
        (1, vec![(sent(10_001), true), waiting]),
        (2, vec![(Rewire::Waiting, false), waiting, waiting]),
        (1, vec![(Rewire::InProgress, true), (Rewire::InProgress, true), waiting]),
        (1, vec![(Rewire::Done, true)]),
    ] {
        tell(trace, parallel, &replicas, &periods);
    }
    for replicas in [
        vec![],
        vec![(Rewire::Done, false), (Rewire::Done, false)],
        vec![(Rewire::Done, false), (Rewire::InProgress, false)],
        vec![(Rewire::Done, false), (Rewire::Waiting, true)],
        vec![(Rewire::Waiting, false)],
    ] {
        finished(trace, &replicas);
    }
    Ok(())
}

fn rewiring_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "the other replicas");
    let mut rng = Rng::new(seed);
    let periods = Periods { reconf_timeout: Millis(rng.between(100, 20_000)), ..Periods::default() };
    let state = |rng: &mut Rng| match rng.below(5) {
        0 | 1 => Rewire::Waiting,
        2 => Rewire::Sent(ago(near(rng, periods.reconf_timeout.0))),
        3 => Rewire::InProgress,
        _ => Rewire::Done,
    };
    let first = state(&mut rng);
    told(trace, first, rng.chance(60), rng.chance(60));
    let replicas: Vec<(Rewire, bool)> =
        (0..rng.below(6)).map(|_| (state(&mut rng), rng.chance(80))).collect();
    trace.note(Millis::ZERO, None, format!("told again after {}", periods.reconf_timeout));
    tell(trace, rng.between(1, 3) as usize, &replicas, &periods);
    let downs: Vec<(Rewire, bool)> = replicas.iter().map(|(state, connected)| (*state, !connected)).collect();
    finished(trace, &downs);
    Ok(())
}
