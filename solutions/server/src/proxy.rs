//! The proxy on real sockets: `ha-proxy pools.toml`.
//!
//! Everything that decides is in the crate `proxy`. The driver works as the node's does (see the head of this
//! crate): one thread, one task for each connection that reads into a buffer they all share, and one that writes
//! for all of them once everything that could be read has been dealt with.

mod connection;
mod driver;

use std::net::TcpListener;
use std::process::ExitCode;
use std::rc::Rc;

use clap::Parser;
use core_types::LogLevel;
use proxy::Proxy;
use proxy::config::Config;
use tokio::task::{LocalSet, spawn_local};

use crate::log::Log;
use crate::{allocator, clock, reason, unwritten};
use driver::Driver;

/// Spreads keys over several servers, and looks like one.
#[derive(Parser)]
#[command(name = "ha-proxy", version)]
struct Options {
    /// The file with the pools, in TOML
    config: std::path::PathBuf,
    /// Read the file, say whether it is right, and end
    #[arg(short, long)]
    test_conf: bool,
}

/// Runs `ha-proxy` with the arguments of this process.
pub fn main() -> ExitCode {
    allocator::no_huge_pages();
    let options = Options::parse();
    let path = options.config.display();
    let config = match std::fs::read_to_string(&options.config) {
        Ok(text) => Config::parse(&text).map_err(|error| format!("{path}: {error}")),
        Err(error) => Err(format!("cannot read {path}: {}", reason(&error))),
    };
    let config = match config {
        Ok(config) if options.test_conf => {
            println!("{path}: the file is right, pools: {}", config.pools.len());
            return ExitCode::SUCCESS;
        }
        Ok(config) => config,
        Err(why) => {
            eprintln!("ha-proxy: {why}");
            return ExitCode::FAILURE;
        }
    };
    let log = Log::default();
    let mut listeners = Vec::new();
    for pool in &config.pools {
        match TcpListener::bind((pool.listen.host.as_str(), pool.listen.port)) {
            Ok(listener) => listeners.push(listener),
            Err(error) => {
                let why = reason(&error);
                eprintln!("ha-proxy: pool {}: cannot listen on {}: {why}", pool.name, pool.listen);
                return ExitCode::FAILURE;
            }
        }
    }
    unwritten::end_process_on_panic(|| {});
    for pool in &config.pools {
        let count = pool.servers.len();
        let text = format!("pool {}: {} for {count} servers", pool.name, pool.listen);
        log.line('P', LogLevel::Notice, &text);
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("ha-proxy: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    LocalSet::new().block_on(&runtime, serve(config, listeners, log))
}

/// Serves until a signal comes.
async fn serve(config: Config, listeners: Vec<TcpListener>, log: Log) -> ExitCode {
    let driver = Driver::new(Proxy::new(&config, clock::now()), log);
    for (pool, listener) in listeners.into_iter().enumerate() {
        let listener =
            listener.set_nonblocking(true).and_then(|()| tokio::net::TcpListener::from_std(listener));
        match listener {
            Ok(listener) => drop(spawn_local(Rc::clone(&driver).accept_all(listener, pool))),
            Err(error) => {
                eprintln!("ha-proxy: cannot listen: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    spawn_local(Rc::clone(&driver).write_all());
    spawn_local(Rc::clone(&driver).keep_time());
    if crate::start::ends_with_parent() {
        tokio::select! {
            _ = crate::start::signal() => {}
            () = crate::start::end_of_input() => {}
        }
    } else {
        crate::start::signal().await;
    }
    ExitCode::SUCCESS
}
