//! Clusters of three masters: what they serve together, and how many slots move in a second.

use std::fmt::Write;
use std::time::Instant;

use clap::Args;
use core_types::Slot;
use solution_6::key_slot;
use system::cluster::run as run_program;
use system::{Cluster, Kind, Server, ha_cli, redis_tool};

use crate::load;
use crate::measure::{Measurement, Plan, measure_at, median};
use crate::report::{self, Row};

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Numbers of commands to send at once.
    #[arg(short = 'P', long, value_delimiter = ',', default_value = "1,16")]
    pipelines: Vec<u32>,
    /// Connections.
    #[arg(short = 'c', long, default_value_t = 50)]
    clients: u32,
    /// Requests in one round without pipelining; five times as many with.
    #[arg(short = 'n', long, default_value_t = 100_000)]
    requests: u64,
    /// Rounds. The medians are shown.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Keys in the cluster while slots move.
    #[arg(long, default_value_t = 100_000)]
    keys: u64,
    /// Slots that move in a round.
    #[arg(long, default_value_t = 2000)]
    slots: u32,
}

/// Both comparisons.
pub(crate) fn run(options: &Options) -> Result<String, String> {
    let clusters = [Kind::Redis, Kind::Ours].map(|kind| Cluster::masters(&[kind; 3], &[]));
    let served = serve(options, &clusters)?;
    let moved = reshard(options, &clusters)?;
    Ok(format!("{served}\n\n{moved}"))
}

fn serve(options: &Options, [redis, ours]: &[Cluster; 2]) -> Result<String, String> {
    let mut rows = Vec::new();
    for &pipeline in &options.pipelines {
        for test in ["set", "get"] {
            let requests = if pipeline > 1 { options.requests * 5 } else { options.requests };
            let flags = [
                "--cluster",
                "-P",
                &pipeline.to_string(),
                "-c",
                &options.clients.to_string(),
                "-n",
                &requests.to_string(),
                "-r",
                "100000",
                "-t",
                test,
            ];
            let plan = Plan { flags: flags.map(str::to_owned).into(), requests };
            let (mut of_redis, mut of_ours) = (Vec::new(), Vec::new());
            for round in 0..options.rounds.max(1) {
                let mut turns = [(redis, &mut of_redis), (ours, &mut of_ours)];
                if round % 2 == 1 {
                    turns.reverse();
                }
                for (cluster, measured) in turns {
                    let pids: Vec<u32> = cluster.servers.iter().map(Server::pid).collect();
                    measured.push(measure_at(cluster.servers[0].port(), &pids, &plan)?);
                }
            }
            let redis = Measurement::median(&of_redis);
            let row = Row { test: test.to_owned(), pipeline, redis, ours: Measurement::median(&of_ours) };
            eprintln!("{}", row.progress());
            rows.push(row);
        }
    }
    let how = format!("three masters, {} clients, medians of {} rounds", options.clients, options.rounds);
    Ok(report::table(&rows, &how, "redis"))
}

/// Slots go from the first master to the second and back, by either program, in either cluster.
fn reshard(options: &Options, clusters: &[Cluster; 2]) -> Result<String, String> {
    let redis_cli = redis_tool("redis-cli").ok_or("redis-cli is not installed")?;
    let mut text = format!(
        "slots moved in a second: {} slots there and back, {} keys in the cluster, medians of {} rounds\n\n\
         | servers | redis-cli | ha-cli | ratio |\n|---------|----------:|-------:|------:|\n",
        options.slots, options.keys, options.rounds
    );
    for (cluster, name) in clusters.iter().zip(["redis", "ours"]) {
        fill(cluster, options.keys);
        let [mut by_redis, mut by_ours] = [Vec::new(), Vec::new()];
        for _ in 0..options.rounds.max(1) {
            for (program, found) in [(&redis_cli, &mut by_redis), (&ha_cli(), &mut by_ours)] {
                for (from, to) in [(0, 1), (1, 0)] {
                    let [place, from, to] = [cluster.place(0), cluster.id(from), cluster.id(to)];
                    let slots = options.slots.to_string();
                    let begin = now();
                    let (said, well) = run_program(
                        program,
                        &[
                            "--cluster",
                            "reshard",
                            &place,
                            "--cluster-from",
                            &from,
                            "--cluster-to",
                            &to,
                            "--cluster-slots",
                            &slots,
                            "--cluster-yes",
                        ],
                    );
                    if !well {
                        return Err(format!("{} fails:\n{said}", program.display()));
                    }
                    found.push(f64::from(options.slots) / begin.elapsed().as_secs_f64());
                    eprintln!("{name}, {}: {:.0} slots/s", program.display(), found[found.len() - 1]);
                    cluster.wait_until_up();
                }
            }
        }
        let [redis, ours] = [by_redis, by_ours].map(|found| median(found).unwrap_or_default());
        let _ = writeln!(text, "| {name:<7} | {redis:>9.0} | {ours:>6.0} | {:>5.2} |", ours / redis);
    }
    Ok(text + "\nRatios above 1.00 are in favour of ha-cli.")
}

#[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
fn now() -> Instant {
    Instant::now()
}

/// As many keys as wished, each where it belongs.
fn fill(cluster: &Cluster, keys: u64) {
    let count = cluster.servers.len();
    let names = || (0..keys).map(|number| load::each("key:", number, 12));
    for (index, server) in cluster.servers.iter().enumerate() {
        let _ = server.run("FLUSHALL");
        // The shares that `--cluster create` gives: of equal size, rounded at their ends.
        let share = f64::from(Slot::COUNT) / count as f64;
        let lives_here = |name: &Vec<u8>| {
            let slot = f64::from(key_slot(name).number());
            slot > (share * index as f64 - 1.0).round() && slot <= (share * (index + 1) as f64 - 1.0).round()
        };
        let set = |name| vec![b"SET".to_vec(), name, vec![b'x'; 32]];
        load::run(server, &mut names().filter(lives_here).map(set));
    }
}
