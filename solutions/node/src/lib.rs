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
//! - A snapshot is streamed to the replicas that understand an end mark, and kept whole for the others, in
//!   one go; Redis makes one kind for all. Nothing of it goes to the disk in either case
//!   (`repl-diskless-sync no` only makes all of them take it whole).
//! - `repl-diskless-load` is accepted, and always `swapdb` in effect; `repl-disable-tcp-nodelay` is accepted,
//!   and the driver never waits to fill a segment.
//! - Without a `save` line there are no save points: nodes that are started to try something leave no file behind.
//! - For tests of ours, and only if the configuration allows it, a node can be cut off from others: see `partition`.
//! - A `+CONTINUE` that was not asked for, or with something behind it that is no id, ends the attempt.

mod blocking;
mod cluster;
mod commands;
pub mod config;
mod conn;
mod digest;
mod dispatch;
mod effect;
mod events;
mod info;
mod memory;
mod meters;
mod monitor;
mod node;
mod observe;
mod output;
mod partition;
mod pause;
mod persistence;
mod pubsub;
mod replication;
mod sentinel;
mod slowlog;
mod standstill;
mod stats;
mod table;
mod transaction;

pub use conn::ConnId;
pub use effect::{Effect, FileEffect, FileEvent, FileId, Peer};
pub use meters::Meters;
pub use node::Node;
pub use observe::{ClusterView, MemberView};
pub use sentinel::{Watched, WatchedReplica};

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

    #[cfg(feature = "lab-2")]
    pub use lab_2 as offsets;
    #[cfg(not(feature = "lab-2"))]
    pub use solution_2 as offsets;

    #[cfg(feature = "lab-3")]
    pub use lab_3 as trees;
    #[cfg(feature = "lab-4")]
    pub use lab_4 as watching;
    #[cfg(not(feature = "lab-3"))]
    pub use solution_3 as trees;
    #[cfg(not(feature = "lab-4"))]
    pub use solution_4 as watching;

    #[cfg(feature = "lab-5")]
    pub use lab_5 as failover;
    #[cfg(not(feature = "lab-5"))]
    pub use solution_5 as failover;

    #[cfg(feature = "lab-6")]
    pub use lab_6 as sharding;
    #[cfg(not(feature = "lab-6"))]
    pub use solution_6 as sharding;

    #[cfg(feature = "lab-7")]
    pub use lab_7 as gossip;
    #[cfg(not(feature = "lab-7"))]
    pub use solution_7 as gossip;

    #[cfg(feature = "lab-8")]
    pub use lab_8 as redirection;
    #[cfg(not(feature = "lab-8"))]
    pub use solution_8 as redirection;

    #[cfg(feature = "lab-9")]
    pub use lab_9 as election;
    #[cfg(not(feature = "lab-9"))]
    pub use solution_9 as election;
}
