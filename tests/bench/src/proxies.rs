//! `ha-proxy` and Twemproxy in front of the same three servers, in turn.

use clap::Args;
use system::{Kind, Proxy, ProxyKind, Server, redis_tool};

use crate::measure::{Measurement, Plan, measure_at};
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
    /// The servers behind are real ones, not ours.
    #[arg(long)]
    with_redis: bool,
}

/// What is asked: a name, and the command.
const TESTS: [(&str, &[&str]); 4] = [
    ("get", &["GET", "key:__rand_int__"]),
    ("set", &["SET", "key:__rand_int__", "xxx"]),
    ("mget_10", &["MGET"]),
    ("mset_10", &["MSET"]),
];

/// Runs every test through both proxies and returns the table.
pub(crate) fn run(options: &Options) -> Result<String, String> {
    if redis_tool("nutcracker").is_none() {
        return Err("nutcracker (Twemproxy) is not installed: there is nothing to compare with.".to_owned());
    }
    let kind = if options.with_redis { Kind::Redis } else { Kind::Ours };
    let servers: Vec<Server> = (0..3).map(|_| Server::start(kind, &[])).collect();
    let ports: Vec<u16> = servers.iter().map(Server::port).collect();
    let twemproxy = Proxy::start(ProxyKind::Twemproxy, &[], &ports);
    let ours = Proxy::start(ProxyKind::Ours, &[], &ports);
    let mut rows = Vec::new();
    for &pipeline in &options.pipelines {
        for (test, command) in TESTS {
            let plan = options.plan(test, command, pipeline);
            let (mut of_twemproxy, mut of_ours) = (Vec::new(), Vec::new());
            for round in 0..options.rounds.max(1) {
                let mut turns = [(&twemproxy, &mut of_twemproxy), (&ours, &mut of_ours)];
                // The first turn of a round may meet a machine that is still busy with the last one.
                if round % 2 == 1 {
                    turns.reverse();
                }
                for (proxy, measured) in turns {
                    measured.push(measure_at(proxy.port(), &[proxy.pid()], &plan)?);
                }
            }
            let redis = Measurement::median(&of_twemproxy);
            let row = Row { test: test.to_owned(), pipeline, redis, ours: Measurement::median(&of_ours) };
            eprintln!("{}", row.progress());
            rows.push(row);
        }
    }
    let how = format!("{} clients, three servers, medians of {} rounds", options.clients, options.rounds);
    Ok(report::table(&rows, &how, "twemp"))
}

impl Options {
    fn plan(&self, test: &str, command: &[&str], pipeline: u32) -> Plan {
        let many = test.ends_with("_10");
        let requests = if pipeline > 1 { self.requests * 5 } else { self.requests };
        let requests = if many { requests / 5 } else { requests };
        let mut flags: Vec<String> = [
            ("-P", pipeline.to_string()),
            ("-c", self.clients.to_string()),
            ("-n", requests.to_string()),
            ("-r", "100000".to_owned()),
        ]
        .into_iter()
        .flat_map(|(flag, value)| [flag.to_owned(), value])
        .collect();
        flags.extend(command.iter().map(|&word| word.to_owned()));
        if many {
            for _ in 0..10 {
                flags.push("key:__rand_int__".to_owned());
                flags.extend((command[0] == "MSET").then(|| "xxx".to_owned()));
            }
        }
        Plan { flags, requests }
    }
}
