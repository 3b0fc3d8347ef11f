use core_types::{Frame, format_double};

use super::people::quote;

/// Values separated by commas, on one line; collections inside are laid flat.
pub(in crate::cli) fn csv(reply: &Frame) -> Vec<u8> {
    let mut out = Vec::new();
    write(reply, &mut out);
    out
}

fn write(reply: &Frame, out: &mut Vec<u8>) {
    match reply {
        Frame::Error(text) => {
            out.extend_from_slice(b"ERROR,");
            quote(text.as_bytes(), out);
        }
        Frame::Simple(text) => quote(text.as_bytes(), out),
        Frame::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Frame::Double(number) => out.extend_from_slice(format_double(*number).as_bytes()),
        Frame::Bulk(bytes) | Frame::Verbatim(_, bytes) => quote(bytes, out),
        Frame::BigNumber(digits) => out.extend_from_slice(digits.as_bytes()),
        Frame::Null => out.extend_from_slice(b"NULL"),
        Frame::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Frame::Array(values) | Frame::Set(values) | Frame::Push(values) => list(values.iter(), out),
        Frame::Map(pairs) => list(pairs.iter().flat_map(|(key, value)| [key, value]), out),
    }
}

fn list<'a>(values: impl Iterator<Item = &'a Frame>, out: &mut Vec<u8>) {
    for (index, value) in values.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(value, out);
    }
}
