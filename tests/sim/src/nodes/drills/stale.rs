//! A price is written at the master all the time, and somebody reads it at a replica.

use core_types::{Broken, Frame, Millis, Rng};
use drill::{Limits, Schedule, Sort, say};

use super::{Drill, Part, Scene};

/// `repl-timeout` in this scene, in seconds.
pub const REPL_TIMEOUT: u64 = 15;
/// The price is written so often, and read as often.
pub const PACE: Millis = Millis(250);
/// No event happens later.
pub const LENGTH: Millis = Millis::from_secs(60);
/// So long the scene lasts.
const END: Millis = Millis::from_secs(90);

/// An answer of the replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// When.
    pub at: Millis,
    /// For how long a newer price had been acknowledged by the master by then. Zero if there was none.
    pub age: Millis,
    /// What its `INFO` said in the same moment: `master_link_status:up`.
    pub up: bool,
    /// And `master_last_io_seconds_ago`.
    pub last_io: u64,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// All reads that were answered, in order.
    pub reads: Vec<Read>,
}

impl Outcome {
    /// The stalest read that `which` takes.
    pub fn stalest(&self, which: impl Fn(&Read) -> bool) -> Option<&Read> {
        self.reads.iter().filter(|read| which(read)).max_by_key(|read| read.age)
    }

    /// The first read at which the replica said that its link was down.
    pub fn first_down(&self) -> Option<&Read> {
        self.reads.iter().find(|read| !read.up)
    }

    /// Was there a time of more than three seconds in which no read was answered?
    pub fn has_pause(&self) -> bool {
        self.reads.windows(2).any(|pair| pair[1].at.since(pair[0].at) > Millis(3000))
    }

    /// Has the replica caught up at the end?
    pub fn is_level(&self) -> bool {
        self.reads.last().is_some_and(|read| read.at + Millis(2000) > END && read.age <= Millis(1000))
    }
}

/// Who is there: the master with a client that writes, `replica-1` with a reader.
pub fn scene(seed: u64) -> Scene {
    let latency = Millis(Rng::new(seed).between(1, 8));
    Scene::star(1, latency).part("reader", Part::Client { of: "replica-1".into() }).given(|lines| {
        lines.nodes(format!("repl-timeout {REPL_TIMEOUT}")).nodes("repl-ping-replica-period 1")
    })
}

/// What a schedule may do here.
pub fn limits() -> Limits<'static> {
    Limits {
        hosts: vec!["master", "replica-1", "client", "reader"],
        sorts: vec![Sort::Cut, Sort::Mend, Sort::Slow],
        events: 20,
        length: LENGTH,
        kills: 0,
    }
}

/// Plays a schedule.
///
/// # Errors
/// A fault of the workbook.
pub fn play(schedule: &Schedule, seed: u64) -> Result<Outcome, Broken> {
    let mut drill = Drill::set(&scene(seed), seed, None)?;
    let mut moments = schedule.moments().iter().peekable();
    let mut number = 0;
    while drill.now() < END {
        let next = drill.now() + PACE;
        number += 1;
        drill.happen(&say("client", &format!("SET price {number}")))?;
        drill.happen(&say("reader", "GET price"))?;
        drill.happen(&say("reader", "INFO replication"))?;
        while let Some((time, event)) = moments.next_if(|(time, _)| *time < next) {
            drill.world.run_until(drill.begin() + *time)?;
            drill.happen(event)?;
        }
        drill.world.run_until(drill.begin() + next)?;
    }
    Ok(outcome(&drill))
}

fn outcome(drill: &Drill<'_>) -> Outcome {
    // When each price was acknowledged; prices are counted from 1.
    let writes = drill.writes("client");
    let price = |value: &[u8]| std::str::from_utf8(value).ok()?.parse::<usize>().ok();
    let mut outcome = Outcome::default();
    let said = drill.said("reader");
    for pair in said.chunks(2) {
        let [read, info] = pair else { continue };
        let (Some((at, value)), Some((_, Frame::Bulk(info)))) = (&read.answer, &info.answer) else {
            continue;
        };
        let seen = value.as_bytes().and_then(price).unwrap_or(0);
        let newer = writes.iter().skip(seen).filter_map(|write| write.acknowledged).min();
        let info = String::from_utf8_lossy(info);
        let field =
            |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        outcome.reads.push(Read {
            at: *at,
            age: newer.map_or(Millis::ZERO, |newer| at.since(newer)),
            up: field("master_link_status:") == "up",
            last_io: field("master_last_io_seconds_ago:").parse().unwrap_or(u64::MAX),
        });
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_nothing_broken_reads_are_fresh() {
        let outcome = play(&Schedule::new(), 1).expect("no rule is broken");
        assert!(outcome.is_level() && outcome.first_down().is_none());
        assert!(outcome.stalest(|_| true).is_some_and(|read| read.age < Millis(50)), "{outcome:?}");
        assert!(outcome.reads.len() > 340);
    }
}
