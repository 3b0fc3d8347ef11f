//! Makes the pages: mdBook with our preprocessor inside.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use mdbook_driver::MDBook;
use mdbook_driver::book::Book;
use mdbook_driver::config::Config;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::expand::{self, Expanded};
use crate::logs::{self, Logged};
use crate::problem::Problem;
use crate::workspace::Workspace;

/// The preprocessor's name in `book.toml`.
pub const NAME: &str = "workbook";

/// Our blocks for mdBook, see [`expand`].
#[derive(Clone, Debug, Default)]
pub struct Workbook {
    /// What came of the last run.
    expanded: Arc<Mutex<Expanded>>,
}

impl Preprocessor for Workbook {
    fn name(&self) -> &str {
        NAME
    }

    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let expanded = expand::book(&mut book, &context.root.join(&context.config.book.src));
        let problems = expanded.problems.clone();
        *self.expanded.lock().expect("nobody panics while holding it") = expanded;
        if !problems.is_empty() {
            let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
            bail!("{}", lines.join("\n"));
        }
        Ok(book)
    }
}

/// The two ways in which mdBook calls the external preprocessor: `preprocess supports RENDERER`, and
/// `preprocess` with the book on standard input.
pub fn preprocess(input: impl std::io::Read, output: impl std::io::Write) -> Result<()> {
    let (context, book): (PreprocessorContext, Book) =
        serde_json::from_reader(input).context("mdBook sent something that is not a book")?;
    let book = Workbook::default().run(&context, book)?;
    serde_json::to_writer(output, &book).context("mdBook does not listen")
}

/// A finished build.
#[derive(Debug, Default)]
pub struct Built {
    /// The files beside the chapters that the pages were made from.
    pub sources: Vec<PathBuf>,
    /// What is wrong in the chapters. If there is anything, no pages were written.
    pub problems: Vec<Problem>,
    /// What mdBook logged, warnings and errors.
    pub logged: Vec<Logged>,
    /// What made mdBook give up, if it was not one of the problems.
    pub failure: Option<String>,
}

impl Built {
    /// True if nothing is wrong; a warning is not.
    pub fn is_good(&self) -> bool {
        let no_errors = !self.logged.iter().any(|logged| logged.is_error);
        self.problems.is_empty() && self.failure.is_none() && no_errors
    }

    /// Everything there is to say about it, one line each.
    pub fn report(&self, workspace: &Workspace) -> Vec<String> {
        let relative = |problem: &Problem| problem.clone().relative_to(&workspace.root).to_string();
        let mut lines: Vec<String> = self.problems.iter().map(relative).collect();
        lines.extend(self.failure.clone());
        for Logged { is_error, message } in &self.logged {
            lines.push(format!("{}: {message}", if *is_error { "error" } else { "warning" }));
        }
        lines
    }
}

/// Reads `book.toml` and the chapters. The output goes to `output`, or where `book.toml` says.
pub fn load(workspace: &Workspace, output: Option<&Path>) -> Result<MDBook> {
    let mut config = Config::from_disk(workspace.book.join("book.toml"))?;
    config.update_from_env()?;
    if let Some(output) = output {
        config.build.build_dir = output.to_path_buf();
    }
    MDBook::load_with_config(&workspace.book, config)
}

/// Builds the book.
pub fn build(workspace: &Workspace, output: Option<&Path>) -> Built {
    let workbook = Workbook::default();
    let (result, logged) = logs::collect(|| {
        let mut book = load(workspace, output)?;
        book.with_preprocessor(workbook.clone());
        book.build()
    });
    let expanded = std::mem::take(&mut *workbook.expanded.lock().expect("nobody panics while holding it"));
    let failure = match result {
        Err(error) if expanded.problems.is_empty() => Some(format!("{error:#}")),
        _ => None,
    };
    let sources = expanded.sources.into_iter().collect();
    Built { sources, problems: expanded.problems, logged, failure }
}

/// Where `cargo book build` and `cargo book serve` put the pages.
pub fn output(workspace: &Workspace) -> Result<PathBuf> {
    let config = Config::from_disk(workspace.book.join("book.toml"))?;
    Ok(workspace.book.join(config.build.build_dir))
}
