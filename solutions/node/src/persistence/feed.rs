//! What is written to the append-only file, and the replies that wait for the disk.
//!
//! Commands gather in a buffer. One piece of it is on its way to the disk at a time; what gathers meanwhile
//! is the next piece. With `appendfsync always` that makes a group commit by itself: under load, one
//! `fsync` serves all clients whose commands came during the one before.
//!
//! # Replies that wait
//!
//! Nothing leaves the node that was said after a write which is not safe yet: not the reply of that write, not
//! the reply of a read that saw it, not the stream to the replicas. Each connection remembers from which byte on
//! its output waits, and for what. What is safe depends on `appendfsync`:
//!
//! - `always`: what is on the disk. It survives the machine.
//! - `everysec` and `no`: what the system has (`write(2)` is done). It survives the process, whatever kills it. With
//!   `everysec` the disk has it a second later at most, or when it gets to it.
//!
//! The second is what Redis does before it sleeps (`flushAppendOnlyFile`), but for one case: while an `fsync` runs,
//! Redis puts the write off for up to two seconds, and answers meanwhile. We write all the same.

use bytes::BytesMut;
use core_types::{Args, ArgsBuf, Millis, write_command};

use super::aof::Aof;
use crate::config::Fsync;
use crate::conn::Conn;
use crate::{ConnId, FileEffect, Node};

/// Output of a connection that must not leave before the append-only file is on the disk up to a point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    /// The first byte of the connection's output that waits.
    from: u64,
    /// The position of the append-only file it waits for.
    until: u64,
}

impl Aof {
    /// Adds one command.
    pub(super) fn append(&mut self, db: Option<usize>, command: Args<'_>) {
        let before = self.buffer.len();
        if let Some(db) = db.filter(|_| self.selected != db) {
            self.selected = Some(db);
            let select = ArgsBuf::from_parts(["SELECT", &db.to_string()]);
            write_command(&mut self.buffer, select.as_args().iter());
        }
        write_command(&mut self.buffer, command.iter());
        let grown = (self.buffer.len() - before) as u64;
        self.position += grown;
        self.increment_size += grown;
    }

    /// Up to where the file is as safe as this policy wants it.
    pub(super) fn safe(&self, policy: Fsync) -> u64 {
        match policy {
            Fsync::Always => self.synced,
            Fsync::EverySec | Fsync::No => self.written,
        }
    }

    /// The system, or even the disk, has the file up to here.
    pub(super) fn reached(&mut self, position: u64, disk: bool) {
        self.written = self.written.max(position);
        if disk {
            self.synced = self.synced.max(position);
        }
    }
}

impl Node {
    /// Writes are told to somebody: replicas, or the append-only file.
    pub(crate) fn is_telling(&self) -> bool {
        self.replication.is_feeding() || self.persistence.aof.is_recording()
    }

    /// Tells one command to the replicas (unless it came from our master, whose own bytes they get) and
    /// writes it to the append-only file.
    pub(crate) fn tell(&mut self, db: usize, command: Args<'_>) {
        if self.replication.is_feeding() {
            self.replication.append(Some(db), command);
        }
        if self.persistence.aof.is_recording() {
            self.persistence.aof.append(Some(db), command);
        }
    }

    /// From here on the append-only file is written only when the driver calls `flush_files`. A driver that
    /// does so when it has handed on everything that had arrived makes one piece, and one `fsync`, of all of
    /// it. Without this call a piece is made after each event.
    pub fn defer_files(&mut self) {
        self.persistence.deferred = true;
    }

    /// `flush_files` has something to do.
    pub fn wants_flush(&self) -> bool {
        let aof = &self.persistence.aof;
        aof.in_flight.is_none() && !aof.buffer.is_empty()
    }

    /// A flush is dear, and serves the better the more it is put off: it waits for the disk.
    pub fn flush_waits_for_disk(&self) -> bool {
        self.config.appendfsync == Fsync::Always
    }

    /// Puts what the append-only file has grown by on its way to the disk.
    pub fn flush_files(&mut self, now: Millis) {
        self.now = now;
        self.pump_aof();
    }

    /// The same after each event, unless the driver does it.
    pub(crate) fn flush_files_by_itself(&mut self) {
        if !self.persistence.deferred {
            self.pump_aof();
        }
    }

    /// Puts the next piece of the append-only file on its way, if none is.
    pub(super) fn pump_aof(&mut self) {
        let aof = &mut self.persistence.aof;
        let Some(file) = aof.file else { return };
        if aof.in_flight.is_some() {
            return;
        }
        let policy = self.config.appendfsync;
        let behind = aof.synced < aof.position;
        let sync = policy == Fsync::Always && behind;
        if !aof.buffer.is_empty() || sync {
            let bytes = aof.buffer.split().freeze();
            if aof.buffer.capacity() == 0 {
                aof.buffer = BytesMut::new();
            }
            aof.in_flight = Some((aof.position, sync));
            // A new increment is found by the manifest that names it: until that is there, all waits behind it.
            let in_order = policy == Fsync::Always || aof.names_are_written();
            self.file(if in_order {
                FileEffect::Append { file, bytes, sync }
            } else {
                FileEffect::Record { file, bytes }
            });
        }
        let aof = &mut self.persistence.aof;
        let due = behind && aof.syncing.is_none() && self.now.since(aof.last_sync) >= Millis(1000);
        if policy == Fsync::EverySec && due {
            aof.syncing = Some(aof.position);
            aof.last_sync = self.now;
            self.file(FileEffect::Sync { file });
        }
    }

    /// Output of `conn` from its last byte that was looked at on waits until the file is safe, if anything does.
    pub(crate) fn hold_output(&mut self, conn: &mut Conn) {
        let aof = &mut self.persistence.aof;
        let end = conn.queued_until();
        if end > conn.looked_at && aof.is_promised() && aof.safe(self.config.appendfsync) < aof.position {
            conn.holds.push_back(Hold { from: conn.looked_at, until: aof.position });
            aof.held.insert(conn.id);
        }
        conn.looked_at = end;
    }

    /// How much of the connection's output may leave now.
    pub(crate) fn free_output(&self, conn: &Conn) -> usize {
        if conn.holds.is_empty() && conn.file_holds.is_empty() {
            return conn.out.len();
        }
        let safe = self.persistence.aof.safe(self.config.appendfsync);
        let waits = conn.holds.iter().find(|hold| hold.until > safe).map(|hold| hold.from);
        let first = waits.into_iter().chain(conn.file_holds.front().map(|hold| hold.from)).min();
        match first {
            Some(from) => (from.saturating_sub(conn.sent) as usize).min(conn.out.len()),
            None => conn.out.len(),
        }
    }

    /// Some of the connection's output waits for the disk: it is not the end of what it has to say.
    pub fn holds_back(&self, id: ConnId) -> bool {
        self.conns.get(id).is_some_and(|conn| self.free_output(conn) < conn.out.len())
    }

    /// More is safe: lets go what waited for it.
    pub(super) fn release_output(&mut self) {
        let safe = self.persistence.aof.safe(self.config.appendfsync);
        let held = std::mem::take(&mut self.persistence.aof.held);
        for id in held {
            // A connection that is taken out is looked at again when it is put back.
            let Some(conn) = self.conns.get_mut(id) else { continue };
            while conn.holds.front().is_some_and(|hold| hold.until <= safe) {
                conn.holds.pop_front();
            }
            if !conn.holds.is_empty() {
                self.persistence.aof.held.insert(id);
            }
            self.queue_writer(id);
        }
    }
}
