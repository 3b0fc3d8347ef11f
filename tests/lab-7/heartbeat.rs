// 7.2 and 7.3: whom a node pings, and when it begins to doubt.

fn show_due(due: Due) -> String {
    let parts = [(due.reconnect, "a new connection"), (due.ping, "ping"), (due.suspect, "suspect it")];
    let parts: Vec<&str> = parts.into_iter().filter(|(flag, _)| *flag).map(|(_, word)| word).collect();
    if parts.is_empty() { "nothing".into() } else { parts.join(", ") }
}

fn judge(trace: &mut Trace, contact: &Contact, timeout: u64) {
    let since = |at: Millis| NOW.since(at).0;
    let link = contact.linked.map_or("no connection".into(), |at| format!("connected {} ago", since(at)));
    let asked = match contact.ping_sent {
        Millis::ZERO => "owes nothing".into(),
        at => format!("asked {} ago", since(at)),
    };
    trace.call(
        format!(
            "{link}, {asked}, answered {} ago, last byte {} ago",
            since(contact.pong_received),
            since(contact.data_received)
        ),
        show_due(lab::due(NOW, contact, Millis(timeout))),
    );
}

/// Connected for long, answered so long ago, and asked so long ago, if at all.
fn contact(answered: u64, asked: Option<u64>) -> Contact {
    Contact {
        linked: Some(ago(90_000)),
        ping_sent: asked.map_or(Millis::ZERO, ago),
        pong_received: ago(answered),
        data_received: ago(answered),
    }
}

fn dues(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "what is due (milliseconds; the node timeout is 1000)");
    let linked = |contact: Contact, since: Option<u64>| Contact { linked: since.map(ago), ..contact };
    let byte = |contact: Contact, since: u64| Contact { data_received: ago(since), ..contact };
    for contact in [
        contact(500, None),
        contact(501, None),
        contact(501, Some(100)),
        linked(contact(501, None), None),
        linked(contact(501, None), Some(20)),
        byte(contact(501, None), 10),
        contact(900, Some(500)),
        contact(900, Some(501)),
        byte(contact(900, Some(501)), 500),
        byte(contact(900, Some(501)), 501),
        linked(contact(900, Some(501)), Some(1000)),
        linked(contact(900, Some(501)), Some(1001)),
        linked(contact(900, Some(501)), None),
        linked(contact(1400, Some(1000)), Some(400)),
        linked(contact(1400, Some(1001)), Some(400)),
        linked(contact(1400, Some(1001)), None),
        byte(linked(contact(1400, Some(1001)), Some(400)), 1000),
        byte(linked(contact(1400, Some(1001)), Some(400)), 1001),
        contact(2000, Some(1001)),
        contact(9000, None),
    ] {
        judge(trace, &contact, 1000);
    }
    trace.note(Millis::ZERO, None, "a node timeout of 999: half of it is 499");
    judge(trace, &contact(499, None), 999);
    judge(trace, &contact(500, None), 999);
    trace.note(Millis::ZERO, None, "a peer that answers in 20 ms, and dies 6,300 ms after the start");
    lifetime(trace, 1000, Some(6300), None);
    trace.note(
        Millis::ZERO,
        None,
        "a connection that swallows everything from 3,050 ms on, and a peer that is well",
    );
    lifetime(trace, 1000, None, Some(3050));
    Ok(())
}

/// Looks ten times a second at a peer that dies, or whose connection breaks without a word. Only looks at which something
/// is due are told.
fn lifetime(trace: &mut Trace, timeout: u64, dies: Option<u64>, swallows: Option<u64>) {
    let start = NOW;
    let mut contact =
        Contact { linked: Some(start), ping_sent: Millis::ZERO, pong_received: start, data_received: start };
    // When the last ping was written to the connection that stands now.
    let mut written = start;
    for step in 1..=90 {
        let now = start + Millis(step * 100);
        let alive = dies.is_none_or(|at| written.since(start).0 < at);
        let passes = contact.linked != Some(start) || swallows.is_none_or(|at| written.since(start).0 < at);
        if contact.ping_sent != Millis::ZERO && alive && passes {
            let answered = written + Millis(20);
            (contact.pong_received, contact.data_received) = (answered, answered);
            contact.ping_sent = Millis::ZERO;
        }
        let due = lab::due(now, &contact, Millis(timeout));
        if due != Due::default() {
            trace.call(format!("{} ms after the start", step * 100), show_due(due));
        }
        if due.suspect {
            return;
        }
        if due.reconnect {
            // The ping is sent again on the new connection, and keeps its time.
            (contact.linked, written) = (Some(now), now);
        }
        if due.ping {
            (contact.ping_sent, written) = (now, now);
        }
    }
}

fn due_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    let timeout = rng.between(10, 20_000);
    table(trace, &format!("what is due (the node timeout is {timeout})"));
    for _ in 0..5 {
        let edge = if rng.chance(50) { timeout / 2 } else { timeout };
        let asked = rng.chance(60).then(|| near(&mut rng, edge));
        let linked = rng.chance(75).then(|| near(&mut rng, timeout));
        let contact = Contact {
            linked: linked.map(ago),
            data_received: ago(near(&mut rng, edge)),
            ..contact(near(&mut rng, edge), asked)
        };
        judge(trace, &contact, timeout);
    }
    Ok(())
}

/// One extra ping. `heard`: for each place, how long ago it answered; `None`: it cannot be pinged now.
fn draw_one(trace: &mut Trace, seed: u64, heard: &[Option<u64>]) -> Result<(), Broken> {
    let drawn = Cell::new(0);
    let chosen = lab::extra_ping(&mut Rng::new(seed), heard.len(), |place| {
        drawn.set(drawn.get() + 1);
        heard.get(place).copied().flatten().map(ago)
    });
    let shown: Vec<String> =
        heard.iter().map(|ago| ago.map_or("-".to_string(), |ago| ago.to_string())).collect();
    trace.call(
        format!("answered [{}] ago, seed {seed}", shown.join(" ")),
        chosen.map_or("nobody".to_string(), |place| format!("place {place}")),
    );
    if drawn.get() > 5 {
        return Err(Broken::new(
            "Five places are drawn, and no more.",
            format!("{} were looked at, of {} members", drawn.get(), heard.len()),
        ));
    }
    Ok(())
}

fn extra_pings(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "the extra ping: five draws, the one heard least recently");
    let six = [None, Some(300), Some(900), Some(100), Some(700), Some(500)];
    for seed in [3, 5, 1, 2, 4, 6] {
        draw_one(trace, seed, &six)?;
    }
    draw_one(trace, 1, &[])?;
    draw_one(trace, 1, &[None])?;
    draw_one(trace, 1, &[None, Some(40)])?;
    draw_one(trace, 2, &[Some(70), Some(70), Some(70), Some(70)])?;
    draw_one(trace, 3, &[Some(70), Some(70), Some(70), Some(70)])?;
    let many: Vec<Option<u64>> = (0..20).map(|place| (place % 7 != 0).then_some(1000 - place * 10)).collect();
    for seed in 1..=4 {
        draw_one(trace, seed, &many)?;
    }
    Ok(())
}

fn extra_ping_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "the extra ping");
    let mut rng = Rng::new(seed);
    let members = rng.between(1, 24);
    let reachable = rng.between(5, 100);
    let heard: Vec<Option<u64>> =
        (0..members).map(|_| rng.chance(reachable).then(|| rng.below(12) * 100)).collect();
    draw_one(trace, rng.next_u64() % 1000, &heard)
}
