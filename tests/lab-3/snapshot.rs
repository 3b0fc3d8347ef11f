// 3.3: one snapshot for many waiters.

/// `repl-diskless-sync yes`, a delay of five seconds.
const STREAMED: SnapshotPolicy =
    SnapshotPolicy { diskless: true, delay: Millis::from_secs(5), max_replicas: 0 };
/// `repl-diskless-sync no`.
const ON_DISK: SnapshotPolicy = SnapshotPolicy { diskless: false, ..STREAMED };

fn waits(replica: char, since: u64, eof: bool) -> Waiter<char> {
    Waiter { replica, since: Millis(since), eof }
}

fn show_waiters(waiting: &[Waiter<char>]) -> String {
    let show = |waiter: &Waiter<char>| {
        let kind = if waiter.eof { "" } else { " (no mark)" };
        format!("{}{kind} since {}", waiter.replica, waiter.since)
    };
    if waiting.is_empty() { "nobody".into() } else { waiting.iter().map(show).collect::<Vec<_>>().join(", ") }
}

/// A list of replicas. Their order is nobody's business.
fn show_group(mut replicas: Vec<char>) -> String {
    replicas.sort_unstable();
    if replicas.is_empty() { "nobody".into() } else { String::from_iter(replicas) }
}

fn ask(trace: &mut Trace, policy: &SnapshotPolicy, busy: bool, now: u64, waiting: &[Waiter<char>]) {
    let answer = match lab::start_snapshot(Millis(now), policy, busy, waiting) {
        Start::Nobody => "for nobody".into(),
        Start::Busy => "one is being made already".into(),
        Start::At(at) => format!("not before {at}"),
        Start::Now { streamed, whole } => {
            format!("now: streamed to {}, whole to {}", show_group(streamed), show_group(whole))
        }
    };
    let busy = if busy { ", one is being made" } else { "" };
    trace.call(format!("{now}ms: waiting {}{busy}", show_waiters(waiting)), answer);
}

fn join(trace: &mut Trace, running: &Running) {
    let kind = if running.whole { "kept whole" } else { "only streamed" };
    let answer = if lab::may_join(running) { "may join" } else { "has to wait for the next" };
    trace.call(
        format!("a snapshot of {}, {kind}, the log begins behind {}", running.offset, running.log_start),
        answer,
    );
}

fn snapshots(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("one snapshot for many");
    given(trace, "repl-diskless-sync yes", "delay 5 s");
    let (a, b) = (waits('a', 1000, true), waits('b', 4500, true));
    ask(trace, &STREAMED, false, 1000, &[]);
    ask(trace, &STREAMED, false, 1000, &[a]);
    ask(trace, &STREAMED, false, 4500, &[a, b]);
    ask(trace, &STREAMED, false, 5999, &[a, b]);
    ask(trace, &STREAMED, false, 6000, &[a, b]);
    ask(trace, &STREAMED, false, 6000, &[b, a]);
    ask(trace, &STREAMED, true, 6500, &[a, b]);
    ask(trace, &STREAMED, true, 6500, &[]);
    ask(trace, &STREAMED, false, 60_000, &[a, b]);

    given(trace, "the same", "but o cannot look for a mark");
    let old = waits('o', 1500, false);
    ask(trace, &STREAMED, false, 1500, &[a, old]);
    ask(trace, &STREAMED, false, 1500, &[old]);

    given(trace, "the same", "max-replicas 2");
    let two = SnapshotPolicy { max_replicas: 2, ..STREAMED };
    ask(trace, &two, false, 1000, &[a]);
    ask(trace, &two, false, 4500, &[a, b]);
    ask(trace, &two, false, 4700, &[a, b, waits('c', 4600, true)]);

    given(trace, "the same", "no delay");
    ask(trace, &SnapshotPolicy { delay: Millis::ZERO, ..STREAMED }, false, 1000, &[a]);

    given(trace, "repl-diskless-sync no", "delay 5 s");
    ask(trace, &ON_DISK, false, 1000, &[a]);
    ask(trace, &ON_DISK, false, 1500, &[a, old]);
    ask(trace, &ON_DISK, true, 1500, &[a, old]);

    given(trace, "a snapshot under way", "and a latecomer");
    let running = Running { offset: Offset(700), whole: true, log_start: Offset(500) };
    join(trace, &running);
    join(trace, &Running { log_start: Offset(700), ..running });
    join(trace, &Running { log_start: Offset(701), ..running });
    join(trace, &Running { whole: false, ..running });
    Ok(())
}

fn snapshot_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("one snapshot for many");
    let mut rng = Rng::new(seed);
    let policy = SnapshotPolicy {
        diskless: rng.chance(75),
        delay: Millis(rng.below(4) * 100),
        max_replicas: rng.below(4) as usize,
    };
    given(trace, "a policy", format!("{policy:?}"));
    let all_modern = rng.chance(70);
    let mut waiting = Vec::new();
    for replica in ['a', 'b', 'c'] {
        if rng.chance(60) {
            waiting.push(waits(replica, rng.below(10) * 50, all_modern || rng.chance(50)));
        }
    }
    let latest = waiting.iter().map(|waiter| waiter.since.0).max().unwrap_or(0);
    let now = latest + rng.below(10) * 50;
    ask(trace, &policy, rng.chance(15), now, &waiting);
    join(
        trace,
        &Running {
            offset: Offset(rng.between(5, 8)),
            whole: rng.chance(60),
            log_start: Offset(rng.between(4, 8)),
        },
    );
    Ok(())
}
