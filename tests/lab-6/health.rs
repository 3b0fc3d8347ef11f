// 6.9: when a server is given up, and when it is tried again.

fn health_note(trace: &mut Trace, now: u64, what: &str, health: &Health) {
    let state = match health.out_until {
        None => format!("in, {} failures", health.failures),
        Some(until) => format!("out until {until}"),
    };
    trace.note(Millis(now), None, format!("{what}: {state}"));
}

enum Happens {
    Fails,
    Answers,
    Time,
}
use Happens::{Answers, Fails, Time};

fn live(trace: &mut Trace, settings: &HealthSettings, story: &[(u64, Happens)]) {
    let mut health = Health::default();
    for (now, event) in story {
        let text = match event {
            Fails if health.failed(Millis(*now), settings) => "fails, the distribution is made anew",
            Fails => "fails",
            Answers => {
                health.answered();
                "answers"
            }
            Time if health.readmit(Millis(*now)) => "time passes, the distribution is made anew",
            Time => "time passes",
        };
        health_note(trace, *now, text, &health);
    }
}

fn ejecting(failure_limit: u32, retry_timeout: u64) -> HealthSettings {
    HealthSettings { auto_eject: true, failure_limit, retry_timeout: Millis(retry_timeout) }
}

fn failures(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "a server and its failures".into();
    trace.note(Millis(0), None, "limit 3, retry after 1000ms");
    live(
        trace,
        &ejecting(3, 1000),
        &[
            (10, Fails),
            (20, Answers),
            (30, Fails),
            (40, Fails),
            (45, Time),
            (50, Fails),
            (60, Fails),
            (70, Answers),
            (1049, Time),
            (1050, Time),
            (1051, Time),
            (1060, Fails),
            (1070, Fails),
            (1080, Fails),
            (1090, Fails),
            (1100, Fails),
            (1110, Fails),
            (2079, Time),
            (3000, Time),
        ],
    );
    trace.note(Millis(4000), None, "limit 1, retry after 0ms");
    live(trace, &ejecting(1, 0), &[(4000, Fails), (4000, Time), (4001, Answers)]);
    trace.note(Millis(5000), None, "servers are not ejected");
    let never = HealthSettings { auto_eject: false, ..ejecting(1, 1000) };
    live(trace, &never, &[(5000, Fails), (5001, Fails), (5002, Answers), (9000, Time)]);
    Ok(())
}

fn failures_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "a server and its failures".into();
    let mut rng = Rng::new(seed);
    let retry = rng.between(1, 300);
    let settings = HealthSettings { auto_eject: rng.chance(90), ..ejecting(rng.between(1, 4) as u32, retry) };
    trace.note(Millis(0), None, format!("{settings:?}"));
    let mut story = Vec::new();
    let mut now = 0;
    for _ in 0..20 {
        now += if rng.chance(20) { retry } else { rng.below(20) };
        story.push((
            now,
            if rng.chance(50) {
                Fails
            } else if rng.chance(40) {
                Answers
            } else {
                Time
            },
        ));
    }
    live(trace, &settings, &story);
    Ok(())
}
