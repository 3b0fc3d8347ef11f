// 2.9: when there is a backlog, and under which name.

fn show_history(history: &History) -> String {
    let past = history
        .earlier
        .map_or(String::new(), |past| format!(", earlier {}… up to {}", &past.id.short()[..4], past.offset));
    format!("{}…{past}", &history.id.short()[..4])
}

fn live(trace: &mut Trace, text: String, now: Millis, ttl: Millis, holder: &Holder, history: &History) {
    let mut made = 0;
    let fresh = || {
        made += 1;
        id('f')
    };
    let fate = match lab::backlog_life(now, ttl, holder, history, fresh) {
        Life::AsItIs => "as it is".to_string(),
        Life::Begin(history) => format!("begins one, as {}", show_history(&history)),
        Life::Forget(history) => format!("forgets it, and is {}", show_history(&history)),
    };
    trace.call(text, if made > 1 { format!("{fate}; {made} ids made") } else { fate });
}

fn lives(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "the life of a backlog".into();
    trace.timeless = true;
    let history = History { id: id('a'), earlier: Some(Position { id: id('e'), offset: Offset(400) }) };
    trace.call("the node is known as", show_history(&history));
    let hour = secs(3600);
    let alone = Holder { backlog: true, follows: false, replicas: 0, alone_since: secs(1000) };
    let without = Holder { backlog: false, ..alone };
    for (text, now, ttl, holder) in [
        ("a master with one replica, no backlog", 1000, hour, Holder { replicas: 1, ..without }),
        ("the same, when it has begun one", 1000, hour, Holder { replicas: 1, ..alone }),
        ("the same, two hours later", 8200, hour, Holder { replicas: 1, ..alone }),
        ("a master that never had a replica, no backlog", 9000, hour, without),
        ("a master, alone for 10 s", 1010, hour, alone),
        ("a master, alone for an hour", 4600, hour, alone),
        ("a master, alone for an hour and a second", 4601, hour, alone),
        ("the same, ttl 0", 4601, secs(0), alone),
        ("the same, ttl 0, alone for ever", 90_000_000, secs(0), alone),
        ("a replica, alone for two hours", 8200, hour, Holder { follows: true, ..alone }),
        ("a replica in sync, no backlog", 1000, hour, Holder { follows: true, ..without }),
        ("the same, with a replica of its own", 1000, hour, Holder { follows: true, replicas: 1, ..without }),
    ] {
        live(trace, text.into(), secs(now), ttl, &holder, &history);
    }
    Ok(())
}

fn lives_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.timeless = true;
    let past = Position { id: id('e'), offset: Offset(rng.below(1000)) };
    let history = History { id: id('a'), earlier: rng.chance(50).then_some(past) };
    let ttl = secs(rng.below(3) * 10);
    let holder = Holder {
        backlog: rng.chance(80),
        follows: rng.chance(30),
        replicas: rng.below(2) as usize,
        alone_since: secs(100),
    };
    let now = Millis(100_000 + any_of(&mut rng, &[0, 9_999, 10_000, 10_001, 20_000, 20_001, 90_000]));
    live(trace, format!("{holder:?}, ttl {ttl}, at {now}"), now, ttl, &holder, &history);
    Ok(())
}
