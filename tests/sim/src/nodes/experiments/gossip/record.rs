//! The runs at size, kept in a file: they take minutes, and the book takes its numbers from there.
//!
//! A line of the file is a run and, behind a colon, what came out. Runs of few nodes take no time: they are run again
//! wherever the file is used, and must come out the same.

use core_types::Millis;

use super::{Detection, Hearsay, Size, Traffic, deaths, lean, whole, whole_deaths};

/// Where the file is, for whoever writes it.
pub const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/gossip-size.txt");

const RECORDED: &str = include_str!("../../../../data/gossip-size.txt");

/// The bandwidth is counted over so long.
const COUNTED: Millis = Millis::from_secs(60);

/// Runs with up to so many nodes take no time.
const FEW: usize = 20;

/// One run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// A quiet cluster of whole nodes.
    Whole(Size),
    /// A quiet cluster of decisions alone.
    Lean(Size, Hearsay),
    /// A cluster in which so many masters die, one after the other.
    Deaths(Size, usize),
    /// The same with whole nodes.
    WholeDeaths(Size, usize),
}

/// What came out.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Of a quiet cluster.
    Traffic(Traffic),
    /// Of one with deaths.
    Deaths(Vec<Detection>),
}

/// A cluster with ten nodes on each machine.
pub fn of(nodes: usize, timeout: Millis) -> Size {
    Size { nodes, machines: (nodes / 10).max(2), timeout }
}

/// All runs of the file, in its order.
pub fn plan() -> Vec<Run> {
    let timeouts = [15, 20].map(Millis::from_secs);
    let mut plan: Vec<Run> = Vec::new();
    for nodes in [6, 20, 50, 100, 300, 500, 1000] {
        plan.push(Run::Lean(of(nodes, timeouts[0]), Hearsay::Believed));
    }
    for size in timeouts.map(|timeout| of(200, timeout)) {
        plan.extend([
            Run::Lean(size, Hearsay::Believed),
            Run::Lean(size, Hearsay::Ignored),
            Run::Whole(size),
        ]);
    }
    for nodes in [20, 50, 100] {
        plan.push(Run::Lean(of(nodes, timeouts[0]), Hearsay::Ignored));
    }
    for (nodes, count) in [(6, 20), (20, 20), (50, 20), (100, 20), (200, 20), (500, 10), (1000, 6)] {
        plan.push(Run::Deaths(of(nodes, timeouts[0]), count));
    }
    plan.push(Run::WholeDeaths(of(200, timeouts[0]), 8));
    plan
}

impl Run {
    /// Runs it, and returns its line.
    pub fn line(self) -> String {
        let outcome = match self {
            Run::Whole(size) => Outcome::Traffic(whole(size, COUNTED, 1)),
            Run::Lean(size, hearsay) => Outcome::Traffic(lean(size, hearsay, COUNTED, 1)),
            Run::Deaths(size, count) => Outcome::Deaths(deaths(size, count, 1)),
            Run::WholeDeaths(size, count) => Outcome::Deaths(whole_deaths(size, count, 1)),
        };
        let words = match outcome {
            Outcome::Traffic(Traffic { pings, out, inside, busiest }) => {
                format!("{pings:.2} {out:.0} {inside:.0} {busiest:.0}")
            }
            Outcome::Deaths(deaths) => {
                let word = |Detection { suspected, agreed, known }: &Detection| {
                    format!("{}/{}/{}", suspected.0, agreed.0, known.0)
                };
                deaths.iter().map(word).collect::<Vec<_>>().join(" ")
            }
        };
        format!("{}: {words}", self.name())
    }

    /// What came out when it was recorded. `None`: it is not in the file, or the line is none of ours.
    pub fn recorded(self) -> Option<Outcome> {
        let words = self.recorded_line()?.split_once(": ")?.1.split(' ');
        if let Run::Deaths(..) | Run::WholeDeaths(..) = self {
            let death = |word: &str| {
                let times: Result<Vec<u64>, _> = word.split('/').map(str::parse).collect();
                let [suspected, agreed, known] = times.ok()?.try_into().ok()?;
                let [suspected, agreed, known] = [suspected, agreed, known].map(Millis);
                Some(Detection { suspected, agreed, known })
            };
            return Some(Outcome::Deaths(words.map(death).collect::<Option<_>>()?));
        }
        let numbers: Result<Vec<f64>, _> = words.map(str::parse).collect();
        let [pings, out, inside, busiest] = numbers.ok()?.try_into().ok()?;
        Some(Outcome::Traffic(Traffic { pings, out, inside, busiest }))
    }

    /// Runs it again, if that takes no time. What differs from the file, if anything does.
    pub fn difference(self) -> Option<String> {
        match self {
            Run::Lean(size, _) | Run::Deaths(size, _) if size.nodes <= FEW => {}
            _ => return None,
        }
        let (then, now) = (self.recorded_line().unwrap_or("nothing"), self.line());
        (then != now).then(|| format!("recorded: {then}\nnow:      {now}"))
    }

    fn recorded_line(self) -> Option<&'static str> {
        let name = format!("{}: ", self.name());
        RECORDED.lines().find(|line| line.starts_with(&name))
    }

    /// What the line begins with.
    pub fn name(self) -> String {
        let (what, Size { nodes, machines, timeout }) = match self {
            Run::Whole(size) => ("whole nodes".to_string(), size),
            Run::Lean(size, Hearsay::Believed) => ("decisions".into(), size),
            Run::Lean(size, Hearsay::Ignored) => ("decisions without hearsay".into(), size),
            Run::Deaths(size, count) => (format!("{count} deaths"), size),
            Run::WholeDeaths(size, count) => (format!("{count} deaths of whole nodes"), size),
        };
        format!("{what}, {nodes} on {machines}, timeout {}", timeout.0)
    }
}

/// What the file says in its first lines.
pub const HEAD: &str = "\
# Written by `cargo run --release -p sim --features nodes --example gossip_size`; see experiments::gossip.
# Quiet clusters: pings a second of one node; bytes a second that a machine sends to others, that stay on it, and that
# the busiest sends to others. Deaths: milliseconds until the first node suspects, until it is agreed, until all know.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_recorded_and_small_runs_come_out_the_same() {
        for run in plan() {
            assert!(run.recorded().is_some(), "`{}` is to be recorded", run.name());
            if let Some(difference) = run.difference() {
                panic!("{difference}");
            }
        }
    }

    #[test]
    fn the_decisions_alone_cost_what_whole_nodes_cost() {
        for timeout in [15, 20].map(Millis::from_secs) {
            let size = of(200, timeout);
            let [Some(Outcome::Traffic(whole)), Some(Outcome::Traffic(lean))] =
                [Run::Whole(size), Run::Lean(size, Hearsay::Believed)].map(Run::recorded)
            else {
                panic!("both are recorded");
            };
            assert!((whole.out / lean.out - 1.0).abs() < 0.05, "{whole:?} {lean:?}");
        }
        // And so they do today, in a small cluster.
        let size = Size { nodes: 10, machines: 2, timeout: Millis::from_secs(5) };
        let whole = whole(size, COUNTED, 1);
        let lean = lean(size, Hearsay::Believed, COUNTED, 1);
        assert!((whole.out / lean.out - 1.0).abs() < 0.05, "{whole:?} {lean:?}");
        assert!((whole.pings / lean.pings - 1.0).abs() < 0.05, "{whole:?} {lean:?}");
    }

    #[test]
    fn hearsay_spares_pings_and_without_it_the_bound_is_reached() {
        let size = of(20, Millis::from_secs(15));
        let [believed, ignored] =
            [Hearsay::Believed, Hearsay::Ignored].map(|hearsay| lean(size, hearsay, COUNTED, 1));
        let bound = node::layers::gossip::Plan::new(20, 10, size.timeout).pings();
        assert!(believed.pings < 0.75 * ignored.pings, "{believed:?} {ignored:?}");
        assert!((0.7 * bound..=bound).contains(&ignored.pings), "{ignored:?} {bound}");
    }

    #[test]
    fn nobody_is_failed_before_the_timeout_and_all_know_at_once() {
        let size = of(20, Millis::from_secs(15));
        for Detection { suspected, agreed, known } in deaths(size, 3, 2) {
            let (least, most) = (size.timeout, Millis(size.timeout.0 * 2));
            assert!(least < suspected && suspected <= agreed && agreed < known && known < most);
            assert_eq!(known.since(agreed), Millis(1), "whoever counts the votes tells everybody");
        }
    }

    #[test]
    fn whole_nodes_notice_a_death_as_the_decisions_alone_do() {
        let median = |deaths: &[Detection], time: fn(&Detection) -> Millis| {
            let mut times: Vec<Millis> = deaths.iter().map(time).collect();
            times.sort();
            times[times.len() / 2].0 as f64
        };
        let alike = |whole: &[Detection], lean: &[Detection], within: f64| {
            for time in [|death: &Detection| death.suspected, |death: &Detection| death.known] {
                let ratio = median(whole, time) / median(lean, time);
                assert!((ratio - 1.0).abs() < within, "{whole:?} {lean:?}");
            }
        };
        let size = of(200, Millis::from_secs(15));
        let [Some(Outcome::Deaths(whole)), Some(Outcome::Deaths(lean))] =
            [Run::WholeDeaths(size, 8), Run::Deaths(size, 20)].map(Run::recorded)
        else {
            panic!("both are recorded");
        };
        alike(&whole, &lean, 0.05);
        // And so they do today, in a small cluster.
        let size = Size { nodes: 10, machines: 2, timeout: Millis::from_secs(5) };
        alike(&whole_deaths(size, 8, 1), &deaths(size, 20, 1), 0.2);
    }
}
