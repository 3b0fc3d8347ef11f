//! Chapter 6: Distributing data.
//!
//! **The problem.** One master has one machine's memory and one core's writes. A larger data set lives on several, and
//! then every client must know, for each key, on which; and must still know it when a machine is added.
//!
//! **The idea.** A place is *computed* from the key, not looked up. What is computed decides how much must move when
//! the number of machines changes: nearly everything (modulo), a fair share (a ring), or exactly what an operator
//! chooses (slots: the computation ends at one of 16384 parts, and a small table says where each part lives).
//!
//! | file | what is decided there | exercise |
//! |---|---|---|
//! | [`modulo`] | the remainder decides, servers by weight | 6.1 |
//! | [`ring`] | points on a circle, and who owns a hash | 6.2, 6.3 |
//! | [`hash_slot`] | a key's slot: CRC16 by hand, and which part of the key is hashed | 6.4, 6.5 |
//! | [`bitmap`] | a set of slots as 2048 bytes, and as ranges | 6.6 |
//! | [`client`] | a pipeline, divided by node and put together again | 6.7 |
//! | [`proxy`] | one command for several servers, several replies for one client | 6.8 |
//! | [`health`] | when a proxy gives a server up, and when it tries again | 6.9 |
//!
//! Around them is given: [`commands`] (where a command's keys are), [`hash`] (the hash functions that proxies
//! offer), [`pool`] (servers, distribution and health together: what a proxy asks for each key) and [`compare`] (the
//! table of the chapter).
//!
//! # Differences from Twemproxy
//!
//! Placement is Twemproxy's, to the point: `nutcracker` 0.5 with the same servers, hash and distribution sends each key to
//! the same server. What differs:
//!
//! - A command that needs several keys together (`SUNIONSTORE`, `EVAL` with keys) is refused when they live on
//!   different servers. Twemproxy sends it to the first key's server, which then knows nothing of the others.
//! - `MSETNX`, `RENAME`, `SORT` and others whose keys share a server are sent on. Twemproxy knows fewer commands, and hangs up on
//!   a client that sends another one; here it is told why ([`Refusal`]).
//! - A command whose keys all live on one server is sent on as it came, so that an `MSET` there stays one step.
//! - Failures of a server that is ejected already are not counted again ([`health`]).
//! - A server's name counts in full; Twemproxy cuts its points' names at 85 characters.

// Bodies between `// <exercise N.M>` and `// </exercise>` are yours; the rest is given. This crate starts from
// generated code: `cargo workbook reset N.M` puts a body back.
// While bodies are missing, what they will use looks unused or odd. Delete these two lines when you are done.
#![allow(unused)]
#![allow(clippy::all, clippy::todo)]

pub mod bitmap;
pub mod client;
pub mod commands;
pub mod compare;
pub mod hash;
pub mod hash_slot;
pub mod health;
pub mod modulo;
pub mod pool;
pub mod proxy;
pub mod ring;

pub use bitmap::{WIRE_LEN, from_wire, ranges, to_wire};
pub use client::{Batch, batches, restore};
pub use commands::{Asks, Join, Refusal, asks};
pub use hash::Hash;
pub use hash_slot::{BRACES, crc16_by_hand, hash_tag, key_slot};
pub use health::{Health, HealthSettings};
pub use modulo::modulo;
pub use pool::{Distribution, Pool};
pub use proxy::{Part, Route, join, route, split};
pub use ring::{POINTS_PER_SERVER, Point, Ring, Server};
