// 8.6: a smart client's slot cache.

/// Three masters with a third of the slots each.
fn three() -> Topology {
    let shard = |port, first, last| Shard {
        master: place(port),
        ranges: vec![SlotRange { first: slot(first), last: slot(last) }],
        replicas: Vec::new(),
    };
    Topology { shards: vec![shard(7000, 0, 5461), shard(7001, 5462, 10922), shard(7002, 10923, 16383)] }
}

fn show_answer(answer: &Answer) -> String {
    match answer {
        Answer::Reply => "a reply".into(),
        Answer::Moved(slot, to) => format!("MOVED {slot} :{}", to.port),
        Answer::Ask(slot, to) => format!("ASK {slot} :{}", to.port),
        Answer::TryAgain => "TRYAGAIN".into(),
        Answer::Down => "CLUSTERDOWN".into(),
        Answer::Broken => "the connection broke".into(),
    }
}

fn show_errand(errand: &Errand) -> String {
    format!("{}:{}", if errand.asking { "ASKING and to " } else { "to " }, errand.to.port)
}

fn show_master(cache: &Cache, slot: Slot) -> String {
    let master = cache.master(slot).map_or("unknown".to_string(), |place| format!(":{}", place.port));
    format!("slot {slot} at {master}{}", if cache.stale { ", table stale" } else { "" })
}

fn answer(trace: &mut Trace, cache: &mut Cache, errand: &mut Errand, answer: &Answer) -> Next {
    let asked = show_errand(errand);
    let next = cache.answered(errand, answer);
    let doing = match next {
        Next::Done => "done".to_string(),
        Next::Send => format!("again, {}", show_errand(errand)),
        Next::Wait => format!("pause; again, {}", show_errand(errand)),
        Next::GiveUp => "give up".to_string(),
    };
    let known = errand.slot.map_or(String::new(), |slot| format!("  ({})", show_master(cache, slot)));
    trace.call(format!("{asked}: {}", show_answer(answer)), format!("{doing}{known}"));
    next
}

fn set_out(trace: &mut Trace, cache: &Cache, number: u16) -> Result<Errand, Broken> {
    let errand = cache.send(Some(slot(number)));
    trace.note(Millis::ZERO, None, format!("a command for {}", show_master(cache, slot(number))));
    errand.ok_or_else(|| Broken::new("A client that knows a node can send.", "nowhere to send to"))
}

fn errands(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "a smart client");
    let at = place;
    let s = slot(9252);
    let runs: Vec<(u16, Vec<Answer>)> = vec![
        (9252, vec![Answer::Reply]),
        (9252, vec![Answer::Ask(s, at(7002)), Answer::Reply]),
        (9252, vec![Answer::Ask(s, at(7002)), Answer::TryAgain, Answer::Reply]),
        (9252, vec![Answer::Ask(s, at(7002)), Answer::Moved(s, at(7001)), Answer::Reply]),
        (9252, vec![Answer::TryAgain, Answer::TryAgain, Answer::Reply]),
        (9252, vec![Answer::Moved(s, at(7002)), Answer::Reply]),
        (9252, vec![Answer::Reply]),
        (9253, vec![Answer::Reply]),
    ];
    let mut cache = Cache::new([at(7000)]);
    cache.learn(&three());
    for (number, answers) in runs {
        let mut errand = set_out(trace, &cache, number)?;
        for one in &answers {
            answer(trace, &mut cache, &mut errand, one);
        }
    }
    for (number, answers) in [
        (100, vec![Answer::Down, Answer::Reply]),
        (5462, vec![Answer::Broken, Answer::Moved(slot(5462), at(7004)), Answer::Reply]),
        (16383, vec![Answer::Broken, Answer::Broken, Answer::Reply]),
        (9252, vec![Answer::Ask(s, at(7009)), Answer::Broken, Answer::Reply]),
        (9252, vec![Answer::Ask(s, at(7000)), Answer::Down, Answer::Reply]),
    ] {
        let mut cache = Cache::new([at(7000)]);
        cache.learn(&three());
        let mut errand = set_out(trace, &cache, number)?;
        for one in &answers {
            answer(trace, &mut cache, &mut errand, one);
        }
    }
    trace.note(Millis::ZERO, None, "two nodes that each hold the other one to be the owner");
    let mut cache = Cache::new([at(7000)]);
    let mut errand = set_out(trace, &cache, 9252)?;
    for turn in 0..MAX_ATTEMPTS + 2 {
        let to = at(if turn % 2 == 0 { 7001 } else { 7000 });
        if answer(trace, &mut cache, &mut errand, &Answer::Moved(s, to)) == Next::GiveUp {
            return Ok(());
        }
    }
    Err(Broken::new(
        "A command is sent again at most 16 times.",
        format!("it was sent again {} times and goes on", MAX_ATTEMPTS + 2),
    ))
}

fn errand_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "a smart client");
    let mut rng = Rng::new(seed);
    let mut cache = Cache::new([place(7000), place(7001)]);
    if rng.chance(70) {
        cache.learn(&three());
    }
    for _ in 0..6 {
        let number = *rng.pick(&[0, 5461, 9252, 16383]).unwrap_or(&0);
        let mut errand = set_out(trace, &cache, number)?;
        for _ in 0..MAX_ATTEMPTS + 2 {
            let to = place(7000 + rng.below(5) as u16);
            let one = match rng.below(10) {
                0..=2 => Answer::Moved(slot(number), to),
                3..=5 => Answer::Ask(slot(number), to),
                6 => Answer::TryAgain,
                7 => Answer::Down,
                8 => Answer::Broken,
                _ if rng.chance(50) => Answer::Reply,
                _ => Answer::TryAgain,
            };
            if matches!(answer(trace, &mut cache, &mut errand, &one), Next::Done | Next::GiveUp) {
                break;
            }
        }
        if rng.chance(20) {
            cache.learn(&three());
        }
    }
    Ok(())
}
