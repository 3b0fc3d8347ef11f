// 4.4: who says hello.

/// Who is known from here on.
fn note_known(trace: &mut Trace, known: &[Peer]) {
    let list: Vec<String> = known
        .iter()
        .map(|peer| {
            let who = peer.id.as_ref().map_or('?', letter);
            format!("{who} at {}", peer.at)
        })
        .collect();
    let list = if list.is_empty() { "nobody".to_string() } else { list.join(", ") };
    trace.note(Millis::ZERO, None, format!("known: {list}"));
}

fn meet(trace: &mut Trace, known: &[Peer], sender: RunId, from: &Endpoint) {
    let answer = match lab::sighting(&id('m'), known, &sender, from) {
        Sighting::Myself => "myself".to_string(),
        Sighting::Known(place) => format!("number {place}, as before"),
        Sighting::Moved(place) => format!("number {place}, at a new address"),
        Sighting::New { replaces: None } => "a new one".into(),
        Sighting::New { replaces: Some(place) } => format!("a new one, where number {place} was"),
    };
    trace.call(format!("hello from {} at {from}", letter(&sender)), answer);
}

fn at(number: u64) -> Endpoint {
    Endpoint::new(format!("10.0.0.{number}"), 26_379)
}

fn peer(letter: char, place: u64) -> Peer {
    Peer { id: Some(id(letter)), at: at(place) }
}

fn sightings(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "who says hello");
    let two = [peer('a', 1), peer('b', 2)];
    note_known(trace, &[]);
    meet(trace, &[], id('m'), &at(9));
    meet(trace, &[], id('a'), &at(1));
    note_known(trace, &two);
    meet(trace, &two, id('m'), &at(1));
    meet(trace, &two, id('a'), &at(1));
    meet(trace, &two, id('b'), &at(2));
    meet(trace, &two, id('b'), &at(3));
    meet(trace, &two, id('c'), &at(3));
    meet(trace, &two, id('c'), &at(2));
    // b lives at a's old address now: it is b that has moved, and a is still where it was seen last.
    meet(trace, &two, id('b'), &at(1));
    let other_port = Endpoint::new("10.0.0.1", 26_380);
    meet(trace, &two, id('c'), &other_port);
    let nameless = [Peer { id: None, at: at(1) }, peer('b', 2)];
    note_known(trace, &nameless);
    meet(trace, &nameless, id('a'), &at(1));
    meet(trace, &nameless, id('b'), &at(1));
    Ok(())
}

fn sighting_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "who says hello");
    let mut rng = Rng::new(seed);
    let mut known = Vec::new();
    for letter in ['a', 'b', 'c', 'd'] {
        if rng.chance(70) {
            let at = at(rng.between(1, 4));
            known.push(Peer { id: rng.chance(90).then(|| id(letter)), at });
        }
    }
    note_known(trace, &known);
    let sender = id(['a', 'b', 'c', 'd', 'e', 'm'][rng.below(6) as usize]);
    meet(trace, &known, sender, &at(rng.between(1, 4)));
    Ok(())
}
