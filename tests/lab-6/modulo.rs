// 6.1: the remainder decides.

fn remainder(trace: &mut Trace, hash: u32, weights: &[u32]) {
    let owner = lab::modulo(hash, weights).map_or("nobody".to_string(), |owner| format!("server {owner}"));
    trace.call(format!("hash {hash}, weights {weights:?}"), owner);
}

fn remainders(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "remainders");
    for hash in [0, 1, 2, 3, 4, u32::MAX] {
        remainder(trace, hash, &[1, 1, 1]);
    }
    for hash in [0, 1, 2, 3, 4, 5] {
        remainder(trace, hash, &[2, 1, 2]);
    }
    for hash in [0, 1, 2, 3] {
        remainder(trace, hash, &[0, 1, 0, 2]);
    }
    remainder(trace, 7, &[5]);
    let huge = u32::MAX;
    for hash in [0, huge - 1, huge] {
        remainder(trace, hash, &[huge, huge, 1]);
    }
    remainder(trace, 7, &[]);
    remainder(trace, 7, &[0, 0]);
    Ok(())
}

fn remainders_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "remainders");
    let mut rng = Rng::new(seed);
    let weights: Vec<u32> = (0..rng.below(6)).map(|_| rng.below(4) as u32).collect();
    for _ in 0..5 {
        remainder(trace, rng.next_u64() as u32, &weights);
    }
    Ok(())
}
