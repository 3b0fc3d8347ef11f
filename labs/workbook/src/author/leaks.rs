//! `cargo workbook author search DIR`: does any answer of this repository stand in DIR?
//!
//! Searched for are the lines of every marked region and of every known mistake's body. `let mut out = Vec::new();`
//! gives nothing away wherever it stands, so what counts is a long line, or two lines that follow each other as they do
//! in an answer. Indentation, blank lines, and what makes a line a comment, a quotation or a difference do not count.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::exercises;
use crate::region;
use crate::repo::{self, Repo};

/// A line of so many letters is telling by itself: measured, those that stand elsewhere by coincidence are shorter.
const LONG: usize = 60;
/// One that is shorter than this tells nothing, whatever follows it.
const SHORT: usize = 12;
/// Two lines that follow each other are telling from so many letters on: "is it a digit, else return None" is not.
const TOGETHER: usize = 52;

/// A place where an answer can be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Leak {
    file: PathBuf,
    /// From 1.
    line: usize,
    text: String,
    /// Which answer it is of.
    answer: String,
}

/// The telling lines and pairs of lines of all answers, with the answer they are of.
#[derive(Default)]
struct Answers {
    lines: BTreeMap<String, String>,
    pairs: BTreeMap<(String, String), String>,
    /// How many answers were taken in.
    number: usize,
}

/// Prints what was found; true if nothing.
pub(crate) fn report(repo: &Repo, directory: &Path) -> Result<bool, String> {
    let leaks = find(repo, directory)?;
    for leak in &leaks {
        println!("  ✗ {}:{}: of {}: {}", leak.file.display(), leak.line, leak.answer, leak.text);
    }
    if leaks.is_empty() {
        let answers = Answers::of(repo)?;
        println!(
            "  Searched for {} lines and {} pairs of lines of {} answers, right and wrong: none is there.",
            answers.lines.len(),
            answers.pairs.len(),
            answers.number
        );
    }
    Ok(leaks.is_empty())
}

/// Every place below a directory where an answer can be read. What was built there is not searched.
pub(crate) fn find(repo: &Repo, directory: &Path) -> Result<Vec<Leak>, String> {
    let answers = Answers::of(repo)?;
    if answers.lines.is_empty() {
        return Err("this repository has no answers to search for; is it a handout itself?".to_string());
    }
    let mut leaks = Vec::new();
    let mut left = vec![directory.to_path_buf()];
    while let Some(next) = left.pop() {
        for path in repo::sorted_entries(&next)? {
            let is_built = next == directory && ["target", ".git"].contains(&&*repo::file_name(&path));
            if path.is_dir() && !is_built {
                left.push(path);
            } else if path.is_file() {
                let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                let file = path.strip_prefix(directory).unwrap_or(&path);
                leaks.extend(answers.within(file, &String::from_utf8_lossy(&bytes)));
            }
        }
    }
    Ok(leaks)
}

impl Answers {
    fn of(repo: &Repo) -> Result<Answers, String> {
        let mut answers = Answers::default();
        for lab in &repo.labs {
            let source = lab.solution.join("src");
            for file in repo::rust_files(&repo.path(&source))? {
                let path = source.join(file);
                let text = repo::read(&repo.path(&path))?;
                for region in region::parse(&path, &text)? {
                    answers.take(&region.name(), &region.body(&text).join("\n"));
                }
            }
            for exercise in exercises::load(repo, lab)? {
                for mistake in &exercise.mistakes {
                    answers.take(
                        &format!("{}/{}", exercise.id, mistake.name),
                        mistake.body.as_deref().unwrap_or_default(),
                    );
                }
            }
        }
        Ok(answers)
    }

    fn take(&mut self, answer: &str, body: &str) {
        let lines: Vec<&str> = bare(body).map(|(_, line)| line).collect();
        for line in lines.iter().filter(|line| line.chars().count() >= LONG) {
            self.lines.entry(line.to_string()).or_insert_with(|| answer.to_string());
        }
        for pair in lines.windows(2).filter(|pair| is_telling(pair[0], pair[1])) {
            let pair = (pair[0].to_string(), pair[1].to_string());
            self.pairs.entry(pair).or_insert_with(|| answer.to_string());
        }
        self.number += usize::from(!lines.is_empty());
    }

    fn within(&self, file: &Path, text: &str) -> Vec<Leak> {
        let lines: Vec<(usize, &str)> = bare(text).collect();
        let leak = |line: usize, text: &str, answer: &String| Leak {
            file: file.to_path_buf(),
            line,
            text: text.to_string(),
            answer: answer.clone(),
        };
        let alone = lines.iter().filter_map(|(at, line)| Some(leak(*at, line, self.lines.get(*line)?)));
        let pairs = lines.windows(2).filter(|pair| is_telling(pair[0].1, pair[1].1)).filter_map(|pair| {
            let [(at, first), (_, second)] = pair else { return None };
            let answer = self.pairs.get(&((*first).to_string(), (*second).to_string()))?;
            Some(leak(*at, &format!("{first} ⏎ {second}"), answer))
        });
        alone.chain(pairs).collect()
    }
}

fn is_telling(first: &str, second: &str) -> bool {
    let (first, second) = (first.chars().count(), second.chars().count());
    first >= SHORT && second >= SHORT && first + second >= TOGETHER
}

/// The lines that are not blank, with their numbers, without what stands around them. A `\n` in a string is a line's end
/// as well.
fn bare(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let decoration = |letter: char| letter.is_whitespace() || "/>*+-|#".contains(letter);
    let parts = text.lines().zip(1..).flat_map(|(line, at)| line.split("\\n").map(move |part| (at, part)));
    parts
        .map(move |(at, part)| (at, part.trim_start_matches(decoration).trim_end()))
        .filter(|(_, part)| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Answers {
        let mut answers = Answers::default();
        answers.take(
            "0.1",
            "    let mut out = Vec::new();\n    let last = items.iter().rposition(|item| item.is_some()).unwrap_or(first);\n\n    \
             if last > limit {\n        return None;\n    }\n    out.push(last); // \\r\\n\n",
        );
        answers
    }

    fn places(text: &str) -> Vec<usize> {
        answers().within(Path::new("x"), text).iter().map(|leak| leak.line).collect()
    }

    #[test]
    fn a_long_line_is_found_however_it_is_dressed() {
        let line = "let last = items.iter().rposition(|item| item.is_some()).unwrap_or(first);";
        for (before, behind) in
            [("", ""), ("        ", "  "), ("// ", ""), ("> ", ""), ("+   ", ""), ("a\\n  ", "\\nb")]
        {
            assert_eq!(places(&format!("first\n{before}{line}{behind}\nlast")), [2], "{before:?}");
        }
    }

    #[test]
    fn two_short_lines_are_found_together_and_not_apart() {
        assert_eq!(places("if last > limit {\n\n    return None;\n"), [0; 0], "too short to tell");
        let mut answers = Answers::default();
        answers.take("0.2", "self.queue.push_back(first);\nself.bytes += first.len();\n");
        let found = |text: &str| answers.within(Path::new("x"), text).len();
        assert_eq!(found("  self.queue.push_back(first);\n\n  self.bytes += first.len();\n"), 1);
        assert_eq!(found("self.queue.push_back(first);\nother\nself.bytes += first.len();\n"), 0);
        assert_eq!(found("self.bytes += first.len();\nself.queue.push_back(first);\n"), 0);
    }

    #[test]
    fn what_everybody_writes_is_no_answer() {
        assert_eq!(places("let mut out = Vec::new();\nreturn None;\n"), [0; 0]);
    }
}
