// 10.2: the settings that bound the loss.

const BOUNDED: &str = "What is lost was acknowledged within the bound: later, a master without enough good replicas refuses writes.";
const OPEN: &str = "As long as no more than one replica is dead or the replicas of the other hall have a hiccup, no write is refused.";

fn bounded(trace: &mut Trace) -> Result<(), Broken> {
    let shop = lab::bound::Shop { replicas: 4, beside: 1, hiccup: Millis(3000), bound: Millis(9000) };
    judge_bound(&shop, &lab::bound::bounded_loss(&shop), 0, trace)?;
    judged(
        trace,
        &[
            ("one replica is dead", "no write is refused"),
            ("the other hall has a hiccup", "no write is refused"),
            ("the cable breaks", "nothing is lost that was acknowledged after the bound"),
        ],
    );
    Ok(())
}

fn bounded_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let shop = shop(seed);
    judge_bound(&shop, &lab::bound::bounded_loss(&shop), seed + 1, trace)
}

/// The shop of a seed.
pub(crate) fn shop(seed: u64) -> lab::bound::Shop {
    let mut rng = Rng::new(seed ^ 0xb0);
    let replicas = rng.between(2, 5);
    let hiccup = rng.between(1, 4);
    lab::bound::Shop {
        replicas,
        beside: rng.between(0, replicas - 2),
        hiccup: Millis::from_secs(hiccup),
        bound: Millis::from_secs(hiccup + rng.between(5, 9)),
    }
}

/// When a replica dies.
const DEATH: Millis = Millis::from_secs(2);

/// When the replicas of the other hall stand still for a moment.
const HICCUP: Millis = Millis::from_secs(30);

/// When the cable breaks, give or take the two seconds in which acknowledgements come and are counted.
const BREAK: Millis = Millis::from_secs(42);

/// A replica dies and comes back; the other hall has a hiccup; the cable breaks. Somebody writes all the while.
pub(crate) fn judge_bound(
    shop: &lab::bound::Shop,
    settings: &Settings,
    seed: u64,
    trace: &mut Trace,
) -> Result<(), Broken> {
    only_directives(settings, &["min-replicas-to-write", "min-replicas-max-lag"])?;
    let mut rng = Rng::new(seed ^ 0xca);
    let scene = Scene::watched(shop.replicas as usize, 3, latency(seed)).settings(settings.clone());
    let names: Vec<String> = (1..=shop.replicas).map(|number| format!("replica-{number}")).collect();
    let mut hall = vec!["master", "client"];
    hall.extend(names[..shop.beside as usize].iter().map(String::as_str));
    let dead = &names[rng.below(shop.replicas) as usize];
    let lasts = Millis(rng.between(30_000, 50_000));
    let breaks = BREAK + Millis(rng.below(2000));
    let mut day = Schedule::new()
        .at(DEATH, drill::kill(dead))
        .at(Millis::from_secs(16), drill::restart(dead))
        .at(breaks, drill::cut(&hall, &[drill::REST]))
        .at(breaks + lasts, drill::mend_all());
    for replica in &names[shop.beside as usize..] {
        day = day.at(HICCUP, drill::pause(replica)).at(HICCUP + shop.hiccup, drill::resume(replica));
    }
    for number in 0..(breaks + lasts).0 / 250 {
        day = day.at(
            Millis(250 * number + rng.below(200)),
            drill::say("client", &format!("SET order:{number} lamp")),
        );
    }
    let mut whole = Trace::new("Settings that bound the loss");
    let mut drill = Drill::set(&scene, seed, Some(&mut whole))?;
    let end = drill.play(&day).and_then(|()| drill.calm_down());
    let begin = drill.begin();
    let master = drill.agreed().unwrap_or("nobody").to_string();
    let refused = first_refusal(&drill.said("client"), breaks);
    let any_refused =
        first_refusal(&drill.said("client"), breaks + lasts + Millis::from_secs(3600)).is_some();
    let lost: Vec<Write> = drill
        .writes("client")
        .into_iter()
        .filter(|write| write.acknowledged.is_some() && !drill.holds(&master, &write.key))
        .collect();
    if let Some(said) = &refused {
        drill.world.note(&format!("\"{}\" at {} was answered: {}", said.command, said.at, answer(said)));
    }
    if let Some(last) = lost.last().and_then(|write| write.acknowledged) {
        let after = last.since(breaks);
        drill.world.note(&format!(
            "{master} is the master now; {} acknowledged writes are lost, the last of them acknowledged {after} after the break \
             (the bound is {})",
            lost.len(),
            shop.bound
        ));
    }
    drill.world.note(&format!("{} replicas, {} of them in the master's hall", shop.replicas, shop.beside));
    drop(drill);
    *trace = told(&whole, begin, &[]);
    end?;
    if let Some(said) = refused {
        let why = match said.at {
            at if at < DEATH => "nothing was broken yet, and a write was refused",
            at if at < HICCUP => "one replica was dead, and a write was refused",
            _ => "the other hall had a hiccup, and a write was refused",
        };
        return Err(Broken::new(OPEN, why));
    }
    let late = lost.iter().any(|write| write.acknowledged.is_some_and(|at| at > breaks + shop.bound));
    match (late, any_refused) {
        (false, _) => Ok(()),
        (true, false) => Err(Broken::new(
            BOUNDED,
            "the old master took writes as long as the cable was broken, and all of them are lost",
        )),
        (true, true) => Err(Broken::new(BOUNDED, "the old master refused writes in the end, but too late")),
    }
}

/// The first write before `until` that was answered with an error.
fn first_refusal(said: &[Said], until: Millis) -> Option<Said> {
    let refused = |said: &&Said| matches!(said.answer, Some((_, Frame::Error(_))));
    said.iter().filter(|said| said.at < until).find(refused).cloned()
}

/// An answer, for the story.
fn answer(said: &Said) -> String {
    match &said.answer {
        None => "(nothing)".into(),
        Some((_, Frame::Error(text))) => text.to_string(),
        Some((_, other)) => format!("{other:?}"),
    }
}

/// Settings hold no other directives than these.
fn only_directives(settings: &Settings, allowed: &[&str]) -> Result<(), Broken> {
    for (_, line) in settings.lines() {
        let word = line.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        if !allowed.contains(&word.as_str()) {
            let rule = format!("Only these directives may be set: {}.", allowed.join(", "));
            return Err(Broken::new(rule, format!("{line:?}")));
        }
    }
    Ok(())
}
