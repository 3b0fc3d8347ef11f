//! What nodes send that are newer than Redis 7.0: read as far as it is understood, and the rest passed over.
//!
//! The packets are put together here byte by byte, by the layout that Redis 7.2 and Valkey use, so that no mistake of
//! the encoder is repeated. Their front is a captured one.

use bus::{Arrival, Body, Decoder, Extension, HEADER_LEN, Kind, Packet, PacketError};

const NAME: &str = "0123456789abcdef0123456789abcdef01234567";

/// A heartbeat of a real node without gossip and extensions.
fn front() -> Vec<u8> {
    let path = format!("{}/tests/captured/ping.bin", env!("CARGO_MANIFEST_DIR"));
    let mut packet = std::fs::read(path).expect("a captured packet");
    packet.truncate(HEADER_LEN);
    packet[14..16].fill(0);
    packet
}

/// Length, kind, two spare bytes, data, zeros up to a multiple of eight.
fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    let length = 8 + data.len().next_multiple_of(8);
    let mut bytes = (length as u32).to_be_bytes().to_vec();
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(data);
    bytes.resize(length, 0);
    bytes
}

/// The front with these behind it.
fn heartbeat(extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut packet = front();
    packet[2214..2216].copy_from_slice(&(extensions.len() as u16).to_be_bytes());
    packet[2253] |= 4;
    extensions.iter().for_each(|bytes| packet.extend(bytes));
    let length = packet.len() as u32;
    packet[4..8].copy_from_slice(&length.to_be_bytes());
    packet
}

fn told(packet: &[u8]) -> Vec<Extension<'_>> {
    match Packet::parse(packet).expect("a good packet").body {
        Body::Beat(beat) => beat.extensions.iter().collect(),
        other => panic!("no heartbeat: {other:?}"),
    }
}

fn forgotten(seconds: u64) -> Vec<u8> {
    [NAME.as_bytes(), &seconds.to_be_bytes()].concat()
}

#[test]
fn what_redis_7_2_adds_is_read() {
    let packet = heartbeat(&[
        extension(0, b"one.example.org\0"),
        extension(1, b"a name for people\0"),
        extension(2, &forgotten(60)),
        extension(3, NAME.as_bytes()),
    ]);
    let id = NAME.parse().expect("an id");
    let expected = [
        Extension::Hostname("one.example.org"),
        Extension::HumanName("a name for people"),
        Extension::ForgottenNode(id, 60),
        Extension::ShardId(id),
    ];
    assert_eq!(told(&packet), expected);
}

#[test]
fn what_nobody_knows_yet_is_passed_over_and_what_follows_is_read() {
    for kind in [4, 77, u16::MAX] {
        for data in [&[][..], &[0xff; 3], &[0; 4000]] {
            let packet = heartbeat(&[extension(kind, data), extension(0, b"one.example.org\0")]);
            assert_eq!(told(&packet), [Extension::Other(kind), Extension::Hostname("one.example.org")]);
        }
    }
}

#[test]
fn known_ones_with_other_data_are_passed_over_too() {
    let bad = [
        extension(0, b""),
        extension(0, b"without its end."),
        extension(0, b"no \xff text\0"),
        extension(1, b""),
        extension(2, NAME.as_bytes()),
        extension(2, &[b'x'; 48]),
        extension(3, &NAME.as_bytes()[..32]),
        extension(3, &[0; 40]),
    ];
    for one in &bad {
        let packet = heartbeat(&[one.clone(), extension(3, NAME.as_bytes())]);
        let [first, second] = told(&packet)[..] else { panic!("two of them") };
        assert!(matches!(first, Extension::Other(_)), "{first:?}");
        assert_eq!(second, Extension::ShardId(NAME.parse().expect("an id")));
    }
    // Longer than today's is longer tomorrow.
    let longer = heartbeat(&[extension(3, &[NAME.as_bytes(), &[7; 24]].concat())]);
    assert_eq!(told(&longer), [Extension::ShardId(NAME.parse().expect("an id"))]);
}

#[test]
fn cut_short_anywhere_it_is_no_packet_and_the_next_one_is_read() {
    let whole = heartbeat(&[extension(2, &forgotten(1)), extension(3, NAME.as_bytes())]);
    for length in HEADER_LEN..whole.len() {
        let mut cut = whole[..length].to_vec();
        cut[4..8].copy_from_slice(&(length as u32).to_be_bytes());
        let why = Packet::parse(&cut).expect_err("a part is missing");
        assert!(matches!(why, PacketError::ExtensionCut | PacketError::Length { .. }), "{length}: {why}");
        let mut decoder = Decoder::new(1000);
        decoder.feed(&[&cut[..], &whole].concat());
        assert_eq!(decoder.next(), Ok(Some(Arrival::Packet(cut.into()))), "its length is honest");
        assert_eq!(decoder.next(), Ok(Some(Arrival::Packet(whole.clone().into()))));
    }
}

/// Valkey marks light headers by the highest bit of the kind, and sends them only to those who say that they know them,
/// which we do not; real ones are in `captured_valkey.rs`. On a packet that is long enough for a header that bit makes a kind
/// that does not exist.
#[test]
fn the_mark_of_a_light_header_makes_a_kind_that_does_not_exist() {
    let mut short = heartbeat(&[]);
    short[12] |= 0x80;
    let mut decoder = Decoder::new(1000);
    let whole = heartbeat(&[]);
    decoder.feed(&[&short[..], &whole].concat());
    let kind = Kind::Ping.number() | 0x8000;
    assert_eq!(decoder.next(), Ok(Some(Arrival::Dropped { kind, why: PacketError::Kind(kind) })));
    assert_eq!(decoder.next(), Ok(Some(Arrival::Packet(whole.into()))));
}
