//! Is the output on the page what the program printed?

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::ids::Ids;

/// What differs from run to run whatever the page says.
static ALWAYS_MASKED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let patterns = [
        // The front of a log line: pid, role, date and time. The role stays.
        r"^(\d+):[A-Z] ",
        r"^\S+:[A-Z] (\d+ \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3})",
        r"\b(?:pid|PID)[=: ]+(\d+)",
    ];
    patterns.iter().map(|pattern| Regex::new(pattern).expect("a fixed pattern")).collect()
});

/// What may differ from run to run.
#[derive(Debug, Default)]
pub(super) struct Masks {
    /// What this session masks.
    pub(super) own: Vec<Regex>,
    /// Ids may differ, but not those that are known.
    pub(super) ids: Ids,
}

/// `line` with everything replaced that may differ.
fn masked(line: &str, masks: &Masks) -> String {
    let mut line = masks.ids.without_strangers(line.trim_end());
    for mask in ALWAYS_MASKED.iter().chain(&masks.own) {
        let replace = |found: &Captures<'_>| {
            let whole = found.get(0).expect("group 0 is the match");
            let part = found.get(1).unwrap_or(whole);
            let text = whole.as_str();
            let (from, to) = (part.start() - whole.start(), part.end() - whole.start());
            format!("{}‹›{}", &text[..from], &text[to..])
        };
        line = mask.replace_all(&line, replace).into_owned();
    }
    line
}

/// Blank lines at the end say nothing.
fn without_tail(mut lines: &[String]) -> &[String] {
    while let [before @ .., last] = lines
        && last.trim().is_empty()
    {
        lines = before;
    }
    lines
}

/// True if `actual` is what the page expects. `…` on a line of its own stands for any lines.
pub(super) fn matches(expected: &[String], actual: &[String], masks: &Masks) -> bool {
    let mask = |lines: &[String]| -> Vec<String> {
        without_tail(lines).iter().map(|line| masked(line, masks)).collect()
    };
    matches_masked(&mask(expected), &mask(actual))
}

fn matches_masked(expected: &[String], actual: &[String]) -> bool {
    match expected {
        [] => actual.is_empty(),
        [line, rest @ ..] if line.trim() == "…" => {
            (0..=actual.len()).any(|skipped| matches_masked(rest, &actual[skipped..]))
        }
        [line, rest @ ..] => actual.first() == Some(line) && matches_masked(rest, &actual[1..]),
    }
}

/// True if the lines of `expected` occur in `actual` in this order, whatever stands between them.
pub(super) fn follows(expected: &[String], actual: &[String], masks: &Masks) -> bool {
    let mut actual = actual.iter().map(|line| masked(line, masks));
    without_tail(expected)
        .iter()
        .filter(|line| line.trim() != "…")
        .all(|line| actual.any(|found| found == masked(line, masks)))
}

/// Learns which ids stand for those on the page.
pub(super) fn learn_ids(expected: &[String], actual: &[String], masks: &mut Masks) {
    let mut rest = actual;
    for line in without_tail(expected).iter().filter(|line| line.trim() != "…") {
        let wanted = masked(line, masks);
        if let Some(at) = rest.iter().position(|printed| masked(printed, masks) == wanted) {
            masks.ids.learn_from(line, &rest[at]);
            rest = &rest[at + 1..];
        }
    }
}

/// The first line in which they part, as `expected … got …`.
pub(super) fn difference(expected: &[String], actual: &[String], masks: &Masks) -> String {
    let (expected, actual) = (without_tail(expected), without_tail(actual));
    let same = expected
        .iter()
        .zip(actual)
        .take_while(|(a, b)| a.trim() == "…" || masked(a, masks) == masked(b, masks))
        .count();
    let show = |lines: &[String]| match lines.get(same) {
        Some(line) => format!("`{}`", line.trim_end()),
        None => "no more".to_string(),
    };
    format!("line {} of the output: the page has {}, the run has {}", same + 1, show(expected), show(actual))
}

/// What `--bless` writes: `actual`, but lines that differ only in masked places stay as they are on the page.
pub(super) fn blessed(expected: &[String], actual: &[String], masks: &Masks) -> Vec<String> {
    let mut old = expected.iter();
    without_tail(actual)
        .iter()
        .map(|line| {
            let new = masked(line, masks);
            let mut ahead = old.clone();
            match ahead.find(|line| masked(line, masks) == new) {
                Some(kept) => {
                    old = ahead;
                    kept.clone()
                }
                None => line.trim_end().to_string(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> Masks {
        Masks::default()
    }

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(String::from).collect()
    }

    #[test]
    fn ids_pids_and_dates_may_differ() {
        let page = lines(&format!("id:{}\n12:M 01 Jan 2026 00:00:00.000 * Ready\nlag=1", "a".repeat(40)));
        let run = lines(&format!("id:{}\n9:M 21 Nov 2026 21:22:23.123 * Ready\nlag=0", "b".repeat(40)));
        let mask = Masks { own: vec![Regex::new(r"lag=(\d+)").unwrap()], ..none() };
        assert!(matches(&page, &run, &mask));
        assert!(!matches(&page, &run, &none()));
        assert_eq!(blessed(&page, &run, &mask), page);
        assert!(!matches(
            &lines("1:M 01 Jan 2026 00:00:00.000 * a"),
            &lines("1:S 01 Jan 2026 00:00:00.000 * a"),
            &none()
        ));
    }

    #[test]
    fn an_id_that_was_printed_before_must_be_the_same() {
        let mut masks = none();
        let (page, run) = (lines(&"a".repeat(40)), lines(&"b".repeat(40)));
        assert!(matches(&page, &run, &masks));
        learn_ids(&page, &run, &mut masks);
        let translated: Vec<String> = run.iter().map(|line| masks.ids.on_the_page(line)).collect();
        assert!(matches(&page, &translated, &masks));
        assert!(!matches(&page, &lines(&"c".repeat(40)), &masks), "another node");
        assert!(!matches(&lines("(aaaaaaaa...)"), &lines("(cccccccc...)"), &masks));
        assert!(matches(&lines("(dddddddd...)"), &lines("(cccccccc...)"), &masks), "both unknown");
    }

    #[test]
    fn an_ellipsis_stands_for_any_lines() {
        assert!(matches(&lines("a\n…\nd"), &lines("a\nb\nc\nd\n"), &none()));
        assert!(matches(&lines("a\n…"), &lines("a"), &none()));
        assert!(!matches(&lines("a\n…\nd"), &lines("a\nb"), &none()));
        assert!(follows(&lines("a\nc"), &lines("a\nb\nc\nd"), &none()));
        assert!(!follows(&lines("c\na"), &lines("a\nb\nc\nd"), &none()));
    }

    #[test]
    fn a_difference_names_the_line() {
        assert_eq!(
            difference(&lines("a\nb"), &lines("a\nc"), &none()),
            "line 2 of the output: the page has `b`, the run has `c`"
        );
        assert_eq!(
            difference(&lines("a"), &lines(""), &none()),
            "line 1 of the output: the page has `a`, the run has no more"
        );
    }
}
