//! What a proxy does with one command, and with the replies to its parts.

use std::collections::BTreeMap;

use core_types::{Args, ArgsBuf, Frame};

use crate::commands::{Asks, Join, Refusal, asks};

// ANCHOR: route
/// What becomes of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// It goes to this server as it came.
    Forward(usize),
    /// It is divided; the replies are put together again by [`join`].
    Split {
        /// How.
        join: Join,
        /// The parts, each for another server, in the order in which the
        /// command first names them.
        parts: Vec<Part>,
    },
    /// The proxy answers it itself.
    Own,
    /// It cannot be done here.
    Refuse(Refusal),
}

/// A part of a command, for one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The server.
    pub server: usize,
    /// What it is sent.
    pub command: ArgsBuf,
    /// Which elements of the whole command it holds, ascending: 0 is its
    /// first key (or its first key with its value).
    pub elements: Vec<usize>,
}
// ANCHOR_END: route

/// Decides what becomes of `args`; `server_of` says where a key lives.
///
/// A command with one key goes to its server. One that needs several keys together goes to their server if they share
/// one; otherwise it is refused ([`Refusal::Apart`]). One that means the same for each of its keys is divided by [`split`]; if that
/// leaves a single part, it goes as it came.
pub fn route(args: Args<'_>, mut server_of: impl FnMut(&[u8]) -> usize) -> Route {
    // <exercise 6.8 route>
    match asks(&args) {
        Asks::Own => Route::Own,
        Asks::Not(refusal) => Route::Refuse(refusal),
        Asks::One(key) => Route::Forward(server_of(&args[key])),
        Asks::Together(keys) => {
            let mut servers = keys.iter().map(|&key| server_of(&args[key]));
            match servers.next() {
                Some(first) if servers.all(|server| server == first) => Route::Forward(first),
                _ => Route::Refuse(Refusal::Apart),
            }
        }
        Asks::Each { join, step } => {
            let parts = split(args, step, server_of);
            match &parts[..] {
                [part] => Route::Forward(part.server),
                _ => Route::Split { join, parts },
            }
        }
    }
    // </exercise>
}

/// Divides a command whose arguments after its name come in elements of `step`, a key first. Each part has the same name and
/// the elements whose keys live at one server, in the command's order. A key that is named twice is
/// sent twice.
pub fn split(args: Args<'_>, step: usize, mut server_of: impl FnMut(&[u8]) -> usize) -> Vec<Part> {
    // <exercise 6.8 split>
    let mut parts: Vec<Part> = Vec::new();
    let mut part_of = BTreeMap::new();
    for (element, first) in (1..args.len()).step_by(step).enumerate() {
        let server = server_of(&args[first]);
        let index = *part_of.entry(server).or_insert_with(|| {
            let command = ArgsBuf::from_parts([args.name()]);
            parts.push(Part { server, command, elements: Vec::new() });
            parts.len() - 1
        });
        parts[index].elements.push(element);
        for argument in first..(first + step).min(args.len()) {
            parts[index].command.push(&args[argument]);
        }
    }
    parts
    // </exercise>
}

/// The error for a server whose reply does not fit what it was asked.
pub const MISFIT: &str = "ERR the proxy got a reply that does not fit its request";

/// One reply from those to the parts, which stand in the order of `parts`.
///
/// If a part failed, its error is the answer; of several errors the first. Otherwise by [`Join`]: a list has each value at
/// its element's place; a sum adds the numbers; a status is the first part's. A reply of another kind than
/// that, or a list of another length than the part, is answered by [`MISFIT`].
pub fn join(how: Join, parts: &[Part], replies: Vec<Frame>) -> Frame {
    // <exercise 6.8 join>
    let misfit = || Frame::Error(MISFIT.to_string());
    if let Some(error) = replies.iter().find(|reply| matches!(reply, Frame::Error(_))) {
        return error.clone();
    }
    match how {
        Join::List => {
            let elements = parts.iter().map(|part| part.elements.len()).sum();
            let mut list = vec![Frame::Null; elements];
            for (part, reply) in parts.iter().zip(replies) {
                match reply {
                    Frame::Array(values) if values.len() == part.elements.len() => {
                        for (&element, value) in part.elements.iter().zip(values) {
                            list[element] = value;
                        }
                    }
                    _ => return misfit(),
                }
            }
            Frame::Array(list)
        }
        Join::Sum => {
            let mut sum = 0i64;
            for reply in replies {
                match reply {
                    Frame::Integer(number) => sum = sum.saturating_add(number),
                    _ => return misfit(),
                }
            }
            Frame::Integer(sum)
        }
        Join::Status => {
            let fits = replies.iter().all(|reply| matches!(reply, Frame::Simple(_)));
            replies.into_iter().next().filter(|_| fits).unwrap_or_else(misfit)
        }
    }
    // </exercise>
}
