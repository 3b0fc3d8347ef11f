//! What was told, and what is there.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use super::way::Said;

/// What became of a number that was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Refused,
    Unsent,
    Unanswered,
}

/// Every number that was written, and what was told of it. Only the exceptions are kept one by one, so that an hour of
/// writing takes no memory.
#[derive(Debug)]
pub(super) struct Book {
    lists: Vec<String>,
    /// How many numbers were handed out. The `n`th goes to list `n` modulo their count.
    next: u64,
    exceptions: BTreeMap<u64, Fate>,
    began: Instant,
    last_done: Instant,
    /// The longest time between two acknowledgements, and when it ended.
    gap: (Duration, Duration),
    /// What is wrong at the moment, as it was told.
    trouble: Option<String>,
}

impl Book {
    pub(super) fn new(lists: Vec<String>, now: Instant) -> Book {
        Book {
            lists,
            next: 0,
            exceptions: BTreeMap::new(),
            began: now,
            last_done: now,
            gap: (Duration::ZERO, Duration::ZERO),
            trouble: None,
        }
    }

    pub(super) fn lists(&self) -> &[String] {
        &self.lists
    }

    /// The next number, and the list it belongs to.
    pub(super) fn next(&self) -> (String, u64) {
        let count = self.lists.len() as u64;
        (self.lists[(self.next % count) as usize].clone(), self.next)
    }

    /// What was said of the number that [`next`](Book::next) gave. Returns a line for the user if something else is wrong
    /// than before, or nothing any more.
    pub(super) fn enter(&mut self, said: Said, now: Instant) -> Option<String> {
        let number = self.next;
        self.next += 1;
        let at = now - self.began;
        let (fate, words) = match said {
            Said::Reply(_) => {
                let gap = now - self.last_done;
                self.last_done = now;
                if gap > self.gap.0 {
                    self.gap = (gap, at);
                }
                let was_wrong = self.trouble.take().is_some();
                return was_wrong
                    .then(|| format!("{} acknowledged again, after {}", seconds(at), seconds(gap)));
            }
            Said::Refused(words) => (Fate::Refused, format!("refused: {words}")),
            Said::Unsent(words) => (Fate::Unsent, format!("not sent: {words}")),
            Said::Nothing(words) => (Fate::Unanswered, format!("no answer: {words}")),
        };
        self.exceptions.insert(number, fate);
        let is_new = self.trouble.as_ref() != Some(&words);
        let line = is_new.then(|| format!("{} {words}", seconds(at)));
        self.trouble = Some(words);
        line
    }

    /// The balance, before anything was found.
    pub(super) fn balance(&self) -> Balance<'_> {
        Balance { book: self, last: BTreeMap::new(), done: 0, unanswered: 0, strangers: 0, disorder: 0 }
    }

    fn count(&self, fate: Fate) -> u64 {
        self.exceptions.values().filter(|other| **other == fate).count() as u64
    }

    fn acknowledged(&self) -> u64 {
        self.next - self.exceptions.len() as u64
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// What was told beside what is there.
#[derive(Debug)]
pub(super) struct Balance<'a> {
    book: &'a Book,
    /// The number found last, by list.
    last: BTreeMap<String, u64>,
    /// Acknowledged ones that were found.
    done: u64,
    /// Unanswered ones that were found.
    unanswered: u64,
    /// What nobody was told to be there.
    strangers: u64,
    /// What is there twice, or behind a later one.
    disorder: u64,
}

impl Balance<'_> {
    /// The next element of a list.
    pub(super) fn found(&mut self, list: &str, element: &[u8]) {
        let number = std::str::from_utf8(element).ok().and_then(|text| text.parse::<u64>().ok());
        let Some(number) = number.filter(|number| *number < self.book.next) else {
            self.strangers += 1;
            return;
        };
        if self.last.get(list).is_some_and(|last| *last >= number) {
            self.disorder += 1;
            return;
        }
        self.last.insert(list.to_owned(), number);
        match self.book.exceptions.get(&number) {
            None => self.done += 1,
            Some(Fate::Unanswered) => self.unanswered += 1,
            Some(Fate::Refused | Fate::Unsent) => self.strangers += 1,
        }
    }

    /// True if everything that was told is so.
    pub(super) fn is_even(&self) -> bool {
        self.done == self.book.acknowledged() && self.strangers + self.disorder == 0
    }

    pub(super) fn report(&self, redirections: u64) -> String {
        let book = self.book;
        let (acknowledged, unanswered) = (book.acknowledged(), book.count(Fate::Unanswered));
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<20}{value}");
        };
        line("acknowledged", format!("{acknowledged} in {}", seconds(book.last_done - book.began)));
        line("longest gap", format!("{}, {} after the start", seconds(book.gap.0), seconds(book.gap.1)));
        line("redirected", redirections.to_string());
        line("refused", book.count(Fate::Refused).to_string());
        line("not sent", book.count(Fate::Unsent).to_string());
        line("without an answer", format!("{unanswered}, of which {} are there", self.unanswered));
        line("there", self.done.to_string());
        if self.strangers + self.disorder > 0 {
            line("there, and no right", self.strangers.to_string());
            line("twice, or disorder", self.disorder.to_string());
        }
        line("lost", (acknowledged - self.done).to_string());
        text.trim_end().to_owned()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a moment to begin with")]
mod tests {
    use core_types::Frame;

    use super::*;

    fn book(told: &[&str]) -> Book {
        let start = Instant::now();
        let mut book = Book::new(vec!["a".into(), "b".into()], start);
        for (index, word) in told.iter().enumerate() {
            let said = match *word {
                "ok" => Said::Reply(Frame::Integer(1)),
                "refused" => Said::Refused("READONLY".into()),
                "unsent" => Said::Unsent("no connection".into()),
                _ => Said::Nothing("closed".into()),
            };
            book.enter(said, start + Duration::from_millis(100 * index as u64));
        }
        book
    }

    fn balance(book: &Book, a: &[&str], b: &[&str]) -> (bool, String) {
        let mut balance = book.balance();
        a.iter().for_each(|element| balance.found("a", element.as_bytes()));
        b.iter().for_each(|element| balance.found("b", element.as_bytes()));
        (balance.is_even(), balance.report(0).lines().last().unwrap_or_default().to_owned())
    }

    #[test]
    fn what_was_acknowledged_must_be_there_and_what_was_refused_must_not() {
        let book = book(&["ok", "ok", "refused", "nothing", "unsent", "ok"]);
        let lost = |count: u32| format!("{:<20}{count}", "lost");
        assert_eq!(balance(&book, &["0"], &["1", "5"]), (true, lost(0)));
        assert_eq!(balance(&book, &["0"], &["1", "3", "5"]), (true, lost(0)), "it may be there");
        assert_eq!(balance(&book, &["0"], &["1"]), (false, lost(1)));
        assert_eq!(balance(&book, &["0", "2"], &["1", "5"]), (false, lost(0)), "it was refused");
        assert_eq!(balance(&book, &["0", "4"], &["1", "5"]), (false, lost(0)), "it was never sent");
        assert_eq!(balance(&book, &["0", "0"], &["1", "5"]), (false, lost(0)), "twice");
        assert_eq!(balance(&book, &["0"], &["5", "1"]), (false, lost(1)), "disorder");
        assert_eq!(balance(&book, &["0", "x"], &["1", "5", "7"]), (false, lost(0)), "never written");
    }

    #[test]
    fn trouble_is_told_once_and_so_is_its_end() {
        let start = Instant::now();
        let mut book = Book::new(vec!["a".into()], start);
        let at = |millis| start + Duration::from_millis(millis);
        let ok = || Said::Reply(Frame::Integer(1));
        let no = || Said::Refused("no".into());
        assert_eq!(book.enter(ok(), at(10)), None);
        assert_eq!(book.enter(no(), at(20)).as_deref(), Some("0.020 s refused: no"));
        assert_eq!(book.enter(no(), at(30)), None);
        assert_eq!(book.enter(ok(), at(510)).as_deref(), Some("0.510 s acknowledged again, after 0.500 s"));
        let text = book.balance().report(3);
        assert!(
            text.starts_with("acknowledged        2 in 0.510 s\nlongest gap         0.500 s, 0.510 s after")
        );
        assert!(text.contains("\nredirected          3\nrefused             2\n"), "{text}");
    }
}
