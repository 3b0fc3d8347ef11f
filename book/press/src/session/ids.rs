//! Ids of nodes: those on the page, and which of this run they stand for.
//!
//! An id is new in each run. Where the page shows one in an output, and this run printed another in its place, the one
//! stands for the other from then on: in later commands, and when later output is compared.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A whole id, or its beginning as `ha-cli --cluster` abbreviates it.
static ID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(?:[0-9a-f]{40}\b|[0-9a-f]{8}\.\.\.)").expect("a fixed pattern"));

const SHORT: usize = 8;

/// Which id stands for which.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// By the id on the page.
    real: BTreeMap<String, String>,
}

pub(super) fn is_id(text: &str) -> bool {
    text.len() == 40 && ID.is_match(text)
}

impl Ids {
    /// From now on `page` stands for `real`.
    pub(super) fn learn(&mut self, page: &str, real: &str) {
        self.real.insert(page.to_string(), real.to_string());
    }

    /// Learns from a line of the page and the line that was printed in its place. What is known stays.
    pub(super) fn learn_from(&mut self, page: &str, printed: &str) {
        for (page, real) in ID.find_iter(page).zip(ID.find_iter(printed)) {
            let (page, real) = (page.as_str(), real.as_str());
            let is_known = self.real.contains_key(page) || self.real.values().any(|known| known == real);
            if is_id(page) && is_id(real) && !is_known {
                self.learn(page, real);
            }
        }
    }

    /// A command of the page as it is run.
    pub(super) fn on_this_machine(&self, text: &str) -> String {
        let known = self.real.iter().map(|(page, real)| (page.as_str(), real.as_str()));
        translate(text, &known.collect::<Vec<_>>())
    }

    /// What was printed, as the page has it.
    pub(super) fn on_the_page(&self, text: &str) -> String {
        let known = self.real.iter().map(|(page, real)| (real.as_str(), page.as_str()));
        translate(text, &known.collect::<Vec<_>>())
    }

    /// `line` with a mark for every id that is not known: those may differ.
    pub(super) fn without_strangers(&self, line: &str) -> String {
        let replace = |found: &Captures<'_>| {
            let word = &found[0];
            let is_known =
                |page: &&String| if is_id(word) { *page == word } else { page.starts_with(&word[..SHORT]) };
            if self.real.keys().any(|page| is_known(&page)) { word.to_string() } else { "‹›".to_string() }
        };
        ID.replace_all(line, replace).into_owned()
    }
}

fn translate(text: &str, known: &[(&str, &str)]) -> String {
    let replace = |found: &Captures<'_>| {
        let word = &found[0];
        let (whole, short) = (is_id(word), &word[..SHORT]);
        let pair = known.iter().find(|(from, _)| if whole { *from == word } else { from.starts_with(short) });
        match pair {
            Some((_, to)) if whole => (*to).to_string(),
            Some((_, to)) => format!("{}...", &to[..SHORT]),
            None => word.to_string(),
        }
    };
    ID.replace_all(text, replace).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stands_for_another_from_where_it_was_printed() {
        let [page, real, other] = ["a", "b", "c"].map(|digit| digit.repeat(40));
        let mut ids = Ids::default();
        ids.learn_from(&format!("M: {page} 7000 {other}"), &format!("M: {real} 7000"));
        assert_eq!(ids.on_this_machine(&format!("FORGET {page}")), format!("FORGET {real}"));
        assert_eq!(
            ids.on_the_page(&format!("{real}! 7000 (bbbbbbbb...) {other}")),
            format!("{page}! 7000 (aaaaaaaa...) {other}")
        );
        assert_eq!(
            ids.without_strangers(&format!("{page} aaaaaaaa... {other} cccccccc...")),
            format!("{page} aaaaaaaa... ‹› ‹›")
        );
        // What is known stays: another id in its place is a difference.
        ids.learn_from(&page, &other);
        assert_eq!(ids.on_this_machine(&page), real);
        assert_eq!(ids.on_the_page(&other), other);
    }
}
