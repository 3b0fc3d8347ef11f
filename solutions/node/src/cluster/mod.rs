//! A node of a cluster: what it knows of the others, which slots it serves, and where it sends clients whose
//! keys are elsewhere.
//!
//! - `state`, `member`, `owners`: what is known. Nothing is decided there.
//! - `nodes_file`: the text of `nodes.conf`; `storage`: when it is read and written.
//! - `commands`, `slots`, `membership`, `show`: what `CLUSTER` says and does.
//! - `health`: whether the cluster serves, in the eyes of this node.
//! - `routing`: every command on its way in. The decision is chapter 8's.
//! - `migrate`: keys on their way to another node.
//! - `bus`: what nodes say to one another.
//!
//! # Differences from Redis
//!
//! - `nodes.conf` is written beside the old one and takes its name when it is on the disk; Redis 7.0 writes in
//!   place. It is written, and forced to the disk, while the node goes on; the answer to a `CLUSTER` command that has
//!   changed something leaves when it is there.
//! - A `nodes.conf` with a flag that does not exist ends the process with an exit code; Redis aborts.
//! - `MIGRATE` does not stop the node; see `migrate`.

pub(crate) mod bus;
mod commands;
mod health;
mod member;
mod membership;
pub(crate) mod migrate;
mod nodes_file;
mod owners;
pub(crate) mod routing;
mod show;
mod slots;
mod state;
mod storage;

pub(crate) use self::bus::{Bus, BusLink};
pub(crate) use commands::cluster;
pub(crate) use member::{Flag, Flags, Link, Member};
pub(crate) use migrate::{Courier, Ended, Migrations, migrate};
pub(crate) use routing::{asking, readonly, readwrite};
pub(crate) use state::{Cluster, Health};
pub(crate) use storage::{FileHold, Storage};
