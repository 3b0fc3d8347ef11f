//! The server's side of reading: commands out of a growing buffer.
//!
//! The decoder owns no bytes. The caller keeps everything it has received and not yet consumed in one
//! buffer; the decoder remembers how far it got and where the arguments lie. It therefore looks at each
//! header once, never looks into an argument at all, and copies nothing.

use core_types::{Args, ArgsBuf, Span};

use crate::{Limits, ProtocolError, bulk_length, find_inline, find_line, multibulk_count, split_inline};

/// Room for this many arguments is kept from one command to the next.
const KEPT_SPANS: usize = 4096;

// ANCHOR: decoder
/// Reads commands from a buffer that grows: arrays of bulk strings, or inline.
#[derive(Debug, Default)]
pub struct CommandDecoder {
    /// How many arguments of this command are still missing; `None` between commands.
    missing: Option<usize>,
    /// Length of the argument whose `$` line has been read, until it is here itself.
    bulk: Option<usize>,
    /// Index of the first byte of the buffer that has not been dealt with.
    position: usize,
    /// Where the arguments lie that are complete.
    spans: Vec<Span>,
    /// The words of an inline command, if the last command was one.
    inline: Option<ArgsBuf>,
}
// ANCHOR_END: decoder

impl CommandDecoder {
    /// A decoder for a new connection.
    pub fn new() -> CommandDecoder {
        CommandDecoder::default()
    }

    // ANCHOR: decode
    /// Looks for one command at the start of `buffer`, which holds everything that was
    /// received and not consumed. After `Ok(None)` the buffer may only grow at its end.
    ///
    /// `Ok(Some(n))`: a command is complete and takes the first `n` bytes. The caller
    /// reads [`args`](CommandDecoder::args), then drops `n` bytes. A command without any
    /// arguments (`*0`, a blank line) is to be skipped without an answer.
    ///
    /// # Errors
    /// The connection cannot be used any more, and neither can the decoder.
    pub fn decode(&mut self, buffer: &[u8], limits: &Limits) -> Result<Option<usize>, ProtocolError> {
        if self.missing.is_none() {
            self.forget_last();
            match buffer.first() {
                None => return Ok(None),
                Some(b'*') => {
                    let Some(count) = self.read_count(buffer, limits)? else { return Ok(None) };
                    self.missing = Some(count);
                }
                Some(_) => return self.read_inline(buffer, limits),
            }
        }
        if !self.read_arguments(buffer, limits)? {
            return Ok(None);
        }
        self.missing = None;
        Ok(Some(self.position))
    }
    // ANCHOR_END: decode

    /// The arguments of the command that [`decode`](CommandDecoder::decode) has just found in `buffer`.
    pub fn args<'a>(&'a self, buffer: &'a [u8]) -> Args<'a> {
        match &self.inline {
            Some(words) => words.as_args(),
            None => Args::new(buffer, &self.spans),
        }
    }

    /// How many bytes of memory the decoder keeps for the places of arguments. It follows what has arrived,
    /// never what was claimed.
    pub fn memory(&self) -> usize {
        self.spans.capacity() * size_of::<Span>()
    }

    /// Starts again at the front of the buffer.
    fn forget_last(&mut self) {
        self.position = 0;
        self.inline = None;
        self.spans.clear();
        if self.spans.capacity() > KEPT_SPANS {
            self.spans.shrink_to(KEPT_SPANS);
        }
    }

    /// Reads the line `*<count>` at the start of `buffer`: how many arguments will follow. `Ok(None)` while
    /// the line has not arrived. Leaves `position` behind the line.
    fn read_count(&mut self, buffer: &[u8], limits: &Limits) -> Result<Option<usize>, ProtocolError> {
        // <exercise 0.4 read_count>
        todo!("lab 0.4: Commands from a growing buffer")
        // </exercise>
    }

    /// Reads as many of the missing arguments as have arrived; how many are missing is known by now. True
    /// when none is missing any more; then `position` lies behind the last one.
    fn read_arguments(&mut self, buffer: &[u8], limits: &Limits) -> Result<bool, ProtocolError> {
        // <exercise 0.4 read_arguments>
        todo!("lab 0.4: Commands from a growing buffer")
        // </exercise>
    }

    /// Reads a command that a person typed.
    fn read_inline(&mut self, buffer: &[u8], limits: &Limits) -> Result<Option<usize>, ProtocolError> {
        let Some(line) = find_inline(buffer, limits)? else { return Ok(None) };
        self.inline = Some(split_inline(&buffer[line.span.start..line.span.end])?);
        Ok(Some(line.next))
    }
}

/// The part of `buffer` in which a line that starts at `from` must end.
fn window<'a>(buffer: &'a [u8], from: usize, limits: &Limits) -> &'a [u8] {
    &buffer[..buffer.len().min(from.saturating_add(limits.inline).saturating_add(1))]
}
