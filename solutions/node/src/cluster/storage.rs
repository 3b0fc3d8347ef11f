//! When `nodes.conf` is read and written.
//!
//! # What is promised
//!
//! As in Redis 7.0 there are two kinds of changes, and nobody hears of either before it is as safe as it shall be:
//!
//! - **Saved** ([`must_save`](Cluster::must_save)): the system has it, so that it survives the process, whatever kills
//!   it. Slots that an operator gives, takes or moves; members that come and go. If the machine dies right after, the
//!   operator asks again, or `fix` does.
//! - **Synced** ([`must_sync`](Cluster::must_sync)): the disk has it. Epochs and votes, a change of roles, slots that
//!   another node claims: what was told to others and then forgotten could be used twice.
//!
//! # How it is written
//!
//! The file is filled up with blanks to one block of the disk. As long as it stays that small (some thirty members), the
//! block is written over in place: a disk writes it whole or not at all, and its length never changes, so that what was
//! synced before is not at risk while it is written, and a save costs no more than a `write(2)`. Nobody who waits for that
//! alone waits for a sync that is under way. A file of several blocks is written beside the old one, synced, and takes
//! its name.
//!
//! Changes that come while the disk is at work are written, or synced, together afterwards.
//!
//! # Who waits
//!
//! The client that has asked for the change, what it has sent behind that, and packets to other nodes; nobody else. Redis
//! stands still while it writes. Here, who only asks ([`ASKS`]) hears at once how it is now, be the disk ever so slow:
//! that is when an operator wants to look. What is heard so may be forgotten, if the node dies before the disk has it.
//! `FORGET` and `SET-CONFIG-EPOCH` wait for the disk itself, which Redis leaves to a later sync.

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use core_types::{Args, LogLevel, NodeId, Reply};
use keyspace::{TimeoutReply, Wait};

use super::nodes_file::{BLOCK, SlotTexts};
use super::state::Cluster;
use crate::conn::Conn;
use crate::layers::sharding::key_slot;
use crate::{ConnId, Effect, FileEffect, FileEvent, FileId, Node};

/// Subcommands of `CLUSTER` that change nothing.
const ASKS: [&[u8]; 12] = [
    b"count-failure-reports",
    b"countkeysinslot",
    b"getkeysinslot",
    b"info",
    b"keyslot",
    b"links",
    b"myid",
    b"nodes",
    b"replicas",
    b"shards",
    b"slaves",
    b"slots",
];

/// The file, and who waits for it.
#[derive(Default)]
pub(crate) struct Storage {
    state: State,
    /// The file is there, we have written it, and it is one block.
    is_block: bool,
    texts: SlotTexts,
    /// The system has all changes up to this one, the disk up to that.
    written: u64,
    synced: u64,
    /// A sync is under way, with all changes up to this one.
    syncing: Option<(FileId, u64)>,
    /// Another one is wanted behind it.
    to_sync: bool,
    /// Connections of which some output waits for it.
    held: BTreeSet<ConnId>,
    /// Clients that have asked for nothing but a write, their answers, and the change they wait for.
    answers: Vec<(ConnId, BytesMut, u64)>,
    /// Changes up to here were asked for by `CLUSTER SAVECONFIG` alone: a failure is no reason to end.
    on_request: u64,
}

/// Output of a connection that must not leave before `nodes.conf` is on the disk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileHold {
    /// The first byte of the connection's output that waits.
    pub(crate) from: u64,
    /// The change that has to be there.
    change: u64,
    /// On the disk itself.
    sync: bool,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    /// At the start.
    Reading { file: FileId, bytes: Vec<u8> },
    /// With all changes up to this one: in place, or so that another file takes the place of this one.
    Writing { file: FileId, change: u64, in_place: bool },
}

impl Storage {
    /// May be told what waits like this?
    fn is_safe(&self, hold: &FileHold) -> bool {
        hold.change <= if hold.sync { self.synced } else { self.written }
    }
}

impl Node {
    /// At the start: asks for the file. The data set is loaded when it is known. False: this is no node of a cluster.
    pub(crate) fn begin_cluster_load(&mut self) -> bool {
        if !self.config.cluster_enabled {
            return false;
        }
        let file = self.persistence.new_file();
        self.cluster_storage.state = State::Reading { file, bytes: Vec::new() };
        self.persistence.before_load = true;
        let name = self.config.cluster_config_file.clone();
        self.file(FileEffect::Read { file, name });
        true
    }

    /// A node without files of an earlier run begins as a cluster of its own.
    pub(crate) fn begin_cluster(&mut self, cluster: Option<Cluster>) {
        let fresh = cluster.is_none();
        let cluster = cluster.unwrap_or_else(|| Cluster::alone(NodeId::random(&mut self.rng), self.now));
        let id = cluster.me();
        self.log(
            LogLevel::Notice,
            match fresh {
                true => format!("No cluster configuration found, I'm {id}"),
                false => format!("Node configuration loaded, I'm {id}"),
            },
        );
        self.cluster = Some(Box::new(cluster));
        self.keyspace.index_slots(key_slot);
        self.refresh_cluster_config();
        if fresh && let Some(cluster) = &mut self.cluster {
            cluster.must_sync();
        }
        self.bus_start();
    }

    /// True if the event was about the cluster's file.
    pub(crate) fn cluster_file_event(&mut self, file: FileId, event: &FileEvent<'_>) -> bool {
        match &mut self.cluster_storage.state {
            State::Reading { file: reading, bytes } if *reading == file => {
                match event {
                    FileEvent::Piece(piece) => bytes.extend_from_slice(piece),
                    FileEvent::End | FileEvent::Missing => {
                        let bytes = std::mem::take(bytes);
                        self.cluster_storage.state = State::Idle;
                        self.cluster_file_read(&bytes);
                    }
                    FileEvent::Failed(why) => {
                        let name = &self.config.cluster_config_file;
                        let text = format!("Loading the cluster node config from {name}: {why}");
                        self.give_up_cluster(text);
                    }
                    FileEvent::Written(_) | FileEvent::Synced | FileEvent::Committed => {}
                }
                true
            }
            State::Writing { file: writing, change, in_place } if *writing == file => {
                let (change, in_place) = (*change, *in_place);
                let failure = match event {
                    FileEvent::Written(_) if in_place => None,
                    FileEvent::Committed => None,
                    FileEvent::Failed(why) => Some(why.as_str()),
                    _ => return true,
                };
                self.cluster_storage.state = State::Idle;
                self.cluster_file_reached(change, !in_place, failure);
                true
            }
            _ => match self.cluster_storage.syncing {
                Some((syncing, change)) if syncing == file => {
                    self.cluster_storage.syncing = None;
                    let failure = if let FileEvent::Failed(why) = event { Some(why.as_str()) } else { None };
                    self.cluster_file_reached(change, true, failure);
                    true
                }
                _ => false,
            },
        }
    }

    fn cluster_file_read(&mut self, bytes: &[u8]) {
        let mut skipped = Vec::new();
        match Cluster::from_file(bytes, self.now, &mut skipped) {
            Ok(cluster) => {
                for name in skipped {
                    self.warn(format!("Skipping unknown cluster config variable '{name}'"));
                }
                self.begin_cluster(cluster);
                self.persistence.before_load = false;
                self.begin_load();
            }
            Err(corrupt) => {
                self.log(LogLevel::Verbose, format!("nodes file: {}", corrupt.0));
                self.give_up_cluster("Unrecoverable error: corrupted cluster config file.".into());
            }
        }
    }

    fn give_up_cluster(&mut self, text: String) {
        self.warn(text);
        self.ask(Effect::Exit { code: 1 });
    }

    /// Begins to write what has changed, if nothing is being written.
    pub(super) fn save_cluster(&mut self) {
        let Some(cluster) = &mut self.cluster else { return };
        let storage = &mut self.cluster_storage;
        if !matches!(storage.state, State::Idle) {
            return;
        }
        cluster.todo.save = false;
        let bytes: Bytes = cluster.to_file(&mut storage.texts).into();
        let in_place = storage.is_block && bytes.len() == BLOCK;
        // A file that takes the other's place is on the disk when it does.
        storage.to_sync |= std::mem::take(&mut cluster.todo.sync) && in_place;
        let change = cluster.change();
        let file = self.persistence.new_file();
        storage.state = State::Writing { file, change, in_place };
        storage.is_block = bytes.len() == BLOCK;
        let name = self.config.cluster_config_file.clone();
        if in_place {
            return self.file(FileEffect::Overwrite { file, name, bytes });
        }
        self.file(FileEffect::Create { file, name: format!("{name}.new") });
        self.file(FileEffect::Append { file, bytes, sync: false });
        self.file(FileEffect::Commit { file, to: Some(name) });
    }

    /// Has what was written in place on the disk, if somebody waits for that, and no other sync is under way.
    fn sync_cluster(&mut self) {
        let storage = &mut self.cluster_storage;
        // What is being written just now may be the very thing that shall be synced: then its end comes here again.
        let writing = !matches!(storage.state, State::Idle);
        if !storage.to_sync || storage.syncing.is_some() || writing {
            return;
        }
        storage.to_sync = false;
        let file = self.persistence.new_file();
        self.cluster_storage.syncing = Some((file, self.cluster_storage.written));
        let name = self.config.cluster_config_file.clone();
        self.file(FileEffect::SyncNamed { file, name });
    }

    /// The file has all changes up to this one: the disk's, or at least the system's.
    fn cluster_file_reached(&mut self, change: u64, disk: bool, failure: Option<&str>) {
        let Some(cluster) = &mut self.cluster else { return };
        if let Some(why) = failure {
            self.cluster_storage.is_block = false;
            if change > self.cluster_storage.on_request {
                self.log(LogLevel::Verbose, format!("nodes file: {why}"));
                return self.give_up_cluster("Fatal: can't update cluster config file.".into());
            }
        } else {
            let storage = &mut self.cluster_storage;
            storage.written = storage.written.max(change);
            if disk {
                storage.synced = storage.synced.max(change);
                cluster.mark_saved(change);
            }
            self.sync_cluster();
            for id in std::mem::take(&mut self.cluster_storage.held) {
                // A connection that is gone waits for nothing.
                let Some(conn) = self.conns.get_mut(id) else { continue };
                while conn.file_holds.front().is_some_and(|hold| self.cluster_storage.is_safe(hold)) {
                    conn.file_holds.pop_front();
                }
                if !conn.file_holds.is_empty() {
                    self.cluster_storage.held.insert(id);
                }
                self.queue_writer(id);
            }
        }
        let synced = self.cluster_storage.synced;
        let (due, later) = std::mem::take(&mut self.cluster_storage.answers)
            .into_iter()
            .partition(|(.., awaited)| *awaited <= if failure.is_none() { synced } else { change });
        self.cluster_storage.answers = later;
        let due: Vec<(ConnId, BytesMut, u64)> = due;
        for (id, answer, _) in due {
            let Some(mut conn) = self.conns.take(id) else { continue };
            if self.unblock(&mut conn).is_some() {
                match failure {
                    None => conn.out.extend_from_slice(&answer),
                    Some(why) => {
                        let text = format!("ERR error saving the cluster node config: {why}");
                        self.encoder(&mut conn).error(&text);
                    }
                }
            }
            self.finish(conn);
            self.resume.push_back(id);
        }
        self.bus_saved();
        self.resume_clients();
    }

    /// What the command has answered since `begin` may be told when what it has changed is safe.
    pub(super) fn answer_when_saved(&mut self, conn: &mut Conn, begin: usize, args: Args<'_>) {
        let Some(cluster) = &self.cluster else { return };
        if !cluster.todo.save || ASKS.iter().any(|word| args[1].eq_ignore_ascii_case(word)) {
            return;
        }
        let change = cluster.change();
        if !args.is(1, "saveconfig") || self.in_unit() {
            // What the client sends behind it runs meanwhile, so that one write serves many commands.
            let sync = cluster.todo.sync;
            conn.file_holds.push_back(FileHold { from: conn.sent + begin as u64, change, sync });
            self.cluster_storage.held.insert(conn.id);
            return;
        }
        // This one has an answer of its own if the file cannot be written.
        let answer = conn.out.split_off(begin);
        self.block(conn, Wait { keys: Vec::new(), deadline: None, on_timeout: TimeoutReply::Null }, args);
        self.cluster_storage.answers.push((conn.id, answer, change));
    }

    /// `CLUSTER SAVECONFIG`
    pub(super) fn save_cluster_on_request(&mut self) {
        if let Some(cluster) = &mut self.cluster {
            let idle = !cluster.todo.save && matches!(self.cluster_storage.state, State::Idle);
            cluster.must_sync();
            if idle {
                self.cluster_storage.on_request = cluster.change();
            }
        }
    }
}
