//! A replica equals its master after a random write load over all types, real Redis on either side.
//!
//! Two connections write at once; the full synchronisation begins and ends in the middle of it. Then both
//! servers are read key by key, each with the commands of its type, and compared.
//!
//! - `HA_LOAD_OPS`: how many commands and transactions at least (a few seconds' worth by default).
//! - `HA_LOAD_SEED`: where the randomness comes from. With two writers a run does not replay exactly, but
//!   the kinds of commands are the same.

#[path = "all_types/contents.rs"]
mod contents;
#[path = "all_types/load.rs"]
mod load;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use load::{Load, Refused};
use system::bounded::StopAtEnd;
use system::{Kind, Server, redis_tool_or_skip, wait};

/// Commands in one pipeline of a writer.
const AT_ONCE: usize = 50;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Writes in pipelines until it is told to stop.
fn write(master: &Server, mut load: Load, done: &AtomicU64, stop: &AtomicBool) -> Refused {
    let mut client = master.client();
    let mut refused = Refused::default();
    while !stop.load(Ordering::Relaxed) {
        let commands: Vec<_> = (0..AT_ONCE).flat_map(|_| load.next()).collect();
        let replies = client.pipeline(&commands);
        refused.note(&commands, &replies);
        done.fetch_add(AT_ONCE as u64, Ordering::Relaxed);
    }
    refused
}

/// Writes to a master of one kind, with a replica of another kind from the first third on.
fn equal_after_load(master: Kind, replica: Kind) {
    let (operations, seed) = (number("HA_LOAD_OPS", 60_000), number("HA_LOAD_SEED", 1));
    let master = Server::start(master, &[]);
    let (done, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (replica, refused) = std::thread::scope(|scope| {
        let _stop = StopAtEnd(&stop);
        let writers = [2 * seed, 2 * seed + 1].map(|seed| {
            let (master, done, stop) = (&master, &done, &stop);
            scope.spawn(move || write(master, Load::new(seed), done, stop))
        });
        // No end of patience as long as they write: a minute's worth of load may take a minute.
        let wait_for = |count: u64| {
            let reached = || done.load(Ordering::Relaxed) >= count;
            let ended = || writers.iter().any(|writer| writer.is_finished());
            while wait::find_within(wait::PATIENCE, || (reached() || ended()).then_some(())).is_none() {}
        };
        wait_for(operations / 3);
        let replica = Server::start(replica, &["--replicaof", "127.0.0.1", &master.port_text()]);
        replica.wait_for_link();
        wait_for(operations.max(done.load(Ordering::Relaxed) + operations / 3));
        stop.store(true, Ordering::Relaxed);
        (replica, writers.map(|writer| writer.join().expect("the writer ends")))
    });
    refused.iter().for_each(Refused::check);
    let expected = contents::read_when_settled(&master);
    replica.wait_for_offset_of(&master);
    expected.assert_varied();
    expected.assert_equal(&contents::read(&replica), seed);
}

#[test]
fn a_real_replica_equals_our_master_after_a_load_of_all_types() {
    let test = "a_real_replica_equals_our_master_after_a_load_of_all_types";
    if redis_tool_or_skip(test, "redis-server").is_some() {
        equal_after_load(Kind::Ours, Kind::Redis);
    }
}

#[test]
fn our_replica_equals_a_real_master_after_a_load_of_all_types() {
    let test = "our_replica_equals_a_real_master_after_a_load_of_all_types";
    if redis_tool_or_skip(test, "redis-server").is_some() {
        equal_after_load(Kind::Redis, Kind::Ours);
    }
}

#[test]
fn our_replica_equals_our_master_after_a_load_of_all_types() {
    equal_after_load(Kind::Ours, Kind::Ours);
}
