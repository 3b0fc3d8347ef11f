use bytes::{BufMut, Bytes, BytesMut};

use crate::{Endpoint, Offset, ReplId};

/// What a node is to the data it holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// It takes writes and is the source of the stream. Every node starts as one.
    #[default]
    Master,
    /// It follows one master.
    Replica {
        /// The node it follows, as `REPLICAOF` named it.
        of: Endpoint,
    },
}

/// Who sent a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A client's connection.
    Client,
    /// The replication stream of this node's own master.
    MasterLink,
}

/// What becomes of a key whose time is up, when a command touches it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExpiredKey {
    /// Delete it, and tell the replicas with a `DEL`.
    Delete,
    /// Leave it in memory, and answer as if it were gone.
    Hide,
    /// Treat it as any other key.
    Keep,
}

// ANCHOR: position
/// A point in a history: how far a node has come in it.
///
/// Two nodes that stand at the same point hold the same data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// The history.
    pub id: ReplId,
    /// How many of its bytes have been applied.
    pub offset: Offset,
}
// ANCHOR_END: position

// ANCHOR: history
/// Which histories a node's data belong to.
///
/// One stream of writes can have two names: after a promotion the new master goes on under a name of its
/// own, and everything up to the promotion is known under the old name as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct History {
    /// The present name (`master_replid` in `INFO`).
    pub id: ReplId,
    /// The earlier name, and the last offset up to which it means the same data (`master_replid2`;
    /// `second_repl_offset` in `INFO` is the offset behind it).
    pub earlier: Option<Position>,
}
// ANCHOR_END: history

impl History {
    /// A history without a past.
    pub fn new(id: ReplId) -> History {
        History { id, earlier: None }
    }
}

/// A part of a replication stream that can be read from any place that it still holds.
///
/// Whoever reads keeps its own place in it; the log knows no readers. That is what lets one log serve
/// any number of them.
pub trait StreamLog {
    /// Where the stream stands: nothing behind this offset has been written yet.
    fn end(&self) -> Offset;

    /// The next piece of the stream behind `at`: at least one byte, unless the stream ends at `at` or
    /// the log does not hold that place (any more).
    fn read(&self, at: Offset) -> Bytes;
}

/// Appends a command as it travels between nodes: a RESP array of bulk strings.
pub fn write_command<'a>(out: &mut BytesMut, parts: impl ExactSizeIterator<Item = &'a [u8]>) {
    write_header(out, b'*', parts.len());
    for part in parts {
        write_header(out, b'$', part.len());
        out.put_slice(part);
        out.put_slice(b"\r\n");
    }
}

fn write_header(out: &mut BytesMut, kind: u8, mut count: usize) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (count % 10) as u8;
        count /= 10;
        if count == 0 {
            break;
        }
    }
    out.put_u8(kind);
    out.put_slice(&digits[at..]);
    out.put_slice(b"\r\n");
}
