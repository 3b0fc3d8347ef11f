// 9.5: waiting, asking, counting.

fn show_reason(reason: lab::candidate::Reason) -> &'static str {
    use lab::candidate::Reason;
    match reason {
        Reason::DataAge => "not with data of that age",
        Reason::Delay => "waits for its time",
        Reason::Expired => "too late, expired",
        Reason::Votes => "too few votes",
    }
}

fn show_act(now: Millis, act: Option<Act>) -> String {
    match act {
        None => "nothing".into(),
        Some(Act::Schedule { at, rank }) => format!("will ask in {}, rank {rank}", at.since(now)),
        Some(Act::Postpone { by, rank }) => format!("waits {by} longer, rank {rank}"),
        Some(Act::Ask { epoch, forced }) => {
            format!("asks in epoch {epoch}{}", if forced { ", forced" } else { "" })
        }
        Some(Act::Win(epoch)) => format!("wins epoch {epoch}"),
        Some(Act::Wait(reason)) => show_reason(reason).into(),
    }
}

/// What is in front of it: rank and epoch, and whatever else is not as usual.
fn show_view(view: &View) -> String {
    let mut words = vec![format!("rank {}, epoch {}", view.rank, view.current_epoch)];
    words.extend((!view.has_cause).then(|| "no master with slots".into()));
    words.extend((!view.master_failed).then(|| "master alive".into()));
    words.extend(view.abstains.then(|| "abstains".into()));
    words.extend(view.too_old.then(|| "data too old".into()));
    match view.by_hand {
        ByHand::No => {}
        ByHand::Begun => words.push("by hand".into()),
        ByHand::Ready => words.push("by hand, ready".into()),
    }
    words.join(", ")
}

fn look(trace: &mut Trace, candidate: &mut Candidate, now: u64, view: &View) -> Option<Act> {
    let act = candidate.step(Millis(now), view);
    trace.note(Millis(now), None, format!("{}: {}", show_view(view), show_act(Millis(now), act)));
    act
}

fn hear(trace: &mut Trace, candidate: &mut Candidate, now: u64, voter: char, has_voice: bool, epoch: u64) {
    let counts = candidate.hear_vote(id(voter), has_voice, Epoch(epoch));
    let voice = if has_voice { "" } else { ", who owns no slots" };
    let text = format!(
        "a vote of {voter}{voice}, epoch {epoch}: {}",
        if counts { "counts" } else { "does not count" }
    );
    trace.note(Millis(now), None, text);
}

fn elections(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "a replica stands for election".into();
    let view = View {
        has_cause: true,
        master_failed: true,
        abstains: false,
        too_old: false,
        by_hand: ByHand::No,
        rank: 0,
        delay: Millis(700),
        current_epoch: Epoch(7),
        voters: 3,
        node_timeout: Millis(1000),
    };
    let epoch = |epoch| View { current_epoch: Epoch(epoch), ..view };
    trace.note(Millis(0), None, "three voters, node timeout 1000ms, a delay of 700ms");
    all_goes_well(trace, &view);

    trace.note(Millis(10_000), None, "2. a majority of four voters, one of them the dead master");
    let mut c = Candidate::default();
    let four = View { voters: 4, ..view };
    look(trace, &mut c, 10_000, &four);
    look(trace, &mut c, 10_700, &four);
    hear(trace, &mut c, 10_710, 'a', true, 8);
    hear(trace, &mut c, 10_720, 'b', true, 8);
    look(trace, &mut c, 10_720, &View { current_epoch: Epoch(8), ..four });
    hear(trace, &mut c, 10_730, 'c', true, 8);
    look(trace, &mut c, 10_730, &View { current_epoch: Epoch(8), ..four });

    trace.note(Millis(20_000), None, "3. siblings with more data turn up");
    let mut c = Candidate::default();
    look(trace, &mut c, 20_000, &view);
    look(trace, &mut c, 20_100, &View { rank: 2, ..view });
    look(trace, &mut c, 20_200, &View { rank: 1, ..view });
    look(trace, &mut c, 22_699, &View { rank: 2, ..view });
    look(trace, &mut c, 22_700, &View { rank: 2, ..view });
    look(trace, &mut c, 22_800, &View { rank: 3, ..epoch(8) });

    trace.note(Millis(30_000), None, "4. nobody votes, and it tries again");
    let mut c = Candidate::default();
    look(trace, &mut c, 30_000, &view);
    look(trace, &mut c, 30_700, &view);
    for at in [32_700, 32_701] {
        look(trace, &mut c, at, &epoch(8));
    }
    hear(trace, &mut c, 32_710, 'a', true, 8);
    hear(trace, &mut c, 32_710, 'b', true, 8);
    for at in [32_720, 34_700, 34_701, 35_401] {
        look(trace, &mut c, at, &epoch(9));
    }
    hear(trace, &mut c, 35_410, 'a', true, 8);
    hear(trace, &mut c, 35_420, 'b', true, 10);
    look(trace, &mut c, 35_430, &epoch(10));

    trace.note(Millis(40_000), None, "5. it sleeps over its time");
    let mut c = Candidate::default();
    look(trace, &mut c, 40_000, &view);
    for at in [42_701, 44_701] {
        look(trace, &mut c, at, &view);
    }
    reasons_to_do_nothing(trace, &view);
    with_an_operator(trace, &view);

    trace.note(Millis(80_000), None, "8. a short node timeout: two seconds are the least");
    let mut c = Candidate::default();
    let short = View { node_timeout: Millis(300), ..view };
    for at in [80_000, 80_700, 82_700, 82_701, 84_700, 84_701] {
        look(trace, &mut c, at, &short);
    }
    Ok(())
}

fn all_goes_well(trace: &mut Trace, view: &View) {
    trace.note(Millis(0), None, "1. all goes well");
    let mut c = Candidate::default();
    hear(trace, &mut c, 0, 'a', true, 7);
    for at in [0, 100, 699, 700] {
        look(trace, &mut c, at, view);
    }
    let view = View { current_epoch: Epoch(8), ..*view };
    look(trace, &mut c, 710, &view);
    hear(trace, &mut c, 720, 'a', true, 8);
    hear(trace, &mut c, 725, 'a', true, 8);
    hear(trace, &mut c, 730, 'x', false, 8);
    hear(trace, &mut c, 740, 'b', true, 7);
    look(trace, &mut c, 745, &view);
    hear(trace, &mut c, 750, 'c', true, 8);
    look(trace, &mut c, 750, &view);
    // It is a master now, and perhaps one day a replica again: nothing of this election is left then.
    look(trace, &mut c, 760, &View { has_cause: false, ..view });
    look(trace, &mut c, 900, &view);
}

fn reasons_to_do_nothing(trace: &mut Trace, view: &View) {
    trace.note(Millis(50_000), None, "6. reasons to do nothing");
    let mut c = Candidate::default();
    let nothing = [
        View { has_cause: false, ..*view },
        View { master_failed: false, ..*view },
        View { abstains: true, ..*view },
        View { too_old: true, ..*view },
        View { has_cause: false, too_old: true, ..*view },
    ];
    for view in &nothing {
        look(trace, &mut c, 50_000, view);
    }
    trace.note(
        Millis(51_000),
        None,
        "the master fails, comes back before the delay is over, and fails again",
    );
    look(trace, &mut c, 51_000, view);
    look(trace, &mut c, 51_200, &View { master_failed: false, ..*view });
    look(trace, &mut c, 51_600, view);
    look(trace, &mut c, 51_700, view);
}

fn with_an_operator(trace: &mut Trace, view: &View) {
    trace.note(Millis(60_000), None, "7. an operator wants it");
    let mut c = Candidate::default();
    let alive = View { master_failed: false, abstains: true, too_old: true, rank: 2, ..*view };
    look(trace, &mut c, 60_000, &View { by_hand: ByHand::Begun, ..alive });
    look(trace, &mut c, 60_100, &View { by_hand: ByHand::Ready, has_cause: false, ..alive });
    let ready = View { by_hand: ByHand::Ready, ..alive };
    for at in [60_200, 60_200] {
        look(trace, &mut c, at, &ready);
    }
    for voter in ['a', 'b'] {
        hear(trace, &mut c, 60_210, voter, true, 8);
    }
    look(trace, &mut c, 60_210, &View { current_epoch: Epoch(8), ..ready });
    trace.note(Millis(70_000), None, "the master fails while it prepares");
    let mut c = Candidate::default();
    let begun = View { by_hand: ByHand::Begun, rank: 2, ..*view };
    for at in [70_000, 70_000] {
        look(trace, &mut c, at, &begun);
    }
}

/// Either one candidate in all possible circumstances, or a whole election in which these are the candidates.
fn election_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    if seed % 4 == 3 {
        return run_world(seed, trace, Under::Candidates);
    }
    trace.title = "a replica stands for election".into();
    let mut rng = Rng::new(seed);
    let node_timeout = Millis(rng.between(200, 3000));
    let voters = rng.between(1, 6) as usize;
    trace.note(Millis(0), None, format!("{voters} voters, node timeout {node_timeout}"));
    let mut candidate = Candidate::default();
    let (mut now, mut epoch, mut rank) = (0, 5, rng.below(3) as usize);
    let mut by_hand = ByHand::No;
    for _ in 0..50 {
        now += match rng.below(10) {
            0 => rng.below(2 * node_timeout.0),
            1 => auth_bound(&candidate, now, node_timeout),
            _ => 100,
        };
        if rng.chance(15) {
            rank = rng.below(4) as usize;
        }
        if rng.chance(5) {
            by_hand = [ByHand::No, ByHand::Begun, ByHand::Ready][rng.below(3) as usize];
        }
        let view = View {
            has_cause: rng.chance(97),
            master_failed: rng.chance(90),
            abstains: rng.chance(3),
            too_old: rng.chance(3),
            by_hand,
            rank,
            delay: Millis(500 + rng.below(500) + 1000 * rank as u64),
            current_epoch: Epoch(epoch),
            voters,
            node_timeout,
        };
        match look(trace, &mut candidate, now, &view) {
            Some(Act::Ask { epoch: asked, .. }) => epoch = asked.0,
            Some(Act::Win(_)) => candidate = Candidate::default(),
            _ => {}
        }
        if rng.chance(40) {
            let voter = ['a', 'b', 'c', 'd', 'e', 'f'][rng.below(6) as usize];
            hear(trace, &mut candidate, now, voter, rng.chance(85), epoch - rng.below(2));
        }
        if rng.chance(5) {
            epoch += 1;
        }
    }
    Ok(())
}

/// How long until the next bound of a scheduled election, give or take a millisecond.
fn auth_bound(candidate: &Candidate, now: u64, node_timeout: Millis) -> u64 {
    let Some(at) = candidate.at else { return 100 };
    let bounds = [at, at + auth_timeout(node_timeout), at + retry_time(node_timeout)];
    let next = bounds.into_iter().find(|bound| bound.0 > now);
    next.map_or(100, |bound| bound.0 - now + u64::from(bound.0.is_multiple_of(2)))
}
