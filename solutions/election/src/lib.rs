//! Chapter 9: Cluster: failover election.
//!
//! **The problem.** A master is gone, and several replicas could take its place. Exactly one shall, and everybody shall come to
//! agree on it, also those who were away.
//!
//! **The idea.** A replica asks the masters for their votes, in an epoch that has not been used. Who has a majority of them
//! claims the slots with that epoch, and of two claims the one with the greater epoch counts.
//!
//! | file | what is decided there | exercise |
//! |---|---|---|
//! | [`mod@rank`] | which replica asks first | 9.1 |
//! | [`age`] | is its data fresh enough | 9.2 |
//! | [`votes`] | who gets a vote, and what a voter does in which order | 9.3, 9.4 |
//! | [`candidate`] | a replica's election, from the delay to the majority | 9.5 |
//! | [`mod@takeover`] | what the winner does | 9.6 |
//! | [`claims`] | whose a slot is if two say that it is theirs | 9.7 |
//! | [`epochs`] | two masters with one epoch; an epoch without a vote | 9.8 |
//! | [`manual`] | `CLUSTER FAILOVER` in its three forms, at both ends | 9.9 |
//! | [`wander`] | which replica moves to a master that has lost its own | 9.10 |
//!
//! # Differences from Redis
//!
//! - [`candidate::Candidate`] counts voters, not packets, and forgets an election that it has won.
//! - [`age::too_old`] counts milliseconds where Redis counts whole seconds.
//! - [`wander::destination`] takes the orphan with the smallest id where Redis takes the first of a hash table, and lets
//!   replicas of failed masters out of the comparison.

pub mod age;
pub mod candidate;
pub mod claims;
pub mod epochs;
pub mod manual;
pub mod rank;
pub mod takeover;
pub mod votes;
pub mod wander;
