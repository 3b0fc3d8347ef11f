//! Packets that redis-server 7.0.15 has sent: read, and written again byte for byte.
//!
//! They come from a run of three of them and a listener that played a fourth member of the cluster: it answered their
//! pings, claimed slots with an old epoch, reported a stopped node as down, asked for a vote, and was made the master
//! of one of them. Addresses, ids and times are those of that run.

use bus::{Body, Decoder, Extension, Kind, Packet, encode, message_flag, node_flag};
use bytes::BytesMut;

fn captured(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/captured/{name}.bin", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Writes a packet anew from what was read of it.
fn again(packet: &Packet<'_>) -> BytesMut {
    let mut out = BytesMut::new();
    let header = &packet.header;
    match packet.body {
        Body::Beat(beat) => {
            let extensions: Vec<Extension<'_>> = beat.extensions.iter().collect();
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
    out
}

const ALL: [(&str, Kind); 11] = [
    ("ping", Kind::Ping),
    ("ping_without_hostname", Kind::Ping),
    ("ping_of_a_replica", Kind::Ping),
    ("pong", Kind::Pong),
    ("meet", Kind::Meet),
    ("fail", Kind::Fail),
    ("publish", Kind::Publish),
    ("auth_request", Kind::AuthRequest),
    ("auth_ack", Kind::AuthAck),
    ("update", Kind::Update),
    ("mfstart", Kind::FailoverStart),
];

#[test]
fn every_captured_packet_is_written_again_byte_for_byte() {
    let mut decoder = Decoder::new(1000);
    for (name, kind) in ALL {
        let bytes = captured(name);
        decoder.feed(&bytes);
        assert_eq!(decoder.next(), Ok(Some(bus::Arrival::Packet(bytes.clone().into()))), "{name}");
        let packet = Packet::parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(packet.kind, kind, "{name}");
        assert!(again(&packet) == bytes, "{name} comes out differently");
    }
}

#[test]
fn what_they_say_is_what_was_done() {
    let bytes = captured("ping");
    let ping = Packet::parse(&bytes).unwrap();
    // Slots 0 to 100 and the last one, in epoch 5, at a server on port 17591.
    assert_eq!((ping.header.port, ping.header.bus_port, ping.header.ip), (17591, 27591, ""));
    assert_eq!(ping.header.config_epoch.0, 5);
    assert_eq!(ping.header.slots[..13], [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 31]);
    assert_eq!(ping.header.slots[2047], 128);
    assert!(ping.header.master.is_none() && ping.header.flags & node_flag::MASTER != 0 && ping.header.down);
    let Body::Beat(beat) = ping.body else { panic!("a heartbeat") };
    assert_eq!(beat.extensions.iter().collect::<Vec<_>>(), [Extension::Hostname("one.example.org")]);
    assert_eq!(beat.gossip.len(), 2);
    for entry in beat.gossip.iter() {
        assert_eq!((entry.ip, entry.bus_port), ("127.0.0.1", entry.port + 10000));
    }

    let bytes = captured("publish");
    let expected = Body::Publish { channel: b"news", message: b"hello, world" };
    assert_eq!(Packet::parse(&bytes).unwrap().body, expected);

    let (pong, update) = (captured("pong"), captured("update"));
    let Body::Update { config_epoch, node, slots } = Packet::parse(&update).unwrap().body else {
        panic!("an update")
    };
    let owner = Packet::parse(&pong).unwrap().header;
    assert_eq!((config_epoch, node, slots), (owner.config_epoch, owner.sender, owner.slots));

    let bytes = captured("auth_request");
    let request = Packet::parse(&bytes).unwrap().header;
    assert!(request.master.is_some() && request.flags & node_flag::REPLICA != 0);
    assert!(request.message_flags & message_flag::FORCE_ACK != 0, "it was a manual failover");
    assert_eq!(request.slots[1000], 1, "it claims its master's slots");
}
