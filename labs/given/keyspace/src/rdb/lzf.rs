use std::error::Error;
use std::fmt;

/// The greatest factor by which LZF can shrink: three bytes stand for up to 264.
const MOST: usize = 88;

/// Restores bytes that were compressed with LZF, as Redis does with strings above 20 bytes.
///
/// The compressed form is a sequence of pieces, each led by a control byte. Below 32 it announces that
/// many literal bytes and one more. Above, its upper three bits are the length of a copy (7: the next
/// byte is added) less two, its lower five bits and the following byte the distance back, less one. A
/// copy may overlap its own output: that is how runs are written.
///
/// `length` is what the file claims. Memory grows with the output, and a claim that the input cannot
/// meet is refused before anything is done.
pub fn decompress(compressed: &[u8], length: usize) -> Result<Vec<u8>, BadLzf> {
    if length > compressed.len().saturating_mul(MOST) {
        return Err(BadLzf::TooShort);
    }
    let mut out = Vec::with_capacity(length);
    let mut input = compressed;
    while let Some(control) = next(&mut input) {
        let control = usize::from(control);
        if control < 32 {
            let (literal, rest) = input.split_at_checked(control + 1).ok_or(BadLzf::TooShort)?;
            out.extend_from_slice(literal);
            input = rest;
        } else {
            let mut count = control >> 5;
            if count == 7 {
                count += usize::from(next(&mut input).ok_or(BadLzf::TooShort)?);
            }
            let low = usize::from(next(&mut input).ok_or(BadLzf::TooShort)?);
            let distance = ((control & 0x1f) << 8 | low) + 1;
            let start = out.len().checked_sub(distance).ok_or(BadLzf::BeforeStart)?;
            for from in start..start + count + 2 {
                out.push(out[from]);
            }
        }
        if out.len() > length {
            return Err(BadLzf::TooLong);
        }
    }
    if out.len() < length { Err(BadLzf::TooShort) } else { Ok(out) }
}

fn next(input: &mut &[u8]) -> Option<u8> {
    let (&byte, rest) = input.split_first()?;
    *input = rest;
    Some(byte)
}

/// Why compressed bytes do not decompress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLzf {
    /// They end too early, or give less than they claim.
    TooShort,
    /// They give more than they claim.
    TooLong,
    /// They copy from before the beginning.
    BeforeStart,
}

impl fmt::Display for BadLzf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadLzf::TooShort => "shorter than claimed",
            BadLzf::TooLong => "longer than claimed",
            BadLzf::BeforeStart => "copies from before its beginning",
        })
    }
}

impl Error for BadLzf {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_copies_and_overlapping_copies() {
        assert_eq!(decompress(b"\x02abc", 3).unwrap(), b"abc");
        // Three literals, then a copy of three from distance three.
        assert_eq!(decompress(b"\x02abc\x20\x02", 6).unwrap(), b"abcabc");
        // One literal, then a copy of 7 + 2 + 91 from distance one.
        assert_eq!(decompress(b"\x00a\xe0\x5b\x00", 101).unwrap(), [b'a'; 101]);
    }

    #[test]
    fn bad_input_is_an_error() {
        assert_eq!(decompress(b"\x05abc", 6), Err(BadLzf::TooShort));
        assert_eq!(decompress(b"\x02abc", 4), Err(BadLzf::TooShort));
        assert_eq!(decompress(b"\x02abc", 2), Err(BadLzf::TooLong));
        assert_eq!(decompress(b"\x00a\x20\x05", 4), Err(BadLzf::BeforeStart));
        assert_eq!(decompress(b"\xe0", 80), Err(BadLzf::TooShort));
        assert_eq!(decompress(b"\x00a", usize::MAX), Err(BadLzf::TooShort));
        assert_eq!(decompress(b"", 0).unwrap(), b"");
    }
}
