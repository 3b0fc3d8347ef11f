//! Commands that took long, for `SLOWLOG`.
//!
//! The node has no clock: how long a command ran is told by the driver's [`Meters`](crate::Meters), read
//! between commands. So the figure is the time in the command itself, as in Redis, and not what the client
//! waited for.

use std::collections::VecDeque;

use core_types::{Args, Millis};

use crate::conn::Conn;
use crate::monitor::{REDACTED, is_secret};

/// One slow command.
#[derive(Debug)]
pub(crate) struct Slow {
    pub(crate) id: u64,
    pub(crate) at: Millis,
    pub(crate) micros: u64,
    pub(crate) args: Vec<Vec<u8>>,
    pub(crate) addr: String,
    pub(crate) name: Vec<u8>,
}

/// The slow commands, the latest first.
#[derive(Debug, Default)]
pub(crate) struct Slowlog {
    pub(crate) entries: VecDeque<Slow>,
    next_id: u64,
}

/// Redis keeps so many arguments of a command and so many bytes of an argument (`slowlog.h`).
const MOST_ARGS: usize = 32;
const MOST_BYTES: usize = 128;

impl Slowlog {
    pub(crate) fn add(&mut self, now: Millis, micros: u64, args: Args<'_>, conn: &Conn, keep: usize) {
        let mut kept: Vec<Vec<u8>> = args
            .iter()
            .take(MOST_ARGS)
            .enumerate()
            .map(|(place, arg)| shorten(if is_secret(args, place) { REDACTED } else { arg }))
            .collect();
        if args.len() > MOST_ARGS {
            let more = args.len() - MOST_ARGS + 1;
            kept[MOST_ARGS - 1] = format!("... ({more} more arguments)").into_bytes();
        }
        let (addr, name) = (conn.addr.clone(), conn.name.clone());
        self.entries.push_front(Slow { id: self.next_id, at: now, micros, args: kept, addr, name });
        self.next_id += 1;
        self.entries.truncate(keep);
    }
}

fn shorten(arg: &[u8]) -> Vec<u8> {
    if arg.len() <= MOST_BYTES {
        return arg.to_vec();
    }
    let mut kept = arg[..MOST_BYTES].to_vec();
    kept.extend_from_slice(format!("... ({} more bytes)", arg.len() - MOST_BYTES).as_bytes());
    kept
}
