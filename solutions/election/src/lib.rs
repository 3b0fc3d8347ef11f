//! Chapter 9: Cluster: failover election.
//!
//! **The problem.** A master is gone, and several replicas could take its place. Exactly one shall, and everybody shall come to
//! agree on it, also those who were away.
//!
//! **The idea.** A replica asks the masters for their votes, in an epoch that has not been used. Who has a majority of them
//! claims the slots with that epoch, and of two claims the one with the greater epoch counts.

pub mod claims;
pub mod epochs;
