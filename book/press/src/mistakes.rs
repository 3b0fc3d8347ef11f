//! `{{#mistakes}}`: what is often said and wrong, collected from all chapters.
//!
//! A mistake is told where the run is that shows it. The page that lists them all is made from those places, so that there
//! is nothing to keep in step.

use std::fmt::Write;

use mdbook_driver::book::Book;

/// How a box with a common mistake begins.
const MARK: &str = "> **Common mistake.** ";

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

    /// A section for each chapter, with links to where each mistake is shown to be one.
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        for chapter in &self.chapters {
            let _ = writeln!(out, "## {}\n", chapter.name);
            for Mistake { section, text } in &chapter.mistakes {
                let _ = writeln!(out, "- {text} → [{section}]({}#{})\n", chapter.path, fragment(section));
            }
        }
        out.trim_end().to_string()
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

/// The id that mdBook gives a heading. Should it ever differ, `cargo book check` finds a link that leads nowhere.
fn fragment(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use mdbook_driver::book::{BookItem, Chapter, SectionNumber};

    use super::*;

    #[test]
    fn mistakes_are_listed_with_the_place_that_shows_them() {
        let text = "# One\n\n## The `GET` of it\n\n> [!WARNING]\n> **Common mistake.** \"So.\" Not so,\n> see [there](#there).\n\n\
                    ```console\n# no heading\n```\n> **Common mistake.** Again.\n";
        let mut chapter = Chapter::new("1. One", text.to_string(), "one.md", Vec::new());
        chapter.number = Some(SectionNumber::new([1]));
        let appendix = Chapter::new("Appendix", text.to_string(), "appendix.md", Vec::new());
        let book = Book::new_with_items(vec![BookItem::Chapter(chapter), BookItem::Chapter(appendix)]);
        assert_eq!(
            Mistakes::collect(&book).to_markdown(),
            "## 1. One\n\n- \"So.\" Not so, see [there](one.md#there). → [The `GET` of it](one.md#the-get-of-it)\n\n\
             - Again. → [The `GET` of it](one.md#the-get-of-it)"
        );
    }
}
