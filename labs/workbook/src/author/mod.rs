//! The author's tools: generated files, and proof that each exercise does its work.

pub(crate) mod catalog;
mod check;
pub(crate) mod generate;
mod mistakes;

use clap::Subcommand;

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
}

/// True if there is nothing to complain about.
pub(crate) fn run(repo: &Repo, task: &Task) -> Result<bool, String> {
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
    }
}
