//! Files, on a thread of their own: a disk that is slow stops nobody but those who wait for it.
//!
//! Everything asked for goes through one queue and is done in order, which is what the node relies on when
//! it replaces one file by another. Answers come back through a channel to a task of the driver.
//!
//! A file that is read comes in pieces. There are never more than a few on their way, so that a large file
//! takes no more memory than a small one, and the driver serves others between two pieces.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc;

use node::{FileEffect, FileEvent, FileId};

use crate::driver::Driver;
use crate::reason;

/// Bytes of a file that are read and loaded at a time.
const PIECE: usize = 64 * 1024;

/// Pieces that may wait to be loaded.
const AHEAD: usize = 8;

/// Where effects go.
pub(crate) struct Disk {
    asked: mpsc::Sender<Asked>,
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
enum Answer {
    Piece(Vec<u8>),
    End,
    Missing,
    Written(usize),
    Committed,
    Failed(String),
}

impl Disk {
    /// Starts the thread.
    pub(crate) fn start() -> (Disk, Answers) {
        let (asked, queue) = mpsc::channel();
        let (answers, told) = tokio::sync::mpsc::channel(AHEAD);
        std::thread::spawn(move || Worker { files: BTreeMap::new(), answers }.work(&queue));
        (Disk { asked }, Answers { told })
    }

    /// Puts an effect at the end of the queue.
    pub(crate) fn ask(&self, effect: FileEffect) {
        // The thread ends only with the process.
        let _ = self.asked.send(Asked::Effect(effect));
    }

    /// Waits until everything that was asked for is done.
    pub(crate) async fn finish(&self) {
        let (done, finished) = tokio::sync::oneshot::channel();
        if self.asked.send(Asked::Flush(done)).is_ok() {
            let _ = finished.await;
        }
    }
}

impl Answers {
    /// Tells the node what became of what it asked for, for ever.
    pub(crate) async fn deliver(mut self, driver: Rc<Driver>) {
        while let Some((file, answer)) = self.told.recv().await {
            let event = match &answer {
                Answer::Piece(bytes) => FileEvent::Piece(bytes),
                Answer::End => FileEvent::End,
                Answer::Missing => FileEvent::Missing,
                Answer::Written(count) => FileEvent::Written(*count),
                Answer::Committed => FileEvent::Committed,
                Answer::Failed(why) => FileEvent::Failed(why.clone()),
            };
            let loads = matches!(event, FileEvent::Piece(_));
            driver.event(|node, now| node.file_event(now, file, event));
            if loads {
                tokio::task::yield_now().await;
            }
        }
    }
}

struct Worker {
    files: BTreeMap<FileId, Open>,
    answers: tokio::sync::mpsc::Sender<(FileId, Answer)>,
}

struct Open {
    file: File,
    name: String,
}

impl Worker {
    fn work(&mut self, queue: &mpsc::Receiver<Asked>) {
        while let Ok(asked) = queue.recv() {
            match asked {
                Asked::Effect(effect) => self.carry_out(effect),
                Asked::Flush(done) => drop(done.send(())),
            }
        }
    }

    fn carry_out(&mut self, effect: FileEffect) {
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
                let count = bytes.len();
                self.with(file, |open| {
                    open.file.write_all(&bytes)?;
                    if sync {
                        open.file.sync_data()?;
                    }
                    Ok(Answer::Written(count))
                });
            }
            FileEffect::Commit { file, to } => {
                self.with(file, |open| commit(open, to.as_deref()).map(|()| Answer::Committed));
                self.files.remove(&file);
            }
            FileEffect::Discard { file } => {
                if let Some(open) = self.files.remove(&file) {
                    let _ = fs::remove_file(open.name);
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

    fn open(&mut self, file: FileId, name: String, options: &OpenOptions) {
        let folder = Path::new(&name).parent().filter(|folder| !folder.as_os_str().is_empty());
        let opened = folder.map_or(Ok(()), fs::create_dir_all).and_then(|()| options.open(&name));
        match opened {
            Ok(opened) => drop(self.files.insert(file, Open { file: opened, name })),
            Err(error) => self.answer(file, Answer::Failed(reason(&error))),
        }
    }

    /// Does something with a file that is open. If it fails, the file is closed, and deaf from then on.
    fn with(&mut self, file: FileId, act: impl FnOnce(&mut Open) -> io::Result<Answer>) {
        let Some(open) = self.files.get_mut(&file) else { return };
        let answer = act(open).unwrap_or_else(|error| {
            self.files.remove(&file);
            Answer::Failed(reason(&error))
        });
        self.answer(file, answer);
    }

    fn read(&self, file: FileId, name: &str) -> Answer {
        let mut opened = match File::open(name) {
            Ok(opened) => opened,
            Err(error) if error.kind() == ErrorKind::NotFound => return Answer::Missing,
            Err(error) => return Answer::Failed(reason(&error)),
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
                Err(error) => return Answer::Failed(reason(&error)),
            }
        }
    }
}

fn commit(open: &mut Open, to: Option<&str>) -> io::Result<()> {
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
