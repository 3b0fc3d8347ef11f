use std::io::IsTerminal;

use core_types::Protocol;

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Options {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) password_on_command_line: bool,
    pub(super) no_auth_warning: bool,
    pub(super) db: u64,
    /// `None`: whatever the server starts with.
    pub(super) protocol: Option<Protocol>,
    /// Plain output, for programs. Chosen by where the output goes unless it is set.
    pub(super) raw: bool,
    /// How often to run the command; `None` for ever.
    pub(super) repeat: Option<u64>,
    /// Seconds between two runs.
    pub(super) interval: f64,
    pub(super) stdin_is_last_argument: bool,
    /// Leave with an exit code if the server answers with an error.
    pub(super) error_is_failure: bool,
    pub(super) command: Vec<Vec<u8>>,
}

pub(super) enum Parsed {
    Run(Box<Options>),
    Print(&'static str),
}

/// Reads the arguments. Options end at the first word that is none: the command starts there.
pub(super) fn parse(args: &[String]) -> Result<Parsed, String> {
    let mut options = Options {
        host: "127.0.0.1".into(),
        port: 6379,
        user: None,
        password: std::env::var("REDISCLI_AUTH").ok(),
        password_on_command_line: false,
        no_auth_warning: false,
        db: 0,
        protocol: None,
        raw: !std::io::stdout().is_terminal(),
        repeat: Some(1),
        interval: 0.0,
        stdin_is_last_argument: false,
        error_is_failure: false,
        command: Vec::new(),
    };
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let mut value = || rest.next().map(String::as_str).ok_or_else(|| unrecognized(arg));
        match arg.as_str() {
            "-h" => options.host = value()?.to_owned(),
            "-p" => {
                let port = value()?;
                options.port = port.parse().map_err(|_| "Invalid server port.".to_owned())?;
            }
            "-a" | "--pass" => {
                options.password = Some(value()?.to_owned());
                options.password_on_command_line = true;
            }
            "--user" => options.user = Some(value()?.to_owned()),
            "--no-auth-warning" => options.no_auth_warning = true,
            "-n" => options.db = number(arg, value()?)?,
            "-r" => {
                let times: i64 = number(arg, value()?)?;
                options.repeat = u64::try_from(times).ok();
            }
            "-i" => options.interval = number::<f64>(arg, value()?)?.max(0.0),
            "-2" => options.protocol = Some(Protocol::Resp2),
            "-3" => options.protocol = Some(Protocol::Resp3),
            "-x" => options.stdin_is_last_argument = true,
            "-e" => options.error_is_failure = true,
            "--raw" => options.raw = true,
            "--no-raw" => options.raw = false,
            "--help" => return Ok(Parsed::Print(USAGE)),
            "-v" | "--version" => return Ok(Parsed::Print(concat!("ha-cli ", env!("CARGO_PKG_VERSION")))),
            _ if arg.starts_with('-') && arg != "-" => return Err(unrecognized(arg)),
            _ => {
                options.command =
                    std::iter::once(arg).chain(rest).map(|arg| arg.clone().into_bytes()).collect();
                break;
            }
        }
    }
    Ok(Parsed::Run(Box::new(options)))
}

fn unrecognized(arg: &str) -> String {
    format!("Unrecognized option or bad number of args for: '{arg}'")
}

fn number<N: std::str::FromStr>(arg: &str, value: &str) -> Result<N, String> {
    value.parse().map_err(|_| unrecognized(arg))
}

const USAGE: &str = "\
Usage: ha-cli [OPTIONS] [cmd [arg [arg ...]]]
  -h <hostname>      Server hostname (default: 127.0.0.1).
  -p <port>          Server port (default: 6379).
  -a <password>      Password to use when connecting to the server. The
                     environment variable REDISCLI_AUTH is safer.
  --user <username>  Used together with -a to log in as somebody.
  --no-auth-warning  Don't warn about a password on the command line.
  -n <db>            Database number.
  -2, -3             Speak RESP2 or RESP3.
  -r <repeat>        Execute the command this many times (-1: for ever).
  -i <interval>      With -r: wait <interval> seconds between two runs.
  -x                 Read the last argument from standard input.
  -e                 Return an exit error code when command execution fails.
  --raw              Use raw formatting for replies (default when standard
                     output is not a terminal).
  --no-raw           Force formatted output even when standard output is not
                     a terminal.
  --help             Output this help and exit.
  --version          Output version and exit.

Without a command: commands from standard input, or a prompt on a terminal.";
