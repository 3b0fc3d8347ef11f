//! End-to-end tests with real processes and sockets, real Redis beside ours.
//!
//! This library holds what the tests in `tests/` share: programs to start ([`Server`], [`Sentinel`]), a client
//! that shows bytes and replies ([`Client`]), a master that follows a script ([`scripted`]), a replica that
//! does what a test wants ([`raw_replica()`]), data sets to write and to compare ([`data`]), scripts for both
//! kinds of server ([`mod@compare`]) and commands made up at random ([`grammar`]), a load of writes ([`load`]),
//! cables that can be cut ([`Cable`]), a node of a cluster that is played by a test ([`FakePeer`]), what trees of servers have in common ([`topology`]), and waiting for a
//! condition ([`wait`]) or for the end of a program ([`bounded`]).
//!
//! # Which programs are tested
//!
//! `ha-server` and `ha-cli` are taken from the target directory that the test itself was built into;
//! `cargo build -p server` brings them up to date first (a moment, if there is nothing to do). Set
//! `HA_BIN_DIR` to test programs from elsewhere instead. A directory in which `ha-server` is a link to
//! `redis-server` tests the tests: those of replication must pass with it.
//!
//! `redis-server` and its tools are taken from `PATH`. A test that needs one and does not find it prints
//! `SKIPPED <test>: redis-server not found` and passes; with `HA_REQUIRE_REDIS=1` it fails instead, so that
//! CI cannot go green without them.
//!
//! `valkey-server` is what `HA_VALKEY_SERVER` names, or taken from `PATH`. A test without it is skipped in the same words,
//! but never fails for that: see `tests/newer_peers.rs`.

pub mod bounded;
mod cable;
mod client;
pub mod cluster;
pub mod compare;
pub mod data;
#[cfg(target_os = "linux")]
mod fenced;
pub mod grammar;
pub mod load;
mod member;
pub mod peer;
mod programs;
mod proxy;
mod raw_replica;
pub mod scripted;
mod sentinel;
mod server;
pub mod topology;
pub mod wait;

pub use cable::Cable;
pub use client::Client;
pub use cluster::Cluster;
#[cfg(target_os = "linux")]
pub use fenced::Fenced;
pub use peer::FakePeer;
pub use programs::{ha_cli, redis_tool, redis_tool_or_skip, valkey_or_skip, valkey_server};
pub use proxy::{Proxy, ProxyKind};
pub use raw_replica::{raw_replica, skip_snapshot};
pub use sentinel::{Refusal, Sentinel, WATCHED, pair_value, watching};
pub use server::{Kind, Server, free_port};

/// Starts a real `redis-server` with these flags, or says that the test that calls this is skipped.
///
/// ```no_run
/// let Some(redis) = system::redis_or_skip("the_name_of_the_test", &["--port", "0"]) else { return };
/// ```
pub fn redis_or_skip(test: &str, flags: &[&str]) -> Option<Server> {
    redis_tool_or_skip(test, "redis-server")?;
    Some(Server::start(Kind::Redis, flags))
}

/// Ours, and a real one too where it is installed.
pub fn both(test: &str) -> Vec<Kind> {
    let real = redis_tool_or_skip(test, "redis-server").map(|_| Kind::Redis);
    std::iter::once(Kind::Ours).chain(real).collect()
}
