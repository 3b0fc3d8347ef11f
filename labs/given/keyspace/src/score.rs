//! Scores and the bounds of ranges, as clients write them.

use crate::extended::Extended;

/// What C's `strtod` makes of the whole of `text`, and whether it reports that no double is near it.
/// `None`: it is no number, or `nan`.
fn read(text: &[u8]) -> Option<(f64, bool)> {
    let unsigned = match text {
        [b'-' | b'+', rest @ ..] => rest,
        _ => text,
    };
    if let [b'0', b'x' | b'X', ..] = unsigned {
        let value = Extended::parse(text)?.to_f64();
        return Some((value, value.is_infinite()));
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok().filter(|value: &f64| !value.is_nan())?;
    let mantissa = unsigned.split(|byte| byte.eq_ignore_ascii_case(&b'e')).next().unwrap_or_default();
    let has_digit = |digits: std::ops::RangeInclusive<u8>| mantissa.iter().any(|byte| digits.contains(byte));
    let out_of_range =
        value.is_infinite() && has_digit(b'0'..=b'9') || value == 0.0 && has_digit(b'1'..=b'9');
    Some((value, out_of_range))
}

/// A score or a weight.
pub(crate) fn parse_score(text: &[u8]) -> Option<f64> {
    read(text).filter(|(_, out_of_range)| !out_of_range).map(|(value, _)| value)
}

/// What `strtod` makes of a C string of which nothing is left over: blanks in front are passed over,
/// a zero byte ends it, and nothing at all is 0.
fn read_loosely(text: &[u8]) -> Option<(f64, bool)> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b'\t'..=b'\r'));
    match start {
        Some(start) => read(&text[start..]),
        None if text.is_empty() => Some((0.0, false)),
        None => None,
    }
}

/// An element by which `SORT` sorts.
pub(crate) fn parse_weight(text: &[u8]) -> Option<f64> {
    read_loosely(text).filter(|(_, out_of_range)| !out_of_range).map(|(value, _)| value)
}

/// The scores from one bound to another, each with or without the bound itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ScoreRange {
    min: (f64, bool),
    max: (f64, bool),
}

impl ScoreRange {
    pub(crate) fn parse(min: &[u8], max: &[u8]) -> Option<ScoreRange> {
        let bound = |text: &[u8]| match text {
            [b'(', rest @ ..] => read_loosely(rest).map(|(value, _)| (value, true)),
            _ => read_loosely(text).map(|(value, _)| (value, false)),
        };
        Some(ScoreRange { min: bound(min)?, max: bound(max)? })
    }

    /// True if `score` comes before the range.
    pub(crate) fn is_above(&self, score: f64) -> bool {
        let (min, excluded) = self.min;
        score < min || excluded && score == min
    }

    /// True if `score` does not come behind the range.
    pub(crate) fn reaches(&self, score: f64) -> bool {
        let (max, excluded) = self.max;
        score < max || !excluded && score == max
    }
}

/// The members from one bound to another, in the order of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LexRange<'a> {
    min: LexBound<'a>,
    max: LexBound<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LexBound<'a> {
    First,
    Including(&'a [u8]),
    Excluding(&'a [u8]),
    Last,
}

impl<'a> LexRange<'a> {
    pub(crate) fn parse(min: &'a [u8], max: &'a [u8]) -> Option<LexRange<'a>> {
        let bound = |text: &'a [u8]| match text {
            // C looks no further than a zero byte.
            [b'-'] | [b'-', 0, ..] => Some(LexBound::First),
            [b'+'] | [b'+', 0, ..] => Some(LexBound::Last),
            [b'[', rest @ ..] => Some(LexBound::Including(rest)),
            [b'(', rest @ ..] => Some(LexBound::Excluding(rest)),
            _ => None,
        };
        Some(LexRange { min: bound(min)?, max: bound(max)? })
    }

    /// True if `member` comes before the range.
    pub(crate) fn is_above(&self, member: &[u8]) -> bool {
        match self.min {
            LexBound::First => false,
            LexBound::Including(min) => member < min,
            LexBound::Excluding(min) => member <= min,
            LexBound::Last => true,
        }
    }

    /// True if `member` does not come behind the range.
    pub(crate) fn reaches(&self, member: &[u8]) -> bool {
        match self.max {
            LexBound::First => false,
            LexBound::Including(max) => member <= max,
            LexBound::Excluding(max) => member < max,
            LexBound::Last => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_what_strtod_reads() {
        for (text, score) in [
            ("1", Some(1.0)),
            ("-1.5e3", Some(-1500.0)),
            ("+.5", Some(0.5)),
            ("5.", Some(5.0)),
            ("0x10", Some(16.0)),
            ("-0x.8p1", Some(-1.0)),
            ("INF", Some(f64::INFINITY)),
            ("-infinity", Some(f64::NEG_INFINITY)),
            ("0e999", Some(0.0)),
            ("4e-324", Some(5e-324)),
            ("0x1p-1074", Some(5e-324)),
            ("0x1p5000", None),
            ("1e400", None),
            ("1e-400", None),
            ("nan", None),
            ("", None),
            (" 1", None),
            ("1 ", None),
            ("1e", None),
            ("e5", None),
            (".", None),
        ] {
            assert_eq!(parse_score(text.as_bytes()), score, "{text:?}");
        }
    }

    #[test]
    fn bounds_are_read_more_loosely() {
        let range = |min: &str, max: &str| ScoreRange::parse(min.as_bytes(), max.as_bytes());
        assert_eq!(range("(1", "2"), Some(ScoreRange { min: (1.0, true), max: (2.0, false) }));
        assert_eq!(range("", "("), Some(ScoreRange { min: (0.0, false), max: (0.0, true) }));
        assert_eq!(range(" 1", "1e400"), Some(ScoreRange { min: (1.0, false), max: (f64::INFINITY, false) }));
        assert_eq!(range("3\0x", "+inf").unwrap().min, (3.0, false));
        for wrong in ["1 ", " ", "nan", "((1", "x"] {
            assert_eq!(range(wrong, "1"), None, "{wrong:?}");
        }
    }

    #[test]
    fn ranges_contain_what_they_say() {
        let range = ScoreRange::parse(b"(1", b"2").unwrap();
        assert!(range.is_above(1.0) && !range.is_above(1.5) && range.reaches(2.0) && !range.reaches(2.5));
        let range = LexRange::parse(b"[b", b"(d").unwrap();
        assert!(range.is_above(b"a") && !range.is_above(b"b") && range.reaches(b"c") && !range.reaches(b"d"));
        assert!(LexRange::parse(b"+", b"-").unwrap().is_above(b"x"));
        assert!(LexRange::parse(b"b", b"+").is_none());
        assert!(LexRange::parse(b"", b"+").is_none());
    }
}
