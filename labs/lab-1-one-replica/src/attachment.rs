//! The master's side of one replica: what it is sent, and when.
//!
//! ```text
//!                 snapshot_started       snapshot_ready       payload_sent
//! WaitSnapshot ──────────────────▶ Snapshotting ─────▶ Sending ─────────┬─────────▶ Online
//!                 +FULLRESYNC            header, payload      length    │    held    ▲
//!                                                                  mark ▼            │ held
//!                                                                    AwaitAck ───────┘
//!                                                                          first ACK
//! ```
//!
//! The rule behind it: snapshot and stream meet at one offset. Whatever is written after the snapshot
//! was started is not in the snapshot, so it must reach the replica through the stream, in order, and
//! not before the replica has loaded the snapshot.

use bytes::Bytes;
use core_types::{Offset, ReplId};

use crate::transfer::MARK_LEN;

// ANCHOR: phase
/// How far the synchronisation of one replica has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It has asked; no snapshot has been started for it. Writes of now
    /// will be in the snapshot.
    WaitSnapshot,
    /// The snapshot is being made. Writes from now on are not in it: they
    /// are held.
    Snapshotting,
    /// The snapshot is on the wire. Writes are still held.
    Sending,
    /// A snapshot with an end mark is sent; until the replica says that
    /// it has loaded it, writes are held.
    AwaitAck,
    /// Writes are sent as they happen.
    Online,
}
// ANCHOR_END: phase

/// One replica, as its master sees it.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// True if the snapshot ends with a mark, false if its length is told first.
    eof: bool,
    phase: Phase,
    /// What was written since the snapshot was started and is not sent yet, in order.
    held: Vec<Bytes>,
    acked: Offset,
}

impl Attachment {
    /// A replica that has just asked for a full synchronisation. `eof`: it understands a payload that
    /// ends with a mark, and the master wants to send one.
    pub fn new(eof: bool) -> Attachment {
        Attachment { eof, phase: Phase::WaitSnapshot, held: Vec::new(), acked: Offset(0) }
    }

    /// A replica that goes on where it broke off: it has a data set, so there is no snapshot to wait for
    /// (chapter 2).
    pub fn resumed() -> Attachment {
        Attachment { eof: false, phase: Phase::Online, held: Vec::new(), acked: Offset(0) }
    }

    /// How far the synchronisation has come.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The highest offset that the replica has acknowledged.
    pub fn acked(&self) -> Offset {
        self.acked
    }

    /// True if its snapshot ends with a mark, false if the length comes first.
    pub fn eof(&self) -> bool {
        self.eof
    }

    /// How many bytes of the stream wait for the replica to be ready for them.
    pub fn held_bytes(&self) -> usize {
        self.held.iter().map(Bytes::len).sum()
    }

    /// A sign of life for a replica that has to wait: `\n`, between messages only. Once a second will do.
    pub fn keep_alive(&self, out: &mut Vec<Bytes>) {
        if matches!(self.phase, Phase::WaitSnapshot | Phase::Snapshotting) {
            out.push(Bytes::from_static(b"\n"));
        }
    }

    /// A snapshot for this replica has been started, while the stream called `id` stood at `offset`.
    ///
    /// Sends the line `+FULLRESYNC id offset`, ended by CR LF. From here on every byte of the stream is for this
    /// replica.
    pub fn snapshot_started(&mut self, id: ReplId, offset: Offset, out: &mut Vec<Bytes>) {
        // <exercise 1.4 snapshot_started>
        todo!("lab 1.4: Snapshot and stream meet")
        // </exercise>
    }

    /// The stream grew by `bytes`.
    pub fn written(&mut self, bytes: &Bytes, out: &mut Vec<Bytes>) {
        // <exercise 1.4 written>
        todo!("lab 1.4: Snapshot and stream meet")
        // </exercise>
    }

    /// The snapshot is complete: sends its header, itself, and (if its end is marked) `mark`.
    pub fn snapshot_ready(&mut self, mark: &[u8; MARK_LEN], payload: Bytes, out: &mut Vec<Bytes>) {
        // <exercise 1.4 snapshot_ready>
        todo!("lab 1.4: Snapshot and stream meet")
        // </exercise>
    }

    /// The last byte of the snapshot has left. A replica that was told the length is online now. One that
    /// looks for a mark first has to say that it found it.
    pub fn payload_sent(&mut self, out: &mut Vec<Bytes>) {
        // <exercise 1.4 payload_sent>
        todo!("lab 1.4: Snapshot and stream meet")
        // </exercise>
    }

    /// The replica says that it has applied the stream up to `offset`. The first such word after a marked
    /// snapshot puts it online. The offset counts in every phase, and never goes back: an older one that comes
    /// late changes nothing.
    pub fn ack(&mut self, offset: Offset, out: &mut Vec<Bytes>) {
        // <exercise 1.4 ack>
        todo!("lab 1.4: Snapshot and stream meet")
        // </exercise>
    }
}
