// 8.7: moving one slot.

fn names(keys: &[Bytes]) -> String {
    let names: Vec<_> = keys.iter().map(|key| String::from_utf8_lossy(key)).collect();
    names.join(" ")
}

fn show_order(order: Option<&Order<char>>) -> String {
    match order {
        None => "nothing".into(),
        Some(Order::Importing { at, from }) => format!("{at}: SETSLOT IMPORTING {from}"),
        Some(Order::Migrating { at, to }) => format!("{at}: SETSLOT MIGRATING {to}"),
        Some(Order::List { at }) => format!("{at}: GETKEYSINSLOT"),
        Some(Order::Send { at, to, keys, replace }) => {
            format!("{at}: MIGRATE to {to}{} {}", if *replace { " REPLACE" } else { "" }, names(keys))
        }
        Some(Order::Node { at, owner }) => format!("{at}: SETSLOT NODE {owner}"),
    }
}

fn show_told(told: &Told) -> String {
    match told {
        Told::Ok => "OK".into(),
        Told::Keys(keys) if keys.is_empty() => "no keys".into(),
        Told::Keys(keys) => names(keys),
        Told::AlreadyTheOwner => "I'm already the owner".into(),
        Told::BusyKey => "BUSYKEY".into(),
        Told::NotAMaster => "only with masters".into(),
        Told::Error => "an error".into(),
        Told::Lost => "no answer".into(),
    }
}

/// One order and its answer; the line shows both, and what comes of it.
fn go_on(trace: &mut Trace, transfer: &mut Transfer<char>, told: Told) -> Progress {
    let order = show_order(transfer.order().as_ref());
    let shown = show_told(&told);
    let progress = transfer.answered(told);
    let next = match progress {
        Progress::GoOn => "go on".into(),
        Progress::Again => format!("again: {}", show_order(transfer.order().as_ref())),
        Progress::Done => format!("done, {} keys moved", transfer.moved),
        Progress::Stuck => "stuck".to_string(),
    };
    trace.call(format!("{order} → {shown}"), next);
    progress
}

fn keys(names: &[&str]) -> Told {
    Told::Keys(names.iter().map(|name| Bytes::copy_from_slice(name.as_bytes())).collect())
}

fn transfers(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "slot 9252 from S to T");
    let ok = || Told::Ok;
    let runs: Vec<(&str, &[char], Vec<Told>)> = vec![
        (
            "1. all goes well",
            &['O', 'P'],
            vec![ok(), ok(), keys(&["a", "b"]), ok(), keys(&["c"]), ok(), keys(&[]), ok(), ok(), ok(), ok()],
        ),
        ("2. no keys, no other masters", &[], vec![ok(), ok(), keys(&[]), ok(), ok()]),
        (
            "3. each answer is lost once",
            &['O'],
            vec![
                Told::Lost,
                ok(),
                Told::Lost,
                ok(),
                Told::Lost,
                keys(&["a"]),
                Told::Lost,
                ok(),
                keys(&["b"]),
                ok(),
                keys(&[]),
                Told::Lost,
                ok(),
                Told::Lost,
                ok(),
                Told::Lost,
            ],
        ),
        (
            "4. the target has a key of that name",
            &['O'],
            vec![
                ok(),
                ok(),
                keys(&["a"]),
                Told::BusyKey,
                ok(),
                keys(&["b"]),
                ok(),
                keys(&[]),
                ok(),
                ok(),
                ok(),
            ],
        ),
        ("5. somebody has handed it over already", &['O'], vec![Told::AlreadyTheOwner, ok(), ok()]),
        (
            "6. it was the source's last slot",
            &['O'],
            vec![ok(), ok(), keys(&[]), ok(), Told::NotAMaster, ok()],
        ),
        (
            "7. the others refuse",
            &['O', 'P'],
            vec![ok(), ok(), keys(&[]), ok(), ok(), Told::Error, Told::NotAMaster],
        ),
        ("8. the target refuses", &['O'], vec![Told::Error]),
        ("9. the source is not the owner", &['O'], vec![ok(), Told::Error]),
        ("10. the source does not tell its keys", &['O'], vec![ok(), ok(), Told::Error]),
        ("11. MIGRATE fails", &['O'], vec![ok(), ok(), keys(&["a"]), Told::Error]),
        ("12. the target does not take it", &['O'], vec![ok(), ok(), keys(&[]), Told::Error]),
        ("13. the source still holds keys", &['O'], vec![Told::AlreadyTheOwner, Told::Error]),
    ];
    for (title, others, script) in runs {
        trace.note(Millis::ZERO, None, title);
        let mut transfer = Transfer::new(slot(9252), 'S', 'T', others.to_vec());
        for told in script {
            if matches!(go_on(trace, &mut transfer, told), Progress::Done | Progress::Stuck) {
                break;
            }
        }
    }
    Ok(())
}

fn transfer_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "slot 9252 from S to T, with a client at work");
    let mut world = World::new(seed);
    let begin = || Transfer::new(slot(9252), 'S', 'T', vec!['O']);
    let mut transfer = begin();
    for _ in 0..400 {
        for _ in 0..world.rng.below(3) {
            world.client()?;
        }
        if world.rng.chance(15) {
            let to = *world.rng.pick(&['S', 'O']).unwrap_or(&'O');
            world.gossip(to);
        }
        if world.rng.chance(4) {
            trace.note(Millis::ZERO, None, "the director crashes; another one begins");
            transfer = begin();
        }
        let Some(order) = transfer.order() else { break };
        // An order may be lost before it is carried out, its answer after that.
        let (arrives, returns) = (world.rng.chance(92), world.rng.chance(92));
        let times_out = world.rng.chance(10);
        let told = if arrives { world.carry_out(&order, times_out) } else { Told::Lost };
        let progress = go_on(trace, &mut transfer, if returns { told } else { Told::Lost });
        world.one_owner()?;
        match progress {
            Progress::Done => {
                world.client()?;
                return world.all_arrived();
            }
            Progress::Stuck => {
                return Err(Broken::new("A lost answer and a crash stop nothing.", "the transfer is stuck"));
            }
            Progress::GoOn | Progress::Again => {}
        }
    }
    Err(Broken::new("A transfer comes to an end.", "it goes on after 400 orders"))
}
