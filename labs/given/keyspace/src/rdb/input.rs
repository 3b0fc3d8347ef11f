use super::RdbErrorKind;
use super::crc64::Crc64;
use super::lzf;
use crate::score::parse_score;
use crate::{Str, parse_i64};

/// The bytes that have arrived and are not yet understood, and what they are made of.
///
/// Every reader takes a whole piece or nothing: `Ok(None)` means that more bytes must arrive first, and
/// that the next attempt begins at the same place. Only a string is taken as it comes, so that a long
/// one is neither kept twice nor looked at twice.
pub(super) struct Input {
    pending: Vec<u8>,
    at: usize,
    /// How many bytes have been taken since the beginning of the file.
    position: u64,
    sum: Crc64,
    string: Option<Partial>,
    longest_string: u64,
}

/// A string of which not all bytes have arrived.
struct Partial {
    bytes: Vec<u8>,
    missing: usize,
    /// For a compressed one: its length before it was compressed.
    original: Option<usize>,
}

/// A length, or the special encoding of the string that follows.
#[derive(Clone, Copy)]
enum Length {
    Plain(u64),
    Special(u8),
}

const INT8: u8 = 0;
const INT16: u8 = 1;
const INT32: u8 = 2;
const LZF: u8 = 3;

type Read<T> = Result<Option<T>, RdbErrorKind>;

impl Input {
    pub(super) fn new(longest_string: u64) -> Input {
        Input { pending: Vec::new(), at: 0, position: 0, sum: Crc64::default(), string: None, longest_string }
    }

    /// Adds what has arrived, and forgets what has been taken.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.pending.drain(..self.at);
        self.at = 0;
        self.pending.extend_from_slice(bytes);
    }

    /// How many bytes have been taken so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// True if bytes are left that have not been taken.
    pub(super) fn has_more(&self) -> bool {
        self.at < self.pending.len()
    }

    /// The checksum of the bytes taken so far.
    pub(super) fn sum(&self) -> u64 {
        self.sum.value()
    }

    fn rest(&self) -> &[u8] {
        &self.pending[self.at..]
    }

    fn skip(&mut self, count: usize) {
        let taken = &self.pending[self.at..self.at + count];
        self.sum.update(taken);
        self.at += count;
        self.position += count as u64;
    }

    /// Exactly `N` bytes.
    pub(super) fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let bytes = *self.rest().first_chunk::<N>()?;
        self.skip(N);
        Some(bytes)
    }

    /// A length.
    pub(super) fn length(&mut self) -> Read<u64> {
        match peek_length(self.rest())? {
            Some((Length::Plain(length), size)) => {
                self.skip(size);
                Ok(Some(length))
            }
            Some((Length::Special(_), _)) => Err(RdbErrorKind::Length(self.rest()[0])),
            None => Ok(None),
        }
    }

    /// A number with a fraction as old versions of Redis wrote it: a length of one byte and digits, or one
    /// of three special lengths.
    pub(super) fn text_double(&mut self) -> Read<f64> {
        let rest = self.rest();
        let Some((&length, rest)) = rest.split_first() else { return Ok(None) };
        let (value, size) = match length {
            255 => (f64::NEG_INFINITY, 0),
            254 => (f64::INFINITY, 0),
            253 => (f64::NAN, 0),
            _ => {
                let Some(text) = rest.get(..usize::from(length)) else { return Ok(None) };
                (parse_score(text).unwrap_or(f64::NAN), text.len())
            }
        };
        self.skip(1 + size);
        Ok(Some(value))
    }

    /// A string in any of its encodings.
    pub(super) fn string(&mut self) -> Read<Str> {
        if self.string.is_none()
            && let Some(number) = self.string_header()?
        {
            return Ok(Some(Str::Int(number)));
        }
        let Some(partial) = &mut self.string else { return Ok(None) };
        let count = partial.missing.min(self.pending.len() - self.at);
        partial.bytes.extend_from_slice(&self.pending[self.at..self.at + count]);
        partial.missing -= count;
        let complete = partial.missing == 0;
        self.skip(count);
        if !complete {
            return Ok(None);
        }
        let partial = self.string.take().expect("it has just been filled");
        let bytes = match partial.original {
            Some(length) => lzf::decompress(&partial.bytes, length).map_err(RdbErrorKind::Compression)?,
            None => partial.bytes,
        };
        Ok(Some(match parse_i64(&bytes) {
            Some(number) => Str::Int(number),
            None => Str::Bytes(bytes),
        }))
    }

    /// Begins a string. A number is complete at once; anything else becomes `self.string`, unless not
    /// even its length has arrived.
    fn string_header(&mut self) -> Read<i64> {
        let Some((length, size)) = peek_length(self.rest())? else { return Ok(None) };
        let body = &self.rest()[size..];
        match length {
            Length::Plain(length) => {
                let missing = self.check(length)?;
                self.skip(size);
                self.string = Some(Partial { bytes: Vec::new(), missing, original: None });
            }
            Length::Special(LZF) => {
                let Some((compressed, first)) = peek_plain(body)? else { return Ok(None) };
                let Some((original, second)) = peek_plain(&body[first..])? else { return Ok(None) };
                let (missing, original) = (self.check(compressed)?, self.check(original)?);
                self.skip(size + first + second);
                self.string = Some(Partial { bytes: Vec::new(), missing, original: Some(original) });
            }
            Length::Special(encoding) => {
                let number = match encoding {
                    INT8 => body.first_chunk().map(|bytes| (i64::from(i8::from_le_bytes(*bytes)), 1)),
                    INT16 => body.first_chunk().map(|bytes| (i64::from(i16::from_le_bytes(*bytes)), 2)),
                    INT32 => body.first_chunk().map(|bytes| (i64::from(i32::from_le_bytes(*bytes)), 4)),
                    _ => return Err(RdbErrorKind::Length(self.rest()[0])),
                };
                let Some((number, width)) = number else { return Ok(None) };
                self.skip(size + width);
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// A claimed length of a string, if it is one that may be.
    fn check(&self, claimed: u64) -> Result<usize, RdbErrorKind> {
        match usize::try_from(claimed) {
            Ok(length) if claimed <= self.longest_string => Ok(length),
            _ => Err(RdbErrorKind::TooLong(claimed, self.longest_string)),
        }
    }
}

/// The length at the beginning of `bytes`, and how many bytes it takes.
fn peek_length(bytes: &[u8]) -> Read<(Length, usize)> {
    let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
    let low = first & 0x3f;
    Ok(match (first >> 6, first) {
        (0, _) => Some((Length::Plain(u64::from(low)), 1)),
        (1, _) => rest.first().map(|&next| (Length::Plain(u64::from(low) << 8 | u64::from(next)), 2)),
        (2, 0x80) => rest.first_chunk().map(|b| (Length::Plain(u64::from(u32::from_be_bytes(*b))), 5)),
        (2, 0x81) => rest.first_chunk().map(|b| (Length::Plain(u64::from_be_bytes(*b)), 9)),
        (2, _) => return Err(RdbErrorKind::Length(first)),
        _ => Some((Length::Special(low), 1)),
    })
}

/// As [`peek_length`], where a special encoding makes no sense.
fn peek_plain(bytes: &[u8]) -> Read<(u64, usize)> {
    match peek_length(bytes)? {
        Some((Length::Plain(length), size)) => Ok(Some((length, size))),
        Some((Length::Special(_), _)) => Err(RdbErrorKind::Length(bytes[0])),
        None => Ok(None),
    }
}
