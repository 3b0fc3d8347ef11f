//! Listings: the part of a source file that a page shows.
//!
//! The syntax is mdBook's own, `path`, `path:anchor` and `path:from:to`. mdBook however leaves a missing
//! file as raw text and shows an empty block for a missing anchor; here both are errors.

use std::path::{Path, PathBuf};

/// What an include asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Include {
    /// The file, from the chapter's folder.
    pub path: PathBuf,
    part: Part,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    /// Lines counted from 1, both ends included.
    Lines(usize, usize),
    Anchor(String),
}

impl Include {
    /// Reads what stands behind `{{#include`.
    pub fn parse(argument: &str) -> Result<Include, String> {
        let argument = argument.trim();
        let mut parts = argument.splitn(3, ':');
        let path = PathBuf::from(parts.next().unwrap_or_default());
        if path.as_os_str().is_empty() {
            return Err("an include needs a file".into());
        }
        let number = |text: &str| text.parse::<usize>().map_err(|_| format!("`{text}` is not a line number"));
        let part = match (parts.next(), parts.next()) {
            (None | Some(""), None) => Part::Whole,
            (Some(one), None) => match one.parse() {
                Ok(line) => Part::Lines(line, line),
                Err(_) => Part::Anchor(one.to_string()),
            },
            (Some(""), Some(to)) => Part::Lines(1, number(to)?),
            (Some(from), Some("")) => Part::Lines(number(from)?, usize::MAX),
            (Some(from), Some(to)) => Part::Lines(number(from)?, number(to)?),
            (None, Some(_)) => unreachable!("a third part has a second before it"),
        };
        Ok(Include { path, part })
    }

    /// The lines asked for, without the lines that only tools read.
    pub fn read(&self, base: &Path) -> Result<String, String> {
        let path = base.join(&self.path);
        let text =
            std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", self.path.display()))?;
        let lines: Vec<&str> = text.lines().collect();
        let chosen = match &self.part {
            Part::Whole => &lines[..],
            Part::Lines(from, to) => {
                let to = (*to).min(lines.len());
                let chosen = from.checked_sub(1).and_then(|from| lines.get(from..to));
                chosen.filter(|lines| !lines.is_empty()).ok_or_else(|| {
                    format!("{} has no such lines: it has {}", self.path.display(), lines.len())
                })?
            }
            Part::Anchor(name) => {
                let mark = |line: &&str, kind| marker(line, kind) == Some(name);
                let missing = |what: &str| format!("{} has no line `{what}: {name}`", self.path.display());
                let from =
                    lines.iter().position(|line| mark(line, "ANCHOR")).ok_or_else(|| missing("ANCHOR"))?;
                let length = lines[from..]
                    .iter()
                    .position(|line| mark(line, "ANCHOR_END"))
                    .ok_or_else(|| missing("ANCHOR_END"))?;
                &lines[from + 1..from + length]
            }
        };
        let kept: Vec<&str> = chosen.iter().filter(|line| !is_tool_line(line)).copied().collect();
        if kept.iter().all(|line| line.trim().is_empty()) {
            return Err(format!("{}: nothing to show there", self.path.display()));
        }
        Ok(outdented(&kept))
    }
}

/// The name behind `KIND:` in a line like `// ANCHOR: name`.
fn marker<'a>(line: &'a str, kind: &str) -> Option<&'a str> {
    let (before, behind) = line.split_once(kind)?;
    // `ANCHOR` must not be found inside `ANCHOR_END`, nor in a longer word.
    let name = behind.strip_prefix(':')?.split_whitespace().next()?;
    (!before.ends_with(|c: char| c.is_alphanumeric() || c == '_')).then_some(name)
}

/// True for the anchors of the book and the region marks of the exercises.
fn is_tool_line(line: &str) -> bool {
    let anchor = marker(line, "ANCHOR").is_some() || marker(line, "ANCHOR_END").is_some();
    let comment = line.trim_start().strip_prefix("//").unwrap_or_default().trim();
    anchor || comment == "</exercise>" || (comment.starts_with("<exercise ") && comment.ends_with('>'))
}

/// The lines moved left by the indentation they share.
fn outdented(lines: &[&str]) -> String {
    let indentation = |line: &&str| line.len() - line.trim_start_matches(' ').len();
    let shared = lines.iter().filter(|line| !line.trim().is_empty()).map(indentation).min().unwrap_or(0);
    lines.iter().map(|line| line.get(shared..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(argument: &str, text: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.rs"), text).unwrap();
        Include::parse(argument)?.read(folder.path())
    }

    const SOURCE: &str = "\
// ANCHOR: all
// ANCHOR: head
fn one() {
    // <exercise 0.1 one>
    work();
    // </exercise>
}
// ANCHOR_END: head
    // ANCHOR: body
    let a = 1;

        let b = 2;
    // ANCHOR_END: body
// ANCHOR_END: all
// ANCHOR: open
";

    #[test]
    fn takes_whole_files_lines_and_anchors() {
        assert_eq!(read("a.rs:3", SOURCE).unwrap(), "fn one() {");
        assert_eq!(read("a.rs::3", "a\nb\nc\nd").unwrap(), "a\nb\nc");
        assert_eq!(read("a.rs:3:", "a\nb\nc\nd").unwrap(), "c\nd");
        assert_eq!(read("a.rs:2:3", "a\nb\nc\nd").unwrap(), "b\nc");
        assert_eq!(read("a.rs", "a\n").unwrap(), "a");
        assert_eq!(read("a.rs:head", SOURCE).unwrap(), "fn one() {\n    work();\n}");
    }

    #[test]
    fn marks_are_not_shown_and_a_shared_indentation_goes() {
        assert_eq!(read("a.rs:body", SOURCE).unwrap(), "let a = 1;\n\n    let b = 2;");
        assert!(!read("a.rs:all", SOURCE).unwrap().contains("ANCHOR"));
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        for wrong in ["a.rs:none", "a.rs:open", "b.rs", "a.rs:99", "a.rs:0", "a.rs:1:x", "", "a.rs:9:3"] {
            assert!(read(wrong, SOURCE).is_err(), "{wrong}");
        }
    }
}
