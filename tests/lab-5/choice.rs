// 5.4: which replica takes over.

fn good(letter: char) -> Candidate {
    Candidate {
        id: Some(id(letter)),
        down: false,
        connected: true,
        alive_at: NOW,
        info_at: Some(NOW),
        without_master: Millis(5000),
        priority: 100,
        offset: Offset(1000),
    }
}

fn show_candidate(candidate: &Candidate) -> String {
    let usual = good('a');
    let mut text = candidate.id.as_ref().map_or("nameless".to_string(), |id| letter(id).to_string());
    let mut add = |shown: bool, more: String| {
        if shown {
            text += &format!(", {more}");
        }
    };
    add(candidate.down, "down".into());
    add(!candidate.connected, "not connected".into());
    add(candidate.alive_at != NOW, format!("alive {} ago", NOW.since(candidate.alive_at)));
    match candidate.info_at {
        None => add(true, "no INFO".into()),
        Some(at) => add(at != NOW, format!("INFO {} old", NOW.since(at))),
    }
    add(
        candidate.without_master != usual.without_master,
        format!("without master for {}", candidate.without_master),
    );
    add(candidate.priority != usual.priority, format!("priority {}", candidate.priority));
    add(candidate.offset != usual.offset, format!("offset {}", candidate.offset));
    text
}

fn pick(trace: &mut Trace, situation: &Situation, candidates: &[Candidate], periods: &Periods) {
    let chosen = lab::choose(NOW, situation, candidates, periods);
    let shown: Vec<String> = candidates.iter().map(show_candidate).collect();
    let shown = if shown.is_empty() { "no replica".to_string() } else { shown.join("; ") };
    trace.call(shown, chosen.map_or("nobody".into(), |place| format!("number {place}")));
}

fn choices(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "which replica? (down-after 1000 ms, the master has been down for 5000 ms)");
    let periods = Periods::default();
    let down = Situation { master_down_since: Some(ago(5000)), down_after: Millis(1000) };
    let (a, b, c) = (good('a'), good('b'), good('c'));
    for candidates in [
        vec![],
        vec![b.clone(), a.clone(), c.clone()],
        vec![a.clone(), Candidate { offset: Offset(1001), ..b.clone() }],
        vec![Candidate { offset: Offset(9000), ..a.clone() }, Candidate { priority: 10, ..b.clone() }],
        vec![Candidate { priority: 0, ..a.clone() }],
        vec![Candidate { id: None, ..a.clone() }, c.clone()],
        vec![Candidate { down: true, ..a.clone() }, b.clone()],
        vec![Candidate { connected: false, ..a.clone() }, b.clone()],
        vec![Candidate { alive_at: ago(5001), ..a.clone() }, b.clone()],
        vec![Candidate { alive_at: ago(5000), ..a.clone() }, b.clone()],
        vec![Candidate { info_at: Some(ago(5001)), ..a.clone() }, b.clone()],
        vec![Candidate { info_at: Some(ago(5000)), ..a.clone() }, b.clone()],
        vec![Candidate { info_at: None, ..a.clone() }, b.clone()],
        vec![Candidate { without_master: Millis(15_001), ..a.clone() }, b.clone()],
        vec![Candidate { without_master: Millis(15_000), ..a.clone() }, b.clone()],
    ] {
        pick(trace, &down, &candidates, &periods);
    }
    trace.note(Millis::ZERO, None, "an operator wants it, the master is up");
    let calm = Situation { master_down_since: None, down_after: Millis(1000) };
    for candidates in [
        vec![Candidate { info_at: Some(ago(30_000)), ..a.clone() }],
        vec![Candidate { info_at: Some(ago(30_001)), ..a.clone() }],
        vec![Candidate { without_master: Millis(10_000), ..a.clone() }],
        vec![Candidate { without_master: Millis(10_001), ..a }],
    ] {
        pick(trace, &calm, &candidates, &periods);
    }
    Ok(())
}

fn choice_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "which replica?");
    let mut rng = Rng::new(seed);
    let periods = Periods {
        ping: Millis(rng.between(100, 2000)),
        info: Millis(rng.between(1000, 10_000)),
        ..Periods::default()
    };
    let situation = Situation {
        master_down_since: rng.chance(80).then(|| ago(rng.below(20_000))),
        down_after: Millis(rng.between(100, 5000)),
    };
    let down_for = situation.master_down_since.map_or(0, |at| NOW.since(at).0);
    let info = if situation.master_down_since.is_some() { periods.ping.0 * 5 } else { periods.info.0 * 3 };
    let mut candidates = Vec::new();
    for letter in ['d', 'b', 'c', 'a'] {
        candidates.push(Candidate {
            id: rng.chance(90).then(|| id(letter)),
            down: rng.chance(15),
            connected: rng.chance(90),
            alive_at: if rng.chance(20) { ago(near(&mut rng, periods.ping.0 * 5)) } else { NOW },
            info_at: if rng.chance(20) {
                Some(ago(near(&mut rng, info)))
            } else {
                rng.chance(95).then_some(NOW)
            },
            without_master: match rng.below(4) {
                0 => Millis(near(&mut rng, down_for + situation.down_after.0 * 10)),
                _ => Millis::ZERO,
            },
            priority: [0, 10, 100, 100, 100][rng.below(5) as usize],
            offset: Offset(rng.between(1, 3) * 100),
        });
    }
    trace.note(
        Millis::ZERO,
        None,
        format!(
            "master down for {down_for}ms ({}), down-after {}, PING every {}, INFO every {}",
            if situation.master_down_since.is_some() { "yes" } else { "no" },
            situation.down_after,
            periods.ping,
            periods.info
        ),
    );
    pick(trace, &situation, &candidates, &periods);
    Ok(())
}
