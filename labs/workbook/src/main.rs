//! The learner's bench: `cargo workbook`.
//!
//! Scores, hints, resets, the nodes of the book, and for authors what makes and checks a lab.

mod answers;
mod author;
mod exercises;
mod handout;
mod nodes;
mod progress;
mod region;
mod repo;
mod scoring;

use std::process::ExitCode;

use answers::Other;
use clap::{Parser, Subcommand};
use repo::Repo;

/// The bench of this workbook. Without a command: where you are, and what next.
#[derive(Parser)]
#[command(name = "cargo workbook", bin_name = "cargo workbook")]
struct Cli {
    #[command(subcommand)]
    command: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// Score a lab (without a number: the first that is not done)
    Score {
        /// The lab's number
        lab: Option<u32>,
        /// Every lab
        #[arg(long, conflicts_with = "lab")]
        all: bool,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Score a lab again at each save
    Watch {
        /// The lab's number
        lab: u32,
    },
    /// One more hint for an exercise, such as 0.3: a nudge, the rule, a sketch
    Hint {
        /// The exercise
        exercise: String,
        /// All hints at once
        #[arg(long)]
        all: bool,
    },
    /// Put an exercise (0.3) or a whole lab (0) back to its start; keeps a copy of what you wrote
    Reset {
        /// The exercise or the lab
        what: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Show the reference answer of an exercise that passes
    Solution {
        /// The exercise
        exercise: String,
        /// Show it although the exercise does not pass
        #[arg(long)]
        give_up: bool,
        /// In a handout: the word that your teacher has
        #[arg(long, value_name = "WORD", requires = "give_up")]
        key: Option<String>,
    },
    /// Compare your answers with the reference, where they pass
    Diff {
        /// The lab's number
        lab: u32,
        /// Compare with the starter instead
        #[arg(long)]
        starter: bool,
        /// Also where they do not pass
        #[arg(long, conflicts_with = "starter")]
        give_up: bool,
        /// In a handout: the word that your teacher has
        #[arg(long, value_name = "WORD", requires = "give_up")]
        key: Option<String>,
    },
    /// Serve the book and run nodes beside it, a cluster of six, until Ctrl-C
    Start(nodes::Wish),
    /// Nodes that stay: a pair, a star, a tree, a chain, a master watched by sentinels, a cluster. Crash them, cut them off
    #[command(subcommand)]
    Cluster(nodes::cluster::Task),
    /// Run a command until standard input closes
    #[command(hide = true)]
    Tend {
        /// The command
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// For authors: generate and check the labs
    #[command(subcommand)]
    Author(author::Task),
}

fn main() -> ExitCode {
    quiet_when_nobody_reads();
    let cli = Cli::parse();
    match Repo::find().and_then(|repo| run(&repo, cli.command)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(complaint) => {
            eprintln!("error: {complaint}");
            ExitCode::from(2)
        }
    }
}

/// `cargo workbook diff 0 | head` closes the pipe early. That is no reason for a backtrace.
fn quiet_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let message = info.payload().downcast_ref::<String>();
        if message.is_some_and(|message| message.starts_with("failed printing to stdout")) {
            std::process::exit(0);
        }
        usual(info);
    }));
}

/// True if all is well.
fn run(repo: &Repo, task: Option<Task>) -> Result<bool, String> {
    let done = |()| true;
    match task {
        None => scoring::overview(repo).map(done),
        Some(Task::Score { lab, all, json }) => {
            scoring::score_all(repo, &scoring::chosen(repo, lab, all)?, json)
        }
        Some(Task::Watch { lab }) => scoring::watch(repo, repo.lab(lab)?).map(done),
        Some(Task::Hint { exercise, all }) => answers::hint(repo, &exercise, all).map(done),
        Some(Task::Reset { what, yes }) => answers::reset(repo, &what, yes).map(done),
        Some(Task::Solution { exercise, give_up, key }) => {
            answers::solution(repo, &exercise, give_up.then_some(key.as_deref())).map(done)
        }
        Some(Task::Diff { lab, starter, give_up, key }) => {
            let other =
                if starter { Other::Starter } else { Other::Reference(give_up.then_some(key.as_deref())) };
            answers::diff(repo, lab, other).map(done)
        }
        Some(Task::Start(wish)) => nodes::start::start(repo, &wish).map(done),
        Some(Task::Cluster(task)) => nodes::cluster::run(repo, &task).map(done),
        Some(Task::Tend { words }) => nodes::start::tend(&words),
        Some(Task::Author(task)) => author::run(repo, &task),
    }
}
