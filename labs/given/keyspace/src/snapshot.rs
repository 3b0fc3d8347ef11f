//! A data set at one moment, written in small steps while commands go on changing it.
//!
//! Redis forks: the child owns a frozen copy of all memory, and the kernel copies each page that the
//! parent then writes. That needs a second process, up to twice the memory, and a fork whose time grows
//! with the memory. Here the copying is done by hand, key by key, and only where it is needed:
//!
//! - A snapshot has an *epoch*, a number that grows by one with each snapshot. Every [`Entry`] carries one
//!   too, in two bytes that its layout left unused. An entry whose epoch is the snapshot's is *settled*:
//!   it is in the file already, or it was made after the snapshot had begun and does not belong into it.
//! - [`Snapshot::step`] walks each database downward by position, writes the entries that are not settled,
//!   and settles them.
//! - Before an entry that is not settled is changed, replaced or removed, [`Db`] writes its old value for
//!   the snapshot and settles it. All changes go through a handful of functions of [`Db`], so this is one
//!   place. Noting that a key was read is no change.
//! - A removal moves the topmost key into the gap. If that lies in the part that is still to come, a
//!   settled entry lands there; its epoch tells. An entry that is not settled can never leave that part,
//!   for above the cursor there are only settled ones.
//! - `FLUSHDB` gives the whole table to the snapshot, which writes and frees it piece by piece. `SWAPDB`
//!   exchanges databases as they are; each remembers the number it had when the snapshot began.
//!
//! So a step costs what its budget says, a first write to a key costs the encoding of its old value once,
//! and nothing ever stops for the whole data set. The price is that keys are not in one order in the file,
//! and that the number of a database may stand there several times, which the format allows.
//!
//! What remains is one large value: it is written in one go, by a step or before its first change.

use crate::db::Kept;
use crate::dense::{Chunks, Dense};
use crate::rdb::{self, Aux, Crc64};
use crate::{Db, Entry, Keyspace};

/// What a database does for the snapshot in progress.
#[derive(Clone)]
pub(crate) struct Capture {
    /// The number the database had when the snapshot began.
    number: usize,
    /// So many entries, from the bottom, are still to be looked at.
    cursor: usize,
    /// Old values, encoded, of keys that were changed before the walk had come to them.
    old: Vec<u8>,
    old_keys: u64,
    /// What a table held that was emptied meanwhile; what is not settled in it is still to be written.
    flushed: Option<Chunks<Kept>>,
}

impl Db {
    /// The entry at `position` is about to be changed or removed.
    #[inline]
    pub(crate) fn before_change(&mut self, position: usize) {
        if self.capture.is_some() {
            self.keep_old(position);
        }
    }

    #[cold]
    fn keep_old(&mut self, position: usize) {
        let Some(capture) = &mut self.capture else { return };
        let Kept { key, entry, .. } = self.entries.at_mut(position);
        if entry.epoch != self.epoch {
            rdb::write_entry(key, entry, &mut capture.old);
            capture.old_keys += 1;
            entry.epoch = self.epoch;
        }
    }

    /// The whole table is about to go; `entries` is it.
    pub(crate) fn keep_flushed(&mut self, entries: Dense<Kept>) {
        if let Some(capture) = &mut self.capture
            && capture.flushed.is_none()
        {
            // A second flush finds nothing but settled entries.
            capture.flushed = Some(entries.into_slots());
            capture.cursor = 0;
        }
    }
}

/// What a skipped entry costs of a step's budget, in bytes: about the time it takes.
const SKIPPED: usize = 16;

/// A snapshot in progress. A [`Keyspace`] has one at a time.
#[derive(Debug)]
pub struct Snapshot {
    /// The first bytes of the file, until they are out.
    header: Option<Vec<u8>>,
    sum: Crc64,
    /// The database that the file has selected.
    selected: Option<usize>,
    /// Keys in all, and with an expiry, of each database when the snapshot began; taken once it is told.
    sizes: Vec<Option<(usize, usize)>>,
    keys: u64,
    written: u64,
    done: bool,
}

impl Snapshot {
    /// Begins a snapshot of the data as they are now. From here on [`step`](Snapshot::step) must be called
    /// with this same data set until it is done, or [`cancel`](Snapshot::cancel) once.
    ///
    /// # Panics
    /// If a snapshot of it is in progress.
    pub fn begin(keyspace: &mut Keyspace, aux: &Aux) -> Snapshot {
        assert!(!Snapshot::in_progress(keyspace), "there is one snapshot at a time");
        let epoch = match keyspace.db(0).epoch.checked_add(1) {
            Some(epoch) => epoch,
            // Numbers are used up: all entries begin anew. Once in 65,535 snapshots.
            None => {
                for index in 0..keyspace.databases() {
                    keyspace.db_mut(index).entries.iter_mut().for_each(|kept| kept.entry.epoch = 0);
                }
                1
            }
        };
        let mut header = Vec::new();
        rdb::write_header(aux, &mut header);
        let mut sizes = Vec::new();
        let mut keys = 0;
        for number in 0..keyspace.databases() {
            let db = keyspace.db_mut(number);
            db.epoch = epoch;
            sizes.push(Some((db.len(), db.volatile_len())));
            keys += db.len() as u64;
            if !db.is_empty() {
                let cursor = db.len();
                db.capture =
                    Some(Box::new(Capture { number, cursor, old: Vec::new(), old_keys: 0, flushed: None }));
            }
        }
        Snapshot {
            header: Some(header),
            sum: Crc64::default(),
            selected: None,
            sizes,
            keys,
            written: 0,
            done: false,
        }
    }

    /// True while a snapshot of this data set is neither done nor cancelled.
    pub fn in_progress(keyspace: &Keyspace) -> bool {
        (0..keyspace.databases()).any(|index| keyspace.db(index).capture.is_some())
    }

    /// Appends about `budget` bytes more of the file to `out`, at least one key if there is one left.
    /// True if that was the rest.
    ///
    /// # Panics
    /// At the end, if `keyspace` is not the data set with which it began.
    pub fn step(&mut self, keyspace: &mut Keyspace, budget: usize, out: &mut Vec<u8>) -> bool {
        if self.done {
            return true;
        }
        let start = out.len();
        out.extend(self.header.take().into_iter().flatten());
        self.write_old(keyspace, out);
        // However much is written meanwhile, the walk goes on.
        let mut left = budget.saturating_sub(out.len() - start).max(budget / 4).max(1);
        let mut index = 0;
        while index < keyspace.databases() {
            let db = keyspace.db_mut(index);
            if let Some(mut capture) = db.capture.take() {
                let all = self.walk(db, &mut capture, &mut left, out);
                if !all {
                    db.capture = Some(capture);
                    break;
                }
            }
            index += 1;
        }
        let done = index == keyspace.databases();
        if done {
            // Otherwise this is not the data set it began with, and the file would look whole.
            assert_eq!(self.written, self.keys, "a snapshot holds every key of its beginning");
            rdb::write_end(out);
        }
        self.sum.update(&out[start..]);
        if done {
            out.extend_from_slice(&self.sum.value().to_le_bytes());
        }
        self.done = done;
        done
    }

    /// Gives it up.
    pub fn cancel(self, keyspace: &mut Keyspace) {
        for index in 0..keyspace.databases() {
            keyspace.db_mut(index).capture = None;
        }
    }

    /// How many keys the file will hold.
    pub fn keys(&self) -> u64 {
        self.keys
    }

    /// How many keys have been written so far.
    pub fn keys_written(&self) -> u64 {
        self.written
    }

    /// Writes what changes since the last step have left, so that it does not pile up.
    fn write_old(&mut self, keyspace: &mut Keyspace, out: &mut Vec<u8>) {
        for index in 0..keyspace.databases() {
            let Some(mut capture) = keyspace.db_mut(index).capture.take() else { continue };
            if !capture.old.is_empty() {
                self.select(capture.number, out);
                out.append(&mut capture.old);
                capture.old.shrink_to(KEEP_OLD);
                self.written += std::mem::take(&mut capture.old_keys);
            }
            keyspace.db_mut(index).capture = Some(capture);
        }
    }

    /// Writes what one database has left, as far as the budget goes. True if that was all.
    fn walk(&mut self, db: &mut Db, capture: &mut Capture, left: &mut usize, out: &mut Vec<u8>) -> bool {
        self.select(capture.number, out);
        while let Some(flushed) = &mut capture.flushed {
            if *left == 0 {
                return false;
            }
            match flushed.pop() {
                Some(mut kept) => self.settle(&kept.key, &mut kept.entry, db.epoch, left, out),
                None => capture.flushed = None,
            }
        }
        // Removals may have made the table shorter than what was left of it.
        capture.cursor = capture.cursor.min(db.entries.len());
        while let Some(position) = capture.cursor.checked_sub(1) {
            if *left == 0 {
                return false;
            }
            let Kept { key, entry, .. } = db.entries.at_mut(position);
            self.settle(key, entry, db.epoch, left, out);
            capture.cursor = position;
        }
        true
    }

    fn settle(&mut self, key: &[u8], entry: &mut Entry, epoch: u16, left: &mut usize, out: &mut Vec<u8>) {
        let before = out.len();
        if entry.epoch != epoch {
            rdb::write_entry(key, entry, out);
            entry.epoch = epoch;
            self.written += 1;
        }
        *left = left.saturating_sub((out.len() - before).max(SKIPPED));
    }

    fn select(&mut self, number: usize, out: &mut Vec<u8>) {
        if self.selected == Some(number) {
            return;
        }
        self.selected = Some(number);
        rdb::write_select(number, self.sizes[number].take(), out);
    }
}

/// Memory that the buffer of old values keeps between steps, in bytes.
const KEEP_OLD: usize = 64 * 1024;
