use core_types::{Endpoint, LogLevel};

use crate::ConnId;

/// What the node asks its driver to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Open a connection. The answer is `Node::connected` or `Node::connect_failed`.
    Connect {
        /// The name it will have.
        conn: ConnId,
        /// Where to. A name is resolved by the driver.
        to: Endpoint,
    },
    /// Write what is pending as far as the socket takes it, close, then say so by `Node::closed`.
    Close {
        /// The connection to close.
        conn: ConnId,
    },
    /// A line for the log.
    Log {
        /// How much it matters.
        level: LogLevel,
        /// `M` for a master, `S` for a replica, as Redis marks its lines.
        role: char,
        /// The text, without time or process id.
        text: String,
    },
    /// End the process.
    Exit {
        /// Its exit code.
        code: i32,
    },
}

/// Who is at the other end of an accepted connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Address and port of the peer, `127.0.0.1:50000`.
    pub addr: String,
    /// Our own address and port on this connection.
    pub local_addr: String,
    /// True if the peer is on this machine: protected mode lets it in without a password.
    pub loopback: bool,
}
