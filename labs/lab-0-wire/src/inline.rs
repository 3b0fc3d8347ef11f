//! Commands as a person types them: one line, words between blanks, quotes around what holds blanks.

use core_types::{ArgsBuf, Span};

use crate::{Limits, Line, ProtocolError};

/// Finds the inline command at the start of `buffer`; `Ok(None)` while its end has not arrived.
///
/// LF ends it, and a CR right before the LF is not part of it. The LF must be among the first
/// [`Limits::inline`] + 1 bytes; as soon as they are there without one, it is an error.
pub fn find_inline(buffer: &[u8], limits: &Limits) -> Result<Option<Line>, ProtocolError> {
    // <exercise 0.5 find_inline>
    todo!("lab 0.5: What a person types")
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
    todo!("lab 0.5: What a person types")
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
