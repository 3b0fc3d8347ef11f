//! Talks to a node: `ha-cli [-p port] [command [argument …]]`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<std::ffi::OsString> = std::env::args_os().skip(1).collect();
    server::cli::main(&args)
}
