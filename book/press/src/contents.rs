//! What a book holds, page by page: sections, what is shown in them, and how much there is to read.
//!
//! Collected from the chapters as they were written, before anything is expanded: the index of the syllabus links to
//! sections and figures by it, and the times at the head of each chapter are counted from it.

use std::path::Path;

use mdbook_driver::book::Book;

use crate::include::Include;
use crate::mistakes::MARK;

/// All pages of a book, in its order.
#[derive(Debug, Default)]
pub struct Contents {
    /// The pages.
    pub pages: Vec<Page>,
}

/// One page.
#[derive(Debug, Default)]
pub struct Page {
    /// The file, from the folder with the chapters: `ch02-offsets.md`.
    pub path: String,
    /// As the table of contents names it.
    pub name: String,
    /// The number that a chapter's name begins with.
    pub number: Option<u32>,
    /// Its headings, from the top.
    pub sections: Vec<Section>,
    /// What is shown there.
    pub shown: Vec<Shown>,
    /// What there is to read.
    pub amount: Amount,
}

/// A heading and what its link is.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// The text of the heading, as Markdown.
    pub title: String,
    /// The id that mdBook gives it.
    pub fragment: String,
}

/// Something that a page shows, under its last heading.
#[derive(Debug, PartialEq, Eq)]
pub struct Shown {
    /// `figure`, `plot`, `table`, `transcript`, `session` or `mistake`.
    pub kind: &'static str,
    /// The name of the recording or session; empty for a mistake.
    pub name: String,
    /// The index of the section; there is one from the title on.
    pub section: usize,
}

/// How much there is to read on a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Words outside of code blocks: text, tables, boxes and folded answers.
    pub words: usize,
    /// Lines of listings and of terminal sessions, blank ones aside.
    pub lines: usize,
    /// Figures, transcripts, plots and recorded tables.
    pub drawings: usize,
    /// Commands of terminal sessions that a reader can type along.
    pub commands: usize,
}

impl Contents {
    /// Reads all chapters. `src` is the folder they are in.
    pub fn collect(book: &Book, src: &Path) -> Contents {
        let pages = book.chapters().filter_map(|chapter| {
            let path = chapter.source_path.as_ref()?.to_str()?.replace('\\', "/");
            let folder = src.join(&path).parent().unwrap_or(src).to_path_buf();
            let number = chapter.name.split('.').next().and_then(|number| number.parse().ok());
            let mut page = Page { path, name: chapter.name.clone(), number, ..Page::default() };
            page.read(&chapter.content, &folder);
            Some(page)
        });
        Contents { pages: pages.collect() }
    }

    /// A page by its file.
    pub fn page(&self, path: &str) -> Option<&Page> {
        self.pages.iter().find(|page| page.path == path)
    }

    /// The page and section of a link like `ch02-offsets.md#the-backlog`.
    ///
    /// # Errors
    /// What of it does not exist.
    pub fn section(&self, link: &str) -> Result<(&Page, &Section), String> {
        let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
        let page = self.page(path).ok_or_else(|| format!("the book has no page `{path}`"))?;
        let section = page.sections.iter().find(|section| section.fragment == fragment);
        section.map(|section| (page, section)).ok_or_else(|| match fragment {
            "" => format!("`{link}` names no section"),
            _ => format!("`{path}` has no section `#{fragment}`"),
        })
    }

    /// The first place that shows this; a session may be on several pages, so it is asked for as `PAGE NAME`.
    pub fn shown(&self, kind: &str, name: &str) -> Option<(&Page, &Shown)> {
        let (path, name) = match name.split_once(' ') {
            Some((path, name)) => (Some(path), name),
            None => (None, name),
        };
        let mut pages = self.pages.iter().filter(|page| path.is_none_or(|path| page.path == path));
        pages.find_map(|page| {
            let found = page.shown.iter().find(|shown| shown.kind == kind && shown.name == name);
            found.map(|shown| (page, shown))
        })
    }
}

impl Page {
    /// `2` for a chapter, the name for any other page.
    pub fn short(&self) -> String {
        self.number.map_or_else(|| self.name.clone(), |number| number.to_string())
    }

    fn read(&mut self, text: &str, folder: &Path) {
        let mut fence: Option<(String, bool)> = None;
        for line in text.lines() {
            let content = line.trim_start_matches([' ', '>']);
            let marks: String = content.chars().take_while(|&c| c == '`').collect();
            if let Some((opened, session)) = &fence {
                if marks.starts_with(opened.as_str()) && content[marks.len()..].trim().is_empty() {
                    fence = None;
                } else {
                    self.read_code(content, *session, folder);
                }
            } else if marks.len() >= 3 {
                let mut info = content[marks.len()..].split_whitespace();
                let session = info.next() == Some("session");
                if session {
                    self.show("session", info.next().unwrap_or_default());
                }
                fence = Some((marks, session));
            } else {
                self.read_prose(line, content);
            }
        }
    }

    fn read_code(&mut self, content: &str, session: bool, folder: &Path) {
        let include = content.strip_prefix("{{#include").and_then(|rest| rest.strip_suffix("}}"));
        let lines = match include.map(|argument| Include::parse(argument).and_then(|it| it.read(folder))) {
            // What cannot be included is reported where the page is expanded.
            Some(included) => included.map_or(0, |text| text.lines().filter(|line| !line.is_empty()).count()),
            None => usize::from(!(content.is_empty() || session && is_directive(content))),
        };
        self.amount.lines += lines;
        self.amount.commands += usize::from(session && content.starts_with("$ "));
    }

    fn read_prose(&mut self, line: &str, content: &str) {
        let title = line.trim_start_matches('#');
        if title.len() < line.len() && title.starts_with(' ') {
            self.begin(title.trim());
        }
        if line.starts_with(MARK) {
            self.show("mistake", "");
        }
        if let Some(directive) = content.strip_prefix("{{#") {
            let mut words = directive.trim_end_matches('}').split_whitespace();
            let kind = words.next().unwrap_or_default();
            let drawn = ["figure", "plot", "table", "transcript"].into_iter().find(|known| *known == kind);
            if let (Some(kind), Some(name)) = (drawn, words.next()) {
                self.show(kind, name);
                self.amount.drawings += 1;
            }
        }
        let is_word = |word: &&str| word.contains(char::is_alphanumeric);
        self.amount.words += content.split_whitespace().filter(is_word).count();
    }

    fn begin(&mut self, title: &str) {
        let base = fragment(title);
        // mdBook numbers what occurs again.
        let taken = |id: &str| self.sections.iter().any(|section| section.fragment == id);
        let mut id = base.clone();
        let mut again = 1;
        while taken(&id) {
            id = format!("{base}-{again}");
            again += 1;
        }
        self.sections.push(Section { title: title.to_string(), fragment: id });
    }

    fn show(&mut self, kind: &'static str, name: &str) {
        let section = self.sections.len().saturating_sub(1);
        self.shown.push(Shown { kind, name: name.to_string(), section });
    }
}

/// `#wait …` and the like are not shown.
fn is_directive(line: &str) -> bool {
    line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// The id that mdBook gives a heading. Should it ever differ, `cargo book check` finds a link that leads nowhere.
pub fn fragment(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use mdbook_driver::book::{BookItem, Chapter};

    use super::*;

    const TEXT: &str = "# 3. Of it\n\nTwo words — here.\n\n## The `GET` of it\n\n{{#figure one \"A caption\"}}\n\n> [!WARNING]\n\
        > **Common mistake.** No.\n\n```session pair\n#start ha-server\n# Replication\n$ ha-cli PING\nPONG\n```\n\n## Of it\n\n\
        ```rust\n{{#include a.rs:x}}\n```\n\n## Of it\n";

    fn contents() -> Contents {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.rs"), "// ANCHOR: x\nfn a() {\n\n}\n// ANCHOR_END: x\n")
            .unwrap();
        let chapter = Chapter::new("3. Of it", TEXT.to_string(), "of-it.md", Vec::new());
        Contents::collect(&Book::new_with_items(vec![BookItem::Chapter(chapter)]), folder.path())
    }

    #[test]
    fn sections_have_the_ids_of_mdbook() {
        let contents = contents();
        let page = contents.page("of-it.md").unwrap();
        let fragments: Vec<&str> = page.sections.iter().map(|section| section.fragment.as_str()).collect();
        assert_eq!(fragments, ["3-of-it", "the-get-of-it", "of-it", "of-it-1"]);
        assert_eq!((page.short().as_str(), page.number), ("3", Some(3)));
        assert_eq!(contents.section("of-it.md#the-get-of-it").unwrap().1.title, "The `GET` of it");
        for (link, what) in
            [("no.md#x", "no page `no.md`"), ("of-it.md", "no section"), ("of-it.md#x", "`#x`")]
        {
            let error = contents.section(link).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn what_is_shown_is_found_in_its_section() {
        let contents = contents();
        for (kind, name) in
            [("figure", "one"), ("session", "pair"), ("session", "of-it.md pair"), ("mistake", "")]
        {
            assert_eq!(contents.shown(kind, name).map(|(_, shown)| shown.section), Some(1), "{kind} {name}");
        }
        for (kind, name) in [("figure", "two"), ("plot", "one"), ("session", "other.md pair")] {
            assert!(contents.shown(kind, name).is_none(), "{kind} {name}");
        }
    }

    #[test]
    fn what_is_read_is_counted_by_its_kind() {
        let contents = contents();
        let amount = contents.pages[0].amount;
        assert_eq!((amount.lines, amount.drawings, amount.commands), (5, 1, 1), "{amount:?}");
        assert_eq!(amount.words, 22, "{amount:?}");
    }
}
