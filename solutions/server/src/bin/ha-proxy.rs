//! Spreads keys over several servers, and looks like one: `ha-proxy pools.toml`.

use std::process::ExitCode;

#[cfg(not(debug_assertions))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    server::proxy::main()
}
