// 4.2: which answers prove life.

fn show_contact(now: Millis, contact: &Contact) -> String {
    let ago = |at: Millis| now.since(at);
    let waits = match contact.unanswered_since {
        None => "all answered".to_string(),
        Some(at) => format!("unanswered for {}", ago(at)),
    };
    format!("{waits}; heard {} ago, alive {} ago", ago(contact.heard_at), ago(contact.alive_at))
}

/// `None`: a `PING` is sent; otherwise its answer comes.
fn talk(trace: &mut Trace, contact: &mut Contact, at: u64, answer: Option<Frame>) {
    let now = Millis(at);
    let text = match &answer {
        None => "PING".to_string(),
        Some(Frame::Simple(text)) => format!("+{text}"),
        Some(Frame::Error(text)) => format!("-{text}"),
        Some(other) => format!("{other:?}"),
    };
    match &answer {
        None => contact.pinged(now),
        Some(frame) => contact.answered(now, frame),
    }
    trace.note(now, None, format!("{text:<46} {}", show_contact(now, contact)));
}

fn answers(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "PING and its answers".into();
    let mut contact = Contact::new(Millis::ZERO);
    let error = |text: &str| Some(Frame::Error(text.into()));
    let simple = |text: &str| Some(Frame::Simple(text.into()));
    let steps = [
        (100, None),
        (101, simple("PONG")),
        (1100, None),
        (1600, None),
        (2100, None),
        (2150, error("BUSY Redis is busy running a script.")),
        (2600, None),
        (2601, error("LOADING Redis is loading the dataset in memory")),
        (3600, None),
        (3601, error("MASTERDOWN Link with MASTER is down")),
        (4600, None),
        (4601, error("NOAUTH Authentication required.")),
        (5600, None),
        (5601, simple("OK")),
        (6600, None),
        (6601, Some(Frame::Integer(1))),
        (6700, simple("PONG")),
        (7700, None),
    ];
    for (at, answer) in steps {
        talk(trace, &mut contact, at, answer);
    }
    Ok(())
}

fn answers_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "PING and its answers".into();
    let mut rng = Rng::new(seed);
    let mut contact = Contact::new(Millis::ZERO);
    let mut now = 0;
    for _ in 0..rng.between(1, 12) {
        now += rng.between(1, 900);
        let answer = match rng.below(8) {
            0..=3 => None,
            4 => Some(Frame::Simple("PONG".into())),
            5 => Some(Frame::Error("LOADING Redis is loading the dataset in memory".into())),
            6 => Some(Frame::Error("MASTERDOWN Link with MASTER is down".into())),
            _ => Some(Frame::Error("NOAUTH Authentication required.".into())),
        };
        talk(trace, &mut contact, now, answer);
    }
    Ok(())
}
