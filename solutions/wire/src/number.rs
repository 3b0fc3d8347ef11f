//! Numbers as the wire writes them: decimal digits, and exactly one way to write each number.

/// Reads a signed 64-bit number, strictly: every number has one spelling, and only that one is accepted.
///
/// An optional `-`, then digits without a leading zero; `0` alone is zero, and `-0` is nothing. No `+`, no
/// blanks, no empty text, nothing behind the last digit, and nothing outside the range of [`i64`].
/// As `string2ll` in Redis's `util.c`.
pub fn parse_integer(digits: &[u8]) -> Option<i64> {
    // <exercise 0.1 parse_integer>
    let (negative, digits) = match digits {
        b"0" => return Some(0),
        [b'-', rest @ ..] => (true, rest),
        _ => (false, digits),
    };
    if !matches!(digits.first(), Some(b'1'..=b'9')) {
        return None;
    }
    // Summed below zero, where there is room for one number more than above it.
    let mut value: i64 = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_sub(i64::from(digit - b'0'))?;
    }
    if negative { Some(value) } else { value.checked_neg() }
    // </exercise>
}
