//! Chapter 7: Cluster: gossip.
//!
//! **The problem.** No node of a cluster is in charge, and still all of them must come to know who is there, who is down, and
//! whether the cluster can serve.
//!
//! **The idea.** Each node looks at the others by itself, and tells a few of what it has seen with every heartbeat. One opinion
//! decides nothing; those of a majority of the masters do.
//!
//! | file | what is decided there | exercise |
//! |---|---|---|
//! | [`handshake`] | who becomes a member, and who is whom | 7.1 |
//! | [`heartbeat`] | whom a node pings, and when it begins to doubt | 7.2, 7.3 |
//! | [`rumour`] | of whom a heartbeat tells, and what its receiver makes of it | 7.4, 7.5 |
//! | [`reports`] | who says that a member fails, and for how long that counts | 7.6 |
//! | [`failure`] | when doubt becomes certainty, and when that is taken back | 7.7 |
//! | [`health`] | when a node stops serving, and when it resumes | 7.8 |
//! | [`cost`] | what all this costs, in bytes | 7.9 |
//!
//! # Differences from Redis
//!
//! - Redis draws the members to tell of with at most three tries for each, so that a heartbeat may tell of fewer than it
//!   wanted. [`rumour::draw`] draws without repetition.
//! - In Redis 7.0 any master may report a failure, also one without slots, although only the masters with slots are counted
//!   for the majority. Here, as in Valkey since version 8, who has no slots has no say.

// Bodies between `// <exercise N.M>` and `// </exercise>` are yours; the rest is given. This crate starts from
// generated code: `cargo workbook reset N.M` puts a body back.
// While bodies are missing, what they will use looks unused or odd. Delete these two lines when you are done.
#![allow(unused)]
#![allow(clippy::all, clippy::todo)]

pub mod cost;
pub mod failure;
pub mod handshake;
pub mod health;
pub mod heartbeat;
pub mod reports;
pub mod rumour;

pub use cost::Plan;
pub use failure::{Opinion, agreed, lifted};
pub use handshake::{
    Expected, Greeting, Introduction, Welcome, introduced, patience, welcome, worth_meeting,
};
pub use health::{Seen, Serving, Why};
pub use heartbeat::{Contact, Due, due, extra_ping};
pub use reports::Reports;
pub use rumour::{Belief, Candidate, Known, Rumour, choose, draw, merge, wanted};
