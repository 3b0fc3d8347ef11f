//! What the command line asks for.

use std::ffi::OsString;

use clap::{Args, Parser};

use super::cluster::ClusterArgs;
use super::survey::Survey;
use super::uri::Uri;

/// How to reach a server and log in; the same for the client and for `--cluster`.
#[derive(Args, Clone, Debug)]
pub(super) struct Login {
    /// Server's host name or address
    #[arg(short = 'h', value_name = "host", default_value = "127.0.0.1", global = true)]
    pub(super) host: String,
    /// Server's port
    #[arg(short = 'p', value_name = "port", default_value_t = 6379, global = true)]
    pub(super) port: u16,
    /// Server's Unix socket (instead of host and port)
    #[arg(short = 's', value_name = "socket", global = true)]
    pub(super) socket: Option<String>,
    /// Password; the environment variable REDISCLI_AUTH is safer
    #[arg(short = 'a', long = "pass", value_name = "password", global = true)]
    pub(super) password: Option<String>,
    /// User to log in as, together with a password
    #[arg(long, value_name = "name", global = true)]
    pub(super) user: Option<String>,
    /// Where and who in one: redis://[[user:]password@]host[:port][/db]
    #[arg(short = 'u', value_name = "uri", global = true)]
    pub(super) uri: Option<Uri>,
    /// Don't warn about a password on the command line
    #[arg(long, global = true)]
    pub(super) no_auth_warning: bool,
}

impl Login {
    /// The password to use, and whether it stands on the command line, where others can read it.
    pub(super) fn settle(&mut self) -> Settled {
        let mut db = None;
        if let Some(uri) = self.uri.take() {
            self.host = uri.host;
            self.port = uri.port.unwrap_or(self.port);
            self.password = uri.password.or(self.password.take());
            self.user = uri.user.or(self.user.take());
            db = uri.db;
        }
        let on_command_line = self.password.is_some();
        if self.password.is_none() {
            self.password = std::env::var("REDISCLI_AUTH").ok();
        }
        Settled { db, warn: on_command_line && !self.no_auth_warning }
    }
}

/// What else came out of the login's options.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    /// The database that the URI names.
    pub(super) db: Option<u64>,
    /// A password stands on the command line, and nobody said that this is fine.
    pub(super) warn: bool,
}

/// Talks to a Redis server, one of this workbook's or a real one, with the output of redis-cli.
///
/// With a command: runs it and leaves. Without: reads commands from standard input, or prompts for them if
/// that is a terminal.
#[derive(Parser, Clone, Debug)]
#[command(name = "ha-cli", version, disable_help_flag = true, arg_required_else_help = false)]
#[command(after_help = "Clusters: `ha-cli --cluster help`. At the prompt: `help`, and Tab.")]
pub(super) struct ClientArgs {
    #[command(flatten)]
    pub(super) login: Login,
    /// Database number
    #[arg(short = 'n', value_name = "db", default_value_t = 0)]
    pub(super) db: u64,
    /// Speak RESP2
    #[arg(short = '2', overrides_with = "resp3")]
    pub(super) resp2: bool,
    /// Speak RESP3: maps, sets, doubles and truth values arrive as what they are
    #[arg(short = '3', overrides_with = "resp2")]
    pub(super) resp3: bool,
    /// Follow a cluster's redirections, and learn from them who owns which slot
    #[arg(short = 'c')]
    pub(super) cluster_mode: bool,
    /// Run the command this many times (-1: for ever)
    #[arg(short = 'r', value_name = "times", default_value_t = 1, allow_negative_numbers = true)]
    pub(super) repeat: i64,
    /// With -r, --stat and --latency: this many seconds between two lines; with --bigkeys: between 100 batches of keys;
    /// with --tally: between two writes
    #[arg(short = 'i', value_name = "seconds", default_value_t = 0.0)]
    pub(super) interval: f64,
    /// Read the last argument from standard input
    #[arg(short = 'x', conflicts_with = "stdin_tag")]
    pub(super) stdin_is_last: bool,
    /// Put standard input in the place of the argument that is this word
    #[arg(short = 'X', value_name = "word")]
    pub(super) stdin_tag: Option<String>,
    /// Leave with an exit code if the server answers with an error
    #[arg(short = 'e')]
    pub(super) error_is_failure: bool,
    /// Plain values, for programs (what you get when standard output is no terminal)
    #[arg(long, overrides_with_all = ["no_raw", "csv", "json", "quoted_json"])]
    pub(super) raw: bool,
    /// Types, quotes and indices, for people (what you get on a terminal)
    #[arg(long, overrides_with_all = ["raw", "csv", "json", "quoted_json"])]
    pub(super) no_raw: bool,
    /// Values separated by commas
    #[arg(long, overrides_with_all = ["raw", "no_raw", "json", "quoted_json"])]
    pub(super) csv: bool,
    /// JSON (speaks RESP3 unless you ask for RESP2)
    #[arg(long, overrides_with_all = ["raw", "no_raw", "csv", "quoted_json"])]
    pub(super) json: bool,
    /// JSON whose strings are plain ASCII
    #[arg(long, overrides_with_all = ["raw", "no_raw", "csv", "json"])]
    pub(super) quoted_json: bool,
    /// What stands between the values of one reply in plain output
    #[arg(short = 'd', value_name = "text", default_value = "\n", hide_default_value = true)]
    pub(super) value_delimiter: String,
    /// What stands behind each reply in plain output
    #[arg(short = 'D', value_name = "text", default_value = "\n", hide_default_value = true)]
    pub(super) reply_delimiter: String,
    /// Show what a RESP3 server sends unasked: yes or no (what you get: yes on a terminal)
    #[arg(long, value_name = "yn")]
    pub(super) show_pushes: Option<Choice>,
    /// Mass insertion: send the commands on standard input, as fast as the server takes them
    #[arg(long)]
    pub(super) pipe: bool,
    /// With --pipe: give up if no reply comes for this many seconds after the last byte (0: never)
    #[arg(long, value_name = "seconds", default_value_t = 30)]
    pub(super) pipe_timeout: u64,
    /// With --scan, --bigkeys, --memkeys or --hotkeys: only keys that match
    #[arg(long, value_name = "pattern")]
    pub(super) pattern: Option<String>,
    #[command(flatten)]
    look: Look,
    /// With --tally: -h and -p are those of a sentinel, which is asked for the master of this name
    #[arg(long, value_name = "name", requires = "tally", conflicts_with = "cluster_mode")]
    pub(super) sentinel: Option<String>,
    /// Look after a cluster: create, check, reshard, … (see `--cluster help`)
    #[arg(long, value_name = "command")]
    cluster: Option<String>,
    /// Print this help
    #[arg(long, action = clap::ArgAction::HelpShort)]
    help: Option<bool>,
    /// The command
    #[arg(trailing_var_arg = true, value_name = "command")]
    pub(super) command: Vec<OsString>,
}

/// Ways to look at a server, of which one is chosen.
#[derive(Args, Clone, Debug)]
#[group(multiple = false)]
struct Look {
    /// List all keys, or those that match --pattern
    #[arg(long)]
    scan: bool,
    /// Find the biggest key of each type, by its number of elements
    #[arg(long)]
    bigkeys: bool,
    /// Find the biggest key of each type, by the memory it takes
    #[arg(long)]
    memkeys: bool,
    /// The same, looking at so many elements of each key (0: at all)
    #[arg(long, value_name = "n")]
    memkeys_samples: Option<u64>,
    /// Find the keys that are used most, as an LFU policy estimates it
    #[arg(long)]
    hotkeys: bool,
    /// Find the keys that are used most, by counting for so many seconds (MONITOR: the server will feel it)
    #[arg(long, value_name = "seconds")]
    hotkeys_for: Option<f64>,
    /// Show what the server does: keys, memory, clients, requests
    #[arg(long)]
    stat: bool,
    /// Measure how long answers take
    #[arg(long)]
    latency: bool,
    /// The same with a new line every 15 seconds (or -i)
    #[arg(long)]
    latency_history: bool,
    /// Write numbers until Ctrl-C, and account for every one of them (with -c in a cluster)
    #[arg(long)]
    tally: bool,
}

impl ClientArgs {
    /// The way to look at the server that was asked for.
    pub(super) fn survey(&self) -> Option<Survey> {
        match &self.look {
            Look { scan: true, .. } => Some(Survey::Keys),
            Look { bigkeys: true, .. } => Some(Survey::BigKeys),
            Look { memkeys: true, .. } => Some(Survey::MemKeys { samples: None }),
            Look { memkeys_samples: samples @ Some(_), .. } => Some(Survey::MemKeys { samples: *samples }),
            Look { hotkeys: true, .. } => Some(Survey::HotKeys),
            Look { hotkeys_for: Some(seconds), .. } => Some(Survey::HotKeysFor(*seconds)),
            Look { stat: true, .. } => Some(Survey::Stat),
            Look { latency: true, .. } => Some(Survey::Latency { history: false }),
            Look { latency_history: true, .. } => Some(Survey::Latency { history: true }),
            _ => None,
        }
    }

    /// Numbers are to be written and accounted for.
    pub(super) fn is_tally(&self) -> bool {
        self.look.tally
    }
}

/// `yes` or `no`; the first letter decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice(pub(super) bool);

impl std::str::FromStr for Choice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Choice, &'static str> {
        match text.chars().next().map(|first| first.to_ascii_lowercase()) {
            Some('y') => Ok(Choice(true)),
            Some('n') => Ok(Choice(false)),
            _ => Err("expected yes or no"),
        }
    }
}

/// What kind of run this is.
pub(super) enum Asked {
    Client(Box<ClientArgs>),
    Cluster(Box<ClusterArgs>),
}

/// Reads the arguments, the program's name left out. The client's options end at the first word that is
/// none: its command starts there. `--cluster` before that makes it another program, with options anywhere.
pub(super) fn parse(args: &[OsString]) -> Result<Asked, clap::Error> {
    let named = |args: &[&[OsString]]| {
        std::iter::once("ha-cli".into()).chain(args.concat()).collect::<Vec<OsString>>()
    };
    if let Some(at) = args.iter().position(|arg| arg == "--cluster") {
        let (before, after) = (&args[..at], &args[at + 1..]);
        let client = ClientArgs::try_parse_from(named(&[before]));
        if client.is_ok_and(|client| client.command.is_empty()) {
            return Ok(Asked::Cluster(Box::new(ClusterArgs::try_parse_from(named(&[before, after]))?)));
        }
    }
    Ok(Asked::Client(Box::new(ClientArgs::try_parse_from(named(&[args]))?)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn client(line: &str) -> ClientArgs {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        match parse(&args) {
            Ok(Asked::Client(client)) => *client,
            Ok(Asked::Cluster(_)) => panic!("{line} is for the client"),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn the_definitions_are_sound() {
        ClientArgs::command().debug_assert();
        ClusterArgs::command().debug_assert();
    }

    #[test]
    fn a_command_keeps_its_dashes() {
        let args = client("-p 7000 -r -1 SET k -1 -n 3 --cluster create");
        assert_eq!((args.login.port, args.repeat, args.db), (7000, -1, 0));
        assert_eq!(args.command, ["SET", "k", "-1", "-n", "3", "--cluster", "create"]);
        assert_eq!(client("-h ::1 -n 3 --no-raw --raw").command, [""; 0]);
    }

    #[test]
    fn a_uri_brings_everything() {
        let mut args = client("-p 1 -u redis://me:s%20t@example.net:7002/4");
        let settled = args.login.settle();
        let login = args.login;
        assert_eq!((login.host.as_str(), login.port, settled.db), ("example.net", 7002, Some(4)));
        assert_eq!((login.user.as_deref(), login.password.as_deref()), (Some("me"), Some("s t")));
        assert!(settled.warn);
    }

    #[test]
    fn unknown_options_are_refused() {
        for line in [
            "--nosuch",
            "-p",
            "-p x",
            "-p 70000",
            "-u ftp://h",
            "--show-pushes perhaps",
            "--sentinel shop",
            "--tally --stat",
        ] {
            let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert!(parse(&args).is_err(), "{line}");
        }
    }
}
