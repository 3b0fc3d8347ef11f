// 3.6 and 3.7: the names of a history, and what a node can offer a new master.

fn at(id: char, offset: u64) -> Position {
    Position { id: named(id), offset: Offset(offset) }
}

fn after(id: char, earlier: Position) -> History {
    History { id: named(id), earlier: Some(earlier) }
}

fn promote(trace: &mut Trace, history: History, offset: u64, new: char) {
    let after = lab::promoted(history, Offset(offset), named(new));
    trace.call(
        format!("promoted at {offset}, its history: {}; the new name is {new}", show_history(history)),
        show_history(after),
    );
}

fn go_on(trace: &mut Trace, history: History, offset: u64, told: Option<char>) {
    let after = lab::continued(history, Offset(offset), told.map(named));
    let word = told.map_or("+CONTINUE".into(), |id| format!("+CONTINUE {id}"));
    trace.call(
        format!("a replica at {offset}, its history: {}; it is told {word}", show_history(history)),
        after.map_or("nothing changes".into(), show_history),
    );
}

fn promotions(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("the names of a history");
    let a = History::new(named('A'));
    promote(trace, a, 100, 'B');
    go_on(trace, a, 80, None);
    go_on(trace, a, 80, Some('A'));
    go_on(trace, a, 80, Some('B'));
    go_on(trace, a, 100, Some('B'));
    let b = after('B', at('A', 100));
    promote(trace, b, 150, 'C');
    go_on(trace, b, 120, Some('B'));
    go_on(trace, b, 120, Some('C'));
    promote(trace, b, 100, 'C');
    promote(trace, a, 0, 'B');
    Ok(())
}

/// A node of a small world in which data are only the numbers of writes.
struct Peer {
    history: History,
    data: Vec<u64>,
    master: bool,
}

impl Peer {
    fn offset(&self) -> Offset {
        Offset(self.data.len() as u64)
    }

    /// What `PSYNC` answers: may somebody who stands there go on?
    fn covers(&self, asked: Position) -> bool {
        let present = asked.id == self.history.id && asked.offset <= self.offset();
        let past =
            self.history.earlier.is_some_and(|past| asked.id == past.id && asked.offset <= past.offset);
        present || past
    }
}

/// Nodes write, are promoted, and follow one another. Whoever is told to continue holds a beginning of what
/// its master holds, or a name has been given to two histories.
fn promotions_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("promotions");
    let mut rng = Rng::new(seed);
    let mut names = 'A'..='Z';
    let first = named(names.next().expect("it has 26 letters"));
    let count = rng.between(2, 5) as usize;
    let mut peers: Vec<Peer> = (0..count)
        .map(|index| Peer { history: History::new(first), data: vec![0], master: index == 0 })
        .collect();
    for write in 1..=rng.between(5, 40) {
        let who = rng.below(count as u64) as usize;
        let other = (who + 1 + rng.below(count as u64 - 1) as usize) % count;
        if peers[who].master && rng.chance(70) {
            peers[who].data.push(write);
            continue;
        }
        if !peers[who].master && rng.chance(20) {
            let Some(new) = names.next() else { break };
            let history = lab::promoted(peers[who].history, peers[who].offset(), named(new));
            peers[who].history = history;
            peers[who].master = true;
            trace.call(format!("node {who} is promoted at {}", peers[who].offset()), show_history(history));
            continue;
        }
        let (asked, upper) =
            (Position { id: peers[who].history.id, offset: peers[who].offset() }, &peers[other]);
        let (history, data, partial) = (upper.history, upper.data.clone(), upper.covers(asked));
        let lower = &mut peers[who];
        let text = format!("node {who} ({}) follows node {other}", show_position(asked));
        if partial {
            if !data.starts_with(&lower.data) {
                return Err(Broken::new(
                    "Two nodes that agree on a name and an offset hold the same data.",
                    "a node was told to continue from data that its master never held",
                ));
            }
            if let Some(changed) = lab::continued(lower.history, lower.offset(), Some(history.id)) {
                lower.history = changed;
            }
        } else {
            lower.history = History::new(history.id);
        }
        lower.data = data;
        lower.master = false;
        let how = if partial { "continues" } else { "starts over" };
        trace.call(text, format!("{how}; {}", show_history(lower.history)));
    }
    Ok(())
}

fn show_past(past: &Past) -> String {
    match past {
        Past::Master { history, offset } => format!("a master at {offset}, {}", show_history(*history)),
        Past::Replica { history, applied, received } => {
            format!("a replica, applied {applied}, received {received}, {}", show_history(*history))
        }
        Past::HalfReplaced => "its data half replaced".into(),
        Past::Loaded { saved } => {
            format!("just started, in its file {}", saved.map_or("nothing".into(), show_position))
        }
    }
}

fn offers_to_go_on(trace: &mut Trace, past: &Past) {
    let answer = lab::offer(past).map_or("nothing: it needs everything".into(), show_position);
    trace.call(show_past(past), answer);
}

fn restart(trace: &mut Trace, saved: Option<Position>, new: char) {
    let (history, offset) = lab::restarted(saved, named(new));
    let file = saved.map_or("nothing".into(), show_position);
    trace.call(
        format!("a master starts, in its file {file}; the new name is {new}"),
        format!("at {offset}: {}", show_history(history)),
    );
}

fn offers(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("what a node can offer");
    let a = History::new(named('A'));
    let b = after('B', at('A', 100));
    offers_to_go_on(trace, &Past::Replica { history: a, applied: Offset(80), received: Offset(80) });
    offers_to_go_on(trace, &Past::Replica { history: a, applied: Offset(80), received: Offset(95) });
    offers_to_go_on(trace, &Past::Replica { history: b, applied: Offset(120), received: Offset(120) });
    offers_to_go_on(trace, &Past::Master { history: a, offset: Offset(130) });
    offers_to_go_on(trace, &Past::Master { history: b, offset: Offset(150) });
    offers_to_go_on(trace, &Past::Master { history: b, offset: Offset(100) });
    offers_to_go_on(trace, &Past::Master { history: a, offset: Offset(0) });
    offers_to_go_on(trace, &Past::HalfReplaced);
    offers_to_go_on(trace, &Past::Loaded { saved: None });
    offers_to_go_on(trace, &Past::Loaded { saved: Some(at('A', 70)) });
    restart(trace, None, 'B');
    restart(trace, Some(at('A', 70)), 'B');
    Ok(())
}

fn offer_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("what a node can offer");
    let mut rng = Rng::new(seed);
    let past = at('A', rng.between(1, 100));
    let history = if rng.chance(50) { History::new(named('B')) } else { after('B', past) };
    let offset = past.offset.plus(rng.below(3) as usize);
    let case = match rng.below(4) {
        0 => Past::Master { history, offset },
        1 => Past::Replica { history, applied: offset, received: offset.plus(rng.below(50) as usize) },
        2 => Past::Loaded { saved: rng.chance(70).then_some(past) },
        _ => Past::HalfReplaced,
    };
    offers_to_go_on(trace, &case);
    restart(trace, rng.chance(70).then_some(past), 'C');
    Ok(())
}
