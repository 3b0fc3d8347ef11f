//! How a known mistake is recognised again: by the first thing that went wrong, in words.
//!
//! A fingerprint holds neither a seed, a line number nor a place in a file, so that it survives small changes of
//! the suite and fits an answer that makes the same mistake in other words.

use core_types::Broken;

use crate::compare::Parting;

/// Longer ones are cut here and get a checksum of the whole: catalogues stay readable.
const LONGEST: usize = 240;

/// A rule that a suite checks itself did not hold.
pub(crate) fn of_broken(broken: &Broken) -> String {
    shorten(format!("broken | {} | {}", broken.rule, broken.detail))
}

/// Two runs part.
pub(crate) fn of_parting(parting: &Parting) -> String {
    let line = |line: &Option<String>| line.clone().unwrap_or_else(|| "(end)".to_string());
    shorten(format!("parts | {} | {}", line(&parting.yours), line(&parting.reference)))
}

/// A panic. Where it happened does not count: it differs from answer to answer.
pub(crate) fn of_panic(message: &str) -> String {
    shorten(format!("panics | {message}"))
}

/// The run was stopped or died; `next` is what the reference does after the last thing that was seen.
pub(crate) fn of_death(kind: &str, next: Option<&str>) -> String {
    shorten(format!("{kind} | {}", next.unwrap_or("(end)")))
}

fn shorten(text: String) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= LONGEST {
        return text;
    }
    let cut: String = text.chars().take(LONGEST).collect();
    format!("{cut}… {:016x}", checksum(text.as_bytes()))
}

/// FNV-1a: short, and the same on every machine.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_difference_elsewhere_has_the_same_fingerprint() {
        let parting = |index| Parting { index, yours: Some("f 1  ⇒ 2".into()), reference: None };
        assert_eq!(of_parting(&parting(3)), "parts | f 1 ⇒ 2 | (end)");
        assert_eq!(of_parting(&parting(3)), of_parting(&parting(4)));
    }

    #[test]
    fn long_ones_are_cut_but_stay_distinct() {
        let long = |last: char| of_panic(&format!("{}{last}", "x".repeat(1000)));
        assert!(long('a').chars().count() < 300);
        assert_ne!(long('a'), long('b'));
        assert_eq!(long('a'), long('a'));
    }
}
