//! Chapter 5: Sentinel, second half: electing a leader and failing over.
//!
//! **The problem.** Enough sentinels agree that the master is down. Now exactly one of them must act, the best
//! replica must take over, and everyone, also those who were not there, must end up with the same answer to
//! the question who the master is.
//!
//! **The idea.** *Epochs* number the attempts. In each epoch a sentinel has one vote, given to whoever asks first
//! and written to disk before it leaves. Who has a majority of *all known* sentinels (and at least the quorum)
//! leads that epoch; the configuration that results carries its number, and the greater number wins everywhere.
//!
//! | file | what is decided there | exercise |
//! |---|---|---|
//! | [`ballot`] | one vote an epoch, on disk first | 5.1 |
//! | [`leader`] | how many votes are needed, and who has them | 5.2 |
//! | [`attempt`] | when to try, when to give up, when to try again | 5.3 |
//! | [`choice`] | which replica takes over | 5.4 |
//! | [`stages`] | the failover, step by step, with its timeouts | 5.5 |
//! | [`rewire`] | the other replicas, some at a time | 5.6 |
//! | [`config`] | which configuration is newer, and who does not live up to it | 5.7, 5.8 |
//!
//! # Differences from Redis
//!
//! - Among candidates with equally many votes, [`favourite`] takes the smallest run id. Redis takes the first one in its
//!   hash table.
//! - A vote counts as long as its epoch does ([`leader()`]). Redis forgets it together with the opinion after five seconds
//!   without an answer.
//! - If the vote cannot be written to disk, Redis logs a warning and answers all the same. What
//!   [`VoteAnswer::must_be_saved`] asks for is a condition here: the node answers with an error.

// Bodies between `// <exercise N.M>` and `// </exercise>` are yours; the rest is given. This crate starts from
// generated code: `cargo workbook reset N.M` puts a body back.
// While bodies are missing, what they will use looks unused or odd. Delete these two lines when you are done.
#![allow(unused)]
#![allow(clippy::all, clippy::todo)]

pub mod attempt;
pub mod ballot;
pub mod choice;
pub mod config;
pub mod leader;
pub mod rewire;
pub mod stages;

pub use attempt::{Attempt, Timing, election_is_over, may_start};
pub use ballot::{Ballot, Vote, VoteAnswer};
pub use choice::{Candidate, Situation, choose};
pub use config::{Claim, Correction, Reported, Standing, correction, newer};
pub use leader::{favourite, leader, losses_survived, votes_needed};
pub use rewire::{Rewire, RewireStep, next_to_rewire, rewire_is_over, rewired};
pub use stages::{Act, Facts, Failover, Stage};
