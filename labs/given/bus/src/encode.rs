//! Packets to bytes. Everything is appended to the caller's buffer, in one go and in place.

use bytes::{BufMut, BytesMut};
use core_types::{Epoch, NodeId};

use crate::header::at;
use crate::packet::{PUBLISH_HEAD, UPDATE_LEN};
use crate::{Bitmap, Extension, GOSSIP_LEN, Gossip, HEADER_LEN, Header, Kind, message_flag};

/// A `Ping`, `Pong` or `Meet` with what it tells of others.
///
/// # Panics
/// If `kind` is no heartbeat: then the caller has taken the wrong function.
pub fn beat<'g>(
    out: &mut BytesMut,
    kind: Kind,
    header: &Header<'_>,
    gossip: impl IntoIterator<Item = Gossip<'g>>,
    extensions: &[Extension<'_>],
) {
    assert!(kind.is_beat(), "only heartbeats carry gossip");
    let begin = out.len();
    out.put_bytes(0, HEADER_LEN);
    let mut count = 0u16;
    for entry in gossip.into_iter().take(usize::from(u16::MAX)) {
        let at = out.len();
        out.put_bytes(0, GOSSIP_LEN);
        entry.write(&mut out[at..]);
        count += 1;
    }
    let mut extended = 0;
    for extension in extensions {
        let (at, length) = (out.len(), extension.length());
        if length > 0 {
            out.put_bytes(0, length);
            extension.write(&mut out[at..]);
            extended += 1;
        }
    }
    let packet = &mut out[begin..];
    let length = packet.len() as u32;
    header.write(packet, kind, length, count, extended);
    if extended > 0 {
        packet[at::MESSAGE_FLAGS] |= message_flag::EXTENSIONS;
    }
}

/// `Fail`: the majority agrees that `about` is down.
pub fn fail(out: &mut BytesMut, header: &Header<'_>, about: NodeId) {
    let body = start(out, Kind::Fail, header, NodeId::LEN);
    body.copy_from_slice(about.as_str().as_bytes());
}

/// `Update`: the receiver does not know yet whose these slots are.
pub fn update(out: &mut BytesMut, header: &Header<'_>, config_epoch: Epoch, node: NodeId, slots: &Bitmap) {
    let body = start(out, Kind::Update, header, UPDATE_LEN);
    body[..8].copy_from_slice(&config_epoch.0.to_be_bytes());
    body[8..8 + NodeId::LEN].copy_from_slice(node.as_str().as_bytes());
    body[8 + NodeId::LEN..].copy_from_slice(slots);
}

/// `Publish` or `PublishShard`. False, and nothing is written, if channel and message together are longer than a
/// packet can be.
///
/// # Panics
/// If `kind` is another.
pub fn publish(out: &mut BytesMut, kind: Kind, header: &Header<'_>, channel: &[u8], message: &[u8]) -> bool {
    assert!(matches!(kind, Kind::Publish | Kind::PublishShard), "only these carry a message");
    let length = PUBLISH_HEAD + channel.len() + message.len();
    if u32::try_from(HEADER_LEN + length).is_err() {
        return false;
    }
    let body = start(out, kind, header, length);
    body[..4].copy_from_slice(&(channel.len() as u32).to_be_bytes());
    body[4..8].copy_from_slice(&(message.len() as u32).to_be_bytes());
    body[8..8 + channel.len()].copy_from_slice(channel);
    body[8 + channel.len()..].copy_from_slice(message);
    true
}

/// `AuthRequest`, `AuthAck` or `FailoverStart`, which have no body.
///
/// # Panics
/// If `kind` is another.
pub fn plain(out: &mut BytesMut, kind: Kind, header: &Header<'_>) {
    assert!(
        matches!(kind, Kind::AuthRequest | Kind::AuthAck | Kind::FailoverStart),
        "the others have a body"
    );
    start(out, kind, header, 0);
}

/// Writes a header, and returns the body to be filled in.
fn start<'o>(out: &'o mut BytesMut, kind: Kind, header: &Header<'_>, body: usize) -> &'o mut [u8] {
    let begin = out.len();
    out.put_bytes(0, HEADER_LEN + body);
    let packet = &mut out[begin..];
    header.write(packet, kind, (HEADER_LEN + body) as u32, 0, 0);
    &mut packet[HEADER_LEN..]
}
