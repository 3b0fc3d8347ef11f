// 4.5 and 4.6: when silence means down, and when a connection is to blame.

fn judge(
    trace: &mut Trace,
    text: String,
    kind: Kind,
    contact: &Contact,
    claims: Option<u64>,
    down_after: u64,
    periods: &Periods,
) {
    let down = lab::subjectively_down(NOW, kind, contact, claims.map(ago), Millis(down_after), periods);
    trace.call(text, if down { "down" } else { "up" });
}

fn silences(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "down, for me? (down-after is 5000 ms)");
    let periods = Periods::default();
    let unanswered = |millis: u64, alive: u64| Contact {
        unanswered_since: Some(ago(millis)),
        alive_at: ago(alive),
        ..well()
    };
    let cut_off = |alive: u64| Contact { connected_at: None, alive_at: ago(alive), ..well() };
    for (text, kind, contact, claims) in [
        ("a master, all answered", Kind::Master, well(), None),
        (
            "connected, all answered, alive 9000 ms ago",
            Kind::Master,
            Contact { alive_at: ago(9000), ..well() },
            None,
        ),
        ("unanswered for 5000 ms", Kind::Master, unanswered(5000, 6000), None),
        ("unanswered for 5001 ms", Kind::Master, unanswered(5001, 6000), None),
        ("a replica, unanswered for 5001 ms", Kind::Replica, unanswered(5001, 6000), None),
        ("a sentinel, unanswered for 5001 ms", Kind::Sentinel, unanswered(5001, 6000), None),
        ("unanswered for 900 ms, alive 9000 ms ago", Kind::Master, unanswered(900, 9000), None),
        ("not connected, all answered, alive 5000 ms ago", Kind::Master, cut_off(5000), None),
        ("not connected, all answered, alive 5001 ms ago", Kind::Master, cut_off(5001), None),
        (
            "not connected, unanswered for 900 ms, alive 9000 ms ago",
            Kind::Master,
            Contact { connected_at: None, ..unanswered(900, 9000) },
            None,
        ),
        ("a master that has called itself a replica for 25000 ms", Kind::Master, well(), Some(25_000)),
        ("the same for 25001 ms", Kind::Master, well(), Some(25_001)),
        ("a replica that calls itself one, for an hour", Kind::Replica, well(), Some(900_000)),
        (
            "a master that has called itself a replica for 100 ms, unanswered for 5001 ms",
            Kind::Master,
            unanswered(5001, 6000),
            Some(100),
        ),
    ] {
        judge(trace, text.into(), kind, &contact, claims, 5000, &periods);
    }
    Ok(())
}

fn near(rng: &mut Rng, bound: u64) -> u64 {
    if rng.chance(60) { (bound + rng.between(0, 4)).saturating_sub(2) } else { rng.below(60_000) }
}

fn silence_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "down, for me?");
    let mut rng = Rng::new(seed);
    let down_after = rng.between(100, 30_000);
    let periods = Periods { info: Millis(rng.between(100, 10_000)), ..Periods::default() };
    let unanswered = rng.chance(60).then(|| near(&mut rng, down_after));
    let alive = near(&mut rng, down_after);
    let connected = rng.chance(50);
    let claims = rng.chance(40).then(|| near(&mut rng, down_after + 2 * periods.info.0));
    let contact = Contact {
        connected_at: connected.then_some(ago(100_000)),
        unanswered_since: unanswered.map(ago),
        alive_at: ago(alive),
        ..well()
    };
    let kind = [Kind::Master, Kind::Replica, Kind::Sentinel][rng.below(3) as usize];
    let text = format!(
        "{kind:?}, down-after {down_after}, INFO every {}: connected {connected}, unanswered for {unanswered:?}, \
         alive {alive} ago, calls itself a replica for {claims:?}",
        periods.info
    );
    judge(trace, text, kind, &contact, claims, down_after, &periods);
    Ok(())
}

fn inspect(trace: &mut Trace, text: String, contact: &Contact, down_after: u64, periods: &Periods) {
    let dead = lab::command_link_is_dead(NOW, contact, Millis(down_after), periods);
    trace.call(text, if dead { "a new connection" } else { "leave it" });
}

fn listen(trace: &mut Trace, age: u64, silent: u64, periods: &Periods) {
    let dead = lab::hello_link_is_dead(NOW, ago(age), ago(silent), periods);
    let text = format!("for hellos: {age} ms old, nothing heard for {silent} ms");
    trace.call(text, if dead { "a new connection" } else { "leave it" });
}

fn dead_links(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "is the connection to blame? (down-after is 10000 ms)");
    let periods = Periods::default();
    for (age, unanswered, heard) in [
        (Some(60_000), Some(5001), 5001),
        (Some(60_000), Some(5000), 5001),
        (Some(60_000), Some(5001), 5000),
        (Some(15_000), Some(9000), 9000),
        (Some(15_001), Some(9000), 9000),
        (Some(60_000), Some(9000), 100),
        (Some(60_000), None, 9000),
        (None, Some(9000), 9000),
    ] {
        let contact = Contact {
            connected_at: age.map(ago),
            unanswered_since: unanswered.map(ago),
            heard_at: ago(heard),
            ..well()
        };
        let age = age.map_or("none".to_string(), |age| format!("{age} ms old"));
        let unanswered =
            unanswered.map_or("all answered".into(), |since| format!("unanswered for {since} ms"));
        inspect(trace, format!("{age}, {unanswered}, heard {heard} ms ago"), &contact, 10_000, &periods);
    }
    for (age, silent) in [(60_000, 6000), (60_000, 6001), (15_000, 9000), (15_001, 9000)] {
        listen(trace, age, silent, &periods);
    }
    Ok(())
}

fn dead_link_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "is the connection to blame?");
    let mut rng = Rng::new(seed);
    let periods = Periods {
        link_min_age: Millis(rng.between(100, 20_000)),
        hello: Millis(rng.between(100, 5000)),
        ..Periods::default()
    };
    let down_after = rng.between(100, 30_000);
    let half = down_after / 2;
    let age = rng.chance(90).then(|| near(&mut rng, periods.link_min_age.0));
    let unanswered = rng.chance(90).then(|| near(&mut rng, half));
    let heard = near(&mut rng, half);
    let contact = Contact {
        connected_at: age.map(ago),
        unanswered_since: unanswered.map(ago),
        heard_at: ago(heard),
        ..well()
    };
    let text = format!(
        "down-after {down_after}, left alone for {}: age {age:?}, unanswered for {unanswered:?}, heard {heard} ago",
        periods.link_min_age
    );
    inspect(trace, text, &contact, down_after, &periods);
    let (age, silent) = (near(&mut rng, periods.link_min_age.0), near(&mut rng, periods.hello.0 * 3));
    listen(trace, age, silent, &periods);
    Ok(())
}
