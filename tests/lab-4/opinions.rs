// 4.7 and 4.8: from one opinion to a common one.

fn agree(trace: &mut Trace, now: u64, opinions: &Opinions, quorum: usize, periods: &Periods) {
    let others = opinions.down(Millis(now), periods);
    trace.note(Millis(now), None, format!("others who say down: {others} (quorum {quorum})"));
}

fn agreement(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "how many say so?".into();
    let periods = Periods::default();
    let mut opinions = Opinions::new();
    let steps = [
        (0, 'a', true),
        (200, 'b', false),
        (1000, 'a', true),
        (1200, 'b', true),
        (2200, 'b', false),
        (2300, 'b', true),
        (2400, 'b', true),
    ];
    for (at, who, down) in steps {
        trace.note(Millis(at), None, format!("{who} says {}", if down { "down" } else { "up" }));
        opinions.heard(Millis(at), id(who), down);
        agree(trace, at, &opinions, 2, &periods);
    }
    for at in [6000, 6001, 7400, 7401] {
        agree(trace, at, &opinions, 2, &periods);
    }
    trace.note(Millis(8000), None, "objectively down?");
    for (kind, own, others, quorum) in [
        (Kind::Master, true, 1, 2),
        (Kind::Master, true, 0, 2),
        (Kind::Master, true, 0, 1),
        (Kind::Master, false, 4, 2),
        (Kind::Master, true, 4, 5),
        (Kind::Master, true, 3, 5),
        (Kind::Replica, true, 4, 2),
        (Kind::Sentinel, true, 4, 2),
    ] {
        together(trace, kind, own, others, quorum);
    }
    Ok(())
}

fn together(trace: &mut Trace, kind: Kind, own: bool, others: usize, quorum: usize) {
    let down = lab::objectively_down(kind, own, others, quorum);
    let ours = if own { "down for me" } else { "up for me" };
    let text = format!(
        "a {}, {ours}, down for {others} others, quorum {quorum}",
        format!("{kind:?}").to_lowercase()
    );
    let at = trace.now() + Millis(1);
    trace.note(at, None, format!("{text}: {}", if down { "down for all" } else { "no" }));
}

fn agreement_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "how many say so?".into();
    let mut rng = Rng::new(seed);
    let periods = Periods { ask: Millis(rng.between(100, 2000)), ..Periods::default() };
    let mut opinions = Opinions::new();
    let mut now = 0;
    let quorum = rng.between(1, 5) as usize;
    for _ in 0..rng.between(1, 15) {
        now +=
            if rng.chance(20) { periods.ask.0 * 5 + rng.below(3) - 1 } else { rng.below(periods.ask.0 * 2) };
        let who = ['a', 'b', 'c', 'd'][rng.below(4) as usize];
        if rng.chance(70) {
            let down = rng.chance(70);
            trace.note(Millis(now), None, format!("{who} says {}", if down { "down" } else { "up" }));
            opinions.heard(Millis(now), id(who), down);
        }
        agree(trace, now, &opinions, quorum, &periods);
    }
    let kind = [Kind::Master, Kind::Master, Kind::Replica, Kind::Sentinel][rng.below(4) as usize];
    together(trace, kind, rng.chance(70), rng.below(5) as usize, quorum);
    Ok(())
}

/// The others, as they are from here on.
fn note_others(trace: &mut Trace, others: &[(bool, Option<u64>)]) {
    let shown: Vec<String> = others
        .iter()
        .map(|(connected, answered)| {
            let link = if *connected { "here" } else { "away" };
            answered.map_or(format!("{link}, never answered"), |at| format!("{link}, answered {at} ms ago"))
        })
        .collect();
    let shown = if shown.is_empty() { "none".to_string() } else { shown.join("; ") };
    trace.note(Millis::ZERO, None, format!("the others: {shown}"));
}

fn ask(trace: &mut Trace, own: bool, at_once: bool, others: &[(bool, Option<u64>)], periods: &Periods) {
    let list: Vec<Question> = others
        .iter()
        .map(|(connected, answered)| Question { connected: *connected, answered_at: answered.map(ago) })
        .collect();
    let asked = lab::whom_to_ask(NOW, own, at_once, &list, periods);
    let text = format!(
        "whom to ask: {}{}",
        if own { "down for me" } else { "up for me" },
        if at_once { ", at once" } else { "" },
    );
    trace.call(text, if asked.is_empty() { "nobody".into() } else { format!("{asked:?}") });
}

fn questions(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "whom to ask, and what to answer");
    let periods = Periods::default();
    let others = [(true, None), (true, Some(999)), (true, Some(1000)), (false, Some(5000))];
    note_others(trace, &others);
    ask(trace, true, false, &others, &periods);
    ask(trace, true, true, &others, &periods);
    ask(trace, false, false, &others, &periods);
    ask(trace, false, true, &others, &periods);
    note_others(trace, &[]);
    ask(trace, true, false, &[], &periods);
    for (text, kind, own, tilt) in [
        ("asked about a master that is down for me", Some(Kind::Master), true, false),
        ("about a master that is up for me", Some(Kind::Master), false, false),
        ("about a master that is down for me, in TILT", Some(Kind::Master), true, true),
        ("about a replica that is down for me", Some(Kind::Replica), true, false),
        ("about an address that I do not watch", None, false, false),
    ] {
        trace.call(text, if lab::answer(kind, own, tilt) { "1, down" } else { "0" });
    }
    Ok(())
}

fn questions_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "whom to ask, and what to answer");
    let mut rng = Rng::new(seed);
    let periods = Periods { ask: Millis(rng.between(100, 2000)), ..Periods::default() };
    let mut others = Vec::new();
    for _ in 0..rng.below(6) {
        let answered = rng.chance(80).then(|| near(&mut rng, periods.ask.0));
        others.push((rng.chance(80), answered));
    }
    note_others(trace, &others);
    ask(trace, rng.chance(80), rng.chance(30), &others, &periods);
    let kind = [None, Some(Kind::Master), Some(Kind::Replica), Some(Kind::Sentinel)][rng.below(4) as usize];
    let (own, tilt) = (kind.is_some() && rng.chance(70), rng.chance(30));
    trace.call(
        format!("asked about {kind:?}, down for me: {own}, TILT: {tilt}"),
        lab::answer(kind, own, tilt).to_string(),
    );
    Ok(())
}
