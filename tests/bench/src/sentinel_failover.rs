//! A failover as a client sees it: from the death of the master (`kill -9`) to the first write that somebody takes. Our
//! nodes with our sentinels, Redis's with Redis's, with the same settings.
//!
//! In each round a new group is started: a master, two replicas and three sentinels, in Redis's own rhythm. When every
//! sentinel knows everybody, the master is killed. The client then asks one sentinel after the other where the master is,
//! and tries to write there, until it succeeds; that is what a Sentinel-aware client does after an error.

use std::thread::park_timeout;
use std::time::Duration;

use clap::Args;
use core_types::Frame;
use system::{Client, Kind, Sentinel, Server, WATCHED, wait};

use crate::failovers::{in_turn, now};

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Rounds, each with a group of either kind.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// How long the master must be silent to be down, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    down_after: u64,
    /// How long a failover may take, in milliseconds. An election that nobody wins is repeated after twice that time.
    #[arg(long, default_value_t = 10_000)]
    failover_timeout: u64,
}

/// Between two attempts of the client.
const PAUSE: Duration = Duration::from_millis(5);

/// Runs all rounds, and returns the table.
pub(crate) fn run(options: &Options) -> Result<String, String> {
    let settings = format!("down-after {} ms", options.down_after);
    in_turn(options.rounds, &settings, |kind| fail_over(kind, options))
}

/// One failover, in milliseconds.
fn fail_over(kind: Kind, options: &Options) -> Result<f64, String> {
    let mut master = Server::start(kind, &[]);
    let of = ["--replicaof", "127.0.0.1", &master.port_text()];
    let replicas = [(); 2].map(|()| Server::start(kind, &of));
    replicas.iter().for_each(Server::wait_for_link);
    let lines = format!(
        "sentinel monitor {WATCHED} 127.0.0.1 {} 2\nsentinel down-after-milliseconds {WATCHED} {}\n\
         sentinel failover-timeout {WATCHED} {}\n",
        master.port(),
        options.down_after,
        options.failover_timeout
    );
    let sentinels = [(); 3].map(|()| Sentinel::with_lines(kind, &lines));
    for sentinel in &sentinels {
        wait::until("all to be found", || {
            sentinel.master_field("num-other-sentinels") == "2"
                && sentinel.fields_of("SENTINELS", "flags") == ["sentinel", "sentinel"]
                && sentinel.fields_of("REPLICAS", "master-link-status") == ["ok", "ok"]
        });
    }
    let dead = master.port();
    let killed = now();
    master.kill();
    let written = wait::find_within(wait::PATIENCE, || {
        let port = sentinels.iter().filter_map(Sentinel::master_port).find(|port| *port != dead);
        let written = port.is_some_and(|port| write(port).is_some());
        if !written {
            park_timeout(PAUSE);
        }
        written.then(|| killed.elapsed())
    });
    let written = written.ok_or_else(|| {
        let logs: Vec<String> = sentinels.iter().map(Sentinel::log).collect();
        format!("nobody takes writes:\n{}", logs.join("\n----\n"))
    })?;
    Ok(written.as_secs_f64() * 1000.0)
}

/// `None`: it does not take it.
fn write(port: u16) -> Option<()> {
    let answer = Client::connect(port).ok()?.try_call(&["SET", "after", "1"]).ok()?;
    (answer == Frame::Simple("OK".into())).then_some(())
}
