//! The data set of a node: keys, values, expiry and databases, the commands on them, and RDB files.
//!
//! Nothing here does any input or output or reads a clock. A command gets its arguments, the moment at
//! which it runs and a place for its reply in a [`Ctx`], and leaves in [`Effects`] what the replicas
//! must be told. [`COMMANDS`] is the list of them.
//!
//! Whoever runs commands also says what becomes of a key whose time is up
//! ([`ExpiredKey`](core_types::ExpiredKey)): a master deletes it and tells its replicas with a `DEL`, a
//! replica hides it from clients and leaves it to its master.
//!
//! # Differences from Redis
//! - The order of keys (`KEYS`, `SCAN`) follows from the commands alone: see [`Db`].
//! - `UNLINK` and `FLUSHALL ASYNC` free memory at once: there is no background thread.
//! - Patterns never take exponential time: see [`matches()`].

mod commands;
mod context;
mod db;
mod errors;
mod expiry;
mod extended;
mod glob;
mod keyspace;
mod number;
pub mod rdb;
mod table;
mod value;

pub use context::{Ctx, Effects};
pub use db::Db;
pub use expiry::Deleted;
pub use glob::matches;
pub use keyspace::Keyspace;
pub use number::parse_i64;
pub use table::{COMMANDS, CommandSpec, Flags, Handler, Keys};
pub use value::{Digits, Entry, Str, Value, WrongType};
