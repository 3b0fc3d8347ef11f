// 7.5: what to make of a rumour.

fn show_rumour(rumour: &Rumour) -> String {
    let mut text = if rumour.failing { "it fails".to_string() } else { "it is well".to_string() };
    text += match NOW.0.checked_sub(rumour.pong_received.0) {
        Some(ago) => format!(", answered {ago} ago"),
        None => format!(", answers in {}", rumour.pong_received.0 - NOW.0),
    }
    .as_str();
    text += match (rumour.no_address, rumour.same_address) {
        (true, _) => ", no idea where",
        (false, true) => "",
        (false, false) => ", at a new address",
    };
    text
}

fn show_known(known: &Known) -> String {
    let mut text = format!("answered me {} ago", NOW.since(known.pong_received).0);
    for (flag, word) in [
        (known.myself, ", it is me"),
        (known.failing, ", I hold it for failing"),
        (known.waiting, ", owes me an answer"),
        (known.reported, ", others report it"),
    ] {
        if flag {
            text += word;
        }
    }
    text
}

fn hear(trace: &mut Trace, rumour: &Rumour, known: &Known, votes: bool) {
    let belief = lab::merge(NOW, rumour, known, votes);
    let mut parts = Vec::new();
    match belief.report {
        None => {}
        Some(true) => parts.push("note: fails".to_string()),
        Some(false) => parts.push("note: well".to_string()),
    }
    if let Some(heard) = belief.heard {
        parts.push(match NOW.0.checked_sub(heard.0) {
            Some(ago) => format!("heard {ago} ago"),
            None => format!("heard in {}", heard.0 - NOW.0),
        });
    }
    if belief.take_address {
        parts.push("take the address".to_string());
    }
    let teller = if votes { "a voter" } else { "another" };
    trace.call(
        format!("{teller} says: {}; {}", show_rumour(rumour), show_known(known)),
        if parts.is_empty() { "nothing".to_string() } else { parts.join(", ") },
    );
}

fn beliefs(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "what to make of a rumour");
    let well = Rumour { failing: false, no_address: false, same_address: true, pong_received: ago(1000) };
    let ill = Rumour { failing: true, ..well };
    let fine =
        Known { myself: false, failing: false, waiting: false, reported: false, pong_received: ago(3000) };
    let at = |pong_received| Rumour { pong_received, ..well };
    let moved = Rumour { same_address: false, ..well };
    let lost = Known { failing: true, waiting: true, ..fine };
    for (rumour, known, votes) in [
        (well, fine, false),
        (well, fine, true),
        (ill, fine, true),
        (ill, fine, false),
        (ill, Known { myself: true, ..fine }, true),
        (ill, Known { failing: true, waiting: true, ..fine }, true),
        (at(ago(3000)), fine, false),
        (at(ago(3001)), fine, false),
        (at(ago(2999)), fine, false),
        (at(NOW), fine, false),
        (at(NOW + Millis(500)), fine, false),
        (at(NOW + Millis(501)), fine, false),
        (well, Known { waiting: true, ..fine }, true),
        (well, Known { reported: true, ..fine }, true),
        (moved, fine, false),
        (moved, lost, false),
        (moved, lost, true),
        (Rumour { failing: true, ..moved }, lost, true),
        (Rumour { no_address: true, ..moved }, lost, false),
        (well, lost, false),
        (moved, Known { waiting: false, ..lost }, false),
    ] {
        hear(trace, &rumour, &known, votes);
    }
    Ok(())
}

fn belief_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "what to make of a rumour");
    let mut rng = Rng::new(seed);
    let known = Known {
        myself: rng.chance(10),
        failing: rng.chance(40),
        waiting: rng.chance(25),
        reported: rng.chance(25),
        pong_received: ago(rng.between(1, 3000)),
    };
    let around = if rng.chance(50) { known.pong_received } else { NOW + Millis(500) };
    let rumour = Rumour {
        failing: rng.chance(30),
        no_address: rng.chance(20),
        same_address: rng.chance(50),
        pong_received: Millis(around.0 + rng.below(5) - 2),
    };
    hear(trace, &rumour, &known, rng.chance(50));
    Ok(())
}
