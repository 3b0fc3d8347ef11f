// 7.8: when a node stops serving, and when it resumes.

/// What a master of five sees on a quiet day.
fn quiet() -> Seen {
    Seen { i_am_master: true, voters: 5, reachable: 5, covered: true, full_coverage: true }
}

fn show_seen(seen: &Seen) -> String {
    let mut text = format!("{} of {} masters", seen.reachable, seen.voters);
    for (flag, word) in [
        (!seen.i_am_master, ", I am a replica"),
        (!seen.covered, ", a slot without a master"),
        (!seen.full_coverage, ", coverage not required"),
    ] {
        if flag {
            text += word;
        }
    }
    text
}

fn look(trace: &mut Trace, node: &mut Serving, at: u64, timeout: u64, seen: Seen) {
    let changed = node.look(Millis(at), Millis(timeout), &seen);
    let state = match (node.ok, node.why) {
        (true, None) => "serves".to_string(),
        (true, Some(why)) => format!("serves, in spite of {why:?}"),
        (false, None) => "does not serve".to_string(),
        (false, Some(Why::Coverage)) => "does not serve: coverage".to_string(),
        (false, Some(Why::Minority)) => "does not serve: minority".to_string(),
        (false, Some(Why::Rejoining)) => "does not serve: rejoining".to_string(),
    };
    let change = if changed { " (a change)" } else { "" };
    trace.call(format!("{at}: {}", show_seen(&seen)), state + change);
}

fn serving(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "does it serve? (milliseconds; the node timeout is 1000)");
    let seen = quiet();
    let replica = Seen { i_am_master: false, ..seen };
    let cut_off = Seen { reachable: 2, ..seen };
    let hole = Seen { covered: false, ..seen };
    trace.note(Millis::ZERO, None, "a master starts at 10000");
    let mut master = Serving::starting(Millis(10_000));
    for (at, seen) in [
        (10_000, seen),
        (10_100, hole),
        (11_900, cut_off),
        (11_999, seen),
        (12_000, seen),
        (12_100, seen),
        (12_200, Seen { reachable: 3, ..seen }),
        (12_250, Seen { reachable: 1, ..seen }),
        (12_300, cut_off),
        (12_400, cut_off),
        (12_500, seen),
        (13_399, seen),
        (13_400, seen),
        (13_500, hole),
        (13_600, Seen { covered: false, full_coverage: false, ..seen }),
        (13_700, Seen { reachable: 2, covered: false, ..seen }),
        (14_000, Seen { reachable: 2, covered: false, full_coverage: false, ..seen }),
        (14_900, hole),
        (15_100, seen),
        (15_200, Seen { voters: 4, reachable: 2, ..seen }),
        (16_300, Seen { voters: 4, reachable: 3, ..seen }),
        (16_400, Seen { voters: 0, reachable: 0, ..seen }),
    ] {
        look(trace, &mut master, at, 1000, seen);
    }
    trace.note(Millis::ZERO, None, "a replica starts at 10000: it waits for nothing");
    let mut other = Serving::starting(Millis(10_000));
    for (at, seen) in [
        (10_000, replica),
        (10_100, Seen { reachable: 2, ..replica }),
        (10_200, replica),
        (10_300, Seen { covered: false, ..replica }),
    ] {
        look(trace, &mut other, at, 1000, seen);
    }
    for (timeout, last, first) in [(100, 20_499, 20_500), (15_000, 24_999, 25_000)] {
        trace.note(Millis::ZERO, None, format!("back from a minority, the node timeout is {timeout}"));
        let mut back = Serving::starting(Millis(10_000));
        look(trace, &mut back, 15_000, timeout, seen);
        look(trace, &mut back, 20_000, timeout, cut_off);
        look(trace, &mut back, last, timeout, seen);
        look(trace, &mut back, first, timeout, seen);
    }
    trace.note(
        Millis::ZERO,
        None,
        "five masters; A and B are cut off at 5000, and E dies at 9000; all is well at 12000",
    );
    split(trace, &Split { masters: 5, minority: 2, cut: 5000, dies: 9000, heals: 12_000, timeout: 1000 })
}

/// A cluster of masters. At one moment the first of them are cut off from all others, at another the last one dies, and at
/// another everything is as it was.
struct Split {
    masters: usize,
    minority: usize,
    cut: u64,
    dies: u64,
    heals: u64,
    timeout: u64,
}

/// Looks through the eyes of every master, ten times a second, and tells when one changes its mind. Two halves never serve
/// at the same time: not once those that are cut off have had the time to notice it.
fn split(trace: &mut Trace, split: &Split) -> Result<(), Broken> {
    let mut nodes: Vec<Serving> = vec![Serving::starting(Millis(1000)); split.masters];
    let mut both: Option<(u64, u64)> = None;
    for step in 10..200 {
        let at = step * 100;
        // What is true is seen one node timeout later; that a node is back is seen at once.
        let apart = at >= split.cut + split.timeout && at < split.heals;
        let dead = at >= split.dies + split.timeout && at < split.heals;
        let mut serving = Vec::new();
        for (index, node) in nodes.iter_mut().enumerate() {
            let here = index < split.minority;
            let last = split.masters - 1;
            if index == last && at >= split.dies && at < split.heals {
                continue;
            }
            let reached = |other: usize| {
                other == index || (!apart || (other < split.minority) == here) && (other != last || !dead)
            };
            let reachable = (0..split.masters).filter(|&other| reached(other)).count();
            // The majority declares the dead one failed, and so one slot has no master.
            let covered = !(dead && reachable > split.masters / 2);
            let seen = Seen { voters: split.masters, reachable, covered, ..quiet() };
            if node.look(Millis(at), Millis(split.timeout), &seen) {
                let why = node.why.map_or(String::new(), |why| format!(": {why:?}"));
                let state = if node.ok { "serves" } else { "stops" };
                trace.call(
                    format!("{at}: {} sees {reachable} of {}", name(index), split.masters),
                    format!("{state}{why}"),
                );
            }
            if node.ok {
                serving.push(here);
            }
        }
        if apart && serving.contains(&true) && serving.contains(&false) {
            both = Some((both.map_or(at, |(first, _)| first), at));
        }
    }
    match both {
        None => Ok(()),
        Some((first, last)) => Err(Broken::new(
            "Of two halves that do not reach each other, at most one serves.",
            format!(
                "{} masters, {} of them cut off: both served, at {first} for the first time and at {last} for the last",
                split.masters, split.minority
            ),
        )),
    }
}

fn serving_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    let timeout = *rng.pick(&[100, 500, 1000, 3000, 5000, 15_000]).unwrap_or(&1000);
    table(trace, &format!("does it serve? (the node timeout is {timeout})"));
    if rng.chance(30) {
        let masters = rng.between(2, 7) as usize;
        let cut = rng.between(10, 60) * 100;
        let dies = cut + rng.below(60) * 100;
        let heals = dies + rng.below(60) * 100;
        let minority = rng.below(masters as u64) as usize;
        return split(trace, &Split { masters, minority, cut, dies, heals, timeout: timeout.min(2000) });
    }
    let mut node = Serving::starting(Millis(10_000));
    let i_am_master = rng.chance(80);
    let (full_coverage, mut at) = (rng.chance(70), 10_000);
    let mut minority_at = None;
    for _ in 0..rng.between(4, 25) {
        at += rng.between(1, 1500);
        let wait = timeout.clamp(500, 5000);
        if let Some(since) = minority_at.filter(|_| rng.chance(30)) {
            at = at.max(since + wait - rng.below(2));
        } else if rng.chance(20) {
            at = at.max(12_000 - rng.below(2));
        }
        let voters = rng.between(1, 7) as usize;
        let reachable = if rng.chance(60) { voters } else { rng.below(voters as u64 + 1) as usize };
        let seen = Seen { i_am_master, voters, reachable, covered: rng.chance(75), full_coverage };
        if reachable <= voters / 2 {
            minority_at = Some(at);
        }
        look(trace, &mut node, at, timeout, seen);
    }
    Ok(())
}
