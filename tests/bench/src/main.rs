//! Side-by-side measurements against `redis-server`, with `redis-benchmark` as the client of both.
//!
//! `cargo run --release -p bench` starts both servers on free ports, runs each test against one and then
//! the other, several rounds in turn, and prints the medians: requests per second, and the server's CPU
//! time for one request. Where the client is the limit, the second number still tells the servers apart.
//!
//! Everything it started has ended when it returns.

mod measure;
mod report;

use std::process::ExitCode;

use clap::Parser;
use measure::{Measurement, measure};
use report::Row;
use system::{Kind, Server, redis_tool};

/// Compares ha-server with redis-server on this machine.
#[derive(Parser, Debug)]
#[command(name = "bench")]
struct Options {
    /// The tests of redis-benchmark to run.
    #[arg(short = 't', long, value_delimiter = ',', default_value = "ping_mbulk,set,get,incr,mset")]
    tests: Vec<String>,
    /// Numbers of commands to send at once.
    #[arg(short = 'P', long, value_delimiter = ',', default_value = "1,16")]
    pipelines: Vec<u32>,
    /// Connections.
    #[arg(short = 'c', long, default_value_t = 50)]
    clients: u32,
    /// Requests in one round without pipelining; ten times as many with.
    #[arg(short = 'n', long, default_value_t = 100_000)]
    requests: u64,
    /// Rounds. The medians are shown.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Bytes in a value.
    #[arg(short = 'd', long, default_value_t = 3)]
    size: u32,
    /// Different keys. With 0 all requests are for the same key.
    #[arg(short = 'r', long, default_value_t = 100_000)]
    keys: u64,
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
    let ours = Server::start(Kind::Ours, &[]);
    let redis = Server::start(Kind::Redis, &[]);
    let mut rows = Vec::new();
    for &pipeline in &options.pipelines {
        for test in &options.tests {
            match compare(&options, test, pipeline, &redis, &ours) {
                Ok(row) => {
                    eprintln!("{}", row.progress());
                    rows.push(row);
                }
                Err(why) => {
                    eprintln!("{test} -P {pipeline}: {why}");
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    println!("{}", report::table(&rows, &options.describe()));
    ExitCode::SUCCESS
}

impl Options {
    fn describe(&self) -> String {
        format!(
            "{} clients, values of {} bytes, {} keys, medians of {} rounds",
            self.clients, self.size, self.keys, self.rounds
        )
    }
}

/// Both servers in turn, so that whatever else the machine does meets both alike.
fn compare(
    options: &Options,
    test: &str,
    pipeline: u32,
    redis: &Server,
    ours: &Server,
) -> Result<Row, String> {
    let requests = if pipeline > 1 { options.requests * 10 } else { options.requests };
    let flags: Vec<String> = [
        ("-t", test.to_owned()),
        ("-P", pipeline.to_string()),
        ("-c", options.clients.to_string()),
        ("-n", requests.to_string()),
        ("-d", options.size.to_string()),
    ]
    .into_iter()
    .chain((options.keys > 0).then(|| ("-r", options.keys.to_string())))
    .flat_map(|(flag, value)| [flag.to_owned(), value])
    .collect();
    let mut of_redis: Vec<Measurement> = Vec::new();
    let mut of_ours: Vec<Measurement> = Vec::new();
    for round in 0..options.rounds.max(1) {
        let mut turns = [(redis, &mut of_redis), (ours, &mut of_ours)];
        // The first turn of a round may meet a machine that is still busy with the last one.
        if round % 2 == 1 {
            turns.reverse();
        }
        for (server, measured) in turns {
            measured.push(measure(server, &flags, requests)?);
        }
    }
    let redis = Measurement::median(&of_redis);
    Ok(Row { test: test.to_owned(), pipeline, redis, ours: Measurement::median(&of_ours) })
}
