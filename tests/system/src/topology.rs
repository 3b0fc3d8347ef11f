//! What tests of several servers share: who follows whom, when all is equal, which way it came about.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use core_types::Frame;

use crate::{Cable, Client, Kind, Server, redis_tool_or_skip, wait};

/// Flags for servers whose data and offsets are compared: `DEBUG DIGEST` works, and nothing gets into the
/// stream just because time goes by.
pub const QUIET: [&str; 4] = ["--enable-debug-command", "yes", "--repl-ping-replica-period", "3600"];

/// How many synchronisations a master has done: full ones, partial ones, and partial ones it was asked for
/// and could not do.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Syncs {
    /// `sync_full`
    pub full: u64,
    /// `sync_partial_ok`
    pub partial: u64,
    /// `sync_partial_err`
    pub refused: u64,
}

impl Syncs {
    /// As `server` counts them.
    pub fn of(server: &Server) -> Syncs {
        let mut client = server.client();
        let mut count = |field: &str| client.info(field).parse().expect("a number");
        Syncs {
            full: count("sync_full"),
            partial: count("sync_partial_ok"),
            refused: count("sync_partial_err"),
        }
    }
}

/// Tells `replica` to follow what listens on `port`.
///
/// # Panics
/// If it does not say `OK`.
pub fn follow(replica: &Server, port: u16) {
    let reply = replica.run(&format!("REPLICAOF 127.0.0.1 {port}"));
    assert_eq!(reply, Frame::Simple("OK".into()));
}

/// The same over a new cable; waits until the link is up.
pub fn follow_by_cable(replica: &Server, master: &Server) -> Cable {
    let cable = Cable::to(master.port());
    follow(replica, cable.port());
    replica.wait_for_link();
    cable
}

/// Cuts a replica's cable and waits until the replica knows.
pub fn cut_off(replica: &Server, cable: &Cable) {
    cable.cut();
    let mut client = replica.client();
    wait::until("the link to go down", || client.info("master_link_status") == "down");
}

/// What one server holds, and how far it is.
#[derive(Clone, PartialEq, Debug)]
struct Standing {
    history: String,
    offset: String,
    digest: Frame,
}

fn standing(client: &mut Client) -> Standing {
    Standing {
        history: client.info("master_replid"),
        offset: client.info("master_repl_offset"),
        digest: client.run("DEBUG DIGEST"),
    }
}

/// True if a master counts all replicas that are attached to it as online: only then do they take part in
/// `WAIT`, and in a failover.
pub fn all_online(master: &mut Client) -> bool {
    let attached: usize = master.info("connected_slaves").parse().expect("a number");
    (0..attached).all(|index| master.info(&format!("slave{index}")).contains("state=online"))
}

/// Waits until all these servers have equal data at equal offsets of the same history, nothing being written,
/// and their replicas are online.
///
/// # Panics
/// With a line for each server, if that does not come about.
pub fn settle(servers: &[&Server]) {
    let mut clients: Vec<Client> = servers.iter().map(|server| server.client()).collect();
    let mut last = Vec::new();
    let settled = wait::find_within(wait::PATIENCE, || {
        last = clients.iter_mut().map(standing).collect();
        let equal = last.iter().all(|standing| *standing == last[0]);
        // A replica says all this also while its link is down.
        let linked = clients.iter_mut().all(|client| client.info("master_link_status") != "down");
        (equal && linked && clients.iter_mut().all(all_online)).then_some(())
    });
    if settled.is_none() {
        let mut text = String::from("the servers do not become equal:");
        for (server, standing) in servers.iter().zip(&last) {
            let link = server.info("master_link_status");
            let _ = write!(text, "\n  {:?} {} link {link:?}: {standing:?}", server.kind(), server.port());
        }
        let other = last.iter().position(|standing| standing.digest != last[0].digest);
        if let Some(other) = other {
            text += &differing_keys(servers[0], servers[other]);
        }
        panic!("{text}");
    }
}

/// The first keys that two servers hold different values of, or until different times.
fn differing_keys(left: &Server, right: &Server) -> String {
    let mut text = String::new();
    let mut sides = [left.client(), right.client()];
    for db in 0..16 {
        let mut keys = BTreeSet::new();
        for side in &mut sides {
            side.run(&format!("SELECT {db}"));
            let Frame::Array(found) = side.run("KEYS *") else { continue };
            keys.extend(found.iter().filter_map(Frame::as_bytes).map(<[u8]>::to_vec));
        }
        for key in keys {
            let [left, right] = sides.each_mut().map(|side| {
                let mut ask = |command: &[&str]| {
                    let words = command.iter().map(|word| word.as_bytes()).chain([key.as_slice()]);
                    side.call(&words.collect::<Vec<_>>())
                };
                [ask(&["DEBUG", "DIGEST-VALUE"]), ask(&["PEXPIRETIME"]), ask(&["TYPE"]), ask(&["DUMP"])]
            });
            if left[..3] != right[..3] {
                let key = core_types::show_bytes(&key);
                let _ = write!(text, "\n  db {db} {key}:\n    {left:?}\n    {right:?}");
            }
        }
    }
    text
}

/// Runs a scenario with each combination of master and replica that has one of ours in it, all at the same
/// time. Without Redis only that of ours with ours is run, and the name of the test is printed as skipped.
///
/// # Panics
/// If one of them does; with who was who.
pub fn each_pair(test: &str, scenario: impl Fn(Kind, Kind) + Sync) {
    let mut pairs = vec![(Kind::Ours, Kind::Ours)];
    if redis_tool_or_skip(test, "redis-server").is_some() {
        pairs.extend([(Kind::Ours, Kind::Redis), (Kind::Redis, Kind::Ours)]);
    }
    together(pairs, |(master, replica)| scenario(*master, *replica));
}

/// Runs a scenario for each of these at the same time.
///
/// # Panics
/// If one of them does; with which.
pub fn together<T: std::fmt::Debug + Send, R: Send>(
    cases: impl IntoIterator<Item = T>,
    scenario: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let scenario = &scenario;
    std::thread::scope(|scope| {
        let run = |case: T| {
            scope.spawn(move || {
                let result = catch_unwind(AssertUnwindSafe(|| scenario(&case)));
                result.map_err(|panic| (format!("{case:?}"), panic))
            })
        };
        let handles: Vec<_> = cases.into_iter().map(run).collect();
        let results: Vec<_> =
            handles.into_iter().map(|handle| handle.join().expect("it is caught")).collect();
        let result = |result: Result<R, (String, _)>| {
            result.unwrap_or_else(|(case, panic)| {
                eprintln!("the case that failed: {case}");
                std::panic::resume_unwind(panic)
            })
        };
        results.into_iter().map(result).collect()
    })
}
