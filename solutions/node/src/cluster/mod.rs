//! A node of a cluster: what it knows of the others, which slots it serves, and where it sends clients whose
//! keys are elsewhere.
//!
//! - `state`, `member`, `owners`: what is known. Nothing is decided there.
//! - `nodes_file`: the text of `nodes.conf`; `storage`: when it is read and written.
//! - `commands`, `slots`, `membership`, `show`: what `CLUSTER` says and does.
//! - `health`: whether the cluster serves, in the eyes of this node. The decision is chapter 7's.
//! - `election`, `votes`, `manual`, `wander`: who takes a master's place. The decisions are chapter 9's.
//! - `routing`: every command on its way in. The decision is chapter 8's.
//! - `migrate`: keys on their way to another node.
//! - `bus`: what nodes say to one another.
//!
//! # Differences from Redis
//!
//! - `nodes.conf` is filled up with blanks to whole blocks of the disk. One block is written over in place, as Redis 7.0
//!   does with a file of any size; several are written beside the old file and take its name. It is forced to the disk
//!   when Redis does so, but while the node goes on; see `storage`.
//! - A `nodes.conf` with a flag that does not exist ends the process with an exit code; Redis aborts.
//! - `MIGRATE` does not stop the node, but inside a transaction; see `migrate`.

pub(crate) mod bus;
mod commands;
mod election;
mod health;
mod manual;
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
mod votes;
mod wander;

pub(crate) use self::bus::{Bus, BusLink};
pub(crate) use commands::cluster;
pub(crate) use member::{Flag, Flags, Link, Member};
pub(crate) use migrate::{Courier, Ended, Journey, Migrations, migrate};
pub(crate) use routing::{asking, readonly, readwrite};
pub(crate) use state::Cluster;
pub(crate) use storage::{FileHold, Storage};
