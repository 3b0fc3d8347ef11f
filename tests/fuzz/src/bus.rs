//! What another node, or whoever connects to the bus, sends.

use ::bus::{Arrival, BadStream, Body, Decoder, Extension, Packet, encode};
use bytes::BytesMut;

use crate::{Pieces, bounded, every_way};

/// The longest message that the targets' decoder takes.
const MOST: u64 = 4096;

/// Bytes of memory for a byte of input: a packet is kept once, and written again once.
const FACTOR: usize = 64;

/// Reads `data` as a connection of the bus, and as one packet. What is a packet is written again, and read again it is
/// the same.
///
/// # Panics
/// If a promise is broken: see the crate's documentation.
pub fn check(data: &[u8]) {
    bounded(data.len(), FACTOR, || {
        let (arrivals, _) = every_way(data, decode);
        for arrival in &arrivals {
            if let Arrival::Packet(bytes) = arrival
                && let Ok(packet) = Packet::parse(bytes)
            {
                write_again(&packet);
            }
        }
        if let Ok(packet) = Packet::parse(data) {
            write_again(&packet);
        }
    });
}

/// Everything that arrives, and what was wrong with what follows.
fn decode(pieces: Pieces<'_>) -> (Vec<Arrival>, Option<BadStream>) {
    let (mut decoder, mut arrivals) = (Decoder::new(MOST), Vec::new());
    for piece in pieces {
        decoder.feed(piece);
        loop {
            match decoder.next() {
                Ok(Some(arrival)) => arrivals.push(arrival),
                Ok(None) => break,
                Err(why) => return (arrivals, Some(why)),
            }
        }
    }
    (arrivals, None)
}

fn write_again(packet: &Packet<'_>) {
    let mut out = BytesMut::new();
    let header = &packet.header;
    match packet.body {
        Body::Beat(beat) => {
            // What is not understood is not sent on.
            let known = beat.extensions.iter().filter(|one| !matches!(one, Extension::Other(_)));
            let extensions: Vec<Extension<'_>> = known.collect();
            encode::beat(&mut out, packet.kind, header, beat.gossip.iter(), &extensions);
            let again = Packet::parse(&out).expect("what was written is a packet");
            let Body::Beat(written) = again.body else { panic!("no heartbeat any more") };
            assert!(written.gossip.iter().eq(beat.gossip.iter()));
            assert!(written.extensions.iter().eq(extensions));
            assert_eq!((again.kind, again.header.sender), (packet.kind, header.sender));
            return;
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
    assert_eq!(Packet::parse(&out).as_ref(), Ok(packet));
}
