//! The chapters as mdBook renders them.

use std::path::{Path, PathBuf};

use super::html::{Dead, Pages};
use crate::pages::Built;
use crate::problem::{Problem, line_of};
use crate::workspace::Workspace;

/// What the build itself found, and what mdBook only logged.
pub(super) fn check(workspace: &Workspace, built: &Built) -> Vec<Problem> {
    let mut problems = built.problems.clone();
    let config = workspace.book.join("book.toml");
    if let Some(failure) = &built.failure {
        problems.push(Problem::new(&config, 0, format!("mdBook gives up: {failure}")));
    }
    for logged in &built.logged {
        let line =
            std::fs::read_to_string(&config).map_or(0, |text| line_of_unknown_key(&text, &logged.message));
        problems.push(Problem::new(&config, line, format!("mdBook says: {}", logged.message)));
    }
    problems
}

fn line_of_unknown_key(text: &str, message: &str) -> usize {
    let key = message.split_once("unknown field `").and_then(|(_, rest)| rest.split('`').next());
    key.map_or(0, |key| line_of(text, key))
}

/// Links that lead nowhere, and directives that nobody carried out.
pub(super) fn check_links(workspace: &Workspace, pages: &Pages) -> Vec<Problem> {
    let source_of =
        |page: &Path| Some(workspace.src().join(page.with_extension("md"))).filter(|path| path.is_file());
    let mut problems = Vec::new();
    for (page, content) in &pages.pages {
        let Some(source) = source_of(page) else { continue };
        let text = std::fs::read_to_string(&source).unwrap_or_default();
        if content.directives > text.matches("\\{{#").count() {
            let open = |line: &str| line.replace("\\{{#", "").contains("{{#");
            let line = text.lines().position(open).map_or(0, |index| index + 1);
            problems.push(Problem::new(source, line, "a `{{#` is left over on the page"));
        }
    }
    let dead = pages.dead_links();
    // The first page, the print page and the table of contents repeat what the chapters say.
    let (of_chapters, of_others): (Vec<_>, Vec<_>) =
        dead.into_iter().partition(|dead| source_of(&dead.page).is_some());
    let dead = if of_chapters.is_empty() { of_others } else { of_chapters };
    problems.extend(dead.iter().map(|dead| {
        let (file, line) = match source_of(&dead.page) {
            Some(source) => {
                let line = line_of_link(&source, dead);
                (source, line)
            }
            None => (PathBuf::from(&dead.page), dead.line),
        };
        Problem::new(file, line, format!("the link `{}` {}", dead.target, dead.what))
    }));
    problems
}

/// The line of the chapter with a link that was found in its page: mdBook turns `.md` into `.html`.
fn line_of_link(source: &Path, dead: &Dead) -> usize {
    let text = std::fs::read_to_string(source).unwrap_or_default();
    let as_written = dead.target.replace(".html", ".md");
    [as_written.as_str(), dead.target.as_str()]
        .iter()
        .map(|target| line_of(&text, target))
        .find(|&line| line > 0)
        .unwrap_or(0)
}
