use core_types::{Frame, format_double};

use super::people::line;

/// For programs: nothing but the values, with `between` between two of them.
pub(in crate::cli) fn for_programs(reply: &Frame, between: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    plain(reply, between, &mut out);
    out
}

fn plain(reply: &Frame, between: &[u8], out: &mut Vec<u8>) {
    match reply {
        Frame::Simple(text) => out.extend_from_slice(text.as_bytes()),
        Frame::Error(text) => line(out, text.as_bytes()),
        Frame::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Frame::Bulk(bytes) | Frame::Verbatim(_, bytes) => out.extend_from_slice(bytes),
        Frame::Null => {}
        Frame::Double(number) => out.extend_from_slice(format_double(*number).as_bytes()),
        Frame::Boolean(value) => out.extend_from_slice(if *value { b"(true)" } else { b"(false)" }),
        Frame::BigNumber(digits) => out.extend_from_slice(digits.as_bytes()),
        Frame::Array(values) | Frame::Set(values) | Frame::Push(values) => {
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(between);
                }
                plain(value, between, out);
            }
        }
        Frame::Map(pairs) => {
            for (index, (key, value)) in pairs.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(between);
                }
                plain(key, between, out);
                out.push(b' ');
                plain(value, between, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn the_delimiter_stands_between_values_only() {
        let bulk = |text: &'static [u8]| Frame::Bulk(Bytes::from_static(text));
        let map = Frame::Map(vec![(bulk(b"k"), Frame::Array(vec![])), (bulk(b"l"), Frame::Boolean(true))]);
        assert_eq!(for_programs(&map, b"\n"), b"k \nl (true)");
        let list = Frame::Array(vec![bulk(b"a"), Frame::Null, Frame::Integer(1)]);
        assert_eq!(for_programs(&list, b", "), b"a, , 1");
    }
}
