//! The one screen: every exercise, the score, and the verdict on the first that fails.

use std::fmt::Write;

use colored::Colorize;

use crate::catalog::Exercise;
use crate::compare::{Gutter, Timeline};
use crate::verdict::{Outcome, Verdict};

/// One scored exercise.
pub(crate) struct Row {
    pub(crate) exercise: Exercise,
    pub(crate) outcome: Outcome,
}

/// Everything the screen shows.
pub(crate) struct Screen<'a> {
    pub(crate) lab: u32,
    pub(crate) title: &'a str,
    pub(crate) package: &'a str,
    /// A node can run the answers.
    pub(crate) layer: bool,
    pub(crate) rows: &'a [Row],
    pub(crate) filtered_out: usize,
    pub(crate) seed: Option<u64>,
    pub(crate) seconds: f64,
}

/// Longer lines of a timeline are cut: the screen stays readable.
const WIDEST: usize = 150;

impl Screen<'_> {
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        self.header(&mut out);
        for row in self.rows {
            exercise_line(&mut out, row);
        }
        if !self.rows.is_empty() {
            out.push('\n');
        }
        let failed = self.rows.iter().find_map(|row| match &row.outcome {
            Outcome::Failed(verdict) => Some((&row.exercise, verdict.as_ref())),
            _ => None,
        });
        match failed {
            Some((exercise, verdict)) => self.verdict(&mut out, exercise, verdict),
            None => self.next_step(&mut out),
        }
        if self.seed.is_some() {
            self.replays(&mut out);
        }
        self.result_line(&mut out);
        out
    }

    /// Points scored and points there are, of the exercises that were run.
    pub(crate) fn points(&self) -> (u64, u64) {
        let of = |passed_only: bool| {
            let rows = self.rows.iter().filter(|row| !passed_only || passed(row));
            rows.map(|row| row.exercise.points).sum()
        };
        (of(true), of(false))
    }

    fn header(&self, out: &mut String) {
        let (points, of) = self.points();
        let name = match self.title {
            "" => format!("Lab {}", self.lab),
            title => format!("Lab {} · {title}", self.lab),
        };
        let score = format!("{points} of {of} points");
        let gap = 72usize.saturating_sub(name.chars().count() + score.chars().count()).max(2);
        let _ = writeln!(out, "\n  {}{}{}\n", name.bold(), " ".repeat(gap), score.bold());
    }

    fn verdict(&self, out: &mut String, exercise: &Exercise, verdict: &Verdict) {
        let rule = if verdict.rule.is_empty() { &exercise.rule } else { &verdict.rule };
        let heading = format!("{} {}", exercise.id, exercise.title);
        let _ = writeln!(out, "  {} {}", "✗".red().bold(), heading.bold());
        if !rule.is_empty() {
            paragraph(out, "Rule", &rule.bold().to_string(), rule);
        }
        let _ = writeln!(out, "\n  {}", verdict.happened);
        for detail in verdict.details.iter().take(12) {
            let _ = writeln!(out, "      {}", cut(detail));
        }
        if !verdict.timeline.is_empty() {
            out.push('\n');
            timeline(out, &verdict.timeline);
        }
        if !verdict.printed.is_empty() {
            let _ = writeln!(out, "\n  {}", "Your code printed last:".dimmed());
            for line in &verdict.printed {
                let _ = writeln!(out, "      {}", cut(line));
            }
        }
        out.push('\n');
        if let Some(mistake) = exercise.mistake(&verdict.fingerprint) {
            let known = format!("{}: {}.", mistake.name, mistake.why.trim().trim_end_matches('.'));
            paragraph(out, "Mistake", &known.yellow().to_string(), &known);
        }
        let helps = !verdict.blames_workbook();
        if helps && !exercise.chapter.is_empty() {
            field(out, "Read", &format!("the book, {}", exercise.chapter));
        }
        field(out, "Replay", &self.replay(&exercise.id, verdict.seed));
        if helps && self.package.starts_with("lab-") {
            field(out, "Hint", &format!("cargo workbook hint {}", exercise.id));
        }
        out.push('\n');
    }

    fn replay(&self, id: &str, seed: Option<u64>) -> String {
        let seed = seed.map_or(String::new(), |seed| format!(" --seed {seed}"));
        format!("cargo test -p {} -- {id}{seed}", self.package)
    }

    /// Nothing failed: what to do now.
    fn next_step(&self, out: &mut String) {
        let waiting = |row: &&Row| matches!(row.outcome, Outcome::NotStarted { .. });
        let Some(next) = self.rows.iter().find(waiting) else {
            if self.rows.is_empty() {
                let _ = writeln!(out, "  No exercise of this lab matches. `-- --list` names them all.\n");
            } else if self.filtered_out == 0 && self.seed.is_none() {
                let all = format!("All {} exercises pass.", self.rows.len());
                let _ = writeln!(out, "  {}", all.green().bold());
                if self.package.starts_with("lab-") && self.layer {
                    let run = format!("cargo run -p server --bin ha-server --features lab-{}", self.lab);
                    let _ = writeln!(out, "  See your answers at work in a real node:  {run}");
                }
                out.push('\n');
            }
            return;
        };
        if self.rows.iter().filter(waiting).count() == self.rows.len() {
            let _ = writeln!(
                out,
                "  Nothing is broken: this is how every lab starts. Each · is a function whose"
            );
            let _ = writeln!(out, "  body is still a todo!() and waits for you.\n");
        }
        let id = match &next.outcome {
            Outcome::NotStarted { reached } => reached,
            _ => &next.exercise.id,
        };
        let begin = self.rows.iter().find(|row| row.exercise.id == *id).unwrap_or(next);
        let exercise = &begin.exercise;
        let any = self.rows.iter().any(passed);
        let word = if any { "Next" } else { "Begin" };
        field(out, word, &format!("{} {}", exercise.id, exercise.title).bold().to_string());
        if !exercise.file.is_empty() {
            field(out, "Open", &format!("{}, at todo!(\"lab {}: …\")", exercise.file, exercise.id));
        }
        if !exercise.chapter.is_empty() {
            field(out, "Read", &format!("the book, {}", exercise.chapter));
        }
        field(out, "Hint", &format!("cargo workbook hint {}", exercise.id));
        out.push('\n');
    }

    /// `--seed N` shows whole runs, also those that pass.
    fn replays(&self, out: &mut String) {
        for row in self.rows {
            let Outcome::Passed { timeline: lines } = &row.outcome else { continue };
            let seed = self.seed.unwrap_or_default();
            let _ = writeln!(out, "  {} {} with seed {seed} passes:\n", row.exercise.id, row.exercise.title);
            timeline(out, lines);
            out.push('\n');
        }
    }

    /// As cargo's own harness ends, for people and tools that look for it.
    fn result_line(&self, out: &mut String) {
        let passed = self.rows.iter().filter(|row| passed(row)).count();
        let failed = self.rows.len() - passed;
        let word = if failed == 0 { "ok".green() } else { "FAILED".red() };
        let _ = writeln!(
            out,
            "test result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {} filtered out; \
             finished in {:.2}s\n",
            self.filtered_out, self.seconds
        );
    }
}

fn passed(row: &Row) -> bool {
    matches!(row.outcome, Outcome::Passed { .. })
}

fn exercise_line(out: &mut String, row: &Row) {
    let exercise = &row.exercise;
    let mark = match &row.outcome {
        Outcome::Passed { .. } => "✓".green().bold(),
        Outcome::NotStarted { .. } => "·".dimmed(),
        Outcome::Failed(_) => "✗".red().bold(),
    };
    let note = match &row.outcome {
        Outcome::NotStarted { reached } if *reached != exercise.id => {
            format!("not started, needs {reached} first")
        }
        Outcome::NotStarted { .. } => "not started".to_string(),
        _ => String::new(),
    };
    let title = format!("{:<44}", exercise.title);
    let points = format!("{:>3}", exercise.points);
    let line = format!("  {mark} {:<5} {title} {points}   {}", exercise.id, note.dimmed());
    let _ = writeln!(out, "{}", line.trim_end());
}

fn timeline(out: &mut String, lines: &Timeline) {
    let parts = lines.iter().position(|(gutter, _)| *gutter == Gutter::Reference).and_then(|at| {
        let (_, reference) = &lines[at];
        let (gutter, yours) = &lines[at.checked_sub(1)?];
        (*gutter == Gutter::Yours).then(|| common_prefix(yours, reference))
    });
    for (gutter, line) in lines {
        let (label, text) = match gutter {
            Gutter::Plain => ("           │ ".dimmed(), cut(line).normal()),
            Gutter::Remark => ("           │ ".dimmed(), line.dimmed()),
            Gutter::Yours => ("    yours  ▶ ".red().bold(), around(line, parts).red()),
            Gutter::Reference => ("reference  ▷ ".green().bold(), around(line, parts).green()),
        };
        for (index, part) in text.split('\n').enumerate() {
            let label = if index == 0 { label.clone() } else { "           │ ".dimmed() };
            let mut part = colored::ColoredString::from(part);
            part.fgcolor = text.fgcolor;
            part.style = text.style;
            let _ = writeln!(out, "  {label}{part}");
        }
    }
}

fn common_prefix(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count()
}

/// A long line that differs far to the right: the part around the difference.
fn around(line: &str, parts: Option<usize>) -> String {
    match parts {
        Some(at) if at + 20 > WIDEST => {
            let skipped: String = line.chars().skip(at - 60).collect();
            cut(&format!("… {skipped}"))
        }
        _ => cut(line),
    }
}

fn cut(line: &str) -> String {
    if line.chars().count() <= WIDEST {
        return line.to_string();
    }
    let kept: String = line.chars().take(WIDEST).collect();
    format!("{kept} …")
}

fn field(out: &mut String, name: &str, text: &str) {
    let _ = writeln!(out, "  {:<9} {text}", name.dimmed());
}

/// A field whose text may need several lines. `plain` is the text without colours.
fn paragraph(out: &mut String, name: &str, coloured: &str, plain: &str) {
    const WIDTH: usize = 84;
    if plain.chars().count() <= WIDTH {
        return field(out, name, coloured);
    }
    // Words keep the colour of the whole: it is switched on again on each line.
    let (on, off) = coloured.split_once(plain).unwrap_or(("", ""));
    let mut line = String::new();
    let mut name = name;
    for word in plain.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            field(out, name, &format!("{on}{line}{off}"));
            name = "";
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    field(out, name, &format!("{on}{line}{off}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_shown_around_its_difference() {
        let (yours, reference) = (format!("{}a", "x".repeat(300)), format!("{}b", "x".repeat(300)));
        let parts = Some(common_prefix(&yours, &reference));
        assert!(around(&yours, parts).ends_with("xa"));
        assert!(around(&reference, parts).ends_with("xb"));
        assert!(around(&yours, None).ends_with(" …"));
        assert_eq!(around("short", Some(2)), "short");
    }
}
