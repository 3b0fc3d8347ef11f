//! Properties of reading commands: whatever arrives, and however it is cut.

use core_types::{ArgsBuf, write_command};
use proptest::prelude::*;
use solution_0::{CommandDecoder, Limits, ProtocolError, parse_integer, split_inline};

/// Small limits, so that random bytes meet them.
const TIGHT: Limits = Limits { inline: 40, multibulk: 6, bulk: 30, authenticated: true };

/// Feeds `bytes` in pieces of the lengths given (then the rest), and collects commands until an error.
fn feed(bytes: &[u8], pieces: &[usize], limits: &Limits) -> (Vec<ArgsBuf>, Option<ProtocolError>) {
    let mut decoder = CommandDecoder::new();
    let (mut commands, mut buffer, mut rest) = (Vec::new(), Vec::new(), bytes);
    let mut pieces = pieces.iter().copied();
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(pieces.next().unwrap_or(rest.len()).clamp(1, rest.len()));
        buffer.extend_from_slice(piece);
        rest = later;
        loop {
            match decoder.decode(&buffer, limits) {
                Err(error) => return (commands, Some(error)),
                Ok(None) => break,
                Ok(Some(taken)) => {
                    commands.push(decoder.args(&buffer).to_buf());
                    buffer.drain(..taken);
                }
            }
        }
    }
    (commands, None)
}

/// Bytes that look like RESP more often than chance would have it.
fn like_resp() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just(b"*".to_vec()),
        Just(b"$".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\\x4".to_vec()),
        (-3i64..40).prop_map(|n| n.to_string().into_bytes()),
        (0i64..4).prop_map(|n| format!("*{n}\r\n").into_bytes()),
        prop::collection::vec(any::<u8>(), 0..12).prop_map(|v| [
            format!("${}\r\n", v.len()).into_bytes(),
            v,
            b"\r\n".to_vec()
        ]
        .concat()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_any_pieces_give_the_same_commands_and_errors(
        bytes in like_resp(),
        pieces in prop::collection::vec(1usize..9, 0..60),
    ) {
        for limits in [TIGHT, Limits::DEFAULT, Limits::UNAUTHENTICATED] {
            let whole = feed(&bytes, &[], &limits);
            prop_assert_eq!(&whole, &feed(&bytes, &pieces, &limits));
            prop_assert_eq!(&whole, &feed(&bytes, &vec![1; bytes.len()], &limits));
        }
    }

    #[test]
    fn what_a_client_writes_is_what_the_server_reads(
        commands in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..8), 1..8),
        pieces in prop::collection::vec(1usize..30, 0..60),
    ) {
        let mut bytes = bytes::BytesMut::new();
        for command in &commands {
            write_command(&mut bytes, command.iter().map(Vec::as_slice));
        }
        let sent: Vec<_> = commands.iter().map(ArgsBuf::from_parts).collect();
        prop_assert_eq!((sent, None), feed(&bytes, &pieces, &Limits::DEFAULT));
    }

    #[test]
    fn integers_have_one_spelling(value in any::<i64>(), text in "[-+ 0-9]{0,21}") {
        prop_assert_eq!(parse_integer(value.to_string().as_bytes()), Some(value));
        if let Some(value) = parse_integer(text.as_bytes()) {
            prop_assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn quoting_every_byte_brings_the_word_back(words in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..5)) {
        let line: String =
            words.iter().map(|word| format!(" \"{}\"", word.iter().map(|b| format!("\\x{b:02x}")).collect::<String>())).collect();
        prop_assert_eq!(split_inline(line.as_bytes()), Ok(ArgsBuf::from_parts(words)));
    }

    #[test]
    fn splitting_never_panics(line in prop::collection::vec(prop::sample::select(b" \"'\\xn41\r\n\x0b\x00z".to_vec()), 0..30)) {
        let _ = split_inline(&line);
    }
}

#[test]
fn a_claimed_length_takes_no_memory() {
    let mut decoder = CommandDecoder::new();
    assert_eq!(decoder.decode(b"*2147483647\r\n$536870912\r\n", &Limits::DEFAULT), Ok(None));
    assert!(decoder.memory() < 1024, "{} bytes", decoder.memory());
}

#[test]
fn a_command_with_a_million_arguments_does_not_keep_its_memory() {
    let mut bytes = b"*1000000\r\n".to_vec();
    bytes.extend_from_slice(&b"$0\r\n\r\n".repeat(1_000_000));
    let mut decoder = CommandDecoder::new();
    assert_eq!(decoder.decode(&bytes, &Limits::DEFAULT), Ok(Some(bytes.len())));
    assert_eq!(decoder.args(&bytes).len(), 1_000_000);
    assert_eq!(decoder.decode(b"", &Limits::DEFAULT), Ok(None));
    assert!(decoder.memory() <= 128 * 1024, "{} bytes", decoder.memory());
}

/// Asked of redis-server 7.0.15, byte by byte.
#[test]
fn errors_are_redis_s() {
    use ProtocolError::*;
    for (bytes, error) in [
        (&b"*01\r\n"[..], InvalidMultibulkLength),
        (b"*\r\n", InvalidMultibulkLength),
        (b"*2147483648\r\n", InvalidMultibulkLength),
        (b"*99999999999999999999\r\n", InvalidMultibulkLength),
        (b"*1\r\n+x\r\n", ExpectedBulk(b'+')),
        (b"*1\r\n\r\n", ExpectedBulk(b'\r')),
        (b"*1\r\n$-1\r\n", InvalidBulkLength),
        (b"*1\r\n$04\r\nPING\r\n", InvalidBulkLength),
        (b"*1\r\n$536870913\r\n", InvalidBulkLength),
        (b"SET a \"b\r\n", UnbalancedQuotes),
        (b"SET a \"b\"c\r\n", UnbalancedQuotes),
        (&[b'a'; 65537], TooBigInline),
        (&[b'*'; 65537], TooBigMultibulkLine),
    ] {
        assert_eq!(feed(bytes, &[], &Limits::DEFAULT), (vec![], Some(error)), "{}", bytes.escape_ascii());
    }
    for (bytes, error) in [
        (&b"*11\r\n"[..], UnauthenticatedMultibulkLength),
        (b"*2147483648\r\n", InvalidMultibulkLength),
        (b"*1\r\n$16385\r\n", UnauthenticatedBulkLength),
        (b"*1\r\n$536870913\r\n", InvalidBulkLength),
    ] {
        assert_eq!(
            feed(bytes, &[], &Limits::UNAUTHENTICATED),
            (vec![], Some(error)),
            "{}",
            bytes.escape_ascii()
        );
    }
    // Not errors: they wait for more, or mean nothing at all.
    for bytes in [&b"*1\r\n+x"[..], b"*2147483647\r\n", b"*1\r\n$536870912\r\n", &[b'a'; 65536]] {
        assert_eq!(feed(bytes, &[], &Limits::DEFAULT), (vec![], None), "{}", bytes.escape_ascii());
    }
    let (commands, error) = feed(b"*-5\r\n*0\r\n\r\n  \nPING\n*1\rX$4\rXPINGxx", &[], &Limits::DEFAULT);
    assert_eq!(error, None);
    assert_eq!(format!("{commands:?}"), "[, , , , PING, PING]");
}
