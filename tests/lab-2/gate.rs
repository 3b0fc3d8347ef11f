// 2.8: when a master refuses to write.

const FIRST: &str = "alpha";
const SECOND: &str = "bravo";

/// Two replicas that were last heard at these times, and whether the master may write.
fn knock(trace: &mut Trace, now: Millis, heard: [Millis; 2], gate: &WriteGate) {
    let mut acks = Acks::new();
    acks.attach(heard[0], FIRST);
    acks.attach(heard[1], SECOND);
    let lag = |replica| acks.lag(now, replica).map_or("none".to_string(), |seconds| seconds.to_string());
    let good = acks.good(now, gate.max_lag);
    let answer = lab::may_write(gate, good).map_or("NOREPLICAS", |()| "writes");
    let clock = |time: Millis| format!("{}.{:03}", time.as_secs(), time.0 % 1000);
    let (first, second) = (clock(heard[0]), clock(heard[1]));
    trace.call(
        format!(
            "{}: heard {first}, {second}; {} within {} s",
            clock(now),
            gate.replicas,
            gate.max_lag.as_secs()
        ),
        format!("lag {}, {}; {good} good: {answer}", lag(FIRST), lag(SECOND)),
    );
}

fn gate(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "the write gate".into();
    trace.timeless = true;
    let acks: Acks<&str> = Acks::new();
    trace.call("lag of a replica that is not online", format!("{:?}", acks.lag(secs(1), FIRST)));
    let ten = secs(10);
    for (now, heard, replicas, max_lag) in [
        (20_000, [19_000, 19_500], 1, ten),
        (20_000, [19_000, 19_500], 2, ten),
        (20_000, [19_000, 19_500], 3, ten),
        (20_000, [10_000, 9_999], 2, ten),
        (20_000, [10_000, 9_999], 1, ten),
        (20_999, [10_000, 9_999], 1, ten),
        (21_000, [10_000, 9_999], 1, ten),
        (20_001, [8_999, 9_000], 1, secs(11)),
        (90_000, [10_000, 10_000], 0, ten),
        (90_000, [10_000, 10_000], 2, secs(0)),
        (90_000, [90_000, 90_000], 3, secs(0)),
        (20_000, [25_000, 5_000], 1, ten),
    ] {
        let gate = WriteGate { replicas, max_lag };
        knock(trace, Millis(now), heard.map(Millis), &gate);
    }
    Ok(())
}

fn gate_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.timeless = true;
    let now = Millis(30_000 + rng.below(3_000));
    let gate = WriteGate { replicas: rng.below(4) as usize, max_lag: secs(rng.below(4)) };
    let heard = [(); 2].map(|()| Millis(now.0 - rng.below(5_000)));
    knock(trace, now, heard, &gate);
    Ok(())
}
