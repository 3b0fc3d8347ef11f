//! A Redis node, built by hand: `ha-server [file.conf] [--directive value …]`.

use std::process::ExitCode;

/// The system's allocator is what a Redis of the same machine would not use either.
#[cfg(not(debug_assertions))]
#[global_allocator]
static ALLOCATOR: server::Counting<mimalloc::MiMalloc> = server::Counting(mimalloc::MiMalloc);

#[cfg(debug_assertions)]
#[global_allocator]
static ALLOCATOR: server::Counting<std::alloc::System> = server::Counting(std::alloc::System);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    server::main(&args)
}
