//! What a byte stream between two nodes says, for the trace: commands, replies and snapshots, each as one line.
//!
//! This is no decoder to build on (that is chapter 0's exercise): it reads whatever it is given, and what it
//! cannot make sense of it calls by its length. It never fails.

use core_types::{show_bytes, show_command};

/// A value longer than this is cut short in a label.
const SHOWN: usize = 40;
/// Nesting beyond this is no reply anybody sends.
const DEPTH: usize = 16;
/// A message that is not complete within so many bytes is not waited for.
const PATIENCE: usize = 1 << 20;

/// Reads one direction of a connection piece by piece and names each message once its last byte is there.
#[derive(Debug, Default)]
pub struct RespLabeler {
    buffer: Vec<u8>,
    mode: Mode,
}

#[derive(Debug, Default)]
enum Mode {
    /// Commands or replies.
    #[default]
    Messages,
    /// Behind `+FULLRESYNC`: line breaks that keep the link alive, then the snapshot's header.
    Header,
    /// A snapshot whose length was told in advance.
    Counted { len: usize, left: usize },
    /// A snapshot that ends with this mark.
    Marked { mark: Vec<u8>, seen: usize },
    /// Something else: every piece is told by its length.
    Opaque,
}

/// How the front of the buffer reads.
enum Read {
    /// One message, of so many bytes. No label: not worth a line.
    Message(usize, Option<String>),
    /// It is not complete yet.
    More,
    /// It is not RESP.
    Garbage,
}

impl RespLabeler {
    /// Takes the next piece. Each label comes with the number of bytes of this piece that belong to it or to
    /// what came before it.
    pub fn feed(&mut self, piece: &[u8]) -> Vec<(usize, String)> {
        self.buffer.extend_from_slice(piece);
        let total = self.buffer.len();
        let before = total - piece.len();
        let mut at = 0;
        let mut labels = Vec::new();
        while at < total {
            let read = read_front(&mut self.mode, &self.buffer[at..]);
            match read {
                Read::Message(len, label) => {
                    at += len;
                    labels.extend(label.map(|label| (at.saturating_sub(before), label)));
                }
                Read::More if total - at <= PATIENCE => break,
                Read::More | Read::Garbage => {
                    self.mode = Mode::Opaque;
                }
            }
        }
        self.buffer.drain(..at);
        labels
    }
}

/// What every packet of a cluster's bus begins with. No command and no reply does.
const BUS: [u8; 4] = *b"RCmb";
/// The kinds of packets, by number.
const BUS_KINDS: [&str; 11] = [
    "PING",
    "PONG",
    "MEET",
    "FAIL",
    "PUBLISH",
    "AUTH-REQ",
    "AUTH-ACK",
    "UPDATE",
    "MFSTART",
    "MODULE",
    "PUBLISHSHARD",
];
/// Where the body of a packet begins.
const BUS_BODY: usize = 2256;

/// Where a packet's own flags are; the lowest says that its sender, a master, holds its writers back.
const BUS_MESSAGE_FLAGS: usize = 2253;
/// How long the entry of one node is of whom a heartbeat tells, and where its flags are.
const BUS_ENTRY: (usize, usize) = (104, 98);
/// So many nodes are named; of more only those that may have failed.
const BUS_NAMED: usize = 4;

/// Of whom a heartbeat tells, and which of them may have failed.
fn told(bytes: &[u8], count: u64) -> String {
    let entries = bytes[BUS_BODY..].chunks_exact(BUS_ENTRY.0).take(count as usize);
    let mut label = if count > 0 { format!(" +{count}") } else { String::new() };
    for entry in entries {
        let failing = entry[BUS_ENTRY.1 + 1] & (4 | 8) != 0;
        if failing || count as usize <= BUS_NAMED {
            label.push(' ');
            label.push_str(&String::from_utf8_lossy(&entry[..8]));
            label.push_str(if failing { "?" } else { "" });
        }
    }
    label
}

/// One packet of a cluster's bus: its kind, and what matters most in it. Of a heartbeat that is the sender's epoch and the
/// greatest that it knows, how many others it tells of, and who they are (with a question mark: it may have failed).
fn read_bus(bytes: &[u8]) -> Read {
    let number = |at: usize, size: usize| {
        bytes.get(at..at + size).map(|part| part.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    let Some(length) = number(4, 4).map(|length| length as usize) else { return Read::More };
    if length < BUS_BODY {
        return Read::Garbage;
    }
    if bytes.len() < length {
        return Read::More;
    }
    let (kind, count, epoch) =
        (number(12, 2).unwrap_or(0), number(14, 2).unwrap_or(0), number(16, 8).unwrap_or(0));
    let kind = BUS_KINDS.get(kind as usize).copied().unwrap_or("UNKNOWN");
    let id = |at: usize| String::from_utf8_lossy(bytes.get(at..at + 8).unwrap_or_default()).into_owned();
    let label = match kind {
        "PING" | "PONG" | "MEET" => {
            let paused = if number(BUS_MESSAGE_FLAGS, 1).unwrap_or(0) & 1 != 0 { " paused" } else { "" };
            format!("{kind} {}/{epoch}{}{paused}", number(24, 8).unwrap_or(0), told(bytes, count))
        }
        "FAIL" => format!("FAIL {}", id(BUS_BODY)),
        "UPDATE" => format!("UPDATE {} epoch {}", id(BUS_BODY + 8), number(BUS_BODY, 8).unwrap_or(0)),
        "AUTH-REQ" | "AUTH-ACK" => format!("{kind} epoch {epoch}"),
        _ => kind.to_string(),
    };
    Read::Message(length, Some(label))
}

fn read_front(mode: &mut Mode, bytes: &[u8]) -> Read {
    match mode {
        Mode::Messages if bytes[0] == BUS[0] && bytes.starts_with(&BUS[..bytes.len().min(BUS.len())]) => {
            read_bus(bytes)
        }
        Mode::Messages => {
            let read = read_message(bytes);
            if let Read::Message(_, Some(label)) = &read
                && label.starts_with("+FULLRESYNC")
            {
                *mode = Mode::Header;
            }
            read
        }
        Mode::Header => {
            if bytes[0] == b'\n' {
                return Read::Message(1, Some("\\n".into()));
            }
            let Some((line, next)) = line(bytes) else { return Read::More };
            if let Some(mark) = line.strip_prefix(b"$EOF:") {
                *mode = Mode::Marked { mark: mark.to_vec(), seen: 0 };
            } else if let Some(len) = line.strip_prefix(b"$").and_then(length) {
                *mode = Mode::Counted { len, left: len };
            } else {
                *mode = Mode::Messages;
                return read_message(bytes);
            }
            Read::Message(next, None)
        }
        Mode::Counted { len, left } => {
            let taken = bytes.len().min(*left);
            *left -= taken;
            let whole = (*left == 0).then(|| format!("<snapshot {len} bytes>"));
            if *left == 0 {
                *mode = Mode::Messages;
            }
            Read::Message(taken, whole)
        }
        Mode::Marked { mark, seen } => {
            let Some(end) = find(bytes, mark) else {
                // Keep what may be the beginning of the mark.
                let sure = bytes.len().saturating_sub(mark.len());
                *seen += sure;
                return if sure == 0 { Read::More } else { Read::Message(sure, None) };
            };
            let label = format!("<snapshot {} bytes>", *seen + end);
            let len = end + mark.len();
            *mode = Mode::Messages;
            Read::Message(len, Some(label))
        }
        Mode::Opaque => Read::Message(bytes.len(), Some(format!("<{} bytes>", bytes.len()))),
    }
}

fn read_message(bytes: &[u8]) -> Read {
    match bytes[0] {
        b'\n' => Read::Message(1, Some("\\n".into())),
        b'*' if let Some((words, len)) = command(bytes) => {
            Read::Message(len, Some(show_command(words.iter().map(Vec::as_slice))))
        }
        b'*' | b'+' | b'-' | b':' | b'$' | b'%' | b'~' | b'>' | b'_' | b',' | b'#' | b'(' | b'=' | b'!' => {
            frame(bytes, DEPTH)
        }
        _ => {
            // A command typed by hand.
            let Some((line, next)) = line(bytes) else { return Read::More };
            let words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
            let words: Vec<Vec<u8>> = words.map(shorten).collect();
            Read::Message(next, Some(show_command(words.iter().map(Vec::as_slice))))
        }
    }
}

/// An array of bulk strings, which is what a command looks like; `None` for anything else, also if unfinished.
fn command(bytes: &[u8]) -> Option<(Vec<Vec<u8>>, usize)> {
    let (head, mut at) = line(bytes)?;
    let count = length(head.get(1..)?).filter(|&count| count > 0)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let (head, next) = line(&bytes[at..])?;
        let len = length(head.strip_prefix(b"$")?)?;
        let start = at + next;
        let end = start.checked_add(len)?;
        words.push(shorten(bytes.get(start..end)?));
        at = end.checked_add(2).filter(|&at| at <= bytes.len())?;
    }
    Some((words, at))
}

fn frame(bytes: &[u8], depth: usize) -> Read {
    if depth == 0 {
        return Read::Garbage;
    }
    let Some((head, next)) = line(bytes) else { return Read::More };
    let Some((&kind, text)) = head.split_first() else { return Read::Garbage };
    match kind {
        b'$' | b'=' | b'!' => {
            if text == b"-1" {
                return Read::Message(next, Some("(nil)".into()));
            }
            let Some(len) = length(text) else { return Read::Garbage };
            let Some(whole) = next.checked_add(len).and_then(|end| end.checked_add(2)) else {
                return Read::Garbage;
            };
            match bytes.get(next..whole - 2) {
                Some(value) if bytes.len() >= whole => {
                    if let Some(info) = info(value) {
                        return Read::Message(whole, Some(info));
                    }
                    let value = shorten(value);
                    Read::Message(whole, Some(format!("\"{}\"", show_bytes(&value))))
                }
                _ => Read::More,
            }
        }
        b'*' | b'%' | b'~' | b'>' => {
            if text == b"-1" {
                return Read::Message(next, Some("(nil)".into()));
            }
            let Some(count) = length(text) else { return Read::Garbage };
            let count = if kind == b'%' { count.saturating_mul(2) } else { count };
            let mut at = next;
            let mut parts = Vec::new();
            for _ in 0..count {
                if at >= bytes.len() {
                    return Read::More;
                }
                match frame(&bytes[at..], depth - 1) {
                    Read::Message(len, label) => {
                        at += len;
                        parts.extend(label);
                    }
                    other => return other,
                }
            }
            let (open, close) = if kind == b'%' { ('{', '}') } else { ('[', ']') };
            let text = parts.join(", ");
            let text = String::from_utf8_lossy(&shorten_to(text.as_bytes(), 2 * SHOWN)).into_owned();
            Read::Message(at, Some(format!("{open}{text}{close}")))
        }
        b'+' | b'-' | b':' | b',' | b'#' | b'(' | b'_' => {
            let words: Vec<Vec<u8>> = text.split(|byte| *byte == b' ').map(shorten_id).collect();
            let text = shorten_to(&words.join(&b' '), 2 * SHOWN);
            Read::Message(next, Some(format!("{}{}", kind as char, show_text(&text))))
        }
        _ => Read::Garbage,
    }
}

/// A whole `INFO` is known by what a sentinel reads in it: the role, and what becomes of a replica's link.
fn info(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.starts_with("# Server\r\n"))?;
    let field = |name| text.lines().find_map(|line: &str| line.strip_prefix(name)?.strip_prefix(':'));
    let Some(master) = field("master_host") else { return Some(format!("<INFO: {}>", field("role")?)) };
    Some(format!("<INFO: slave of {master}, link {}>", field("master_link_status")?))
}

/// As [`show_bytes`], but without a backslash before quotes: nothing encloses this text.
fn show_text(bytes: &[u8]) -> String {
    show_bytes(bytes).replace("\\\"", "\"")
}

/// The line at the front, without its end, and where the next begins. A lone line feed ends a line too.
fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let text = &bytes[..end];
    Some((text.strip_suffix(b"\r").unwrap_or(text), end + 1))
}

fn length(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    if mark.is_empty() {
        return Some(bytes.len());
    }
    bytes.windows(mark.len()).position(|window| window == mark)
}

/// Replication ids, node ids and run ids are known by their first eight digits.
fn shorten_id(word: &[u8]) -> Vec<u8> {
    if word.len() == 40 && word.iter().all(u8::is_ascii_hexdigit) {
        [&word[..8], b".."].concat()
    } else {
        word.to_vec()
    }
}

fn shorten(word: &[u8]) -> Vec<u8> {
    // A sentinel's hello has its id between commas.
    let fields: Vec<Vec<u8>> = word.split(|byte| *byte == b',').map(shorten_id).collect();
    shorten_to(&fields.join(&b','), SHOWN)
}

fn shorten_to(text: &[u8], limit: usize) -> Vec<u8> {
    if text.len() <= limit {
        return text.to_vec();
    }
    [&text[..limit - 10], format!("..({} bytes)", text.len()).as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use core_types::Rng;

    use super::*;

    fn labels(pieces: &[&[u8]]) -> Vec<String> {
        let mut labeler = RespLabeler::default();
        pieces.iter().flat_map(|piece| labeler.feed(piece)).map(|(_, label)| label).collect()
    }

    #[test]
    fn commands_and_replies_read_as_one_would_type_them() {
        let stream = b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$3\r\na b\r\nPING\r\n+OK\r\n-ERR no\r\n:12\r\n$-1\r\n$2\r\nhi\r\n\
            *2\r\n:1\r\n*1\r\n$1\r\nx\r\n%1\r\n+a\r\n_\r\n\n";
        let expected = [
            "SET x \"a b\"",
            "PING",
            "+OK",
            "-ERR no",
            ":12",
            "(nil)",
            "\"hi\"",
            "[:1, [\"x\"]]",
            "{+a, _}",
            "\\n",
        ];
        assert_eq!(labels(&[stream]), expected);
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(labels(&bytes), expected);
    }

    #[test]
    fn a_label_comes_with_its_last_byte() {
        let mut labeler = RespLabeler::default();
        assert_eq!(labeler.feed(b"+PO"), []);
        assert_eq!(labeler.feed(b"NG\r\n+OK\r\n+"), [(4, "+PONG".to_string()), (9, "+OK".to_string())]);
    }

    #[test]
    fn snapshots_are_told_by_their_length() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let header = format!("+FULLRESYNC {id} 42\r\n");
        let counted = [header.as_bytes(), b"\n$5\r\n*1\r\n+", b"+OK\r\n"].concat();
        let expected = ["+FULLRESYNC 01234567.. 42", "\\n", "<snapshot 5 bytes>", "+OK"];
        assert_eq!(labels(&[&counted]), expected);
        let marked =
            [header.as_bytes(), b"\n$EOF:", id.as_bytes(), b"\r\nabc\r\n", id.as_bytes(), b"+OK\r\n"]
                .concat();
        assert_eq!(labels(&[&marked]), expected);
        assert_eq!(labels(&marked.chunks(1).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn what_a_sentinel_hears_is_told_by_what_it_looks_for() {
        let long = "filler:0\r\n".repeat(20);
        let master = format!("# Server\r\n{long}# Replication\r\nrole:master\r\nslave0:ip=a\r\n");
        let replica = format!("# Server\r\n{long}role:slave\r\nmaster_host:a\r\nmaster_link_status:up\r\n");
        let hello = format!("s1,26379,{},1,shop,master,7000,0", "0123456789".repeat(4));
        let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
        let spoken = [bulk(&master), bulk(&replica), bulk(&hello)].concat();
        let expected =
            ["<INFO: master>", "<INFO: slave of a, link up>", "\"s1,26379,01234567..,1,shop,master,7000,0\""];
        assert_eq!(labels(&[spoken.as_bytes()]), expected);
    }

    #[test]
    fn packets_of_the_bus_are_told_by_their_kind() {
        let packet = |kind: u8, count: u8, body: &[u8]| {
            let mut bytes = vec![0; BUS_BODY];
            bytes[..4].copy_from_slice(b"RCmb");
            bytes[4..8].copy_from_slice(&((BUS_BODY + body.len()) as u32).to_be_bytes());
            (bytes[13], bytes[15], bytes[23]) = (kind, count, 6);
            [&bytes, body].concat()
        };
        let id = [b"0123456789abcdef".as_slice(), &[b'0'; 24]].concat();
        let entry = |flag: u8| [&id[..], &[0; 59], &[flag], &[0; 4]].concat();
        let update = [&[0, 0, 0, 0, 0, 0, 0, 9], &id[..], &[0; 2048]].concat();
        let stream = [
            packet(2, 0, &[]),
            packet(1, 2, &[entry(0), entry(4)].concat()),
            packet(0, 5, &[entry(0), entry(8), entry(0), entry(0), entry(0)].concat()),
            packet(3, 0, &id),
            packet(7, 0, &update),
            packet(5, 0, &[]),
            packet(200, 0, b"x"),
        ]
        .concat();
        let expected = [
            "MEET 0/6",
            "PONG 0/6 +2 01234567 01234567?",
            "PING 0/6 +5 01234567?",
            "FAIL 01234567",
            "UPDATE 01234567 epoch 9",
            "AUTH-REQ epoch 6",
            "UNKNOWN",
        ];
        assert_eq!(labels(&[&stream]), expected);
        assert_eq!(labels(&stream.chunks(1).collect::<Vec<_>>()), expected);
        assert_eq!(labels(&[b"RCmb\0\0\0\x01"]), ["<8 bytes>"], "shorter than its own header");
    }

    #[test]
    fn garbage_never_fails() {
        let alphabet = b"*$+-:%\r\n0123459x=!\xff";
        for seed in 0..2000 {
            let mut rng = Rng::new(seed);
            let mut labeler = RespLabeler::default();
            for _ in 0..20 {
                let piece: Vec<u8> = (0..rng.below(30)).filter_map(|_| rng.pick(alphabet).copied()).collect();
                for (behind, _) in labeler.feed(&piece) {
                    assert!(behind <= piece.len());
                }
            }
        }
        labels(&[&[b"*1\r\n".repeat(100_000), b":1\r\n".to_vec()].concat()]);
        labels(&[b"*9223372036854775807\r\n$18446744073709551615\r\nx\r\n"]);
    }
}
