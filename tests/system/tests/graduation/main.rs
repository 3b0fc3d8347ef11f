//! From our servers to Redis's or Valkey's, with nobody stopped: real servers join as replicas and take over, and ours leave
//! ([`cluster`], [`sentinel`]). redis-rs clients write all the while, and every write is accounted for ([`load`]).
//!
//! The book walks through the same steps in `book/src/graduation.md`, and accounts with `ha-cli --tally` ([`tally`]).
//! `HA_GRADUATION_RUNS` sets how many times each of them is gone through (once if it is not set).

mod cluster;
mod load;
mod sentinel;
mod tally;
mod values;

use system::{Server, wait};

/// Goes through it as often as was asked for.
fn each_run(what: &str, mut once: impl FnMut() -> String) {
    let runs = std::env::var("HA_GRADUATION_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(1);
    for run in 1..=runs {
        let figures = once();
        eprintln!("{what}, run {run} of {runs}: {figures}");
    }
}

/// A replica has nearly everything that its master has said: what is missing can be had in a moment.
fn wait_for_small_lag(replica: &Server, master: &Server) {
    /// Far less than a second of anybody's stream.
    const SMALL: u64 = 64 * 1024;
    replica.wait_for_link();
    let offset = |server: &Server, field: &str| server.info(field).parse::<u64>().unwrap_or_default();
    wait::until("a small lag", || {
        let said = offset(master, "master_repl_offset");
        let applied = offset(replica, "slave_repl_offset");
        applied > 0 && said.saturating_sub(applied) < SMALL
    });
}

/// Ends a server in an orderly way.
fn shut_down(server: &mut Server) {
    // Its answer is the end of the connection.
    let _ = server.client().try_call(&["SHUTDOWN", "NOSAVE"]);
    wait::until("its end", || !server.is_alive());
}
