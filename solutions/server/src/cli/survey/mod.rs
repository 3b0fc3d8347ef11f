//! Looking at a running server as an operator does: which keys are big (`--bigkeys`, `--memkeys`), which are hot
//! (`--hotkeys`), what it does just now (`--stat`) and how fast it answers (`--latency`).
//!
//! Everything here is `redis-cli`'s, with its output, and asks the server for nothing that a real Redis does not have.
//! What costs the server something is spread: keys are walked with `SCAN`, a batch at a time, and `-i` pauses between
//! batches.
//!
//! # Differences from Redis
//!
//! - `--hotkeys` needs an LFU policy, which counts accesses in eight bits, by chance, and forgets. `--hotkeys-for` counts each
//!   access for so many seconds, by listening (`MONITOR`). That is exact, and it costs the server while it lasts.
//! - Kinds of values are listed in a fixed order.
//! - `--latency` into a pipe ends after one interval, as `redis-cli --raw --latency` does.

mod hot;
mod latency;
mod monitor;
mod sizes;
mod stat;
mod walk;

use std::io::Write;
use std::time::{Duration, Instant};

use core_types::Frame;

use super::client::Client;
use super::format::quote;
use crate::reason;

/// What to look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Survey {
    /// All keys, a line each.
    Keys,
    /// The biggest key of each type, by its number of elements.
    BigKeys,
    /// The biggest key of each type, by the memory it takes. So many elements of each are looked at; 0 for all.
    MemKeys { samples: Option<u64> },
    /// The keys that are used most, by the server's own estimate.
    HotKeys,
    /// The same, counted for so many seconds.
    HotKeysFor(f64),
    /// What the server does, a line each interval.
    Stat,
    /// How long it takes to answer; `history`: a new line each interval.
    Latency { history: bool },
}

/// How to look.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    /// Keys that match.
    pub(super) pattern: Option<String>,
    /// Seconds between lines, or between a hundred batches of keys; zero if nobody said.
    pub(super) interval: f64,
    /// Standard output is a terminal: a line can be written anew.
    pub(super) on_terminal: bool,
}

/// Looks, and prints what there is. False if it did not work; the user has been told.
pub(super) fn run(mut client: Client, survey: Survey, manner: &Manner) -> bool {
    let ended = match survey {
        Survey::Keys => walk::print_keys(&mut client, manner),
        Survey::BigKeys => sizes::run(&mut client, sizes::By::Elements, manner),
        Survey::MemKeys { samples } => sizes::run(&mut client, sizes::By::Memory { samples }, manner),
        Survey::HotKeys => hot::run(&mut client, manner),
        Survey::HotKeysFor(seconds) => monitor::run(client, seconds),
        Survey::Stat => stat::run(&mut client, manner),
        Survey::Latency { history } => latency::run(&mut client, history, manner),
    };
    match ended {
        Ok(()) => true,
        Err(why) => {
            eprintln!("Error: {why}");
            false
        }
    }
}

/// One question and its answer. An error reply is an error.
fn ask<A: AsRef<[u8]>>(client: &mut Client, command: &[A]) -> Result<Frame, String> {
    match client.call(command).map_err(|error| reason(&error))? {
        Frame::Error(why) => Err(why),
        reply => Ok(reply),
    }
}

/// Many questions at once, and their answers; error replies are among them.
fn ask_all(client: &mut Client, commands: &[Vec<&[u8]>]) -> Result<Vec<Frame>, String> {
    commands.iter().for_each(|command| client.queue(command));
    client.flush().map_err(|error| reason(&error))?;
    commands.iter().map(|_| client.next_reply().map_err(|error| reason(&error))).collect()
}

/// `INFO`, or a part of it, as a text.
fn info(client: &mut Client, part: &[&str]) -> Result<String, String> {
    let command: Vec<&str> = std::iter::once("INFO").chain(part.iter().copied()).collect();
    let reply = ask(client, &command)?;
    let text = reply.as_bytes().ok_or("INFO was not answered with a text")?;
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// A field of `INFO`.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

fn number(info: &str, name: &str) -> u64 {
    field(info, name).and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// A key as it is shown: quoted, and what cannot be printed escaped.
fn shown(key: &[u8]) -> String {
    let mut out = Vec::new();
    quote(key, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[expect(clippy::disallowed_methods, reason = "the edge: somebody in front of a terminal measures")]
fn clock() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the user asked for lines at intervals")]
fn pause(wait: Duration) {
    std::thread::sleep(wait);
}

/// Seconds from the command line; no number of them is an error.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

/// Prints without a line break, at once. False if nobody reads any more.
fn put(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}
