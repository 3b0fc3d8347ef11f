//! What many runs have shown: elections, how long failovers take, what is lost.

use std::fmt;

use core_types::Millis;
use sim::nodes::clusters::{Elections, Losses, Takeover};

use crate::setting::Day;

/// What one run has shown.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) steps: u64,
    pub(crate) day: Day,
    pub(crate) nodes: usize,
    pub(crate) timeout: Millis,
    pub(crate) takeovers: Vec<Takeover>,
    pub(crate) elections: Elections,
    /// Epochs that two have won, one of which counted too few masters.
    pub(crate) miscounted: u64,
    pub(crate) collisions: u64,
    pub(crate) failures: u64,
    /// Crashes of nodes that had just voted: before the disk had it, and after.
    pub(crate) struck_down: (u64, u64),
    /// Manual failovers that were ordered.
    pub(crate) ordered: u64,
    /// Slots that were moved, or began to be.
    pub(crate) moved: u64,
    /// Replicas of replicas that an operator had to tell whom to follow.
    pub(crate) chained: u64,
    pub(crate) losses: Losses,
    /// Reads of acknowledged keys, and those that found nothing at that moment.
    pub(crate) reads: (u64, u64),
    /// On a day on which a master is cut off: how long after that it has acknowledged its last write.
    pub(crate) last_words: Option<Millis>,
    /// From the repair until all agree.
    pub(crate) settled_in: Millis,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    runs: u64,
    days: [u64; 5],
    nodes: (usize, usize),
    takeovers: Vec<(Millis, Takeover)>,
    elections: Elections,
    calm: Elections,
    collisions: u64,
    failures: u64,
    struck_down: (u64, u64),
    ordered: u64,
    moved: u64,
    chained: u64,
    miscounted: u64,
    losses: [Losses; 5],
    reads: (u64, u64),
    last_words: Vec<(Millis, Millis)>,
    settled_in: Vec<Millis>,
}

fn add(sum: &mut Elections, more: Elections) {
    sum.started += more.started;
    sum.forced += more.forced;
    sum.contested += more.contested;
    sum.split += more.split;
    sum.won += more.won;
    sum.votes += more.votes;
}

impl Report {
    pub(crate) fn add(&mut self, run: &Outcome) {
        self.runs += 1;
        let day = run.day as usize;
        self.days[day] += 1;
        self.nodes = match self.nodes {
            (0, 0) => (run.nodes, run.nodes),
            (least, most) => (least.min(run.nodes), most.max(run.nodes)),
        };
        self.takeovers.extend(run.takeovers.iter().map(|takeover| (run.timeout, *takeover)));
        add(if run.day == Day::Death { &mut self.calm } else { &mut self.elections }, run.elections);
        self.collisions += run.collisions;
        self.failures += run.failures;
        self.struck_down.0 += run.struck_down.0;
        self.struck_down.1 += run.struck_down.1;
        self.ordered += run.ordered;
        self.moved += run.moved;
        self.chained += run.chained;
        self.miscounted += run.miscounted;
        self.losses[day] = self.losses[day].plus(run.losses);
        self.reads = (self.reads.0 + run.reads.0, self.reads.1 + run.reads.1);
        self.last_words.extend(run.last_words.map(|last| (run.timeout, last)));
        self.settled_in.push(run.settled_in);
    }

    /// A family in which nothing happens shows nothing.
    pub(crate) fn check_that_much_happened(&self) {
        // At least so many in a hundred runs; chance has its way with few of them.
        let least = |in_a_hundred: u64| (self.runs * in_a_hundred / 100).saturating_sub(3);
        let cut_off = self.last_words.iter().filter(|(_, last)| *last > Millis::ZERO).count() as u64;
        let happened = [
            ("failovers measured", self.takeovers.len() as u64, 15),
            ("elections won", self.elections.won, 80),
            ("epochs with rivals", self.elections.contested, 3),
            ("voters that died", self.struck_down.0 + self.struck_down.1, 50),
            ("manual failovers", self.ordered, 80),
            ("slots moved", self.moved, 20),
            ("epochs with two masters", self.collisions, 25),
            ("masters that went on for a while when they were cut off", cut_off, 6),
            ("writes lost", self.losses.iter().map(Losses::lost).sum(), 300),
        ];
        for (what, count, in_a_hundred) in happened {
            assert!(count >= least(in_a_hundred), "{what}: {count} in {} runs\n{self}", self.runs);
        }
    }
}

/// Median, 90 and 99 of 100, and the longest.
fn spread(f: &mut fmt::Formatter<'_>, what: &str, mut times: Vec<f64>, digits: usize) -> fmt::Result {
    times.sort_unstable_by(f64::total_cmp);
    let Some(last) = times.len().checked_sub(1) else { return writeln!(f, "  {what:50} none") };
    let at = |percent: usize| times[(times.len() * percent / 100).min(last)];
    writeln!(
        f,
        "  {what:50} {:6.digits$} {:6.digits$} {:6.digits$} {:6.digits$}",
        at(50),
        at(90),
        at(99),
        times[last]
    )
}

fn line(f: &mut fmt::Formatter<'_>, what: &str, elections: &Elections) -> fmt::Result {
    let Elections { started, forced, contested, split, won, votes } = elections;
    writeln!(
        f,
        "  elections, {what}: {started} requests ({forced} by order), {won} won; {contested} epochs with rivals, {split} \
         split; {votes} votes"
    )
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [death, minority, orders, bad, worst] = self.days;
        writeln!(
            f,
            "clusters: {} runs of {} to {} nodes ({death} with a death, {minority} with a minority, {orders} with orders, \
             {bad} bad, {worst} worst)",
            self.runs, self.nodes.0, self.nodes.1
        )?;
        writeln!(f, "{:52} {:>6} {:>6} {:>6} {:>6}", "", "median", "p90", "p99", "max")?;
        let of = |time: fn(&Takeover) -> Millis, unit: bool| {
            let each = self.takeovers.iter().map(move |(timeout, takeover)| {
                time(takeover).0 as f64 / if unit { timeout.0 as f64 } else { 1.0 }
            });
            each.collect::<Vec<f64>>()
        };
        spread(f, "a master's death to its heir, node timeouts", of(|it| it.promoted, true), 2)?;
        spread(f, "to the first write to its slots, node timeouts", of(|it| it.written, true), 2)?;
        spread(f, "the same, milliseconds", of(|it| it.written, false), 0)?;
        let beyond = self.takeovers.iter().map(|(timeout, it)| it.written.since(*timeout).0 as f64);
        spread(f, "the same, one node timeout taken off", beyond.collect(), 0)?;
        let last = self.last_words.iter().map(|(timeout, last)| last.0 as f64 / timeout.0 as f64);
        spread(f, "cut off: to its last acknowledgement, node timeouts", last.collect(), 2)?;
        spread(f, "repair to peace, ms", self.settled_in.iter().map(|time| time.0 as f64).collect(), 0)?;
        line(f, "with one death", &self.calm)?;
        line(f, "otherwise", &self.elections)?;
        writeln!(
            f,
            "  {} times a failure was found out; {} epochs with two masters, {} won by two; voters that died: {} before the disk had it, \
             {} after; {} manual failovers, {} slots moved; {} replicas of replicas",
            self.failures,
            self.collisions,
            self.miscounted,
            self.struck_down.0,
            self.struck_down.1,
            self.ordered,
            self.moved,
            self.chained
        )?;
        for (name, losses) in ["death", "minority", "orders", "bad", "worst"].iter().zip(&self.losses) {
            writeln!(
                f,
                "  {name:9} {:8} writes acknowledged, {:5} lost: {} had not reached the heir ({} of them compared by \
                 offset), {} overruled, {} with a process, {} with a slot's move",
                losses.acknowledged,
                losses.lost(),
                losses.unreceived,
                losses.behind,
                losses.overruled,
                losses.restarted,
                losses.moved
            )?;
        }
        write!(
            f,
            "  {} reads, {} of them found nothing where something was acknowledged",
            self.reads.0, self.reads.1
        )
    }
}
