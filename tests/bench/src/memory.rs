//! The resident memory of a server that holds a known data set, as the system counts it: with the allocator's
//! waste, the tables' spare room, and what the server takes when it is empty.
//!
//! Looked at twice: at once, and a moment later, because an allocator gives memory back to the system with
//! some delay (what a table left behind when it grew is the largest part), and only while it has work.

use std::fmt::Write;
use std::time::Duration;

use clap::Args;
use system::{Kind, Server, wait};

use crate::load;
use crate::measure::{median, resident};

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Keys of 16 bytes with values of 32.
    #[arg(long, default_value_t = 1_000_000)]
    keys: u64,
    /// Hashes of ten small fields.
    #[arg(long, default_value_t = 100_000)]
    hashes: u64,
    /// Rounds. The medians are shown.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// How long "later" is: longer than the allocator's delay of a second.
const MOMENT: Duration = Duration::from_millis(2500);

type Load = fn(&Server, u64);

/// Loads each data set into a fresh server of either kind and returns the table.
pub(crate) fn run(options: &Options) -> Result<String, String> {
    let sets: [(&str, Load, u64); 3] = [
        ("nothing", |_, _| {}, 0),
        ("strings", load::strings, options.keys),
        ("hashes", load::hashes, options.hashes),
    ];
    let mut text = format!("resident memory, medians of {} rounds\n\n", options.rounds);
    text += "| data set | keys      | when    | redis MiB | ours MiB | ratio |\n";
    text += "|----------|----------:|---------|----------:|---------:|------:|\n";
    for (name, load, count) in sets {
        // At once and later, Redis and ours.
        let mut found: [[Vec<f64>; 2]; 2] = Default::default();
        for round in 0..options.rounds.max(1) {
            for turn in 0..2 {
                let side = (round + turn) % 2;
                let server = Server::start([Kind::Redis, Kind::Ours][side], &[]);
                load(&server, count);
                found[0][side].push(mebibytes(&server)?);
                idle(&server);
                found[1][side].push(mebibytes(&server)?);
            }
        }
        for (when, sides) in ["at once", "later"].into_iter().zip(found) {
            let [redis, ours] = sides.map(|values| median(values).unwrap_or_default());
            let ratio = ours / redis;
            eprintln!("{name} {when}: {ratio:.2}");
            let _ = writeln!(
                text,
                "| {name:<8} | {count:>9} | {when:<7} | {redis:>9.1} | {ours:>8.1} | {ratio:>5.2} |"
            );
        }
    }
    Ok(text + "\nRatios below 1.00 are in favour of ha-server.")
}

fn mebibytes(server: &Server) -> Result<f64, String> {
    let bytes = resident(server.pid()).ok_or("this system does not tell resident memory")?;
    Ok(bytes as f64 / f64::from(1 << 20))
}

/// Lets a moment pass with hardly anything to do.
fn idle(server: &Server) {
    let mut client = server.client();
    let never = || {
        client.run(&format!("SET scratch {}", "x".repeat(5000)));
        client.run("DEL scratch");
        None::<()>
    };
    let _ = wait::find_within(MOMENT, never);
}
