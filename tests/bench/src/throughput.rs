//! Requests per second, and the server's CPU time for one request, with `redis-benchmark` as the client of
//! both servers. Where the client is the limit, the second number still tells the servers apart.

use clap::Args;
use system::{Kind, Server};

use crate::measure::{Measurement, Plan, measure};
use crate::prepare::prepare;
use crate::report::{self, Row};

/// What `redis-benchmark` runs when it is not told what to run.
const ALL: [&str; 19] = [
    "ping_inline",
    "ping_mbulk",
    "set",
    "get",
    "incr",
    "lpush",
    "rpush",
    "lpop",
    "rpop",
    "sadd",
    "hset",
    "spop",
    "zadd",
    "zpopmin",
    "lrange_100",
    "lrange_300",
    "lrange_500",
    "lrange_600",
    "mset",
];

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The tests of redis-benchmark to run; `all`: those that it runs on its own.
    #[arg(short = 't', long, value_delimiter = ',', default_value = "ping_mbulk,set,get,incr,mset")]
    tests: Vec<String>,
    /// Numbers of commands to send at once.
    #[arg(short = 'P', long, value_delimiter = ',', default_value = "1,16")]
    pipelines: Vec<u32>,
    /// Connections.
    #[arg(short = 'c', long, default_value_t = 50)]
    clients: u32,
    /// Requests in one round without pipelining; ten times as many with. LRANGE, whose replies are long,
    /// gets fewer.
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

/// Runs every test on both servers and returns the table.
pub(crate) fn run(options: &Options) -> Result<String, String> {
    let ours = Server::start(Kind::Ours, &[]);
    let redis = Server::start(Kind::Redis, &[]);
    let mut rows = Vec::new();
    for &pipeline in &options.pipelines {
        for test in options.tests() {
            let row = options.compare(test, pipeline, &redis, &ours);
            let row = row.map_err(|why| format!("{test} -P {pipeline}: {why}"))?;
            eprintln!("{}", row.progress());
            rows.push(row);
        }
    }
    Ok(report::table(&rows, &options.describe(), "redis"))
}

impl Options {
    fn tests(&self) -> Vec<&str> {
        self.tests
            .iter()
            .flat_map(|test| if test == "all" { ALL.to_vec() } else { vec![test.as_str()] })
            .collect()
    }

    fn describe(&self) -> String {
        format!(
            "{} clients, values of {} bytes, {} keys, medians of {} rounds",
            self.clients, self.size, self.keys, self.rounds
        )
    }

    /// Both servers in turn.
    fn compare(&self, test: &str, pipeline: u32, redis: &Server, ours: &Server) -> Result<Row, String> {
        let plan = self.plan(test, pipeline);
        let mut of_redis: Vec<Measurement> = Vec::new();
        let mut of_ours: Vec<Measurement> = Vec::new();
        for round in 0..self.rounds.max(1) {
            let mut turns = [(redis, &mut of_redis), (ours, &mut of_ours)];
            // The first turn of a round may meet a machine that is still busy with the last one.
            if round % 2 == 1 {
                turns.reverse();
            }
            for (server, measured) in turns {
                prepare(server, test, plan.requests, self.keys, self.size as usize);
                measured.push(measure(server, &plan)?);
            }
        }
        let redis = Measurement::median(&of_redis);
        Ok(Row { test: test.to_owned(), pipeline, redis, ours: Measurement::median(&of_ours) })
    }

    fn plan(&self, test: &str, pipeline: u32) -> Plan {
        let elements: Option<u64> = test.strip_prefix("lrange_").and_then(|count| count.parse().ok());
        let requests = if pipeline > 1 { self.requests * 10 } else { self.requests };
        let requests = (requests / elements.map_or(1, |count| (count / 30).max(1))).max(1);
        let mut flags: Vec<String> = [
            ("-P", pipeline.to_string()),
            ("-c", self.clients.to_string()),
            ("-n", requests.to_string()),
            ("-d", self.size.to_string()),
        ]
        .into_iter()
        .chain((self.keys > 0).then(|| ("-r", self.keys.to_string())))
        .flat_map(|(flag, value)| [flag.to_owned(), value])
        .collect();
        match elements {
            // By its name, the test would begin with as many LPUSHes, and we would count their time too.
            Some(count) => {
                flags.extend(["LRANGE", "mylist", "0"].map(str::to_owned));
                flags.push((count - 1).to_string());
            }
            None => flags.extend(["-t".to_owned(), test.to_owned()]),
        }
        Plan { flags, requests }
    }
}
