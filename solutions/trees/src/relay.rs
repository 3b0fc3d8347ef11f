//! The relay: what a replica passes on to replicas of its own.
//!
//! In a tree one offset means one thing: so many bytes of *the* stream, the one that the master at the top
//! writes. That holds only if every node below it passes on exactly these bytes. Not a second rendering of
//! them (`SET` for `set`, another number of digits), not one byte less, and not one byte of its own.
//!
//! In Redis: `commandProcessed` in `networking.c`, and the first lines of `replicationFeedSlaves`. Tried with
//! 7.0.15 between a master made of a script and a replica: behind an open `MULTI` `slave_read_repl_offset` grew,
//! `master_repl_offset` and the replica below stood still; with the `EXEC` all of it went down at once. The
//! master's `PING` and `REPLCONF GETACK *` went through like everything else.
//!
//! A node in the middle cannot even put a `SELECT` in front of what a new replica reads first. So its snapshot
//! says which database the stream is in (`repl-stream-db` in the RDB file), and whoever loads it begins there.

use bytes::BytesMut;
use core_types::Role;

/// What a replica has received and applied, on its way to the replicas below.
#[derive(Clone, Debug, Default)]
pub struct Relay {
    /// The beginning of a transaction whose `EXEC` has not come yet.
    held: BytesMut,
}

// ANCHOR: own
/// Something that a node could put into the stream by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// A client's write. (On a replica: with `replica-read-only no`.)
    Write,
    /// The `DEL` of a key whose time is up.
    Expired,
    /// A `PING`, because the stream has been quiet.
    Ping,
    /// `REPLCONF GETACK *`, because a client waits for replicas.
    GetAck,
}
// ANCHOR_END: own

impl Relay {
    /// Nothing is held.
    pub fn new() -> Relay {
        Relay::default()
    }

    /// `bytes` of the master's stream, one command or several, have been taken in by this node. Appends to
    /// `out` what goes on to the replicas below, and into this node's own backlog.
    ///
    /// `open_transaction`: behind these bytes a `MULTI` is open, so that the commands since then are queued
    /// and not applied. They are held back until they are: a replica below never stands at an offset at which
    /// this node has not been. Where a `MULTI` came together with commands in front of it, these are held as well; that
    /// makes them a little late, and does no harm.
    pub fn applied(&mut self, bytes: &[u8], open_transaction: bool, out: &mut BytesMut) {
        // <exercise 3.5 applied>
        if open_transaction {
            self.held.extend_from_slice(bytes);
        } else {
            out.extend_from_slice(&self.held);
            self.held.clear();
            out.extend_from_slice(bytes);
        }
        // </exercise>
    }

    /// The link to the master is gone, and with it the transaction that was open: its bytes were not
    /// applied, and will come again from the beginning.
    pub fn reset(&mut self) {
        // <exercise 3.5 reset>
        self.held.clear();
        // </exercise>
    }

    /// How many bytes are held back.
    pub fn held(&self) -> usize {
        self.held.len()
    }
}

/// May a node put this into the stream?
pub fn may_add(role: &Role, own: Own) -> bool {
    // <exercise 3.5 may_add>
    match own {
        Own::Write | Own::Expired | Own::Ping | Own::GetAck => *role == Role::Master,
    }
    // </exercise>
}
