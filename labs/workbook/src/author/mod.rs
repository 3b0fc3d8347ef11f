//! The author's tools: generated files, and proof that each exercise does its work.

pub(crate) mod catalog;
mod check;
mod class;
pub(crate) mod generate;
mod handout;
mod leaks;
mod mistakes;

use std::path::PathBuf;

use clap::Subcommand;

use crate::handout::Handout;
use crate::repo::{Lab, Repo};

/// What authors do.
#[derive(Subcommand)]
pub(crate) enum Task {
    /// Write starters, shims and catalogues from the solutions
    Generate,
    /// Check that they are up to date, that untouched labs are red and solutions green
    Check,
    /// Build each known wrong answer in and check that its verdict names it
    Mistakes {
        /// Only this lab
        lab: Option<u32>,
        /// Write the fingerprints that were found into the catalogue
        #[arg(long)]
        record: bool,
    },
    /// Make a copy for a class, in which the answers are sealed and everything works
    Handout {
        /// A directory that is empty, or not there yet
        directory: PathBuf,
        /// A word that opens answers to learners who give up (without one, nothing does)
        #[arg(long, value_name = "WORD")]
        key: Option<String>,
        /// Build the copy and score every lab and solution in it
        #[arg(long = "try")]
        try_it: bool,
    },
    /// Search a directory for lines of this repository's answers
    Search {
        /// A handout, say
        directory: PathBuf,
    },
    /// One table of what a class has scored
    ///
    /// Each file holds what `cargo workbook score --all --json` printed for one learner, and is named after them.
    Class {
        /// anna.json, ben.json, …
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// For a spreadsheet: one line for each learner and exercise
        #[arg(long)]
        csv: bool,
    },
}

/// True if there is nothing to complain about.
pub(crate) fn run(repo: &Repo, task: &Task) -> Result<bool, String> {
    let is_for_a_handout = matches!(task, Task::Check | Task::Class { .. });
    if !is_for_a_handout && Handout::load(repo)?.is_some() {
        return Err(
            "this is a handout: its answers are sealed, and the code of known wrong answers is gone. \
                    For this command you need the full repository"
                .to_string(),
        );
    }
    match task {
        Task::Generate => generate::generate(repo).map(|()| true),
        Task::Check => check::check(repo),
        Task::Mistakes { lab, record } => {
            let labs: Vec<Lab> = match lab {
                Some(id) => vec![repo.lab(*id)?.clone()],
                None => repo.labs.clone(),
            };
            let mut good = true;
            for lab in labs {
                good &= mistakes::mistakes(repo, &lab, *record)?;
            }
            Ok(good)
        }
        Task::Handout { directory, key, try_it } => {
            handout::handout(repo, directory, key.as_deref(), *try_it)
        }
        Task::Search { directory } => leaks::report(repo, directory),
        Task::Class { files, csv } => class::class(files, *csv).map(|()| true),
    }
}
