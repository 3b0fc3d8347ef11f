//! The code of a seal: text to hexadecimal digits and back.
//!
//! It keeps an answer from a glance and from a search, and from nobody else: everything that is needed to open it lies
//! beside it, because the compiler needs it too. What it must do well is to give back exactly what was put in, and to
//! say so if it cannot.

/// Digits on one line.
const WIDTH: usize = 96;
/// Bytes of the sum at the end.
const SUM: usize = 8;

/// The text as lines of hexadecimal digits.
#[allow(dead_code, reason = "the macro only opens; the bench closes too")]
pub(crate) fn close(text: &str) -> Vec<String> {
    let bytes = text.bytes().chain(sum(text.as_bytes()).to_be_bytes());
    let digits: String = veiled(bytes).map(|byte| format!("{byte:02x}")).collect();
    digits.as_bytes().chunks(WIDTH).map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

/// The text behind hexadecimal digits; blanks and line ends between them do not count.
pub(crate) fn open(digits: &str) -> Result<String, String> {
    let digits: Vec<u32> = digits
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| letter.to_digit(16).ok_or_else(|| format!("a seal holds no {letter:?}")))
        .collect::<Result<_, _>>()?;
    let bytes = digits.chunks(2).map(|pair| pair.iter().fold(0u8, |byte, &digit| (byte << 4) | digit as u8));
    let mut bytes: Vec<u8> = veiled(bytes).collect();
    let broken = || "the seal is damaged: unpack the handout again".to_string();
    let end = bytes.len().checked_sub(SUM).filter(|_| digits.len().is_multiple_of(2)).ok_or_else(broken)?;
    let expected = bytes.split_off(end);
    if sum(&bytes).to_be_bytes() != expected[..] {
        return Err(broken());
    }
    String::from_utf8(bytes).map_err(|_| broken())
}

/// Exclusive or with a sequence that begins at the same place each time: twice is as good as not at all.
fn veiled(bytes: impl Iterator<Item = u8>) -> impl Iterator<Item = u8> {
    let mut state: u64 = 0x5ea1_ed00_0000_0001;
    bytes.map(move |byte| {
        // SplitMix64, of which one byte is enough.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        byte ^ (mixed >> 56) as u8
    })
}

/// FNV-1a, 64 bits.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_closed_opens() {
        for text in ["", "1", "let x = \"a\\n\";\n    x // größer\n", &"long ".repeat(500)] {
            let lines = close(text);
            assert!(lines.iter().all(|line| line.len() <= WIDTH));
            assert_eq!(open(&lines.join("\n        ")).as_deref(), Ok(text));
            assert!(text.len() < 4 || !lines.concat().contains(&text[..4]));
        }
    }

    #[test]
    fn a_damaged_seal_is_an_error() {
        let whole = close("let answer = 42;").concat();
        for end in 0..whole.len() {
            assert!(open(&whole[..end]).is_err(), "cut off at {end}");
        }
        let turned: String = whole.chars().rev().collect();
        assert!(open(&turned).is_err());
        assert_eq!(open("12 zz"), Err("a seal holds no 'z'".to_string()));
    }
}
