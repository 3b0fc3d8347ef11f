//! Fuzz targets: whatever bytes come from outside, they are an answer or an error.
//!
//! Each module is one target, a function `check` that takes any bytes and panics if a promise is broken:
//!
//! | target | what reads the bytes | what must hold besides |
//! |---|---|---|
//! | [`commands`] | a server: RESP from a client | written again and read again, a command is the same |
//! | [`replies`] | a client: RESP from a server | |
//! | [`rdb`] | a node at its start, and a replica | what was loaded, saved and loaded again is the same |
//! | [`aof`] | a node at its start: manifest, base, increments | what a crash cut off is cut off once |
//! | [`mod@bus`] | a node of a cluster: packets of the bus | written again and read again, a packet is the same |
//! | [`mod@dump`] | `RESTORE` | commands work on the value; dumped and restored it is the same |
//!
//! For all of them: *chunks do not matter* (at once, byte by byte, in random pieces: one result), and *a
//! length is a claim* (memory stays in proportion to what has arrived: [`bounded`]). That nothing runs for
//! ever is for the fuzzer to watch.
//!
//! # How to run them
//!
//! `cargo test -p fuzz` sends the files in `seeds/` and a few thousand mutations of each through their
//! target; no tool is needed. For a search that is led by what the code does with its input:
//!
//! ```console
//! $ cargo install cargo-fuzz
//! $ cd tests/fuzz
//! $ mkdir -p corpus/rdb
//! $ cargo fuzz run --fuzz-dir . --sanitizer none rdb corpus/rdb seeds/rdb -- -timeout=5 -max_total_time=600
//! ```
//!
//! `--sanitizer none` works on stable Rust: there is no unsafe code here for a sanitizer to look at. A finding
//! is left in `artifacts/`, and `cargo run -p fuzz --bin rdb -- FILE` repeats it without any tool. Its place
//! is then in `seeds/`, for ever.
//!
//! `cargo run -p fuzz --example seeds` makes the seeds anew with a real `redis-server`. Those of `bus` are the packets
//! that the tests of the crate `bus` have captured.

pub mod aof;
pub mod bus;
pub mod commands;
pub mod dump;
mod memory;
mod mutate;
mod pieces;
pub mod rdb;
pub mod replies;

pub use memory::bounded;
pub use mutate::mutate;
pub use pieces::{Pieces, every_way};

/// A target: its name, which is also that of its folder in `seeds/`, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 6] = [
    ("commands", commands::check),
    ("replies", replies::check),
    ("rdb", rdb::check),
    ("aof", aof::check),
    ("dump", dump::check),
    ("bus", bus::check),
];

/// Makes a program of a target: for the fuzzer if it is built by `cargo fuzz`, otherwise one that looks at
/// the files it is given.
#[macro_export]
macro_rules! target {
    ($check:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $check(data));

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::look_at_files($check)
        }
    };
}

/// What a target does when no fuzzer drives it. Ends with the panic of the first file that breaks a promise.
pub fn look_at_files(check: fn(&[u8])) -> std::process::ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        eprintln!("Name the files to look at.");
        return std::process::ExitCode::FAILURE;
    }
    for file in files {
        match std::fs::read(&file) {
            Ok(bytes) => check(&bytes),
            Err(why) => {
                eprintln!("{file}: {why}");
                return std::process::ExitCode::FAILURE;
            }
        }
        println!("{file}: ok");
    }
    std::process::ExitCode::SUCCESS
}
