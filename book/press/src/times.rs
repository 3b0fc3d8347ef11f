//! How long a chapter takes: `{{#reading PAGE}}`, `{{#doing PAGE}}`, and both at the head of a chapter with `{{#times …}}`.
//!
//! Reading is counted from the page: words at a steady pace, so much for each line of a listing, so much for each drawing.
//! Doing is the sum of the minutes that `book/src/times.toml` gives each exercise, and a little for each command of a
//! terminal session. Nothing of it is typed into a page, so a chapter that grows takes longer by itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::catalog::Catalog;
use crate::contents::{Contents, Page};

/// The file with paces and minutes, below the folder with the chapters.
pub const FILE: &str = "times.toml";

/// The paces by which times are worked out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    pace: Pace,
    /// Minutes for each exercise, by its id.
    pub exercises: BTreeMap<String, u32>,
}

/// How fast a page goes by.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pace {
    /// Words of text in a minute.
    words_a_minute: u32,
    /// Seconds for a line of a listing or of a terminal session.
    seconds_a_line: u32,
    /// Seconds for a figure, transcript, plot or recorded table.
    seconds_a_drawing: u32,
    /// Seconds for a command that is typed along.
    seconds_a_command: u32,
}

impl Times {
    /// Reads the file; a book without one has no times.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(src: &Path) -> Result<Option<(Times, PathBuf)>, String> {
        let file = src.join(FILE);
        let Ok(text) = std::fs::read_to_string(&file) else { return Ok(None) };
        let times: Times = toml::from_str(&text).map_err(|error| format!("{FILE}: {error}"))?;
        if times.pace.words_a_minute == 0 {
            return Err(format!("{FILE}: nobody reads 0 words a minute"));
        }
        Ok(Some((times, file)))
    }

    /// Minutes to read a page.
    fn reading(&self, page: &Page) -> u32 {
        let Pace { words_a_minute, seconds_a_line, seconds_a_drawing, .. } = self.pace;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let words = count(page.amount.words).saturating_mul(60) / words_a_minute;
        let lines = count(page.amount.lines).saturating_mul(seconds_a_line);
        let drawings = count(page.amount.drawings).saturating_mul(seconds_a_drawing);
        words.saturating_add(lines).saturating_add(drawings).div_ceil(60)
    }

    /// Minutes to do what a page asks for: its lab and its terminal sessions.
    fn doing(&self, page: &Page, catalog: &Catalog) -> u32 {
        let html = page.path.replace(".md", ".html");
        // By the page that explains it, so that a chapter without a number can have exercises too.
        let own =
            catalog.exercises.iter().filter(|exercise| exercise.chapter.split('#').next() == Some(&html));
        let minutes: u32 = own.filter_map(|exercise| self.exercises.get(&exercise.id)).sum();
        let commands = u32::try_from(page.amount.commands).unwrap_or(u32::MAX);
        minutes + commands.saturating_mul(self.pace.seconds_a_command).div_ceil(60)
    }

    /// What a directive asks for: `reading` or `doing` of one page, or of `all` numbered chapters.
    ///
    /// # Errors
    /// If there is no such page.
    pub fn answer(
        &self,
        kind: &str,
        page: &str,
        contents: &Contents,
        catalog: &Catalog,
    ) -> Result<String, String> {
        let of = |page: &Page| if kind == "reading" { self.reading(page) } else { self.doing(page, catalog) };
        if page == "all" {
            let chapters = contents.pages.iter().filter(|page| page.number.is_some());
            return Ok(format!("{}\u{a0}h", chapters.map(of).sum::<u32>().div_ceil(60)));
        }
        let page = contents.page(page).ok_or_else(|| format!("the book has no page `{page}`"))?;
        Ok(match (kind, of(page)) {
            ("doing", 0) => "nothing to do".to_string(),
            ("doing", minutes) => rounded(minutes),
            (_, minutes) => rounded(minutes),
        })
    }

    /// The lines at the head of a page: its times, and what it builds on.
    pub fn head(&self, page: &Page, catalog: &Catalog, text: &str) -> String {
        let reading = rounded(self.reading(page));
        let doing = match self.doing(page, catalog) {
            0 => String::new(),
            minutes => format!(", {} to do", rounded(minutes)),
        };
        format!("<div class=\"chapter-head\">\n\n**About {reading} to read{doing}.** {text}\n\n</div>")
    }
}

/// Minutes in steps that nobody takes for a promise: 5 minutes, from an hour on a quarter of an hour.
fn rounded(minutes: u32) -> String {
    let step = if minutes < 60 { 5 } else { 15 };
    let minutes = ((minutes + step / 2) / step * step).max(5);
    // A number and its unit stay on one line.
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}\u{a0}min"),
        (hours, 0) => format!("{hours}\u{a0}h"),
        (hours, minutes) => format!("{hours}\u{a0}h\u{a0}{minutes}\u{a0}min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Exercise;
    use crate::contents::Amount;

    fn times() -> Times {
        toml::from_str(
            "[pace]\nwords_a_minute = 200\nseconds_a_line = 2\nseconds_a_drawing = 30\nseconds_a_command = 15\n\
             [exercises]\n\"3.1\" = 20\n\"3.2\" = 40\n",
        )
        .unwrap()
    }

    fn page() -> Page {
        let amount = Amount { words: 4000, lines: 90, drawings: 4, commands: 8 };
        Page { path: "ch03.md".into(), name: "3. Trees".into(), number: Some(3), amount, ..Page::default() }
    }

    fn catalog() -> Catalog {
        let exercise = |id: &str, page: &str| Exercise {
            id: id.into(),
            title: String::new(),
            chapter: format!("{page}.html#x"),
        };
        let exercises = vec![exercise("3.1", "ch03"), exercise("3.2", "ch03"), exercise("4.1", "ch04")];
        Catalog { exercises, ..Catalog::default() }
    }

    #[test]
    fn a_page_takes_as_long_as_there_is_on_it() {
        // 20 minutes of words, 3 of lines, 2 of drawings; 60 minutes of exercises and 2 of commands.
        let contents = Contents { pages: vec![page()] };
        let ask = |kind, page| {
            let answer = times().answer(kind, page, &contents, &catalog());
            answer.map(|answer| answer.replace('\u{a0}', " "))
        };
        assert_eq!(ask("reading", "ch03.md").unwrap(), "25 min");
        assert_eq!(ask("doing", "ch03.md").unwrap(), "1 h");
        assert_eq!(ask("doing", "all").unwrap(), "2 h");
        assert!(ask("doing", "none.md").is_err());
        assert_eq!(
            times().head(&page(), &catalog(), "It goes on.").replace('\u{a0}', " "),
            "<div class=\"chapter-head\">\n\n**About 25 min to read, 1 h to do.** It goes on.\n\n</div>"
        );
    }

    #[test]
    fn times_are_rounded_and_never_nothing() {
        for (minutes, shown) in [
            (0, "5 min"),
            (2, "5 min"),
            (8, "10 min"),
            (58, "1 h"),
            (67, "1 h"),
            (68, "1 h 15 min"),
            (240, "4 h"),
        ] {
            assert_eq!(rounded(minutes).replace('\u{a0}', " "), shown, "{minutes}");
        }
    }
}
