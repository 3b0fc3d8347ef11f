//! Replication as the node carries it out. What is *decided* is in the layer of chapter 1
//! ([`crate::layers::one_replica`]); here is what the decisions are applied to.
//!
//! - `master`: the replicas that are attached here, and the stream they are fed.
//! - `replica`: the link to our own master, and the snapshot and the stream that come over it.
//!
//! A node can be both: a replica passes its master's bytes on, unchanged, to replicas of its own.

pub(crate) mod master;
mod replica;

use std::collections::BTreeSet;

use bytes::BytesMut;
use core_types::{Args, Broken, Millis, Offset, ReplId, Reply, Role};

use crate::ConnId;
use crate::conn::{Conns, Kind};
use crate::layers::one_replica::{LinkState, Phase, StreamWriter};

pub(crate) use master::ReplicaConn;
pub(crate) use replica::Upstream;

/// The state of replication in both directions.
pub(crate) struct Replication {
    pub(crate) role: Role,
    /// The history that the data belong to.
    pub(crate) id: ReplId,
    /// The history they belonged to before, and where it ended: what a master's file said.
    pub(crate) id2: Option<(ReplId, Offset)>,
    /// On a master: the stream as it is written.
    writer: StreamWriter,
    /// What the stream has grown by in this event; handed to the replicas at its end.
    stream: BytesMut,
    /// There has been a replica, so writes are turned into a stream. Before that nobody could ask for
    /// it, and nothing is spent on it.
    feeding: bool,
    pub(crate) replicas: BTreeSet<ConnId>,
    /// On a replica: everything about the link to the master.
    pub(crate) upstream: Option<Box<Upstream>>,
    /// Changes to the data set since the start.
    pub(crate) dirty: u64,
    /// When the stream last got a `PING`.
    pinged_at: Millis,
}

impl Replication {
    pub(crate) fn new(id: ReplId) -> Replication {
        Replication {
            role: Role::Master,
            id,
            id2: None,
            writer: StreamWriter::new(Offset(0)),
            stream: BytesMut::new(),
            feeding: false,
            replicas: BTreeSet::new(),
            upstream: None,
            dirty: 0,
            pinged_at: Millis::ZERO,
        }
    }

    /// A file says which history the data are from, and how far. A replica goes on there; a master begins a
    /// history of its own, at the same offset.
    pub(crate) fn take_over(&mut self, id: ReplId, offset: Offset, as_replica: bool) {
        if as_replica {
            self.id = id;
        } else {
            self.id2 = Some((id, offset));
        }
        self.writer = StreamWriter::new(offset);
    }

    pub(crate) fn is_replica(&self) -> bool {
        matches!(self.role, Role::Replica { .. })
    }

    /// A master's writes go into a stream. A replica's stream comes from its master.
    pub(crate) fn is_feeding(&self) -> bool {
        self.feeding && !self.is_replica()
    }

    pub(crate) fn append(&mut self, db: Option<usize>, command: Args<'_>) {
        self.writer.append(db, command, &mut self.stream);
    }

    pub(crate) fn offset(&self) -> Offset {
        self.upstream.as_ref().map_or(self.writer.offset(), |upstream| upstream.offset())
    }

    pub(crate) fn link_state(&self) -> Option<LinkState> {
        self.upstream.as_ref().map(|upstream| upstream.state())
    }

    pub(crate) fn link_is_online(&self) -> bool {
        self.link_state() == Some(LinkState::Online)
    }

    pub(crate) fn check_invariants(&self, conns: &Conns) -> Result<(), Broken> {
        if self.is_replica() != self.upstream.is_some() {
            return Err(Broken::new(
                "a node has a link exactly if it is a replica",
                format!("role {:?}, link {}", self.role, self.upstream.is_some()),
            ));
        }
        for id in &self.replicas {
            let Some(conn) = conns.get(*id) else {
                return Err(Broken::new("an attached replica has a connection", format!("{id:?} has none")));
            };
            let Kind::Replica(replica) = &conn.kind else {
                return Err(Broken::new(
                    "an attached replica's connection knows that it is one",
                    format!("{id:?} is {:?}", conn.kind),
                ));
            };
            let acked = replica.attachment.acked();
            if replica.attachment.phase() == Phase::Online && acked > self.offset() {
                return Err(Broken::new(
                    "no replica is ahead of its master",
                    format!("{id:?} acknowledged {acked}, the stream has {}", self.offset()),
                ));
            }
        }
        Ok(())
    }
}

/// Takes the replies to a master's commands, which nobody waits for, and remembers an error.
#[derive(Debug, Default)]
pub(crate) struct Discard {
    pub(crate) error: Option<String>,
}

impl Reply for Discard {
    fn simple(&mut self, _: &str) {}
    fn error(&mut self, text: &str) {
        self.error = Some(text.to_string());
    }
    fn integer(&mut self, _: i64) {}
    fn bulk(&mut self, _: &[u8]) {}
    fn null(&mut self) {}
    fn null_array(&mut self) {}
    fn array(&mut self, _: usize) {}
    fn map(&mut self, _: usize) {}
    fn set(&mut self, _: usize) {}
    fn push(&mut self, _: usize) {}
    fn double(&mut self, _: f64) {}
    fn boolean(&mut self, _: bool) {}
    fn big_number(&mut self, _: &str) {}
    fn verbatim(&mut self, _: &str, _: &[u8]) {}
}
