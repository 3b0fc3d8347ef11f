//! `progress.toml`: what a learner has done so far. Readable, theirs, and ignored by git.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::exercises;
use crate::repo::{self, Lab, Repo};

const HEAD: &str = "\
# Your progress, kept by `cargo workbook`. Yours to read, to edit and to delete; git ignores it.

";

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// By exercise: `0.3`.
    #[serde(default)]
    pub(crate) exercises: BTreeMap<String, Exercise>,
}

/// How one exercise stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exercise {
    /// `passed`, `failed` or `not-started`, as last scored.
    #[serde(default)]
    pub(crate) state: String,
    /// How many rungs of hints were read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) hints: usize,
    /// The answer was looked at before it passed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) gave_up: bool,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Progress {
    /// Reads the file, and what `cargo test -p lab-N` has found since.
    pub(crate) fn load(repo: &Repo) -> Result<Progress, String> {
        let path = path(repo);
        let mut progress = if path.exists() {
            toml::from_str(&repo::read(&path)?)
                .map_err(|error| format!("{}: {error}(Delete the file to start anew.)", path.display()))?
        } else {
            Progress::default()
        };
        for lab in &repo.labs {
            let found = last_score(repo, lab);
            if let Some(report) =
                fs::read_to_string(found).ok().and_then(|text| serde_json::from_str(&text).ok())
            {
                progress.absorb(&report);
            }
        }
        Ok(progress)
    }

    /// Takes over the states of a score report.
    pub(crate) fn absorb(&mut self, report: &Value) {
        for exercise in report["exercises"].as_array().into_iter().flatten() {
            if let (Some(id), Some(state)) = (exercise["id"].as_str(), exercise["state"].as_str()) {
                self.exercise(id).state = state.to_string();
            }
        }
    }

    /// The entry of an exercise, made if it is not there.
    pub(crate) fn exercise(&mut self, id: &str) -> &mut Exercise {
        self.exercises.entry(id.to_string()).or_default()
    }

    /// True if it passed when it was last scored.
    pub(crate) fn passed(&self, id: &str) -> bool {
        self.exercises.get(id).is_some_and(|exercise| exercise.state == "passed")
    }

    /// Writes the file.
    pub(crate) fn save(&self, repo: &Repo) -> Result<(), String> {
        repo::write(&path(repo), &self.to_text())
    }

    fn to_text(&self) -> String {
        let mut ids: Vec<_> = self.exercises.keys().collect();
        ids.sort_by_key(|id| exercises::number(id));
        let mut text = HEAD.to_string();
        for id in ids {
            let exercise = &self.exercises[id];
            if exercise.state == "not-started" && exercise.hints == 0 && !exercise.gave_up {
                continue;
            }
            let body = toml::to_string(exercise).unwrap_or_default();
            text.push_str(&format!("[exercises.\"{id}\"]\n{body}\n"));
        }
        text
    }
}

/// Where a whole run of `cargo test -p lab-N` leaves its result.
pub(crate) fn last_score(repo: &Repo, lab: &Lab) -> PathBuf {
    repo.path("target").join("score").join(format!("{}.json", lab.package()))
}

fn path(repo: &Repo) -> PathBuf {
    repo.path("progress.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_readable_and_survives_the_way_to_the_disk() {
        let mut progress = Progress::default();
        progress.absorb(&serde_json::json!({"exercises": [
            {"id": "1.10", "state": "failed"}, {"id": "1.9", "state": "passed"}]}));
        progress.exercise("1.10").hints = 2;
        let text = progress.to_text();
        let expected = "[exercises.\"1.9\"]\nstate = \"passed\"\n\n[exercises.\"1.10\"]\nstate = \"failed\"\nhints = 2\n\n";
        assert_eq!(text, format!("{HEAD}{expected}"));
        assert_eq!(toml::from_str::<Progress>(&text).unwrap(), progress);
        assert!(progress.passed("1.9") && !progress.passed("1.10") && !progress.passed("7.7"));
    }
}
