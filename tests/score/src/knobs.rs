//! The environment variables of the harness.

use std::env;
use std::time::Duration;

/// Private: this process is the child that scores the named exercise.
pub(crate) const CHILD: &str = "SCORE_CHILD";
/// Private: the file to which the child writes.
pub(crate) const REPORT: &str = "SCORE_CHILD_REPORT";
/// Private: the child writes a line for each event, to find out where a process dies.
pub(crate) const CAREFUL: &str = "SCORE_CHILD_CAREFUL";
/// Private: the one seed to run.
pub(crate) const SEED: &str = "SCORE_CHILD_SEED";
/// Private: show whole timelines.
pub(crate) const FULL: &str = "SCORE_CHILD_FULL";

/// Where to write the result as JSON.
pub(crate) const JSON: &str = "SCORE_JSON";

/// How long one run of an answer may take (`SCORE_TIMEOUT_MS`).
pub(crate) fn timeout() -> Duration {
    Duration::from_millis(number("SCORE_TIMEOUT_MS").unwrap_or(10_000))
}

/// How much memory an answer may use (`SCORE_MEMORY_MB`).
pub(crate) fn memory() -> usize {
    let megabytes = number("SCORE_MEMORY_MB").unwrap_or(1024);
    usize::try_from(megabytes).unwrap_or(usize::MAX).saturating_mul(1 << 20)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}
