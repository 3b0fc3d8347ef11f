//! The server's side of writing: replies appended to a connection's output buffer.
//!
//! A command says what it answers; this module says how it looks. RESP2 has five types. RESP3 has more,
//! and each of them has an older face for clients that speak RESP2.

use bytes::{BufMut, BytesMut};
use core_types::{Protocol, Reply, format_double};

// ANCHOR: encoder
/// Appends replies to `out` in the protocol that the connection speaks.
#[derive(Debug)]
pub struct Encoder<'a> {
    out: &'a mut BytesMut,
    protocol: Protocol,
}

impl<'a> Encoder<'a> {
    /// Replies go to the end of `out`.
    pub fn new(out: &'a mut BytesMut, protocol: Protocol) -> Encoder<'a> {
        Encoder { out, protocol }
    }
}
// ANCHOR_END: encoder

impl Encoder<'_> {
    fn resp3(&self) -> bool {
        self.protocol == Protocol::Resp3
    }

    /// `kind`, a number and the end of the line: `:42`, or the head of whatever has a length.
    fn head(&mut self, kind: u8, number: i64) {
        // <exercise 0.6 head>
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(number).as_bytes();
        let mut line = [0; 24];
        line[0] = kind;
        line[1..=digits.len()].copy_from_slice(digits);
        line[digits.len() + 1..digits.len() + 3].copy_from_slice(b"\r\n");
        self.out.put_slice(&line[..digits.len() + 3]);
        // </exercise>
    }

    /// `kind`, a text and the end of the line. A line break in the text becomes a blank: error texts quote
    /// what a client sent, and a line break would end the reply and let the client write the next one.
    fn line(&mut self, kind: u8, text: &str) {
        // <exercise 0.6 line>
        self.out.reserve(text.len() + 3);
        self.out.put_u8(kind);
        let start = self.out.len();
        self.out.put_slice(text.as_bytes());
        for byte in &mut self.out[start..] {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        self.out.put_slice(b"\r\n");
        // </exercise>
    }
}

impl Reply for Encoder<'_> {
    fn simple(&mut self, text: &str) {
        self.line(b'+', text);
    }

    fn error(&mut self, text: &str) {
        self.line(b'-', text);
    }

    fn integer(&mut self, value: i64) {
        self.head(b':', value);
    }

    fn bulk(&mut self, bytes: &[u8]) {
        // <exercise 0.6 bulk>
        self.out.reserve(bytes.len() + 26);
        self.head(b'$', bytes.len() as i64);
        self.out.put_slice(bytes);
        self.out.put_slice(b"\r\n");
        // </exercise>
    }

    fn null(&mut self) {
        // <exercise 0.7 null>
        self.out.put_slice(if self.resp3() { b"_\r\n" } else { b"$-1\r\n" });
        // </exercise>
    }

    fn null_array(&mut self) {
        // <exercise 0.7 null_array>
        self.out.put_slice(if self.resp3() { b"_\r\n" } else { b"*-1\r\n" });
        // </exercise>
    }

    fn array(&mut self, len: usize) {
        self.head(b'*', len as i64);
    }

    fn map(&mut self, pairs: usize) {
        // <exercise 0.7 map>
        if self.resp3() {
            self.head(b'%', pairs as i64);
        } else {
            self.head(b'*', 2 * pairs as i64);
        }
        // </exercise>
    }

    fn set(&mut self, len: usize) {
        // <exercise 0.7 set>
        self.head(if self.resp3() { b'~' } else { b'*' }, len as i64);
        // </exercise>
    }

    fn push(&mut self, len: usize) {
        // <exercise 0.7 push>
        self.head(if self.resp3() { b'>' } else { b'*' }, len as i64);
        // </exercise>
    }

    fn double(&mut self, value: f64) {
        // <exercise 0.7 double>
        let text = format_double(value);
        if self.resp3() {
            self.line(b',', &text);
        } else {
            self.bulk(text.as_bytes());
        }
        // </exercise>
    }

    fn boolean(&mut self, value: bool) {
        // <exercise 0.7 boolean>
        match (self.resp3(), value) {
            (true, true) => self.out.put_slice(b"#t\r\n"),
            (true, false) => self.out.put_slice(b"#f\r\n"),
            (false, value) => self.integer(value.into()),
        }
        // </exercise>
    }

    fn big_number(&mut self, digits: &str) {
        // <exercise 0.7 big_number>
        if self.resp3() {
            self.line(b'(', digits);
        } else {
            self.bulk(digits.as_bytes());
        }
        // </exercise>
    }

    fn verbatim(&mut self, format: &str, text: &[u8]) {
        // <exercise 0.7 verbatim>
        if !self.resp3() {
            return self.bulk(text);
        }
        self.head(b'=', (format.len() + 1 + text.len()) as i64);
        self.out.put_slice(format.as_bytes());
        self.out.put_u8(b':');
        self.out.put_slice(text);
        self.out.put_slice(b"\r\n");
        // </exercise>
    }
}
