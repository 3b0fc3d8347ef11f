//! What many runs have shown: how long failovers take, how votes fall.

use std::fmt;

use core_types::Millis;
use sim::nodes::sentinels::{Elections, Takeover};

/// What one run has shown.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) steps: u64,
    pub(crate) calm: bool,
    pub(crate) down_after: Millis,
    pub(crate) takeovers: Vec<Takeover>,
    pub(crate) elections: Elections,
    pub(crate) switches: u64,
    /// Crashes of sentinels that had just told their vote.
    pub(crate) struck_down: u64,
    /// Writes that were acknowledged, and those of them that no node has in the end.
    pub(crate) writes: (u64, u64),
    /// From the repair until all agree and are equal.
    pub(crate) settled_in: Millis,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    runs: u64,
    calm: Vec<(Millis, Takeover)>,
    hard: Vec<(Millis, Takeover)>,
    settled_in: Vec<Millis>,
    elections: Elections,
    switches: u64,
    struck_down: u64,
    writes: (u64, u64),
}

impl Report {
    pub(crate) fn add(&mut self, run: &Outcome) {
        self.runs += 1;
        let times = run.takeovers.iter().map(|takeover| (run.down_after, *takeover));
        if run.calm {
            self.calm.extend(times);
        } else {
            self.hard.extend(times);
        }
        self.settled_in.push(run.settled_in);
        let (sum, more) = (&mut self.elections, run.elections);
        sum.epochs += more.epochs;
        sum.contested += more.contested;
        sum.split += more.split;
        sum.won += more.won;
        sum.votes += more.votes;
        self.switches += run.switches;
        self.struck_down += run.struck_down;
        self.writes = (self.writes.0 + run.writes.0, self.writes.1 + run.writes.1);
    }

    /// A family in which nothing happens shows nothing.
    pub(crate) fn check_that_much_happened(&self) {
        assert!(self.calm.len() >= 8 && !self.hard.is_empty(), "too few failovers:\n{self}");
        assert!(self.elections.contested >= 5 && self.struck_down >= 5, "too few elections:\n{self}");
    }
}

/// Median, 90 and 99 of 100, and the longest.
fn spread(f: &mut fmt::Formatter<'_>, what: &str, mut times: Vec<Millis>) -> fmt::Result {
    times.sort_unstable();
    let Some(last) = times.len().checked_sub(1) else { return writeln!(f, "  {what:42} none") };
    let at = |percent: usize| times[(times.len() * percent / 100).min(last)].0;
    writeln!(f, "  {what:42} {:6} {:6} {:6} {:6}", at(50), at(90), at(99), times[last].0)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, lost) = self.writes;
        writeln!(f, "sentinels: {} runs, {} changes of master seen by a sentinel", self.runs, self.switches)?;
        writeln!(f, "{:44} {:>6} {:>6} {:>6} {:>6}", "  milliseconds", "median", "p90", "p99", "max")?;
        for (name, group) in [("calm", &self.calm), ("bad day", &self.hard)] {
            writeln!(f, "  {name}: {} failovers, from the master's death", group.len())?;
            let of =
                |time: fn(&Takeover) -> Millis| group.iter().map(|(_, takeover)| time(takeover)).collect();
            spread(f, "  to +switch-master at the leader", of(|takeover| takeover.switched))?;
            spread(f, "  to the first accepted write", of(|takeover| takeover.written))?;
            let beyond = group.iter().map(|(down_after, takeover)| takeover.written.since(*down_after));
            spread(f, "  the same, down-after taken off", beyond.collect())?;
        }
        spread(f, "from the repair until all are equal", self.settled_in.clone())?;
        let Elections { epochs, contested, split, won, votes } = self.elections;
        writeln!(
            f,
            "  {epochs} epochs with an election: {won} had a leader, {contested} had rivals, {split} split votes"
        )?;
        writeln!(f, "  {votes} votes; {} sentinels died right behind theirs", self.struck_down)?;
        write!(f, "  {found} writes acknowledged, {lost} of them lost")
    }
}
