//! The append-only file: its parts, and when they are replaced.
//!
//! It is a base, which is a snapshot, and increments, which are the commands since. A rewrite begins a new
//! increment and at the same moment a snapshot; when the snapshot is on the disk, a new manifest puts the
//! two in place of everything before. Until then the old manifest, with the new increment at its end, is as
//! good: at no moment would a crash find nothing to load.
//!
//! When the file begins anew (`CONFIG SET appendonly yes`, or a replica that got another data set), the old
//! parts are no part of it. Then the new increment stands in no manifest until its base is ready.

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use core_types::Millis;
use keyspace::rdb;

use super::job::Purpose;
use super::manifest::{Manifest, Part};
use crate::config::Fsync;
use crate::{ConnId, Effect, FileEffect, FileEvent, FileId, Node};

/// After a failure it is tried again so often.
const RETRY: Millis = Millis(5000);

#[derive(Default)]
pub(crate) struct Aof {
    on: bool,
    /// Its base is not ready: what is written now would not be found after a crash.
    starting: bool,
    pub(super) manifest: Manifest,
    /// The increment that is written.
    pub(super) file: Option<FileId>,
    increment: Option<Part>,
    /// The database that the increment has selected.
    pub(super) selected: Option<usize>,
    /// Commands that are not on their way yet.
    pub(super) buffer: BytesMut,
    /// How many bytes were ever appended, how many of those the system has, and how many are on the disk.
    pub(super) position: u64,
    pub(super) written: u64,
    pub(super) synced: u64,
    /// The piece that is on its way: the position of its end, and whether it is synced.
    pub(super) in_flight: Option<(u64, bool)>,
    /// What was written is on its way to the disk, up to this position.
    pub(super) syncing: Option<u64>,
    pub(super) last_sync: Millis,
    /// Increments that are being closed.
    closing: Vec<Closing>,
    /// The manifest that is being written, and the files to delete once it is there.
    writing: Option<(FileId, Vec<String>)>,
    /// Connections whose output waits for the disk.
    pub(super) held: BTreeSet<ConnId>,
    pub(super) rewrite_scheduled: bool,
    pub(super) last_rewrite_failed: bool,
    pub(super) base_size: u64,
    pub(super) increment_size: u64,
    /// The size right after the last rewrite, or at the start.
    pub(super) size_at_rewrite: u64,
    pub(super) error: Option<String>,
    tried_at: Millis,
}

/// An increment that is being closed.
struct Closing {
    file: FileId,
    /// The position at which it ends.
    end: u64,
    /// Pieces of it that are still to be written.
    pieces: usize,
}

impl Aof {
    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    /// Commands are written to it.
    pub(crate) fn is_recording(&self) -> bool {
        self.file.is_some()
    }

    /// What is on the disk will be found there after a crash.
    pub(super) fn is_promised(&self) -> bool {
        self.on && !self.starting && self.file.is_some()
    }

    /// A manifest is on its way to the disk.
    pub(super) fn names_are_written(&self) -> bool {
        self.writing.is_some()
    }

    pub(super) fn size(&self) -> u64 {
        self.base_size + self.increment_size
    }
}

impl Node {
    pub(super) fn aof_path(&self, name: &str) -> String {
        format!("{}/{name}", self.config.appenddirname)
    }

    pub(super) fn manifest_path(&self) -> String {
        self.aof_path(&format!("{}.manifest", self.config.appendfilename))
    }

    pub(super) fn next_base_path(&self) -> String {
        self.aof_path(&self.persistence.aof.manifest.next_base(&self.config.appendfilename).name)
    }

    /// The parts have been loaded, or there were none: from here on commands are recorded.
    pub(super) fn open_aof_after_load(&mut self, manifest: Manifest, sizes: (u64, u64)) {
        let aof = &mut self.persistence.aof;
        aof.on = true;
        aof.manifest = manifest;
        (aof.base_size, aof.increment_size) = sizes;
        aof.last_sync = self.now;
        let mut changed = false;
        if self.persistence.aof.manifest.base.is_none() && self.persistence.aof.manifest.increments.is_empty()
        {
            changed = true;
            self.write_first_base();
        }
        let aof = &mut self.persistence.aof;
        match aof.manifest.increments.last().cloned() {
            Some(last) => {
                let file = self.persistence.new_file();
                self.persistence.aof.file = Some(file);
                self.notice(format!("Opening AOF incr file {} on server start", last.name));
                let name = self.aof_path(&last.name);
                self.persistence.aof.increment = Some(last);
                self.file(FileEffect::Open { file, name });
            }
            None => {
                changed = true;
                let name = self.begin_increment();
                self.notice(format!("Creating AOF incr file {name} on server start"));
                self.adopt_increment();
            }
        }
        if changed {
            self.write_manifest();
        }
        self.persistence.aof.size_at_rewrite = self.persistence.aof.size();
    }

    fn write_first_base(&mut self) {
        let part = self.persistence.aof.manifest.next_base(&self.config.appendfilename);
        self.notice(format!("Creating AOF base file {} on server start", part.name));
        let mut bytes = Vec::new();
        rdb::save(&self.keyspace, &self.aux(true), &mut bytes);
        self.persistence.aof.base_size = bytes.len() as u64;
        let path = self.aof_path(&part.name);
        self.write_whole(&path, bytes.into());
        let manifest = &mut self.persistence.aof.manifest;
        manifest.last_base = part.number;
        manifest.base = Some(part);
    }

    /// A small file, replaced at once or not at all.
    pub(super) fn write_whole(&mut self, path: &str, bytes: Bytes) -> FileId {
        let file = self.persistence.new_file();
        let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
        self.file(FileEffect::Create { file, name: format!("{folder}/temp-{name}") });
        self.file(FileEffect::Append { file, bytes, sync: false });
        self.file(FileEffect::Commit { file, to: Some(path.to_string()) });
        file
    }

    fn write_manifest(&mut self) {
        let text = self.persistence.aof.manifest.to_text();
        let path = self.manifest_path();
        let file = self.write_whole(&path, text.into());
        let mut history = std::mem::take(&mut self.persistence.aof.manifest.history);
        if let Some((_, earlier)) = self.persistence.aof.writing.take() {
            history.extend(earlier);
        }
        self.persistence.aof.writing = Some((file, history));
    }

    /// Commands go to a new increment from here on. It is in no manifest yet.
    fn begin_increment(&mut self) -> String {
        self.close_increment();
        let aof = &mut self.persistence.aof;
        let part = aof.manifest.next_increment(&self.config.appendfilename);
        let name = part.name.clone();
        aof.increment = Some(part);
        aof.selected = None;
        let file = self.persistence.new_file();
        self.persistence.aof.file = Some(file);
        let path = self.aof_path(&name);
        self.file(FileEffect::Create { file, name: path });
        // A manifest that names it must not be on the disk before it.
        self.persistence.aof.in_flight = Some((self.persistence.aof.position, true));
        self.file(FileEffect::Append { file, bytes: Bytes::new(), sync: true });
        name
    }

    /// Writes the rest of the present increment, has it on the disk, and closes it.
    fn close_increment(&mut self) {
        let aof = &mut self.persistence.aof;
        let Some(file) = aof.file.take() else { return };
        let bytes = aof.buffer.split().freeze();
        let pieces = 1 + usize::from(aof.in_flight.take().is_some());
        aof.syncing = None;
        aof.closing.push(Closing { file, end: aof.position, pieces });
        self.file(FileEffect::Append { file, bytes, sync: false });
        self.file(FileEffect::Commit { file, to: None });
    }

    fn adopt_increment(&mut self) {
        let aof = &mut self.persistence.aof;
        aof.manifest.increments.extend(aof.increment.clone());
    }

    /// Begins a rewrite, or the file itself.
    pub(super) fn begin_rewrite(&mut self) {
        // Within a transaction, part of it would be in the base and all of it in the increment.
        if self.persistence.job.is_some() || self.in_unit() {
            self.persistence.aof.rewrite_scheduled = true;
            return;
        }
        self.persistence.aof.rewrite_scheduled = false;
        self.persistence.aof.tried_at = self.now;
        if self.persistence.aof.on {
            let name = self.begin_increment();
            self.persistence.aof.increment_size = 0;
            if !self.persistence.aof.starting {
                self.notice(format!("Creating AOF incr file {name} on background rewrite"));
                self.adopt_increment();
                self.write_manifest();
            }
        }
        let pid = self.process_id;
        self.notice(format!("Background append only file rewriting started by pid {pid}"));
        self.begin_file_job(self.aof_path(&format!("temp-rewriteaof-bg-{pid}.aof")), Purpose::Base);
    }

    /// The new base is on the disk under its name: a manifest puts it in the place of what was before.
    pub(super) fn base_is_ready(&mut self, size: u64) {
        let filename = self.config.appendfilename.clone();
        let aof = &mut self.persistence.aof;
        let part = aof.manifest.next_base(&filename);
        aof.manifest.last_base = part.number;
        let current = aof.increment.clone().filter(|_| aof.file.is_some());
        let old =
            aof.manifest.base.replace(part).into_iter().chain(std::mem::take(&mut aof.manifest.increments));
        let history: Vec<String> = old
            .map(|part| part.name)
            .filter(|name| current.as_ref().is_none_or(|part| part.name != *name))
            .collect();
        aof.manifest.history.extend(history);
        aof.manifest.increments.extend(current);
        aof.starting = false;
        aof.error = None;
        aof.last_rewrite_failed = false;
        aof.base_size = size;
        aof.size_at_rewrite = aof.size();
        self.write_manifest();
        self.notice("Background AOF rewrite finished successfully");
    }

    pub(super) fn rewrite_failed(&mut self) {
        self.persistence.aof.last_rewrite_failed = true;
        self.warn("Background AOF rewrite terminated with error");
    }

    /// `CONFIG SET appendonly` may have changed.
    pub(crate) fn refresh_appendonly(&mut self) {
        match (self.config.appendonly, self.persistence.aof.on) {
            (true, false) => self.start_aof(),
            (false, true) => self.stop_aof(),
            _ => {}
        }
        // Who waits for the disk may have to wait for less from now on.
        self.release_output();
    }

    fn start_aof(&mut self) {
        self.persistence.aof.on = true;
        self.persistence.aof.starting = true;
        self.persistence.aof.last_sync = self.now;
        self.begin_rewrite();
    }

    pub(super) fn stop_aof(&mut self) {
        self.close_aof();
        if self.persistence.job.as_ref().is_some_and(|job| job.purpose() == Some(Purpose::Base)) {
            self.cancel_job();
        }
    }

    pub(super) fn close_aof(&mut self) {
        self.close_increment();
        let aof = &mut self.persistence.aof;
        aof.on = false;
        aof.starting = false;
        aof.rewrite_scheduled = false;
        aof.error = None;
    }

    /// After a shutdown that failed.
    pub(super) fn reopen_aof(&mut self) {
        if !self.persistence.aof.on {
            self.start_aof();
        }
    }

    /// The data set is another one: what is in the file has nothing to do with it.
    pub(crate) fn restart_aof(&mut self) {
        if self.persistence.aof.on {
            self.close_aof();
            self.start_aof();
        }
    }

    pub(super) fn aof_event(&mut self, file: FileId, event: FileEvent<'_>) {
        let aof = &mut self.persistence.aof;
        match event {
            FileEvent::Written(_) if aof.file == Some(file) => {
                if let Some((end, sync)) = aof.in_flight.take() {
                    aof.reached(end, sync);
                    self.release_output();
                }
            }
            FileEvent::Written(_) => {
                if let Some(closing) = aof.closing.iter_mut().find(|closing| closing.file == file) {
                    closing.pieces -= 1;
                    if closing.pieces == 0 {
                        let end = closing.end;
                        aof.reached(end, false);
                        self.release_output();
                    }
                }
            }
            FileEvent::Synced if aof.file == Some(file) => {
                if let Some(end) = aof.syncing.take() {
                    aof.reached(end, true);
                }
            }
            FileEvent::Committed => {
                if let Some(at) = aof.closing.iter().position(|closing| closing.file == file) {
                    let Closing { end, .. } = aof.closing.remove(at);
                    aof.reached(end, true);
                    self.release_output();
                } else if aof.writing.as_ref().is_some_and(|(writing, _)| *writing == file) {
                    let history = aof.writing.take().map(|(_, history)| history);
                    for name in history.into_iter().flatten() {
                        let name = self.aof_path(&name);
                        self.file(FileEffect::Remove { name });
                    }
                }
            }
            FileEvent::Failed(why) => self.aof_failed(why),
            _ => {}
        }
    }

    fn aof_failed(&mut self, why: String) {
        self.warn(format!("Error writing to the AOF file: {why}"));
        if self.config.appendfsync == Fsync::Always && self.persistence.aof.is_promised() {
            self.warn("Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...");
            return self.ask(Effect::Exit { code: 1 });
        }
        // What the file holds now is unknown. A new one will be made of the data themselves.
        let aof = &mut self.persistence.aof;
        aof.error = Some(why);
        aof.buffer.clear();
        aof.file = None;
        aof.in_flight = None;
        aof.syncing = None;
        aof.starting = true;
        aof.tried_at = self.now;
        // Writes are refused from here on (`MISCONF`); those that were taken are answered, as Redis answers them.
        aof.reached(aof.position, false);
        self.release_output();
    }

    pub(super) fn aof_cron(&mut self) {
        // What was written in the last second may be due for a sync.
        self.pump_aof();
        let aof = &self.persistence.aof;
        let idle = self.persistence.job.is_none() && !aof.rewrite_scheduled;
        if aof.on && aof.starting && idle && self.now.since(aof.tried_at) > RETRY {
            self.begin_rewrite();
        }
    }

    pub(super) fn check_rewrite_size(&mut self) {
        let aof = &self.persistence.aof;
        let percentage = self.config.auto_aof_rewrite_percentage;
        if !aof.on || aof.starting || percentage == 0 || aof.size() <= self.config.auto_aof_rewrite_min_size {
            return;
        }
        let base = aof.size_at_rewrite.max(1);
        let growth = (aof.size() * 100 / base).saturating_sub(100);
        if growth >= percentage {
            self.notice(format!("Starting automatic rewriting of AOF on {growth}% growth"));
            self.begin_rewrite();
        }
    }
}
