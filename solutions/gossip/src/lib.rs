//! Chapter 7: Cluster: gossip.
//!
//! **The problem.** No node of a cluster is in charge, and still all of them must come to know who is there, who is down, and
//! whether the cluster can serve.
//!
//! **The idea.** Each node looks at the others by itself, and tells a few of what it has seen with every heartbeat. One opinion
//! decides nothing; those of a majority of the masters do.

pub mod failure;
pub mod handshake;
pub mod heartbeat;
pub mod rumour;
