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
    let port = config.port;
    let mut listeners = Vec::new();
    if port != 0 {
        for address in &config.bind {
            let (address, optional) = match address.strip_prefix('-') {
                Some(address) => (address, true),
                None => (address.as_str(), false),
            };
            match listen(address, config) {
                Ok(listener) => listeners.push(listener),
                Err(error) => {
                    // An address that this machine may well lack is no reason to worry anybody.
                    if optional && may_be_missing(&error.source) {
                        continue;
                    }
                    log.line(
                        'M',
                        LogLevel::Warning,
                        &format!(
                            "Warning: Could not create server TCP listening socket {address}:{port}: {}{}",
                            error.step,
                            reason(&error.source)
                        ),
                    );
                    log.line(
                        'M',
                        LogLevel::Warning,
                        &format!("Failed listening on port {port} (TCP), aborting."),
                    );
                    return None;
                }
            }
        }
    }
    if listeners.is_empty() {
        log.line('M', LogLevel::Warning, "Configured to not listen anywhere, exiting.");
        return None;
    }
    Some(listeners)
}

struct ListenError {
    /// The call that failed, as Redis names it: `bind: `, or empty for the resolver.
    step: &'static str,
    source: io::Error,
}

fn listen(host: &str, config: &Config) -> Result<TcpListener, ListenError> {
    let at = |step| move |source| ListenError { step, source };
    let address = resolve(host, config.port).map_err(at(""))?;
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
