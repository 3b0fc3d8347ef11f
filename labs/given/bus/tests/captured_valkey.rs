//! Packets that valkey-server 9.1.2 has sent: read as far as a node of Redis 7.0's level needs them.
//!
//! They come from runs of three masters and a replica, and a listener that played one more member: it answered their
//! pings, said that it understands extensions and light headers (and later that it does not), followed one of them,
//! claimed slots with an old epoch, asked for a vote, and was made the master of one of them. Addresses, ids and times are
//! those of the runs. Each file says what it is.
//!
//! What is put together by hand, and goes further than what a real node sends, is in `newer.rs`.

use bus::{Arrival, BadStream, Body, Decoder, Extension, Kind, Packet, encode, message_flag, node_flag};
use bytes::BytesMut;
use core_types::NodeId;

/// A file's lines: notes behind `#`, the packet's length, and those of its bytes that are not zero, each row with its
/// place in front.
fn captured(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/captured/valkey-9.1.2/{name}.hex", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut packet = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(length) = line.strip_prefix("length ") {
            packet.resize(length.parse().expect("a number"), 0);
            continue;
        }
        let (at, row) = line.split_once(": ").expect("a place and bytes");
        let at = usize::from_str_radix(at, 16).expect("a place");
        let digits: Vec<u8> = row.bytes().filter(|byte| *byte != b' ').collect();
        for (offset, pair) in digits.chunks(2).enumerate() {
            let pair = std::str::from_utf8(pair).expect("digits");
            packet[at + offset] = u8::from_str_radix(pair, 16).expect("a byte");
        }
    }
    packet
}

const ALL: [(&str, Kind); 14] = [
    ("meet", Kind::Meet),
    ("ping", Kind::Ping),
    ("ping_without_names", Kind::Ping),
    ("ping_of_a_replica", Kind::Ping),
    ("ping_with_a_forgotten_node", Kind::Ping),
    ("pong", Kind::Pong),
    ("heartbeat_passing_on_a_forgotten_node", Kind::Ping),
    ("fail", Kind::Fail),
    ("publish", Kind::Publish),
    ("publishshard", Kind::PublishShard),
    ("auth_request", Kind::AuthRequest),
    ("auth_ack", Kind::AuthAck),
    ("update", Kind::Update),
    ("mfstart", Kind::FailoverStart),
];

#[test]
fn every_packet_with_a_whole_header_is_read() {
    let mut decoder = Decoder::new(1000);
    for (name, kind) in ALL {
        let bytes = captured(name);
        decoder.feed(&bytes);
        assert_eq!(decoder.next(), Ok(Some(Arrival::Packet(bytes.clone().into()))), "{name}");
        let packet = Packet::parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(packet.kind, kind, "{name}");
        // Bits of its flags that came after 7.0 are beside those that we know, and mean nothing to us.
        let header = packet.header;
        let role = header.flags & (node_flag::MASTER | node_flag::REPLICA | node_flag::MYSELF);
        let expected = if header.master.is_some() { node_flag::REPLICA } else { node_flag::MASTER };
        assert_eq!(role, expected | node_flag::MYSELF, "{name}");
        assert!(header.flags & 0xf000 != 0, "{name}: it says that it understands light headers");
    }
}

/// All that is in such a packet is in what was read of it; but for extensions that came after 7.2, which we never send.
#[test]
fn what_was_read_is_written_again_byte_for_byte() {
    for (name, _) in ALL {
        let bytes = captured(name);
        let packet = Packet::parse(&bytes).expect("a good packet");
        let (header, mut out) = (&packet.header, BytesMut::new());
        match packet.body {
            Body::Beat(beat) => {
                let extensions: Vec<Extension<'_>> = beat.extensions.iter().collect();
                if extensions.iter().any(|one| matches!(one, Extension::Other(_))) {
                    continue;
                }
                encode::beat(&mut out, packet.kind, header, beat.gossip.iter(), &extensions);
            }
            Body::Fail(about) => encode::fail(&mut out, header, about),
            Body::Publish { channel, message } => {
                assert!(encode::publish(&mut out, packet.kind, header, channel, message));
            }
            Body::Update { config_epoch, node, slots } => {
                encode::update(&mut out, header, config_epoch, node, slots);
            }
            Body::Nothing => encode::plain(&mut out, packet.kind, header),
        }
        assert!(out == bytes, "{name} comes out differently");
    }
}

/// What a heartbeat adds about its sender.
fn extensions(packet: &[u8]) -> Vec<Extension<'_>> {
    match Packet::parse(packet).expect("a good packet").body {
        Body::Beat(beat) => beat.extensions.iter().collect(),
        other => panic!("no heartbeat: {other:?}"),
    }
}

fn id(text: &str) -> NodeId {
    text.parse().expect("an id")
}

#[test]
fn known_extensions_are_read_and_newer_ones_passed_over() {
    let shard = Extension::ShardId(id("d9a74bddb76d873981628975c5a21135cd673f69"));
    // A client's address by IPv4 and IPv6, and the zone in which the node is.
    let newer = [Extension::Other(4), Extension::Other(5), Extension::Other(8)];
    let names = [Extension::Hostname("one.example.org"), Extension::HumanName("first-of-three")];
    for name in ["ping", "pong"] {
        assert_eq!(extensions(&captured(name)), [&names[..], &newer, &[shard]].concat(), "{name}");
    }
    assert_eq!(extensions(&captured("ping_of_a_replica")), [shard], "a replica's shard is its master's");

    let gone = Extension::ForgottenNode(id("08ffd23cae6976d3f57f0e89854b42e2e8e43ed6"), 59);
    let told = captured("ping_with_a_forgotten_node");
    assert_eq!(extensions(&told), [&names[..], &newer, &[gone, shard]].concat());
    // Whoever is told of it passes it on.
    let passed_on = captured("heartbeat_passing_on_a_forgotten_node");
    assert_eq!(extensions(&passed_on)[0], gone);
    let [first, second] = [told, passed_on].map(|packet| Packet::parse(&packet).expect("good").header.sender);
    assert_ne!(first, second);

    // To a node that it does not know it sends none, and says that it would understand some.
    let meet = captured("meet");
    assert_eq!(extensions(&meet), []);
    let flags = Packet::parse(&meet).expect("good").header.message_flags;
    assert_eq!(flags, message_flag::EXTENSIONS);
}

#[test]
fn what_they_say_is_what_was_done() {
    let (low, high) = (captured("publish"), captured("publishshard"));
    let expected = Body::Publish { channel: b"news", message: b"hello, world" };
    assert_eq!(Packet::parse(&low).expect("good").body, expected);
    let expected = Body::Publish { channel: b"orders:2", message: b"x" };
    assert_eq!(Packet::parse(&high).expect("good").body, expected);

    let request = captured("auth_request");
    let request = Packet::parse(&request).expect("good").header;
    assert!(request.master.is_some() && request.message_flags & message_flag::FORCE_ACK != 0);
    assert_eq!(request.slots[0], 255, "it claims its master's slots");
    assert_eq!(request.current_epoch.0, 11);

    let update = captured("update");
    let Body::Update { config_epoch, node, slots } = Packet::parse(&update).expect("good").body else {
        panic!("an update")
    };
    // Of those three masters it was the replica that had taken over.
    assert_eq!((config_epoch.0, node), (11, request.sender));
    assert_eq!(slots, request.slots);
}

/// A light header is sixteen bytes and does not name the sender: the connection stands for it. Valkey sends it only to those
/// who say that they know it, which we do not. To us it is what it is to Redis 7.0: a packet with no room for its header,
/// behind which nobody can tell what comes.
#[test]
fn a_light_header_ends_the_connection_as_it_does_in_redis_7_0() {
    for (name, length) in [("publish_light", 40), ("publishshard_light", 41)] {
        let packet = captured(name);
        assert_eq!(packet.len(), length);
        let mut decoder = Decoder::new(1000);
        decoder.feed(&packet);
        assert_eq!(decoder.next(), Err(BadStream::Length(length as u32)), "{name}");
    }
}
