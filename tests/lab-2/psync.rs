// 2.3 and 2.4: the master's decision and the replica's question.

fn show_verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Continue { from } => format!("+CONTINUE, from {from} on"),
        Verdict::Full(why) => format!("+FULLRESYNC: {}", why_in_words(why)),
    }
}

fn why_in_words(why: Why) -> &'static str {
    match why {
        Why::Asked => "it asked for it",
        Why::OtherHistory => "another history",
        Why::BeyondCommonPast => "beyond the common past",
        Why::NoBacklog => "no backlog",
        Why::Forgotten => "not in the backlog any more",
        Why::Future => "more than was ever written",
    }
}

fn decide(trace: &mut Trace, history: &History, window: Option<Window>, asked: &str, offset: i64) {
    let verdict = lab::psync(history, window, asked.as_bytes(), offset);
    trace.call(format!("PSYNC {} {offset}", short(asked)), show_verdict(verdict));
}

/// An id in a few characters, if it is one.
fn short(asked: &str) -> String {
    match asked.parse::<ReplId>() {
        Ok(_) => format!("{}…", &asked[..4]),
        Err(_) if asked.len() > 8 => format!("{}… ({} characters)", &asked[..4], asked.len()),
        Err(_) => format!("{asked:?}"),
    }
}

fn decisions(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "PSYNC at a master".into();
    trace.timeless = true;
    let (present, earlier, other) = (id('a').to_string(), id('e').to_string(), id('0').to_string());
    let plain = History::new(id('a'));
    let window = Some(Window { start: Offset(100), end: Offset(500) });

    trace.call("A master aaaa…", "its backlog: the bytes 101 to 500");
    for wanted in [301, 501, 502, 101, 100, 1, 0, -1, i64::MIN, i64::MAX] {
        decide(trace, &plain, window, &present, wanted);
    }
    let upper = present.to_uppercase();
    for asked in ["?", "?abc", &other, &upper, &present[1..], "", &format!("{present}a")] {
        decide(trace, &plain, window, asked, 301);
    }
    decide(trace, &plain, window, "?", -1);

    trace.call("The same", "no backlog");
    for (asked, wanted) in [(&*present, 501), (&other, 501), ("?", -1)] {
        decide(trace, &plain, None, asked, wanted);
    }

    trace.call("The same, at 100", "a backlog that is still empty");
    let nothing = Some(Window { start: Offset(100), end: Offset(100) });
    for wanted in [100, 101, 102] {
        decide(trace, &plain, nothing, &present, wanted);
    }

    trace.call("A master aaaa…, eeee… up to 400", "its backlog: the bytes 101 to 500");
    let promoted = History { earlier: Some(Position { id: id('e'), offset: Offset(400) }), ..plain };
    for (asked, wanted) in [
        (&earlier, 301),
        (&earlier, 401),
        (&earlier, 402),
        (&earlier, 100),
        (&earlier, 600),
        (&present, 402),
        (&other, 301),
    ] {
        decide(trace, &promoted, window, asked, wanted);
    }
    decide(trace, &promoted, None, &earlier, 402);
    Ok(())
}

fn decisions_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.timeless = true;
    let start = rng.below(20);
    let end = start + rng.below(20);
    let window = rng.chance(90).then_some(Window { start: Offset(start), end: Offset(end) });
    let past = Position { id: id('e'), offset: Offset(rng.below(end + 1)) };
    let history = History { id: id('a'), earlier: rng.chance(60).then_some(past) };
    let past = history.earlier.map_or("no past".into(), |past| format!("eeee… up to {}", past.offset));
    let kept =
        window.map_or("no backlog".into(), |window| format!("backlog behind {start} up to {}", window.end));
    trace.call(format!("A master aaaa…, {past}"), kept);
    for _ in 0..12 {
        let asked = match rng.below(8) {
            0 => "?".to_string(),
            1 => id('0').to_string(),
            2 => id('A').to_string(),
            3 | 4 => id('e').to_string(),
            _ => id('a').to_string(),
        };
        let wanted = rng.below(end + 5) as i64 - 1;
        decide(trace, &history, window, &asked, wanted);
    }
    Ok(())
}

fn question(trace: &mut Trace, text: String, held: Option<&Held>) {
    let asked = lab::psync_request(held);
    trace.call(text, show_command(asked.as_args().iter()));
}

fn questions(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "what a replica asks for".into();
    trace.timeless = true;
    question(trace, "it holds nothing".into(), None);
    for (text, received, applied) in [
        ("all it received is applied", 500, 500),
        ("half a command had arrived", 523, 500),
        ("a snapshot of an empty stream", 0, 0),
        ("a transaction without its end", 900, 500),
    ] {
        let held = Held { id: id('a'), received: Offset(received), applied: Offset(applied) };
        question(trace, format!("received {received}, applied {applied}: {text}"), Some(&held));
    }
    Ok(())
}

fn questions_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.timeless = true;
    let digits = any_of(&mut rng, &[1, 8, 40]);
    let applied = rng.below(1 << digits);
    let received = applied + if rng.chance(50) { 0 } else { rng.below(1000) };
    let held = Held { id: ReplId::random(&mut rng), received: Offset(received), applied: Offset(applied) };
    question(trace, format!("received {received}, applied {applied}"), Some(&held));
    Ok(())
}
