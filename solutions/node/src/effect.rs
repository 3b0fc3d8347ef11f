use std::fmt;

use bytes::Bytes;
use core_types::{Endpoint, LogLevel, Millis};

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
    /// Something about files. One after the other, in order; see [`FileEffect`].
    File(FileEffect),
    /// Stand still for so long, as a process does that the system has stopped: nobody is served, no timer
    /// runs. What is pending is written afterwards. (`DEBUG SLEEP`)
    Stall {
        /// How long.
        time: Millis,
    },
    /// Run a program of the operator's. The answer, some time, is `Node::run_ended`.
    Run {
        /// The name it has in the answer.
        id: u64,
        /// Where it is.
        path: String,
        /// Its arguments.
        args: Vec<String>,
    },
    /// End a program that was started by `Run`, by force. Its end is told as any other.
    EndRun {
        /// Which one.
        id: u64,
    },
    /// Who is cut off has changed: ask `Node::is_cut` of every connection.
    Partition,
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

/// Names a file while it is read or written. Never used again for another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId(pub(crate) u64);

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file {}", self.0)
    }
}

/// What the node asks for about files. Names are relative to the directive `dir`; folders in them are made
/// as needed. The driver carries these out strictly in order, and answers with `Node::file_event`.
///
/// After a `Failed` for a file, everything asked for it later is passed over without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileEffect {
    /// Read it from the beginning: `Piece` for piece, then `End`; or `Missing`, or `Failed`. Between pieces
    /// the driver serves others.
    Read {
        /// The name it has in the answers.
        file: FileId,
        /// Where it is.
        name: String,
    },
    /// Make it, empty, whatever was there. No answer if that succeeds.
    Create {
        /// The name it has from now on.
        file: FileId,
        /// Where it will be.
        name: String,
    },
    /// Open it to append to it. No answer if that succeeds.
    Open {
        /// The name it has from now on.
        file: FileId,
        /// Where it is.
        name: String,
    },
    /// Write at its end, and if `sync`, have all of it on the disk itself. The answer is `Written`.
    Append {
        /// Which file.
        file: FileId,
        /// What to write; may be empty.
        bytes: Bytes,
        /// Wait for the disk.
        sync: bool,
    },
    /// Write at its end at once, if nothing that was asked for this file before is still to be done: what is asked for
    /// other files has no part in it. Small, and clients wait for it: once the system has it, it survives the end of
    /// the process, though not of the machine. The answer is `Written`.
    Record {
        /// Which file.
        file: FileId,
        /// What to write.
        bytes: Bytes,
    },
    /// Have all of it on the disk that was written until now. What is written to it later may overtake this. The
    /// answer is `Synced`.
    Sync {
        /// Which file.
        file: FileId,
    },
    /// Write over a file from its beginning, in one go and at once, as a `Record` is; what is behind it stays. The file is
    /// made if it is not there, and not open afterwards. The answer is `Written`.
    Overwrite {
        /// The name it has in the answer.
        file: FileId,
        /// Where it is.
        name: String,
        /// What to write.
        bytes: Bytes,
    },
    /// As `Sync`, for a file that is not open.
    SyncNamed {
        /// The name it has in the answer.
        file: FileId,
        /// Where it is.
        name: String,
    },
    /// Have all of it on the disk, and close it. If `to` is given, let it take that name, in place of what had
    /// it, and have the folder on the disk too. The answer is `Committed`.
    Commit {
        /// Which file.
        file: FileId,
        /// Its name from now on.
        to: Option<String>,
    },
    /// Close it, and delete it. No answer.
    Discard {
        /// Which file.
        file: FileId,
    },
    /// Cut a file off behind `length` bytes, on the disk. No answer.
    Truncate {
        /// Which file.
        name: String,
        /// So many bytes stay.
        length: u64,
    },
    /// Delete it. That it is not there is no failure. No answer.
    Remove {
        /// Which file.
        name: String,
    },
}

/// What became of a [`FileEffect`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileEvent<'a> {
    /// The next bytes of a file that is read.
    Piece(&'a [u8]),
    /// That was all of it.
    End,
    /// There is no such file.
    Missing,
    /// An `Append`, a `Record` or an `Overwrite` is done: how many bytes it was.
    Written(usize),
    /// A `Sync` or a `SyncNamed` is done.
    Synced,
    /// A `Commit` is done.
    Committed,
    /// It went wrong: the system's reason. The file is closed.
    Failed(String),
}
