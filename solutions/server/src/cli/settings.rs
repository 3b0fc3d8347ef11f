use std::io::IsTerminal;

use core_types::{Endpoint, Protocol};

use super::args::ClientArgs;
use super::format::Style;

/// What the client was asked for, in the form it needs.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Where to go first. With a socket, the path is the host and the port is 0.
    pub(super) start: Endpoint,
    pub(super) socket: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) db: u64,
    /// `None`: whatever the server starts with.
    pub(super) protocol: Option<Protocol>,
    pub(super) style: Style,
    /// Show what arrives unasked.
    pub(super) show_pushes: bool,
    /// How often to run the command; `None` for ever.
    pub(super) repeat: Option<u64>,
    /// Seconds between two runs.
    pub(super) interval: f64,
    /// Leave with an exit code if the server answers with an error.
    pub(super) error_is_failure: bool,
    /// Follow redirections.
    pub(super) cluster_mode: bool,
}

impl Settings {
    /// `db`: what a URI says, which wins.
    pub(super) fn new(args: &ClientArgs, db: Option<u64>) -> Settings {
        let on_terminal = std::io::stdout().is_terminal();
        let json = args.json || args.quoted_json;
        let plain = Style::Plain {
            between: args.value_delimiter.clone().into_bytes(),
            behind: args.reply_delimiter.clone().into_bytes(),
        };
        let style = match args {
            _ if json => Style::Json { ascii: args.quoted_json },
            ClientArgs { csv: true, .. } => Style::Csv,
            ClientArgs { no_raw: true, .. } => Style::People,
            ClientArgs { raw: true, .. } => plain,
            _ if on_terminal => Style::People,
            _ => plain,
        };
        let protocol = match args {
            ClientArgs { resp3: true, .. } => Some(Protocol::Resp3),
            ClientArgs { resp2: true, .. } => Some(Protocol::Resp2),
            _ => json.then_some(Protocol::Resp3),
        };
        let start = match &args.login.socket {
            Some(path) => Endpoint { host: path.clone(), port: 0 },
            None => Endpoint { host: args.login.host.clone(), port: args.login.port },
        };
        Settings {
            start,
            socket: args.login.socket.clone(),
            user: args.login.user.clone(),
            password: args.login.password.clone(),
            db: db.unwrap_or(args.db),
            protocol,
            style,
            show_pushes: args.show_pushes.map_or(on_terminal, |choice| choice.0),
            repeat: u64::try_from(args.repeat).ok(),
            interval: args.interval.max(0.0),
            error_is_failure: args.error_is_failure,
            cluster_mode: args.cluster_mode,
        }
    }

    /// A place as it is shown: `host:port`, `[::1]:port`, or the socket's path.
    pub(super) fn show(&self, place: &Endpoint) -> String {
        match &self.socket {
            Some(path) if *path == place.host => path.clone(),
            _ if place.host.contains(':') => format!("[{}]:{}", place.host, place.port),
            _ => place.to_string(),
        }
    }
}
