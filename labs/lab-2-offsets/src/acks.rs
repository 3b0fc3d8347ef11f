//! Acknowledgements, and what is built on them: `WAIT` and the write gate.
//!
//! A replica says `REPLCONF ACK <offset>` once a second, and when it is asked (`REPLCONF GETACK *`, a
//! command in the stream). The master notes two things: up to which offset, and when. `WAIT` looks at the
//! offset and answers for *one* write. The write gate looks at the time, and knows nothing of any write.

use std::collections::BTreeMap;
use std::fmt;

use core_types::{Millis, Offset};

// ANCHOR: acks
/// What a master knows from its replicas' acknowledgements. Only those
/// that are online are in here.
#[derive(Clone, Debug)]
pub struct Acks<K> {
    replicas: BTreeMap<K, Ack>,
}

/// What it knows from one.
#[derive(Clone, Copy, Debug)]
struct Ack {
    /// The highest offset it acknowledged; 0 before the first time.
    offset: Offset,
    /// When it last acknowledged anything, or came online.
    heard: Millis,
}
// ANCHOR_END: acks

impl<K: Ord + Copy> Acks<K> {
    /// No replica is online.
    pub fn new() -> Acks<K> {
        Acks { replicas: BTreeMap::new() }
    }

    /// `replica` is online from now on. It has acknowledged nothing yet.
    pub fn attach(&mut self, now: Millis, replica: K) {
        self.replicas.insert(replica, Ack { offset: Offset(0), heard: now });
    }

    /// `replica` is gone.
    pub fn detach(&mut self, replica: K) {
        self.replicas.remove(&replica);
    }

    /// How many are online.
    pub fn online(&self) -> usize {
        self.replicas.len()
    }

    /// The highest offset that `replica` has acknowledged; `None` if it is not online.
    pub fn acked(&self, replica: K) -> Option<Offset> {
        self.replicas.get(&replica).map(|ack| ack.offset)
    }

    /// When `replica` was last heard; `None` if it is not online.
    pub fn heard_at(&self, replica: K) -> Option<Millis> {
        self.replicas.get(&replica).map(|ack| ack.heard)
    }

    /// `replica` says `REPLCONF ACK offset`. From one that is not online it means nothing here.
    pub fn heard(&mut self, now: Millis, replica: K, offset: Offset) {
        // <exercise 2.7 heard>
        todo!("lab 2.7: Who has what: WAIT")
        // </exercise>
    }

    /// How many replicas have the stream up to `offset`, as far as they have said so.
    pub fn count(&self, offset: Offset) -> usize {
        // <exercise 2.7 count>
        todo!("lab 2.7: Who has what: WAIT")
        // </exercise>
    }

    /// For how many seconds nothing has been heard of `replica` (`lag` in `INFO`). Redis's clock for this
    /// ticks in whole seconds, so it is the difference of two readings of *that* clock: from 8.999 s to
    /// 9.000 s it is 1.
    pub fn lag(&self, now: Millis, replica: K) -> Option<u64> {
        // <exercise 2.8 lag>
        todo!("lab 2.8: The write gate")
        // </exercise>
    }

    /// How many replicas have a lag of at most `max_lag`.
    pub fn good(&self, now: Millis, max_lag: Millis) -> usize {
        // <exercise 2.8 good>
        todo!("lab 2.8: The write gate")
        // </exercise>
    }
}

impl<K: Ord + Copy> Default for Acks<K> {
    fn default() -> Acks<K> {
        Acks::new()
    }
}

// ANCHOR: wait
/// A client that waits: `WAIT replicas timeout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// How many replicas shall have it.
    pub replicas: usize,
    /// Where the stream stood after this client's last command; 0 if it
    /// has sent none.
    pub offset: Offset,
    /// When its patience ends; `None`: never (timeout 0).
    pub deadline: Option<Millis>,
}

/// When the question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The command runs.
    Called {
        /// False in a transaction: nobody may wait there.
        may_block: bool,
    },
    /// The client waits, and something may have changed: an ACK has
    /// arrived, a replica has gone, time has passed.
    Waiting,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitStep {
    /// Answer with this number.
    Answer(usize),
    /// Let the client wait, and ask the replicas how far they are
    /// (`REPLCONF GETACK *` into the stream).
    Ask,
    /// Let the client wait on.
    Keep,
}
// ANCHOR_END: wait

/// Decides about a client that calls `WAIT`, or has called it.
pub fn wait_step<K: Ord + Copy>(now: Millis, wait: &Wait, moment: Moment, acks: &Acks<K>) -> WaitStep {
    // <exercise 2.7 wait_step>
    todo!("lab 2.7: Who has what: WAIT")
    // </exercise>
}

// ANCHOR: gate
/// When a master refuses to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteGate {
    /// `min-replicas-to-write`: how many good replicas it takes. 0, the
    /// default: none, the gate is off.
    pub replicas: usize,
    /// `min-replicas-max-lag`, 10 s by default: how long a good replica
    /// may have been silent. 0: the gate is off.
    pub max_lag: Millis,
}
// ANCHOR_END: gate

impl Default for WriteGate {
    fn default() -> WriteGate {
        WriteGate { replicas: 0, max_lag: Millis::from_secs(10) }
    }
}

/// A write is refused. Displays as the error that the client gets, code first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoReplicas;

impl fmt::Display for NoReplicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NOREPLICAS Not enough good replicas to write.")
    }
}

impl std::error::Error for NoReplicas {}

/// Decides whether a master that has `good` good replicas may write.
pub fn may_write(gate: &WriteGate, good: usize) -> Result<(), NoReplicas> {
    // <exercise 2.8 may_write>
    todo!("lab 2.8: The write gate")
    // </exercise>
}
