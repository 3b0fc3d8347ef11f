//! A full synchronisation: how long it takes from `REPLICAOF` until the replica's link is up, and how long
//! the slowest reply of the master takes meanwhile. Our master with our replica, Redis's with Redis's.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{park_timeout, scope};
use std::time::{Duration, Instant};

use clap::Args;
use core_types::Frame;
use system::{Kind, Server, wait};

use crate::load;
use crate::measure::median;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Keys of 16 bytes with values of 32.
    #[arg(long, default_value_t = 1_000_000)]
    keys: u64,
    /// Rounds. The medians are shown.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// Between two questions of the probing client: it is to notice a wait, not to be one.
const PAUSE: Duration = Duration::from_millis(1);

#[derive(Clone, Copy)]
struct Sync {
    seconds: f64,
    /// Milliseconds.
    slowest: f64,
}

/// Synchronises a fresh replica in every round and returns the table.
pub(crate) fn run(options: &Options) -> Result<String, String> {
    let masters = [Kind::Redis, Kind::Ours].map(|kind| Server::start(kind, &[]));
    masters.iter().for_each(|master| load::strings(master, options.keys));
    let mut found = [Vec::new(), Vec::new()];
    for round in 0..options.rounds.max(1) {
        for turn in 0..2 {
            let side = (round + turn) % 2;
            let kind = [Kind::Redis, Kind::Ours][side];
            let sync = measure(&masters[side], kind, options.keys)?;
            eprintln!("{kind:?}: {:.2} s, slowest reply {:.1} ms", sync.seconds, sync.slowest);
            found[side].push(sync);
        }
    }
    Ok(table(options, &found))
}

/// One full synchronisation, with a client that asks the master all the time.
fn measure(master: &Server, kind: Kind, keys: u64) -> Result<Sync, String> {
    let replica = Server::start(kind, &[]);
    let mut probe = master.client();
    let done = AtomicBool::new(false);
    let (seconds, slowest) = scope(|scope| {
        let probing = scope.spawn(|| {
            let mut slowest = Duration::ZERO;
            while !done.load(Ordering::Relaxed) {
                let asked = now();
                probe.run("GET key:000000000000");
                slowest = slowest.max(asked.elapsed());
                park_timeout(PAUSE);
            }
            slowest
        });
        let begun = now();
        replica.run(&format!("REPLICAOF 127.0.0.1 {}", master.port()));
        let mut client = replica.client();
        let up = || (client.info("master_link_status") == "up").then_some(());
        let came = wait::find_within(wait::PATIENCE, up).map(|()| begun.elapsed());
        // However it went: the other thread must end.
        done.store(true, Ordering::Relaxed);
        (came, probing.join())
    });
    let seconds = seconds.ok_or_else(|| format!("no link to the master:\n{}", replica.log()))?;
    match replica.run("DBSIZE") {
        Frame::Integer(found) if found == keys as i64 => {}
        other => return Err(format!("the replica holds not {keys} keys but {other:?}")),
    }
    let slowest = slowest.map_err(|_| "the master stopped answering")?;
    Ok(Sync { seconds: seconds.as_secs_f64(), slowest: slowest.as_secs_f64() * 1000.0 })
}

fn table(options: &Options, found: &[Vec<Sync>; 2]) -> String {
    let mut text = format!("full sync of {} keys, medians of {} rounds\n\n", options.keys, options.rounds);
    text += "| what                       |    redis |     ours | ratio |\n";
    text += "|----------------------------|---------:|---------:|------:|\n";
    let mut line = |what: &str, value: fn(&Sync) -> f64| {
        let [redis, ours] =
            [0, 1].map(|side| median(found[side].iter().map(value).collect()).unwrap_or_default());
        let _ = writeln!(text, "| {what:<26} | {redis:>8.2} | {ours:>8.2} | {:>5.2} |", ours / redis);
    };
    line("seconds", |sync| sync.seconds);
    line("master's slowest reply, ms", |sync| sync.slowest);
    text + "\nRatios below 1.00 are in favour of ha-server."
}

#[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
fn now() -> Instant {
    Instant::now()
}
