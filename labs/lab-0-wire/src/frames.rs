//! The client's side of reading: replies, in RESP2 or RESP3, out of a growing buffer.
//!
//! A reply is a tree. The decoder keeps the path from the root to the place where the next value belongs
//! on a stack of its own, so that a hostile peer can neither overflow the machine's stack nor make the
//! decoder start the tree again with each piece that arrives.

use bytes::{Buf, BytesMut};
use core_types::Frame;

use crate::{FrameError, find_line, parse_integer};

// ANCHOR: frames
/// Reads replies from a buffer that grows.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    /// The collections that are open, the outermost first.
    open: Vec<Open>,
    /// A text (`$`, `=` or `!`) whose head has been read: its type and its length.
    text: Option<(u8, usize)>,
}

/// A collection that waits for more values.
#[derive(Debug)]
struct Open {
    /// `*`, `~`, `>`, `%`, or `|` for attributes.
    kind: u8,
    /// How many values are missing. A map's keys and values count one each.
    missing: u64,
    values: Vec<Frame>,
}

/// What the start of the buffer holds.
enum Piece {
    /// A value without others inside.
    Value(Frame),
    /// The head of a collection with at least one value.
    Head(Open),
}
// ANCHOR_END: frames

impl FrameDecoder {
    /// How many collections may lie inside each other.
    pub const MAX_DEPTH: usize = 32;

    /// Longest line, in bytes: a status, an error, a number or a length.
    pub const MAX_LINE: usize = 64 * 1024;

    /// Longest text in a reply, in bytes, and most values in one collection. Nothing is reserved for them.
    pub const MAX_LENGTH: i64 = i32::MAX as i64;

    /// A decoder for a new connection.
    pub fn new() -> FrameDecoder {
        FrameDecoder::default()
    }

    /// Takes one reply from the front of `buffer`; `Ok(None)` while it has not arrived in full. What has
    /// been understood is taken from the buffer even then, and remembered.
    ///
    /// # Errors
    /// The connection cannot be used any more, and neither can the decoder.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        // <exercise 0.8 decode>
        todo!("lab 0.8: The client's side")
        // </exercise>
    }

    /// Puts a value where it belongs, and closes every collection that it completes. Returns the reply if
    /// it completes the outermost one, or if none is open.
    fn place(&mut self, value: Frame) -> Option<Frame> {
        // <exercise 0.8 place>
        todo!("lab 0.8: The client's side")
        // </exercise>
    }

    /// Takes the next value, or the head of the next collection, from the front of `buffer`.
    fn next_piece(&mut self, buffer: &mut BytesMut) -> Result<Option<Piece>, FrameError> {
        if let Some((kind, length)) = self.text {
            return self.take_text(kind, length, buffer);
        }
        let Some(&kind) = buffer.first() else { return Ok(None) };
        if !b"+-:$*_,#(=!%~>|".contains(&kind) {
            return Err(FrameError::UnknownType(kind));
        }
        let window = &buffer[..buffer.len().min(FrameDecoder::MAX_LINE)];
        let Some(line) = find_line(window, 1) else {
            let overlong = buffer.len() >= FrameDecoder::MAX_LINE;
            return if overlong { Err(FrameError::LineTooLong) } else { Ok(None) };
        };
        let content = &buffer[1..line.span.end];
        let piece = match kind {
            b'$' | b'=' | b'!' | b'*' | b'~' | b'>' | b'%' | b'|' => match length(kind, content)? {
                None => Piece::Value(Frame::Null),
                Some(length) if matches!(kind, b'$' | b'=' | b'!') => {
                    self.text = Some((kind, length as usize));
                    buffer.advance(line.next);
                    return self.take_text(kind, length as usize, buffer);
                }
                Some(0) if kind != b'|' => {
                    Piece::Value(close(kind, Vec::new()).ok_or(FrameError::BadNumber)?)
                }
                Some(0) => return Err(FrameError::BadNumber),
                Some(length) => Piece::Head(Open {
                    kind,
                    missing: if matches!(kind, b'%' | b'|') { 2 * length } else { length },
                    values: Vec::new(),
                }),
            },
            _ => Piece::Value(scalar(kind, content)?),
        };
        buffer.advance(line.next);
        Ok(Some(piece))
    }

    /// Takes a text whose head has been read, once all of it and its CR LF are there. Nobody looks at these two.
    fn take_text(
        &mut self,
        kind: u8,
        length: usize,
        buffer: &mut BytesMut,
    ) -> Result<Option<Piece>, FrameError> {
        // <exercise 0.8 take_text>
        todo!("lab 0.8: The client's side")
        // </exercise>
    }
}

/// Reads the length in a head. `None` is the null of RESP2, which only `$` and `*` know.
fn length(kind: u8, digits: &[u8]) -> Result<Option<u64>, FrameError> {
    match parse_integer(digits) {
        Some(-1) if matches!(kind, b'$' | b'*') => Ok(None),
        Some(length @ 0..=FrameDecoder::MAX_LENGTH) => Ok(Some(length as u64)),
        _ => Err(FrameError::BadNumber),
    }
}

/// Reads a value that is one line.
fn scalar(kind: u8, content: &[u8]) -> Result<Frame, FrameError> {
    Ok(match kind {
        b'+' => Frame::Simple(String::from_utf8_lossy(content).into_owned()),
        b'-' => Frame::Error(String::from_utf8_lossy(content).into_owned()),
        b':' => Frame::Integer(parse_integer(content).ok_or(FrameError::BadNumber)?),
        b',' => Frame::Double(utf8(content)?.parse().map_err(|_| FrameError::BadNumber)?),
        b'(' => Frame::BigNumber(utf8(content)?),
        b'#' if content == b"t" => Frame::Boolean(true),
        b'#' if content == b"f" => Frame::Boolean(false),
        b'_' if content.is_empty() => Frame::Null,
        _ => return Err(FrameError::BadValue),
    })
}

/// Makes a collection of its values. `None` for attributes: they describe the reply that follows them, and
/// a client that does not know what they say drops them.
fn close(kind: u8, values: Vec<Frame>) -> Option<Frame> {
    match kind {
        b'*' => Some(Frame::Array(values)),
        b'~' => Some(Frame::Set(values)),
        b'>' => Some(Frame::Push(values)),
        b'%' => {
            let mut values = values.into_iter();
            Some(Frame::Map(std::iter::from_fn(|| Some((values.next()?, values.next()?))).collect()))
        }
        _ => None,
    }
}

fn utf8(text: &[u8]) -> Result<String, FrameError> {
    std::str::from_utf8(text).map(str::to_owned).map_err(|_| FrameError::BadValue)
}
