//! The backlog: the last part of the stream, kept in case a replica comes back.
//!
//! ```text
//!           start                                              end
//!             │◀──────────────── at least `size` ────────────────▶│
//! ─ forgotten ┼────────────┬────────────┬────────────┬────────────┤ not written yet
//!             │  16 KiB    │  16 KiB    │  16 KiB    │  tail      │
//!             └────────────┴────────────┴────────────┴────────────┘
//! ```
//!
//! The stream is kept in blocks of equal length. A new block is begun behind the last one, and the first
//! one is dropped as soon as the others are enough: a ring, in which the newest part takes the place of
//! the oldest. Each full block is reference counted, so that any number of readers can hold pieces of it
//! without a copy, even after the backlog has dropped it.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use core_types::{Offset, StreamLog};

use crate::psync::Window;

/// How many bytes of the stream a full block holds. Redis's blocks are at least this long as well
/// (`PROTO_REPLY_CHUNK_BYTES` in `server.h`).
pub const BLOCK: usize = 16 * 1024;

// ANCHOR: backlog
/// The last part of the stream.
#[derive(Clone, Debug)]
pub struct Backlog {
    /// `repl-backlog-size`: how many bytes shall be kept at least.
    size: usize,
    /// The bytes behind this offset are here.
    start: Offset,
    /// The blocks from `start` on, oldest first, each of exactly `BLOCK`
    /// bytes.
    full: VecDeque<Bytes>,
    /// The block that is being filled: fewer than `BLOCK` bytes.
    tail: BytesMut,
}
// ANCHOR_END: backlog

impl Backlog {
    /// A backlog that holds nothing yet, of a stream that stands at `at`. It shall keep `size` bytes.
    pub fn new(size: usize, at: Offset) -> Backlog {
        Backlog { size, start: at, full: VecDeque::new(), tail: BytesMut::with_capacity(BLOCK) }
    }

    /// A backlog that holds `bytes`, the part of the stream behind `start`.
    pub fn holding(size: usize, start: Offset, bytes: &[u8]) -> Backlog {
        let blocks = bytes.chunks_exact(BLOCK);
        let mut backlog = Backlog::new(size, start);
        backlog.tail.extend_from_slice(blocks.remainder());
        backlog.full = blocks.map(Bytes::copy_from_slice).collect();
        backlog
    }

    /// All that is here, oldest first: the full blocks, then the tail.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.full.iter().map(|block| &block[..]).chain([&self.tail[..]])
    }

    /// How many bytes it shall keep at least (`repl_backlog_size` in `INFO`).
    pub fn size(&self) -> usize {
        self.size
    }

    /// Changes how many bytes it shall keep. A smaller size takes effect with the next [`Backlog::trim`],
    /// a larger one as the stream grows: what has been dropped does not come back.
    pub fn set_size(&mut self, size: usize) {
        self.size = size;
    }

    /// The bytes behind this offset are here. (`repl_backlog_first_byte_offset` in `INFO` is the number
    /// of the first byte, which is one more.)
    pub fn start(&self) -> Offset {
        self.start
    }

    /// Where the stream stands.
    pub fn end(&self) -> Offset {
        self.start.plus(self.len())
    }

    /// How many bytes of the stream are here (`repl_backlog_histlen` in `INFO`).
    pub fn len(&self) -> usize {
        self.full.len() * BLOCK + self.tail.len()
    }

    /// True as long as nothing has been written since it was made.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What can be read here, as [`psync`](crate::psync::psync) needs to know it.
    pub fn window(&self) -> Window {
        Window { start: self.start(), end: self.end() }
    }

    /// The stream grew by `bytes`. Nothing is dropped here, however much it is: that is for
    /// [`Backlog::trim`], which knows who still reads.
    pub fn append(&mut self, bytes: &[u8]) {
        // <exercise 2.1 append>
        let mut rest = bytes;
        while self.tail.len() + rest.len() >= BLOCK {
            let (fits, behind) = rest.split_at(BLOCK - self.tail.len());
            self.tail.extend_from_slice(fits);
            let full = std::mem::replace(&mut self.tail, BytesMut::with_capacity(BLOCK));
            self.full.push_back(full.freeze());
            rest = behind;
        }
        self.tail.extend_from_slice(rest);
        // </exercise>
    }

    /// Drops full blocks from the front, as many as can be spared: at least [`Backlog::size`] bytes stay,
    /// and no reader loses a byte that it has not read. `needed` is where the slowest reader stands, if
    /// there is any.
    pub fn trim(&mut self, needed: Option<Offset>) {
        // <exercise 2.1 trim>
        while !self.full.is_empty() && self.len() - BLOCK >= self.size {
            let next = self.start.plus(BLOCK);
            if needed.is_some_and(|reader| reader < next) {
                break;
            }
            self.full.pop_front();
            self.start = next;
        }
        // </exercise>
    }

    /// Can a reader that has everything up to `at` go on reading here?
    pub fn covers(&self, at: Offset) -> bool {
        // <exercise 2.2 covers>
        self.start() <= at && at <= self.end()
        // </exercise>
    }

    /// The next piece of the stream behind `at`: the rest of the block that the next byte lies in. Pieces
    /// of full blocks are shared, not copied. Empty if `at` is the end, or not covered at all.
    pub fn read(&self, at: Offset) -> Bytes {
        // <exercise 2.2 read>
        if at < self.start || at >= self.end() {
            return Bytes::new();
        }
        let distance = at.since(self.start) as usize;
        let (block, inside) = (distance / BLOCK, distance % BLOCK);
        match self.full.get(block) {
            Some(full) => full.slice(inside..),
            None => Bytes::copy_from_slice(&self.tail[inside..]),
        }
        // </exercise>
    }
}

impl StreamLog for Backlog {
    fn end(&self) -> Offset {
        Backlog::end(self)
    }

    fn read(&self, at: Offset) -> Bytes {
        Backlog::read(self, at)
    }
}
