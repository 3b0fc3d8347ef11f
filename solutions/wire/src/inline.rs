//! Commands as a person types them: one line, words between blanks, quotes around what holds blanks.

use core_types::{ArgsBuf, Span};

use crate::{Limits, Line, ProtocolError};

/// Finds the inline command at the start of `buffer`; `Ok(None)` while its end has not arrived.
///
/// LF ends it, and a CR right before the LF is not part of it. The LF must be among the first
/// [`Limits::inline`] + 1 bytes; as soon as they are there without one, it is an error.
pub fn find_inline(buffer: &[u8], limits: &Limits) -> Result<Option<Line>, ProtocolError> {
    // <exercise 0.5 find_inline>
    let window = &buffer[..buffer.len().min(limits.inline.saturating_add(1))];
    let Some(newline) = memchr::memchr(b'\n', window) else {
        return if buffer.len() > limits.inline { Err(ProtocolError::TooBigInline) } else { Ok(None) };
    };
    let end = if window[..newline].ends_with(b"\r") { newline - 1 } else { newline };
    Ok(Some(Line { span: Span { start: 0, end }, next: newline + 1 }))
    // </exercise>
}

/// Splits an inline command into its words, as `sdssplitargs` in Redis's `sds.c` does.
///
/// Inside `"…"` a backslash gives `\n \r \t \b \a`, `\xHH`, or the character behind it; inside `'…'` only
/// `\'` means something; outside quotes a backslash is a backslash. A quote may open in the middle of a
/// word, but what follows a closing quote must be a blank or the end of the line. Blanks are space and tab;
/// Redis takes CR for one as well, and vertical tab and form feed between words.
pub fn split_inline(line: &[u8]) -> Result<ArgsBuf, ProtocolError> {
    // <exercise 0.5 split_inline>
    let mut words = ArgsBuf::default();
    let mut word = Vec::new();
    let mut rest = line;
    loop {
        while let [b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, tail @ ..] = rest {
            rest = tail;
        }
        if rest.is_empty() {
            return Ok(words);
        }
        word.clear();
        let mut quote = None;
        loop {
            let (taken, byte) = match (quote, rest) {
                (None, [] | [b' ' | b'\t' | b'\n' | b'\r', ..]) => break,
                (None, [open @ (b'"' | b'\''), tail @ ..]) => {
                    quote = Some(*open);
                    rest = tail;
                    continue;
                }
                (None, [byte, ..]) => (1, *byte),
                (Some(_), []) => return Err(ProtocolError::UnbalancedQuotes),
                (Some(close), [byte, tail @ ..]) if *byte == close => {
                    rest = tail;
                    match tail.first() {
                        None | Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) => break,
                        Some(_) => return Err(ProtocolError::UnbalancedQuotes),
                    }
                }
                (Some(b'"'), [b'\\', b'x', high, low, ..])
                    if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
                {
                    (4, hex(*high) << 4 | hex(*low))
                }
                (Some(b'"'), [b'\\', escaped, ..]) => (2, unescape(*escaped)),
                (Some(_), [b'\\', b'\'', ..]) => (2, b'\''),
                (Some(_), [byte, ..]) => (1, *byte),
            };
            word.push(byte);
            rest = &rest[taken..];
        }
        words.push(&word);
    }
    // </exercise>
}

/// The value of a hexadecimal digit.
fn hex(digit: u8) -> u8 {
    char::from(digit).to_digit(16).map_or(0, |value| value as u8)
}

/// What a backslash and this byte mean between double quotes.
fn unescape(escaped: u8) -> u8 {
    match escaped {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}
