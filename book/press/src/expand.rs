//! From a chapter as it was written to the Markdown that mdBook renders.
//!
//! This runs before mdBook's own `links`, on the text of the file: so every error knows its line.
//! `{{#include …}}` is done here too, for the same reason. A directive with a backslash in front is left to
//! `links`, which shows it as it is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use mdbook_driver::book::Book;
use regex::Regex;

use crate::catalog::Catalog;
use crate::contents::Contents;
use crate::data::Recording;
use crate::include::Include;
use crate::mistakes::{Mistakes, Proofs};
use crate::problem::Problem;
use crate::times::Times;
use crate::workspace::normalized;
use crate::{defaults, differences, figure, session, syllabus, table};

/// `{{#name argument}}`, or the same behind a backslash.
static DIRECTIVE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?P<escape>\\)?\{\{\s*#(?P<name>\w*)\s*(?P<argument>[^}]*)\}\}").expect("a fixed pattern")
});

/// What came of a whole book.
#[derive(Debug, Default)]
pub struct Expanded {
    /// What is wrong, in the order of the book.
    pub problems: Vec<Problem>,
    /// Every file that a page was made from, beside the chapters.
    pub sources: BTreeSet<PathBuf>,
}

/// Expands every chapter of `book` in place. `src` is the folder with the chapters.
pub fn book(book: &mut Book, src: &Path) -> Expanded {
    let mut all = Expanded::default();
    let whole = Whole::collect(book, src, &mut all);
    book.for_each_chapter_mut(|chapter| {
        let Some(path) = &chapter.source_path else { return };
        let mut page = Page { file: src.join(path), src, whole: &whole, fence: None, done: &mut all };
        chapter.content = page.expand(&chapter.content);
    });
    all
}

/// What a page may show of all others.
struct Whole {
    mistakes: Mistakes,
    contents: Contents,
    catalog: Catalog,
    times: Option<Times>,
}

impl Whole {
    fn collect(book: &Book, src: &Path, done: &mut Expanded) -> Whole {
        let catalog = Catalog::read(&root(src));
        done.sources.extend(catalog.files.iter().cloned());
        let times = Times::read(src).unwrap_or_else(|what| {
            done.problems.push(Problem::new(src.join(crate::times::FILE), 0, what));
            None
        });
        let times = times.map(|(times, file)| {
            done.sources.insert(file);
            times
        });
        Whole { mistakes: Mistakes::collect(book), contents: Contents::collect(book, src), catalog, times }
    }
}

impl Whole {
    /// What the words of a cell are looked up in.
    fn known(&self) -> syllabus::Known<'_> {
        syllabus::Known { contents: &self.contents, catalog: &self.catalog }
    }
}

/// The folder of the repository: the chapters are in `book/src` below it.
fn root(src: &Path) -> PathBuf {
    normalized(&src.join("../.."))
}

/// A chapter at work.
struct Page<'a> {
    file: PathBuf,
    src: &'a Path,
    whole: &'a Whole,
    /// The code block we are in.
    fence: Option<Fence>,
    done: &'a mut Expanded,
}

/// An open code block.
struct Fence {
    /// The run of backticks or tildes that closes it.
    marks: String,
    line: usize,
    /// Rust that is neither included nor marked `ignore`: nobody compiles it.
    unchecked_rust: bool,
}

impl Page<'_> {
    fn expand(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        while let Some((number, line)) = lines.next() {
            let outside = self.fence.is_none();
            if let Some(block) = session::Console::read(line).filter(|_| outside) {
                let body: Vec<_> = lines.by_ref().take_while(|(_, line)| !block.closes(line)).collect();
                self.must_close(text, number, &body);
                out.push_str(&block.to_html(&body));
            } else if let Some(block) = session::Opening::read(line).filter(|_| outside) {
                let body: Vec<_> = lines.by_ref().take_while(|(_, line)| !block.closes(line)).collect();
                self.must_close(text, number, &body);
                match session::Block::parse(&block, number, &body) {
                    Ok(block) => out.push_str(&block.to_html()),
                    Err((line, what)) => self.problem(line, what),
                }
            } else {
                let line = self.code_block(number, line);
                out.push_str(&self.directives(number, &line));
            }
            out.push('\n');
        }
        if let Some(fence) = self.fence.take() {
            self.problem(fence.line, "this code block is never closed");
        }
        out
    }

    /// A block whose body reaches to the end of the chapter was never closed.
    fn must_close(&mut self, text: &str, number: usize, body: &[(usize, &str)]) {
        if text.lines().count() < number + body.len() + 1 {
            self.problem(number, "this block is never closed");
        }
    }

    fn problem(&mut self, line: usize, what: impl Into<String>) {
        self.done.problems.push(Problem::new(&self.file, line, what));
    }

    /// Keeps track of code blocks. Rust blocks are marked `ignore`, or else mdBook wraps them in a hidden `main`.
    fn code_block(&mut self, number: usize, line: &str) -> String {
        let content = line.trim_start_matches([' ', '>']);
        let mark = if content.starts_with('~') { '~' } else { '`' };
        let marks: String = content.chars().take_while(|&c| c == mark).collect();
        let info = content[marks.len()..].trim();
        if let Some(fence) = &mut self.fence {
            fence.unchecked_rust &= !content.starts_with("{{#include");
            if marks.starts_with(&fence.marks) && info.is_empty() {
                let fence = self.fence.take().expect("we are in it");
                if fence.unchecked_rust {
                    let what = "nobody compiles this Rust: include it from a crate, or mark it `rust,ignore`";
                    self.problem(fence.line, what);
                }
            }
            return line.to_string();
        }
        if marks.len() < 3 || info.contains('`') {
            return line.to_string();
        }
        let mut words = info.split([',', ' ']).map(str::trim);
        let is_rust = words.next() == Some("rust");
        let is_ignored = words.any(|word| word == "ignore");
        self.fence = Some(Fence { marks, line: number, unchecked_rust: is_rust && !is_ignored });
        match is_rust && !is_ignored {
            true => format!("{},ignore", line.trim_end()),
            false => line.to_string(),
        }
    }

    /// `line` with its directives carried out.
    fn directives(&mut self, number: usize, line: &str) -> String {
        if !line.contains("{{") {
            return line.to_string();
        }
        let mut out = String::new();
        let mut done = 0;
        for found in DIRECTIVE.captures_iter(line) {
            let whole = found.get(0).expect("group 0 is the match");
            out.push_str(&line[done..whole.start()]);
            done = whole.end();
            if found.name("escape").is_some() {
                out.push_str(whole.as_str());
                continue;
            }
            let (before, behind) = (&line[..whole.start()], &line[whole.end()..]);
            // A directive that makes several lines repeats what stands before it: a quote, or a list's indentation.
            let prefix = before.trim_matches([' ', '>']).is_empty() && behind.trim().is_empty();
            match self.directive(&found["name"], &found["argument"], prefix) {
                Ok(text) if prefix => out.push_str(&text.replace('\n', &format!("\n{before}"))),
                Ok(text) => out.push_str(&text),
                Err(what) => self.problem(number, what),
            }
        }
        out.push_str(&line[done..]);
        out
    }

    fn directive(&mut self, name: &str, argument: &str, alone: bool) -> Result<String, String> {
        let argument = argument.trim();
        match name {
            "include" => {
                let include = Include::parse(argument)?;
                let folder = self.file.parent().unwrap_or(self.src).to_path_buf();
                self.done.sources.insert(normalized(&folder.join(&include.path)));
                include.read(&folder)
            }
            "transcript" | "figure" | "plot" | "table" | "mistakes" | "syllabus" | "differences"
            | "times"
                if !alone || self.fence.is_some() =>
            {
                Err(format!("`{{{{#{name}}}}}` stands on a line of its own, outside code blocks"))
            }
            "default" => defaults::default(argument),
            "mistakes" => {
                let proofs = Proofs::read(self.src)?.map(|(proofs, file)| {
                    self.done.sources.insert(file);
                    proofs
                });
                self.whole.mistakes.to_markdown(&proofs.unwrap_or_default(), &self.whole.known())
            }
            "syllabus" => {
                let (syllabus, file) = syllabus::read(self.src)?;
                self.done.sources.insert(file);
                syllabus.to_markdown(&self.whole.known())
            }
            "differences" => {
                let root = root(self.src);
                self.done.sources.insert(root.join(argument));
                differences::of(&root, argument)
            }
            "times" => {
                let path = self.file.strip_prefix(self.src).unwrap_or(&self.file).to_string_lossy();
                let page = self.whole.contents.page(&path.replace('\\', "/"));
                let page = page.ok_or("this page is not in the book")?;
                Ok(self.times()?.head(page, &self.whole.catalog, argument))
            }
            "reading" | "doing" => {
                self.times()?.answer(name, argument, &self.whole.contents, &self.whole.catalog)
            }
            "transcript" => match self.recording(argument)? {
                Recording::Run(trace) => Ok(figure::transcript(&trace)),
                _ => Err(other_kind(argument, "a run")),
            },
            "figure" => {
                let (name, caption) = figure::name_and_caption(name, argument)?;
                match self.recording(name)? {
                    Recording::Run(trace) => Ok(figure::figure(name, &trace, caption)),
                    _ => Err(other_kind(name, "a run")),
                }
            }
            "plot" => {
                let (name, caption) = figure::name_and_caption(name, argument)?;
                match self.recording(name)? {
                    Recording::Plot(plot) => figure::plot(name, &plot, caption),
                    _ => Err(other_kind(name, "a plot")),
                }
            }
            "table" => {
                let (name, caption) = match argument.contains('"') {
                    true => figure::name_and_caption(name, argument)
                        .map(|(name, caption)| (name, Some(caption)))?,
                    false => (argument, None),
                };
                match self.recording(name)? {
                    Recording::Table(table) => Ok(table::table(name, &table, caption)),
                    _ => Err(other_kind(name, "a table")),
                }
            }
            // mdBook's own, and harmless.
            "title" => Ok(format!("{{{{#title {argument}}}}}")),
            "rustdoc_include" | "playground" | "playpen" => {
                Err(format!("use `{{{{#include}}}}` instead of `{{{{#{name}}}}}`"))
            }
            _ => Err(format!("there is no directive `{{{{#{name}}}}}`")),
        }
    }

    fn times(&self) -> Result<&Times, String> {
        self.whole.times.as_ref().ok_or_else(|| format!("there is no file {}", crate::times::FILE))
    }

    fn recording(&mut self, name: &str) -> Result<Recording, String> {
        let path = self.src.join("traces").join(format!("{name}.json"));
        self.done.sources.insert(path.clone());
        let text = std::fs::read_to_string(&path).map_err(|_| {
            format!(
                "there is no recording `{name}`: list it in book/press/src/recordings, then `cargo book record`"
            )
        })?;
        Recording::from_json(&text).map_err(|error| format!("recording `{name}`: {error}"))
    }
}

fn other_kind(name: &str, wanted: &str) -> String {
    format!("the recording `{name}` is not {wanted}")
}

#[cfg(test)]
mod tests {
    use mdbook_driver::book::{BookItem, Chapter};

    use super::*;
    use crate::data::{Axis, Plot, Shape, Table, Unit};

    fn expand(text: &str) -> (String, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("traces")).unwrap();
        let mut trace = sim::Trace::new("a run");
        trace.message(core_types::Millis(1), "a", "b", "PING <1>");
        std::fs::write(folder.path().join("traces/ping.json"), trace.to_json()).unwrap();
        std::fs::write(
            folder.path().join("a.rs"),
            "// ANCHOR: x\nfn a() {}\n\nfn b() {}\n// ANCHOR_END: x\n",
        )
        .unwrap();
        let axis = || Axis::new("n", Unit::Number);
        let plot = Plot::new("growth", Shape::Lines, axis(), axis()).series("s", [(1.0, 2.0), (2.0, 4.0)]);
        let table = Table::new("rows", &[("n", Unit::Bytes)]).row([2048_u64.into()]);
        for (name, recording) in [("growth", Recording::from(plot)), ("rows", table.into())] {
            std::fs::write(folder.path().join(format!("traces/{name}.json")), recording.to_json()).unwrap();
        }
        let chapter = Chapter::new("A", text.to_string(), "a.md", Vec::new());
        let mut whole = Book::new_with_items(vec![BookItem::Chapter(chapter)]);
        let expanded = book(&mut whole, folder.path());
        let text = whole.chapters().next().unwrap().content.clone();
        (text, expanded.problems.iter().map(|p| format!("{}: {}", p.line, p.what)).collect())
    }

    #[test]
    fn includes_in_code_blocks_and_quotes() {
        let (text, problems) =
            expand("```rust\n{{#include a.rs:x}}\n```\n\n> ```rust,ignore\n> {{#include a.rs:x}}\n> ```\n");
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(
            text,
            "```rust,ignore\nfn a() {}\n\nfn b() {}\n```\n\n> ```rust,ignore\n> fn a() {}\n> \n> fn b() {}\n> ```\n"
        );
    }

    #[test]
    fn transcripts_and_figures_hold_no_blank_line() {
        let (text, problems) =
            expand("{{#transcript ping}}\n\n{{#figure ping \"One `PING` < two\"}}\n\nEnd\n");
        assert_eq!(problems, Vec::<String>::new());
        assert!(text.contains("PING &lt;1&gt;"), "{text}");
        assert!(text.contains("<figcaption>One <code>PING</code> &lt; two</figcaption>"), "{text}");
        assert_eq!(text.matches("\n\n").count(), 2, "{text}");
    }

    #[test]
    fn plots_carry_their_numbers_and_tables_hold_no_blank_line() {
        let (text, problems) =
            expand("{{#plot growth \"It `grows`\"}}\n\n{{#table rows}}\n\n{{#table rows \"Rows\"}}\n\nEnd\n");
        assert_eq!(problems, Vec::<String>::new());
        assert!(
            text.contains("<svg class=\"plot\"") && text.contains("<summary>The numbers</summary>"),
            "{text}"
        );
        assert!(text.contains("<figcaption>It <code>grows</code></figcaption>"), "{text}");
        assert_eq!(text.matches("2 KiB").count(), 2, "{text}");
        assert_eq!(text.matches("\n\n").count(), 3, "{text}");
    }

    #[test]
    fn a_recording_is_shown_as_what_it_is() {
        let (_, problems) = expand(
            "{{#figure growth \"x\"}}\n{{#transcript rows}}\n{{#plot ping \"x\"}}\n{{#table growth}}\n{{#plot growth}}\n",
        );
        let wanted =
            ["not a run", "not a run", "not a plot", "not a table", "a plot needs a name and a caption"];
        assert_eq!(problems.len(), wanted.len(), "{problems:#?}");
        for (problem, what) in problems.iter().zip(wanted) {
            assert!(problem.contains(what), "{problem}");
        }
    }

    #[test]
    fn escaped_directives_stay() {
        let (text, problems) = expand("Write `\\{{#transcript NAME}}`.\n");
        assert_eq!((text.as_str(), problems.len()), ("Write `\\{{#transcript NAME}}`.\n", 0));
    }

    #[test]
    fn every_mistake_has_its_line() {
        let (_, problems) = expand(
            "# A\n{{#include b.rs}}\n{{#include a.rs:y}}\n{{#figure nope \"x\"}}\n{{#transcript nope}}\n{{#wat x}}\nhere {{#transcript ping}} too\n{{#figure ping}}\n{{#playground a.rs}}\n```rust\nlet a;\n```\n```text\n",
        );
        let lines: Vec<&str> = problems.iter().map(|p| p.split(':').next().unwrap()).collect();
        assert_eq!(lines, ["2", "3", "4", "5", "6", "7", "8", "9", "10", "13"], "{problems:#?}");
    }
}
