/// Where a command writes its reply.
///
/// Commands say *what* they answer; the implementation (chapter 0) says how it looks in the
/// connection's protocol. A collection is announced with its length, then its elements follow.
pub trait Reply {
    /// A status such as `OK`.
    fn simple(&mut self, text: &str);
    /// An error, the code first: `ERR syntax error`.
    fn error(&mut self, text: &str);
    /// A signed number.
    fn integer(&mut self, value: i64);
    /// Any bytes.
    fn bulk(&mut self, bytes: &[u8]);
    /// No value.
    fn null(&mut self);
    /// No list: RESP2 has a null of its own for the place of an array.
    fn null_array(&mut self);
    /// The next `len` replies form a list.
    fn array(&mut self, len: usize);
    /// The next `2 * pairs` replies form a map: key, value, key, value.
    fn map(&mut self, pairs: usize);
    /// The next `len` replies form a set.
    fn set(&mut self, len: usize);
    /// The next `len` replies form a message that nobody asked for.
    fn push(&mut self, len: usize);
    /// A floating-point number.
    fn double(&mut self, value: f64);
    /// A truth value.
    fn boolean(&mut self, value: bool);
    /// A number of any size, as decimal digits.
    fn big_number(&mut self, digits: &str);
    /// Text for a person to read; `format` is `txt` or `mkd`.
    fn verbatim(&mut self, format: &str, text: &[u8]);
}

/// Writes a double as C's `printf("%.17g")` does, which is what Redis sends (`addReplyDouble` in
/// `networking.c`): 17 significant digits, no trailing zeros, an exponent when it is below -4 or at
/// least 17, and `inf`, `-inf`, `nan`.
pub fn format_double(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf".into() } else { "-inf".into() };
    }
    // Most scores are whole: their digits are those of an integer. Only it has no -0.
    if value.abs() < 1e15 && value == value.trunc() && (value != 0.0 || value.is_sign_positive()) {
        return (value as i64).to_string();
    }
    const DIGITS: usize = 17;
    let scientific = format!("{value:.*e}", DIGITS - 1);
    let (mantissa, exponent) = scientific.split_once('e').expect("`{:e}` always writes an exponent");
    let exponent: i32 = exponent.parse().expect("`{:e}` writes a decimal exponent");
    if exponent < -4 || exponent >= DIGITS as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trim_zeros(mantissa), exponent.abs());
    }
    // The same digits, with the point where it belongs: no need to round a second time.
    let digits = mantissa.trim_start_matches('-').replacen('.', "", 1);
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let text = match usize::try_from(exponent + 1) {
        Ok(whole) if whole > 0 => format!("{sign}{}.{}", &digits[..whole], &digits[whole..]),
        _ => format!("{sign}0.{:0>zeros$}{digits}", "", zeros = (-exponent - 1) as usize),
    };
    trim_zeros(&text).to_string()
}

fn trim_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::format_double;

    #[test]
    fn doubles_look_as_printf_writes_them() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (-7.0, "-7"),
            (999_999_999_999_999.0, "999999999999999"),
            (-1234567890123456.5, "-1234567890123456.5"),
            (-0.001953125, "-0.001953125"),
            (1.5, "1.5"),
            (3.0, "3"),
            (0.1, "0.10000000000000001"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (-2.5e-7, "-2.4999999999999999e-07"),
            (0.0001, "0.0001"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(format_double(value), text);
        }
    }

    #[test]
    fn seventeen_digits_are_enough_to_come_back() {
        let mut rng = crate::Rng::new(1);
        for _ in 0..20_000 {
            let value = f64::from_bits(rng.next_u64());
            let near = (rng.next_u64() as i64 >> rng.below(63)) as f64 / 1000.0;
            for value in [value, near] {
                assert!(value.is_nan() || format_double(value).parse() == Ok(value), "{value:e}");
            }
        }
    }
}
