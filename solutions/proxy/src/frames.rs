//! Replies as values: needed only where several become one.

use bytes::{Bytes, BytesMut};
use core_types::{Frame, Protocol, Reply};
use node::layers::wire::{Encoder, FrameDecoder};

/// The value of a whole reply, whose end the [`Scanner`](crate::reply::Scanner) has found.
pub(crate) fn read(reply: &[u8]) -> Frame {
    let mut bytes = BytesMut::from(reply);
    match FrameDecoder::new().decode(&mut bytes) {
        Ok(Some(frame)) => frame,
        // The scanner counts lengths only; a number that is none ends here.
        Ok(None) | Err(_) => Frame::Error("ERR the server sent no reply".to_owned()),
    }
}

/// A value as a RESP2 reply. Servers are asked in RESP2, so no other types come.
pub(crate) fn write(frame: &Frame) -> Bytes {
    let mut out = BytesMut::new();
    append(frame, &mut Encoder::new(&mut out, Protocol::Resp2));
    out.freeze()
}

fn append(frame: &Frame, out: &mut Encoder<'_>) {
    match frame {
        Frame::Simple(text) => out.simple(text),
        Frame::Error(text) => out.error(text),
        Frame::Integer(number) => out.integer(*number),
        Frame::Bulk(bytes) => out.bulk(bytes),
        Frame::Null => out.null(),
        Frame::Array(elements) | Frame::Set(elements) | Frame::Push(elements) => {
            out.array(elements.len());
            elements.iter().for_each(|element| append(element, out));
        }
        Frame::Map(pairs) => {
            out.map(pairs.len());
            for (key, value) in pairs {
                append(key, out);
                append(value, out);
            }
        }
        Frame::Double(number) => out.double(*number),
        Frame::Boolean(truth) => out.boolean(*truth),
        Frame::BigNumber(digits) => out.big_number(digits),
        Frame::Verbatim(format, text) => out.verbatim(format, text),
    }
}
