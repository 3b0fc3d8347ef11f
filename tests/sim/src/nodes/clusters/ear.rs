//! What a node of a cluster hears, one packet after the other: so that it is known what a voter saw when it decided.
//!
//! Several packets may arrive at once, and what is behind a request for a vote may change the picture. So the node is given
//! each piece that ends with a packet by itself. It is the same to the node: it takes packets out of a stream one by one.

use std::collections::BTreeMap;

use core_types::{Epoch, Millis, NodeId};
use node::{ConnId, Node};

use crate::world::Conn;

/// What a voter saw when it decided to vote.
#[derive(Clone, Debug)]
pub struct Ballot {
    /// In which epoch.
    pub epoch: Epoch,
    /// It was a master with slots.
    pub voter: bool,
    /// Each replica, its master, and whether that had failed.
    pub replicas: Vec<(NodeId, NodeId, bool)>,
}

impl Ballot {
    fn of(node: &Node) -> Option<Ballot> {
        let view = node.cluster_view()?;
        let replicas = view.members().filter_map(|member| {
            let master = member.master()?;
            Some((member.id(), master, view.member(master).is_some_and(|master| master.has_failed())))
        });
        let replicas = replicas.collect();
        Some(Ballot { epoch: view.last_vote_epoch(), voter: view.myself().votes(), replicas })
    }
}

/// What one process has heard since it started.
#[derive(Debug, Default)]
pub(super) struct Ear {
    streams: BTreeMap<Conn, Stream>,
    pub(super) ballots: Vec<Ballot>,
}

/// Where one connection is in its packets.
#[derive(Debug, Default)]
struct Stream {
    /// The first bytes of the packet that is being heard, as far as they are there.
    head: Vec<u8>,
    /// How many bytes of it are still to come, once its head is there.
    left: Option<usize>,
}

/// The signature and the length.
const HEAD: usize = 8;

impl Ear {
    /// Bytes arrive on a connection of the bus.
    pub(super) fn hear(&mut self, node: &mut Node, now: Millis, id: ConnId, conn: Conn, bytes: &[u8]) {
        let votes = |node: &Node| node.cluster_view().map(|view| view.last_vote_epoch());
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(self.streams.entry(conn).or_default().cut(rest));
            let before = votes(node);
            node.receive(now, id, piece);
            if votes(node) > before {
                self.ballots.extend(Ballot::of(node));
            }
            rest = behind;
        }
    }

    pub(super) fn closed(&mut self, conn: Conn) {
        self.streams.remove(&conn);
    }
}

impl Stream {
    /// How many of these bytes there are up to the packet's end; all of them, if it is not among them.
    fn cut(&mut self, bytes: &[u8]) -> usize {
        let head = bytes.len().min(HEAD - self.head.len());
        self.head.extend_from_slice(&bytes[..head]);
        if self.head.len() < HEAD {
            return head;
        }
        let left = self.left.unwrap_or_else(|| {
            let (mark, length) = self.head.split_at(4);
            let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
            // What is no packet ends the connection.
            if mark == b"RCmb" && length >= bus::HEADER_LEN { length - HEAD } else { usize::MAX }
        });
        let taken = left.min(bytes.len() - head);
        self.left = Some(left - taken);
        if left == taken {
            *self = Stream::default();
        }
        head + taken
    }
}

#[cfg(test)]
mod tests {
    use core_types::Rng;

    use super::*;

    #[test]
    fn packets_are_cut_apart_however_they_arrive() {
        let mut rng = Rng::new(3);
        let lengths: Vec<usize> = (0..40).map(|_| rng.between(2256, 3000) as usize).collect();
        let packet = |length: &usize| {
            let mut bytes = vec![7; *length];
            bytes[..4].copy_from_slice(b"RCmb");
            bytes[4..8].copy_from_slice(&(*length as u32).to_be_bytes());
            bytes
        };
        let stream: Vec<u8> = lengths.iter().flat_map(packet).collect();
        let (mut place, mut ends, mut at) = (Stream::default(), Vec::new(), 0);
        while at < stream.len() {
            let end = stream.len().min(at + rng.between(1, 6000) as usize);
            while at < end {
                at += place.cut(&stream[at..end]);
                if place.head.is_empty() {
                    ends.push(at);
                }
            }
        }
        let expected: Vec<usize> = lengths
            .iter()
            .scan(0, |sum, length| {
                *sum += length;
                Some(*sum)
            })
            .collect();
        assert_eq!(ends, expected);
        // What is no packet is passed on as it is.
        assert_eq!(Stream::default().cut(b"GET / HTTP/1.1"), 14);
    }
}
