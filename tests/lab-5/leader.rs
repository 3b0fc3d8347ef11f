// 5.2: how many votes make a leader, and who has them.

fn tallies(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "votes, counted");
    // Four first: it is where the usual mistakes part.
    for known in [4, 1, 2, 3, 5, 6, 7] {
        for quorum in std::collections::BTreeSet::from([1, known / 2 + 1, known]) {
            trace.call(
                format!("sentinels known: {known}, quorum {quorum}: votes needed"),
                lab::votes_needed(known, quorum).to_string(),
            );
        }
    }
    for (others, own, known, quorum) in [
        ("ab", Some('a'), 3, 2),
        ("b", Some('a'), 3, 2),
        ("aa", None, 3, 2),
        ("", Some('a'), 1, 1),
        ("a", Some('a'), 4, 2),
        ("aa", Some('a'), 4, 2),
        ("aabb", Some('a'), 5, 2),
        ("aabb", Some('a'), 5, 4),
        ("AAa", Some('a'), 5, 2),
    ] {
        count(trace, others, own, known, quorum);
    }
    for others in ["", "b", "bc", "bcc", "B", "Bc"] {
        offer(trace, others);
    }
    Ok(())
}

/// Small letters are votes of epoch 7, capital ones of epoch 6.
fn ballots(letters: &str) -> Vec<(RunId, Epoch)> {
    let vote = |letter: char| {
        (id(letter.to_ascii_lowercase()), Epoch(if letter.is_ascii_uppercase() { 6 } else { 7 }))
    };
    letters.chars().map(vote).collect()
}

fn list(letters: &str) -> String {
    let show = |letter: char| {
        let old = if letter.is_ascii_uppercase() { " (epoch 6)" } else { "" };
        format!("{}{old}", letter.to_ascii_lowercase())
    };
    let shown: Vec<String> = letters.chars().map(show).collect();
    if shown.is_empty() { "nobody".into() } else { shown.join(", ") }
}

fn count(trace: &mut Trace, others: &str, own: Option<char>, known: usize, quorum: usize) {
    let own_vote = own.map(|letter| (id(letter), Epoch(7)));
    let leader = lab::leader(Epoch(7), own_vote, &ballots(others), known, quorum);
    let own = own.map_or("none".to_string(), String::from);
    trace.call(
        format!("epoch 7, {known} known, quorum {quorum}, own vote {own}, others for {}", list(others)),
        leader.map_or("nobody leads".into(), |leader| format!("{} leads", letter(&leader))),
    );
}

fn offer(trace: &mut Trace, others: &str) {
    let favourite = lab::favourite(Epoch(7), id('m'), &ballots(others));
    trace.call(
        format!("m stands for epoch 7, others voted for {}: its own vote", list(others)),
        format!("for {}", letter(&favourite)),
    );
}

fn tally_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "votes, counted");
    let mut rng = Rng::new(seed);
    let known = rng.between(1, 7) as usize;
    let quorum = rng.between(1, 7) as usize;
    let mut others = String::new();
    for _ in 1..known {
        if rng.chance(85) {
            others.push(['a', 'a', 'b', 'c', 'A', 'B'][rng.below(6) as usize]);
        }
    }
    let own = rng.chance(80).then(|| ['a', 'b'][rng.below(2) as usize]);
    trace.call(
        format!("sentinels known: {known}, quorum {quorum}: votes needed"),
        lab::votes_needed(known, quorum).to_string(),
    );
    count(trace, &others, own, known, quorum);
    offer(trace, &others);
    Ok(())
}
