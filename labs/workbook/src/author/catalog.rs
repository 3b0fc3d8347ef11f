//! `tests/lab-N/catalog.json`: what the score harness knows about the exercises.

use serde::{Deserialize, Serialize};

use crate::exercises::Exercise;
use crate::repo::{self, Lab, Repo};

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Catalog {
    #[serde(default)]
    lab: u32,
    #[serde(default)]
    title: String,
    /// Whether a node can run the answers, as the screen proposes when all pass.
    #[serde(default)]
    layer: bool,
    /// In order.
    #[serde(default)]
    pub(crate) exercises: Vec<Entry>,
}

/// An exercise.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// `0.3`.
    pub(crate) id: String,
    title: String,
    points: u64,
    rule: String,
    chapter: String,
    file: String,
    /// Known wrong answers.
    pub(crate) mistakes: Vec<Known>,
}

/// A known wrong answer and how the harness recognises it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    /// As in the exercise's toml.
    pub(crate) name: String,
    why: String,
    /// Recorded by `author mistakes --record`; empty until then.
    pub(crate) fingerprint: String,
}

impl Catalog {
    /// The recorded fingerprint of a mistake, or nothing.
    pub(crate) fn fingerprint(&self, id: &str, mistake: &str) -> &str {
        let entry = self.exercises.iter().find(|entry| entry.id == id);
        let known = entry.and_then(|entry| entry.mistakes.iter().find(|known| known.name == mistake));
        known.map_or("", |known| &known.fingerprint)
    }
}

/// Reads what is there; a missing file is an empty catalogue.
pub(crate) fn read(repo: &Repo, lab: &Lab) -> Result<Catalog, String> {
    let path = repo.path(lab.suite()).join("catalog.json");
    if !path.exists() {
        return Ok(Catalog::default());
    }
    serde_json::from_str(&repo::read(&path)?).map_err(|error| format!("{}: {error}", path.display()))
}

/// What the file should hold: everything from the exercises, and the fingerprints that are recorded.
pub(crate) fn text(repo: &Repo, lab: &Lab, exercises: &[Exercise]) -> Result<String, String> {
    let old = read(repo, lab)?;
    Ok(text_with(lab, exercises, |id, mistake| old.fingerprint(id, mistake).to_string()))
}

/// The same with fingerprints from elsewhere.
pub(crate) fn text_with(
    lab: &Lab,
    exercises: &[Exercise],
    fingerprint: impl Fn(&str, &str) -> String,
) -> String {
    let entries = exercises.iter().map(|exercise| Entry {
        id: exercise.id.clone(),
        title: exercise.title.clone(),
        points: exercise.points,
        rule: exercise.rule.clone(),
        chapter: exercise.chapter.clone(),
        file: format!("{}/{}", repo::slashes(&lab.lab), exercise.file),
        mistakes: exercise
            .mistakes
            .iter()
            .map(|mistake| Known {
                name: mistake.name.clone(),
                why: mistake.why.clone(),
                fingerprint: fingerprint(&exercise.id, &mistake.name),
            })
            .collect(),
    });
    let catalog =
        Catalog { lab: lab.id, title: lab.title.clone(), layer: lab.layer, exercises: entries.collect() };
    let text = serde_json::to_string_pretty(&catalog).expect("strings and numbers always become JSON");
    format!("{text}\n")
}
