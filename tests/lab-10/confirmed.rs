// 10.3: a write that a replica has confirmed, and that is gone.

const LOST_ALL_THE_SAME: &str = "The write was acknowledged, WAIT said that a replica has it, and the master in the end does not have it.";

fn lost_though_confirmed(trace: &mut Trace) -> Result<(), Broken> {
    judge_confirmed(&lab::confirmed::loses_a_confirmed_write(), 0, trace)?;
    judged(
        trace,
        &[
            ("the client's write", "OK"),
            ("WAIT", "one replica at least"),
            ("the master in the end", "does not have it"),
        ],
    );
    Ok(())
}

fn lost_though_confirmed_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    judge_confirmed(&lab::confirmed::loses_a_confirmed_write(), seed + 1, trace)
}

/// Does this day lose a write that a replica has confirmed?
pub(crate) fn judge_confirmed(schedule: &Schedule, seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let day = LossDay { kills: 2, waits: true, title: "A write that a replica has confirmed" };
    let seen = day.play(schedule, seed, trace)?;
    if seen.writes.iter().any(|(write, kept)| write.confirmed.is_some_and(|count| count > 0) && !kept) {
        return Ok(());
    }
    let lost = seen.writes.iter().any(|(write, kept)| write.acknowledged.is_some() && !kept);
    let confirmed = seen.writes.iter().any(|(write, _)| write.confirmed.is_some_and(|count| count > 0));
    let why = match (lost, confirmed) {
        (true, false) => "a write is lost, but no WAIT has said that a replica has it".into(),
        (true, true) => "a write is lost, but not the one that a replica has confirmed".into(),
        (false, true) if seen.heard("+switch-master") => {
            "another node took over, and it was the replica that had confirmed the write, or had the write as well".into()
        }
        _ => seen.why_kept(),
    };
    Err(Broken::new(LOST_ALL_THE_SAME, why))
}
