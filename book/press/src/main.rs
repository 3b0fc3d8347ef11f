//! The book press: `cargo book build | serve | check | look | record`.

use std::io::{BufReader, BufWriter, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use press::check::{self, Part};
use press::workspace::Workspace;
use press::{look, pages, recordings, serve};

/// Builds, serves and checks the book
#[derive(Parser)]
#[command(name = "cargo book", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write the pages to book/book
    Build {
        /// Write them here instead
        #[arg(long, value_name = "FOLDER")]
        output: Option<PathBuf>,
    },
    /// Show the book in a browser, and again when something changes
    Serve {
        /// The port to listen on
        #[arg(long, short, default_value_t = 3000)]
        port: u16,
        /// The name or address to listen on
        #[arg(long, short = 'n', default_value = "127.0.0.1")]
        hostname: String,
        /// Open a browser
        #[arg(long, short)]
        open: bool,
    },
    /// Find what is wrong: includes, links, recordings, terminal sessions, book.toml
    Check {
        /// Write what the terminal sessions print into the chapters
        #[arg(long)]
        bless: bool,
        /// Check only this; may be given several times
        #[arg(long, value_name = "PART")]
        only: Vec<Part>,
        /// Leave this out; may be given several times
        #[arg(long, value_name = "PART")]
        skip: Vec<Part>,
    },
    /// Open every page in Chromium, light and dark, wide and narrow, and find what a reader would see
    Look {
        /// Only pages whose name holds this
        #[arg(long, value_name = "TEXT")]
        page: Option<String>,
        /// Write a picture of each page to this folder
        #[arg(long, value_name = "FOLDER")]
        pictures: Option<PathBuf>,
    },
    /// Record the runs behind transcripts and figures, and the numbers behind plots and tables
    Record,
    /// What plain mdBook calls, see book.toml
    #[command(hide = true)]
    Preprocess {
        #[command(subcommand)]
        question: Option<Question>,
    },
}

#[derive(Subcommand)]
enum Question {
    /// Ask whether a renderer is supported
    Supports {
        /// The renderer
        renderer: String,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    match task {
        // Inside mdBook: it says where the book is.
        Task::Preprocess { question: Some(Question::Supports { renderer }) } => {
            return Ok(if renderer == "html" { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Task::Preprocess { question: None } => {
            pages::preprocess(BufReader::new(stdin().lock()), BufWriter::new(stdout().lock()))?;
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let workspace = Workspace::find()?;
    match task {
        Task::Build { output } => {
            let output = output.map(std::path::absolute).transpose().context("no current folder")?;
            let built = pages::build(&workspace, output.as_deref());
            for line in built.report(&workspace) {
                eprintln!("{line}");
            }
            if built.is_good() {
                let output = output.map_or_else(|| pages::output(&workspace), Ok)?;
                println!("The pages are in {}", workspace.show(&output));
            }
            Ok(if built.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Task::Serve { port, hostname, open } => {
            serve::run(&workspace, &serve::Options { hostname, port, open })?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Check { bless, only, skip } => Ok(check(&workspace, bless, &only, &skip)),
        Task::Look { page, pictures } => look(&workspace, &look::Options { page, pictures }),
        Task::Record => {
            let done = check::record(&workspace, recordings::all).context("cannot write the recordings")?;
            let nothing = done.is_empty().then(|| "every recording is up to date".to_string());
            done.iter().chain(&nothing).for_each(|line| println!("{line}"));
            Ok(ExitCode::SUCCESS)
        }
        Task::Preprocess { .. } => unreachable!("handled above"),
    }
}

/// Builds the pages into a folder of their own and looks at them.
fn look(workspace: &Workspace, options: &look::Options) -> Result<ExitCode> {
    let folder =
        tempfile::Builder::new().prefix("book-look-").tempdir().context("no folder for the pages")?;
    let built = pages::build(workspace, Some(folder.path()));
    if !built.is_good() {
        built.report(workspace).iter().for_each(|line| println!("{line}"));
        return Ok(ExitCode::FAILURE);
    }
    let (pages, problems) = look::run(folder.path(), options)?;
    problems.iter().for_each(|problem| println!("{problem}"));
    match problems.len() {
        0 => println!("{pages} pages look right, in light and dark, wide and narrow"),
        count => println!("{count} complaints about {pages} pages"),
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check(workspace: &Workspace, bless: bool, only: &[Part], skip: &[Part]) -> ExitCode {
    let mut options = check::Options { bless, ..check::Options::default() };
    options.parts.retain(|part| (only.is_empty() || only.contains(part)) && !skip.contains(part));
    options.progress = |part| eprintln!("checking {part:?}");
    let problems = check::run(workspace, &options);
    for problem in &problems {
        println!("{problem}");
    }
    match problems.len() {
        0 => {
            println!("the book is in order");
            ExitCode::SUCCESS
        }
        1 => {
            println!("1 problem");
            ExitCode::FAILURE
        }
        count => {
            println!("{count} problems");
            ExitCode::FAILURE
        }
    }
}
