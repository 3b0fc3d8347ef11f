//! What authors declare: `solutions/<room>/exercises/N.M.toml`.

use serde::{Deserialize, Serialize};

use crate::repo::{self, Lab, Repo};

/// One exercise.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exercise {
    /// `0.3`.
    pub(crate) id: String,
    /// A few words.
    pub(crate) title: String,
    /// What it is worth.
    pub(crate) points: u64,
    /// Where the marked region is, from the crate's directory: `src/limits.rs`.
    pub(crate) file: String,
    /// `ch00-the-wire.html#lengths-are-claims`.
    pub(crate) chapter: String,
    /// Shown by the verdict when the run differs from the reference.
    pub(crate) rule: String,
    /// A nudge, the rule, a sketch.
    pub(crate) hints: Vec<String>,
    /// Known wrong answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) mistakes: Vec<Mistake>,
}

/// A plausible wrong answer, with code that makes it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mistake {
    /// `trusts-negative-length`.
    pub(crate) name: String,
    /// What the answer does wrong: "accepts $-1 as a length and waits for ever".
    pub(crate) why: String,
    /// The label of the region, if the exercise has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    /// Rust code that replaces the region; to write nothing is a mistake, too. A handout has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<String>,
}

/// The exercises of a lab, in order of their numbers.
pub(crate) fn load(repo: &Repo, lab: &Lab) -> Result<Vec<Exercise>, String> {
    let directory = repo.path(&lab.solution).join("exercises");
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let mut exercises: Vec<Exercise> = Vec::new();
    for path in repo::sorted_entries(&directory)? {
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let exercise: Exercise =
            toml::from_str(&repo::read(&path)?).map_err(|error| format!("{}: {error}", path.display()))?;
        let expected = format!("{}.toml", exercise.id);
        if repo::file_name(&path) != expected {
            return Err(format!(
                "{}: holds exercise {}, so it should be {expected}",
                path.display(),
                exercise.id
            ));
        }
        exercises.push(exercise);
    }
    exercises.sort_by_key(|exercise| number(&exercise.id));
    Ok(exercises)
}

/// One exercise by its id, or an explanation that names those there are.
pub(crate) fn find(repo: &Repo, id: &str) -> Result<(Lab, Exercise), String> {
    let lab = repo.lab_of(id)?;
    let all = load(repo, lab)?;
    let known: Vec<_> = all.iter().map(|exercise| exercise.id.clone()).collect();
    let found = all.into_iter().find(|exercise| exercise.id == id);
    let found =
        found.ok_or_else(|| format!("lab {} has no exercise {id}. It has: {}", lab.id, known.join(", ")))?;
    Ok((lab.clone(), found))
}

/// `1.10` comes after `1.9`.
pub(crate) fn number(id: &str) -> (u32, u32) {
    let (lab, exercise) = id.split_once('.').unwrap_or((id, "0"));
    (lab.parse().unwrap_or(u32::MAX), exercise.parse().unwrap_or(u32::MAX))
}
