//! A verdict sends its reader to a section of the book: that section must be there.

use std::path::{Path, PathBuf};

use super::html::Pages;
use super::read;
use crate::problem::{Problem, line_of};
use crate::workspace::Workspace;

pub(super) fn check(workspace: &Workspace, pages: &Pages) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in declarations(&workspace.root.join("solutions")) {
        let text = match read(&file) {
            Ok(text) => text,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let line = line_of(&text, "chapter");
        let declared = toml::from_str::<toml::Table>(&text);
        let what =
            match declared.as_ref().map(|table| table.get("chapter").and_then(|chapter| chapter.as_str())) {
                Err(error) => Some(error.to_string()),
                Ok(None) => Some("an exercise needs `chapter = \"page.html#section\"`".into()),
                Ok(Some(chapter)) => missing(pages, chapter),
            };
        problems.extend(what.map(|what| Problem::new(&file, line, what)));
    }
    problems
}

fn missing(pages: &Pages, chapter: &str) -> Option<String> {
    let (page, section) = chapter.split_once('#').unwrap_or((chapter, ""));
    match pages.pages.get(Path::new(page)) {
        None => Some(format!("the book has no page `{page}`")),
        Some(_) if section.is_empty() => Some(format!("`{chapter}` names no section")),
        Some(found) if found.ids.contains(section) => None,
        Some(_) => Some(format!("`{page}` has no section `#{section}`")),
    }
}

/// Every `solutions/ROOM/exercises/*.toml`, in order.
fn declarations(solutions: &Path) -> Vec<PathBuf> {
    let below = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
    };
    let mut found: Vec<PathBuf> = below(solutions)
        .iter()
        .flat_map(|room| below(&room.join("exercises")))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    found.sort();
    found
}
