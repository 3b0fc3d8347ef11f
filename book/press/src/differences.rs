//! `{{#differences FILE}}`: what a module says it does in another way than Redis.
//!
//! Module docs end with a section of that name (see the style of any of them). The page that collects them all is made
//! from those sections, so there is nothing to keep in step; `cargo book check` finds a module that the page leaves out.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// How such a section begins.
const HEADS: [&str; 2] = ["# Differences from ", "# Known differences"];

/// Links of rustdoc, which lead nowhere on a page: `` [`x`] ``, `` [`x`](path) ``.
static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\[(`[^`\]]+`)\](?:\(([^)]*)\))?").expect("a fixed pattern"));

/// The section of one file, as Markdown, with the place it is from.
///
/// # Errors
/// If there is no such file or section.
pub fn of(root: &Path, file: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: {error}"))?;
    let section = section(&text).ok_or_else(|| format!("{file} has no section `{}…`", HEADS[0]))?;
    Ok(format!("{}\n\n<p class=\"source\">From the head of <code>{file}</code>.</p>", shown(&section)))
}

/// The lines of the section, without the marks of a comment.
fn section(text: &str) -> Option<String> {
    let docs = text.lines().take_while(|line| line.starts_with("//!"));
    let docs = docs.map(|line| line.trim_start_matches("//!").strip_prefix(' ').unwrap_or_default());
    let mut lines = docs.skip_while(|line| !HEADS.iter().any(|head| line.starts_with(head)));
    lines.next()?;
    let mut in_code = false;
    let body = lines.take_while(|line| {
        in_code ^= line.starts_with("```");
        in_code || !line.starts_with("# ")
    });
    // Where the links of rustdoc lead is of no use here.
    let kept: Vec<&str> = body.filter(|line| !(line.starts_with("[`") && line.contains("`]: "))).collect();
    let section = kept.join("\n").trim().to_string();
    (!section.is_empty()).then_some(section)
}

/// With code in place of the links of rustdoc.
fn shown(section: &str) -> String {
    LINK.replace_all(section, |found: &Captures<'_>| match found.get(2).map(|target| target.as_str()) {
        Some(target) if target.starts_with("http") => found[0].to_string(),
        _ => found[1].to_string(),
    })
    .into_owned()
}

/// Every file below `root` with such a section, in order. Starters are the reference without its answers, and repeat
/// what it says: where both are there, the starter stands for both.
pub fn files(root: &Path) -> Vec<String> {
    let mut found: Vec<(String, String)> = Vec::new();
    for folder in ["labs", "solutions", "tests"] {
        let mut paths = Vec::new();
        rust_files(&root.join(folder), &mut paths);
        paths.sort();
        for path in paths {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            if let Some(section) = section(&text)
                && !found.iter().any(|(_, known)| *known == section)
            {
                found.push((name, section));
            }
        }
    }
    found.into_iter().map(|(name, _)| name).collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if entry.file_name() != "target" {
                rust_files(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "//! A thing.\n//!\n//! # Differences from Redis\n//!\n//! - [`Thing`] and [`other`](crate::other) are new,\n\
        //!   see [`spec`](https://redis.io).\n//!\n//! [`Thing`]: crate::Thing\n//!\n//! # More\n//!\n//! No.\n\nuse x;\n";

    #[test]
    fn a_section_is_shown_without_rustdocs_links() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a.rs"), SOURCE).unwrap();
        assert_eq!(
            of(root.path(), "a.rs").unwrap(),
            "- `Thing` and `other` are new,\n  see [`spec`](https://redis.io).\n\n\
             <p class=\"source\">From the head of <code>a.rs</code>.</p>"
        );
        std::fs::write(root.path().join("b.rs"), "//! # Different\n").unwrap();
        assert!(of(root.path(), "b.rs").unwrap_err().contains("no section"));
        assert!(of(root.path(), "c.rs").is_err());
    }

    #[test]
    fn a_starter_stands_for_its_reference() {
        let root = tempfile::tempdir().unwrap();
        for file in ["labs/lab-1-x/src/lib.rs", "solutions/x/src/lib.rs", "solutions/target/y.rs"] {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, SOURCE).unwrap();
        }
        let other =
            SOURCE.replace("Differences from Redis", "Known differences, and why").replace("new", "old");
        std::fs::create_dir_all(root.path().join("tests")).unwrap();
        std::fs::write(root.path().join("tests/c.rs"), other).unwrap();
        assert_eq!(files(root.path()), ["labs/lab-1-x/src/lib.rs", "tests/c.rs"]);
    }
}
