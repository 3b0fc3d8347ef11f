use std::fmt::Write;

use crate::measure::Measurement;

/// One test with both servers.
pub(crate) struct Row {
    pub(crate) test: String,
    pub(crate) pipeline: u32,
    pub(crate) redis: Measurement,
    pub(crate) ours: Measurement,
}

impl Row {
    /// Ours by Redis's; above 1 we are faster.
    fn speed(&self) -> f64 {
        self.ours.requests_per_second / self.redis.requests_per_second
    }

    /// Redis's by ours; above 1 we need less.
    fn thrift(&self) -> Option<f64> {
        Some(self.redis.cpu_micros? / self.ours.cpu_micros?)
    }

    /// A short line while the rest still runs.
    pub(crate) fn progress(&self) -> String {
        format!("{} -P {}: {:.2}", self.test, self.pipeline, self.speed())
    }
}

/// All rows, aligned, in Markdown. `other` is who is measured beside ours, in five letters.
pub(crate) fn table(rows: &[Row], how: &str, other: &str) -> String {
    let mut text = format!("{how}\n\n");
    text += &format!(
        "| test       |  -P | {other} req/s |  ours req/s | ratio | {other} µs CPU | ours µs CPU | ratio |\n"
    );
    text += "|------------|----:|------------:|------------:|------:|-------------:|------------:|------:|\n";
    for row in rows {
        let micros = |value: Option<f64>| value.map_or("?".to_owned(), |value| format!("{value:.2}"));
        let _ = writeln!(
            text,
            "| {:<10} | {:>3} | {:>11.0} | {:>11.0} | {:>5.2} | {:>12} | {:>11} | {:>5} |",
            row.test,
            row.pipeline,
            row.redis.requests_per_second,
            row.ours.requests_per_second,
            row.speed(),
            micros(row.redis.cpu_micros),
            micros(row.ours.cpu_micros),
            micros(row.thrift()),
        );
    }
    text + "\nRatios above 1.00 are in favour of ours."
}
