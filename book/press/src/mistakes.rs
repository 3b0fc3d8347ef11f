//! `{{#mistakes}}`: what is often said and wrong, collected from all chapters.
//!
//! A mistake is told where it belongs. The page that lists them all is made from those places, so that there is nothing to keep
//! in step. What shows that it is one, a run or a test, is named in `book/src/mistakes.toml` by the words with which its box begins.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use mdbook_driver::book::Book;
use serde::Deserialize;

use crate::contents::fragment;
use crate::syllabus::Known;

/// The file that names what shows each of them, below the folder with the chapters.
pub const FILE: &str = "mistakes.toml";

/// How a box with a common mistake begins.
pub(crate) const MARK: &str = "> **Common mistake.** ";

/// All mistakes of a book, in its order.
#[derive(Debug, Default)]
pub struct Mistakes {
    chapters: Vec<Chapter>,
}

#[derive(Debug)]
struct Chapter {
    name: String,
    path: String,
    mistakes: Vec<Mistake>,
}

/// One of them.
#[derive(Debug)]
struct Mistake {
    /// The heading above it.
    section: String,
    text: String,
}

impl Mistakes {
    /// Those of the numbered chapters; whatever else there is only explains how the book is made.
    pub fn collect(book: &Book) -> Mistakes {
        let chapters = book.chapters().filter(|chapter| chapter.number.is_some()).filter_map(|chapter| {
            let path = chapter.source_path.as_ref()?.to_str()?.replace('\\', "/");
            let mistakes = mistakes_of(&chapter.content, &path);
            Some(Chapter { name: chapter.name.clone(), path, mistakes })
        });
        Mistakes { chapters: chapters.filter(|chapter| !chapter.mistakes.is_empty()).collect() }
    }

    /// A section for each chapter, with links to where each mistake is told, and to what shows that it is one.
    ///
    /// # Errors
    /// What of the proofs leads nowhere.
    pub fn to_markdown(&self, proofs: &Proofs, known: &Known<'_>) -> Result<String, String> {
        let mut out = String::new();
        for chapter in &self.chapters {
            let _ = writeln!(out, "## {}\n", chapter.name);
            for mistake in &chapter.mistakes {
                let Mistake { section, text } = mistake;
                let _ = write!(out, "- {text} → [{section}]({}#{})", chapter.path, fragment(section));
                let shown: Vec<String> =
                    proofs.of(text).iter().map(|word| known.show(word)).collect::<Result<_, _>>()?;
                if !shown.is_empty() {
                    let _ = write!(out, "<br>Shown by {}", shown.join("; "));
                }
                out.push_str("\n\n");
            }
        }
        Ok(out.trim_end().to_string())
    }

    /// What is wrong with the proofs: a mistake that nothing shows, and a proof of none.
    pub fn problems(&self, proofs: &Proofs) -> Vec<String> {
        let texts =
            || self.chapters.iter().flat_map(|chapter| &chapter.mistakes).map(|mistake| &mistake.text);
        let start = |text: &str| text.chars().take(60).collect::<String>();
        let unshown = texts().filter(|text| proofs.of(text).is_empty());
        let unshown = unshown.map(|text| format!("nothing shows the mistake {}…", start(text)));
        let unknown = proofs.shown.keys().filter(|key| !texts().any(|text| text.starts_with(key.as_str())));
        unshown.chain(unknown.map(|key| format!("no chapter tells of the mistake {key}"))).collect()
    }
}

/// What shows each mistake.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proofs {
    /// By how its box begins: words as in the index of the syllabus.
    pub shown: BTreeMap<String, Vec<String>>,
}

impl Proofs {
    /// Reads the file; a book without one proves nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(src: &Path) -> Result<Option<(Proofs, PathBuf)>, String> {
        let file = src.join(FILE);
        let Ok(text) = std::fs::read_to_string(&file) else { return Ok(None) };
        let proofs = toml::from_str(&text).map_err(|error| format!("{FILE}: {error}"))?;
        Ok(Some((proofs, file)))
    }

    /// What shows the mistake with this text.
    fn of(&self, text: &str) -> &[String] {
        let found = self.shown.iter().find(|(key, _)| text.starts_with(key.as_str()));
        found.map_or(&[], |(_, shown)| shown)
    }
}

fn mistakes_of(text: &str, path: &str) -> Vec<Mistake> {
    let (mut section, mut found, mut in_code) = (String::new(), Vec::new(), false);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        in_code ^= line.starts_with("```");
        match line.strip_prefix(MARK) {
            Some(first) => {
                let mut text = first.to_string();
                while let Some(more) = lines.next_if(|line| line.starts_with('>')) {
                    let _ = write!(text, " {}", more.trim_start_matches(['>', ' ']));
                }
                // A link within its page leads to that page.
                let text = text.trim_end().replace("](#", &format!("]({path}#"));
                found.push(Mistake { section: section.clone(), text });
            }
            None if !in_code && line.starts_with('#') => {
                section = line.trim_start_matches('#').trim().to_string();
            }
            None => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use mdbook_driver::book::{BookItem, Chapter, SectionNumber};

    use super::*;
    use crate::catalog::Catalog;
    use crate::contents::Contents;

    #[test]
    fn mistakes_are_listed_with_the_place_that_shows_them() {
        let text = "# One\n\n## The `GET` of it\n\n> [!WARNING]\n> **Common mistake.** \"So.\" Not so,\n> see [there](#there).\n\n\
                    ```console\n# no heading\n```\n> **Common mistake.** Again.\n";
        let mut chapter = Chapter::new("1. One", text.to_string(), "one.md", Vec::new());
        chapter.number = Some(SectionNumber::new([1]));
        let appendix = Chapter::new("Appendix", text.to_string(), "appendix.md", Vec::new());
        let book = Book::new_with_items(vec![BookItem::Chapter(chapter), BookItem::Chapter(appendix)]);
        let mistakes = Mistakes::collect(&book);
        let (contents, catalog) = (Contents::collect(&book, Path::new(".")), Catalog::default());
        let known = Known { contents: &contents, catalog: &catalog };
        let proofs: Proofs = toml::from_str("[shown]\n'\"So.\"' = ['test a.rs']\n'No.' = []").unwrap();
        assert_eq!(
            mistakes.to_markdown(&proofs, &known).unwrap(),
            "## 1. One\n\n- \"So.\" Not so, see [there](one.md#there). → [The `GET` of it](one.md#the-get-of-it)\
             <br>Shown by <code>a.rs</code>\n\n\
             - Again. → [The `GET` of it](one.md#the-get-of-it)"
        );
        assert_eq!(
            mistakes.problems(&proofs),
            ["nothing shows the mistake Again.…", "no chapter tells of the mistake No."]
        );
    }
}
