//! Side-by-side measurements against `redis-server`.
//!
//! - `cargo run --release -p bench` runs tests of `redis-benchmark` against one server and then the other
//!   ([`throughput`]). `-t all` takes all those that `redis-benchmark` runs when it is not told.
//! - `… -- memory` compares what data sets take in memory ([`memory`]).
//! - `… -- sync` compares full synchronisations, and how long a master keeps a client waiting meanwhile
//!   ([`sync`]).
//! - `… -- sync-parts` takes full synchronisations apart, for the book ([`parts`]).
//! - `… -- replicas` compares masters that feed 1, 2 and 4 replicas ([`replicas`]).
//! - `… -- replication-memory` compares what a master needs for one replica that does not read, and for ten
//!   ([`replication_memory`]).
//! - `… -- sentinel-failover` compares how long a client waits when a master dies ([`sentinel_failover`]).
//! - `… -- cluster` compares clusters of three masters, and how fast slots move ([`cluster`]).
//! - `… -- cluster-failover` compares how long a client waits when a master of a cluster dies ([`cluster_failover`]).
//! - `… -- proxy` compares `ha-proxy` with Twemproxy in front of the same three servers ([`proxies`]).
//!
//! Each is done several times in turn, so that whatever else the machine does meets both alike, and the
//! medians are shown. Everything that was started has ended when a command returns.

mod cluster;
mod cluster_failover;
mod failovers;
mod load;
mod measure;
mod memory;
mod parts;
mod prepare;
mod proxies;
mod replicas;
mod replication_memory;
mod report;
mod sentinel_failover;
mod sync;
mod throughput;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use system::redis_tool;

/// Compares ha-server with redis-server on this machine.
#[derive(Parser, Debug)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
#[group(skip)]
struct Options {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    throughput: throughput::Options,
}

#[derive(Subcommand, Debug)]
enum What {
    /// The resident memory of a million strings, and of many small hashes.
    Memory(memory::Options),
    /// A full synchronisation of a million keys, and the master's slowest reply meanwhile.
    Sync(sync::Options),
    /// What each part of a full synchronisation takes.
    SyncParts(parts::Options),
    /// The throughput of a master with some replicas: all of them ours, or all Redis.
    Replicas(replicas::Options),
    /// The memory of a master with one and with ten replicas that do not read.
    ReplicationMemory(replication_memory::Options),
    /// The time from the death of a master to the next write, with three sentinels.
    SentinelFailover(sentinel_failover::Options),
    /// The throughput of three masters, and slots moved in a second by ha-cli and by redis-cli.
    Cluster(cluster::Options),
    /// The time from the death of a master to the next write, in a cluster.
    ClusterFailover(cluster_failover::Options),
    /// The throughput of a proxy in front of three servers: ours, or Twemproxy.
    Proxy(proxies::Options),
}

fn main() -> ExitCode {
    let options = Options::parse();
    if cfg!(debug_assertions) {
        eprintln!("This is a debug build, of ha-server too: use `cargo run --release -p bench`.");
    }
    for tool in ["redis-server", "redis-benchmark"] {
        if redis_tool(tool).is_none() {
            eprintln!("{tool} is not installed: there is nothing to compare with.");
            return ExitCode::FAILURE;
        }
    }
    let result = match &options.what {
        None => throughput::run(&options.throughput),
        Some(What::Memory(options)) => memory::run(options),
        Some(What::Sync(options)) => sync::run(options),
        Some(What::SyncParts(options)) => parts::run(options),
        Some(What::Replicas(options)) => replicas::run(options),
        Some(What::ReplicationMemory(options)) => replication_memory::run(options),
        Some(What::SentinelFailover(options)) => sentinel_failover::run(options),
        Some(What::Cluster(options)) => cluster::run(options),
        Some(What::ClusterFailover(options)) => cluster_failover::run(options),
        Some(What::Proxy(options)) => proxies::run(options),
    };
    match result {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
