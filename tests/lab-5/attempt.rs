// 5.3: when to try, when to give up, when to try again.

fn timing(failover_timeout: u64) -> Timing {
    Timing { failover_timeout: Millis(failover_timeout), periods: Periods::default() }
}

fn start(trace: &mut Trace, down: bool, busy: bool, last: Option<Millis>, timing: &Timing) {
    let text = format!(
        "{}, {}, last attempt {}, failover-timeout {}",
        if down { "objectively down" } else { "not objectively down" },
        if busy { "one in progress" } else { "none in progress" },
        last.map_or("never".to_string(), |at| match at.0.checked_sub(NOW.0) {
            Some(0) | None => format!("{} ago", NOW.since(at)),
            Some(ahead) => format!("begins in {ahead}ms"),
        }),
        timing.failover_timeout
    );
    let may = lab::may_start(NOW, down, busy, Attempt { at: last }, timing);
    trace.call(text, if may { "try" } else { "wait" });
}

fn over(trace: &mut Trace, since: u64, timing: &Timing) {
    let over = lab::election_is_over(NOW, Attempt { at: Some(ago(since)) }, timing);
    let text = format!("standing for election for {since}ms, failover-timeout {}", timing.failover_timeout);
    trace.call(text, if over { "give up" } else { "go on" });
}

/// The random delays of some attempts: all below the bound, and not all the same.
fn delays(seed: u64) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    let mut delays = Vec::new();
    for _ in 0..20 {
        let Some(at) = Attempt::begins(NOW, &mut rng).at else {
            return Err(Broken::new("An attempt has a moment at which it began.", "there is none"));
        };
        if at < NOW || at >= NOW + Millis(1000) {
            let detail = format!("it begins {} after now, {} before", at.since(NOW), NOW.since(at));
            return Err(Broken::new("An attempt counts from now and a random part of a second.", detail));
        }
        delays.push(at.since(NOW));
    }
    if delays.iter().all(|delay| *delay == delays[0]) {
        return Err(Broken::new(
            "An attempt counts from now and a random part of a second.",
            format!("twenty attempts in a row all began {} after now", delays[0]),
        ));
    }
    Ok(())
}

fn attempts(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "attempts");
    let usual = timing(180_000);
    start(trace, true, false, None, &usual);
    start(trace, false, false, None, &usual);
    start(trace, true, true, None, &usual);
    start(trace, true, false, Some(ago(359_999)), &usual);
    start(trace, true, false, Some(ago(360_000)), &usual);
    start(trace, true, false, Some(ago(180_001)), &usual);
    start(trace, true, false, Some(NOW + Millis(400)), &usual);
    start(trace, true, false, Some(NOW + Millis(400)), &timing(0));
    for since in [9999, 10_000, 10_001] {
        over(trace, since, &usual);
    }
    for since in [3000, 3001] {
        over(trace, since, &timing(3000));
    }
    delays(1)
}

fn attempt_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "attempts");
    let mut rng = Rng::new(seed);
    let mut timing = timing(rng.between(100, 60_000));
    timing.periods.election_timeout = Millis(rng.between(100, 60_000));
    let last = match rng.below(4) {
        0 => None,
        1 => Some(NOW + Millis(rng.below(1000))),
        _ => Some(ago(near(&mut rng, timing.failover_timeout.0 * 2))),
    };
    start(trace, rng.chance(80), rng.chance(20), last, &timing);
    let limit = timing.failover_timeout.min(timing.periods.election_timeout);
    let since = near(&mut rng, limit.0);
    trace.note(Millis::ZERO, None, format!("election timeout {}", timing.periods.election_timeout));
    over(trace, since, &timing);
    delays(seed)
}
