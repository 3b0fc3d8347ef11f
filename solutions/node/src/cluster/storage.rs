//! When `nodes.conf` is read and written.

use std::collections::BTreeSet;

use bytes::BytesMut;
use core_types::{Args, LogLevel, NodeId, Reply};
use keyspace::{TimeoutReply, Wait};

use super::state::Cluster;
use crate::conn::Conn;
use crate::layers::sharding::key_slot;
use crate::{ConnId, Effect, FileEffect, FileEvent, FileId, Node};

/// The file, and who waits for it.
#[derive(Default)]
pub(crate) struct Storage {
    state: State,
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
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    /// At the start.
    Reading { file: FileId, bytes: Vec<u8> },
    /// With all changes up to this one.
    Writing { file: FileId, change: u64 },
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
                    FileEvent::Written(_) | FileEvent::Committed => {}
                }
                true
            }
            State::Writing { file: writing, change } if *writing == file => {
                let change = *change;
                match event {
                    FileEvent::Committed => self.cluster_file_written(change, None),
                    FileEvent::Failed(why) => self.cluster_file_written(change, Some(why)),
                    _ => {}
                }
                true
            }
            _ => false,
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
        if !matches!(self.cluster_storage.state, State::Idle) {
            return;
        }
        cluster.todo.save = false;
        cluster.todo.sync = false;
        let (text, change) = (cluster.to_file(), cluster.change());
        let file = self.persistence.new_file();
        self.cluster_storage.state = State::Writing { file, change };
        let name = self.config.cluster_config_file.clone();
        self.file(FileEffect::Create { file, name: format!("{name}.new") });
        self.file(FileEffect::Append { file, bytes: text.into(), sync: false });
        self.file(FileEffect::Commit { file, to: Some(name) });
    }

    fn cluster_file_written(&mut self, change: u64, failure: Option<&str>) {
        self.cluster_storage.state = State::Idle;
        let Some(cluster) = &mut self.cluster else { return };
        if let Some(why) = failure {
            if change > self.cluster_storage.on_request {
                self.log(LogLevel::Verbose, format!("nodes file: {why}"));
                return self.give_up_cluster("Fatal: can't update cluster config file.".into());
            }
        } else {
            cluster.mark_saved(change);
            for id in std::mem::take(&mut self.cluster_storage.held) {
                // A connection that is gone waits for nothing.
                let Some(conn) = self.conns.get_mut(id) else { continue };
                while conn.file_holds.front().is_some_and(|hold| hold.change <= change) {
                    conn.file_holds.pop_front();
                }
                if !conn.file_holds.is_empty() {
                    self.cluster_storage.held.insert(id);
                }
                self.queue_writer(id);
            }
        }
        let (due, later) = std::mem::take(&mut self.cluster_storage.answers)
            .into_iter()
            .partition(|(.., awaited)| *awaited <= change);
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

    /// What the command has answered since `begin` may be told when it is on the disk.
    pub(super) fn answer_when_saved(&mut self, conn: &mut Conn, begin: usize, args: Args<'_>) {
        let Some(cluster) = &self.cluster else { return };
        if !cluster.todo.save {
            return;
        }
        let change = cluster.change();
        if !args.is(1, "saveconfig") || self.in_unit() {
            // What the client sends behind it runs meanwhile, so that one write serves many commands.
            conn.file_holds.push_back(FileHold { from: conn.sent + begin as u64, change });
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
