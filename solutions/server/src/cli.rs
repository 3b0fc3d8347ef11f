//! `ha-cli`: talks to a node, as `redis-cli` does and with the same output.
//!
//! One command from the command line, commands from standard input, or a prompt with a history. The
//! output is meant for people if it goes to a terminal, and plain if it goes into a pipe, exactly as
//! `redis-cli` prints it. What is missing are its special modes (`--scan`, `--latency`, `--cluster`, …),
//! Lua, hints and the help texts.

mod client;
mod format;
mod interactive;
mod options;
mod session;

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use options::{Options, Parsed};
use session::Session;

/// Runs `ha-cli` with these arguments, the program's name left out.
pub fn main(args: &[String]) -> ExitCode {
    let mut options = match options::parse(args) {
        Ok(Parsed::Run(options)) => *options,
        Ok(Parsed::Print(text)) => {
            println!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    if options.password_on_command_line && !options.no_auth_warning {
        eprintln!(
            "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe."
        );
    }
    if let Err(why) = last_argument_from_stdin(&mut options) {
        eprintln!("Can't read standard input: {why}");
        return ExitCode::FAILURE;
    }
    let command = std::mem::take(&mut options.command);
    let mut session = Session::new(options);
    let ended_well = if !command.is_empty() {
        session.run_repeatedly(&command)
    } else if std::io::stdin().is_terminal() {
        interactive::run(&mut session);
        true
    } else {
        session.run_lines(std::io::stdin().lock())
    };
    if ended_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// `-x`: standard input becomes the last argument.
fn last_argument_from_stdin(options: &mut Options) -> std::io::Result<()> {
    if options.stdin_is_last_argument {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        options.command.push(bytes);
    }
    Ok(())
}
