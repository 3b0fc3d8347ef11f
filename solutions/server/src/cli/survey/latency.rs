//! `--latency`: how long an answer takes, asked a hundred times a second.
//!
//! One question at a time, each sent when the last answer is there. So a server that stands still for a second costs one
//! long answer, and not the hundred that would have been asked meanwhile: what clients feel is worse than the average here.

use std::time::Duration;

use super::{Manner, ask, clock, pause, put, seconds};
use crate::cli::client::Client;

/// Between two questions.
const GAP: Duration = Duration::from_millis(10);

/// A line of `--latency-history` covers so many seconds if nobody says otherwise.
const HISTORY: f64 = 15.0;

/// Answers, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Answers {
    count: u64,
    least: u64,
    most: u64,
    sum: u64,
}

impl Answers {
    const NONE: Answers = Answers { count: 0, least: u64::MAX, most: 0, sum: 0 };

    fn add(&mut self, answer: u64) {
        self.count += 1;
        self.least = self.least.min(answer);
        self.most = self.most.max(answer);
        self.sum += answer;
    }

    fn average(&self) -> f64 {
        self.sum as f64 / self.count.max(1) as f64
    }

    fn for_people(&self) -> String {
        let Answers { least, most, count, .. } = self;
        format!("min: {least}, max: {most}, avg: {:.2} ({count} samples)", self.average())
    }

    fn for_programs(&self) -> String {
        let Answers { least, most, count, .. } = self;
        format!("{least} {most} {:.2} {count}\n", self.average())
    }
}

pub(super) fn run(client: &mut Client, history: bool, manner: &Manner) -> Result<(), String> {
    let usual = if history { HISTORY } else { 1.0 };
    let span = seconds(if manner.interval > 0.0 { manner.interval } else { usual });
    let (mut begin, mut answers) = (clock(), Answers::NONE);
    loop {
        let asked = clock();
        ask(client, &["PING"])?;
        answers.add(u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX));
        // The line is written over until its time is over.
        if manner.on_terminal && !put(&format!("\x1b[0G\x1b[2K{}", answers.for_people())) {
            return Ok(());
        }
        if begin.elapsed() >= span && (history || !manner.on_terminal) {
            let line = match manner.on_terminal {
                true => format!(" -- {:.2} seconds range\n", begin.elapsed().as_secs_f64()),
                false => answers.for_programs(),
            };
            if !put(&line) || !history {
                return Ok(());
            }
            (begin, answers) = (clock(), Answers::NONE);
        }
        pause(GAP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_summed_up() {
        let mut answers = Answers::NONE;
        [4, 1, 7].into_iter().for_each(|answer| answers.add(answer));
        assert_eq!(answers.for_people(), "min: 1, max: 7, avg: 4.00 (3 samples)");
        assert_eq!(answers.for_programs(), "1 7 4.00 3\n");
    }
}
