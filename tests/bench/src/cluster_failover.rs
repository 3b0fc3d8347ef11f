//! A failover in a cluster as a client sees it: from the death of a master (`kill -9`) to the first write that somebody
//! takes for one of its slots. Our nodes beside Redis's, with the same settings.
//!
//! In each round a new cluster is started: three masters, with a replica each. When everybody knows everybody, and the
//! replicas have their copies, the first master is killed. The client then asks one survivor after the other to take the
//! write, and goes where it is sent, until it succeeds.

use clap::Args;
use core_types::Frame;
use solution_6::key_slot;
use system::{Client, Cluster, Kind, Server, wait};

use crate::failovers::{in_turn, now};

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Rounds, each with a cluster of either kind.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// How long a node must be silent to be suspected (`cluster-node-timeout`), in milliseconds.
    #[arg(long, default_value_t = 2000)]
    node_timeout: u64,
}

/// Masters of a cluster, each with one replica.
const MASTERS: usize = 3;

/// Runs all rounds, and returns the table.
pub(crate) fn run(options: &Options) -> Result<String, String> {
    let settings =
        format!("{MASTERS} masters with a replica each, cluster-node-timeout {} ms", options.node_timeout);
    in_turn(options.rounds, &settings, |kind| fail_over(kind, options))
}

/// One failover, in milliseconds.
fn fail_over(kind: Kind, options: &Options) -> Result<f64, String> {
    let timeout = options.node_timeout.to_string();
    let kinds = [kind; MASTERS];
    let mut cluster = Cluster::with_replicas(&kinds, &kinds, &["--cluster-node-timeout", &timeout]);
    // The first master has the first share of the slots.
    let share = 16384 / MASTERS as u16;
    let key =
        (0..).map(|number| format!("key:{number}")).find(|key| key_slot(key.as_bytes()).number() < share);
    let key = key.expect("some key is in the first third");
    if !matches!(set(cluster.servers[0].port(), &key), Some(Frame::Simple(_))) {
        return Err(format!("the first master does not take {key}"));
    }
    let dead = cluster.servers[0].port();
    let survivors: Vec<u16> = cluster.servers[1..].iter().map(Server::port).collect();
    let killed = now();
    cluster.servers[0].kill();
    let written = wait::find_within(wait::PATIENCE, || {
        survivors.iter().any(|port| write(*port, &key, dead)).then(|| killed.elapsed())
    });
    let written = written.ok_or_else(|| {
        let logs: Vec<String> = cluster.servers[1..].iter().map(Server::log).collect();
        format!("nobody takes writes:\n{}", logs.join("\n----\n"))
    })?;
    Ok(written.as_secs_f64() * 1000.0)
}

/// True if it takes the write, or whom it names does.
fn write(port: u16, key: &str, dead: u16) -> bool {
    match set(port, key) {
        Some(Frame::Simple(text)) => text == "OK",
        Some(Frame::Error(text)) => {
            let named = text.strip_prefix("MOVED ").and_then(|moved| moved.rsplit_once(':')?.1.parse().ok());
            named.is_some_and(|named: u16| {
                named != dead && set(named, key) == Some(Frame::Simple("OK".into()))
            })
        }
        _ => false,
    }
}

/// `None`: nobody answers.
fn set(port: u16, key: &str) -> Option<Frame> {
    Client::connect(port).ok()?.try_call(&["SET", key, "1"]).ok()
}
