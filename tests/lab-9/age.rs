// 9.2: is the data fresh enough.

fn show_age(trace: &mut Trace, link: MasterLink, validity: &Validity) {
    show_age_at(trace, NOW, link, validity);
}

fn show_age_at(trace: &mut Trace, now: Millis, link: MasterLink, validity: &Validity) {
    let shown = match link {
        MasterLink::Up { heard } => format!("link up, last byte {} ago", now.since(heard)),
        MasterLink::Down { since } => format!("link down for {}", now.since(since)),
        MasterLink::Never if now < NOW => format!("never had a link, the clock began {now} ago"),
        MasterLink::Never => "never had a link".into(),
    };
    let old = too_old(now, link, validity);
    trace.call(
        format!(
            "{shown}; timeout {}, ping period {}, factor {}",
            validity.node_timeout, validity.ping_period, validity.factor
        ),
        if old { "too old" } else { "may stand" },
    );
}

fn ages(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "the age of a replica's data");
    let validity = |factor| Validity { node_timeout: Millis(15_000), ping_period: Millis(10_000), factor };
    let down = |millis| MasterLink::Down { since: ago(millis) };
    let up = |millis| MasterLink::Up { heard: ago(millis) };
    // With the defaults 160 s, and 15 s that are forgiven.
    for silent in [0, 15_000, 16_000, 160_001, 175_000, 175_001, 900_000] {
        show_age(trace, down(silent), &validity(10));
    }
    for silent in [3000, 175_000, 175_001] {
        show_age(trace, up(silent), &validity(10));
    }
    show_age(trace, MasterLink::Never, &validity(10));
    for link in [down(900_000), MasterLink::Never] {
        show_age(trace, link, &validity(0));
    }
    // What never was is not as old as the clock.
    show_age_at(trace, Millis(3000), MasterLink::Never, &validity(10));
    // The strictest settings.
    let strict = Validity { node_timeout: Millis(500), ping_period: Millis(0), factor: 1 };
    for silent in [500, 501, 1000, 1001] {
        show_age(trace, down(silent), &strict);
    }
    Ok(())
}

fn age_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "the age of a replica's data");
    let mut rng = Rng::new(seed);
    let validity = Validity {
        node_timeout: Millis(rng.between(1, 2000)),
        ping_period: Millis(rng.below(3000)),
        factor: rng.below(4),
    };
    let allowed = validity.ping_period.0 + validity.node_timeout.0 * (validity.factor + 1);
    let at = ago(near(&mut rng, allowed).min(NOW.0));
    let link = match rng.below(7) {
        0 => MasterLink::Never,
        1..=3 => MasterLink::Up { heard: at },
        _ => MasterLink::Down { since: at },
    };
    show_age(trace, link, &validity);
    Ok(())
}
