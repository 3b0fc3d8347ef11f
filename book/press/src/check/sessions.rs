//! The terminal sessions of all chapters, really run.

use std::path::Path;

use super::{Options, read};
use crate::pages;
use crate::problem::Problem;
use crate::session::{self, Block, Edit, Programs, Runner};
use crate::workspace::Workspace;

pub(super) fn check(workspace: &Workspace, options: &Options) -> Vec<Problem> {
    // A book that cannot be loaded is reported with the chapters.
    let (Ok(book), _) = crate::logs::collect(|| pages::load(workspace, None)) else { return Vec::new() };
    let mut chapters = Vec::new();
    for chapter in book.book.chapters() {
        let Some(path) = &chapter.source_path else { continue };
        let blocks = session::blocks(&chapter.content);
        if !blocks.is_empty() {
            chapters.push((workspace.src().join(path), blocks));
        }
    }
    if chapters.is_empty() {
        return Vec::new();
    }
    let programs = match &options.programs {
        Some(programs) => programs.clone(),
        None => match Programs::build(&workspace.root) {
            Ok(programs) => programs,
            Err(error) => {
                return vec![Problem::new(
                    &workspace.root,
                    0,
                    format!("no program for the sessions: {error:#}"),
                )];
            }
        },
    };
    let runner = Runner { programs, limit: options.limit };
    chapters.iter().flat_map(|(file, blocks)| run_chapter(&runner, file, blocks, options.bless)).collect()
}

fn run_chapter(runner: &Runner, file: &Path, blocks: &[Block], bless: bool) -> Vec<Problem> {
    let mut names: Vec<&str> = Vec::new();
    for block in blocks {
        if !names.contains(&block.name.as_str()) {
            names.push(&block.name);
        }
    }
    let mut problems = Vec::new();
    let mut edits = Vec::new();
    for name in names {
        let blocks: Vec<&Block> = blocks.iter().filter(|block| block.name == name).collect();
        let outcome = runner.run(&blocks);
        let blessed = |line: usize| bless && outcome.edits.iter().any(|edit| edit.after == line);
        let left = outcome.problems.iter().filter(|(line, _)| !blessed(*line));
        problems
            .extend(left.map(|(line, what)| Problem::new(file, *line, format!("session {name}: {what}"))));
        edits.extend(outcome.edits);
    }
    if bless && !edits.is_empty() {
        let written = read(file).and_then(|text| {
            let text = edited(&text, &edits);
            std::fs::write(file, text).map_err(|error| Problem::new(file, 0, error.to_string()))
        });
        problems.extend(written.err());
    }
    problems
}

/// `text` with the output of some commands replaced.
fn edited(text: &str, edits: &[Edit]) -> String {
    let mut out = String::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if !edits.iter().any(|edit| edit.remove.contains(&number)) {
            out.push_str(line);
            out.push('\n');
        }
        for edit in edits.iter().filter(|edit| edit.after == number) {
            out.extend(edit.insert.iter().map(|line| format!("{line}\n")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_replaces_only_its_output() {
        let edits = [
            Edit { after: 1, remove: vec![2, 4], insert: vec!["x".into()] },
            Edit { after: 5, remove: vec![], insert: vec!["y".into(), "z".into()] },
        ];
        assert_eq!(edited("$ a\n1\n#mask q\n2\n$ b\nend\n", &edits), "$ a\nx\n#mask q\n$ b\ny\nz\nend\n");
    }
}
