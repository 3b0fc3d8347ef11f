//! What one exercise came to, and how that travels from the child process to the screen.

use serde_json::{Value, json};

use crate::compare::{Gutter, Timeline};

/// The result of scoring one exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Full points.
    Passed {
        /// Only filled for a replay by `--seed`.
        timeline: Timeline,
    },
    /// The run reached an exercise that is not written yet: this one, or an earlier one that it needs.
    NotStarted {
        /// The exercise whose `todo!()` was reached.
        reached: String,
    },
    /// Why not.
    Failed(Box<Verdict>),
}

/// Why an exercise failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The rule that broke; empty means the exercise's own rule from the catalogue.
    pub(crate) rule: String,
    /// What happened, as one sentence.
    pub(crate) happened: String,
    /// Lines that belong to it: a panic's message, the values that were seen.
    pub(crate) details: Vec<String>,
    /// The seed that shows it. None: the fixed scenario.
    pub(crate) seed: Option<u64>,
    /// The run around the place that matters.
    pub(crate) timeline: Timeline,
    /// Recognises a known mistake. Empty if this failure cannot be one.
    pub(crate) fingerprint: String,
    /// The last lines that the answer printed.
    pub(crate) printed: Vec<String>,
}

impl Verdict {
    const WORKBOOK: &str = "This is a fault of the workbook, not of your answer.";

    /// True if the workbook is to blame: then neither a hint nor the chapter helps.
    pub(crate) fn blames_workbook(&self) -> bool {
        self.rule == Verdict::WORKBOOK
    }

    /// A failure for which the workbook is to blame, not the answer.
    pub(crate) fn workbook(happened: impl Into<String>, details: Vec<String>) -> Verdict {
        Verdict {
            rule: Verdict::WORKBOOK.to_string(),
            happened: happened.into(),
            details,
            ..Verdict::default()
        }
    }
}

impl Outcome {
    /// `passed`, `failed` or `not-started`, as in the JSON report.
    pub(crate) fn state(&self) -> &'static str {
        match self {
            Outcome::Passed { .. } => "passed",
            Outcome::NotStarted { .. } => "not-started",
            Outcome::Failed(_) => "failed",
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        match self {
            Outcome::Passed { timeline } => {
                json!({ "state": "passed", "timeline": timeline_to_json(timeline) })
            }
            Outcome::NotStarted { reached } => json!({ "state": "not-started", "reached": reached }),
            Outcome::Failed(verdict) => json!({
                "state": "failed",
                "rule": verdict.rule,
                "happened": verdict.happened,
                "details": verdict.details,
                "seed": verdict.seed,
                "timeline": timeline_to_json(&verdict.timeline),
                "fingerprint": verdict.fingerprint,
            }),
        }
    }

    /// Reads [`Outcome::to_json`] back. None if it is something else (a child that died while writing).
    pub(crate) fn from_json(value: &Value) -> Option<Outcome> {
        let text = |name: &str| value[name].as_str().map(str::to_string);
        match value["state"].as_str()? {
            "passed" => Some(Outcome::Passed { timeline: timeline_from_json(&value["timeline"])? }),
            "not-started" => Some(Outcome::NotStarted { reached: text("reached")? }),
            "failed" => Some(Outcome::Failed(Box::new(Verdict {
                rule: text("rule")?,
                happened: text("happened")?,
                details: value["details"]
                    .as_array()?
                    .iter()
                    .map(|line| line.as_str().unwrap_or_default().to_string())
                    .collect(),
                seed: value["seed"].as_u64(),
                timeline: timeline_from_json(&value["timeline"])?,
                fingerprint: text("fingerprint")?,
                printed: Vec::new(),
            }))),
            _ => None,
        }
    }
}

fn timeline_to_json(timeline: &Timeline) -> Value {
    let lines = timeline.iter().map(|(gutter, line)| {
        let mark = match gutter {
            Gutter::Plain => "",
            Gutter::Yours => "yours",
            Gutter::Reference => "reference",
            Gutter::Remark => "remark",
        };
        json!([mark, line])
    });
    Value::Array(lines.collect())
}

fn timeline_from_json(value: &Value) -> Option<Timeline> {
    let line = |line: &Value| {
        let gutter = match line[0].as_str()? {
            "yours" => Gutter::Yours,
            "reference" => Gutter::Reference,
            "remark" => Gutter::Remark,
            _ => Gutter::Plain,
        };
        Some((gutter, line[1].as_str()?.to_string()))
    };
    value.as_array()?.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_survive_the_way_to_the_parent() {
        let timeline = vec![(Gutter::Plain, "a".to_string()), (Gutter::Yours, "b \"c\"".to_string())];
        let verdict = Verdict {
            rule: "r".into(),
            happened: "h".into(),
            details: vec!["d".into()],
            seed: Some(7),
            timeline: timeline.clone(),
            fingerprint: "f".into(),
            printed: Vec::new(),
        };
        for outcome in [
            Outcome::Passed { timeline },
            Outcome::NotStarted { reached: "1.1".into() },
            Outcome::Failed(Box::new(verdict)),
        ] {
            assert_eq!(Outcome::from_json(&outcome.to_json()), Some(outcome));
        }
        assert_eq!(Outcome::from_json(&Value::Null), None);
    }
}
