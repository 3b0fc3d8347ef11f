//! Chapter 10: Running it.
//!
//! **The problem.** Everything works, until it is operated: a cable breaks, a limit is too small, a rack goes dark, a key is
//! too hot. Whoever runs the thing must know beforehand what will happen then.
//!
//! **The idea.** Break it on purpose, while somebody watches. The answers here decide nothing inside a node: they are
//! *schedules* of faults ([`drill::Schedule`]), lines of configuration files ([`drill::Settings`]) and plans. Whole nodes
//! play them in the simulator, always with the reference layers of chapters 0 to 9, and what happens is what counts. So
//! this lab has no layer in `ha-server` and no feature of its name.
//!
//! | file | what is asked there | exercise |
//! |---|---|---|
//! | [`loss`] | lose a write that a master has acknowledged | 10.1 |
//! | [`bound`] | the settings that bound the loss | 10.2 |
//! | [`confirmed`] | lose a write that a replica has confirmed | 10.3 |
//! | [`full_loop`] | one full synchronisation after the other | 10.4 |
//! | [`mod@sizes`] | buffers that end it | 10.5 |
//! | [`stale`] | read old news from a replica that says that its link is up | 10.6 |
//! | [`stop`] | stop a whole cluster while most of its nodes live | 10.7 |
//! | [`racks`] | place nodes so that any one rack may be lost | 10.8 |
//! | [`cures`] | turn an election that never succeeds into one that does, by one line | 10.9 |
//! | [`skew`] | find heavy slots, a big key and a hot key, and even the memory out | 10.10 |
//!
//! # Differences from Redis
//!
//! None: what is configured here are Redis's own directives, in its own words.

// Bodies between `// <exercise N.M>` and `// </exercise>` are yours; the rest is given. This crate starts from
// generated code: `cargo workbook reset N.M` puts a body back.
// While bodies are missing, what they will use looks unused or odd. Delete these two lines when you are done.
#![allow(unused)]
#![allow(clippy::all, clippy::todo)]

pub mod bound;
pub mod confirmed;
pub mod cures;
pub mod full_loop;
pub mod loss;
pub mod racks;
pub mod sizes;
pub mod skew;
pub mod stale;
pub mod stop;
