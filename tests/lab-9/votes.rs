// 9.3: the vote rule.

/// A request and all that the voter looks at, in the order of the rule.
#[derive(Clone, Copy)]
struct Case {
    has_voice: bool,
    asked: u64,
    current: u64,
    voted: u64,
    asker: Asker,
    forced: bool,
    /// The asker's idea of its master's configuration epoch; it wants the slots 1 and 2.
    config: u64,
    /// Who owns slot 1 and slot 2, by epoch, as the voter knows it. Slot 3 is somebody's, in epoch 99.
    owners: [Option<u64>; 2],
    timeout: u64,
}

const REPLICA: Asker = Asker::Replica { master_failed: true, voted_at: None };

const GOOD: Case = Case {
    has_voice: true,
    asked: 8,
    current: 8,
    voted: 7,
    asker: REPLICA,
    forced: false,
    config: 3,
    owners: [Some(3), Some(3)],
    timeout: 15_000,
};

fn show_refusal(refusal: Refusal) -> String {
    match refusal {
        Refusal::NoVoice => "no: it has no voice".into(),
        Refusal::OldEpoch { asked, current } => format!("no: epoch {asked} is behind {current}"),
        Refusal::AlreadyVoted(epoch) => format!("no: voted in epoch {epoch} already"),
        Refusal::IsMaster => "no: it is a master".into(),
        Refusal::MasterUnknown => "no: its master is unknown".into(),
        Refusal::MasterIsUp => "no: its master is up".into(),
        Refusal::TooSoon { wait } => format!("no: too soon, by {wait}"),
        Refusal::OldSlots { slot, held, asked } => {
            format!("no: slot {slot} is @{held} here, asked @{asked}")
        }
    }
}

fn ask_for_vote(trace: &mut Trace, case: &Case) {
    let wanted = slot_set([1, 2]);
    let request = Request {
        epoch: Epoch(case.asked),
        config_epoch: Epoch(case.config),
        slots: &wanted,
        forced: case.forced,
    };
    let voter = Voter {
        has_voice: case.has_voice,
        current_epoch: Epoch(case.current),
        last_vote_epoch: Epoch(case.voted),
        node_timeout: Millis(case.timeout),
    };
    let owner = |slot: Slot| match slot.number() {
        1 => case.owners[0].map(Epoch),
        2 => case.owners[1].map(Epoch),
        _ => Some(Epoch(99)),
    };
    let verdict = match answer(NOW, &voter, case.asker, &request, owner) {
        Answer::Grant(epoch) => format!("the vote of epoch {epoch}"),
        Answer::Refuse(refusal) => show_refusal(refusal),
    };
    let mut text = match case.asker {
        Asker::Master => "a master asks".to_string(),
        Asker::OfUnknown => "a replica of nobody we know asks".into(),
        Asker::Replica { master_failed: true, .. } => "its master has failed".into(),
        Asker::Replica { .. } => "its master is up".into(),
    };
    if let Asker::Replica { voted_at: Some(at), .. } = case.asker {
        text += &format!(", voted about it {} ago", NOW.since(at));
    }
    if case.forced {
        text += ", forced";
    }
    text += &format!("; epoch {}, current {}, voted in {}", case.asked, case.current, case.voted);
    if case.owners != [Some(case.config); 2] {
        let epoch = |owner: Option<u64>| owner.map_or("-".into(), |epoch| format!("@{epoch}"));
        let [one, two] = case.owners.map(epoch);
        text += &format!("; slots {one} {two}, asked @{}", case.config);
    }
    if !case.has_voice {
        text += "; I have no slots";
    }
    trace.call(text, verdict);
}

fn votes(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "the vote rule");
    trace.note(
        Millis::ZERO,
        None,
        "node timeout 15000ms; slots 1 and 2 are asked for; @3: of a configuration of epoch 3",
    );
    let voted = |millis| Asker::Replica { master_failed: true, voted_at: Some(ago(millis)) };
    let up = Asker::Replica { master_failed: false, voted_at: None };
    let cases = [
        GOOD,
        Case { has_voice: false, ..GOOD },
        Case { asked: 7, ..GOOD },
        Case { voted: 8, ..GOOD },
        Case { asker: up, ..GOOD },
        Case { asker: up, forced: true, ..GOOD },
        Case { asker: Asker::Master, ..GOOD },
        Case { asker: Asker::Master, forced: true, ..GOOD },
        Case { asker: Asker::OfUnknown, ..GOOD },
        Case { asker: voted(29_999), ..GOOD },
        Case { asker: voted(30_000), ..GOOD },
        Case { asker: voted(15_001), ..GOOD },
        Case { asker: voted(1), forced: true, ..GOOD },
        Case { owners: [Some(3), Some(4)], ..GOOD },
        Case { owners: [Some(5), Some(4)], ..GOOD },
        Case { owners: [None, Some(2)], ..GOOD },
        Case { owners: [None, None], config: 0, ..GOOD },
        Case { voted: 3, ..GOOD },
        Case { owners: [Some(5), Some(5)], forced: true, ..GOOD },
        // Several reasons: the first counts.
        Case { has_voice: false, asked: 7, voted: 8, ..GOOD },
        Case { asked: 7, voted: 8, asker: up, ..GOOD },
        Case { voted: 8, asker: up, ..GOOD },
        Case { asker: Asker::Master, owners: [Some(9), Some(9)], ..GOOD },
        Case { asker: voted(10), owners: [Some(9), Some(9)], ..GOOD },
    ];
    for case in &cases {
        ask_for_vote(trace, case);
    }
    Ok(())
}

/// Either one request in all possible circumstances, or a whole election in which these are the voters.
fn votes_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    if seed % 4 == 3 {
        return run_world(seed, trace, Under::Votes);
    }
    table(trace, "the vote rule");
    let mut rng = Rng::new(seed);
    let timeout = rng.between(500, 15_000);
    let current = rng.between(2, 6);
    let config = rng.below(5);
    let epoch = |rng: &mut Rng| match rng.below(8) {
        0 => None,
        1 => Some(config + 1),
        _ => Some(rng.below(config + 1)),
    };
    let asker = match rng.below(12) {
        0 => Asker::Master,
        1 => Asker::OfUnknown,
        _ => Asker::Replica {
            master_failed: rng.chance(80),
            voted_at: rng.chance(40).then(|| ago(near(&mut rng, 2 * timeout))),
        },
    };
    trace.note(Millis::ZERO, None, format!("node timeout {timeout}ms"));
    let case = Case {
        has_voice: rng.chance(93),
        asked: if rng.chance(85) { current } else { current - 1 },
        current,
        voted: if rng.chance(85) { rng.below(current) } else { current },
        asker,
        forced: rng.chance(20),
        config,
        owners: [epoch(&mut rng), epoch(&mut rng)],
        timeout,
    };
    ask_for_vote(trace, &case);
    Ok(())
}
