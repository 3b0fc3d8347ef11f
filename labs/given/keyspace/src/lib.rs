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
//! - A large sorted set is ordered by a treap, not by a skip list; `OBJECT ENCODING` says `skiplist` all
//!   the same.
//! - `SORT` leaves the sorted set it reads in its small form, and never refuses numbers because an earlier
//!   command met one that was out of range (Redis 7.0 does, by a stale `errno`).
//! - Ranges by member of a sorted set whose scores differ have no meaning, and another one here.

mod commands;
mod context;
mod db;
mod dense;
mod errors;
mod evict;
mod expiry;
mod extended;
mod glob;
mod hash;
mod intset;
mod keyspace;
mod list;
mod number;
/// Small sequences in one piece of memory.
pub mod packed;
pub mod rdb;
mod score;
mod set;
mod slots;
mod snapshot;
mod table;
mod usage;
mod value;
mod zset;

pub use context::{Ctx, Effects, TimeoutReply, Wait};
pub use db::Db;
pub use evict::Evict;
pub use expiry::Deleted;
pub use glob::matches;
pub use hash::{Fields, Hash};
pub use intset::IntSet;
pub use keyspace::{Compact, Keyspace};
pub use list::{End, List};
pub use number::parse_i64;
pub use packed::{Item, Packed};
pub use set::{Members, Set};
pub use slots::SlotOf;
pub use snapshot::Snapshot;
pub use table::{COMMANDS, CommandSpec, Flags, Handler, Keys};
pub use usage::Usage;
pub use value::{Digits, Entry, Str, Value, WrongType};
pub use zset::{Range, Tree, Zset};
