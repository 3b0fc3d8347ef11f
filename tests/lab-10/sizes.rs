// 10.5: how large an output buffer and a backlog must be.

const ONE: &str = "A replica without data needs one full synchronisation: what is written while the snapshot travels fits into the buffer.";
const GOES_ON: &str = "A replica whose link was broken goes on where it was: the backlog holds what was written until it is back.";
const FRUGAL: &str = "No size is more than four times what it has to be.";

fn sized(trace: &mut Trace) -> Result<(), Broken> {
    let load =
        lab::sizes::Load { data: 4 << 20, wire: 512 << 10, rate: 48 << 10, outage: Millis::from_secs(5) };
    judge_sizes(&load, &lab::sizes::sizes(&load), 0, trace)?;
    judged(
        trace,
        &[
            ("a replica without data", "one full synchronisation"),
            ("its link is broken for a while", "a partial resynchronisation"),
        ],
    );
    Ok(())
}

fn sized_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let load = known(seed);
    judge_sizes(&load, &lab::sizes::sizes(&load), seed + 1, trace)
}

/// What is known about the master of a seed.
pub(crate) fn known(seed: u64) -> lab::sizes::Load {
    let mut rng = Rng::new(seed ^ 0x512e);
    let wire = rng.between(256, 1024) << 10;
    lab::sizes::Load {
        data: wire * rng.between(4, 14),
        wire,
        rate: wire * rng.between(4, 40) / 100,
        outage: Millis::from_secs(rng.between(3, 12)),
    }
}

/// Do these lines keep a replica in sync under this load?
pub(crate) fn judge_sizes(
    load: &lab::sizes::Load,
    settings: &Settings,
    seed: u64,
    trace: &mut Trace,
) -> Result<(), Broken> {
    only_directives(settings, &["client-output-buffer-limit", "repl-backlog-size"])?;
    let scene = Scene::star(1, latency(seed))
        .filled(load.data)
        .wire("master", load.wire)
        .settings(settings.clone())
        .from_the_start();
    let mut whole = Trace::new("Buffers that suffice");
    let mut drill = Drill::set(&scene, seed, Some(&mut whole))?;
    frugal(load, &drill)?;
    drill.happen(&drill::load("client", load.rate))?;
    // The snapshot travels at the wire's pace, then what has been written meanwhile at what is left of it.
    let travels = Millis(1000 * load.data / load.wire);
    let patience = Millis(travels.0 * 2 + 5000);
    let first = in_sync_within(&mut drill, load.rate, patience)?;
    let full = full_syncs(&drill);
    drill.world.note(&format!(
        "{} KiB of data over {} KiB a second, {} KiB a second written; full synchronisations: {full}",
        load.data >> 10,
        load.wire >> 10,
        load.rate >> 10
    ));
    let mut went_on = true;
    if first && full == 1 {
        let (master, replica) = (drill.id("master"), drill.id("replica-1"));
        drill.wait(Millis(1000))?;
        drill.world.inflict(Fault::Reset(master, replica))?;
        drill.wait(Millis(1))?;
        drill.happen(&drill::cut(&["master"], &["replica-1"]))?;
        drill.wait(load.outage)?;
        drill.happen(&drill::mend_all())?;
        drill.wait(Millis(load.outage.0 + 2000))?;
        went_on = in_sync_within(&mut drill, load.rate, Millis::from_secs(20))? && full_syncs(&drill) == 1;
        drill.world.note(&format!("full synchronisations after the break: {}", full_syncs(&drill) - 1));
    }
    let begin = drill.begin();
    drop(drill);
    *trace = told(&whole, begin, &[]);
    match (first && full == 1, went_on) {
        (true, true) => Ok(()),
        (true, false) => Err(Broken::new(GOES_ON, "the replica came back and had to begin anew")),
        (false, _) if first => {
            Err(Broken::new(ONE, "the replica came into sync, but not at the first attempt"))
        }
        (false, _) => Err(Broken::new(ONE, "the replica was cut off while it synchronised, again and again")),
    }
}

/// Waits until the replica is in sync and no more than what is written in a second is still on its way to it, or the time is
/// up.
fn in_sync_within(drill: &mut Drill<'_>, rate: u64, limit: Millis) -> Result<bool, Broken> {
    let end = drill.now() + limit;
    while drill.now() < end {
        drill.wait(Millis(50))?;
        let offset = |name: &str| drill.node(name).map_or(0, |node| node.replication_offset().0);
        if drill.agreed().is_some() && offset("master") <= offset("replica-1") + rate {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Neither size is out of proportion.
fn frugal(load: &lab::sizes::Load, drill: &Drill<'_>) -> Result<(), Broken> {
    let Some(node) = drill.node("master") else { return Ok(()) };
    let set = [node.config().client_output_buffer_limit[1].hard, node.config().repl_backlog_size as u64];
    let hard = load.rate * load.data / load.wire;
    let backlog = load.rate * (2 * load.outage.0 + 1000) / 1000;
    let allowed = |least: u64| (4 * least).max(lab::sizes::SLACK);
    for (what, size, least) in
        [("client-output-buffer-limit", set[0], hard), ("repl-backlog-size", set[1], backlog)]
    {
        if size == 0 || size > allowed(least) {
            return Err(Broken::new(FRUGAL, format!("{what} is out of proportion")));
        }
    }
    Ok(())
}
