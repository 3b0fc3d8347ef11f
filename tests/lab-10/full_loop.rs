// 10.4: one full synchronisation after the other.

const ENDLESS: &str = "A loop: within a minute at least three full synchronisations begin, and the replica is not in sync at any moment.";

/// The scene of 10.4.
const DATA: u64 = 4 << 20;
const WIRE: u64 = 512 << 10;

fn looped(trace: &mut Trace) -> Result<(), Broken> {
    judge_loop(&lab::full_loop::never_in_sync(), 0, trace)?;
    judged(
        trace,
        &[("full synchronisations in a minute", "three or more"), ("the replica", "never in sync")],
    );
    Ok(())
}

fn looped_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    judge_loop(&lab::full_loop::never_in_sync(), seed + 1, trace)
}

/// Does this day end in a loop?
pub(crate) fn judge_loop(schedule: &Schedule, seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let scene = Scene::star(1, latency(seed)).filled(DATA).wire("master", WIRE).given(|lines| {
        lines
            .of("master", "client-output-buffer-limit replica 128kb 0 0")
            .of("master", "repl-backlog-size 32kb")
    });
    let sorts = vec![Sort::Cut, Sort::Mend, Sort::Kill, Sort::Restart, Sort::Pause, Sort::Load];
    Limits { hosts: scene.hosts(), sorts, events: 10, length: Millis::from_secs(60), kills: 1 }
        .check(schedule)?;
    only_small_loads(schedule)?;
    let mut whole = Trace::new("A replica that is never in sync");
    let mut drill = Drill::set(&scene, seed, Some(&mut whole))?;
    let before = full_syncs(&drill);
    drill.play(schedule)?;
    drill.wait(Millis::from_secs(2))?;
    drill.world.heal_all()?;
    drill.world.note("everything is repaired");
    let (repaired, mut in_sync) = (drill.now(), None);
    let begun = full_syncs(&drill);
    while drill.now() < repaired + Millis::from_secs(60) {
        drill.wait(Millis(20))?;
        if in_sync.is_none() && drill.agreed().is_some() {
            in_sync = Some(drill.now());
            drill.world.note("replica-1 is in sync");
        }
    }
    let (at_all, loops) = (full_syncs(&drill) - before, full_syncs(&drill) - begun);
    drill.world.note(&format!("full synchronisations begun since everything is repaired: {loops}"));
    let begin = drill.begin();
    drop(drill);
    *trace = told(&whole, begin, &[]);
    let why = match (at_all, in_sync) {
        (_, None) if loops >= 3 => return Ok(()),
        (0, Some(_)) => "no full synchronisation was needed: the replica went on where it was",
        (_, None) => {
            "the replica is not in sync, but not for want of room in the buffer: too few synchronisations were begun"
        }
        (1, Some(_)) => {
            "one full synchronisation was enough: what was written meanwhile fitted into the buffer"
        }
        (_, Some(_)) => "a loop had begun, and it ended",
    };
    Err(Broken::new(ENDLESS, why))
}

/// Full synchronisations that the master has begun.
fn full_syncs(drill: &Drill<'_>) -> u64 {
    drill.node("master").map_or(0, |node| node.sync_counts().0)
}

fn only_small_loads(schedule: &Schedule) -> Result<(), Broken> {
    for (_, event) in schedule.moments() {
        if *event == drill::kill("client") {
            let rule = "The client lives: without it there is no load, and the loop lasts as long as the load does (V19).";
            return Err(Broken::new(rule, event.to_string()));
        }
        if let drill::Event::Load(host, rate) = event
            && (host != "client" || *rate > 64 << 10)
        {
            return Err(Broken::new(
                "Only the client has a load, of up to 64 KiB a second.",
                event.to_string(),
            ));
        }
    }
    Ok(())
}
