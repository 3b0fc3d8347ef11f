//! Where things lie.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folders that the press works in.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The root of the repository.
    pub root: PathBuf,
    /// The folder with `book.toml`.
    pub book: PathBuf,
}

impl Workspace {
    /// The workspace whose book lies in `root/book`.
    pub fn at(root: impl Into<PathBuf>) -> Workspace {
        let root = root.into();
        let book = root.join("book");
        Workspace { root, book }
    }

    /// The workspace around the current folder, found by its `book/book.toml`.
    pub fn find() -> Result<Workspace> {
        let here = std::env::current_dir().context("no current folder")?;
        here.ancestors()
            .find(|folder| folder.join("book/book.toml").is_file())
            .map(Workspace::at)
            .with_context(|| format!("no book/book.toml in {} or above it", here.display()))
    }

    /// The folder with the chapters.
    pub fn src(&self) -> PathBuf {
        self.book.join("src")
    }

    /// The folder with the recorded runs.
    pub fn traces(&self) -> PathBuf {
        self.src().join("traces")
    }

    /// `path` as a person at the workspace's root would type it.
    pub fn show<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

/// `path` without `.` and `..`, by its text alone: the file need not exist.
pub fn normalized(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(parts.last(), Some(Component::Normal(_))) => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.iter().collect()
}
