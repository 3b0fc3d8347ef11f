//! The snapshot on its way: where it begins, and where it ends.
//!
//! Behind `+FULLRESYNC` the master sends the snapshot in one of two framings, and the stream of commands
//! follows without any gap. One byte too many taken for the snapshot, or one too few, and everything
//! after it is nonsense.
//!
//! ```text
//! $1234\r\n         1234 bytes of snapshot                 then the stream
//! $EOF:<mark>\r\n   snapshot, of a length nobody knows yet <the same mark>   then the stream
//! ```
//!
//! The mark is 40 random bytes; that they turn up in the snapshot by chance is as likely as guessing a
//! 160-bit key. While the master prepares the snapshot it sends bare line feeds, so that the replica can
//! tell "busy" from "dead".

use std::error::Error;
use std::fmt;

use bytes::{Bytes, BytesMut};

/// The longest header line that is waited for, in bytes, its line end included (`readSyncBulkPayload` in
/// Redis's `replication.c` has a buffer of the same size).
pub const MAX_HEADER: usize = 1024;

/// Length of an end mark in bytes (`CONFIG_RUN_ID_SIZE` in Redis's `server.h`).
pub const MARK_LEN: usize = 40;

// ANCHOR: chunk
/// How the end of the snapshot can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `$<length>`: after this many bytes.
    Length(u64),
    /// `$EOF:<mark>`: where these bytes turn up.
    Mark([u8; MARK_LEN]),
}

/// A part of the transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// The header was read.
    Begin(Framing),
    /// The next bytes of the snapshot; never empty.
    Payload(Bytes),
    /// The snapshot is complete. What is left in the buffer belongs to
    /// the stream.
    Done,
}
// ANCHOR_END: chunk

/// Why a transfer cannot go on. Displays as the line that Redis logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferError {
    /// `-…` in place of a header: the master could not make a snapshot.
    Aborted(String),
    /// The header does not begin with `$`.
    NotAPayload(String),
    /// Neither a length nor an end mark of 40 bytes behind the `$`.
    BadHeader(String),
    /// [`MAX_HEADER`] bytes, and no line end among them.
    HeaderTooLong,
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransferError::Aborted(line) => write!(f, "MASTER aborted replication with an error: {line}"),
            TransferError::NotAPayload(line) => write!(
                f,
                "Bad protocol from MASTER, the first byte is not '$' (we received '{line}'), \
                 are you sure the host and port are right?"
            ),
            TransferError::BadHeader(line) => {
                write!(f, "Bad protocol from MASTER, no length and no end mark in '{line}'")
            }
            TransferError::HeaderTooLong => {
                write!(f, "Bad protocol from MASTER, no line end within {MAX_HEADER} bytes")
            }
        }
    }
}

impl Error for TransferError {}

/// Reads one snapshot from the front of a growing buffer.
#[derive(Clone, Debug, Default)]
pub struct Transfer {
    state: State,
}

// ANCHOR: state
/// Where in the transfer we are.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// In front of the header, perhaps among line feeds.
    #[default]
    Header,
    /// In the snapshot; this many bytes of it are still to come.
    Sized { left: u64 },
    /// In the snapshot; it ends where the mark begins.
    Marked { mark: [u8; MARK_LEN] },
    /// Behind the snapshot.
    Done,
}
// ANCHOR_END: state

impl Transfer {
    /// A transfer of which nothing has arrived.
    pub fn new() -> Transfer {
        Transfer::default()
    }

    /// Takes from the front of `buffer` what can be decided about.
    ///
    /// `Ok(None)`: it needs more bytes. They are appended to what it left in `buffer`, and it is called
    /// again. It leaves little behind: a part of a header, or less than a mark. It takes nothing from
    /// behind the end of the snapshot, and nothing at all once it has said [`Chunk::Done`].
    pub fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Chunk>, TransferError> {
        // <exercise 1.3>
        match self.state {
            State::Header => {
                let Some(line) = take_line(buffer)? else { return Ok(None) };
                let framing = read_header(&line)?;
                self.state = match framing {
                    Framing::Length(left) => State::Sized { left },
                    Framing::Mark(mark) => State::Marked { mark },
                };
                Ok(Some(Chunk::Begin(framing)))
            }
            State::Sized { left: 0 } => {
                self.state = State::Done;
                Ok(Some(Chunk::Done))
            }
            State::Sized { left } => {
                let here = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                self.state = State::Sized { left: left - here as u64 };
                Ok(take_payload(buffer, here))
            }
            State::Marked { mark } => {
                if buffer.starts_with(&mark) {
                    let _ = buffer.split_to(MARK_LEN);
                    self.state = State::Done;
                    return Ok(Some(Chunk::Done));
                }
                // The last 39 bytes may be the beginning of the mark: they wait for what follows.
                let settled = memchr::memmem::find(buffer, &mark)
                    .unwrap_or((buffer.len() + 1).saturating_sub(MARK_LEN));
                Ok(take_payload(buffer, settled))
            }
            State::Done => Ok(None),
        }
        // </exercise>
    }
}

/// Takes the header line from `buffer`, without its line end; skips the empty lines before it.
fn take_line(buffer: &mut BytesMut) -> Result<Option<Bytes>, TransferError> {
    while let Some(end) = buffer.iter().take(MAX_HEADER).position(|&byte| byte == b'\n') {
        let mut line = buffer.split_to(end + 1).freeze();
        line.truncate(end);
        if line.ends_with(b"\r") {
            line.truncate(end - 1);
        }
        if !line.is_empty() {
            return Ok(Some(line));
        }
    }
    if buffer.len() < MAX_HEADER { Ok(None) } else { Err(TransferError::HeaderTooLong) }
}

/// Reads a header line: `$<length>` or `$EOF:<mark>`.
fn read_header(line: &[u8]) -> Result<Framing, TransferError> {
    let shown = || core_types::show_bytes(line);
    let Some(behind_dollar) = line.strip_prefix(b"$") else {
        return Err(match line.strip_prefix(b"-") {
            Some(error) => TransferError::Aborted(core_types::show_bytes(error)),
            None => TransferError::NotAPayload(shown()),
        });
    };
    if let Some(mark) = behind_dollar.strip_prefix(b"EOF:") {
        return mark.try_into().map(Framing::Mark).map_err(|_| TransferError::BadHeader(shown()));
    }
    let digits =
        std::str::from_utf8(behind_dollar).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    let length = digits.and_then(|text| text.parse().ok());
    length.map(Framing::Length).ok_or_else(|| TransferError::BadHeader(shown()))
}

/// The first `len` bytes of `buffer` as payload; nothing if there are none.
fn take_payload(buffer: &mut BytesMut, len: usize) -> Option<Chunk> {
    (len > 0).then(|| Chunk::Payload(buffer.split_to(len).freeze()))
}
