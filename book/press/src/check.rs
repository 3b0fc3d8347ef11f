//! `cargo book check`: everything that mdBook would let pass.
//!
//! mdBook ends with success although a listing is missing, a link is dead, a key in `book.toml` is misspelt
//! or the preprocessor does not compile. Each part below catches one kind of this, and names file and line.

mod chapters;
mod collected;
mod config;
mod exercises;
pub mod html;
mod sessions;
mod traces;

use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;

use crate::data::Recording;
use crate::pages;
use crate::problem::Problem;
use crate::session::Programs;
use crate::workspace::Workspace;

pub use traces::write as record;

/// What can be checked by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// `book.toml` holds only keys that mdBook knows.
    Config,
    /// The chapters build, and mdBook logs neither warning nor error.
    Chapters,
    /// Every link and fragment in the rendered pages leads somewhere, and none to the network.
    Links,
    /// Every exercise names a section that exists, and has its minutes.
    Exercises,
    /// The index of the syllabus has no empty cell, something shows each common mistake, and the tests they name exist.
    Syllabus,
    /// Every module that says what differs from Redis is on the page that collects them.
    Differences,
    /// The recorded runs are what a run of today gives.
    Traces,
    /// The preprocessor of plain mdBook runs, and makes the same pages.
    Plain,
    /// The terminal sessions print what the pages say.
    Sessions,
}

/// How to check.
pub struct Options {
    /// The parts to do, in this order.
    pub parts: Vec<Part>,
    /// Write what the sessions print into the chapters.
    pub bless: bool,
    /// What the sessions run; built with cargo if it is not given.
    pub programs: Option<Programs>,
    /// The longest that one step of a session may take.
    pub limit: Duration,
    /// What the files of the recordings are compared with.
    pub recordings: fn() -> Vec<(&'static str, Recording)>,
    /// Told what is done next.
    pub progress: fn(Part),
}

impl Default for Options {
    fn default() -> Options {
        Options {
            parts: Part::value_variants().to_vec(),
            bless: false,
            programs: None,
            limit: Duration::from_secs(10),
            recordings: crate::recordings::all,
            progress: |_| {},
        }
    }
}

/// Checks the book. An empty list means that all is well.
pub fn run(workspace: &Workspace, options: &Options) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut rendered = None;
    for &part in &options.parts {
        (options.progress)(part);
        problems.extend(match part {
            Part::Config => config::check(workspace),
            Part::Chapters => Rendered::make(workspace, &mut rendered).chapters(workspace),
            Part::Links => Rendered::make(workspace, &mut rendered).links(workspace),
            Part::Exercises => {
                let mut found = Rendered::make(workspace, &mut rendered).exercises(workspace);
                found.extend(collected::check_times(workspace));
                found
            }
            Part::Syllabus => {
                let mut found = collected::check_syllabus(workspace);
                found.extend(collected::check_mistakes(workspace));
                found
            }
            Part::Differences => collected::check_differences(workspace),
            Part::Traces => traces::check(workspace, options.recordings),
            Part::Plain => config::check_preprocessors(workspace),
            Part::Sessions => sessions::check(workspace, options),
        });
    }
    let mut shown: Vec<Problem> = Vec::new();
    for problem in problems {
        let problem = problem.relative_to(&workspace.root);
        if !shown.contains(&problem) {
            shown.push(problem);
        }
    }
    shown
}

/// The book, built into a folder of its own, so that a server beside us keeps its pages.
struct Rendered {
    folder: tempfile::TempDir,
    built: pages::Built,
    pages: std::io::Result<html::Pages>,
}

impl Rendered {
    fn make<'a>(workspace: &Workspace, made: &'a mut Option<Rendered>) -> &'a Rendered {
        made.get_or_insert_with(|| {
            let folder = tempfile::Builder::new()
                .prefix("book-check-")
                .tempdir()
                .expect("the system has a folder for temporary files");
            let built = pages::build(workspace, Some(folder.path()));
            let pages = html::Pages::read(folder.path());
            Rendered { folder, built, pages }
        })
    }

    fn chapters(&self, workspace: &Workspace) -> Vec<Problem> {
        chapters::check(workspace, &self.built)
    }

    /// The pages, or the reason why there is nothing to check.
    fn pages(&self) -> Result<&html::Pages, Vec<Problem>> {
        match &self.pages {
            // Without pages the chapters have problems, and those are reported there.
            Ok(pages) if pages.pages.is_empty() => Err(Vec::new()),
            Ok(pages) => Ok(pages),
            Err(error) => Err(vec![Problem::new(self.folder.path(), 0, error.to_string())]),
        }
    }

    fn links(&self, workspace: &Workspace) -> Vec<Problem> {
        self.pages().map_or_else(|problems| problems, |pages| chapters::check_links(workspace, pages))
    }

    fn exercises(&self, workspace: &Workspace) -> Vec<Problem> {
        self.pages().map_or_else(|problems| problems, |pages| exercises::check(workspace, pages))
    }
}

/// The text of a file, or a problem that says why there is none.
fn read(path: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|error| Problem::new(path, 0, error.to_string()))
}
