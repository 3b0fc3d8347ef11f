//! Waits until something changes that the book is made from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use super::folder_of;
use crate::workspace::Workspace;

/// Editors write a file in several steps, and a checkout writes many files: wait until it is quiet this long.
const QUIET: Duration = Duration::from_millis(120);

/// The watched files and folders.
pub(super) struct Watch {
    watcher: RecommendedWatcher,
    events: Receiver<notify::Result<Event>>,
    /// Everything below these counts.
    trees: Vec<PathBuf>,
    /// These count, and their neighbours don't.
    files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

impl Watch {
    /// Watches the chapters, the theme and `book.toml`.
    pub(super) fn new(workspace: &Workspace) -> Result<Watch> {
        let (sender, events) = channel();
        let watcher = notify::recommended_watcher(sender).context("cannot watch files")?;
        let trees = vec![workspace.src(), workspace.book.join("theme")];
        let mut watch = Watch { watcher, events, trees, files: BTreeSet::new(), folders: BTreeSet::new() };
        for tree in watch.trees.iter().filter(|tree| tree.is_dir()) {
            watch
                .watcher
                .watch(tree, RecursiveMode::Recursive)
                .with_context(|| tree.display().to_string())?;
        }
        watch.also(&[workspace.book.join("book.toml")]);
        Ok(watch)
    }

    /// Watches these files too. Their folders are what is really watched: an editor may replace a file by a
    /// new one of the same name.
    pub(super) fn also(&mut self, files: &[PathBuf]) {
        for file in files {
            let inside = self.trees.iter().any(|tree| file.starts_with(tree));
            let folder = folder_of(file);
            if !inside && self.files.insert(file.clone()) && self.folders.insert(folder.to_path_buf()) {
                // A folder that is missing is an error of the chapter, and was reported there.
                let _ = self.watcher.watch(folder, RecursiveMode::NonRecursive);
            }
        }
    }

    /// Waits for a change and then for quiet. Returns one of the changed files.
    pub(super) fn wait(&self) -> Result<PathBuf> {
        loop {
            let Ok(event) = self.events.recv() else { bail!("the file watcher ended") };
            let Some(changed) = self.relevant(event) else { continue };
            loop {
                match self.events.recv_timeout(QUIET) {
                    Ok(_) => {}
                    Err(RecvTimeoutError::Timeout) => return Ok(changed),
                    Err(RecvTimeoutError::Disconnected) => bail!("the file watcher ended"),
                }
            }
        }
    }

    fn relevant(&self, event: notify::Result<Event>) -> Option<PathBuf> {
        let event = event.ok()?;
        let written = match event.kind {
            EventKind::Access(AccessKind::Close(mode)) => mode == AccessMode::Write,
            EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => false,
            _ => true,
        };
        let counts =
            |path: &Path| self.trees.iter().any(|tree| path.starts_with(tree)) || self.files.contains(path);
        event.paths.into_iter().find(|path| written && counts(path) && !is_scratch(path))
    }
}

/// Swap and backup files of editors.
fn is_scratch(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with('.') || name.starts_with('#') || name.ends_with('~') || name == "4913"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_a_chapter_or_an_included_source_is_seen_and_its_neighbours_are_not() {
        let root = tempfile::tempdir().unwrap();
        // On some systems the temporary folder is a link, and events name what it points to.
        let root = root.path().canonicalize().unwrap();
        let workspace = Workspace::at(&root);
        for folder in ["book/src", "book/theme", "code"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        std::fs::write(root.join("book/book.toml"), "").unwrap();
        std::fs::write(root.join("code/a.rs"), "").unwrap();
        let mut watch = Watch::new(&workspace).unwrap();
        watch.also(&[root.join("code/a.rs")]);
        std::fs::write(root.join("code/other.rs"), "x").unwrap();
        std::fs::write(root.join("book/src/.a.md.swp"), "x").unwrap();
        std::fs::write(root.join("code/a.rs"), "x").unwrap();
        assert_eq!(watch.wait().unwrap(), root.join("code/a.rs"));
        std::fs::write(root.join("book/src/new.md"), "x").unwrap();
        assert_eq!(watch.wait().unwrap(), root.join("book/src/new.md"));
    }
}
