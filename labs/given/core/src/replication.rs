use bytes::{BufMut, BytesMut};

use crate::Endpoint;

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
