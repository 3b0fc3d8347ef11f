// 3.4: when a reader that is too slow is let go.

fn show_limit(limit: &OutputLimit) -> String {
    format!("hard {}, soft {} for {}", limit.hard, limit.soft, limit.patience)
}

fn look(trace: &mut Trace, over: &mut OverLimit, limit: &OutputLimit, now: u64, waiting: u64) {
    let verdict = match over.check(Millis(now), waiting, limit) {
        None => "stays",
        Some(Exceeded::Hard) => "out: the hard limit",
        Some(Exceeded::Soft) => "out: the soft limit, for too long",
    };
    trace.call(format!("{now}ms: {waiting} bytes wait"), verdict);
}

fn looks(trace: &mut Trace, what: &str, limit: &OutputLimit, looks: &[(u64, u64)]) {
    given(trace, what, show_limit(limit));
    let mut over = OverLimit::default();
    for &(now, waiting) in looks {
        look(trace, &mut over, limit, now, waiting);
    }
}

fn limits(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("output-buffer limits");
    let limit = OutputLimit { hard: 1000, soft: 200, patience: Millis(60) };
    looks(trace, "the hard limit", &limit, &[(0, 0), (1, 199), (2, 999), (3, 1000), (4, 1001)]);
    looks(trace, "the soft limit", &limit, &[(100, 200), (130, 300), (160, 999), (161, 200)]);
    looks(
        trace,
        "a break in between",
        &limit,
        &[(0, 500), (50, 500), (55, 199), (56, 500), (100, 500), (116, 500), (117, 500)],
    );
    looks(trace, "seen only twice", &limit, &[(0, 500), (5000, 500)]);
    looks(trace, "both", &limit, &[(0, 500), (61, 5000)]);
    looks(
        trace,
        "no hard limit",
        &OutputLimit { hard: 0, ..limit },
        &[(0, 0), (1, 1 << 40), (61, 1 << 40), (62, 1 << 40)],
    );
    looks(trace, "no soft limit", &OutputLimit { soft: 0, ..limit }, &[(0, 999), (100, 999), (101, 1000)]);
    looks(
        trace,
        "no patience",
        &OutputLimit { patience: Millis::ZERO, ..limit },
        &[(0, 200), (0, 200), (1, 200)],
    );
    looks(trace, "a clock that jumps back", &limit, &[(100, 200), (20, 200), (160, 200), (161, 200)]);

    given(trace, "a replica", "its master has a backlog of 1000");
    for (hard, soft) in [(4000, 300), (1000, 300), (400, 300), (0, 300), (0, 0)] {
        let limit = OutputLimit { hard, soft, patience: Millis(60) };
        trace.call(show_limit(&limit), show_limit(&limit.for_replica(1000)));
    }
    Ok(())
}

fn limits_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("output-buffer limits");
    let mut rng = Rng::new(seed);
    let mut bound = |chance: u64, low, high| if rng.chance(chance) { 0 } else { rng.between(low, high) };
    let limit =
        OutputLimit { hard: bound(20, 30, 60), soft: bound(20, 10, 40), patience: Millis(bound(10, 1, 30)) };
    trace.call(show_limit(&limit), show_limit(&limit.for_replica(rng.below(80))));
    let (mut over, mut now) = (OverLimit::default(), 0);
    for _ in 0..rng.between(5, 25) {
        now += rng.below(15);
        look(trace, &mut over, &limit, now, rng.below(45));
    }
    Ok(())
}
