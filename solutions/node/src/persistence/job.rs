//! The snapshot in progress, and for whom it is made.

use bytes::Bytes;
use core_types::{Millis, Offset};
use keyspace::{Snapshot, rdb};

use crate::{ConnId, FileEffect, FileEvent, FileId, Node};

/// How many bytes of a snapshot are made at a time: a tenth of a millisecond of work.
const STEP: usize = 64 * 1024;

/// So many bytes of a snapshot may wait for a replica's socket, or for the disk, before more are made.
const AHEAD: usize = 1024 * 1024;

/// A snapshot in progress.
pub(crate) struct Job {
    snapshot: Snapshot,
    pub(super) started: Millis,
    /// Changes to the data set up to its beginning.
    pub(super) dirty: u64,
    /// Bytes made so far.
    bytes: u64,
    target: Target,
}

enum Target {
    /// Replicas that wait for a full synchronisation. They share it.
    Replicas {
        /// Those that get it piece by piece, each with the mark that ends it.
        streaming: Vec<(ConnId, [u8; 40])>,
        /// Those that must be told its length first.
        whole: Vec<ConnId>,
        /// What has been made, if anybody needs all of it.
        payload: Option<Vec<u8>>,
        /// Where the stream stood when it was begun.
        offset: Offset,
    },
    File {
        file: FileId,
        purpose: Purpose,
        /// Bytes that are not on their way to the disk yet, or still on it.
        unwritten: usize,
        complete: bool,
    },
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// `dump.rdb`.
    Save,
    /// The base of the append-only file.
    Base,
}

impl Job {
    pub(super) fn file(&self) -> Option<FileId> {
        match &self.target {
            Target::File { file, .. } => Some(*file),
            Target::Replicas { .. } => None,
        }
    }

    pub(super) fn purpose(&self) -> Option<Purpose> {
        match &self.target {
            Target::File { purpose, .. } => Some(*purpose),
            Target::Replicas { .. } => None,
        }
    }

    /// For a snapshot that is made for replicas: where the stream stood at its begin, and whether all of it is
    /// kept.
    pub(crate) fn for_replicas(&self) -> Option<(Offset, bool)> {
        match &self.target {
            Target::Replicas { offset, payload, .. } => Some((*offset, payload.is_some())),
            Target::File { .. } => None,
        }
    }

    /// One more replica takes it when it is complete.
    pub(crate) fn add_replica(&mut self, id: ConnId) {
        if let Target::Replicas { whole, .. } = &mut self.target {
            whole.push(id);
        }
    }

    pub(super) fn progress(&self) -> (u64, u64) {
        (self.snapshot.keys_written(), self.snapshot.keys())
    }
}

impl Node {
    /// What a snapshot of now says about itself.
    pub(crate) fn aux(&self, aof_base: bool) -> rdb::Aux {
        // The stream has selected a database; whoever goes on from here has to begin in it. Where nobody can go
        // on from here, or what follows is an append-only file, no place in a history is told.
        let selected = self.replication.stream_db().filter(|_| !aof_base);
        rdb::Aux {
            redis_ver: crate::info::REDIS_VERSION.to_string(),
            ctime: Some(self.now.as_secs()),
            repl_stream_db: selected.map(|db| db as i64),
            repl_id: selected.map(|_| self.replication.history.id),
            repl_offset: selected.map(|_| self.replication.offset()),
            aof_base,
            ..rdb::Aux::default()
        }
    }

    /// Begins a snapshot for replicas: `streaming` get it as it is made, `whole` at its end.
    pub(crate) fn begin_replica_job(&mut self, streaming: Vec<(ConnId, [u8; 40])>, whole: Vec<ConnId>) {
        let payload = (!whole.is_empty()).then(Vec::new);
        let offset = self.replication.offset();
        self.begin_job(Target::Replicas { streaming, whole, payload, offset }, false);
        // A small data set is through at once.
        self.advance_job();
    }

    pub(super) fn begin_file_job(&mut self, name: String, purpose: Purpose) {
        let file = self.persistence.new_file();
        self.file(FileEffect::Create { file, name });
        self.begin_job(
            Target::File { file, purpose, unwritten: 0, complete: false },
            purpose == Purpose::Base,
        );
    }

    fn begin_job(&mut self, target: Target, aof_base: bool) {
        let aux = self.aux(aof_base);
        let snapshot = Snapshot::begin(&mut self.keyspace, &aux);
        let dirty = self.replication.dirty;
        self.persistence.job = Some(Box::new(Job { snapshot, started: self.now, dirty, bytes: 0, target }));
    }

    /// True if the next step can be made now: nobody is far behind.
    pub(crate) fn job_is_ready(&self) -> bool {
        let Some(job) = &self.persistence.job else { return false };
        match &job.target {
            Target::Replicas { streaming, .. } => {
                streaming.iter().all(|(id, _)| self.conns.get(*id).is_none_or(|conn| conn.out.len() < AHEAD))
            }
            Target::File { unwritten, complete, .. } => !complete && *unwritten < AHEAD,
        }
    }

    /// Makes one step, if it can be made.
    pub(crate) fn advance_job(&mut self) {
        if self.job_is_ready() {
            self.step_job(STEP);
        }
    }

    /// Makes all the rest at once. Only for a process that is about to end.
    pub(super) fn finish_job_now(&mut self) {
        while matches!(
            self.persistence.job.as_deref(),
            Some(Job { target: Target::File { complete: false, .. }, .. })
        ) {
            self.step_job(16 * AHEAD);
        }
    }

    fn step_job(&mut self, budget: usize) {
        let Some(mut job) = self.persistence.job.take() else { return };
        if let Target::Replicas { streaming, whole, .. } = &mut job.target {
            let attached = &self.replication.replicas;
            streaming.retain(|(id, _)| attached.contains(id));
            whole.retain(|id| attached.contains(id));
            if streaming.is_empty() && whole.is_empty() {
                self.warn("Diskless rdb transfer, last replica dropped, killing fork child.");
                return job.snapshot.cancel(&mut self.keyspace);
            }
        }
        let mut bytes = Vec::with_capacity(budget + budget / 8);
        let done = job.snapshot.step(&mut self.keyspace, budget, &mut bytes);
        job.bytes += bytes.len() as u64;
        match &mut job.target {
            Target::Replicas { streaming, whole, payload, .. } => {
                for (id, _) in &*streaming {
                    self.send_raw(*id, &bytes);
                }
                if let Some(payload) = payload {
                    payload.extend_from_slice(&bytes);
                }
                if done {
                    self.end_streams(streaming);
                    self.send_wholes(whole, Bytes::from(payload.take().unwrap_or_default()));
                    return self.notice("Background saving terminated with success");
                }
            }
            Target::File { file, purpose, unwritten, complete } => {
                *unwritten += bytes.len();
                *complete = done;
                let (file, purpose) = (*file, *purpose);
                self.file(FileEffect::Append { file, bytes: bytes.into(), sync: false });
                if done {
                    let to = match purpose {
                        Purpose::Save => self.config.dbfilename.clone(),
                        Purpose::Base => self.next_base_path(),
                    };
                    self.file(FileEffect::Commit { file, to: Some(to) });
                }
            }
        }
        self.persistence.job = Some(job);
    }

    pub(super) fn job_event(&mut self, event: FileEvent<'_>) {
        let Some(job) = &mut self.persistence.job else { return };
        let Target::File { unwritten, purpose, .. } = &mut job.target else { return };
        let purpose = *purpose;
        match event {
            FileEvent::Written(count) => *unwritten = unwritten.saturating_sub(count),
            FileEvent::Committed => {
                if let Some(job) = self.persistence.job.take() {
                    match purpose {
                        Purpose::Save => self.save_ended(Some(&job), Ok(())),
                        Purpose::Base => self.base_is_ready(job.bytes),
                    }
                }
            }
            FileEvent::Failed(why) => {
                self.warn(format!("Write error saving DB on disk: {why}"));
                self.cancel_job();
            }
            FileEvent::Piece(_) | FileEvent::End | FileEvent::Missing | FileEvent::Synced => {}
        }
    }

    /// Gives the snapshot in progress up, and tells whoever waits for it. Replicas are sent away; they come back.
    pub(crate) fn cancel_job(&mut self) {
        let Some(job) = self.persistence.job.take() else { return };
        let (purpose, started) = (job.purpose(), job.started);
        job.snapshot.cancel(&mut self.keyspace);
        match job.target {
            Target::Replicas { streaming, whole, .. } => {
                streaming.into_iter().map(|(id, _)| id).chain(whole).for_each(|id| self.close(id));
            }
            Target::File { file, .. } => self.file(FileEffect::Discard { file }),
        }
        self.persistence.last_try = started;
        match purpose {
            Some(Purpose::Save) => self.save_ended(None, Err(())),
            Some(Purpose::Base) => self.rewrite_failed(),
            None => {}
        }
    }
}
