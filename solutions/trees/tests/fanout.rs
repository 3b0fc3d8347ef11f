//! Fan-out against a model: whatever is interleaved how, each replica gets exactly the bytes behind its start.

use std::collections::BTreeMap;

use bytes::Bytes;
use core_types::{Offset, StreamLog};
use proptest::prelude::*;
use solution_3::Fanout;

/// The simplest log there is: one piece for each append.
#[derive(Default)]
struct Log {
    start: u64,
    pieces: Vec<Bytes>,
}

impl Log {
    fn append(&mut self, length: usize) {
        let end = self.end().0;
        self.pieces.push((end..end + length as u64).map(byte_at).collect::<Vec<u8>>().into());
    }

    /// Drops what nobody needs, but keeps `window` bytes.
    fn trim(&mut self, window: u64, needed: Option<Offset>) {
        let end = self.end();
        while let Some(first) = self.pieces.first() {
            let next = Offset(self.start).plus(first.len());
            if end.since(next) < window || needed.is_some_and(|needed| needed < next) {
                break;
            }
            self.start = next.0;
            self.pieces.remove(0);
        }
    }
}

impl StreamLog for Log {
    fn end(&self) -> Offset {
        Offset(self.start).plus(self.pieces.iter().map(Bytes::len).sum())
    }

    fn read(&self, at: Offset) -> Bytes {
        let mut begin = Offset(self.start);
        for piece in &self.pieces {
            let end = begin.plus(piece.len());
            if begin <= at && at < end {
                return piece.slice(at.since(begin) as usize..);
            }
            begin = end;
        }
        Bytes::new()
    }
}

fn byte_at(offset: u64) -> u8 {
    (offset % 251) as u8
}

#[derive(Clone, Debug)]
enum Act {
    Append(usize),
    /// The share of the log, in percent, at which the replica begins.
    Attach(u8, u64),
    Detach(u8),
    Take(u8, usize),
    Trim(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let replica = 0..4u8;
    prop_oneof![
        3 => (1..40usize).prop_map(Act::Append),
        2 => (replica.clone(), 0..=100u64).prop_map(|(who, share)| Act::Attach(who, share)),
        1 => replica.clone().prop_map(Act::Detach),
        4 => (replica, 0..60usize).prop_map(|(who, room)| Act::Take(who, room)),
        1 => (0..100u64).prop_map(Act::Trim),
    ]
}

proptest! {
    /// Each replica's bytes are the log's bytes from where it was attached, without a gap and without a
    /// repetition, and the log never drops a byte that somebody still wants.
    #[test]
    fn each_replica_gets_the_stream_from_its_start_on(acts in prop::collection::vec(act(), 0..80)) {
        let (mut log, mut fanout) = (Log::default(), Fanout::new());
        let mut got: BTreeMap<u8, (u64, Vec<u8>)> = BTreeMap::new();
        for act in acts {
            match act {
                Act::Append(length) => log.append(length),
                Act::Attach(who, share) => {
                    let at = log.start + log.end().since(Offset(log.start)) * share / 100;
                    fanout.attach(who, Offset(at));
                    got.insert(who, (at, Vec::new()));
                }
                Act::Detach(who) => {
                    fanout.detach(who);
                    got.remove(&who);
                }
                Act::Take(who, room) => {
                    let mut out = Vec::new();
                    let count = fanout.take(who, &log, room, &mut out);
                    prop_assert_eq!(count, out.iter().map(Bytes::len).sum::<usize>());
                    prop_assert!(count <= room);
                    prop_assert!(out.iter().all(|piece| !piece.is_empty()));
                    match got.get_mut(&who) {
                        Some((_, bytes)) => {
                            let due = fanout.behind(who, log.end()) + count as u64;
                            prop_assert_eq!(count as u64, due.min(room as u64), "as many as there is room for");
                            bytes.extend(out.concat());
                        }
                        None => prop_assert_eq!(count, 0),
                    }
                }
                Act::Trim(window) => log.trim(window, fanout.needed()),
            }
            let slowest = got.values().map(|(at, bytes)| Offset(*at).plus(bytes.len())).min();
            prop_assert_eq!(fanout.needed(), slowest);
        }
        for (who, (at, mut bytes)) in got {
            let mut out = Vec::new();
            fanout.take(who, &log, usize::MAX, &mut out);
            bytes.extend(out.concat());
            let wanted: Vec<u8> = (at..log.end().0).map(byte_at).collect();
            prop_assert_eq!(bytes, wanted, "replica {} from {}", who, at);
            prop_assert_eq!(fanout.behind(who, log.end()), 0);
        }
    }
}

/// A thousand replicas that take nothing cost a thousand cursors: what they wait for is in memory once.
#[test]
fn pieces_are_shared() {
    let mut log = Log::default();
    log.append(1 << 20);
    let (mut fanout, mut waiting) = (Fanout::new(), Vec::new());
    for replica in 0..1000 {
        fanout.attach(replica, Offset(0));
        fanout.take(replica, &log, usize::MAX, &mut waiting);
    }
    assert_eq!(waiting.len(), 1000);
    assert!(waiting.iter().all(|piece| piece.as_ptr() == log.pieces[0].as_ptr()));
}
