//! What is wrong, and where: one line for a person and for an editor that can jump to it.

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong with the book.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file to open.
    pub file: PathBuf,
    /// The line in it, counted from 1; 0 if no line is to blame.
    pub line: usize,
    /// What is wrong, in one line.
    pub what: String,
}

impl Problem {
    /// A problem at `line` of `file`. Line breaks in `what` become spaces.
    pub fn new(file: impl Into<PathBuf>, line: usize, what: impl Into<String>) -> Problem {
        let what = what.into().split_whitespace().collect::<Vec<_>>().join(" ");
        Problem { file: file.into(), line, what }
    }

    /// The same problem with its file named from `base`, if it lies below.
    pub fn relative_to(mut self, base: &Path) -> Problem {
        if let Ok(below) = self.file.strip_prefix(base) {
            self.file = below.to_path_buf();
        }
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { file, line, what } = self;
        match line {
            0 => write!(f, "{}: {what}", file.display()),
            _ => write!(f, "{}:{line}: {what}", file.display()),
        }
    }
}

/// The first line of `text` that holds `needle`, counted from 1; 0 if there is none.
pub fn line_of(text: &str, needle: &str) -> usize {
    text.lines().position(|line| line.contains(needle)).map_or(0, |index| index + 1)
}
