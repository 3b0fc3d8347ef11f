//! The node on real sockets: `ha-server`, `ha-cli` to talk to it, and `ha-proxy` in front of several.
//!
//! Everything that decides is in the crate `node`. Here is only the edge: sockets, the clock, the log,
//! signals, the configuration's files.
//!
//! # How the driver works
//!
//! One thread, one [`node::Node`], one task for each connection. A task that finds its socket readable
//! reads into a buffer that all tasks share and hands the node that slice. The node names the connections
//! that have something to say now (the one that asked; after a write, the replicas too), and one further
//! task writes for all of them, after everything that could be read has been executed. That makes one read
//! and one write for a whole pipeline of commands, no copy in between, and peers that wake once for many
//! replies.
//!
//! - A slow reader blocks nobody: its bytes stay in the node's buffer for it, and its own task waits until
//!   the socket takes more. If a client lets its replies pile up, the node says so, and its task stops
//!   reading.
//! - A client that never stops sending does not starve the others: a task gives way after each full buffer.
//! - The clock is read once for each event.
//! - Files have a thread of their own, which does one thing after the other and says when it is done. The
//!   append-only file goes on once everybody whose bytes had arrived has had a turn, so that one `fsync`
//!   serves them all.
//!
//! # Differences from Redis
//!
//! - `enable-test-partition yes`, which is off by default, lets tests and the bench cut a node off from others: sockets
//!   with those peers are left alone, as if the cable were cut. See the module `partition` of the crate `node`.
//! - A panic, which only a bug of ours can cause, ends the process. If the panic is the `todo!` of an
//!   exercise, it ends with one line that names the exercise; see [`unwritten`].
//! - `HA_EXIT_WITH_PARENT=1` in the environment: end when standard input does. A program that starts nodes
//!   keeps the other end of that pipe, so that a killed program leaves no node behind.

mod allocator;
pub mod cli;
mod clock;
mod connection;
mod disk;
mod driver;
mod files;
mod limits;
mod lines;
mod listen;
mod log;
mod meters;
mod programs;
pub mod proxy;
mod start;
pub mod unwritten;

pub use meters::Counting;
pub use start::main;

/// The system's reason for an error, as C's `strerror` gives it: without Rust's `(os error 111)`.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((reason, _)) => reason.to_owned(),
        // What the resolver says comes with a prefix of its own.
        None => match text.strip_prefix("failed to lookup address information: ") {
            Some(reason) => reason.to_owned(),
            None => text,
        },
    }
}
