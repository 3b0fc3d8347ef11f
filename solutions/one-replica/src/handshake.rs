//! The handshake: what a replica says to a master before any data flow.
//!
//! ```text
//! replica → master   PING
//! replica → master   AUTH [user] password             if masterauth is set
//! replica → master   REPLCONF listening-port 7001
//! replica → master   REPLCONF ip-address 10.0.0.7     if replica-announce-ip is set
//! replica → master   REPLCONF capa eof capa psync2
//! replica → master   PSYNC ? -1
//! ```
//!
//! Each line waits for the answer to the one before. Only two answers can end the attempt: the one to
//! `PING` (is this a Redis server at all, and may it be spoken to?) and the one to `AUTH`. A master that
//! does not understand a `REPLCONF` is merely old.

use core_types::{ArgsBuf, Millis, Offset, ReplId};

/// What the replica's side of the link has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkConfig {
    /// `masteruser`: the name to log in with. Without one it is the default user.
    pub user: Option<String>,
    /// `masterauth`: the password to log in with. Without one there is no `AUTH`, whatever `user` says.
    pub password: Option<String>,
    /// The port this node's clients connect to; the master shows it in `INFO` and `ROLE`.
    pub listening_port: u16,
    /// `replica-announce-ip`: the address to show, where the one the master sees would be wrong.
    pub announce_ip: Option<String>,
    /// `repl-timeout`: how long a silent master is believed to be alive. Redis's default is 60 s.
    pub timeout: Millis,
    /// How long to wait before the next attempt. Redis looks once a second (`replicationCron`).
    pub retry: Millis,
}

impl Default for LinkConfig {
    fn default() -> LinkConfig {
        LinkConfig {
            user: None,
            password: None,
            listening_port: 6379,
            announce_ip: None,
            timeout: Millis::from_secs(60),
            retry: Millis::from_secs(1),
        }
    }
}

// ANCHOR: step
/// The command whose reply is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// `PING`
    Ping,
    /// `AUTH [user] password`
    Auth,
    /// `REPLCONF listening-port N`
    Port,
    /// `REPLCONF ip-address A`
    Ip,
    /// `REPLCONF capa eof capa psync2`: this replica understands a
    /// payload that ends with a mark, and `+CONTINUE` with a new id.
    Capa,
    /// `PSYNC ? -1`: I have nothing; send everything.
    Psync,
}
// ANCHOR_END: step

// ANCHOR: next
/// What follows from a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on: send the command of this step.
    Send(Step),
    /// The reply was the one to `PSYNC`: it says how to synchronise
    /// ([`parse_psync_reply`] reads it).
    Synchronise,
    /// This master cannot be followed now: close the connection and try
    /// again later.
    GiveUp,
}
// ANCHOR_END: next

// ANCHOR: psync
/// What a master can answer to `PSYNC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PsyncReply {
    /// `+FULLRESYNC id offset`: a snapshot follows, made when the stream
    /// called `id` stood at `offset`.
    FullResync {
        /// The name of the master's history.
        id: ReplId,
        /// How many bytes of the stream the snapshot contains.
        offset: Offset,
    },
    /// `+CONTINUE [id]`: the stream goes on from where the replica asked
    /// for it (chapter 2).
    Continue {
        /// The history's new name, if it has one.
        id: Option<ReplId>,
    },
    /// `-NOMASTERLINK …` or `-LOADING …`: not now, but soon.
    TryLater,
    /// An empty line: the master is still busy, and alive.
    KeepAlive,
    /// Any other error, and anything that is no answer to `PSYNC`.
    Refused,
}
// ANCHOR_END: psync

/// The command that belongs to `step`.
pub fn command(step: Step, config: &LinkConfig) -> ArgsBuf {
    let port = config.listening_port.to_string();
    let ip = config.announce_ip.as_deref().unwrap_or_default();
    let password = config.password.as_deref().unwrap_or_default();
    let parts: &[&str] = match (step, &config.user) {
        (Step::Ping, _) => &["PING"],
        (Step::Auth, Some(user)) => &["AUTH", user, password],
        (Step::Auth, None) => &["AUTH", password],
        (Step::Port, _) => &["REPLCONF", "listening-port", &port],
        (Step::Ip, _) => &["REPLCONF", "ip-address", ip],
        (Step::Capa, _) => &["REPLCONF", "capa", "eof", "capa", "psync2"],
        (Step::Psync, _) => &["PSYNC", "?", "-1"],
    };
    ArgsBuf::from_parts(parts)
}

/// Decides what to do when `reply`, a line without its line end, has answered the command of `step`.
///
/// - `PING`: `+…` is fine. So are three errors that only say "log in first" or "not this command for
///   you": `-NOAUTH…`, `-NOPERM…` and `-ERR operation not permitted…`. Anything else ends the attempt.
/// - `AUTH`: an error ends the attempt.
/// - `REPLCONF`: any answer will do.
/// - `PSYNC`: whatever it says is about the synchronisation.
///
/// `AUTH` is left out without a password, `REPLCONF ip-address` without an address to announce.
pub fn on_reply(step: Step, reply: &[u8], config: &LinkConfig) -> Next {
    // <exercise 1.1>
    const HARMLESS: [&[u8]; 4] = [b"+", b"-NOAUTH", b"-NOPERM", b"-ERR operation not permitted"];
    match step {
        Step::Ping if !HARMLESS.iter().any(|start| reply.starts_with(start)) => Next::GiveUp,
        Step::Ping if config.password.is_some() => Next::Send(Step::Auth),
        Step::Auth if reply.starts_with(b"-") => Next::GiveUp,
        Step::Ping | Step::Auth => Next::Send(Step::Port),
        Step::Port if config.announce_ip.is_some() => Next::Send(Step::Ip),
        Step::Port | Step::Ip => Next::Send(Step::Capa),
        Step::Capa => Next::Send(Step::Psync),
        Step::Psync => Next::Synchronise,
    }
    // </exercise>
}

/// Reads the master's answer to `PSYNC`: a line without its line end.
///
/// A `+FULLRESYNC` must carry an id of 40 characters and an offset in decimal digits, each behind one
/// space; `+CONTINUE` may carry an id. What does not is [`PsyncReply::Refused`].
pub fn parse_psync_reply(line: &[u8]) -> PsyncReply {
    // <exercise 1.2>
    let mut words = line.split(|&byte| byte == b' ');
    let (verb, first, second) = (words.next().unwrap_or_default(), words.next(), words.next());
    let id = first.and_then(|word| ReplId::parse(word).ok());
    let offset = second
        .filter(|word| word.iter().all(u8::is_ascii_digit))
        .and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
    match (verb, id, offset) {
        (b"", ..) if line.is_empty() => PsyncReply::KeepAlive,
        (b"+FULLRESYNC", Some(id), Some(offset)) => PsyncReply::FullResync { id, offset: Offset(offset) },
        (b"+CONTINUE", None, _) if first.is_none() => PsyncReply::Continue { id: None },
        (b"+CONTINUE", Some(id), _) => PsyncReply::Continue { id: Some(id) },
        (b"-NOMASTERLINK" | b"-LOADING", ..) => PsyncReply::TryLater,
        _ => PsyncReply::Refused,
    }
    // </exercise>
}
