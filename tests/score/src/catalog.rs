//! `tests/lab-N/catalog.json`: what the screen says about an exercise. Generated; see the appendix for authors.

use serde_json::Value;

/// What is known about the exercises of one lab.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    /// The lab's name: "The wire".
    pub(crate) title: String,
    /// Whether a node can run the answers: those of some labs are schedules and settings.
    pub(crate) layer: bool,
    pub(crate) exercises: Vec<Exercise>,
}

/// One exercise as its author declared it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exercise {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) points: u64,
    /// Shown when the run differs from the reference and no more specific rule broke.
    pub(crate) rule: String,
    /// `ch00-the-wire.html#lengths-are-claims`.
    pub(crate) chapter: String,
    /// The learner's file, from the repository's root.
    pub(crate) file: String,
    pub(crate) mistakes: Vec<Mistake>,
}

/// A known wrong answer and how to recognise it.
#[derive(Clone, Debug)]
pub(crate) struct Mistake {
    pub(crate) name: String,
    pub(crate) why: String,
    pub(crate) fingerprint: String,
}

impl Catalog {
    /// Lenient on purpose: a missing field is an empty one, so that a suite can run before its catalogue
    /// is complete. `cargo workbook author check` is the strict one.
    pub(crate) fn parse(text: &str) -> Result<Catalog, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let exercises = list(&value, "exercises").iter().map(|exercise| Exercise {
            id: string(exercise, "id"),
            title: string(exercise, "title"),
            points: exercise["points"].as_u64().unwrap_or(0),
            rule: string(exercise, "rule"),
            chapter: string(exercise, "chapter"),
            file: string(exercise, "file"),
            mistakes: list(exercise, "mistakes")
                .iter()
                .map(|mistake| Mistake {
                    name: string(mistake, "name"),
                    why: string(mistake, "why"),
                    fingerprint: string(mistake, "fingerprint"),
                })
                .collect(),
        });
        let layer = value["layer"].as_bool().unwrap_or(false);
        Ok(Catalog { title: string(&value, "title"), layer, exercises: exercises.collect() })
    }

    /// The exercise, or a bare one with the id only.
    pub(crate) fn exercise(&self, id: &str) -> Exercise {
        let known = self.exercises.iter().find(|exercise| exercise.id == id).cloned();
        known.unwrap_or_else(|| Exercise {
            id: id.to_string(),
            title: "(not in the catalogue yet)".to_string(),
            ..Exercise::default()
        })
    }
}

impl Exercise {
    /// The known mistake that leaves this fingerprint.
    pub(crate) fn mistake(&self, fingerprint: &str) -> Option<&Mistake> {
        self.mistakes.iter().find(|mistake| mistake.fingerprint == fingerprint && !fingerprint.is_empty())
    }
}

fn string(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_string()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_catalogue_is_enough_to_start() {
        let catalog = Catalog::parse("{}").unwrap();
        assert_eq!(catalog.exercise("1.2").points, 0);
        assert_eq!(catalog.exercise("1.2").id, "1.2");
        assert!(Catalog::parse("no").is_err());
    }

    #[test]
    fn a_mistake_is_found_by_its_fingerprint() {
        let text = r#"{"exercises": [{"id": "1.1", "points": 5, "mistakes": [
            {"name": "new", "why": "not recorded yet", "fingerprint": ""},
            {"name": "off-by-one", "why": "counts from 1", "fingerprint": "parts|1|0"}]}]}"#;
        let exercise = Catalog::parse(text).unwrap().exercise("1.1");
        assert_eq!(exercise.points, 5);
        assert_eq!(exercise.mistake("parts|1|0").unwrap().name, "off-by-one");
        assert!(exercise.mistake("").is_none());
        assert!(exercise.mistake("parts|2|0").is_none());
    }
}
