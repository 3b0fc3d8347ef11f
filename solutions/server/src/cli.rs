//! `ha-cli`: talks to a node, as `redis-cli` does and with the same output.
//!
//! One command from the command line, commands from standard input, or a prompt with a history, names to
//! complete and hints. The output is meant for people if it goes to a terminal, and plain if it goes into a
//! pipe, exactly as `redis-cli` prints it. `--pipe` is for mass insertion, `--bigkeys`, `--stat`, `--latency` and their
//! like are for looking at a server (see [`survey`]), `--tally` for finding out whether writes are lost (see [`mod@tally`]), and
//! `--cluster` for looking after a whole cluster (see [`cluster`]).
//!
//! # Differences from Redis
//!
//! - `-c` learns: after the first redirection it asks for the table of all slots (chapter 8), and from then on
//!   goes to the right node at once. `redis-cli` is redirected again for each change of node.
//! - Within a transaction no redirection is followed. `redis-cli` follows, and the command then runs outside of
//!   the transaction.
//! - An error in the options is explained, with the option that was probably meant.
//! - What is missing: `--latency-dist`, `--intrinsic-latency`, `--lru-test`, `--rdb`, `--replica`, Lua (`--eval`), TLS.

/// `println!` that does not mind if nobody reads any more, as in `ha-cli … | head`.
macro_rules! tell {
    ($($arg:tt)*) => { $crate::cli::tell(format_args!($($arg)*)) };
}

mod args;
mod client;
mod cluster;
mod docs;
mod format;
mod help;
mod hints;
mod interactive;
mod interrupt;
mod pipe;
mod session;
mod settings;
mod smart;
mod stream;
mod survey;
mod talk;
mod tally;
mod uri;

use std::ffi::OsString;
use std::io::{IsTerminal, Read, Write};
use std::process::ExitCode;

use args::{Asked, ClientArgs};
use session::Session;
use settings::Settings;
use survey::Manner;

/// Runs `ha-cli` with these arguments, the program's name left out.
pub fn main(args: &[OsString]) -> ExitCode {
    let ended_well = match args::parse(args) {
        Ok(Asked::Client(args)) => talk(*args),
        Ok(Asked::Cluster(args)) => cluster::run(*args),
        Err(error) => {
            // Help is an error to clap, but not a failure.
            let _ = error.print();
            !error.use_stderr()
        }
    };
    if ended_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn talk(mut args: ClientArgs) -> bool {
    let settled = args.login.settle();
    if settled.warn {
        warn_about_password();
    }
    let mut command: Vec<Vec<u8>> =
        args.command.iter().map(|word| word.as_encoded_bytes().to_vec()).collect();
    if let Err(why) = words_from_stdin(&args, &mut command) {
        eprintln!("{why}");
        return false;
    }
    let settings = Settings::new(&args, settled.db);
    if args.is_tally() {
        return tally::run(settings, args.sentinel);
    }
    let mut session = Session::new(settings);
    if args.pipe {
        session.into_client().is_some_and(|client| pipe::run(client, args.pipe_timeout))
    } else if let Some(survey) = args.survey() {
        let on_terminal = std::io::stdout().is_terminal();
        let manner = Manner { pattern: args.pattern, interval: args.interval, on_terminal };
        session.into_client().is_some_and(|client| survey::run(client, survey, &manner))
    } else if !command.is_empty() {
        session.run_repeatedly(&command)
    } else if std::io::stdin().is_terminal() {
        interactive::run(&mut session);
        true
    } else {
        session.run_lines(std::io::stdin().lock())
    }
}

fn tell(line: std::fmt::Arguments<'_>) {
    let mut stdout = std::io::stdout().lock();
    // What is being done goes on all the same: a half-moved slot would be worse than an unread line.
    let _ = writeln!(stdout, "{line}");
}

fn warn_about_password() {
    eprintln!(
        "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe."
    );
}

/// `-x`: standard input becomes the last word. `-X`: it takes the place of the words that are like the tag.
fn words_from_stdin(args: &ClientArgs, command: &mut Vec<Vec<u8>>) -> Result<(), String> {
    let read = || {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|why| format!("Can't read standard input: {why}"))?;
        Ok::<_, String>(bytes)
    };
    if args.stdin_is_last {
        command.push(read()?);
    } else if let Some(tag) = &args.stdin_tag {
        let Some(place) = command.iter().skip(1).position(|word| word == tag.as_bytes()) else {
            return Err("Using -X option but stdin tag not match.".into());
        };
        command[place + 1] = read()?;
    }
    Ok(())
}
