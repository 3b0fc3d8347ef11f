// 7.4: of whom a heartbeat tells.

/// A member like most: there is a connection to it, and it owns slots.
fn usual() -> Candidate {
    Candidate { linked: true, owns_slots: true, ..Candidate::default() }
}

fn show_candidate(index: usize, member: &Candidate) -> String {
    let mut text = name(index).to_string();
    for (flag, mark) in [
        (member.myself, "(me)"),
        (member.handshake, "(handshake)"),
        (member.no_address, "(no address)"),
        (member.suspected, "(suspected)"),
        (!member.linked && !member.myself, "(no link)"),
        (!member.owns_slots, "(no slots)"),
    ] {
        if flag {
            text += mark;
        }
    }
    text
}

fn fill(trace: &mut Trace, seed: u64, members: &[Candidate]) {
    let all = members.iter().enumerate();
    let told = lab::choose(&mut Rng::new(seed), all.clone().map(|(index, member)| (index, *member)));
    let marked: Vec<String> = all.map(|(index, member)| show_candidate(index, member)).collect();
    trace.call(format!("{}; seed {seed}", marked.join(" ")), names(told.into_iter().map(name)));
}

fn choices(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "of whom a heartbeat tells");
    for known in [0, 1, 2, 3, 4, 5, 6, 29, 39, 40, 49, 200, 1000] {
        trace.call(format!("{known} known"), format!("tells of {}", lab::wanted(known)));
    }
    let me = Candidate { myself: true, linked: false, ..usual() };
    let six = [me, usual(), usual(), usual(), usual(), usual()];
    let with = |index: usize, other: Candidate| {
        let mut members = six;
        members[index] = other;
        members
    };
    fill(trace, 1, &six);
    fill(trace, 2, &six);
    fill(trace, 1, &[me]);
    fill(trace, 1, &[me, usual(), usual()]);
    fill(trace, 1, &with(3, Candidate { suspected: true, ..usual() }));
    fill(trace, 2, &with(3, Candidate { suspected: true, ..usual() }));
    fill(trace, 3, &with(3, Candidate { suspected: true, linked: false, owns_slots: false, ..usual() }));
    let doubts = [true, true, true, true, false].map(|suspected| Candidate { suspected, ..usual() });
    fill(trace, 4, &[&[me], &doubts[..]].concat());
    let shaking = Candidate { handshake: true, owns_slots: false, ..usual() };
    let lost = Candidate { no_address: true, ..usual() };
    fill(trace, 5, &[me, shaking, lost, usual(), usual(), usual()]);
    fill(
        trace,
        6,
        &[me, Candidate { suspected: true, ..shaking }, Candidate { suspected: true, ..lost }, usual()],
    );
    let unlinked = Candidate { linked: false, ..usual() };
    let replica = Candidate { owns_slots: false, ..usual() };
    fill(trace, 7, &[me, unlinked, replica, Candidate { linked: false, ..replica }, usual(), usual()]);
    fill(
        trace,
        8,
        &[me, Candidate { linked: false, ..replica }, usual(), unlinked, unlinked, unlinked, unlinked],
    );
    for suspected in [false, true] {
        spread(trace, 60, suspected);
    }
    Ok(())
}

/// A cluster in which one node knows something of the last member. In each round everybody tells one other, drawn at random.
/// Counts who has heard of it.
fn spread(trace: &mut Trace, nodes: usize, bad_news: bool) {
    let what = if bad_news { "bad news" } else { "good news" };
    trace.note(Millis::ZERO, None, format!("{what} of one member, among {nodes}: how many have heard it"));
    let mut rng = Rng::new(11);
    let about = nodes - 1;
    let mut heard = BTreeSet::from([0]);
    for round in 1..=100 {
        let before = heard.clone();
        for &teller in &before {
            let told = lab::choose(
                &mut rng,
                (0..nodes).map(|index| {
                    let suspected = bad_news && index == about;
                    (index, Candidate { myself: index == teller, suspected, ..usual() })
                }),
            );
            let to = rng.below(about as u64) as usize;
            if told.contains(&about) {
                heard.insert(to);
            }
        }
        if round % 4 == 0 || heard.len() == about {
            trace.call(format!("round {round}"), format!("{} of {about}", heard.len()));
        }
        if heard.len() == about {
            return;
        }
    }
}

fn choice_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "of whom a heartbeat tells");
    let mut rng = Rng::new(seed);
    let members = rng.between(1, 26);
    let me = rng.below(members);
    let odd = rng.below(30);
    let members: Vec<Candidate> = (0..members)
        .map(|index| Candidate {
            myself: index == me,
            handshake: rng.chance(odd),
            no_address: rng.chance(odd),
            suspected: index != me && rng.chance(odd),
            linked: index != me && !rng.chance(odd),
            owns_slots: rng.chance(70),
        })
        .collect();
    trace.call(format!("{} known", members.len()), format!("tells of {}", lab::wanted(members.len())));
    fill(trace, rng.next_u64() % 1000, &members);
    Ok(())
}
