//! Files, on a thread of their own: a disk that is slow stops nobody but those who wait for it.
//!
//! Everything asked for goes through one queue and is done in order, which is what the node relies on when
//! it replaces one file by another. Answers come back through a channel to a task of the driver.
//!
//! What is small, and what clients wait for, does not queue behind a snapshot: a `Record` and an `Overwrite`
//! are written where they are asked for. That is one `write(2)` into the system's memory, much less
//! than to wake a thread for it. Only if something asked for the same file earlier is still in the queue do they join it.
//!
//! A file that is read comes in pieces. There are never more than a few on their way, so that a large file
//! takes no more memory than a small one, and the driver serves others between two pieces.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use node::{FileEffect, FileEvent, FileId};

use crate::driver::Driver;
use crate::reason;

/// Bytes of a file that are read and loaded at a time.
const PIECE: usize = 64 * 1024;

/// Pieces that may wait to be loaded.
const AHEAD: usize = 8;

/// So many names of files that have failed are kept: far more than can wait to be given up.
const FAILED: usize = 64;

/// Where effects go.
pub(crate) struct Disk {
    asked: mpsc::Sender<Asked>,
    /// How many effects were put in the queue.
    count: Cell<u64>,
    /// Files with effects in the queue, and which was the last.
    last: RefCell<BTreeMap<FileId, u64>>,
    shared: Arc<Shared>,
}

/// What the thread and the driver both know.
#[derive(Default)]
struct Shared {
    /// How many effects of the queue are done.
    done: AtomicU64,
    /// The files that are open.
    open: Mutex<BTreeMap<FileId, Arc<Open>>>,
    /// Where those are that have failed lately: whoever gives one up wants it deleted.
    failed: Mutex<BTreeMap<FileId, String>>,
}

enum Asked {
    Effect(FileEffect),
    /// To be told that everything before is done.
    Flush(tokio::sync::oneshot::Sender<()>),
}

/// Where answers come from.
pub(crate) struct Answers {
    told: tokio::sync::mpsc::Receiver<(FileId, Answer)>,
}

/// As `FileEvent`, and owns its bytes.
pub(crate) enum Answer {
    Piece(Vec<u8>),
    End,
    Missing,
    Written(usize),
    Synced,
    Committed,
    Failed(String),
}

impl Answer {
    pub(crate) fn event(&self) -> FileEvent<'_> {
        match self {
            Answer::Piece(bytes) => FileEvent::Piece(bytes),
            Answer::End => FileEvent::End,
            Answer::Missing => FileEvent::Missing,
            Answer::Written(count) => FileEvent::Written(*count),
            Answer::Synced => FileEvent::Synced,
            Answer::Committed => FileEvent::Committed,
            Answer::Failed(why) => FileEvent::Failed(why.clone()),
        }
    }
}

impl Disk {
    /// Starts the thread.
    pub(crate) fn start() -> (Disk, Answers) {
        let (asked, queue) = mpsc::channel();
        let (answers, told) = tokio::sync::mpsc::channel(AHEAD);
        let shared = Arc::<Shared>::default();
        let worker = Worker { shared: Arc::clone(&shared), answers };
        std::thread::spawn(move || worker.work(&queue));
        (Disk { asked, count: Cell::default(), last: RefCell::default(), shared }, Answers { told })
    }

    /// Carries out an effect that is done at once, and says what became of it. Any other goes to the end of the queue.
    pub(crate) fn ask(&self, effect: FileEffect) -> Option<(FileId, Answer)> {
        match effect {
            FileEffect::Record { file, bytes } if !self.is_queued(file) => {
                let open = self.shared.open(file)?;
                let answer = open.append(&bytes).unwrap_or_else(|error| self.shared.fail(file, &error));
                Some((file, answer))
            }
            FileEffect::Overwrite { file, name, bytes } => {
                Some((file, overwrite(&name, &bytes).unwrap_or_else(|error| failed(&error))))
            }
            effect => {
                self.queue(effect);
                None
            }
        }
    }

    fn queue(&self, effect: FileEffect) {
        self.count.set(self.count.get() + 1);
        if let Some(file) = must_precede(&effect) {
            let mut last = self.last.borrow_mut();
            let done = self.shared.done.load(Ordering::Acquire);
            last.retain(|_, number| *number > done);
            last.insert(file, self.count.get());
        }
        // The thread ends only with the process.
        let _ = self.asked.send(Asked::Effect(effect));
    }

    /// Something that must be done before the next write to this file still waits.
    fn is_queued(&self, file: FileId) -> bool {
        let last = self.last.borrow().get(&file).copied();
        last.is_some_and(|number| number > self.shared.done.load(Ordering::Acquire))
    }

    /// Waits until everything that was asked for is done.
    pub(crate) async fn finish(&self) {
        let (done, finished) = tokio::sync::oneshot::channel();
        if self.asked.send(Asked::Flush(done)).is_ok() {
            let _ = finished.await;
        }
    }
}

/// The file that this is about, unless a later write may overtake it: a sync promises nothing of what comes later.
fn must_precede(effect: &FileEffect) -> Option<FileId> {
    match effect {
        FileEffect::Read { file, .. }
        | FileEffect::Create { file, .. }
        | FileEffect::Open { file, .. }
        | FileEffect::Append { file, .. }
        | FileEffect::Record { file, .. }
        | FileEffect::Overwrite { file, .. }
        | FileEffect::Commit { file, .. }
        | FileEffect::Discard { file } => Some(*file),
        FileEffect::Sync { .. }
        | FileEffect::SyncNamed { .. }
        | FileEffect::Truncate { .. }
        | FileEffect::Remove { .. } => None,
    }
}

impl Shared {
    fn files(&self) -> std::sync::MutexGuard<'_, BTreeMap<FileId, Arc<Open>>> {
        // A panic ends the process; see `unwritten`.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, file: FileId) -> Option<Arc<Open>> {
        self.files().get(&file).cloned()
    }

    /// The file is closed, and deaf from then on.
    fn fail(&self, file: FileId, error: &io::Error) -> Answer {
        if let Some(open) = self.files().remove(&file) {
            let mut failed = self.failed();
            failed.insert(file, open.name.clone());
            // Many are never given up, since there is nothing to delete.
            if failed.len() > FAILED {
                failed.pop_first();
            }
        }
        failed(error)
    }

    fn failed(&self) -> std::sync::MutexGuard<'_, BTreeMap<FileId, String>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the name of a file that is given up, and closes it if it is open.
    fn give_up(&self, file: FileId) -> Option<String> {
        let open = self.files().remove(&file).map(|open| open.name.clone());
        open.or_else(|| self.failed().remove(&file))
    }
}

fn failed(error: &io::Error) -> Answer {
    Answer::Failed(reason(error))
}

impl Answers {
    /// Tells the node what became of what it asked for, for ever.
    pub(crate) async fn deliver(mut self, driver: Rc<Driver>) {
        while let Some((file, answer)) = self.told.recv().await {
            driver.event(|node, now| node.file_event(now, file, answer.event()));
            if matches!(answer, Answer::Piece(_)) {
                tokio::task::yield_now().await;
            }
        }
    }
}

struct Worker {
    shared: Arc<Shared>,
    answers: tokio::sync::mpsc::Sender<(FileId, Answer)>,
}

struct Open {
    file: File,
    name: String,
}

impl Open {
    fn append(&self, bytes: &[u8]) -> io::Result<Answer> {
        (&self.file).write_all(bytes)?;
        Ok(Answer::Written(bytes.len()))
    }
}

impl Worker {
    fn work(&self, queue: &mpsc::Receiver<Asked>) {
        while let Ok(asked) = queue.recv() {
            match asked {
                Asked::Effect(effect) => {
                    self.carry_out(effect);
                    self.shared.done.fetch_add(1, Ordering::Release);
                }
                Asked::Flush(done) => drop(done.send(())),
            }
        }
    }

    fn carry_out(&self, effect: FileEffect) {
        match effect {
            FileEffect::Read { file, name } => {
                let read = self.read(file, &name);
                self.answer(file, read);
            }
            FileEffect::Create { file, name } => {
                self.open(file, name, File::options().write(true).create(true).truncate(true));
            }
            FileEffect::Open { file, name } => self.open(file, name, File::options().append(true)),
            FileEffect::Append { file, bytes, sync } => {
                self.with(file, |open| {
                    let answer = open.append(&bytes)?;
                    if sync {
                        open.file.sync_data()?;
                    }
                    Ok(answer)
                });
            }
            FileEffect::Record { file, bytes } => self.with(file, |open| open.append(&bytes)),
            FileEffect::Sync { file } => {
                self.with(file, |open| open.file.sync_data().map(|()| Answer::Synced));
            }
            FileEffect::Overwrite { file, name, bytes } => {
                self.answer(file, overwrite(&name, &bytes).unwrap_or_else(|error| failed(&error)));
            }
            FileEffect::SyncNamed { file, name } => {
                let synced = File::open(name).and_then(|file| file.sync_data());
                self.answer(file, synced.map_or_else(|error| failed(&error), |()| Answer::Synced));
            }
            FileEffect::Commit { file, to } => {
                self.with(file, |open| commit(open, to.as_deref()).map(|()| Answer::Committed));
                self.shared.files().remove(&file);
            }
            FileEffect::Discard { file } => {
                if let Some(name) = self.shared.give_up(file) {
                    let _ = fs::remove_file(name);
                }
            }
            FileEffect::Truncate { name, length } => {
                let _ = File::options().write(true).open(name).and_then(|file| {
                    file.set_len(length)?;
                    file.sync_data()
                });
            }
            FileEffect::Remove { name } => drop(fs::remove_file(name)),
        }
    }

    fn answer(&self, file: FileId, answer: Answer) {
        let _ = self.answers.blocking_send((file, answer));
    }

    fn open(&self, file: FileId, name: String, options: &OpenOptions) {
        let folder = Path::new(&name).parent().filter(|folder| !folder.as_os_str().is_empty());
        let opened = folder.map_or(Ok(()), fs::create_dir_all).and_then(|()| options.open(&name));
        match opened {
            Ok(opened) => {
                self.shared.files().insert(file, Arc::new(Open { file: opened, name }));
            }
            Err(error) => self.answer(file, failed(&error)),
        }
    }

    /// Does something with a file that is open. If it fails, the file is closed, and deaf from then on.
    fn with(&self, file: FileId, act: impl FnOnce(&Open) -> io::Result<Answer>) {
        let Some(open) = self.shared.open(file) else { return };
        let answer = act(&open).unwrap_or_else(|error| self.shared.fail(file, &error));
        self.answer(file, answer);
    }

    fn read(&self, file: FileId, name: &str) -> Answer {
        let mut opened = match File::open(name) {
            Ok(opened) => opened,
            Err(error) if error.kind() == ErrorKind::NotFound => return Answer::Missing,
            Err(error) => return failed(&error),
        };
        loop {
            let mut piece = vec![0; PIECE];
            match opened.read(&mut piece) {
                Ok(0) => return Answer::End,
                Ok(count) => {
                    piece.truncate(count);
                    self.answer(file, Answer::Piece(piece));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return failed(&error),
            }
        }
    }
}

/// As much as fits a block of the disk is there whole or not at all, whatever happens meanwhile.
fn overwrite(name: &str, bytes: &[u8]) -> io::Result<Answer> {
    let mut file = File::options().write(true).create(true).truncate(false).open(name)?;
    file.write_all(bytes)?;
    Ok(Answer::Written(bytes.len()))
}

fn commit(open: &Open, to: Option<&str>) -> io::Result<()> {
    open.file.sync_all()?;
    let Some(to) = to else { return Ok(()) };
    fs::rename(&open.name, to)?;
    // A new name is on the disk once its folder is.
    #[cfg(unix)]
    {
        let folder = Path::new(to).parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}
