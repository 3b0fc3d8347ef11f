//! The resident memory of a master whose replicas do not read: what waits for one of them, and for ten.
//!
//! The replicas are connections that take their snapshot and then nothing more. The same few keys are
//! overwritten, so that the data set stays as small as it was and all that grows is what waits. With it, the
//! CPU time of the master for one such write.

use std::fmt::Write;

use clap::Args;
use system::{Kind, Server, raw_replica};

use crate::load;
use crate::measure::{cpu_time_nanos, median, resident};

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Numbers of replicas.
    #[arg(long, value_delimiter = ',', default_value = "0,1,10")]
    replicas: Vec<u16>,
    /// MiB to write while they do not read.
    #[arg(long, default_value_t = 128)]
    stream: u64,
    /// Bytes in a value.
    #[arg(short = 'd', long, default_value_t = 1000)]
    size: usize,
    /// Rounds. The medians are shown.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

const MEBIBYTE: f64 = (1 << 20) as f64;

/// What one master showed.
struct Seen {
    /// MiB, with nothing written yet and with everything waiting.
    before: f64,
    after: f64,
    /// Microseconds of CPU time for one write.
    micros: f64,
}

/// Measures both kinds with each number of replicas and returns the table.
pub(crate) fn run(options: &Options) -> Result<String, String> {
    let mut text = format!(
        "resident memory of a master that wrote {} MiB which its replicas do not read, medians of {} rounds\n\n",
        options.stream, options.rounds
    );
    text += "| replicas | redis: MiB before | after | grown | ours: MiB before | after | grown | ours / redis, after | redis µs CPU | ours µs CPU |\n";
    text += "|---------:|------------------:|------:|------:|-----------------:|------:|------:|--------------------:|-------------:|------------:|\n";
    // For each number of replicas: Redis's memory in the end, and ours.
    let mut ends: Vec<(u16, [f64; 2])> = Vec::new();
    for &replicas in &options.replicas {
        let mut found = [Vec::new(), Vec::new()];
        for round in 0..options.rounds.max(1) {
            for turn in 0..2 {
                let side = (round + turn) % 2;
                found[side].push(measure(options, [Kind::Redis, Kind::Ours][side], replicas)?);
            }
        }
        let [redis, ours] = found.map(|seen| {
            let of = |value: fn(&Seen) -> f64| median(seen.iter().map(value).collect()).unwrap_or_default();
            Seen {
                before: of(|seen| seen.before),
                after: of(|seen| seen.after),
                micros: of(|seen| seen.micros),
            }
        });
        eprintln!("{replicas} replicas: {:.1} MiB, redis {:.1} MiB", ours.after, redis.after);
        let _ = write!(text, "| {replicas:>8} ");
        for (seen, wide) in [(&redis, 17), (&ours, 16)] {
            let _ = write!(
                text,
                "| {:>wide$.1} | {:>5.1} | {:>5.1} ",
                seen.before,
                seen.after,
                seen.after - seen.before
            );
        }
        let ratio = ours.after / redis.after;
        let _ = writeln!(text, "| {ratio:>19.2} | {:>12.2} | {:>11.2} |", redis.micros, ours.micros);
        ends.push((replicas, [redis.after, ours.after]));
    }
    let mut with_replicas = ends.iter().filter(|(replicas, _)| *replicas > 0);
    if let (Some((few, least)), Some((many, most))) = (with_replicas.next(), with_replicas.next_back()) {
        let _ = write!(
            text,
            "\nWith {many} replicas as with {few}, times: redis {:.2}, ours {:.2}.",
            most[0] / least[0],
            most[1] / least[1]
        );
    }
    Ok(text + "\nA replica costs memory by itself too: its connection has buffers for what it sends.")
}

fn measure(options: &Options, kind: Kind, replicas: u16) -> Result<Seen, String> {
    let master = Server::start(kind, &["--client-output-buffer-limit", "replica 0 0 0"]);
    let connections: Vec<_> = (1..=replicas).map(|port| raw_replica(&master, port)).collect();
    let memory = || {
        let bytes = resident(master.pid()).ok_or("this system does not tell resident memory");
        Ok::<f64, String>(bytes? as f64 / MEBIBYTE)
    };
    let cpu = || cpu_time_nanos(master.pid()).ok_or("this system does not tell the CPU time of a process");
    let (before, cpu_before) = (memory()?, cpu()?);
    let count = (options.stream << 20) / (options.size as u64 + 40);
    let value = vec![b'x'; options.size];
    load::run(
        &master,
        &mut (0..count).map(|nth| vec![b"SET".to_vec(), load::each("key:", nth % 100, 12), value.clone()]),
    );
    let (after, cpu_after) = (memory()?, cpu()?);
    let attached = master.info("connected_slaves");
    if attached != replicas.to_string() {
        return Err(format!("{attached} of {replicas} replicas are still attached:\n{}", master.log()));
    }
    drop(connections);
    Ok(Seen { before, after, micros: (cpu_after - cpu_before) as f64 / 1000.0 / count as f64 })
}
