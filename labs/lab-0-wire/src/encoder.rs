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
        todo!("lab 0.6: Five types")
        // </exercise>
    }

    /// `kind`, a text and the end of the line. A line break in the text becomes a blank: error texts quote
    /// what a client sent, and a line break would end the reply and let the client write the next one.
    fn line(&mut self, kind: u8, text: &str) {
        // <exercise 0.6 line>
        todo!("lab 0.6: Five types")
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
        todo!("lab 0.6: Five types")
        // </exercise>
    }

    fn null(&mut self) {
        // <exercise 0.7 null>
        todo!("lab 0.7: Two faces")
        // </exercise>
    }

    fn null_array(&mut self) {
        // <exercise 0.7 null_array>
        todo!("lab 0.7: Two faces")
        // </exercise>
    }

    fn array(&mut self, len: usize) {
        self.head(b'*', len as i64);
    }

    fn map(&mut self, pairs: usize) {
        // <exercise 0.7 map>
        todo!("lab 0.7: Two faces")
        // </exercise>
    }

    fn set(&mut self, len: usize) {
        // <exercise 0.7 set>
        todo!("lab 0.7: Two faces")
        // </exercise>
    }

    fn push(&mut self, len: usize) {
        // <exercise 0.7 push>
        todo!("lab 0.7: Two faces")
        // </exercise>
    }

    fn double(&mut self, value: f64) {
        // <exercise 0.7 double>
        todo!("lab 0.7: Two faces")
        // </exercise>
    }

    fn boolean(&mut self, value: bool) {
        // <exercise 0.7 boolean>
        todo!("lab 0.7: Two faces")
        // </exercise>
    }

    fn big_number(&mut self, digits: &str) {
        // <exercise 0.7 big_number>
        todo!("lab 0.7: Two faces")
        // </exercise>
    }

    fn verbatim(&mut self, format: &str, text: &[u8]) {
        // <exercise 0.7 verbatim>
        todo!("lab 0.7: Two faces")
        // </exercise>
    }
}
