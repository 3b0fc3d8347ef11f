use core_types::{Frame, format_double};

/// For people: types are shown, strings are quoted, lists are numbered and indented.
pub(in crate::cli) fn for_people(reply: &Frame) -> Vec<u8> {
    let mut out = Vec::new();
    pretty(reply, "", &mut out);
    out
}

fn pretty(reply: &Frame, prefix: &str, out: &mut Vec<u8>) {
    match reply {
        Frame::Simple(text) => line(out, text.as_bytes()),
        Frame::Error(text) => line(out, format!("(error) {text}").as_bytes()),
        Frame::Integer(number) => line(out, format!("(integer) {number}").as_bytes()),
        Frame::Bulk(bytes) => {
            quote(bytes, out);
            out.push(b'\n');
        }
        Frame::Verbatim(_, bytes) => line(out, bytes),
        Frame::Null => line(out, b"(nil)"),
        Frame::Double(number) => line(out, format!("(double) {}", format_double(*number)).as_bytes()),
        Frame::Boolean(value) => line(out, if *value { b"(true)" } else { b"(false)" }),
        Frame::BigNumber(digits) => line(out, digits.as_bytes()),
        Frame::Array(values) => pretty_list(values, "(empty array)", ')', prefix, out),
        Frame::Set(values) => pretty_list(values, "(empty set)", '~', prefix, out),
        Frame::Push(values) => pretty_list(values, "(empty push)", ')', prefix, out),
        Frame::Map(pairs) if pairs.is_empty() => line(out, b"(empty hash)"),
        Frame::Map(pairs) => {
            let (width, inner) = indent(pairs.len(), prefix);
            for (index, (key, value)) in pairs.iter().enumerate() {
                start_entry(index, width, '#', prefix, out);
                pretty(key, &inner, out);
                // The value goes on where the key's line ended.
                out.pop();
                out.extend_from_slice(b" => ");
                pretty(value, &inner, out);
            }
        }
    }
}

fn pretty_list(values: &[Frame], empty: &str, mark: char, prefix: &str, out: &mut Vec<u8>) {
    if values.is_empty() {
        return line(out, empty.as_bytes());
    }
    let (width, inner) = indent(values.len(), prefix);
    for (index, value) in values.iter().enumerate() {
        start_entry(index, width, mark, prefix, out);
        pretty(value, &inner, out);
    }
}

/// How wide the largest index is, and what the lines of nested values start with.
fn indent(count: usize, prefix: &str) -> (usize, String) {
    let width = count.to_string().len();
    (width, format!("{prefix}{}", " ".repeat(width + 2)))
}

/// The first entry stands on the line of its parent's index, so it gets no prefix.
fn start_entry(index: usize, width: usize, mark: char, prefix: &str, out: &mut Vec<u8>) {
    let prefix = if index == 0 { "" } else { prefix };
    out.extend_from_slice(format!("{prefix}{:>width$}{mark} ", index + 1).as_bytes());
}

pub(super) fn line(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(text);
    out.push(b'\n');
}

/// In double quotes, with everything that is not printable ASCII escaped (`sdscatrepr` in Redis).
pub(in crate::cli) fn quote(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x20..=0x7e => out.push(byte),
            _ => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn bulk(text: &'static [u8]) -> Frame {
        Frame::Bulk(Bytes::from_static(text))
    }

    #[test]
    fn nested_lists_are_numbered_and_indented() {
        let mut values = vec![Frame::Integer(1), Frame::Array(vec![bulk(b"a\"\n\x01"), Frame::Null])];
        values.extend((0..8).map(|_| Frame::Simple("x".into())));
        let shown = String::from_utf8(for_people(&Frame::Array(values))).unwrap();
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[..4], [" 1) (integer) 1", " 2) 1) \"a\\\"\\n\\x01\"", "    2) (nil)", " 3) x"]);
        assert_eq!(lines.last(), Some(&"10) x"));
    }

    #[test]
    fn maps_show_keys_and_values() {
        let map = Frame::Map(vec![(bulk(b"k"), Frame::Array(vec![])), (bulk(b"l"), Frame::Boolean(true))]);
        assert_eq!(for_people(&map), b"1# \"k\" => (empty array)\n2# \"l\" => (true)\n");
    }
}
