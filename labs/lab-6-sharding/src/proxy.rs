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
    todo!("lab 6.8: One command for several servers")
    // </exercise>
}

/// Divides a command whose arguments after its name come in elements of `step`, a key first. Each part has the same name and
/// the elements whose keys live at one server, in the command's order. A key that is named twice is
/// sent twice.
pub fn split(args: Args<'_>, step: usize, mut server_of: impl FnMut(&[u8]) -> usize) -> Vec<Part> {
    // <exercise 6.8 split>
    todo!("lab 6.8: One command for several servers")
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
    todo!("lab 6.8: One command for several servers")
    // </exercise>
}
