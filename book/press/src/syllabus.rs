//! `{{#syllabus}}`: each promise of the syllabus, and where it is kept.
//!
//! The rows are data, in `book/src/syllabus.toml`: what is promised, in a few words; the sections that explain it; what
//! there is to do; and what shows it. The words of a cell:
//!
//! | word | what it names |
//! |---|---|
//! | `ch02-offsets.md#the-backlog` | a section |
//! | `2.1`, `lab 2` | an exercise; a whole lab |
//! | `figure NAME`, `plot NAME`, `table NAME`, `transcript NAME` | a recording that some page shows |
//! | `session PAGE NAME` | a terminal session |
//! | `mistake PAGE#SECTION` | the box with a common mistake in that section |
//! | `test FILE::NAME`, `test FILE` | a test function, or all those of a file |
//!
//! What cannot be linked to is an error of the page. Whether tests exist is a matter of `cargo book check`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::catalog::Catalog;
use crate::contents::Contents;
use crate::figure::escape;

/// The file with the rows, below the folder with the chapters.
pub const FILE: &str = "syllabus.toml";

/// All rows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Syllabus {
    /// Its parts, in order.
    #[serde(rename = "part")]
    pub parts: Vec<Part>,
}

/// Rows under one heading.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The heading.
    pub title: String,
    /// Its rows.
    #[serde(rename = "row")]
    pub rows: Vec<Row>,
}

/// One promise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What is promised, as Markdown.
    pub says: String,
    /// The sections that explain it.
    pub read: Vec<String>,
    /// What a reader does about it.
    #[serde(rename = "do")]
    pub tasks: Vec<String>,
    /// What shows that it is so.
    pub shown: Vec<String>,
}

/// What the words of a cell are looked up in.
pub struct Known<'a> {
    /// The pages.
    pub contents: &'a Contents,
    /// The exercises.
    pub catalog: &'a Catalog,
}

/// Reads the rows and the file they are in.
///
/// # Errors
/// If there is no such file, or it is not what it should be.
pub fn read(src: &Path) -> Result<(Syllabus, PathBuf), String> {
    let file = src.join(FILE);
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{FILE}: {error}"))?;
    let syllabus = toml::from_str(&text).map_err(|error| format!("{FILE}: {error}"))?;
    Ok((syllabus, file))
}

impl Syllabus {
    /// The table, part by part.
    ///
    /// # Errors
    /// Every word that leads nowhere, each in a line of its own.
    pub fn to_markdown(&self, known: &Known<'_>) -> Result<String, String> {
        let mut out = String::new();
        let mut wrong = Vec::new();
        for Part { title, rows } in &self.parts {
            let _ = write!(
                out,
                "## {title}\n\n<div class=\"syllabus\">\n\n| what | explained in | to do | shown by |\n|---|---|---|---|\n"
            );
            for row in rows {
                let mut cell = |words: &[String]| {
                    let shown = words.iter().map(|word| {
                        known.show(word).unwrap_or_else(|what| {
                            wrong.push(what);
                            String::new()
                        })
                    });
                    shown.collect::<Vec<_>>().join("<br>").replace('|', "\\|")
                };
                let (read, tasks, shown) = (cell(&row.read), cell(&row.tasks), cell(&row.shown));
                let _ = writeln!(out, "| {} | {read} | {tasks} | {shown} |", row.says.replace('|', "\\|"));
            }
            out.push_str("\n</div>\n\n");
        }
        if wrong.is_empty() { Ok(out.trim_end().to_string()) } else { Err(wrong.join("; ")) }
    }

    /// Every row and what is wrong with it, beside what the page itself would say: an empty cell, a test that nobody finds.
    pub fn problems<'a>(&'a self, root: &'a Path) -> impl Iterator<Item = (&'a Row, String)> {
        let rows = self.parts.iter().flat_map(|part| &part.rows);
        rows.flat_map(move |row| {
            let cells = [(&row.read, "read"), (&row.tasks, "do"), (&row.shown, "shown")];
            let empty = cells.into_iter().filter(|(words, _)| words.is_empty());
            let empty = empty.map(|(_, name)| format!("the row \"{}\" has nothing under `{name}`", row.says));
            let nothing = row.says.trim().is_empty().then(|| "a row says nothing".to_string());
            let tests = cells.into_iter().flat_map(|(words, _)| words);
            let missing = tests.filter_map(move |word| missing_test(root, word.strip_prefix("test ")?));
            empty.chain(nothing).chain(missing).map(|what| (row, what)).collect::<Vec<_>>()
        })
    }
}

/// Why there is no such test, if there is none.
pub(crate) fn missing_test(root: &Path, test: &str) -> Option<String> {
    let (file, function) = match test.split_once("::") {
        Some((file, function)) => (file, Some(function)),
        None => (test, None),
    };
    let Ok(text) = std::fs::read_to_string(root.join(file)) else {
        return Some(format!("there is no file `{file}`"));
    };
    let function = function?;
    let head = format!("fn {function}(");
    // Where a macro makes a test of each name, the name stands by itself.
    let listed = || {
        text.lines()
            .any(|line| line.contains("!") && line.split([' ', '{', '}']).any(|word| word == function))
    };
    (!text.contains(&head) && !listed()).then(|| format!("`{file}` has no test `{function}`"))
}

impl Known<'_> {
    /// One word of a cell as Markdown.
    ///
    /// # Errors
    /// Why there is nothing that it could lead to.
    pub fn show(&self, word: &str) -> Result<String, String> {
        if let Some((kind, rest)) = word.split_once(' ') {
            return match kind {
                "test" => Ok(test(rest)),
                "lab" => self.lab(rest),
                "mistake" => self.mistake(rest),
                "figure" | "plot" | "table" | "transcript" | "session" => self.drawing(kind, rest),
                _ => Err(format!("nobody knows what `{word}` is")),
            };
        }
        if let Some(exercise) = self.catalog.get(word) {
            return Ok(format!("[{} {}]({})", exercise.id, exercise.title, exercise.link()));
        }
        if !word.contains('#') {
            return Err(format!("there is no exercise `{word}`"));
        }
        let (page, section) = self.contents.section(word)?;
        Ok(format!("[{} · {}]({word})", page.short(), plain(&section.title)))
    }

    fn lab(&self, number: &str) -> Result<String, String> {
        let count = number.parse().map_or(0, |lab| self.catalog.of_lab(lab).count());
        let page =
            self.contents.pages.iter().find(|page| page.number.is_some_and(|n| n.to_string() == number));
        match (count, page) {
            (0, _) | (_, None) => Err(format!("there is no lab {number}")),
            (count, Some(page)) => Ok(format!("[lab {number}, all {count} exercises]({})", page.path)),
        }
    }

    fn mistake(&self, link: &str) -> Result<String, String> {
        let (page, section) = self.contents.section(link)?;
        let at = page.sections.iter().position(|known| known == section);
        let here = page.shown.iter().any(|shown| shown.kind == "mistake" && Some(shown.section) == at);
        match here {
            true => Ok(format!("[common mistake in {} · {}]({link})", page.short(), plain(&section.title))),
            false => Err(format!("`{link}` tells of no common mistake")),
        }
    }

    fn drawing(&self, kind: &str, name: &str) -> Result<String, String> {
        let (page, shown) =
            self.contents.shown(kind, name).ok_or_else(|| format!("no page shows the {kind} `{name}`"))?;
        let section = &page.sections[shown.section];
        let fragment = match kind {
            "figure" | "plot" => format!("figure-{name}"),
            "table" => format!("table-{}", name.replace('/', "-")),
            // Neither has an id of its own.
            _ => section.fragment.clone(),
        };
        let what = match kind {
            "session" => "terminal session".to_string(),
            _ => format!("{kind} \"{}\"", words(name)),
        };
        Ok(format!("[{what} in {} · {}]({}#{fragment})", page.short(), plain(&section.title), page.path))
    }
}

/// The name of a test, which may be broken where a person would break it.
fn test(name: &str) -> String {
    let name = escape(name).replace('/', "/<wbr>").replace("::", "::<wbr>").replace('_', "_<wbr>");
    format!("<code>{name}</code>")
}

/// The name of a recording, as words: `one by one` for `ch00-one-by-one`.
fn words(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = match name.split_once('-') {
        Some((chapter, rest)) if chapter.starts_with("ch") || chapter == "foundations" => rest,
        _ => name,
    };
    name.replace('-', " ")
}

/// A heading within a link: the title of a page without its number.
fn plain(title: &str) -> &str {
    match title.split_once(". ") {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => title,
    }
}

#[cfg(test)]
mod tests {
    use mdbook_driver::book::{Book, BookItem, Chapter};

    use super::*;
    use crate::catalog::Exercise;

    const TEXT: &str = "# 2. Offsets\n\n## The backlog\n\n> **Common mistake.** No.\n\n{{#figure ch02-cut-short \"x\"}}\n\n```session pair\n```\n";

    fn known(show: impl FnOnce(&Known<'_>)) {
        let chapter = Chapter::new("2. Offsets", TEXT.to_string(), "two.md", Vec::new());
        let book = Book::new_with_items(vec![BookItem::Chapter(chapter)]);
        let contents = Contents::collect(&book, Path::new("."));
        let exercise =
            Exercise { id: "2.1".into(), title: "Keep".into(), chapter: "two.html#the-backlog".into() };
        let catalog = Catalog { exercises: vec![exercise], ..Catalog::default() };
        show(&Known { contents: &contents, catalog: &catalog });
    }

    #[test]
    fn words_become_links() {
        known(|known| {
            for (word, shown) in [
                ("two.md#the-backlog", "[2 · The backlog](two.md#the-backlog)"),
                ("two.md#2-offsets", "[2 · Offsets](two.md#2-offsets)"),
                ("2.1", "[2.1 Keep](two.md#the-backlog)"),
                ("lab 2", "[lab 2, all 1 exercises](two.md)"),
                (
                    "figure ch02-cut-short",
                    "[figure \"cut short\" in 2 · The backlog](two.md#figure-ch02-cut-short)",
                ),
                ("session two.md pair", "[terminal session in 2 · The backlog](two.md#the-backlog)"),
                ("mistake two.md#the-backlog", "[common mistake in 2 · The backlog](two.md#the-backlog)"),
                ("test x/a.rs::b_c", "<code>x/<wbr>a.rs::<wbr>b_<wbr>c</code>"),
            ] {
                assert_eq!(known.show(word).unwrap(), shown);
            }
            for (word, what) in [
                ("two.md#none", "no section"),
                ("2.9", "no exercise"),
                ("lab 3", "no lab 3"),
                ("plot ch02-cut-short", "no page shows"),
                ("session two.md none", "no page shows"),
                ("mistake two.md#2-offsets", "no common mistake"),
                ("song x", "nobody knows"),
            ] {
                let error = known.show(word).unwrap_err();
                assert!(error.contains(what), "{error}");
            }
        });
    }

    #[test]
    fn a_row_has_no_empty_cell_and_its_tests_exist() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a.rs"), "fn one() {}\nscripts! { two three }\n").unwrap();
        let row = |says: &str, tasks: &[&str], shown: &[&str]| Row {
            says: says.into(),
            read: vec!["x".into()],
            tasks: tasks.iter().map(ToString::to_string).collect(),
            shown: shown.iter().map(ToString::to_string).collect(),
        };
        let rows = vec![
            row("good", &["2.1"], &["test a.rs::one", "test a.rs::two", "test a.rs"]),
            row("bad", &[], &["test a.rs::four", "test b.rs"]),
        ];
        let syllabus = Syllabus { parts: vec![Part { title: "p".into(), rows }] };
        let problems: Vec<String> = syllabus.problems(root.path()).map(|(_, what)| what).collect();
        assert_eq!(
            problems,
            [
                "the row \"bad\" has nothing under `do`",
                "`a.rs` has no test `four`",
                "there is no file `b.rs`"
            ]
        );
    }

    #[test]
    fn the_table_has_a_row_for_each_promise() {
        known(|known| {
            let syllabus: Syllabus = toml::from_str(
                "[[part]]\ntitle = \"One\"\n[[part.row]]\nsays = \"a | b\"\nread = [\"two.md#the-backlog\"]\ndo = [\"2.1\"]\nshown = [\"test a.rs\"]\n",
            )
            .unwrap();
            let text = syllabus.to_markdown(known).unwrap();
            assert!(text.starts_with("## One\n\n<div class=\"syllabus\">\n\n| what |"), "{text}");
            assert!(
                text.contains("| a \\| b | [2 · The backlog](two.md#the-backlog) | [2.1 Keep]"),
                "{text}"
            );
        });
    }
}
