//! What a node asks for about files, carried out on the host's disk: at once, or by a disk that takes its time.

use std::collections::{BTreeMap, VecDeque};

use core_types::{Millis, Rng};
use node::{FileEffect, FileEvent, FileId, Node};

use crate::world::Io;

/// Open files and their names.
pub(super) type Files = BTreeMap<FileId, String>;

/// A disk that takes its time for each thing it is asked for, one after the other. What it has not done when its
/// machine's process dies is never done.
#[derive(Debug)]
pub(super) struct Slow {
    /// The shortest and the longest time.
    pub(super) pace: (Millis, Millis),
    pub(super) rng: Rng,
    pub(super) asked: VecDeque<FileEffect>,
    /// When the first of those will be done, by the host's clock.
    pub(super) next: Option<Millis>,
}

impl Slow {
    pub(super) fn ask(&mut self, now: Millis, effect: FileEffect) {
        self.asked.push_back(effect);
        if self.next.is_none() {
            self.schedule(now);
        }
    }

    /// What is done by now, if the time has come. A clock that was set back keeps nobody waiting.
    pub(super) fn due(&mut self, now: Millis) -> Option<FileEffect> {
        let next = self.next?;
        if now < next && next <= now + self.pace.1 {
            return None;
        }
        let done = self.asked.pop_front();
        self.next = None;
        if !self.asked.is_empty() {
            self.schedule(now);
        }
        done
    }

    fn schedule(&mut self, now: Millis) {
        self.next = Some(now + Millis(self.rng.between(self.pace.0.0, self.pace.1.0)));
    }
}

/// A disk in a drill: it becomes slow, or full, while the process runs, and is well again.
///
/// What is written goes into the system's memory at once, as on a machine that has some to spare; only what must be on the
/// disk itself takes time, one thing after the other. As in the server's driver a `Record` and an `Overwrite` do
/// not queue behind that.
#[derive(Debug, Default)]
pub(super) struct Sick {
    /// How long each sync takes.
    pub(super) sync: Millis,
    /// There is no room for another byte.
    pub(super) full: bool,
    asked: VecDeque<FileEffect>,
    /// When the first of those will be done, by the host's clock.
    pub(super) next: Option<Millis>,
}

/// What the system says of a disk without room (`ENOSPC`).
const FULL: &str = "No space left on device";

impl Sick {
    /// What is to be done now; anything else waits for its turn.
    pub(super) fn ask(&mut self, now: Millis, effect: FileEffect) -> Option<FileEffect> {
        let overtakes = match &effect {
            FileEffect::Overwrite { .. } => true,
            FileEffect::Record { file, .. } => {
                !self.asked.iter().any(|other| written_by(other) == Some(*file))
            }
            _ => false,
        };
        if overtakes {
            return Some(effect);
        }
        self.asked.push_back(effect);
        if self.next.is_none() {
            self.schedule(now);
        }
        None
    }

    /// What is done by now.
    pub(super) fn due(&mut self, now: Millis) -> Option<FileEffect> {
        if self.next? > now {
            return None;
        }
        let done = self.asked.pop_front();
        self.next = None;
        if !self.asked.is_empty() {
            self.schedule(now);
        }
        done
    }

    fn schedule(&mut self, now: Millis) {
        let waits = matches!(
            self.asked.front(),
            Some(
                FileEffect::Append { sync: true, .. }
                    | FileEffect::Sync { .. }
                    | FileEffect::SyncNamed { .. }
                    | FileEffect::Commit { .. }
            )
        );
        self.next = Some(now + if waits { self.sync } else { Millis::ZERO });
    }

    pub(super) fn carry_out(
        &self,
        node: &mut Node,
        files: &mut Files,
        effect: FileEffect,
        io: &mut Io<'_, '_>,
    ) {
        let grows = match &effect {
            FileEffect::Append { file, bytes, .. } | FileEffect::Record { file, bytes } => {
                Some(*file).filter(|file| !bytes.is_empty() && files.contains_key(file))
            }
            // What is written over needs no room.
            FileEffect::Overwrite { file, name, bytes } => {
                let there = io.disk().read(name).map_or(0, <[u8]>::len);
                Some(*file).filter(|_| bytes.len() > there)
            }
            _ => None,
        };
        match grows.filter(|_| self.full) {
            Some(file) => {
                // It is closed, and deaf from then on.
                files.remove(&file);
                node.file_event(io.now(), file, FileEvent::Failed(FULL.into()));
            }
            None => carry_out(node, files, effect, io),
        }
    }
}

/// The file that a later write to it must not overtake.
fn written_by(effect: &FileEffect) -> Option<FileId> {
    match effect {
        FileEffect::Create { file, .. }
        | FileEffect::Open { file, .. }
        | FileEffect::Append { file, .. }
        | FileEffect::Record { file, .. }
        | FileEffect::Commit { file, .. }
        | FileEffect::Discard { file } => Some(*file),
        _ => None,
    }
}

/// A known-bad disk: it says that a new file has taken the place of the old one, and lets it do so a while later.
#[derive(Debug)]
pub(super) struct Liar {
    /// The shortest and the longest while.
    pub(super) delay: (Millis, Millis),
    pub(super) rng: Rng,
    /// New files that have not taken their names yet: until when, the name they have, the name they should have.
    pub(super) unsynced: Vec<(Millis, String, String)>,
    pub(super) count: u64,
}

impl Liar {
    pub(super) fn carry_out(
        &mut self,
        node: &mut Node,
        files: &mut Files,
        effect: FileEffect,
        io: &mut Io<'_, '_>,
    ) {
        let now = io.now();
        let (file, to, aside, event) = match effect {
            FileEffect::Commit { file, to: Some(to) } => {
                let Some(name) = files.remove(&file) else { return };
                let aside = self.aside(&name);
                io.disk().sync(&name);
                io.disk().rename(&name, &aside);
                (file, to, aside, FileEvent::Committed)
            }
            // It says that the file is there for good, and sees to it later.
            FileEffect::SyncNamed { file, name } => (file, name.clone(), name, FileEvent::Synced),
            effect => return carry_out(node, files, effect, io),
        };
        self.unsynced.push((now + Millis(self.rng.between(self.delay.0.0, self.delay.1.0)), aside, to));
        node.file_event(now, file, event);
    }

    fn aside(&mut self, name: &str) -> String {
        self.count += 1;
        format!("{name}.{}", self.count)
    }

    pub(super) fn sync_what_is_due(&mut self, now: Millis, io: &mut Io<'_, '_>) {
        self.unsynced.retain(|(due, aside, to)| {
            if *due <= now {
                io.disk().sync(aside);
                io.disk().rename(aside, to);
            }
            *due > now
        });
    }
}

/// Bytes of a file that a node gets at a time.
const PIECE: usize = 4096;

/// A file's content once these bytes were written over it.
fn over(before: Option<&[u8]>, bytes: &[u8]) -> Vec<u8> {
    let kept = before.and_then(|before| before.get(bytes.len()..)).unwrap_or_default();
    [bytes, kept].concat()
}

pub(super) fn carry_out(node: &mut Node, files: &mut Files, effect: FileEffect, io: &mut Io<'_, '_>) {
    let now = io.now();
    let disk = io.disk();
    match effect {
        FileEffect::Read { file, name } => match disk.read(&name).map(<[u8]>::to_vec) {
            None => node.file_event(now, file, FileEvent::Missing),
            Some(bytes) => {
                for piece in bytes.chunks(PIECE) {
                    node.file_event(now, file, FileEvent::Piece(piece));
                }
                node.file_event(now, file, FileEvent::End);
            }
        },
        FileEffect::Create { file, name } => {
            disk.write(&name, b"");
            files.insert(file, name);
        }
        FileEffect::Open { file, name } => drop(files.insert(file, name)),
        FileEffect::Append { file, bytes, sync } => {
            let Some(name) = files.get(&file) else { return };
            disk.append(name, &bytes);
            if sync {
                disk.sync(name);
            }
            node.file_event(now, file, FileEvent::Written(bytes.len()));
        }
        FileEffect::Record { file, bytes } => {
            let Some(name) = files.get(&file) else { return };
            disk.append(name, &bytes);
            node.file_event(now, file, FileEvent::Written(bytes.len()));
        }
        FileEffect::Sync { file } => {
            let Some(name) = files.get(&file) else { return };
            disk.sync(name);
            node.file_event(now, file, FileEvent::Synced);
        }
        FileEffect::Overwrite { file, name, bytes } => {
            let whole = over(disk.read(&name), &bytes);
            disk.write(&name, &whole);
            node.file_event(now, file, FileEvent::Written(bytes.len()));
        }
        FileEffect::SyncNamed { file, name } => {
            disk.sync(&name);
            node.file_event(now, file, FileEvent::Synced);
        }
        FileEffect::Commit { file, to } => {
            let Some(name) = files.remove(&file) else { return };
            disk.sync(&name);
            if let Some(to) = to {
                disk.rename(&name, &to);
            }
            node.file_event(now, file, FileEvent::Committed);
        }
        FileEffect::Discard { file } => {
            if let Some(name) = files.remove(&file) {
                disk.remove(&name);
            }
        }
        FileEffect::Truncate { name, length } => {
            let Some(mut kept) = disk.read(&name).map(<[u8]>::to_vec) else { return };
            kept.truncate(usize::try_from(length).unwrap_or(usize::MAX));
            disk.write(&name, &kept);
            disk.sync(&name);
        }
        FileEffect::Remove { name } => disk.remove(&name),
    }
}
