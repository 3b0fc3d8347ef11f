//! Many seeds of one scenario: search for a seed that breaks a rule, and replay it with a trace.
//!
//! The environment widens or narrows the search: `SIM_SEEDS=10000` runs so many seeds, `SIM_SEED=17` only that one,
//! and `SIM_TRACE=run.txt` writes the whole trace of a failure to that file. A family of long runs plays a fixed share of
//! `SIM_SEEDS`, and has a variable of its own for more ([`check_share`]).

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use core_types::Broken;

use crate::Trace;

/// A seed that breaks a rule.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The rule, and what was seen instead.
    pub broken: Broken,
    /// The run up to there.
    pub trace: Trace,
}

/// How many lines of the trace a failure shows.
const SHOWN: usize = 60;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} breaks a rule of \"{}\"", self.seed, self.trace.title)?;
        writeln!(f, "  rule:   {}", self.broken.rule)?;
        writeln!(f, "  but:    {}", self.broken.detail)?;
        writeln!(f, "  replay: SIM_SEED={} with the same test", self.seed)?;
        let lines = self.trace.text_lines();
        let first = lines.len().saturating_sub(SHOWN);
        writeln!(f, "  the last {} of {} events:", lines.len() - first, lines.len())?;
        lines[first..].iter().try_for_each(|line| writeln!(f, "    {line}"))
    }
}

impl std::error::Error for Failure {}

/// What a search has covered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Seeds run.
    pub seeds: u64,
    /// Events handled in all of them, as far as `run` counts them.
    pub steps: u64,
    /// Real time it took.
    pub took: Duration,
}

impl Report {
    /// Seeds per second of real time.
    pub fn seeds_per_second(&self) -> f64 {
        self.seeds as f64 / self.took.as_secs_f64().max(0.001)
    }
}

/// Runs the seeds from `first` on, on all processors, and returns the lowest that breaks a rule. A panic breaks the
/// rule that nobody panics. `run` plays one seed, into a trace if there is one, and returns how many steps it took.
///
/// # Errors
/// The lowest failing seed, replayed with a trace.
pub fn search(
    title: &str,
    first: u64,
    seeds: u64,
    run: impl Fn(u64, Option<&mut Trace>) -> Result<u64, Broken> + Sync,
) -> Result<Report, Box<Failure>> {
    let next = AtomicU64::new(first);
    let steps = AtomicU64::new(0);
    let lowest: Mutex<Option<(u64, Broken)>> = Mutex::new(None);
    let lock = || lowest.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(seeds as usize).max(1);
    #[expect(clippy::disallowed_methods, reason = "tells how fast the simulator is; no run depends on it")]
    let begin = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    // Seeds are handed out in order: when one has failed, only lower ones matter.
                    if seed - first >= seeds || lock().as_ref().is_some_and(|(failed, _)| *failed < seed) {
                        return;
                    }
                    match guarded(|| run(seed, None)) {
                        Ok(count) => {
                            steps.fetch_add(count, Ordering::Relaxed);
                        }
                        Err(broken) => {
                            let mut lowest = lock();
                            if lowest.as_ref().is_none_or(|(failed, _)| seed < *failed) {
                                *lowest = Some((seed, broken));
                            }
                        }
                    }
                }
            });
        }
    });
    let took = begin.elapsed();
    let found = lock().take();
    match found {
        None => Ok(Report { seeds, steps: steps.into_inner(), took }),
        Some((seed, broken)) => {
            let mut trace = Trace::new(title);
            let again = guarded(|| run(seed, Some(&mut trace)));
            let broken = match again {
                Err(again) if again == broken => broken,
                other => Broken::new(
                    "the same seed gives the same run",
                    format!("first: {broken}; then, with a trace: {other:?}"),
                ),
            };
            Err(Box::new(Failure { seed, broken, trace }))
        }
    }
}

/// [`search`] as a test: runs `seeds` seeds, or what the environment says, and prints how fast that was.
///
/// # Panics
/// With the lowest failing seed and the end of its trace.
pub fn check(title: &str, seeds: u64, run: impl Fn(u64, Option<&mut Trace>) -> Result<u64, Broken> + Sync) {
    check_span(title, (number("SIM_SEED"), number("SIM_SEEDS")), seeds, run);
}

/// As [`check`], for a family whose runs take long: of `SIM_SEEDS` it plays one in `one_in`, but no fewer than `seeds`. The
/// environment variable `own` says otherwise.
///
/// # Panics
/// As [`check`] does.
pub fn check_share(
    title: &str,
    seeds: u64,
    (one_in, own): (u64, &str),
    run: impl Fn(u64, Option<&mut Trace>) -> Result<u64, Broken> + Sync,
) {
    let share = number("SIM_SEEDS").map(|all| (all / one_in).max(seeds));
    check_span(title, (number("SIM_SEED"), number(own).or(share)), seeds, run);
}

/// What the environment says.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn check_span(
    title: &str,
    (only, wanted): (Option<u64>, Option<u64>),
    seeds: u64,
    run: impl Fn(u64, Option<&mut Trace>) -> Result<u64, Broken> + Sync,
) {
    let (first, seeds) = match only {
        Some(seed) => (seed, 1),
        None => (0, wanted.unwrap_or(seeds)),
    };
    match search(title, first, seeds, run) {
        Ok(report) => println!(
            "{title}: {} seeds, {} steps, {:.0} seeds per second",
            report.seeds,
            report.steps,
            report.seeds_per_second()
        ),
        Err(failure) => {
            if let Some(path) = std::env::var_os("SIM_TRACE") {
                let written = std::fs::write(&path, failure.trace.to_text());
                println!("the whole trace: {} {written:?}", path.display());
            }
            panic!("{failure}")
        }
    }
}

fn guarded(run: impl FnOnce() -> Result<u64, Broken>) -> Result<u64, Broken> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_string());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Err(Broken::new("nothing panics", text.unwrap_or_else(|| "a panic without a message".into())))
    })
}

#[cfg(test)]
mod tests {
    use core_types::Millis;

    use super::*;

    #[test]
    fn the_lowest_failing_seed_is_found_and_replayed() {
        let run = |seed: u64, trace: Option<&mut Trace>| {
            if let Some(trace) = trace {
                trace.note(Millis(1), None, format!("seed {seed} was here"));
            }
            if seed >= 40 { Err(Broken::new("seeds stay below 40", seed.to_string())) } else { Ok(2) }
        };
        let failure = search("low seeds", 0, 1000, run).expect_err("seed 40 breaks the rule");
        assert_eq!((failure.seed, failure.broken.detail.as_str()), (40, "40"));
        let text = failure.to_string();
        assert!(text.starts_with("seed 40 ") && text.contains("seed 40 was here"), "{text}");
        let report = search("low seeds", 0, 40, run).expect("all are below 40");
        assert_eq!((report.seeds, report.steps), (40, 80));
    }
}
