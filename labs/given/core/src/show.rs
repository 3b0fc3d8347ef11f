use std::fmt::Write;

/// Bytes as a person reads them: printable ASCII as it is, the rest escaped (`\r`, `\n`, `\x00`).
pub fn show_bytes(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\r' => shown.push_str("\\r"),
            b'\n' => shown.push_str("\\n"),
            b'\t' => shown.push_str("\\t"),
            b'\\' => shown.push_str("\\\\"),
            b'"' => shown.push_str("\\\""),
            0x20..=0x7e => shown.push(byte as char),
            _ => {
                let _ = write!(shown, "\\x{byte:02x}");
            }
        }
    }
    shown
}

/// A command as one would type it: words as they are, anything else quoted.
pub fn show_command<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut shown = String::new();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            shown.push(' ');
        }
        let plain = !part.is_empty() && part.iter().all(|b| b.is_ascii_graphic() && !b"\"'\\".contains(b));
        if plain {
            shown.push_str(&show_bytes(part));
        } else {
            let _ = write!(shown, "\"{}\"", show_bytes(part));
        }
    }
    shown
}
