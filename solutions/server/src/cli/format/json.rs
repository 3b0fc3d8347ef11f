use core_types::{Frame, format_double};

use super::people::quote;

/// JSON on one line. `ascii`: strings are quoted as for people first, so that any bytes can be told apart;
/// else bytes beyond ASCII stand as they are.
pub(in crate::cli) fn json(reply: &Frame, ascii: bool) -> Vec<u8> {
    let mut out = Vec::new();
    write(reply, ascii, &mut out);
    out
}

fn write(reply: &Frame, ascii: bool, out: &mut Vec<u8>) {
    match reply {
        Frame::Error(text) => {
            out.extend_from_slice(b"error:");
            string(text.as_bytes(), ascii, out);
        }
        Frame::Simple(text) => string(text.as_bytes(), ascii, out),
        Frame::Bulk(bytes) | Frame::Verbatim(_, bytes) => string(bytes, ascii, out),
        Frame::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Frame::Double(number) => out.extend_from_slice(format_double(*number).as_bytes()),
        Frame::BigNumber(digits) => out.extend_from_slice(digits.as_bytes()),
        Frame::Null => out.extend_from_slice(b"null"),
        Frame::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Frame::Array(values) | Frame::Set(values) | Frame::Push(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(value, ascii, out);
            }
            out.push(b']');
        }
        Frame::Map(pairs) => {
            out.push(b'{');
            for (index, (key, value)) in pairs.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                name(key, ascii, out);
                out.push(b':');
                write(value, ascii, out);
            }
            out.push(b'}');
        }
    }
}

/// JSON knows only strings as names.
fn name(key: &Frame, ascii: bool, out: &mut Vec<u8>) {
    match key {
        Frame::Error(_) | Frame::Simple(_) | Frame::Bulk(_) | Frame::Verbatim(..) => write(key, ascii, out),
        other => {
            out.push(b'"');
            write(other, ascii, out);
            out.push(b'"');
        }
    }
}

fn string(bytes: &[u8], ascii: bool, out: &mut Vec<u8>) {
    if ascii {
        // Quoted for people first, and what came out of that as JSON. (redis-cli 7.0 forgets to escape the
        // quotes inside, and what it prints is no JSON then.)
        let mut quoted = Vec::new();
        quote(bytes, &mut quoted);
        return string(&quoted[1..quoted.len() - 1], false, out);
    }
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
