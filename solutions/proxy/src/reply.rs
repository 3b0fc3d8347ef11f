//! Finding the end of a reply without understanding it.
//!
//! A proxy passes replies on byte for byte. All it must know of one is where it ends, and that is a matter of
//! counting: each element is one less to come, each header of an aggregate promises some more.

/// What a server sent is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoReply;

/// No longer than this is a line of a reply that is still expected to end: a length, a number, an error.
const LINE: usize = 64 * 1024;

/// The longest bulk string that a server may send (`proto-max-bulk-len` of Redis, 512 MB).
const BULK: usize = 512 * 1024 * 1024;

/// Elements that one reply may have: more would be a mistake or malice.
const ELEMENTS: u64 = u32::MAX as u64;

/// Looks for the end of one reply in bytes that come in pieces.
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    /// So far everything is known.
    at: usize,
    /// So many elements are still to come, less one while the reply has not begun.
    owed: u64,
    begun: bool,
}

impl Scanner {
    /// Where the reply at the beginning of `buffer` ends, if it ends there. Called again with more bytes it
    /// goes on where it was; after `Some` it begins anew.
    ///
    /// # Errors
    ///
    /// The bytes are no RESP.
    pub fn end(&mut self, buffer: &[u8]) -> Result<Option<usize>, NoReply> {
        if !self.begun {
            self.begun = true;
            self.owed = 1;
        }
        while self.owed > 0 {
            let Some(line) = self.line(buffer)? else { return Ok(None) };
            let after = self.at + line + 2;
            let text = &buffer[self.at + 1..self.at + line];
            let next = match buffer[self.at] {
                b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => after,
                b'$' | b'=' | b'!' => match length(text)? {
                    None => after,
                    Some(bytes) if bytes > BULK as u64 => return Err(NoReply),
                    Some(bytes) => {
                        let end = after + bytes as usize;
                        match buffer.get(end..end + 2) {
                            None => return Ok(None),
                            Some(b"\r\n") => end + 2,
                            Some(_) => return Err(NoReply),
                        }
                    }
                },
                b'*' | b'~' | b'>' => {
                    self.owe(length(text)?.unwrap_or(0))?;
                    after
                }
                b'%' => {
                    self.owe(length(text)?.unwrap_or(0).saturating_mul(2))?;
                    after
                }
                // An attribute comes before an element and is none itself.
                b'|' => {
                    self.owe(length(text)?.unwrap_or(0).saturating_mul(2))?;
                    self.owe(1)?;
                    after
                }
                _ => return Err(NoReply),
            };
            self.owed -= 1;
            self.at = next;
        }
        let end = self.at;
        *self = Scanner::default();
        Ok(Some(end))
    }

    fn owe(&mut self, more: u64) -> Result<(), NoReply> {
        self.owed = self.owed.saturating_add(more);
        if self.owed > ELEMENTS { Err(NoReply) } else { Ok(()) }
    }

    /// The length of the line that begins at `self.at`, without its end.
    fn line(&self, buffer: &[u8]) -> Result<Option<usize>, NoReply> {
        let rest = &buffer[self.at.min(buffer.len())..];
        match memchr::memchr(b'\r', rest) {
            Some(0) => Err(NoReply),
            Some(end) if end + 1 < rest.len() => {
                if rest[end + 1] == b'\n' {
                    Ok(Some(end))
                } else {
                    Err(NoReply)
                }
            }
            Some(_) => Ok(None),
            None if rest.len() > LINE => Err(NoReply),
            None => Ok(None),
        }
    }
}

/// A length of an aggregate or a string; `-1` is RESP2's null.
fn length(digits: &[u8]) -> Result<Option<u64>, NoReply> {
    if digits == b"-1" {
        return Ok(None);
    }
    if digits.is_empty() || digits.len() > 19 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NoReply);
    }
    Ok(Some(digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole replies, one of each kind, nested ones among them.
    const REPLIES: [&[u8]; 14] = [
        b"+OK\r\n",
        b"-ERR no\r\n",
        b":-12\r\n",
        b"$-1\r\n",
        b"$0\r\n\r\n",
        b"$4\r\n\r\n\r\n\r\n",
        b"*-1\r\n",
        b"*0\r\n",
        b"*2\r\n*1\r\n:1\r\n$1\r\na\r\n",
        b"%1\r\n+a\r\n*2\r\n_\r\n#t\r\n",
        b"~2\r\n,1.5\r\n(123\r\n",
        b"=7\r\ntxt:abc\r\n",
        b"|1\r\n+ttl\r\n:1\r\n+OK\r\n",
        b"!3\r\nERR\r\n",
    ];

    #[test]
    fn a_reply_ends_where_it_ends_however_it_is_cut() {
        for reply in REPLIES {
            let mut bytes = reply.to_vec();
            bytes.extend_from_slice(b"+next\r\n");
            let mut whole = Scanner::default();
            assert_eq!(whole.end(&bytes), Ok(Some(reply.len())), "{}", reply.escape_ascii());
            let mut pieces = Scanner::default();
            for cut in 0..reply.len() {
                assert_eq!(pieces.end(&bytes[..cut]), Ok(None), "{} at {cut}", reply.escape_ascii());
            }
            assert_eq!(pieces.end(&bytes), Ok(Some(reply.len())), "{}", reply.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for bytes in [
            &b"hello\r\n"[..],
            b"\r\n",
            b"$x\r\n",
            b"$-2\r\n",
            b"$1\r\nabc",
            b"*99999999999999999999\r\n",
            b"*9999999999\r\n",
            b"+a\rb\r\n",
            b"$999999999999\r\n",
        ] {
            assert_eq!(Scanner::default().end(bytes), Err(NoReply), "{}", bytes.escape_ascii());
        }
        assert_eq!(Scanner::default().end(&vec![b'+'; LINE + 2]), Err(NoReply));
    }
}
