//! What is encoded is decoded again, in whatever pieces it arrives; what is no packet is told from one.

use bus::{
    Arrival, Bitmap, Body, Decoder, Extension, Gossip, HEADER_LEN, Header, Kind, Packet, PacketError, encode,
    message_flag,
};
use bytes::BytesMut;
use core_types::{Epoch, NodeId, Offset, Rng};
use proptest::prelude::*;

fn id(seed: u64) -> NodeId {
    NodeId::random(&mut Rng::new(seed))
}

/// A header whose every field follows from `seed`.
fn header<'a>(seed: u64, slots: &'a Bitmap, ip: &'a str) -> Header<'a> {
    let mut rng = Rng::new(seed);
    Header {
        sender: NodeId::random(&mut rng),
        current_epoch: Epoch(rng.next_u64()),
        config_epoch: Epoch(rng.next_u64()),
        offset: Offset(rng.next_u64()),
        slots,
        master: rng.chance(50).then(|| NodeId::random(&mut rng)),
        ip,
        port: rng.next_u64() as u16,
        plain_port: rng.next_u64() as u16,
        bus_port: rng.next_u64() as u16,
        flags: rng.next_u64() as u16,
        down: rng.chance(50),
        message_flags: (rng.next_u64() as u8) & !message_flag::EXTENSIONS,
    }
}

fn gossip(seed: u64, ip: &str) -> Gossip<'_> {
    let mut rng = Rng::new(seed);
    Gossip {
        id: NodeId::random(&mut rng),
        ping_sent: rng.next_u64() as u32,
        pong_received: rng.next_u64() as u32,
        ip,
        port: rng.next_u64() as u16,
        bus_port: rng.next_u64() as u16,
        flags: rng.next_u64() as u16,
        plain_port: rng.next_u64() as u16,
    }
}

fn bitmap(seed: u64) -> Bitmap {
    let mut rng = Rng::new(seed);
    std::array::from_fn(|_| rng.next_u64() as u8)
}

fn arrivals(decoder: &mut Decoder) -> Vec<Arrival> {
    std::iter::from_fn(|| decoder.next().expect("a bus")).collect()
}

proptest! {
    #[test]
    fn a_heartbeat_comes_back_as_it_was(
        seed: u64,
        which in 0u16..3,
        count in 0usize..40,
        ip in "[0-9a-f:.]{0,45}",
        names in proptest::collection::vec("[a-z.]{0,60}", 0..3),
    ) {
        let (kind, slots) = (Kind::from_number(which).unwrap(), bitmap(seed));
        let header = header(seed, &slots, &ip);
        let entries: Vec<Gossip<'_>> = (0..count).map(|n| gossip(seed ^ n as u64, &ip)).collect();
        let mut extensions: Vec<Extension<'_>> = names.iter().map(|name| Extension::Hostname(name)).collect();
        if seed % 2 == 0 {
            let more = [Extension::HumanName("me"), Extension::ForgottenNode(id(1), seed), Extension::ShardId(id(2))];
            extensions.extend(more);
        }
        let mut out = BytesMut::from(&b"before"[..]);
        encode::beat(&mut out, kind, &header, entries.iter().copied(), &extensions);
        prop_assert_eq!(&out[..6], b"before");
        let packet = Packet::parse(&out[6..]).unwrap();
        prop_assert_eq!(packet.kind, kind);
        let mut expected = header;
        if !extensions.is_empty() {
            expected.message_flags |= message_flag::EXTENSIONS;
        }
        prop_assert_eq!(packet.header, expected);
        let Body::Beat(beat) = packet.body else { panic!("no heartbeat") };
        prop_assert_eq!(beat.gossip.iter().collect::<Vec<_>>(), entries);
        prop_assert_eq!(beat.gossip.len(), count);
        prop_assert_eq!(beat.extensions.iter().collect::<Vec<_>>(), extensions);
    }

    #[test]
    fn the_others_come_back_as_they_were(
        seed: u64,
        channel in proptest::collection::vec(any::<u8>(), 0..300),
        message in proptest::collection::vec(any::<u8>(), 0..3000),
    ) {
        let (slots, others) = (bitmap(seed), bitmap(seed ^ 1));
        let header = header(seed, &slots, "");
        let mut out = BytesMut::new();
        encode::fail(&mut out, &header, id(seed));
        encode::update(&mut out, &header, Epoch(seed), id(seed), &others);
        prop_assert!(encode::publish(&mut out, Kind::Publish, &header, &channel, &message));
        prop_assert!(encode::publish(&mut out, Kind::PublishShard, &header, &channel, &message));
        for kind in [Kind::AuthRequest, Kind::AuthAck, Kind::FailoverStart] {
            encode::plain(&mut out, kind, &header);
        }
        let mut decoder = Decoder::new(10_000);
        decoder.feed(&out);
        let arrivals = arrivals(&mut decoder);
        let packets: Vec<Packet<'_>> = arrivals
            .iter()
            .map(|arrival| match arrival {
                Arrival::Packet(bytes) => Packet::parse(bytes).unwrap(),
                other => panic!("{other:?}"),
            })
            .collect();
        let (channel, message) = (&channel[..], &message[..]);
        let expected = [
            (Kind::Fail, Body::Fail(id(seed))),
            (Kind::Update, Body::Update { config_epoch: Epoch(seed), node: id(seed), slots: &others }),
            (Kind::Publish, Body::Publish { channel, message }),
            (Kind::PublishShard, Body::Publish { channel, message }),
            (Kind::AuthRequest, Body::Nothing),
            (Kind::AuthAck, Body::Nothing),
            (Kind::FailoverStart, Body::Nothing),
        ];
        prop_assert_eq!(packets.len(), expected.len());
        for (packet, (kind, body)) in packets.iter().zip(expected) {
            prop_assert_eq!(packet, &Packet { kind, header, body });
        }
    }

    #[test]
    fn pieces_make_no_difference(seed: u64, cuts in proptest::collection::vec(1usize..4000, 0..20)) {
        let slots = bitmap(seed);
        let mut stream = stream_with_bad_packets(&header(seed, &slots, "::1"));
        let mut whole = Decoder::new(64);
        whole.feed(&stream);
        let expected = arrivals(&mut whole);
        prop_assert!(expected.len() >= 6);

        let (mut pieces, mut got) = (Decoder::new(64), Vec::new());
        for cut in cuts.into_iter().chain([usize::MAX]) {
            let piece = stream.split_to(cut.min(stream.len()));
            pieces.feed(&piece);
            got.extend(arrivals(&mut pieces));
        }
        prop_assert_eq!(got, expected);
        prop_assert_eq!(pieces.held(), 0);
    }

    #[test]
    fn arbitrary_bytes_never_panic(data in proptest::collection::vec(any::<u8>(), 0..6000), seed: u64) {
        let _ = Packet::parse(&data);
        // The same behind a good header, with some of the header's bytes changed.
        let slots = bitmap(seed);
        let mut packet = BytesMut::new();
        encode::beat(&mut packet, Kind::Ping, &header(seed, &slots, "10.0.0.1"), [gossip(seed, "x")], &[]);
        packet.extend_from_slice(&data);
        let mut rng = Rng::new(seed);
        for _ in 0..rng.below(6) {
            let at = rng.below(HEADER_LEN as u64) as usize;
            packet[at] = rng.next_u64() as u8;
        }
        let length = packet.len() as u32;
        packet[4..8].copy_from_slice(&length.to_be_bytes());
        if let Ok(packet) = Packet::parse(&packet) {
            // Whatever is in there can be looked at.
            let _ = format!("{packet:?}");
        }
        let mut decoder = Decoder::new(1000);
        decoder.feed(&packet);
        while let Ok(Some(arrival)) = decoder.next() {
            if let Arrival::Packet(bytes) = arrival {
                let _ = Packet::parse(&bytes).map(|packet| format!("{packet:?}"));
            }
        }
    }
}

/// Good packets and bad ones in turn.
fn stream_with_bad_packets(header: &Header<'_>) -> BytesMut {
    let mut out = BytesMut::new();
    encode::beat(&mut out, Kind::Ping, header, [gossip(1, "1.2.3.4")], &[]);
    let version = out.len();
    encode::fail(&mut out, header, id(3));
    out[version + 9] = 2;
    encode::publish(&mut out, Kind::Publish, header, &[b'c'; 40], &[b'm'; 500]);
    encode::plain(&mut out, Kind::AuthAck, header);
    let unknown = out.len();
    encode::plain(&mut out, Kind::AuthAck, header);
    out[unknown + 12..unknown + 14].copy_from_slice(&77u16.to_be_bytes());
    let short = out.len();
    encode::plain(&mut out, Kind::AuthAck, header);
    // A heartbeat with an entry of gossip that is not there.
    out[short + 13] = 0;
    out[short + 15] = 1;
    encode::fail(&mut out, header, id(4));
    out
}

#[test]
fn bad_packets_are_dropped_and_named() {
    let slots = [0; 2048];
    let mut decoder = Decoder::new(64);
    decoder.feed(&stream_with_bad_packets(&header(5, &slots, "")));
    let seen: Vec<Result<Kind, (u16, PacketError)>> = arrivals(&mut decoder)
        .into_iter()
        .map(|arrival| match arrival {
            Arrival::Packet(bytes) => Ok(Packet::parse(&bytes).unwrap().kind),
            Arrival::Dropped { kind, why } => Err((kind, why)),
        })
        .collect();
    let (most, least) = (HEADER_LEN as u64 + 8 + 64, HEADER_LEN as u64 + 104);
    let expected = [
        Ok(Kind::Ping),
        Err((3, PacketError::Version(2))),
        Err((4, PacketError::Length { claimed: HEADER_LEN as u64 + 548, expected: most })),
        Ok(Kind::AuthAck),
        Err((77, PacketError::Kind(77))),
        Err((0, PacketError::Length { claimed: HEADER_LEN as u64, expected: least })),
        Ok(Kind::Fail),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_huge_claim_costs_no_memory() {
    let slots = [0; 2048];
    let mut packet = BytesMut::new();
    encode::beat(&mut packet, Kind::Ping, &header(1, &slots, ""), [], &[]);
    packet[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
    let mut decoder = Decoder::new(1 << 20);
    decoder.feed(&packet);
    assert!(matches!(decoder.next(), Ok(Some(Arrival::Dropped { kind: 0, .. }))));
    for _ in 0..1000 {
        decoder.feed(&[0; 4096]);
        assert_eq!(decoder.next(), Ok(None));
        assert_eq!(decoder.held(), 0);
    }
}

#[test]
fn what_is_no_bus_is_noticed_at_the_first_byte() {
    for (bytes, bad) in [
        (&b"PING\r\n"[..], true),
        (b"R", false),
        (b"RCmX", true),
        (b"RCmb\0\0\0\0", true),
        (b"RCmb\0\0\x08\xcf", true),
        (b"RCmb\0\0\x08\xd0", false),
    ] {
        let mut decoder = Decoder::new(0);
        decoder.feed(bytes);
        assert_eq!(decoder.next().is_err(), bad, "{bytes:?}");
    }
}

#[test]
fn extensions_that_make_no_sense_drop_the_packet_and_unknown_ones_are_passed_over() {
    let slots = [0; 2048];
    let header = header(9, &slots, "");
    let with = |change: &dyn Fn(&mut BytesMut)| {
        let mut packet = BytesMut::new();
        let extensions = [Extension::Hostname("a.example"), Extension::ShardId(id(1))];
        encode::beat(&mut packet, Kind::Pong, &header, [], &extensions);
        change(&mut packet);
        let length = packet.len() as u32;
        packet[4..8].copy_from_slice(&length.to_be_bytes());
        Packet::parse(&packet).map(|packet| match packet.body {
            Body::Beat(beat) => beat.extensions.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>(),
            _ => unreachable!(),
        })
    };
    let known = with(&|_| {}).unwrap();
    assert_eq!(known[0], "Hostname(\"a.example\")");
    assert_eq!(with(&|packet| packet[HEADER_LEN + 5] = 99).unwrap()[0], "Other(99)");
    let name = HEADER_LEN + 8;
    assert_eq!(with(&|packet| packet[name..name + 16].fill(b'x')).unwrap()[0], "Other(0)");
    assert_eq!(with(&|packet| packet[HEADER_LEN + 3] = 0), Err(PacketError::ExtensionLength(0)));
    assert_eq!(with(&|packet| packet[HEADER_LEN + 3] = 23), Err(PacketError::ExtensionLength(23)));
    assert_eq!(with(&|packet| packet[HEADER_LEN] = 1), Err(PacketError::ExtensionCut));
    assert_eq!(with(&|packet| packet.truncate(HEADER_LEN + 24)), Err(PacketError::ExtensionCut));
    assert_eq!(with(&|packet| packet[2215] = 3), Err(PacketError::ExtensionCut));
    assert!(matches!(with(&|packet| packet[2215] = 1), Err(PacketError::Length { .. })));
    assert!(matches!(with(&|packet| packet[2253] = 0), Err(PacketError::Length { .. })));
}
