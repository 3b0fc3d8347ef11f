//! Writes to a master that feeds replicas: how many a second, and the CPU time that one costs the master and
//! all its replicas. Our master has our replicas, Redis's has Redis's.
//!
//! The CPU time is counted until the last replica has the last write, so that nothing is left for later.

use std::fmt::Write;

use clap::Args;
use system::{Kind, Server, wait};

use crate::measure::{Plan, cpu_time_nanos, median, run as benchmark};

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Numbers of replicas.
    #[arg(long, value_delimiter = ',', default_value = "1,2,4")]
    replicas: Vec<usize>,
    /// The test of redis-benchmark to run. It must write.
    #[arg(short = 't', long, default_value = "set")]
    test: String,
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
    /// Bytes in a value.
    #[arg(short = 'd', long, default_value_t = 64)]
    size: u32,
    /// Different keys.
    #[arg(short = 'r', long, default_value_t = 100_000)]
    keys: u64,
}

/// A master and its replicas.
struct Star {
    master: Server,
    replicas: Vec<Server>,
}

/// What one round gave, or the medians of several.
#[derive(Clone, Copy)]
struct Round {
    requests_per_second: f64,
    /// Microseconds of CPU time for one request.
    of_master: f64,
    of_replicas: f64,
}

impl Star {
    fn start(kind: Kind, replicas: usize) -> Result<Star, String> {
        // A replica that falls behind for a moment stays: how far it is behind is not what is compared.
        let flags = ["--client-output-buffer-limit", "replica 0 0 0"];
        let master = Server::start(kind, &flags);
        let port = master.port_text();
        let start = |_| Server::start(kind, &["--replicaof", "127.0.0.1", &port]);
        let star = Star { replicas: (0..replicas).map(start).collect(), master };
        star.wait_until_equal()?;
        Ok(star)
    }

    /// Waits until all replicas have everything.
    fn wait_until_equal(&self) -> Result<(), String> {
        let mut master = self.master.client();
        let mut clients: Vec<_> = self.replicas.iter().map(Server::client).collect();
        let equal = || {
            let offset = master.info("master_repl_offset");
            let has_it = |client: &mut system::Client| {
                client.info("master_link_status") == "up" && client.info("slave_repl_offset") == offset
            };
            clients.iter_mut().all(has_it).then_some(())
        };
        wait::find_within(wait::PATIENCE, equal).ok_or_else(|| "the replicas do not catch up".to_owned())
    }

    fn cpu_nanos(&self) -> Option<[u64; 2]> {
        let of_replicas =
            self.replicas.iter().map(|replica| cpu_time_nanos(replica.pid())).sum::<Option<_>>();
        Some([cpu_time_nanos(self.master.pid())?, of_replicas?])
    }

    fn measure(&self, plan: &Plan) -> Result<Round, String> {
        let cpu = || self.cpu_nanos().ok_or("this system does not tell the CPU time of a process");
        let before = cpu()?;
        let requests_per_second = benchmark(&self.master, plan)?;
        self.wait_until_equal()?;
        let after = cpu()?;
        let micros = |nth: usize| (after[nth] - before[nth]) as f64 / 1000.0 / plan.requests as f64;
        Ok(Round { requests_per_second, of_master: micros(0), of_replicas: micros(1) })
    }
}

/// Measures stars of every size and returns the table.
pub(crate) fn run(options: &Options) -> Result<String, String> {
    let mut text = format!(
        "{}: {} clients, values of {} bytes, {} keys, medians of {} rounds\n\n",
        options.test, options.clients, options.size, options.keys, options.rounds
    );
    text += "| replicas |  -P | redis req/s |  ours req/s | ratio | master: redis µs CPU | ours | ratio | replicas: redis µs CPU | ours | ratio |\n";
    text += "|---------:|----:|------------:|------------:|------:|---------------------:|-----:|------:|-----------------------:|-----:|------:|\n";
    for &replicas in &options.replicas {
        let stars = [Star::start(Kind::Redis, replicas)?, Star::start(Kind::Ours, replicas)?];
        for &pipeline in &options.pipelines {
            let plan = options.plan(pipeline);
            let mut found = [Vec::new(), Vec::new()];
            for round in 0..options.rounds.max(1) {
                for turn in 0..2 {
                    let side = (round + turn) % 2;
                    found[side].push(stars[side].measure(&plan)?);
                }
            }
            let [redis, ours] = found.map(|rounds| medians(&rounds));
            eprintln!(
                "{replicas} replicas -P {pipeline}: {:.2}",
                ours.requests_per_second / redis.requests_per_second
            );
            let _ = writeln!(
                text,
                "| {replicas:>8} | {pipeline:>3} | {:>11.0} | {:>11.0} | {:>5.2} | {:>20.2} | {:>4.2} | {:>5.2} | {:>22.2} | {:>4.2} | {:>5.2} |",
                redis.requests_per_second,
                ours.requests_per_second,
                ours.requests_per_second / redis.requests_per_second,
                redis.of_master,
                ours.of_master,
                redis.of_master / ours.of_master,
                redis.of_replicas,
                ours.of_replicas,
                redis.of_replicas / ours.of_replicas,
            );
        }
    }
    Ok(text + "\nThe CPU time of all replicas together. Ratios above 1.00 are in favour of ha-server.")
}

fn medians(rounds: &[Round]) -> Round {
    let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value).collect()).unwrap_or_default();
    Round {
        requests_per_second: of(|round| round.requests_per_second),
        of_master: of(|round| round.of_master),
        of_replicas: of(|round| round.of_replicas),
    }
}

impl Options {
    fn plan(&self, pipeline: u32) -> Plan {
        let requests = if pipeline > 1 { self.requests * 5 } else { self.requests };
        let flags = [
            ("-t", self.test.clone()),
            ("-P", pipeline.to_string()),
            ("-c", self.clients.to_string()),
            ("-n", requests.to_string()),
            ("-d", self.size.to_string()),
            ("-r", self.keys.max(1).to_string()),
        ];
        Plan {
            flags: flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect(),
            requests,
        }
    }
}
