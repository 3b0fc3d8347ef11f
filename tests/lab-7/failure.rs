// 7.7: when doubt becomes certainty, and when that is taken back.

fn decide(trace: &mut Trace, opinion: Opinion) {
    let mine = if opinion.suspected { "I suspect it" } else { "it answers me" };
    let vote = if opinion.i_vote { "" } else { ", I have no vote" };
    let already = if opinion.already { ", marked already" } else { "" };
    let failed = lab::agreed(&opinion);
    trace.call(
        format!("{mine}, {} reports, {} voters{vote}{already}", opinion.reports, opinion.voters),
        if failed { "FAIL" } else { "-" },
    );
}

fn lift(trace: &mut Trace, owns_slots: bool, failed_for: u64, timeout: u64) {
    let who = if owns_slots { "a master with slots" } else { "one without slots" };
    let lifted = lab::lifted(owns_slots, Millis(failed_for), Millis(timeout));
    trace.call(
        format!("{who} answers, marked for {failed_for} ms"),
        if lifted { "not failed any more" } else { "still FAIL" },
    );
}

fn verdicts(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "doubt and certainty (the node timeout is 1000 ms)");
    let sure = Opinion { suspected: true, reports: 2, i_vote: true, voters: 5, already: false };
    for opinion in [
        Opinion { i_vote: false, reports: 3, ..sure },
        sure,
        Opinion { reports: 1, ..sure },
        Opinion { suspected: false, ..sure },
        Opinion { suspected: false, reports: 4, ..sure },
        Opinion { i_vote: false, ..sure },
        Opinion { already: true, ..sure },
        Opinion { voters: 4, reports: 1, ..sure },
        Opinion { voters: 4, reports: 2, ..sure },
        Opinion { voters: 3, reports: 1, ..sure },
        Opinion { voters: 3, reports: 0, ..sure },
        Opinion { voters: 2, reports: 0, ..sure },
        Opinion { voters: 1, reports: 0, ..sure },
        Opinion { voters: 0, reports: 0, i_vote: false, ..sure },
        Opinion { voters: 6, reports: 2, ..sure },
        Opinion { voters: 6, reports: 3, ..sure },
    ] {
        decide(trace, opinion);
    }
    for (owns_slots, failed_for) in
        [(false, 0), (false, 9000), (true, 0), (true, 1001), (true, 2000), (true, 2001)]
    {
        lift(trace, owns_slots, failed_for, 1000);
    }
    trace.note(
        Millis::ZERO,
        None,
        "five masters A to E and F, a replica of E; E dies; a third of the words get lost",
    );
    watch(trace, &Outage { masters: 5, replicas: 1, minority: 0, lost: 33, seed: 3 })?;
    trace.note(Millis::ZERO, None, "five masters and a replica; A and B are cut off from all others");
    watch(trace, &Outage { masters: 5, replicas: 1, minority: 2, lost: 10, seed: 4 })
}

/// What goes wrong. The last master dies, or, if there is a minority, the first masters are cut off from all others.
struct Outage {
    masters: usize,
    replicas: usize,
    minority: usize,
    lost: u64,
    seed: u64,
}

/// Everybody begins to doubt whom it does not hear, each at its own moment, and tells somebody else ten times a second. Whoever comes
/// to the conclusion first tells all that it reaches.
fn watch(trace: &mut Trace, outage: &Outage) -> Result<(), Broken> {
    let mut rng = Rng::new(outage.seed);
    let nodes = outage.masters + outage.replicas;
    let dead = (outage.minority == 0).then(|| outage.masters - 1);
    let reaches = |one: usize, other: usize| {
        dead != Some(one) && dead != Some(other) && (one < outage.minority) == (other < outage.minority)
    };
    let doubts_at: Vec<u64> = (0..nodes).map(|_| 10 + rng.below(6)).collect();
    // Who says what of whom, by hearer; what was said long ago does not matter in so short a time.
    let mut reports: Vec<BTreeMap<usize, BTreeSet<usize>>> = vec![BTreeMap::new(); nodes];
    let mut failed: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); nodes];
    for step in 0..40 {
        for node in (0..nodes).filter(|node| dead != Some(*node)) {
            let suspects: Vec<usize> = (0..nodes)
                .filter(|&other| other != node && !reaches(node, other) && step >= doubts_at[node])
                .collect();
            let to = rng.below(nodes as u64) as usize;
            let arrives = !rng.chance(outage.lost);
            if to != node && reaches(node, to) && arrives && node < outage.masters {
                for &about in &suspects {
                    reports[to].entry(about).or_default().insert(node);
                }
            }
            for about in 0..nodes {
                let opinion = Opinion {
                    suspected: suspects.contains(&about),
                    reports: reports[node].get(&about).map_or(0, BTreeSet::len),
                    i_vote: node < outage.masters,
                    voters: outage.masters,
                    already: failed[node].contains(&about),
                };
                if !lab::agreed(&opinion) {
                    continue;
                }
                trace.call(
                    format!(
                        "{} ms: {} has {} reports about {}",
                        step * 100,
                        name(node),
                        opinion.reports,
                        name(about)
                    ),
                    "FAIL, and tells everybody",
                );
                let doubters = (0..outage.masters).filter(|&other| other != about && !reaches(other, about));
                if doubters.count() * 2 <= outage.masters {
                    return Err(Broken::new(
                        "Nobody is declared failed unless most masters that own slots do not reach it.",
                        format!(
                            "{} declared {} failed, of {} masters",
                            name(node),
                            name(about),
                            outage.masters
                        ),
                    ));
                }
                for other in (0..nodes).filter(|&other| other == node || reaches(node, other)) {
                    failed[other].insert(about);
                }
            }
        }
    }
    for (node, failed) in failed.iter().enumerate() {
        trace.call(format!("failed for {}", name(node)), names(failed.iter().map(|&one| name(one))));
    }
    Ok(())
}

fn verdict_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "doubt and certainty");
    let mut rng = Rng::new(seed);
    let voters = rng.between(1, 9) as usize;
    let opinion = Opinion {
        suspected: rng.chance(80),
        reports: rng.below(voters as u64 + 1) as usize,
        i_vote: rng.chance(70),
        voters,
        already: rng.chance(15),
    };
    decide(trace, opinion);
    let timeout = rng.between(100, 9000);
    lift(trace, rng.chance(70), near(&mut rng, 2 * timeout), timeout);
    let masters = rng.between(2, 7) as usize;
    watch(
        trace,
        &Outage {
            masters,
            replicas: rng.below(4) as usize,
            minority: rng.below(masters as u64) as usize,
            lost: rng.below(60),
            seed: rng.next_u64(),
        },
    )
}
