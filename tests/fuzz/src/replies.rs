//! RESP as a client reads it: replies of both versions of the protocol.

use bytes::BytesMut;
use solution_0::FrameDecoder;

use crate::{Pieces, bounded, every_way};

/// Bytes of memory for a byte of input: a null (`_\r\n`) is three bytes and becomes a frame of a few words,
/// in a vector that may just have doubled; here it is also written out.
const FACTOR: usize = 256;

/// Reads `data` as what a server sent.
///
/// # Panics
/// If a promise is broken: see the crate's documentation.
pub fn check(data: &[u8]) {
    bounded(data.len(), FACTOR, || every_way(data, decode));
}

/// Every reply, as text because a double may be no number and then equals nothing, and what was wrong with
/// what follows.
fn decode(pieces: Pieces<'_>) -> String {
    let (mut decoder, mut buffer, mut text) = (FrameDecoder::new(), BytesMut::new(), String::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(frame)) => text += &format!("{frame:?}\n"),
                Ok(None) => break,
                Err(error) => return text + &format!("{error:?}"),
            }
        }
    }
    text
}
