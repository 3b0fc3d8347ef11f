//! Floating-point numbers as `INCRBYFLOAT` adds them.
//!
//! Redis computes in C's `long double`. On x86-64 that has 64 bits of precision, eleven more than an
//! `f64`, and the 17 decimals of the reply show them: 10.5 + 0.1 is 10.6 there, and
//! 10.59999999999999964 in `f64`. So this is the x87 format in software: a 64-bit mantissa, an
//! exponent, round to nearest, ties to even. Besides the same reply as Redis's it gives the same
//! reply on every processor.

use std::cmp::Ordering;

/// `mantissa * 2^exponent`, negated if `negative`. The mantissa's top bit is set, but for zero and for
/// numbers too small for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extended {
    Finite { negative: bool, mantissa: u64, exponent: i32 },
    Infinite,
}

/// The exponent of the largest numbers, and of the smallest.
const MAX_EXPONENT: i32 = 16383 - 63;
const MIN_EXPONENT: i32 = -16382 - 63;

/// The decimal exponent beyond which every number is infinite, and below whose negative it is zero.
const MAX_DECIMAL: i64 = 5000;

/// The longest text that is taken for a number (`MAX_LONG_DOUBLE_CHARS`).
const LONGEST: usize = 5 * 1024;

impl Extended {
    pub(crate) const ZERO: Extended =
        Extended::Finite { negative: false, mantissa: 0, exponent: MIN_EXPONENT };

    /// Reads what C's `strtold` reads, in whole: decimal or hexadecimal, with or without exponent,
    /// `inf`, `infinity`. Not a number, nor one too large or too small: `None`.
    pub(crate) fn parse(text: &[u8]) -> Option<Extended> {
        if text.len() >= LONGEST {
            return None;
        }
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        if digits.eq_ignore_ascii_case(b"inf") || digits.eq_ignore_ascii_case(b"infinity") {
            return Some(Extended::Infinite);
        }
        let (radix, digits) = match digits {
            [b'0', b'x' | b'X', rest @ ..] => (16, rest),
            _ => (10, digits),
        };
        let scanned = Scanned::new(digits, radix)?;
        if scanned.number.is_zero() {
            return Some(Extended::Finite { negative, mantissa: 0, exponent: MIN_EXPONENT });
        }
        let read = if radix == 16 { scanned.binary(negative) } else { scanned.decimal(negative) };
        match read {
            Extended::Infinite | Extended::Finite { mantissa: 0, .. } => None,
            finite => Some(finite),
        }
    }

    /// The sum; `None` if it is infinite or no number.
    pub(crate) fn add(self, other: Extended) -> Option<Extended> {
        use Extended::Finite;
        let (
            Finite { mantissa: m, exponent: e, negative: n },
            Finite { mantissa: m2, exponent: e2, negative: n2 },
        ) = (self, other)
        else {
            return None;
        };
        let ((m, e, n), (m2, e2, n2)) =
            if (e, m) >= (e2, m2) { ((m, e, n), (m2, e2, n2)) } else { ((m2, e2, n2), (m, e, n)) };
        // 62 bits more behind the larger one; what the smaller one loses beyond them only matters as
        // "a little more than this", which is what its lowest bit then says.
        let large = u128::from(m) << 62;
        let small = shift_right_sticky(u128::from(m2) << 62, e.abs_diff(e2));
        let (sum, negative) = match (n == n2, large.cmp(&small)) {
            (true, _) => (large + small, n),
            (false, Ordering::Equal) => (0, false),
            (false, Ordering::Greater) => (large - small, n),
            (false, Ordering::Less) => (small - large, n2),
        };
        match Extended::round(negative, sum, i64::from(e) - 62) {
            Extended::Infinite => None,
            finite => Some(finite),
        }
    }

    /// The nearest number to `mantissa * 2^exponent`. Bits that do not fit must be in the lowest one.
    fn round(negative: bool, mantissa: u128, exponent: i64) -> Extended {
        if mantissa == 0 {
            return Extended::Finite { negative, mantissa: 0, exponent: MIN_EXPONENT };
        }
        let bits = 128 - i64::from(mantissa.leading_zeros());
        let target = (exponent + bits - 64).max(i64::from(MIN_EXPONENT));
        let mut rounded = if target <= exponent {
            mantissa << (exponent - target)
        } else {
            round_shift(mantissa, (target - exponent) as u32)
        };
        let mut exponent = target;
        if rounded >> 64 != 0 {
            rounded >>= 1;
            exponent += 1;
        }
        match i32::try_from(exponent) {
            Ok(exponent) if exponent <= MAX_EXPONENT => {
                Extended::Finite { negative, mantissa: rounded as u64, exponent }
            }
            _ => Extended::Infinite,
        }
    }

    /// The nearest double, infinite if there is none that large.
    pub(crate) fn to_f64(self) -> f64 {
        let Extended::Finite { negative, mantissa, exponent } = self else { return f64::INFINITY };
        // In steps, for no single power of two that is a double covers the range of the exponents.
        const STEP: i32 = 512;
        let mut value = mantissa as f64;
        let mut left = exponent;
        while left != 0 && value != 0.0 && value.is_finite() {
            let step = left.clamp(-STEP, STEP);
            value *= 2f64.powi(step);
            left -= step;
        }
        if negative { -value } else { value }
    }

    /// As C's `printf("%.17Lf")`, without trailing zeros.
    pub(crate) fn to_text(self) -> String {
        let Extended::Finite { negative, mantissa, exponent } = self else { return "inf".into() };
        let (whole, fraction) = if exponent >= 0 {
            let mut whole = Natural::from(mantissa);
            whole.shift_left(exponent as u32);
            (whole.to_text(), 0)
        } else {
            let scale = exponent.unsigned_abs();
            let whole = if scale < 64 { mantissa >> scale } else { 0 };
            let rest = if scale < 64 { mantissa & ((1 << scale) - 1) } else { mantissa };
            // Below 2^64 * 10^17, which 128 bits hold.
            let fraction = round_shift(u128::from(rest) * 10u128.pow(17), scale);
            let carry = fraction / 10u128.pow(17);
            ((u128::from(whole) + carry).to_string(), fraction % 10u128.pow(17))
        };
        let text = format!("{whole}.{fraction:017}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        if negative && text != "0" { format!("-{text}") } else { text.to_string() }
    }
}

/// Shifts, and sets the lowest bit if any bit was lost.
fn shift_right_sticky(value: u128, by: u32) -> u128 {
    let shifted = value.checked_shr(by).unwrap_or(0);
    let lost = if by < 128 { value & ((1 << by) - 1) } else { value };
    shifted | u128::from(lost != 0)
}

/// Shifts and rounds to nearest, ties to even.
fn round_shift(value: u128, by: u32) -> u128 {
    match by {
        0 => value,
        129.. => 0,
        _ => {
            let shifted = value.checked_shr(by).unwrap_or(0);
            let half = 1u128 << (by - 1);
            let lost = if by < 128 { value & ((1 << by) - 1) } else { value };
            shifted + u128::from(lost > half || lost == half && shifted & 1 == 1)
        }
    }
}

/// Digits without their point: `number * base^exponent`, the base being 10, or 2 for hexadecimal.
struct Scanned {
    number: Natural,
    exponent: i64,
}

impl Scanned {
    fn new(text: &[u8], radix: u32) -> Option<Scanned> {
        let (marker, per_digit) = if radix == 16 { (b'p', 4) } else { (b'e', 1) };
        let mut number = Natural::default();
        let (mut digits, mut exponent, mut point) = (0, 0i64, false);
        let mut rest = text;
        while let [byte, tail @ ..] = rest {
            if *byte == b'.' && !point {
                point = true;
            } else if let Some(digit) = char::from(*byte).to_digit(radix) {
                number.multiply_add(radix, digit);
                digits += 1;
                exponent -= if point { per_digit } else { 0 };
            } else {
                break;
            }
            rest = tail;
        }
        if digits == 0 {
            return None;
        }
        match rest {
            [] => {}
            [byte, tail @ ..] if byte.eq_ignore_ascii_case(&marker) => exponent += scan_exponent(tail)?,
            _ => return None,
        }
        Some(Scanned { number, exponent })
    }

    fn binary(self, negative: bool) -> Extended {
        divide(negative, self.number, Natural::from(1), self.exponent)
    }

    fn decimal(mut self, negative: bool) -> Extended {
        if self.exponent > MAX_DECIMAL {
            return Extended::Infinite;
        }
        let mut divisor = Natural::from(1);
        // With 5120 digits at most, this is below anything that could be told from zero.
        if self.exponent < -MAX_DECIMAL - LONGEST as i64 {
            return Extended::ZERO;
        }
        let scaled = if self.exponent < 0 { &mut divisor } else { &mut self.number };
        let zeros = self.exponent.unsigned_abs() as u32;
        for _ in 0..zeros / 9 {
            scaled.multiply_add(1_000_000_000, 0);
        }
        scaled.multiply_add(10u32.pow(zeros % 9), 0);
        divide(negative, self.number, divisor, 0)
    }
}

/// The exponent behind its marker. So large a one that 64 bits cannot hold it is as good as a billion.
fn scan_exponent(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    const BILLION: i64 = 1_000_000_000;
    Some(sign * digits.iter().fold(0, |sum: i64, digit| (sum * 10 + i64::from(digit - b'0')).min(BILLION)))
}

/// `number / divisor * 2^exponent`, rounded once. Neither may be zero.
fn divide(negative: bool, mut number: Natural, mut divisor: Natural, exponent: i64) -> Extended {
    // Long division in binary: 66 bits of the quotient, and whether anything is left.
    let shift = number.bits() as i64 - divisor.bits() as i64;
    if shift < 0 {
        number.shift_left(shift.unsigned_abs() as u32);
    } else {
        divisor.shift_left(shift as u32);
    }
    let mut quotient = 0u128;
    for _ in 0..66 {
        quotient <<= 1;
        if number >= divisor {
            number.subtract(&divisor);
            quotient |= 1;
        }
        number.shift_left(1);
    }
    let sticky = u128::from(!number.is_zero());
    Extended::round(negative, quotient << 1 | sticky, exponent + shift - 66)
}

/// A natural number of any size: words of 32 bits, the lowest first, the highest not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Natural(Vec<u32>);

impl From<u64> for Natural {
    fn from(value: u64) -> Natural {
        let mut made = Natural(vec![value as u32, (value >> 32) as u32]);
        made.trim();
        made
    }
}

impl Natural {
    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn bits(&self) -> u32 {
        self.0.last().map_or(0, |top| self.0.len() as u32 * 32 - top.leading_zeros())
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn multiply_add(&mut self, factor: u32, summand: u32) {
        let mut carry = u64::from(summand);
        for word in &mut self.0 {
            carry += u64::from(*word) * u64::from(factor);
            *word = carry as u32;
            carry >>= 32;
        }
        if carry != 0 {
            self.0.push(carry as u32);
        }
    }

    fn shift_left(&mut self, by: u32) {
        if !by.is_multiple_of(32) {
            self.multiply_add(1 << (by % 32), 0);
        }
        if by >= 32 && !self.is_zero() {
            self.0.splice(0..0, std::iter::repeat_n(0, by as usize / 32));
        }
    }

    /// `other` must not be larger.
    fn subtract(&mut self, other: &Natural) {
        let mut borrow = 0i64;
        for (index, word) in self.0.iter_mut().enumerate() {
            let difference = i64::from(*word) - i64::from(other.0.get(index).copied().unwrap_or(0)) + borrow;
            *word = difference as u32;
            borrow = difference >> 32;
        }
        self.trim();
    }

    fn to_text(&self) -> String {
        let mut words = self.0.clone();
        let mut groups = Vec::new();
        while words.iter().any(|word| *word != 0) {
            let mut rest = 0u64;
            for word in words.iter_mut().rev() {
                rest = rest << 32 | u64::from(*word);
                *word = (rest / 1_000_000_000) as u32;
                rest %= 1_000_000_000;
            }
            groups.push(rest);
        }
        let mut text = groups.pop().unwrap_or(0).to_string();
        for group in groups.into_iter().rev() {
            text += &format!("{group:09}");
        }
        text
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Natural) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Natural) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

#[cfg(test)]
mod tests {
    use super::Extended;

    /// What `INCRBYFLOAT` of Redis 7.0 on x86-64 replied.
    #[test]
    fn sums_are_those_of_redis() {
        for (a, b, sum) in [
            ("1", "1", "2"),
            ("10.5", "0.1", "10.6"),
            ("1000", "0.1", "1000.09999999999999998"),
            ("123456", "0.7", "123456.70000000000000284"),
            ("123456.70000000000000284", "1e3", "124456.70000000000000284"),
            ("5.0e3", "2.0e2", "5200"),
            ("5200", "0x10", "5216"),
            ("3", "-3", "0"),
            ("-0", "0", "0"),
            ("1e-20", "0", "0"),
            ("-1e-20", "0", "0"),
            ("1", "-1.5", "-0.5"),
        ] {
            let (a, b) = (Extended::parse(a.as_bytes()).unwrap(), Extended::parse(b.as_bytes()).unwrap());
            assert_eq!(a.add(b).unwrap().to_text(), sum);
        }
    }

    #[test]
    fn very_large_numbers_are_written_out() {
        let sum = Extended::parse(b"1e300").unwrap().add(Extended::ZERO).unwrap().to_text();
        assert_eq!(sum.len(), 301);
        assert!(sum.starts_with("1000000000000000000008997324079559193870523944273290747"), "{sum}");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1e+",
            "abc",
            " 1",
            "1 ",
            "1.2.3",
            "0x",
            "nan",
            "1e5000",
            "1e-5000",
            "1e99999999999999999999",
        ] {
            assert_eq!(Extended::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn infinity_is_read_and_cannot_be_added() {
        let infinite = Extended::parse(b"-inf").unwrap();
        assert_eq!(infinite.add(Extended::ZERO), None);
        let most = Extended::parse(b"1.18e4932").unwrap();
        assert_eq!(most.add(most), None);
    }
}
