//! Properties of replies: what the server writes is what the client reads, in both protocols.

use bytes::{Bytes, BytesMut};
use core_types::{Frame, Protocol, Reply};
use proptest::prelude::*;
use solution_0::{Encoder, FrameDecoder, FrameError};

fn write(encoder: &mut Encoder<'_>, frame: &Frame) {
    match frame {
        Frame::Simple(text) => encoder.simple(text),
        Frame::Error(text) => encoder.error(text),
        Frame::Integer(value) => encoder.integer(*value),
        Frame::Bulk(bytes) => encoder.bulk(bytes),
        Frame::Null => encoder.null(),
        Frame::Double(value) => encoder.double(*value),
        Frame::Boolean(value) => encoder.boolean(*value),
        Frame::BigNumber(digits) => encoder.big_number(digits),
        Frame::Verbatim(format, text) => encoder.verbatim(format, text),
        Frame::Array(values) => {
            encoder.array(values.len());
            values.iter().for_each(|value| write(encoder, value));
        }
        Frame::Set(values) => {
            encoder.set(values.len());
            values.iter().for_each(|value| write(encoder, value));
        }
        Frame::Push(values) => {
            encoder.push(values.len());
            values.iter().for_each(|value| write(encoder, value));
        }
        Frame::Map(pairs) => {
            encoder.map(pairs.len());
            pairs.iter().for_each(|(key, value)| {
                write(encoder, key);
                write(encoder, value);
            });
        }
    }
}

/// The frame as a client that speaks RESP2 sees it.
fn in_resp2(frame: &Frame) -> Frame {
    match frame {
        Frame::Double(value) => Frame::Bulk(core_types::format_double(*value).into()),
        Frame::Boolean(value) => Frame::Integer((*value).into()),
        Frame::BigNumber(digits) => Frame::Bulk(digits.clone().into()),
        Frame::Verbatim(_, text) => Frame::Bulk(text.clone()),
        Frame::Array(values) | Frame::Set(values) | Frame::Push(values) => {
            Frame::Array(values.iter().map(in_resp2).collect())
        }
        Frame::Map(pairs) => {
            Frame::Array(pairs.iter().flat_map(|(key, value)| [in_resp2(key), in_resp2(value)]).collect())
        }
        other => other.clone(),
    }
}

fn frames() -> impl Strategy<Value = Frame> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..30).prop_map(Bytes::from);
    let leaf = prop_oneof![
        "[ -~]{0,20}".prop_map(Frame::Simple),
        "ERR [ -~]{0,20}".prop_map(Frame::Error),
        any::<i64>().prop_map(Frame::Integer),
        bytes().prop_map(Frame::Bulk),
        Just(Frame::Null),
        prop_oneof![-1e20..1e20, prop::num::f64::NORMAL, Just(f64::INFINITY), Just(0.0)]
            .prop_map(Frame::Double),
        any::<bool>().prop_map(Frame::Boolean),
        "-?[1-9][0-9]{19,40}".prop_map(Frame::BigNumber),
        bytes().prop_map(|text| Frame::Verbatim("txt".into(), text)),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let list = || prop::collection::vec(inner.clone(), 0..6);
        prop_oneof![
            list().prop_map(Frame::Array),
            list().prop_map(Frame::Set),
            list().prop_map(Frame::Push),
            prop::collection::vec((inner.clone(), inner.clone()), 0..4).prop_map(Frame::Map),
        ]
    })
}

fn read(bytes: &[u8], pieces: &[usize]) -> (Vec<Frame>, Option<FrameError>) {
    let mut decoder = FrameDecoder::new();
    let (mut read, mut buffer, mut rest) = (Vec::new(), BytesMut::new(), bytes);
    let mut pieces = pieces.iter().copied();
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(pieces.next().unwrap_or(rest.len()).clamp(1, rest.len()));
        buffer.extend_from_slice(piece);
        rest = later;
        loop {
            match decoder.decode(&mut buffer) {
                Err(error) => return (read, Some(error)),
                Ok(None) => break,
                Ok(Some(frame)) => read.push(frame),
            }
        }
    }
    (read, None)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn replies_survive_the_wire_in_both_protocols(
        sent in prop::collection::vec(frames(), 1..5),
        pieces in prop::collection::vec(1usize..40, 0..80),
    ) {
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let mut bytes = BytesMut::new();
            let mut encoder = Encoder::new(&mut bytes, protocol);
            sent.iter().for_each(|frame| write(&mut encoder, frame));
            let expected: Vec<_> = match protocol {
                Protocol::Resp2 => sent.iter().map(in_resp2).collect(),
                Protocol::Resp3 => sent.clone(),
            };
            prop_assert_eq!(&read(&bytes, &pieces), &(expected, None));
        }
    }

    #[test]
    fn any_bytes_are_a_reply_or_an_error_in_any_pieces(
        words in prop::collection::vec(prop_oneof![
            prop::collection::vec(prop::sample::select(b"+-:$*_,#(=!%~>|0123t\r\n".to_vec()), 0..6),
            (0usize..4, prop::sample::select(b"*%~>|$=!".to_vec()))
                .prop_map(|(n, kind)| format!("{}{n}\r\n", char::from(kind)).into_bytes()),
            prop_oneof![Just(":7\r\n"), Just("_\r\n"), Just("#t\r\n"), Just("$2\r\nhi\r\n"), Just("=6\r\ntxt:hi\r\n")]
                .prop_map(|word| word.as_bytes().to_vec()),
        ], 0..40),
        pieces in prop::collection::vec(1usize..9, 0..80),
    ) {
        let bytes = words.concat();
        let whole = format!("{:?}", read(&bytes, &[]));
        prop_assert_eq!(&whole, &format!("{:?}", read(&bytes, &pieces)));
        prop_assert_eq!(&whole, &format!("{:?}", read(&bytes, &vec![1; bytes.len()])));
    }
}

#[test]
fn a_reply_nested_too_deeply_is_an_error_and_not_a_stack_overflow() {
    let deepest = b"*1\r\n".repeat(FrameDecoder::MAX_DEPTH);
    assert_eq!(read(&[&deepest[..], b":1\r\n"].concat(), &[]).1, None);
    for kind in ["*1\r\n", "~1\r\n", ">1\r\n", "%1\r\n", "|1\r\n"] {
        assert_eq!(
            read(&kind.as_bytes().repeat(1_000_000), &[]),
            (vec![], Some(FrameError::TooDeep)),
            "{kind}"
        );
    }
}

#[test]
fn a_line_without_an_end_is_an_error() {
    let endless = [&b"+"[..], &vec![b'x'; FrameDecoder::MAX_LINE]].concat();
    assert_eq!(read(&endless, &[]), (vec![], Some(FrameError::LineTooLong)));
}

#[test]
fn claimed_lengths_wait_and_reserve_nothing() {
    for claim in ["*2147483647\r\n", "%2147483647\r\n", "$2147483647\r\n", "=2147483647\r\n"] {
        let mut buffer = BytesMut::from(claim);
        assert_eq!(FrameDecoder::new().decode(&mut buffer), Ok(None));
        assert!(buffer.capacity() < 1024);
    }
    for claim in ["*2147483648\r\n", "$-2\r\n", "%-1\r\n", "$9223372036854775808\r\n", "*?\r\n"] {
        assert_eq!(read(claim.as_bytes(), &[]), (vec![], Some(FrameError::BadNumber)), "{claim}");
    }
}

#[test]
fn attributes_are_read_and_dropped() {
    let bytes = b"|1\r\n+ttl\r\n:5\r\n$1\r\nx\r\n*2\r\n:1\r\n|1\r\n+a\r\n*1\r\n:9\r\n:2\r\n";
    let list = Frame::Array(vec![Frame::Integer(1), Frame::Integer(2)]);
    assert_eq!(read(bytes, &[]), (vec![Frame::Bulk(Bytes::from_static(b"x")), list], None));
}

/// Recorded from redis-server 7.0.15 with `DEBUG PROTOCOL`, in both protocols.
#[test]
fn types_look_as_redis_writes_them() {
    type Write = fn(&mut Encoder<'_>);
    let cases: [(Write, &str, &str); 13] = [
        (|e| e.simple("OK"), "+OK\r\n", "+OK\r\n"),
        (|e| e.error("ERR a\r\nb"), "-ERR a  b\r\n", "-ERR a  b\r\n"),
        (|e| e.integer(i64::MIN), ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"),
        (|e| e.bulk(b"Hello World"), "$11\r\nHello World\r\n", "$11\r\nHello World\r\n"),
        (|e| e.null(), "$-1\r\n", "_\r\n"),
        (|e| e.null_array(), "*-1\r\n", "_\r\n"),
        (|e| e.double(0.1), "$19\r\n0.10000000000000001\r\n", ",0.10000000000000001\r\n"),
        (|e| e.boolean(true), ":1\r\n", "#t\r\n"),
        (|e| e.boolean(false), ":0\r\n", "#f\r\n"),
        (|e| e.map(3), "*6\r\n", "%3\r\n"),
        (|e| e.set(3), "*3\r\n", "~3\r\n"),
        (
            |e| e.big_number("1234567999999999999999999999999999999"),
            "$37\r\n1234567999999999999999999999999999999\r\n",
            "(1234567999999999999999999999999999999\r\n",
        ),
        (
            |e| e.verbatim("txt", b"This is a verbatim\nstring"),
            "$25\r\nThis is a verbatim\nstring\r\n",
            "=29\r\ntxt:This is a verbatim\nstring\r\n",
        ),
    ];
    for (call, resp2, resp3) in cases {
        for (protocol, expected) in [(Protocol::Resp2, resp2), (Protocol::Resp3, resp3)] {
            let mut bytes = BytesMut::new();
            call(&mut Encoder::new(&mut bytes, protocol));
            assert_eq!(bytes, expected.as_bytes(), "{protocol:?}");
        }
    }
}
