// 5.7 and 5.8: which configuration is newer, and who does not live up to it.

fn claims(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "is theirs newer?");
    let place = |name: &str, epoch: u64| Claim { master: Endpoint::new(name, 6379), epoch: Epoch(epoch) };
    for (ours, theirs) in [
        (place("old", 3), place("new", 4)),
        (place("old", 3), place("new", 3)),
        (place("old", 3), place("new", 2)),
        (place("old", 3), place("old", 4)),
        (place("old", 0), place("new", 0)),
        (place("old", 9), place("new", 10)),
    ] {
        let answer = lab::newer(&ours, &theirs);
        trace.call(
            format!(
                "ours: {} in epoch {}; theirs: {} in epoch {}",
                ours.master, ours.epoch, theirs.master, theirs.epoch
            ),
            if answer { "take theirs" } else { "keep ours" },
        );
    }
    Ok(())
}

fn standing() -> Standing {
    Standing {
        master: Endpoint::new("master", 6379),
        master_is_sane: true,
        promoted: false,
        went_down_at: None,
        failover_timeout: Millis(20_000),
        hello_period: Millis(2000),
    }
}

fn judge(trace: &mut Trace, reported: &Reported, standing: &Standing) {
    let says = match reported {
        Reported::Master { since } => format!("\"I am a master\" for {}", NOW.since(*since)),
        Reported::ReplicaOf { master, since } => format!("\"I follow {master}\" for {}", NOW.since(*since)),
    };
    let mut text = says;
    if !standing.master_is_sane {
        text += ", our master is not sane";
    }
    if standing.promoted {
        text += ", we promote it";
    }
    if let Some(at) = standing.went_down_at {
        text += &format!(", went down {} ago", NOW.since(at));
    }
    let answer = match lab::correction(NOW, reported, standing) {
        Correction::Leave => "leave it",
        Correction::Convert => "make it a replica",
        Correction::Fix => "make it follow ours",
    };
    trace.call(text, answer);
}

fn corrections(trace: &mut Trace) -> Result<(), Broken> {
    table(
        trace,
        "who does not live up to the configuration? (hello every 2000 ms, failover-timeout 20000 ms)",
    );
    let usual = standing();
    let master = |millis: u64| Reported::Master { since: ago(millis) };
    let follows = |host: &str, millis: u64| Reported::ReplicaOf {
        master: Endpoint::new(host, 6379),
        since: ago(millis),
    };
    let went_down = |millis: u64| Standing { went_down_at: Some(ago(millis)), ..standing() };
    for (reported, standing) in [
        (master(8000), usual.clone()),
        (master(8001), usual.clone()),
        (master(60_000), Standing { master_is_sane: false, ..standing() }),
        (master(60_000), Standing { promoted: true, ..standing() }),
        (master(60_000), went_down(8000)),
        (master(60_000), went_down(8001)),
        (follows("master", 60_000), usual.clone()),
        (follows("other", 20_000), usual.clone()),
        (follows("other", 20_001), usual.clone()),
        (follows("other", 8001), usual),
        (follows("other", 60_000), went_down(20_000)),
        (follows("other", 60_000), Standing { master_is_sane: false, ..standing() }),
    ] {
        judge(trace, &reported, &standing);
    }
    Ok(())
}

fn correction_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "who does not live up to the configuration?");
    let mut rng = Rng::new(seed);
    let mut standing = Standing {
        master_is_sane: rng.chance(85),
        promoted: rng.chance(15),
        failover_timeout: Millis(rng.between(100, 30_000)),
        hello_period: Millis(rng.between(100, 3000)),
        ..standing()
    };
    let claims_master = rng.chance(50);
    let bound = if claims_master { standing.hello_period.0 * 4 } else { standing.failover_timeout.0 };
    standing.went_down_at = rng.chance(40).then(|| ago(near(&mut rng, bound)));
    let since = ago(near(&mut rng, bound));
    let reported = if claims_master {
        Reported::Master { since }
    } else {
        let host = if rng.chance(30) { "master" } else { "other" };
        Reported::ReplicaOf { master: Endpoint::new(host, 6379), since }
    };
    trace.note(
        Millis::ZERO,
        None,
        format!("hello every {}, failover-timeout {}", standing.hello_period, standing.failover_timeout),
    );
    judge(trace, &reported, &standing);
    Ok(())
}
