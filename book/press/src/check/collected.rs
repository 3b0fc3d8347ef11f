//! Pages that are made from elsewhere: nothing may be missing there, and nothing may be named that does not exist.

use super::read;
use crate::catalog::Catalog;
use crate::mistakes::{self, Mistakes, Proofs};
use crate::problem::{Problem, line_of};
use crate::times::{self, Times};
use crate::workspace::Workspace;
use crate::{differences, pages, syllabus};

/// The directive of a page that collects differences.
const DIFFERENCES: &str = "{{#differences ";

/// The index of the syllabus: every cell holds something, and every test exists. That sections, exercises and figures exist is
/// found when the page is made.
pub(super) fn check_syllabus(workspace: &Workspace) -> Vec<Problem> {
    let src = workspace.src();
    let file = src.join(syllabus::FILE);
    if !file.exists() {
        return Vec::new();
    }
    let (syllabus, text) = match (syllabus::read(&src), read(&file)) {
        (Ok((syllabus, _)), Ok(text)) => (syllabus, text),
        (Err(what), _) => return vec![Problem::new(file, 0, what)],
        (_, Err(problem)) => return vec![problem],
    };
    let found = syllabus.problems(&workspace.root);
    found.map(|(row, what)| Problem::new(&file, line_of(&text, &row.says), what)).collect()
}

/// Every common mistake is shown to be one by a run or a test, and those tests exist.
pub(super) fn check_mistakes(workspace: &Workspace) -> Vec<Problem> {
    let src = workspace.src();
    let file = src.join(mistakes::FILE);
    let proofs = match Proofs::read(&src) {
        Ok(Some((proofs, _))) => proofs,
        Ok(None) => return Vec::new(),
        Err(what) => return vec![Problem::new(file, 0, what)],
    };
    // A book that cannot be loaded is reported with the chapters.
    let (Ok(book), _) = crate::logs::collect(|| pages::load(workspace, None)) else { return Vec::new() };
    let words = proofs.shown.values().flatten();
    let missing =
        words.filter_map(|word| syllabus::missing_test(&workspace.root, word.strip_prefix("test ")?));
    let wrong = Mistakes::collect(&book.book).problems(&proofs);
    wrong.into_iter().chain(missing).map(|what| Problem::new(&file, 0, what)).collect()
}

/// Each module that says what it does in another way than Redis is on a page that collects them, once.
pub(super) fn check_differences(workspace: &Workspace) -> Vec<Problem> {
    let src = workspace.src();
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(&src).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "md")
            && let Ok(text) = std::fs::read_to_string(&path)
            && text.lines().any(|line| line.starts_with(DIFFERENCES))
        {
            pages.push((path, text));
        }
    }
    // A book without such a page collects nothing.
    let Some((page, _)) = pages.first() else { return Vec::new() };
    let listed: Vec<&str> = pages
        .iter()
        .flat_map(|(_, text)| text.lines())
        .filter_map(|line| line.strip_prefix(DIFFERENCES)?.strip_suffix("}}"))
        .collect();
    let mut problems = Vec::new();
    for file in differences::files(&workspace.root) {
        let what = match listed.iter().filter(|listed| **listed == file).count() {
            0 => format!("`{file}` says what differs from Redis, and no page shows it"),
            1 => continue,
            _ => format!("`{file}` is shown twice"),
        };
        problems.push(Problem::new(page, 0, what));
    }
    problems
}

/// Each exercise has its minutes, and there are no others.
pub(super) fn check_times(workspace: &Workspace) -> Vec<Problem> {
    let file = workspace.src().join(times::FILE);
    let times = match Times::read(&workspace.src()) {
        Ok(Some((times, _))) => times,
        Ok(None) => return Vec::new(),
        Err(what) => return vec![Problem::new(file, 0, what)],
    };
    let catalog = Catalog::read(&workspace.root);
    let without = catalog.exercises.iter().filter(|exercise| !times.exercises.contains_key(&exercise.id));
    let without = without.map(|exercise| format!("exercise {} has no minutes", exercise.id));
    let unknown = times.exercises.keys().filter(|id| catalog.get(id).is_none());
    let unknown = unknown.map(|id| format!("there is no exercise {id}"));
    without.chain(unknown).map(|what| Problem::new(&file, 0, what)).collect()
}
