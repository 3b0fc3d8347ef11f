//! A whole Redis node as one machine without input or output.
//!
//! The node owns everything that decides: connections and their parsing, the command table, the data
//! set, replication in both directions, timers. It owns no socket, no file and no clock. A driver
//! (`server` on tokio, `sim` in virtual time) tells it what happened and carries out what it asks for:
//!
//! - bytes in by [`Node::receive`], bytes out from [`Node::pending`], acknowledged by [`Node::sent`];
//! - time by [`Node::tick`], not later than [`Node::next_deadline`];
//! - everything else as an [`Effect`], in order.
//!
//! # Why it does not implement `core_types::Machine` literally
//!
//! The small machines of the chapters do. Here the input is most often a slice of the driver's read
//! buffer, parsed where it lies, and the output most often a reply appended to a buffer that is there
//! already. Wrapping both in owned enum values would cost a copy and an allocation a command, which is
//! a third of what a `GET` costs. The contract is the same: one event at a time, `now` as an argument,
//! effects in order, the next deadline, invariants.
//!
//! # Layers
//!
//! What a chapter teaches lives in that chapter's crate and is named once, in [`layers`]. With the
//! feature `lab-1` the same name means the learner's crate; nothing else in the tree knows.
//!
//! # Differences from Redis
//!
//! - Snapshots, for replicas and for files, are made in small steps between commands; Redis forks.
//! - A replica loads a snapshot beside its old data and swaps when the snapshot is complete and its
//!   checksum holds (`repl-diskless-load swapdb` in Redis). A torn transfer therefore costs no data.
//! - There is no partial resynchronisation yet: chapter 2 adds the backlog.

mod blocking;
mod commands;
pub mod config;
mod conn;
mod digest;
mod dispatch;
mod effect;
mod info;
mod memory;
mod meters;
mod monitor;
mod node;
mod pause;
mod persistence;
mod pubsub;
mod replication;
mod slowlog;
mod stats;
mod table;
mod transaction;

pub use conn::ConnId;
pub use effect::{Effect, FileEffect, FileEvent, FileId, Peer};
pub use meters::Meters;
pub use node::Node;

/// Each layer of the node, named once: the reference answers, or the learner's under a feature.
pub mod layers {
    #[cfg(feature = "lab-0")]
    pub use lab_0 as wire;
    #[cfg(not(feature = "lab-0"))]
    pub use solution_0 as wire;

    #[cfg(feature = "lab-1")]
    pub use lab_1 as one_replica;
    #[cfg(not(feature = "lab-1"))]
    pub use solution_1 as one_replica;
}
