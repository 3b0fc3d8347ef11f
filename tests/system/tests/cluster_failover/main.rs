//! Replicas take over, in clusters of ours, of Redis, and of both: by election when a master is killed ([`deaths`]), by
//! `CLUSTER FAILOVER` in its three forms ([`by_hand`]), and where there are several of them ([`several`]).
//!
//! Clients write all the while ([`load`]).

mod agreement;
mod by_hand;
mod deaths;
mod load;
mod several;

/// As short as it can be where live nodes may have to wait for the processor: a death shall be noticed soon.
const FLAGS: [&str; 2] = ["--cluster-node-timeout", "3000"];

/// Servers 0 to 2 begin as masters, 3 to 5 as their replicas.
const MASTERS: usize = 3;
