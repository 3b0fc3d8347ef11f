// 10.9: six clusters in which nobody is elected.

const ONE_LINE: &str = "One line in the file of one node is enough.";
const CURED: &str = "A replica with its master's data is allowed to stand, is fresh enough, is heard, and gets the votes of a \
                     majority of the masters in time.";

/// The answers, in the order of the clusters.
fn cures_given() -> [Settings; 6] {
    use lab::cures as answers;
    [
        answers::first(),
        answers::second(),
        answers::third(),
        answers::fourth(),
        answers::fifth(),
        answers::sixth(),
    ]
}

fn cures(trace: &mut Trace) -> Result<(), Broken> {
    let ward = drill::ward();
    for (sick, cure) in ward.iter().zip(&cures_given()) {
        judge_cure(sick, cure, 0, trace)?;
    }
    trace.title = "six clusters".into();
    judged(trace, &ward.map(|sick| (sick.name, "has a new master, with its data")));
    Ok(())
}

/// One of them, with another network.
fn cures_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let place = seed as usize % 6;
    judge_cure(&drill::ward()[place], &cures_given()[place], seed + 1, trace)
}

/// Does this line cure this cluster?
pub(crate) fn judge_cure(sick: &Sick, cure: &Settings, seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::new(format!("The {} cluster", sick.name));
    let lines = cures::lines(sick, cure);
    trace.note(Millis::ZERO, None, format!("lines that are new: {lines}"));
    for (whose, line) in cure.lines() {
        match whose {
            Whose::Of(name) if sick.map.nodes().contains(&name.as_str()) => {
                trace.note(Millis::ZERO, Some(name), line.clone());
            }
            Whose::Of(name) => {
                let detail = format!("the {} has no node {name:.20}", sick.name);
                return Err(Broken::new(ONE_LINE, detail));
            }
            Whose::Nodes | Whose::Sentinels => {
                trace.note(Millis::ZERO, None, format!("in all files: {line}"));
            }
        }
    }
    if lines != 1 {
        let much = if lines == 0 { "no line" } else { "more than one line" };
        return Err(Broken::new(ONE_LINE, format!("the {}: {much} is new", sick.name)));
    }
    let outcome = cures::play(sick, cure, seed, false)?;
    if outcome.is_cured() {
        return Ok(());
    }
    // The same once more, for the replicas' own words.
    let recorded = cures::play(sick, cure, seed, true)?;
    cure_story(sick, &recorded, trace);
    let what = match &outcome.successor {
        None if !outcome.unserved.contains(&"A".to_string()) => "its slots are served, but by nobody new",
        None => "nobody takes the place of A",
        Some(_) if outcome.kept < outcome.writes() => "the successor of A does not have the data that A had",
        Some(_) => "A has a successor, but other slots are not served",
    };
    Err(Broken::new(CURED, format!("the {}: {what}", sick.name)))
}

fn cure_story(sick: &Sick, outcome: &cures::Outcome, trace: &mut Trace) {
    for (at, event) in sick.day.moments() {
        trace.fault(*at, event.to_string());
    }
    let death = sick.death();
    for (name, after, line) in outcome.log.iter().take(12) {
        trace.note(death + *after, Some(name), line.clone());
    }
    let end = death + cures::LIMIT;
    match &outcome.successor {
        Some((name, after)) => {
            trace.note(end, Some(name), format!("took the place of A after {after}"));
            let kept = format!("it has {} of the {} writes of A", outcome.kept, outcome.writes());
            trace.note(end, Some(name), kept);
        }
        None => trace.note(end, None, "nobody has taken the place of A"),
    }
    if !outcome.unserved.is_empty() {
        trace.note(end, None, format!("nobody serves the slots of {}", outcome.unserved.join(" ")));
    }
}
