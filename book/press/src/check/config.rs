//! `book.toml`: mdBook drops a whole section with one unknown key in it, and skips a preprocessor that does
//! not compile.

use std::collections::BTreeMap;
use std::str::FromStr;

use mdbook_driver::book::Book;
use mdbook_driver::builtin_preprocessors::CmdPreprocessor;
use mdbook_driver::config::{Config, HtmlConfig};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use super::read;
use crate::problem::{Problem, line_of};
use crate::workspace::Workspace;
use crate::{expand, pages};

pub(super) fn check(workspace: &Workspace) -> Vec<Problem> {
    let file = workspace.book.join("book.toml");
    let text = match read(&file) {
        Ok(text) => text,
        Err(problem) => return vec![problem],
    };
    let config = match Config::from_str(&text) {
        Ok(config) => config,
        Err(error) => {
            let message = format!("{error:#}");
            return vec![Problem::new(&file, line_of_error(&text, &message), message)];
        }
    };
    let mut problems = Vec::new();
    let mut problem = |needle: &str, what: String| {
        problems.push(Problem::new(&file, line_of(&text, needle), what));
    };
    // mdBook reads this section by the same type, but only logs that it cannot.
    if let Err(error) = config.get::<HtmlConfig>("output.html") {
        let message = error.root_cause().to_string();
        problems.push(Problem::new(
            &file,
            line_of_error(&text, &message),
            format!("[output.html]: {message}"),
        ));
        return problems;
    }
    for name in config.outputs::<toml::Table>().unwrap_or_default().into_keys().filter(|name| name != "html")
    {
        problem(&format!("[output.{name}"), format!("[output.{name}]: the press only makes HTML"));
    }
    let ours = config.get::<toml::Table>(&format!("preprocessor.{}", pages::NAME)).ok().flatten();
    match ours {
        None => problem("", format!("plain mdBook needs a section [preprocessor.{}]", pages::NAME)),
        Some(table) => {
            let before = table.get("before").and_then(|before| before.as_array());
            if !before.is_some_and(|before| before.iter().any(|name| name.as_str() == Some("links"))) {
                let what = format!("[preprocessor.{}] needs `before = [\"links\"]`", pages::NAME);
                problem(&format!("[preprocessor.{}]", pages::NAME), what);
            }
        }
    }
    problems
}

/// The line that an error is about: by its position, or by the key it names.
fn line_of_error(text: &str, message: &str) -> usize {
    let behind = |start: &str| message.split_once(start).map(|(_, rest)| rest);
    let by_position = behind("at line ").and_then(|rest| rest.split([',', ' ']).next()?.parse().ok());
    let by_key = || {
        let key = behind("unknown field `")?.split('`').next()?;
        text.lines().position(|line| line.trim_start().starts_with(key)).map(|index| index + 1)
    };
    by_position.or_else(by_key).unwrap_or(0)
}

/// Runs the commands of `[preprocessor.*]` as plain mdBook does, and compares what ours makes of the book.
pub(super) fn check_preprocessors(workspace: &Workspace) -> Vec<Problem> {
    let file = workspace.book.join("book.toml");
    let (text, loaded) = match read(&file) {
        Ok(text) => (text, crate::logs::collect(|| pages::load(workspace, None)).0),
        Err(problem) => return vec![problem],
    };
    // A book that cannot be loaded is reported with the chapters.
    let Ok(loaded) = loaded else { return Vec::new() };
    let tables: BTreeMap<String, toml::Table> = loaded.config.preprocessors().unwrap_or_default();
    let mut problems = Vec::new();
    for (name, table) in tables {
        let Some(command) = table.get("command").and_then(|command| command.as_str()) else { continue };
        let line = line_of(&text, command);
        let external = CmdPreprocessor::new(name.clone(), command.into(), loaded.root.clone(), false);
        let mut problem = |what: String| problems.push(Problem::new(&file, line, what));
        match external.supports_renderer("html") {
            Ok(true) => {}
            // mdBook takes any failure for "does not support this renderer", and leaves it out.
            Ok(false) => {
                problem(format!("mdBook would skip the preprocessor `{name}`: its command fails: {command}"));
                continue;
            }
            Err(error) => {
                problem(format!("the preprocessor `{name}` cannot be run: {error:#}"));
                continue;
            }
        }
        if name == pages::NAME
            && let Err(what) = compare(&loaded, &external)
        {
            problem(what);
        }
    }
    problems
}

/// Our command must make of the book what the preprocessor inside `cargo book` makes of it.
fn compare(loaded: &mdbook_driver::MDBook, external: &CmdPreprocessor) -> Result<(), String> {
    let mut inside: Book = loaded.book.clone();
    if !expand::book(&mut inside, &loaded.source_dir()).problems.is_empty() {
        // The chapters have problems of their own, and the command would fail on the same ones.
        return Ok(());
    }
    let context = PreprocessorContext::new(loaded.root.clone(), loaded.config.clone(), "html".into());
    match external.run(&context, loaded.book.clone()) {
        Ok(outside) if outside == inside => Ok(()),
        Ok(_) => {
            Err("plain mdBook gets other pages than `cargo book`: the command runs another program".into())
        }
        Err(error) => Err(format!("the preprocessor fails on this book: {error:#}")),
    }
}
