//! A small book in a folder of its own, for the tests.

// Each test file uses its part of this.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use press::check::{self, Options, Part};
use press::session::Programs;
use press::workspace::Workspace;
use tempfile::TempDir;

/// A configuration with nothing wrong in it.
pub(crate) const CONFIG: &str = "\
[book]
title = \"A small book\"

[build]
create-missing = false

[output.html]
smart-punctuation = true
";

/// What plain mdBook needs beside it; the command is this crate's own program.
pub(crate) fn preprocessor(command: &str) -> String {
    format!("\n[preprocessor.workbook]\nbefore = [\"links\"]\ncommand = '{command}'\n")
}

/// The command of our own program.
pub(crate) fn our_command() -> String {
    format!("\"{}\" preprocess", env!("CARGO_BIN_EXE_book"))
}

/// A book that is removed when it goes out of scope.
pub(crate) struct SmallBook {
    folder: TempDir,
}

impl SmallBook {
    /// A good book with one chapter, `a.md`.
    pub(crate) fn new(chapter: &str) -> SmallBook {
        let book = SmallBook { folder: tempfile::tempdir().expect("a folder") };
        book.write("book/book.toml", &format!("{CONFIG}{}", preprocessor(&our_command())));
        book.write("book/src/SUMMARY.md", "# Summary\n\n- [A](a.md)\n");
        book.write("book/src/a.md", chapter);
        book
    }

    /// Writes a file, with its folders.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// The text of a file.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).expect("a file")
    }

    /// `path` in the book's folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The workspace around the book.
    pub(crate) fn workspace(&self) -> Workspace {
        Workspace::at(self.folder.path())
    }

    /// What `check` says about one part.
    pub(crate) fn check(&self, parts: &[Part]) -> Vec<String> {
        self.check_with(Options { parts: parts.to_vec(), recordings: Vec::new, ..Options::default() })
    }

    /// What `check` says.
    pub(crate) fn check_with(&self, options: Options) -> Vec<String> {
        check::run(&self.workspace(), &options).iter().map(ToString::to_string).collect()
    }

    /// What the sessions say, with our pretend programs.
    pub(crate) fn sessions(&self, bless: bool, limit: Duration) -> Vec<String> {
        let programs = Some(pretend());
        self.check_with(Options { parts: vec![Part::Sessions], programs, bless, limit, ..Options::default() })
    }
}

/// `examples/pretend.rs` under the names of our programs. Cargo builds examples beside the tests.
fn pretend() -> Programs {
    let test = std::env::current_exe().expect("the path of this test");
    let target = test.parent().and_then(Path::parent).expect("target/debug/deps");
    let path = target.join("examples").join(format!("pretend{}", std::env::consts::EXE_SUFFIX));
    assert!(path.is_file(), "{} is missing: `cargo build -p book --examples`", path.display());
    Programs::new()
        .with("ha-server", [path.as_os_str(), "server".as_ref()])
        .with("ha-cli", [path.as_os_str(), "cli".as_ref()])
}
