// 10.6: a read that is old news, and a replica that says that all is well.

const STALE: &str = "A price is read that the master has replaced ten seconds ago or earlier, while the replica says \
                     master_link_status:up.";
const ALL_DAY: &str =
    "The replica says master_link_status:up all day, and in the end it is level with its master.";

/// So old is the news.
const OLD: Millis = Millis::from_secs(10);

fn stale_reads(trace: &mut Trace) -> Result<(), Broken> {
    judge_stale(&lab::stale::reads_stale(), false, 0, trace)?;
    judge_stale(&lab::stale::reads_stale_unnoticed(), true, 0, trace)?;
    trace.title = "a read at a replica".into();
    judged(trace, &[("the price that is read", "is old news"), ("the replica", "says that its link is up")]);
    Ok(())
}

fn stale_reads_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    judge_stale(&lab::stale::reads_stale(), false, seed + 1, trace)?;
    judge_stale(&lab::stale::reads_stale_unnoticed(), true, seed + 1, trace)
}

/// Is a stale price read on this day? `unnoticed`: not even `master_last_io_seconds_ago` may show it.
pub(crate) fn judge_stale(
    schedule: &Schedule,
    unnoticed: bool,
    seed: u64,
    trace: &mut Trace,
) -> Result<(), Broken> {
    stale::limits().check(schedule)?;
    let outcome = stale::play(schedule, seed)?;
    *trace = stale_story(schedule, &outcome, unnoticed);
    let day = if unnoticed { "on the second day" } else { "on the first day" };
    let is_old = |read: Option<&stale::Read>| read.is_some_and(|read| read.age >= OLD);
    let broken = |rule: &str, what: &str| Err(Broken::new(rule, format!("{day} {what}")));
    if !is_old(outcome.stalest(|_| true)) {
        return broken(
            STALE,
            match outcome.has_pause() {
                true => "no price that was read is that old, and for a while nobody could read",
                false => "no price that was read is that old",
            },
        );
    }
    if outcome.first_down().is_some() {
        return broken(ALL_DAY, "the replica said master_link_status:down at some time");
    }
    if !outcome.is_level() {
        return broken(ALL_DAY, "the replica has not caught up in the end");
    }
    if unnoticed && !is_old(outcome.stalest(|read| read.last_io <= 1)) {
        return broken(STALE, "master_last_io_seconds_ago gives every price away that is as old as that");
    }
    Ok(())
}

/// The schedule, and the reads that matter.
fn stale_story(schedule: &Schedule, outcome: &stale::Outcome, unnoticed: bool) -> Trace {
    let mut lines: Vec<(Millis, Option<&str>, String)> =
        schedule.moments().iter().map(|(at, event)| (*at, None, event.to_string())).collect();
    let mut tell = |read: Option<&stale::Read>, what: &str| {
        let Some(read) = read else { return };
        let link = if read.up { "up" } else { "down" };
        let text = format!(
            "{what}: the price was replaced {} ago; link {link}, last io {} s ago",
            read.age, read.last_io
        );
        lines.push((read.at, Some("replica-1"), text));
    };
    tell(outcome.stalest(|_| true), "the stalest read of all");
    tell(outcome.stalest(|read| read.up), "the stalest read with the link up");
    if unnoticed {
        tell(outcome.stalest(|read| read.up && read.last_io <= 1), "the stalest that nothing shows");
    }
    tell(outcome.first_down(), "the first read with the link down");
    tell(outcome.reads.last(), "the last read");
    lines.sort_by_key(|(at, ..)| *at);
    let mut trace = Trace::new("Old news");
    for (at, host, text) in lines {
        match host {
            Some(host) => trace.note(at, Some(host), text),
            None => trace.fault(at, text),
        }
    }
    trace
}
