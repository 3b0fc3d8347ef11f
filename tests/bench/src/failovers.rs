//! What measurements of failovers share: both kinds in turn, and a table of how long each took.

use std::fmt::Write;
use std::time::Instant;

use system::Kind;

use crate::measure::median;

/// Lets `fail_over` measure both kinds in each round, each of them first in every other one. It returns milliseconds. What
/// comes out is the table, below what `settings` says.
pub(crate) fn in_turn(
    rounds: usize,
    settings: &str,
    mut fail_over: impl FnMut(Kind) -> Result<f64, String>,
) -> Result<String, String> {
    let mut found = [Vec::new(), Vec::new()];
    for round in 0..rounds.max(1) {
        for turn in 0..2 {
            let side = (round + turn) % 2;
            let kind = [Kind::Redis, Kind::Ours][side];
            let millis = fail_over(kind)?;
            eprintln!("round {}, {kind:?}: {millis:.0} ms", round + 1);
            found[side].push(millis);
        }
    }
    Ok(table(settings, &found))
}

fn table(settings: &str, found: &[Vec<f64>; 2]) -> String {
    let mut text =
        format!("from kill -9 to the first write, in ms; {settings}, {} rounds in turn\n\n", found[0].len());
    text += "| what   |    redis |     ours | ratio |\n|--------|---------:|---------:|------:|\n";
    let mut line = |what: &str, value: &dyn Fn(&[f64]) -> f64| {
        let [redis, ours] = [0, 1].map(|side| value(&found[side]));
        let _ = writeln!(text, "| {what:<6} | {redis:>8.0} | {ours:>8.0} | {:>5.2} |", ours / redis);
    };
    line("best", &|values| values.iter().copied().fold(f64::INFINITY, f64::min));
    line("median", &|values| median(values.to_vec()).unwrap_or_default());
    line("worst", &|values| values.iter().copied().fold(0.0, f64::max));
    for (name, values) in ["redis", "ours"].iter().zip(found) {
        let values: Vec<String> = values.iter().map(|value| format!("{value:.0}")).collect();
        let _ = write!(text, "\n{name:<6} {}", values.join(" "));
    }
    text + "\n\nRatios below 1.00 are in favour of ha-server."
}

#[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
