//! Fan-out: many readers of one log.
//!
//! The stream is written once, into one log. A replica is no buffer but a *cursor* in that log: the offset
//! up to which it has been handed the bytes. Ten replicas at ten different places cost ten numbers.
//!
//! The price is that the slowest of them decides what the log must keep.
//!
//! Redis does the same since 7.0 (`feedReplicationBuffer` in `replication.c`): one list of blocks, in which each
//! replica and the backlog hold a place. Before that every replica had a buffer of its own.

use std::collections::BTreeMap;

use bytes::Bytes;
use core_types::{Offset, StreamLog};

// ANCHOR: fanout
/// The cursors of all replicas. `K` names a replica: a connection, say.
#[derive(Clone, Debug)]
pub struct Fanout<K> {
    /// The bytes up to here have been handed to this replica; it wants
    /// the ones behind.
    cursors: BTreeMap<K, Offset>,
}
// ANCHOR_END: fanout

impl<K: Ord + Copy> Fanout<K> {
    /// Nobody reads.
    pub fn new() -> Fanout<K> {
        Fanout { cursors: BTreeMap::new() }
    }

    /// `replica` needs every byte behind `at`: the offset of its snapshot, or the one it asked to continue
    /// from. It counts from now on, also while its snapshot is still being made and nothing can be sent.
    pub fn attach(&mut self, replica: K, at: Offset) {
        self.cursors.insert(replica, at);
    }

    /// `replica` is gone.
    pub fn detach(&mut self, replica: K) {
        self.cursors.remove(&replica);
    }

    /// Up to where `replica` has been handed the stream. `None`: it does not read.
    pub fn at(&self, replica: K) -> Option<Offset> {
        self.cursors.get(&replica).copied()
    }

    /// How many readers there are.
    pub fn len(&self) -> usize {
        self.cursors.len()
    }

    /// Nobody reads.
    pub fn is_empty(&self) -> bool {
        self.cursors.is_empty()
    }

    /// How many bytes of a stream that stands at `end` have not been handed to `replica` yet.
    pub fn behind(&self, replica: K, end: Offset) -> u64 {
        // <exercise 3.1 behind>
        self.at(replica).map_or(0, |at| end.since(at))
        // </exercise>
    }

    /// What the log must keep: every byte behind this offset is still wanted by somebody. `None`: nobody
    /// wants any.
    pub fn needed(&self) -> Option<Offset> {
        // <exercise 3.1 needed>
        self.cursors.values().copied().min()
        // </exercise>
    }

    /// Hands the next bytes of `log` to `replica`: appends them to `out`, in order, `room` bytes at most, and
    /// moves its cursor behind them. Returns how many bytes that were.
    ///
    /// What goes out are handles to the log's own pieces, not copies of them. A replica that does not read,
    /// one that has everything, and one whose place the log has lost get nothing.
    pub fn take(&mut self, replica: K, log: &impl StreamLog, room: usize, out: &mut Vec<Bytes>) -> usize {
        // <exercise 3.2>
        let Some(cursor) = self.cursors.get_mut(&replica) else { return 0 };
        let mut left = room;
        while left > 0 {
            let mut piece = log.read(*cursor);
            if piece.is_empty() {
                break;
            }
            piece.truncate(left);
            left -= piece.len();
            *cursor = cursor.plus(piece.len());
            out.push(piece);
        }
        room - left
        // </exercise>
    }
}

impl<K: Ord + Copy> Default for Fanout<K> {
    fn default() -> Fanout<K> {
        Fanout::new()
    }
}
