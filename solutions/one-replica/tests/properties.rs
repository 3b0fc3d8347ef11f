//! Whatever a master sends: no panic, no memory that follows a claim, and how the network cuts the
//! bytes does not matter.

use bytes::{Bytes, BytesMut};
use core_types::{Args, Endpoint, Machine, Millis, Span};
use proptest::prelude::*;
use solution_1::link::MAX_REPLY;
use solution_1::transfer::{MARK_LEN, MAX_HEADER};
use solution_1::*;

/// Pieces that a master may send, sound and unsound, so that random input gets past the first line.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let id = "a".repeat(40);
    let known = [
        "+PONG\r\n".to_string(),
        "+OK\r\n".into(),
        "+OK\r\n+OK\r\n+OK\r\n".into(),
        "-ERR no\r\n".into(),
        "\n\n".into(),
        format!("+FULLRESYNC {id} 12\r\n"),
        format!("+CONTINUE {id}\r\n"),
        "$5\r\nhello".into(),
        "$18446744073709551615\r\n".into(),
        "$99999999999999999999\r\n".into(),
        "$-1\r\n".into(),
        format!("$EOF:{id}\r\nsnapshot{id}"),
        format!("$EOF:{id}\r\n{}", &id[1..]),
        "x".repeat(2000),
    ];
    prop_oneof![
        4 => prop::sample::select(known.to_vec()).prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ]
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..12).prop_map(|pieces| pieces.concat())
}

/// `bytes` cut at `cuts` (taken modulo the length).
fn cut<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// What a transfer makes of `chunks`: the payload, the announced framing, how it ended, what is left.
fn transfer(chunks: &[&[u8]]) -> (Vec<u8>, Option<Framing>, String, Vec<u8>) {
    let (mut transfer, mut buffer) = (Transfer::new(), BytesMut::new());
    let (mut payload, mut begun, mut end) = (Vec::new(), None, "unfinished".to_string());
    for chunk in chunks {
        buffer.extend_from_slice(chunk);
        while end == "unfinished" {
            match transfer.next(&mut buffer) {
                Ok(Some(Chunk::Begin(framing))) => begun = Some(framing),
                Ok(Some(Chunk::Payload(bytes))) => {
                    assert!(!bytes.is_empty());
                    payload.extend_from_slice(&bytes);
                }
                Ok(Some(Chunk::Done)) => end = "done".into(),
                Ok(None) => break,
                Err(why) => end = why.to_string(),
            }
        }
        if end == "unfinished" {
            assert!(buffer.len() < MAX_HEADER.max(MARK_LEN), "keeps {} bytes", buffer.len());
        }
    }
    (payload, begun, end, buffer.to_vec())
}

/// What a link makes of `chunks`, without the cuts: neighbouring bytes of one kind are joined. Loading
/// succeeds at once.
fn link(chunks: &[&[u8]], config: &LinkConfig) -> Vec<LinkOutput> {
    let mut link = Link::new(Endpoint::new("10.0.0.1", 7000), config.clone());
    let (mut out, mut all) = (Vec::new(), Vec::new());
    link.step(Millis(1), LinkInput::Tick, &mut out);
    link.step(Millis(1), LinkInput::Connected, &mut out);
    for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
        link.step(Millis(2), LinkInput::Received(Bytes::copy_from_slice(chunk)), &mut out);
        link.check_invariants().unwrap();
        assert!(link.state() == LinkState::Loading || link.buffered() <= MAX_REPLY);
        if out.contains(&LinkOutput::Load) {
            link.loaded(Millis(3), Ok(()), &mut out);
        }
        all.append(&mut out);
    }
    all.dedup_by(|next, last| match (last, next) {
        (LinkOutput::Stream(last), LinkOutput::Stream(next))
        | (LinkOutput::Snapshot(last), LinkOutput::Snapshot(next)) => {
            *last = Bytes::from([&last[..], &next[..]].concat());
            true
        }
        _ => false,
    });
    all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn a_transfer_does_not_depend_on_the_cuts(
        bytes in pieces(),
        cuts in prop::collection::vec(any::<usize>(), 0..20),
    ) {
        let whole = transfer(&[&bytes]);
        let cut = transfer(&cut(&bytes, &cuts));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&whole, &cut);
        prop_assert_eq!(&whole, &transfer(&single));
    }

    #[test]
    fn a_snapshot_comes_out_as_it_went_in(
        payload in prop::collection::vec(prop_oneof![Just(b'm'), any::<u8>()], 0..300),
        stream in prop::collection::vec(any::<u8>(), 0..50),
        eof: bool,
        cuts in prop::collection::vec(any::<usize>(), 0..20),
    ) {
        // The payload is full of beginnings of the mark.
        let mark: [u8; MARK_LEN] = std::array::from_fn(|i| if i == MARK_LEN - 1 { b'!' } else { b'm' });
        prop_assume!(!payload.windows(MARK_LEN).any(|window| window == mark));
        let mut replica = Attachment::new(eof);
        let mut sent = Vec::new();
        replica.snapshot_started("b".repeat(40).parse().unwrap(), core_types::Offset(7), &mut Vec::new());
        replica.snapshot_ready(&mark, Bytes::from(payload.clone()), &mut sent);
        let mut bytes = sent.concat();
        bytes.extend_from_slice(&stream);
        let (got, _, end, left) = transfer(&cut(&bytes, &cuts));
        prop_assert_eq!(end, "done");
        prop_assert_eq!(got, payload);
        prop_assert_eq!(left, stream);
    }

    #[test]
    fn a_link_does_not_depend_on_the_cuts(
        bytes in pieces(),
        cuts in prop::collection::vec(any::<usize>(), 0..20),
        password: bool,
        announce: bool,
    ) {
        let config = LinkConfig {
            password: password.then(|| "x".into()),
            announce_ip: announce.then(|| "10.0.0.9".into()),
            ..LinkConfig::default()
        };
        let whole = link(&[&bytes], &config);
        prop_assert_eq!(&whole, &link(&cut(&bytes, &cuts), &config));
    }

    #[test]
    fn lines_of_the_handshake_are_read_without_a_panic(line in prop::collection::vec(any::<u8>(), 0..120)) {
        parse_psync_reply(&line);
        parse_psync_reply(&[b"+FULLRESYNC ", &line[..]].concat());
        for step in [Step::Ping, Step::Auth, Step::Port, Step::Ip, Step::Capa, Step::Psync] {
            on_reply(step, &line, &LinkConfig::default());
        }
    }

    #[test]
    fn any_command_of_the_stream_is_counted(
        parts in prop::collection::vec(prop_oneof![
            Just(b"SELECT".to_vec()), Just(b"select".to_vec()), Just(b"REPLCONF".to_vec()), Just(b"GETACK".to_vec()),
            Just(b"99999999999999999999".to_vec()), Just(b"-1".to_vec()), prop::collection::vec(any::<u8>(), 0..9)
        ], 0..4),
        bytes in 0usize..1_000_000,
    ) {
        let buffer = parts.concat();
        let mut end = 0;
        let spans: Vec<Span> = parts.iter().map(|part| { end += part.len(); Span { start: end - part.len(), end } }).collect();
        let mut reader = StreamReader::new(core_types::Offset(5));
        reader.apply(Args::new(&buffer, &spans), bytes);
        prop_assert_eq!(reader.offset(), core_types::Offset(5).plus(bytes));
    }
}
