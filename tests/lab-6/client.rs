// 6.7: a pipeline, divided and put together again.

fn batches_shown(batches: &[Batch]) -> String {
    let shown: Vec<String> =
        batches.iter().map(|batch| format!("node {} gets {:?}", batch.node, batch.commands)).collect();
    if shown.is_empty() { "nothing to send".into() } else { shown.join(", ") }
}

fn divide(trace: &mut Trace, nodes: &[usize]) {
    let answer = batches_shown(&lab::batches(nodes));
    trace.call(format!("commands for nodes {nodes:?}"), answer);
}

/// Replies are called after the batch and their place in it.
fn together(trace: &mut Trace, batches: &[(usize, &[usize])], sent: &[usize]) {
    let batches: Vec<Batch> =
        batches.iter().map(|(node, commands)| Batch { node: *node, commands: commands.to_vec() }).collect();
    let replies: Vec<Vec<String>> = batches
        .iter()
        .zip(sent)
        .map(|(batch, &count)| (1..=count).map(|number| format!("n{}r{number}", batch.node)).collect())
        .collect();
    let text = format!("{}; replies {sent:?}", batches_shown(&batches));
    let restored: Vec<String> =
        lab::restore(&batches, replies).into_iter().map(|reply| reply.unwrap_or("?".into())).collect();
    trace.call(text, if restored.is_empty() { "nothing".into() } else { restored.join(" ") });
}

fn pipelines(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "pipelines");
    for nodes in [&[][..], &[2], &[0, 0, 0], &[0, 1, 2], &[0, 0, 1, 1], &[2, 0, 2, 1, 0, 2], &[9, 9, 0]] {
        divide(trace, nodes);
    }
    together(trace, &[(0, &[0, 1]), (1, &[2])], &[2, 1]);
    together(trace, &[(2, &[0, 2, 5]), (0, &[1, 4]), (1, &[3])], &[3, 2, 1]);
    together(trace, &[(2, &[0, 2, 5]), (0, &[1, 4]), (1, &[3])], &[1, 2, 0]);
    together(trace, &[(2, &[0, 2, 5]), (0, &[1, 4]), (1, &[3])], &[4, 2, 1]);
    together(trace, &[(0, &[0])], &[0]);
    together(trace, &[], &[]);
    Ok(())
}

fn pipelines_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "pipelines");
    let mut rng = Rng::new(seed);
    let nodes: Vec<usize> = (0..rng.below(12)).map(|_| rng.below(4) as usize).collect();
    divide(trace, &nodes);
    // The batches for `restore` are made here and not by the answer, so that each half is judged alone.
    let mut batches: Vec<(usize, Vec<usize>)> = Vec::new();
    for node in 0..4 {
        let commands: Vec<usize> = (0..nodes.len()).filter(|&command| nodes[command] == node).collect();
        if !commands.is_empty() {
            batches.push((node, commands));
        }
    }
    let mut sent = Vec::new();
    for (_, commands) in &batches {
        let whole = commands.len() as u64;
        sent.push(if rng.chance(60) { whole } else { rng.below(whole + 2) } as usize);
    }
    let views: Vec<(usize, &[usize])> = batches.iter().map(|(node, list)| (*node, &list[..])).collect();
    together(trace, &views, &sent);
    Ok(())
}
