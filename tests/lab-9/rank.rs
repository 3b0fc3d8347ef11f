// 9.1: who stands first.

fn show_rank(trace: &mut Trace, mine: u64, siblings: &[(u64, bool)]) {
    let place = rank(Offset(mine), siblings.iter().map(|&(offset, abstains)| (Offset(offset), abstains)));
    let shown = siblings
        .iter()
        .map(|(offset, abstains)| format!("{offset}{}", if *abstains { " (abstains)" } else { "" }));
    trace.call(format!("my offset {mine}, siblings {}", list(shown)), format!("rank {place}"));
}

fn show_delay(trace: &mut Trace, rank: usize, random: u64) {
    trace.call(format!("rank {rank}, random {random}ms"), format!("wait {}", delay(rank, Millis(random))));
}

fn ranks(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "ranks and delays");
    show_rank(trace, 100, &[]);
    show_rank(trace, 100, &[(90, false), (80, false)]);
    show_rank(trace, 100, &[(110, false), (80, false)]);
    show_rank(trace, 100, &[(110, false), (120, false)]);
    show_rank(trace, 100, &[(100, false), (100, false)]);
    show_rank(trace, 100, &[(110, true), (120, false)]);
    show_rank(trace, 0, &[(0, false), (1, false), (2, true)]);
    for (rank, random) in [(0, 0), (0, 499), (1, 0), (1, 250), (2, 499), (5, 7)] {
        show_delay(trace, rank, random);
    }
    Ok(())
}

fn rank_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "ranks and delays");
    let mut rng = Rng::new(seed);
    let siblings: Vec<(u64, bool)> = (0..rng.below(6)).map(|_| (rng.below(8), rng.chance(25))).collect();
    show_rank(trace, rng.below(8), &siblings);
    show_delay(trace, rng.below(6) as usize, rng.below(500));
    Ok(())
}
