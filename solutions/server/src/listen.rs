//! Listening, with Redis's rules for `bind` and its words for what goes wrong.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use core_types::LogLevel;
use node::config::Config;
use socket2::{Domain, Socket, Type};

use crate::log::Log;
use crate::reason;

/// Opens a listener for each address of `bind`. `None`: we cannot serve, and the log says why.
pub(crate) fn listen_all(config: &Config, log: &Log) -> Option<Vec<TcpListener>> {
    let listeners = if config.port == 0 { Vec::new() } else { listen_on(config, config.port, "TCP", log)? };
    if listeners.is_empty() {
        log.line('M', LogLevel::Warning, "Configured to not listen anywhere, exiting.");
        return None;
    }
    Some(listeners)
}

/// The same for the port where a cluster's other nodes connect. None without a cluster.
pub(crate) fn listen_for_nodes(config: &Config, log: &Log) -> Option<Vec<TcpListener>> {
    if !config.cluster_enabled {
        return Some(Vec::new());
    }
    let warn = |text: &str| log.line('M', LogLevel::Warning, text);
    let port = match config.cluster_port {
        0 => config.port.checked_add(BUS_PORT_OFFSET),
        port => Some(port),
    };
    let Some(port) = port else {
        warn(
            "Redis port number too high for cluster mode. The port of the cluster bus is 10,000 higher than the port \
             for clients, which must be 55535 or less.",
        );
        return None;
    };
    if config.bind.is_empty() {
        warn("No bind address is configured, but it is required for the Cluster bus.");
        return None;
    }
    listen_on(config, port, "cluster", log)
}

/// How far the port of the cluster bus is from that for clients (`CLUSTER_PORT_INCR` in Redis's `cluster.h`).
const BUS_PORT_OFFSET: u16 = 10_000;

fn listen_on(config: &Config, port: u16, what: &str, log: &Log) -> Option<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for address in &config.bind {
        let (address, optional) = match address.strip_prefix('-') {
            Some(address) => (address, true),
            None => (address.as_str(), false),
        };
        match listen(address, port, config) {
            Ok(listener) => listeners.push(listener),
            Err(error) => {
                // An address that this machine may well lack is no reason to worry anybody.
                if optional && may_be_missing(&error.source) {
                    continue;
                }
                let (step, why) = (error.step, reason(&error.source));
                let text = format!(
                    "Warning: Could not create server TCP listening socket {address}:{port}: {step}{why}"
                );
                log.line('M', LogLevel::Warning, &text);
                let text = format!("Failed listening on port {port} ({what}), aborting.");
                log.line('M', LogLevel::Warning, &text);
                return None;
            }
        }
    }
    Some(listeners)
}

struct ListenError {
    /// The call that failed, as Redis names it: `bind: `, or empty for the resolver.
    step: &'static str,
    source: io::Error,
}

fn listen(host: &str, port: u16, config: &Config) -> Result<TcpListener, ListenError> {
    let at = |step| move |source| ListenError { step, source };
    let address = resolve(host, port).map_err(at(""))?;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).map_err(at("socket: "))?;
    if address.is_ipv6() {
        socket.set_only_v6(true).map_err(at("setsockopt: "))?;
    }
    // On Windows the option means something else: two servers on one port.
    #[cfg(unix)]
    socket.set_reuse_address(true).map_err(at("setsockopt SO_REUSEADDR: "))?;
    socket.bind(&address.into()).map_err(at("bind: "))?;
    socket.listen(config.tcp_backlog.min(i32::MAX as u32) as i32).map_err(at("listen: "))?;
    socket.set_nonblocking(true).map_err(at("fcntl: "))?;
    Ok(socket.into())
}

fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let host = match host {
        "*" => "0.0.0.0",
        "::*" => "::",
        host => host,
    };
    let found = (host, port).to_socket_addrs()?.next();
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "Name or service not known"))
}

fn may_be_missing(error: &io::Error) -> bool {
    // `Unsupported` is a machine without IPv6 at all.
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || error.to_string().contains("not supported")
}
