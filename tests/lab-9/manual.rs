// 9.9: an operator wants it.

fn way_word(way: Way) -> &'static str {
    match way {
        Way::Plain => "CLUSTER FAILOVER",
        Way::Force => "CLUSTER FAILOVER FORCE",
        Way::Takeover => "CLUSTER FAILOVER TAKEOVER",
    }
}

fn show_begin(trace: &mut Trace, at: u64, way: Way, master: Master) {
    use lab::manual::Start;
    let place = match master {
        Master::Myself => "a master",
        Master::Unknown => "a replica of nobody it knows",
        Master::Known { reachable: true } => "a replica, its master is well",
        Master::Known { reachable: false } => "a replica, its master is down",
    };
    let begins = match begin(way, master) {
        Ok(Start::AskMaster) => "asks its master to pause".to_string(),
        Ok(Start::Stand) => "stands for election at once".into(),
        Ok(Start::TakeOver) => "takes over without a vote".into(),
        Err(why) => format!("ERR {why}"),
    };
    trace.note(Millis(at), None, format!("{} at {place}: {begins}", way_word(way)));
}

fn show_pause(trace: &mut Trace, at: u64, sender: char, is_my_replica: bool) {
    let text = match pause(Millis(at), id(sender), is_my_replica) {
        None => "is ignored".to_string(),
        Some(pause) => format!(
            "pauses for {}: believes in it for {}, no writes for {} at most",
            letter(&pause.replica),
            pause.until.since(Millis(at)),
            pause.writes_until.since(Millis(at))
        ),
    };
    let who = if is_my_replica { "its replica" } else { "some node" };
    trace.note(Millis(at), None, format!("MFSTART from {sender}, {who}: {text}"));
}

fn show_state(manual: &Manual) -> &'static str {
    match manual.by_hand() {
        ByHand::No => "none",
        ByHand::Begun => "not ready",
        ByHand::Ready => "ready",
    }
}

fn applied(trace: &mut Trace, at: u64, manual: &mut Manual, offset: u64) {
    let now_ready = manual.catch_up(Offset(offset));
    let text = if now_ready { "ready from now on" } else { show_state(manual) };
    trace.note(Millis(at), None, format!("has applied {offset}: {text}"));
}

fn told(trace: &mut Trace, at: u64, manual: &mut Manual, offset: u64) {
    let counts = manual.hear_pause(Offset(offset));
    trace.note(
        Millis(at),
        None,
        format!("master paused at {offset}: {}", if counts { "that is the target" } else { "known already" }),
    );
}

fn over(trace: &mut Trace, at: u64, manual: &Manual) {
    let text = if manual.is_over(Millis(at)) { "called off" } else { "goes on" };
    trace.note(Millis(at), None, text);
}

fn by_hand(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "manual failovers".into();
    for master in [
        Master::Known { reachable: true },
        Master::Known { reachable: false },
        Master::Unknown,
        Master::Myself,
    ] {
        for way in [Way::Plain, Way::Force, Way::Takeover] {
            show_begin(trace, 0, way, master);
        }
    }
    show_pause(trace, 0, 'r', true);
    show_pause(trace, 0, 'x', false);

    trace.note(Millis(1000), None, "1. plain");
    let mut manual = Manual::new(Millis(1000), Way::Plain);
    applied(trace, 1010, &mut manual, 480);
    told(trace, 1020, &mut manual, 500);
    applied(trace, 1030, &mut manual, 490);
    applied(trace, 1040, &mut manual, 500);
    applied(trace, 1050, &mut manual, 500);

    trace.note(Millis(10_000), None, "2. its data is there before it hears how much there is");
    let mut manual = Manual::new(Millis(10_000), Way::Plain);
    applied(trace, 10_010, &mut manual, 500);
    told(trace, 10_020, &mut manual, 500);
    told(trace, 10_030, &mut manual, 510);
    applied(trace, 10_040, &mut manual, 500);

    trace.note(Millis(20_000), None, "3. a master that has paused at nothing");
    let mut manual = Manual::new(Millis(20_000), Way::Plain);
    told(trace, 20_010, &mut manual, 0);
    told(trace, 20_020, &mut manual, 30);
    applied(trace, 20_030, &mut manual, 0);

    trace.note(
        Millis(30_000),
        None,
        "4. more has come than there was at the pause: that master does not keep still",
    );
    let mut manual = Manual::new(Millis(30_000), Way::Plain);
    told(trace, 30_010, &mut manual, 500);
    applied(trace, 30_020, &mut manual, 514);
    for at in [34_999, 35_000, 35_001] {
        over(trace, at, &manual);
    }
    trace.note(Millis(40_000), None, "5. with force");
    let mut manual = Manual::new(Millis(40_000), Way::Force);
    applied(trace, 40_000, &mut manual, 480);
    told(trace, 40_010, &mut manual, 500);
    applied(trace, 40_020, &mut manual, 500);
    over(trace, 45_001, &manual);
    Ok(())
}

fn by_hand_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "a manual failover".into();
    let mut rng = Rng::new(seed);
    let way = [Way::Plain, Way::Plain, Way::Force, Way::Takeover][rng.below(4) as usize];
    let master = match rng.below(6) {
        0 => Master::Myself,
        1 => Master::Unknown,
        other => Master::Known { reachable: other > 3 },
    };
    show_begin(trace, 0, way, master);
    show_pause(trace, 0, ['r', 's'][rng.below(2) as usize], rng.chance(60));
    let mut manual = Manual::new(Millis(0), way);
    let (mut at, mut offset) = (0, 100);
    for _ in 0..12 {
        at += rng.below(900);
        match rng.below(4) {
            0 => told(trace, at, &mut manual, offset + rng.below(3)),
            1 => over(trace, at, &manual),
            _ => {
                offset += rng.below(2);
                applied(trace, at, &mut manual, offset);
            }
        }
    }
    over(trace, near(&mut rng, 5000).max(at), &manual);
    Ok(())
}
