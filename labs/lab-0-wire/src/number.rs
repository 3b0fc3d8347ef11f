//! Numbers as the wire writes them: decimal digits, and exactly one way to write each number.

/// Reads a signed 64-bit number, strictly: every number has one spelling, and only that one is accepted.
///
/// An optional `-`, then digits without a leading zero; `0` alone is zero, and `-0` is nothing. No `+`, no
/// blanks, no empty text, nothing behind the last digit, and nothing outside the range of [`i64`].
/// As `string2ll` in Redis's `util.c`.
pub fn parse_integer(digits: &[u8]) -> Option<i64> {
    // <exercise 0.1 parse_integer>
    todo!("lab 0.1: One spelling for each number")
    // </exercise>
}
