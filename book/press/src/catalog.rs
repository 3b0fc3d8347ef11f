//! The exercises of all labs, as `tests/lab-N/catalog.json` tells them.
//!
//! The catalogues are there with and without the reference answers, so that a book without solutions still knows what
//! there is to do.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// All exercises, lab by lab.
#[derive(Debug, Default)]
pub struct Catalog {
    /// The exercises, in order.
    pub exercises: Vec<Exercise>,
    /// The files they were read from.
    pub files: Vec<PathBuf>,
}

/// One of them.
#[derive(Clone, Debug, Deserialize)]
pub struct Exercise {
    /// `3.2`.
    pub id: String,
    /// A few words.
    pub title: String,
    /// `ch03-trees.html#who-is-sent-what-next`.
    pub chapter: String,
}

#[derive(Deserialize)]
struct File {
    exercises: Vec<Exercise>,
}

impl Catalog {
    /// Reads the catalogues below `root`, the folder of the repository. One that cannot be read is none: the score says so.
    pub fn read(root: &Path) -> Catalog {
        let mut catalog = Catalog::default();
        // Some numbers may be missing while a lab is written.
        for lab in 0..32 {
            let file = root.join(format!("tests/lab-{lab}/catalog.json"));
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            if let Ok(read) = serde_json::from_str::<File>(&text) {
                catalog.exercises.extend(read.exercises);
                catalog.files.push(file);
            }
        }
        catalog
    }

    /// An exercise by its id.
    pub fn get(&self, id: &str) -> Option<&Exercise> {
        self.exercises.iter().find(|exercise| exercise.id == id)
    }

    /// The exercises of one lab.
    pub fn of_lab(&self, lab: u32) -> impl Iterator<Item = &Exercise> {
        self.exercises.iter().filter(move |exercise| exercise.lab() == Some(lab))
    }
}

impl Exercise {
    /// The number of its lab: 3 for `3.2`.
    pub fn lab(&self) -> Option<u32> {
        self.id.split_once('.')?.0.parse().ok()
    }

    /// Where its section is, from a chapter: `ch03-trees.md#who-is-sent-what-next`.
    pub fn link(&self) -> String {
        self.chapter.replacen(".html", ".md", 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_books_exercises_are_all_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let catalog = Catalog::read(&root);
        let ids: Vec<&str> = catalog.of_lab(8).map(|exercise| exercise.id.as_str()).collect();
        assert_eq!((ids.len(), ids.first(), ids.last()), (10, Some(&"8.1"), Some(&"8.10")));
        let first = catalog.get("0.1").unwrap();
        assert_eq!(first.link(), "ch00-the-wire.md#one-spelling-for-each-number");
        assert!(catalog.get("0.99").is_none());
    }
}
