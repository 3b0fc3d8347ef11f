//! Replication as the node carries it out. What is *decided* is in the layers of chapters 1 to 3
//! ([`crate::layers::one_replica`], [`crate::layers::offsets`], [`crate::layers::trees`]); here is what the
//! decisions are applied to.
//!
//! As a master, and as a replica that has replicas of its own:
//!
//! - `log`: the one log that all replicas read from, and what happens at the end of an event.
//! - `attach`: `PSYNC`: who may go on where it was, and who has to take a snapshot.
//! - `snapshot`: one snapshot for all who wait for one.
//! - `feed`: from the log to the connections, and acknowledgements back.
//! - `beat`: heartbeats and timeouts, in both directions.
//! - `wait`: `WAIT`, and the gate that closes when too few replicas acknowledge.
//! - `failover`: `FAILOVER`, handing one's place to a replica.
//! - `leave`: letting replicas catch up before this node ends.
//! - `info`: what `INFO` and `ROLE` show.
//!
//! As a replica:
//!
//! - `link`: the connection to the master, and what is asked on it.
//! - `synchronise`: what it answers: go on, or take a snapshot.
//! - `apply`: the stream: applied here, and passed on unchanged.
//! - `role`: whom this node follows, and under which names its data are known.
//!
//! # One log
//!
//! The stream lies in one log, whoever wrote it: this node, or its master. A replica is a cursor in that log
//! from its snapshot's start on. Its connection is given a piece only when little waits on it, so a slow
//! replica costs the log, once, and not a copy of its own.

mod apply;
mod attach;
mod beat;
pub(crate) mod failover;
mod feed;
mod info;
mod leave;
mod link;
mod log;
mod role;
mod snapshot;
mod synchronise;
pub(crate) mod wait;

use bytes::{Bytes, BytesMut};
use core_types::{Args, Broken, History, Millis, Offset, Position, ReplId, Reply, Role};

use crate::ConnId;
use crate::conn::{Conns, Kind};
use crate::layers::offsets::{Acks, Backlog};
use crate::layers::one_replica::{LinkState, Phase, StreamWriter};
use crate::layers::trees::{Fanout, Own, may_add};

pub(crate) use attach::ReplicaConn;
pub(crate) use failover::Failover;
use leave::Leaving;
pub(crate) use link::Upstream;
use log::Turn;

/// The state of replication in both directions.
pub(crate) struct Replication {
    pub(crate) role: Role,
    /// The names of the history that the data belong to.
    pub(crate) history: History,
    /// The last part of the stream, and whatever a replica has not read yet. `None` until somebody could ask
    /// for it; until then nothing is spent on a stream.
    pub(crate) log: Option<Backlog>,
    /// On a master: turns writes into the stream.
    writer: StreamWriter,
    /// What the stream has grown by and the log has not got yet.
    stream: BytesMut,
    /// Where each replica stands in the log.
    pub(crate) fanout: Fanout<ConnId>,
    /// What the replicas that are online have acknowledged.
    pub(crate) acks: Acks<ConnId>,
    /// Attached replicas, in the order in which they came.
    pub(crate) replicas: Vec<ConnId>,
    /// Since when there has been none.
    alone_since: Millis,
    /// On a replica: everything about the link to the master.
    pub(crate) upstream: Option<Box<Upstream>>,
    /// What a file said about the history of the data that were loaded from it.
    saved: Option<Saved>,
    /// Changes to the data set since the start.
    pub(crate) dirty: u64,
    /// When the stream last got a `PING`.
    pinged_at: Millis,
    /// What is to be done when this event is over.
    turn: Turn,
    /// Clients that wait for acknowledgements.
    pub(crate) waiting: Vec<ConnId>,
    /// This node is handing its place to a replica.
    pub(crate) failover: Option<Failover>,
    /// This node is about to end, and lets its replicas catch up.
    pub(crate) leaving: Option<Leaving>,
    /// Kept to reuse their memory: pieces of the log, and what a replica is to be sent of them.
    pieces: Vec<Bytes>,
    sending: Vec<Bytes>,
}

/// `repl-id`, `repl-offset` and `repl-stream-db` of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Saved {
    pub(crate) position: Position,
    pub(crate) db: usize,
}

impl Replication {
    pub(crate) fn new(id: ReplId) -> Replication {
        Replication {
            role: Role::Master,
            history: History::new(id),
            log: None,
            writer: StreamWriter::new(Offset(0)),
            stream: BytesMut::new(),
            fanout: Fanout::new(),
            acks: Acks::new(),
            replicas: Vec::new(),
            alone_since: Millis::ZERO,
            upstream: None,
            saved: None,
            dirty: 0,
            pinged_at: Millis::ZERO,
            turn: Turn::default(),
            waiting: Vec::new(),
            failover: None,
            leaving: None,
            pieces: Vec::new(),
            sending: Vec::new(),
        }
    }

    pub(crate) fn is_replica(&self) -> bool {
        matches!(self.role, Role::Replica { .. })
    }

    /// A master's writes go into a stream, if anybody could ask for it. A replica's stream comes from its
    /// master.
    #[inline]
    pub(crate) fn is_feeding(&self) -> bool {
        self.log.is_some() && may_add(&self.role, Own::Write)
    }

    #[inline]
    pub(crate) fn append(&mut self, db: Option<usize>, command: Args<'_>) {
        self.writer.append(db, command, &mut self.stream);
    }

    /// How far the stream has come: written here, or applied from our master.
    #[inline]
    pub(crate) fn offset(&self) -> Offset {
        match &self.upstream {
            Some(upstream) => upstream.offset(),
            None => self.writer.offset(),
        }
    }

    pub(crate) fn link_state(&self) -> Option<LinkState> {
        self.upstream.as_ref().map(|upstream| upstream.state())
    }

    pub(crate) fn link_is_online(&self) -> bool {
        self.link_state() == Some(LinkState::Online)
    }

    /// How many bytes of the stream wait for this replica: in the log, or handed to its connection's side.
    pub(crate) fn waiting_for(&self, id: ConnId) -> u64 {
        self.log.as_ref().map_or(0, |log| self.fanout.behind(id, log.end()))
    }

    /// The database that whoever goes on from here has to start in; `None`: nobody can go on from here.
    pub(crate) fn stream_db(&self) -> Option<usize> {
        match &self.upstream {
            Some(upstream) => upstream.holds_history().then(|| upstream.db()),
            // The next write says SELECT if nothing is selected.
            None => self.log.as_ref().map(|_| self.writer.db().unwrap_or(0)),
        }
    }

    pub(crate) fn check_invariants(&self, conns: &Conns) -> Result<(), Broken> {
        if self.is_replica() != self.upstream.is_some() {
            return Err(Broken::new(
                "a node has a link exactly if it is a replica",
                format!("role {:?}, link {}", self.role, self.upstream.is_some()),
            ));
        }
        self.check_log()?;
        for id in &self.replicas {
            self.check_replica(*id, conns)?;
        }
        if self.fanout.len() > self.replicas.len() || self.acks.online() > self.replicas.len() {
            return Err(Broken::new(
                "only an attached replica has a cursor, or counts among those that acknowledge",
                format!("{} cursors, {} online, {:?}", self.fanout.len(), self.acks.online(), self.replicas),
            ));
        }
        Ok(())
    }

    fn check_replica(&self, id: ConnId, conns: &Conns) -> Result<(), Broken> {
        let Some(conn) = conns.get(id) else {
            return Err(Broken::new("an attached replica has a connection", format!("{id:?} has none")));
        };
        let Kind::Replica(replica) = &conn.kind else {
            return Err(Broken::new(
                "an attached replica's connection knows that it is one",
                format!("{id:?} is {:?}", conn.kind),
            ));
        };
        let waits = replica.attachment.phase() == Phase::WaitSnapshot;
        if waits == self.fanout.at(id).is_some() && !replica.rdb_only {
            return Err(Broken::new(
                "a replica reads the log from its snapshot's start on",
                format!(
                    "{id:?} is in phase {:?}, cursor {:?}",
                    replica.attachment.phase(),
                    self.fanout.at(id)
                ),
            ));
        }
        Ok(())
    }

    fn check_log(&self) -> Result<(), Broken> {
        let Some(log) = &self.log else {
            return match self.fanout.is_empty() {
                true => Ok(()),
                false => {
                    Err(Broken::new("nobody reads a log that is not there", format!("{:?}", self.fanout)))
                }
            };
        };
        let (written, applied) = (log.end().plus(self.stream.len()), self.offset());
        if written != applied {
            return Err(Broken::new(
                "the log ends where this node stands",
                format!("it ends at {written}, the node stands at {applied}"),
            ));
        }
        for &id in &self.replicas {
            if let Some(at) = self.fanout.at(id)
                && (at < log.start() || at > log.end())
            {
                return Err(Broken::new(
                    "every cursor is inside the log",
                    format!("{id:?} stands at {at}, the log has {} to {}", log.start(), log.end()),
                ));
            }
        }
        // A block that could be spared is dropped at the end of the event.
        let spare = log.start().plus(2 * crate::layers::offsets::BLOCK);
        let read = self.fanout.needed().is_none_or(|needed| needed >= spare);
        if read && log.len() >= log.size() + 3 * crate::layers::offsets::BLOCK && self.turn.is_over() {
            return Err(Broken::new(
                "the log keeps what it was told to keep and what is still to be read",
                format!("{} bytes, told {}, needed {:?}", log.len(), log.size(), self.fanout.needed()),
            ));
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
