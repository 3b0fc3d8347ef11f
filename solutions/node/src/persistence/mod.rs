//! What outlives the process: RDB files, the append-only file, and snapshots in general.
//!
//! - `job`: the one snapshot that may be in progress, and for whom it is made: replicas, a file, or the base
//!   of an append-only file. Several things that want one take turns.
//! - `rdb_file`: `SAVE`, `BGSAVE`, save points, shutting down.
//! - `reload`: `DEBUG RELOAD`.
//! - `loading`: files at the start, in pieces, while clients hear `-LOADING`.
//! - `manifest`, `aof`: the append-only file in Redis 7's layout, and replies that wait for the disk.
//!
//! No file is touched here. [`FileEffect`](crate::FileEffect) says what the driver is to do, in order, and
//! [`Node::file_event`] hears what became of it.
//!
//! # Differences from Redis
//!
//! - Nothing forks. A snapshot is written in small steps between commands (see [`keyspace::Snapshot`]).
//! - `SAVE` does not stop the server: it is a `BGSAVE` whose client waits for the end.
//! - `save` is empty unless it is set, where Redis has `3600 1 300 100 60 10000`: a node of an exercise
//!   should leave no files behind that nobody asked for. A file that is there is loaded all the same.
//! - The base of an append-only file is always an RDB file (`aof-use-rdb-preamble yes`).
//! - One thread does all that takes a disk's time, in order: snapshots, and every `fsync`. What clients wait for is
//!   small, and written at once (`FileEffect::Record`), also while that thread is at work.
//! - Redis with `everysec` puts a write off while an `fsync` runs, for up to two seconds, and answers clients before
//!   it. Here an answer never leaves before `write(2)`: see `feed`.

mod aof;
mod commands;
mod feed;
mod info;
mod job;
mod loading;
mod manifest;
mod rdb_file;
mod reload;

use core_types::{LogLevel, Millis};

use crate::{ConnId, FileEffect, FileEvent, FileId, Node};

pub(crate) use aof::Aof;
pub(crate) use commands::{bgrewriteaof, bgsave, lastsave, save, shutdown, wait_for_end};
pub(crate) use feed::Hold;
pub(crate) use job::Job;
pub(crate) use loading::Loading;

/// Everything about files and snapshots.
#[derive(Default)]
pub(crate) struct Persistence {
    /// What has to be known before the first file is loaded is not known yet; clients must wait.
    pub(crate) before_load: bool,
    /// Files are being loaded; clients must wait.
    pub(crate) loading: Option<Box<Loading>>,
    /// The snapshot in progress.
    pub(crate) job: Option<Box<Job>>,
    pub(crate) aof: Aof,
    /// `BGSAVE SCHEDULE` waits for the snapshot in progress.
    save_scheduled: bool,
    /// Clients whose `SAVE` waits for the end.
    savers: Vec<ConnId>,
    /// The process is to end when its last file is safe.
    exiting: Option<Exit>,
    /// When a file was last saved, in the operator's sense: at the start there is nothing to save.
    last_save: Millis,
    /// When a save was last tried, and how that ended.
    last_try: Millis,
    last_failed: bool,
    last_duration: Option<Millis>,
    saves: u64,
    /// `Replication::dirty` when the last file was begun, and at the begin of the one in progress.
    dirty_at_save: u64,
    next_file: u64,
    /// The driver says when the append-only file is to go on, by `Node::flush_files`.
    deferred: bool,
}

/// On the way out.
struct Exit {
    /// Who asked for it.
    clients: Vec<ConnId>,
    /// Errors do not hold it up.
    force: bool,
}

impl Persistence {
    pub(crate) fn new(now: Millis) -> Persistence {
        Persistence { last_save: now, ..Persistence::default() }
    }

    pub(crate) fn is_loading(&self) -> bool {
        self.loading.is_some() || self.before_load
    }

    /// Nothing new is begun: the process is on its way out.
    pub(crate) fn is_exiting(&self) -> bool {
        self.exiting.is_some()
    }

    pub(crate) fn new_file(&mut self) -> FileId {
        self.next_file += 1;
        FileId(self.next_file)
    }
}

impl Node {
    /// Files of an earlier run are being loaded; most commands are refused meanwhile.
    pub fn is_loading(&self) -> bool {
        self.persistence.is_loading()
    }

    /// What became of a `FileEffect`.
    pub fn file_event(&mut self, now: Millis, file: FileId, event: FileEvent<'_>) {
        self.now = now;
        if self.persistence.loading.as_ref().is_some_and(|loading| loading.file() == Some(file)) {
            self.loading_event(event);
        } else if self.persistence.loading.as_ref().is_some_and(|loading| loading.saving() == Some(file)) {
            self.reload_saved(&event);
        } else if self.persistence.job.as_ref().is_some_and(|job| job.file() == Some(file)) {
            self.job_event(event);
        } else if !self.cluster_file_event(file, &event) && !self.rewrite_event(file, &event) {
            self.aof_event(file, event);
        }
        self.resume_clients();
        self.end_event();
    }

    pub(crate) fn file(&mut self, effect: FileEffect) {
        self.ask(crate::Effect::File(effect));
    }

    /// Ten times a second.
    pub(crate) fn persistence_cron(&mut self) {
        if self.persistence.is_loading() || self.persistence.is_exiting() {
            return;
        }
        self.aof_cron();
        if self.persistence.job.is_some() {
            return;
        }
        if std::mem::take(&mut self.persistence.save_scheduled) {
            self.begin_save();
        } else if self.persistence.aof.rewrite_scheduled {
            self.begin_rewrite();
        } else {
            self.check_save_points();
            self.start_due_snapshot();
            self.check_rewrite_size();
        }
    }

    pub(crate) fn warn(&mut self, text: impl Into<String>) {
        self.log(LogLevel::Warning, text);
    }

    pub(crate) fn notice(&mut self, text: impl Into<String>) {
        self.log(LogLevel::Notice, text);
    }
}
