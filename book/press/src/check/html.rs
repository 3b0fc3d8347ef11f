//! The rendered pages: every link must lead somewhere, and nothing may come from the network.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// What a page says about itself and others.
#[derive(Debug, Default)]
pub struct Page {
    /// Every name that a fragment may point to.
    pub ids: BTreeSet<String>,
    links: Vec<Link>,
    /// How often `{{#` stands in its text.
    pub directives: usize,
}

#[derive(Debug)]
struct Link {
    target: String,
    line: usize,
    /// False for what the browser loads by itself: style sheets, scripts, images.
    is_anchor: bool,
}

/// A link that leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub struct Dead {
    /// The page, from the output folder.
    pub page: PathBuf,
    /// The line in the rendered page.
    pub line: usize,
    /// The link as it stands there.
    pub target: String,
    /// What is wrong with it.
    pub what: String,
}

/// All pages of a rendered book, by their path from the output folder.
#[derive(Debug, Default)]
pub struct Pages {
    /// The HTML pages.
    pub pages: BTreeMap<PathBuf, Page>,
    root: PathBuf,
}

impl Pages {
    /// Reads every HTML file below `root`.
    pub fn read(root: &Path) -> std::io::Result<Pages> {
        let mut pages = BTreeMap::new();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "html") {
                    let name = path.strip_prefix(root).expect("found below it").to_path_buf();
                    pages.insert(name, Page::parse(&std::fs::read_to_string(&path)?));
                }
            }
        }
        Ok(Pages { pages, root: root.to_path_buf() })
    }

    /// Every link that leads nowhere, page by page.
    pub fn dead_links(&self) -> Vec<Dead> {
        let mut dead = Vec::new();
        for (page, content) in &self.pages {
            for link in &content.links {
                if let Some(what) = self.wrong_with(page, link) {
                    let (page, target) = (page.clone(), link.target.clone());
                    dead.push(Dead { page, line: link.line, target, what });
                }
            }
        }
        dead
    }

    fn wrong_with(&self, page: &Path, link: &Link) -> Option<String> {
        let (address, fragment) = link.target.split_once('#').unwrap_or((&link.target, ""));
        let address = address.split('?').next().unwrap_or_default();
        if let Some((scheme, _)) = address.split_once(':')
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            let from_the_network = !link.is_anchor && scheme != "data";
            return from_the_network.then(|| "is loaded from the network".to_string());
        }
        if address.starts_with("//") {
            return Some("leaves out the scheme".into());
        }
        let target = match percent_decoded(address).as_str() {
            "" => page.to_path_buf(),
            // Only the page for "not found" is served under foreign addresses and counts from the root.
            absolute if absolute.starts_with('/') => PathBuf::from(absolute.trim_start_matches('/')),
            relative => page.parent().unwrap_or(Path::new("")).join(relative),
        };
        let mut target = crate::workspace::normalized(&target);
        if target.starts_with("..") {
            return Some("leads out of the book".into());
        }
        if self.root.join(&target).is_dir() {
            target.push("index.html");
        }
        if !self.root.join(&target).is_file() {
            return Some("leads to a page that does not exist".into());
        }
        let fragment = percent_decoded(fragment);
        let known = |page: &Page| page.ids.contains(&fragment);
        if fragment.is_empty() || self.pages.get(&target).is_none_or(known) {
            return None;
        }
        Some(format!("{} has no `#{fragment}`", target.display()))
    }
}

/// `%C3%A9` as `é`; what is no such code stays.
pub fn percent_decoded(text: &str) -> String {
    let hex = |byte: &u8| (*byte as char).to_digit(16);
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = match &bytes[at..] {
            [b'%', high, low, ..] => hex(high).zip(hex(low)).map(|(high, low)| (high * 16 + low) as u8),
            _ => None,
        };
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl Page {
    fn parse(text: &str) -> Page {
        let input = BufferQueue::default();
        input.push_back(StrTendril::from(text));
        let reader = Tokenizer::new(Reader::default(), TokenizerOpts::default());
        // Only a script handle would pause it, and our sink never returns one.
        let _ = reader.feed(&input);
        reader.end();
        let mut page = reader.sink.page.into_inner();
        page.directives = reader.sink.text.into_inner().matches("{{#").count();
        page
    }
}

/// Collects from the stream of tags; the tree is of no interest.
#[derive(Default)]
struct Reader {
    page: RefCell<Page>,
    text: RefCell<String>,
    in_script: Cell<bool>,
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => return self.tag(&tag, line as usize),
            Token::CharacterTokens(text) if !self.in_script.get() => self.text.borrow_mut().push_str(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Reader {
    fn tag(&self, tag: &Tag, line: usize) -> TokenSinkResult<()> {
        let raw = match &*tag.name {
            "script" => Some(RawKind::ScriptData),
            "style" => Some(RawKind::Rawtext),
            _ => None,
        };
        self.in_script.set(raw.is_some() && tag.kind == TagKind::StartTag);
        if tag.kind == TagKind::EndTag {
            return TokenSinkResult::Continue;
        }
        let mut page = self.page.borrow_mut();
        for attribute in &tag.attrs {
            let value = attribute.value.to_string();
            match (&*tag.name, &*attribute.name.local) {
                (_, "id") | ("a", "name") => {
                    page.ids.insert(value);
                }
                ("a" | "area", "href") => page.links.push(Link { target: value, line, is_anchor: true }),
                ("link", "href") | ("img" | "script" | "iframe" | "source" | "video" | "audio", "src") => {
                    page.links.push(Link { target: value, line, is_anchor: false });
                }
                _ => {}
            }
        }
        match raw {
            Some(kind) => TokenSinkResult::RawData(kind),
            None => TokenSinkResult::Continue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let pages = Pages::read(folder.path()).unwrap();
        pages
            .dead_links()
            .iter()
            .map(|dead| format!("{}:{} {}", dead.page.display(), dead.line, dead.what))
            .collect()
    }

    #[test]
    fn good_links_are_silent() {
        let page = "<h1 id='a b'>A</h1><a name=old></a><a href='#a%20b'></a><a href='sub/b.html#x'></a><a href='https://redis.io'></a><a href='sub/'></a><img src='data:image/png;base64,x'><a href='b.txt#nothing'></a><script>'<a href=nope>'</script>";
        let files = [
            ("a.html", page),
            ("b.txt", ""),
            ("sub/b.html", "<p id=x><a href='../a.html#old'>"),
            ("sub/index.html", ""),
        ];
        assert_eq!(dead(&files), Vec::<String>::new());
    }

    #[test]
    fn dead_links_are_named() {
        let page = "<p>\n<a href='#no'></a>\n<a href='no.html'></a>\n<a href='../x.html'></a>\n<script src='https://cdn.example/x.js'></script>";
        assert_eq!(
            dead(&[("a.html", page)]),
            [
                "a.html:2 a.html has no `#no`",
                "a.html:3 leads to a page that does not exist",
                "a.html:4 leads out of the book",
                "a.html:5 is loaded from the network",
            ]
        );
    }

    #[test]
    fn directives_are_counted_in_text_only() {
        let page = Page::parse("<p>{{#include}} <code>{{#x}}</code><script>{{#y}}</script><p>{{#z}}");
        assert_eq!(page.directives, 3);
    }
}
