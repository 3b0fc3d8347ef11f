//! From the command line to a serving process, and out again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::TcpListener;
use std::process::ExitCode;
use std::rc::Rc;

use core_types::LogLevel;
use node::Node;
use node::config::{Config, LoadError, NAME, VERSION};
use tokio::task::{LocalSet, spawn_local};

use crate::disk::Disk;
use crate::driver::{Driver, Whom};
use crate::log::Log;
use crate::meters::ProcessMeters;
use crate::{allocator, clock, files, limits, listen, unwritten};

/// Set to end the process when standard input ends.
const EXIT_WITH_PARENT: &str = "HA_EXIT_WITH_PARENT";

/// Runs `ha-server` with these arguments, the program's name left out.
pub fn main(args: &[String]) -> ExitCode {
    allocator::no_huge_pages();
    match args {
        [flag] if flag == "-v" || flag == "--version" => {
            println!("{NAME} v={VERSION} bits={}", usize::BITS);
            return ExitCode::SUCCESS;
        }
        [flag] if flag == "-h" || flag == "--help" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let mut config = match files::load_config(args) {
        Ok(config) => config,
        Err(error @ LoadError::Line { .. }) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
        Err(error @ LoadError::File { .. }) => {
            Log::default().line('C', LogLevel::Warning, &error.to_string());
            return ExitCode::FAILURE;
        }
    };
    if let Err(why) = files::enter_dir(&mut config) {
        eprintln!("{why}");
        return ExitCode::FAILURE;
    }
    let log = Log::to(&config.logfile);
    announce(&config, &log, args.is_empty());
    if !limits::make_room_for_clients(&mut config, &log) {
        return ExitCode::FAILURE;
    }
    let Some(clients) = listen::listen_all(&config, &log) else { return ExitCode::FAILURE };
    let Some(nodes) = listen::listen_for_nodes(&config, &log) else { return ExitCode::FAILURE };
    let listeners = Listeners { clients, nodes };
    let _lock = match files::lock_cluster_file(&config) {
        Ok(lock) => lock,
        Err(why) => {
            log.line('M', LogLevel::Warning, &why);
            return ExitCode::FAILURE;
        }
    };
    let (mode, mark) = match (config.sentinel.is_some(), config.cluster_enabled) {
        (true, _) => ("sentinel", 'X'),
        (false, true) => ("cluster", 'M'),
        (false, false) => ("standalone", 'M'),
    };
    log.line(mark, LogLevel::Notice, &format!("Running mode={mode}, port={}.", config.port));
    if config.sentinel.is_some() && !files::can_keep(&config.file) {
        log.line(mark, LogLevel::Warning, "Sentinel needs config file on disk to save state. Exiting...");
        return ExitCode::FAILURE;
    }
    files::write_pid_file(&config);
    let pid_file = config.pidfile.clone();
    let remove_pid_file = move || {
        if !pid_file.is_empty() {
            let _ = std::fs::remove_file(&pid_file);
        }
    };
    unwritten::end_process_on_panic(remove_pid_file.clone());
    // Standard input has been read to its end already if the configuration came from there.
    let watch_stdin = ends_with_parent() && args.last().is_none_or(|last| last != "-");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let code = match runtime {
        Ok(runtime) => LocalSet::new().block_on(&runtime, serve(config, listeners, log, watch_stdin)),
        Err(error) => {
            log.line('M', LogLevel::Warning, &format!("Cannot start: {error}"));
            1
        }
    };
    remove_pid_file();
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

fn announce(config: &Config, log: &Log, without_arguments: bool) {
    let pid = std::process::id();
    let lines = [
        (LogLevel::Warning, format!("oO0OoO0OoO0Oo {NAME} is starting oO0OoO0OoO0Oo")),
        (
            LogLevel::Warning,
            format!("{NAME} version={VERSION}, bits={}, pid={pid}, just started", usize::BITS),
        ),
        (
            LogLevel::Warning,
            match without_arguments {
                true => format!(
                    "Warning: no config file specified, using the default config. In order to specify a config file use {NAME} /path/to/redis.conf"
                ),
                false => "Configuration loaded".to_owned(),
            },
        ),
    ];
    let notes = config.notes().into_iter().map(|note| (LogLevel::Warning, note));
    for (level, line) in lines.into_iter().chain(notes) {
        log.line('C', level, &line);
    }
}

/// The ports that we have opened.
struct Listeners {
    clients: Vec<TcpListener>,
    nodes: Vec<TcpListener>,
}

/// Serves until the node asks for the end, and returns its exit code.
async fn serve(config: Config, listeners: Listeners, log: Log, watch_stdin: bool) -> i32 {
    let seed = RandomState::new().build_hasher().finish();
    let mut node = Node::with_files(config, seed, clock::now());
    node.defer_files();
    node.defer_feeding();
    node.set_process_id(std::process::id());
    node.set_meters(Box::new(ProcessMeters::new()));
    let (disk, answers) = Disk::start();
    let driver = Driver::new(node, log, disk);
    driver.settle();
    spawn_local(answers.deliver(Rc::clone(&driver)));
    spawn_local(Rc::clone(&driver).flush_files());
    driver.load_for_a_moment().await;
    let clients = listeners.clients.into_iter().map(|listener| (listener, Whom::Clients));
    let nodes = listeners.nodes.into_iter().map(|listener| (listener, Whom::Nodes));
    for (listener, whom) in clients.chain(nodes) {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => drop(spawn_local(Rc::clone(&driver).accept_all(listener, whom))),
            Err(error) => {
                driver.log(LogLevel::Warning, &format!("Cannot listen: {error}"));
                return 1;
            }
        }
    }
    spawn_local(Rc::clone(&driver).write_all());
    spawn_local(Rc::clone(&driver).keep_time());
    spawn_local(stop_on_signal(Rc::clone(&driver)));
    if watch_stdin {
        spawn_local(stop_with_parent(Rc::clone(&driver)));
    }
    loop {
        if let Some(code) = driver.exit_code() {
            // What is promised to be on the disk must get there first.
            driver.disk.finish().await;
            return code;
        }
        driver.exited.notified().await;
    }
}

async fn stop_on_signal(driver: Rc<Driver>) {
    let name = signal().await;
    driver.event(|node, now| node.terminate(now, name));
}

/// Waits for one of the signals that ask a process to end; its name.
#[cfg(unix)]
pub(crate) async fn signal() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};

    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Then signals do what they do by default.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}

#[cfg(not(unix))]
pub(crate) async fn signal() -> &'static str {
    match tokio::signal::ctrl_c().await {
        Ok(()) => "SIGINT",
        Err(_) => std::future::pending().await,
    }
}

/// The environment asks us to end with whoever holds the other end of standard input.
pub(crate) fn ends_with_parent() -> bool {
    std::env::var(EXIT_WITH_PARENT).is_ok_and(|value| value == "1")
}

async fn stop_with_parent(driver: Rc<Driver>) {
    end_of_input().await;
    driver.event(|node, now| node.terminate(now, "the end of standard input,"));
}

/// Waits for the end of standard input: whoever started us is gone.
pub(crate) async fn end_of_input() {
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
}

const USAGE: &str = "\
Usage: ha-server [/path/to/redis.conf] [options] [-]
       ha-server - (read config from stdin)
       ha-server -v or --version
       ha-server -h or --help

Examples:
       ha-server (run the server with default conf)
       echo 'maxclients 128' | ha-server -
       ha-server /etc/redis/6379.conf
       ha-server --port 7777
       ha-server --port 7777 --replicaof 127.0.0.1 8888
       ha-server /etc/myredis.conf --loglevel verbose -

Sentinel mode:
       ha-server /etc/sentinel.conf --sentinel

Environment:
       HA_EXIT_WITH_PARENT=1   end when standard input does";
