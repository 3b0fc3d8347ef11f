// 7.9: what gossip costs.

fn bill(trace: &mut Trace, plan: &Plan) {
    let Plan { nodes, here, told, timeout } = *plan;
    let what = format!("{nodes} nodes, {here} here, {told} told of, {timeout}");
    trace.call(format!("{what}: a heartbeat"), format!("{} bytes", plan.heartbeat()));
    trace.call(format!("{what}: pings"), format!("{:.2} a second", plan.pings()));
    trace.call(format!("{what}: out"), format!("{:.3} Mb a second", plan.bits_out() / 1e6));
}

fn costs(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "the cost of gossip");
    let plan = |nodes, here, told, timeout| Plan { nodes, here, told, timeout: Millis(timeout) };
    for plan in [
        plan(6, 1, 3, 15_000),
        plan(6, 1, 3, 1000),
        plan(6, 2, 3, 1000),
        plan(6, 6, 3, 15_000),
        plan(200, 10, 20, 15_000),
        plan(200, 10, 20, 20_000),
        plan(200, 1, 20, 15_000),
        plan(1000, 1, 100, 15_000),
        plan(1000, 50, 100, 15_000),
        plan(2, 1, 0, 15_000),
        plan(1, 1, 0, 15_000),
        plan(7, 1, 3, 333),
    ] {
        bill(trace, &plan);
    }
    Ok(())
}

fn cost_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "the cost of gossip");
    let mut rng = Rng::new(seed);
    let nodes = rng.between(2, 1000) as usize;
    let here = rng.between(1, (nodes as u64).min(50)) as usize;
    let told = rng.below(110) as usize;
    bill(trace, &Plan { nodes, here, told, timeout: Millis(rng.between(100, 30_000)) });
    Ok(())
}
