// 9.8: two with one epoch.

fn show_yields(trace: &mut Trace, me: char, mine: u64, other: char, its: u64) {
    let result = yields(id(me), Epoch(mine), id(other), Epoch(its));
    trace.call(
        format!("I am {me} with epoch {mine}, {other} has {its}"),
        if result { "I take a new one" } else { "I keep mine" },
    );
}

fn show_fresh(trace: &mut Trace, mine: u64, current: u64, others: &[u64]) {
    let fresh = without_vote(Epoch(mine), Epoch(current), others.iter().copied().map(Epoch));
    trace.call(
        format!("my epoch {mine}, current {current}, others {}", list(others)),
        fresh.map_or("no need".into(), |epoch| format!("epoch {epoch}")),
    );
}

fn collisions(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "epochs");
    for (me, mine, other, its) in [
        ('a', 5, 'b', 5),
        ('b', 5, 'a', 5),
        ('a', 5, 'b', 6),
        ('a', 6, 'b', 5),
        ('a', 0, 'b', 0),
        ('a', 5, 'a', 5),
    ] {
        show_yields(trace, me, mine, other, its);
    }
    for (mine, current, others) in [
        (3, 8, vec![1, 2]),
        (8, 8, vec![1, 2]),
        (8, 8, vec![8]),
        (0, 0, vec![0, 0]),
        (5, 5, vec![7]),
        (7, 7, vec![]),
        (0, 4, vec![]),
    ] {
        show_fresh(trace, mine, current, &others);
    }
    Ok(())
}

/// Single decisions; and masters that begin with any epochs, and hear each other in any order until nothing changes.
fn collision_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "epochs");
    let mut rng = Rng::new(seed);
    let name = |rng: &mut Rng| ['a', 'b', 'c', 'd'][rng.below(4) as usize];
    let (me, other) = (name(&mut rng), name(&mut rng));
    show_yields(trace, me, rng.below(3), other, rng.below(3));
    let others: Vec<u64> = (0..rng.below(4)).map(|_| rng.below(6)).collect();
    show_fresh(trace, rng.below(6), rng.below(6), &others);
    settle(&mut rng)
}

fn settle(rng: &mut Rng) -> Result<(), Broken> {
    // (id, its epoch, the current epoch as it knows it)
    let mut masters: Vec<(NodeId, Epoch, Epoch)> =
        (0..rng.between(2, 6)).map(|_| (NodeId::random(rng), Epoch(rng.below(2)), Epoch(1))).collect();
    for _ in 0..400 {
        let (from, to) = (rng.below(masters.len() as u64) as usize, rng.below(masters.len() as u64) as usize);
        if from == to {
            continue;
        }
        let (sender, epoch, current) = masters[from];
        let hearer = &mut masters[to];
        hearer.2 = hearer.2.max(current);
        if yields(hearer.0, hearer.1, sender, epoch) {
            hearer.2 = hearer.2.next();
            hearer.1 = hearer.2;
        }
    }
    let distinct: BTreeSet<Epoch> = masters.iter().map(|(_, epoch, _)| *epoch).collect();
    if distinct.len() < masters.len() {
        let epochs = list(masters.iter().map(|(_, epoch, _)| epoch));
        return Err(Broken::new(
            "In the end each master has an epoch of its own.",
            format!("they have {epochs}"),
        ));
    }
    Ok(())
}
