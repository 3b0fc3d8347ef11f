//! The stream: the master's writes as bytes, and back.
//!
//! A command in the stream looks as a client would send it: a RESP array of bulk strings. Databases are
//! told apart as on a client's connection, by a `SELECT` in front of the first command that needs it.
//! Master and replica both count every byte, whatever it carries; equal counts mean equal data.

use bytes::BytesMut;
use core_types::{Args, ArgsBuf, Offset, write_command};

/// Turns the master's writes into the stream, and counts it.
#[derive(Clone, Debug)]
pub struct StreamWriter {
    offset: Offset,
    /// The database that whoever reads the stream has selected; `None`: nobody can know.
    db: Option<usize>,
}

impl StreamWriter {
    /// A stream of which `offset` bytes have been written.
    pub fn new(offset: Offset) -> StreamWriter {
        StreamWriter { offset, db: None }
    }

    /// How many bytes the stream has.
    pub fn offset(&self) -> Offset {
        self.offset
    }

    /// The database that readers of the stream have selected; `None`: the next command will say.
    pub fn db(&self) -> Option<usize> {
        self.db
    }

    /// A snapshot starts here. A replica that begins to read the stream at this point has not seen any
    /// `SELECT`, so the next command that needs a database must be told its own.
    pub fn forget_db(&mut self) {
        // <exercise 1.5 forget_db>
        self.db = None;
        // </exercise>
    }

    /// Appends `command`, which ran in database `db`, to the stream and to `out`. A `SELECT` goes first
    /// if readers of the stream are in another database. `None`: the command belongs to no database
    /// (`PING`, `REPLCONF GETACK`), and no `SELECT` is needed.
    pub fn append(&mut self, db: Option<usize>, command: Args<'_>, out: &mut BytesMut) {
        // <exercise 1.5 append>
        let before = out.len();
        if let Some(wanted) = db.filter(|_| db != self.db) {
            let select = ArgsBuf::from_parts(["SELECT", &wanted.to_string()]);
            write_command(out, select.as_args().iter());
            self.db = db;
        }
        write_command(out, command.iter());
        self.offset = self.offset.plus(out.len() - before);
        // </exercise>
    }
}

// ANCHOR: apply
/// What the replica has to do about one command of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apply {
    /// Run it, in this database.
    Run {
        /// The database that the stream has selected.
        db: usize,
    },
    /// Nothing but to count its bytes.
    Nothing,
    /// Answer the master with `REPLCONF ACK` and this offset.
    Ack(Offset),
}
// ANCHOR_END: apply

/// Turns the stream back into commands, and counts it.
#[derive(Clone, Debug)]
pub struct StreamReader {
    offset: Offset,
    db: usize,
}

impl StreamReader {
    /// A replica that holds everything up to `offset`.
    pub fn new(offset: Offset) -> StreamReader {
        StreamReader { offset, db: 0 }
    }

    /// How many bytes of the stream have been applied.
    pub fn offset(&self) -> Offset {
        self.offset
    }

    /// The database that the stream has selected.
    pub fn db(&self) -> usize {
        self.db
    }

    /// Decides about the next command of the stream, which took `bytes` bytes of it.
    ///
    /// `SELECT n` changes the database, `PING` is a sign of life, `REPLCONF GETACK *` asks for the
    /// offset: the one *before* this question. Names may come in upper or lower case. A `SELECT` without
    /// a number changes nothing. Whatever a command is, its bytes are counted.
    pub fn apply(&mut self, command: Args<'_>, bytes: usize) -> Apply {
        // <exercise 1.6>
        let before = self.offset;
        self.offset = before.plus(bytes);
        if command.is(0, "SELECT") {
            let number = command.get(1).and_then(|arg| std::str::from_utf8(arg).ok()?.parse().ok());
            self.db = number.unwrap_or(self.db);
            return Apply::Nothing;
        }
        if command.is(0, "REPLCONF") && command.is(1, "GETACK") {
            return Apply::Ack(before);
        }
        if command.is_empty() || command.is(0, "PING") || command.is(0, "REPLCONF") {
            return Apply::Nothing;
        }
        Apply::Run { db: self.db }
        // </exercise>
    }
}
