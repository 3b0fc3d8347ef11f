// 9.10: a replica moves over.

/// A shard in a few signs: the master's letter; `!` it has failed, `-` it has no slots, `1` it never had replicas, a number
/// behind `~` tells for how many milliseconds it has been an orphan. Behind `:` its replicas; `!` failed, `?` suspected.
fn shard(signs: &str) -> Shard {
    let (head, tail) = signs.split_once(':').expect("a master and its replicas");
    let mut replicas: Vec<Replica> = Vec::new();
    for sign in tail.chars() {
        match (sign, replicas.last_mut()) {
            ('!', Some(last)) => last.failed = true,
            ('?', Some(last)) => last.suspected = true,
            _ => replicas.push(Replica { id: id(sign), failed: false, suspected: false }),
        }
    }
    let (flags, orphan) = head.split_once('~').map_or((head, None), |(flags, since)| (flags, Some(since)));
    Shard {
        master: id(flags.chars().next().expect("a master")),
        failed: flags.contains('!'),
        has_slots: !flags.contains('-'),
        had_replicas: !flags.contains('1'),
        orphan_since: orphan.map(|since| ago(since.parse().expect("milliseconds"))),
        replicas,
    }
}

fn show_shard(shard: &Shard) -> String {
    let mut text = letter(&shard.master).to_string();
    let mut words = Vec::new();
    words.extend(shard.failed.then_some("failed".to_string()));
    words.extend((!shard.has_slots).then_some("no slots".to_string()));
    words.extend((!shard.had_replicas).then_some("never had one".to_string()));
    words.extend(shard.orphan_since.map(|since| format!("orphan for {}", NOW.since(since))));
    if !words.is_empty() {
        text += &format!(" ({})", words.join(", "));
    }
    let replicas = shard.replicas.iter().map(|replica| {
        let sign = if replica.failed {
            "!"
        } else if replica.suspected {
            "?"
        } else {
            ""
        };
        format!("{}{sign}", letter(&replica.id))
    });
    format!("{text}: {}", list(replicas))
}

fn show_orphan(trace: &mut Trace, signs: &str) {
    let shard = shard(signs);
    trace.call(show_shard(&shard), if is_orphan(&shard) { "an orphan" } else { "no orphan" });
}

fn show_wander(trace: &mut Trace, wanderer: &Wanderer, shards: &[Shard]) {
    let place = destination(NOW, wanderer, shards);
    let mut text = format!("{} of {}", letter(&wanderer.me), letter(&wanderer.master));
    if wanderer.barrier != 1 {
        text += &format!(", barrier {}", wanderer.barrier);
    }
    if !wanderer.allowed {
        text += ", not allowed";
    }
    if !wanderer.serving {
        text += ", cluster down";
    }
    let shown: Vec<String> = shards.iter().map(show_shard).collect();
    trace.call(
        format!("{text}; {}", shown.join("; ")),
        place.map_or("stays".into(), |master| format!("moves to {}", letter(&master))),
    );
}

fn wanderings(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "orphans, and who moves (! failed, ? suspected)");
    for signs in ["P:", "P:a", "P:a!", "P:a!b!", "P:a!b", "P:a?", "P1:", "P!:", "P-:"] {
        show_orphan(trace, signs);
    }
    let wanderer =
        |me, master| Wanderer { me: id(me), master: id(master), allowed: true, barrier: 1, serving: true };
    let a = wanderer('a', 'A');
    let poor = "P~5001:";
    let cases: Vec<(Wanderer, Vec<&str>)> = vec![
        (a, vec!["A:ab", poor, "Q:c"]),
        (wanderer('b', 'A'), vec!["A:ab", poor, "Q:c"]),
        (a, vec!["A:ab", "P~5000:", "Q:c"]),
        (a, vec!["A:ab", "P:", "Q:c"]),
        (a, vec!["A:a", poor, "Q:c"]),
        (Wanderer { barrier: 2, ..a }, vec!["A:ab", poor]),
        (Wanderer { barrier: 2, ..a }, vec!["A:abc", poor]),
        (Wanderer { barrier: 0, ..a }, vec!["A:a", poor]),
        (a, vec!["A:ab?", poor]),
        (a, vec!["A:ab?c", poor]),
        (a, vec!["A:ab!", poor, "Q:c"]),
        (a, vec!["A:ab", poor, "Q:cde"]),
        (a, vec!["A:ab", poor, "Q:cd"]),
        (wanderer('c', 'Q'), vec!["A:ab", poor, "Q:cd"]),
        (wanderer('b', 'A'), vec!["A:a!bc", poor]),
        (wanderer('b', 'A'), vec!["A:bc", poor, "Q!:ad"]),
        (Wanderer { allowed: false, ..a }, vec!["A:ab", poor]),
        (Wanderer { serving: false, ..a }, vec!["A:ab", poor]),
        (a, vec!["A!:ab", poor]),
        (a, vec!["A:ab", "R~9000:", poor]),
        (a, vec!["A:ab", "P~100:", "R~9000:"]),
        (a, vec!["A:ab", "P-~9000:", "R~6000:"]),
        (a, vec!["A:ab", "P1~9000:"]),
        (a, vec!["A:ab", "P!~9000:"]),
        (wanderer('x', 'X'), vec!["A:ab", poor]),
    ];
    for (wanderer, signs) in cases {
        let shards: Vec<Shard> = signs.into_iter().map(shard).collect();
        show_wander(trace, &wanderer, &shards);
    }
    Ok(())
}

/// Random clusters, each seen by all its replicas alike: at most one of them may move.
fn wandering_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "orphans, and who moves (! failed, ? suspected)");
    let mut rng = Rng::new(seed);
    let mut names = "abcdefghij".chars();
    let mut shards: Vec<Shard> = Vec::new();
    for master in ['A', 'B', 'P', 'Q'] {
        let replicas = names.by_ref().take(rng.below(4) as usize);
        let replicas: Vec<Replica> = replicas
            .map(|name| Replica { id: id(name), failed: rng.chance(20), suspected: rng.chance(10) })
            .collect();
        let orphan = replicas.iter().all(|replica| replica.failed);
        shards.push(Shard {
            master: id(master),
            failed: rng.chance(8),
            has_slots: rng.chance(90),
            had_replicas: rng.chance(90),
            orphan_since: orphan.then(|| ago(near(&mut rng, 5000))),
            replicas,
        });
    }
    let barrier = rng.below(3) as usize;
    let (allowed, serving) = (rng.chance(95), rng.chance(95));
    show_orphan(trace, "P:a!");
    let mut moved: Vec<char> = Vec::new();
    for place in 0..shards.len() {
        for replica in shards[place].replicas.clone() {
            let wanderer =
                Wanderer { me: replica.id, master: shards[place].master, allowed, barrier, serving };
            show_wander(trace, &wanderer, &shards);
            moved.extend(destination(NOW, &wanderer, &shards).map(|_| letter(&replica.id)));
        }
    }
    if moved.len() > 1 {
        let detail = format!("{} would all move", list(moved));
        return Err(Broken::new("Of those who see the same at most one moves.", detail));
    }
    Ok(())
}
