// 7.6: who says so, and since when.

fn add(trace: &mut Trace, reports: &mut Reports<char>, at: u64, teller: char) {
    let news = reports.add(teller, Millis(at));
    trace.call(format!("{at}: {teller} says that it fails"), if news { "news" } else { "said before" });
}

fn withdraw(trace: &mut Trace, reports: &mut Reports<char>, at: u64, teller: char) {
    let had = reports.remove(&teller);
    trace.call(format!("{at}: {teller} says that it is well"), if had { "taken back" } else { "no report" });
}

fn tally(trace: &mut Trace, reports: &mut Reports<char>, at: u64, timeout: u64) {
    let count = reports.count(Millis(at), Millis(timeout));
    trace.call(format!("{at}: how many say so?"), count.to_string());
}

fn reporting(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "reports (milliseconds; the node timeout is 1000)");
    let all = &mut Reports::new();
    tally(trace, all, 10_000, 1000);
    add(trace, all, 10_000, 'A');
    add(trace, all, 10_100, 'B');
    tally(trace, all, 10_100, 1000);
    add(trace, all, 10_200, 'A');
    tally(trace, all, 10_200, 1000);
    withdraw(trace, all, 10_300, 'C');
    withdraw(trace, all, 10_300, 'A');
    withdraw(trace, all, 10_400, 'A');
    tally(trace, all, 10_400, 1000);
    tally(trace, all, 11_600, 1000);
    tally(trace, all, 12_100, 1000);
    tally(trace, all, 12_101, 1000);
    add(trace, all, 12_200, 'B');
    add(trace, all, 12_300, 'C');
    add(trace, all, 14_100, 'B');
    tally(trace, all, 14_201, 1000);
    tally(trace, all, 14_301, 1000);
    withdraw(trace, all, 14_400, 'C');
    // Of the same moment, and from a clock that was set back.
    tally(trace, all, 14_000, 1000);
    tally(trace, all, 16_100, 1000);
    tally(trace, all, 16_101, 1000);
    add(trace, all, 16_200, 'B');
    trace.note(
        Millis::ZERO,
        None,
        "a slow member of five masters: each has its doubts for a moment, at another time",
    );
    doubts(trace, 2500, 1000);
    trace.note(Millis::ZERO, None, "a dead one: their doubts begin at other times too, and stay");
    doubts(trace, 400, 60_000);
    Ok(())
}

/// Four masters doubt a fifth, and begin one after the other, `apart` milliseconds. Each says so every half second, for as
/// long as its doubts last.
fn doubts(trace: &mut Trace, apart: u64, last: u64) {
    let mut reports = Reports::new();
    for step in 0..=90 {
        let at = step * 100;
        for (index, teller) in ['A', 'B', 'C', 'D'].into_iter().enumerate() {
            let begins = 100 + apart * index as u64;
            if at >= begins && at <= begins + last && (at - begins).is_multiple_of(500) {
                reports.add(teller, Millis(at));
            }
        }
        if at % 1000 == 0 {
            tally(trace, &mut reports, at, 1000);
        }
    }
}

fn reports_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    let timeout = rng.between(100, 3000);
    table(trace, &format!("reports (the node timeout is {timeout})"));
    let mut reports = Reports::new();
    let mut last = BTreeMap::new();
    let mut at = 10_000;
    for _ in 0..rng.between(5, 30) {
        at += rng.below(timeout);
        // Now and then exactly at the moment at which a report grows too old.
        if let Some(said) = last.values().copied().min().filter(|_| rng.chance(30)) {
            at = at.max(said + 2 * timeout + rng.below(2));
        }
        let teller = name(rng.below(5) as usize);
        match rng.below(10) {
            0..5 => {
                // What is too old is dropped when it is counted, and only then: whether it was news would depend on that.
                tally(trace, &mut reports, at, timeout);
                last.insert(teller, at);
                add(trace, &mut reports, at, teller);
            }
            5..7 => {
                tally(trace, &mut reports, at, timeout);
                last.remove(&teller);
                withdraw(trace, &mut reports, at, teller);
            }
            _ => tally(trace, &mut reports, at, timeout),
        }
    }
    Ok(())
}
