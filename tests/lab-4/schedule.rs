// 4.1: what is due.

fn ask_due(
    trace: &mut Trace,
    text: String,
    kind: Kind,
    contact: &Contact,
    in_trouble: bool,
    down_after: u64,
    periods: &Periods,
) {
    let probes = lab::due(NOW, kind, contact, in_trouble, Millis(down_after), periods);
    let words: Vec<&str> = probes
        .iter()
        .map(|probe| match probe {
            Probe::Info => "INFO",
            Probe::Ping => "PING",
            Probe::Hello => "hello",
        })
        .collect();
    trace.call(text, if words.is_empty() { "nothing".into() } else { words.join(", ") });
}

/// The last answer came `heard` ms ago and was a proof of life, the last `PING` left `pinged` ms ago.
fn spoken(contact: &mut Contact, heard: u64, pinged: u64) {
    (contact.heard_at, contact.alive_at, contact.pinged_at) = (ago(heard), ago(heard), ago(pinged));
}

fn probes(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "what is due");
    let periods = Periods::default();
    let with = |change: fn(&mut Contact)| {
        let mut contact = well();
        change(&mut contact);
        contact
    };
    let new = with(|contact| contact.info_at = None);
    let rows: [(&str, Kind, Contact, bool, u64); 20] = [
        ("a master, all fresh", Kind::Master, well(), false, 30_000),
        ("a master, just found", Kind::Master, new.clone(), false, 30_000),
        ("a sentinel, just found", Kind::Sentinel, new, false, 30_000),
        ("a master, INFO 10000 ms old", Kind::Master, with(|c| c.info_at = Some(ago(10_000))), false, 30_000),
        ("a master, INFO 10001 ms old", Kind::Master, with(|c| c.info_at = Some(ago(10_001))), false, 30_000),
        ("a replica, INFO 1001 ms old", Kind::Replica, with(|c| c.info_at = Some(ago(1001))), false, 30_000),
        ("the same, in trouble", Kind::Replica, with(|c| c.info_at = Some(ago(1001))), true, 30_000),
        ("in trouble, INFO 1000 ms old", Kind::Replica, with(|c| c.info_at = Some(ago(1000))), true, 30_000),
        (
            "a master in trouble, INFO 1001 ms old",
            Kind::Master,
            with(|c| c.info_at = Some(ago(1001))),
            true,
            30_000,
        ),
        ("a sentinel, INFO never, in trouble", Kind::Sentinel, with(|c| c.info_at = None), true, 30_000),
        ("heard and pinged 1000 ms ago", Kind::Replica, with(|c| spoken(c, 1000, 1000)), false, 30_000),
        ("heard and pinged 1001 ms ago", Kind::Replica, with(|c| spoken(c, 1001, 1001)), false, 30_000),
        (
            "heard just now, no proof of life for a minute, pinged 501 ms ago",
            Kind::Master,
            with(|c| (c.alive_at, c.pinged_at) = (ago(60_000), ago(501))),
            false,
            30_000,
        ),
        (
            "silent for a minute, pinged 500 ms ago",
            Kind::Master,
            with(|c| spoken(c, 60_000, 500)),
            false,
            30_000,
        ),
        (
            "silent for a minute, pinged 501 ms ago",
            Kind::Master,
            with(|c| spoken(c, 60_000, 501)),
            false,
            30_000,
        ),
        (
            "a sentinel, heard and pinged 1001 ms ago",
            Kind::Sentinel,
            with(|c| spoken(c, 1001, 1001)),
            false,
            30_000,
        ),
        (
            "down-after 300: heard and pinged 301 ms ago",
            Kind::Master,
            with(|c| spoken(c, 301, 301)),
            false,
            300,
        ),
        ("hello sent 2000 ms ago", Kind::Master, with(|c| c.hello_at = ago(2000)), false, 30_000),
        ("hello sent 2001 ms ago", Kind::Sentinel, with(|c| c.hello_at = ago(2001)), false, 30_000),
        (
            "all long ago",
            Kind::Master,
            Contact {
                info_at: Some(ago(60_000)),
                heard_at: ago(60_000),
                alive_at: ago(60_000),
                pinged_at: ago(60_000),
                hello_at: ago(60_000),
                ..well()
            },
            false,
            30_000,
        ),
    ];
    for (text, kind, contact, in_trouble, down_after) in rows {
        ask_due(trace, text.into(), kind, &contact, in_trouble, down_after, &periods);
    }
    Ok(())
}

/// A time of around `period` ago.
fn around(rng: &mut Rng, period: Millis) -> Millis {
    let near = rng.between(0, 4) + period.0.saturating_sub(2);
    ago(if rng.chance(70) { near } else { rng.below(40_000) })
}

fn probes_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "what is due");
    let mut rng = Rng::new(seed);
    let periods = Periods {
        ping: Millis(rng.between(100, 2000)),
        info: Millis(rng.between(2000, 20_000)),
        hello: Millis(rng.between(100, 3000)),
        ..Periods::default()
    };
    let down_after = if rng.chance(50) { 30_000 } else { rng.between(50, 1500) };
    let ping = periods.ping.min(Millis(down_after));
    let info = if rng.chance(50) { periods.info } else { Millis(1000) };
    let contact = Contact {
        info_at: rng.chance(90).then(|| around(&mut rng, info)),
        heard_at: around(&mut rng, ping),
        pinged_at: around(&mut rng, Millis(ping.0 / 2)),
        hello_at: around(&mut rng, periods.hello),
        ..well()
    };
    let kind = [Kind::Master, Kind::Replica, Kind::Sentinel][rng.below(3) as usize];
    let in_trouble = rng.chance(50);
    let text = format!(
        "{kind:?}, in trouble: {in_trouble}, down-after {down_after}, periods ping {} info {} hello {}; {} ago: {}",
        periods.ping,
        periods.info,
        periods.hello,
        "info, heard, pinged, hello",
        [contact.info_at.unwrap_or_default(), contact.heard_at, contact.pinged_at, contact.hello_at]
            .map(|at| NOW.since(at).to_string())
            .join(", "),
    );
    ask_due(trace, text, kind, &contact, in_trouble, down_after, &periods);
    Ok(())
}
