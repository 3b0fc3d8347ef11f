use std::ops::Index;

/// Where one argument lies in the buffer it was read into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    /// Index of its first byte.
    pub start: usize,
    /// Index just behind its last byte.
    pub end: usize,
}

/// The arguments of one command, the command's name first, as slices of the buffer they arrived in.
///
/// Nothing is copied until somebody keeps a value. Empty only for a blank line or `*0`, which are skipped
/// without an answer.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    buffer: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// Views `spans` of `buffer`.
    ///
    /// # Panics
    /// Later, when an argument is read, if its span lies outside `buffer`.
    pub fn new(buffer: &'a [u8], spans: &'a [Span]) -> Args<'a> {
        Args { buffer, spans }
    }

    /// How many arguments there are, the name included.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// True without any argument, even a name.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The argument at `index`, 0 being the command's name.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.spans.get(index).map(|span| &self.buffer[span.start..span.end])
    }

    /// The command's name as it was sent; empty if there are no arguments at all.
    pub fn name(&self) -> &'a [u8] {
        self.get(0).unwrap_or_default()
    }

    /// True if argument `index` equals `word` in any mixture of upper and lower case.
    pub fn is(&self, index: usize, word: &str) -> bool {
        self.get(index).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// All arguments in order, the name first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        let buffer = self.buffer;
        self.spans.iter().map(move |span| &buffer[span.start..span.end])
    }

    /// The arguments from `first` on (`args.from(1)` leaves the name out).
    pub fn from(&self, first: usize) -> Args<'a> {
        Args { buffer: self.buffer, spans: self.spans.get(first..).unwrap_or_default() }
    }

    /// A copy that owns its bytes, for a command that must wait.
    pub fn to_buf(&self) -> ArgsBuf {
        ArgsBuf::from_parts(self.iter())
    }
}

impl Index<usize> for Args<'_> {
    type Output = [u8];
    fn index(&self, index: usize) -> &[u8] {
        let span = self.spans[index];
        &self.buffer[span.start..span.end]
    }
}

impl std::fmt::Debug for Args<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::show_command(self.iter()))
    }
}

/// A command that owns its arguments, all in one allocation.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ArgsBuf {
    buffer: Vec<u8>,
    spans: Vec<Span>,
}

impl ArgsBuf {
    /// Copies `parts`, the command's name first.
    pub fn from_parts<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> ArgsBuf {
        let mut made = ArgsBuf::default();
        for part in parts {
            made.push(part.as_ref());
        }
        made
    }

    /// Adds one argument at the end.
    pub fn push(&mut self, part: &[u8]) {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(part);
        self.spans.push(Span { start, end: self.buffer.len() });
    }

    /// Forgets the arguments and keeps the memory.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.spans.clear();
    }

    /// The arguments, to read.
    pub fn as_args(&self) -> Args<'_> {
        Args { buffer: &self.buffer, spans: &self.spans }
    }
}

impl std::fmt::Debug for ArgsBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_args().fmt(f)
    }
}
