use core_types::{Epoch, NodeId};

use crate::header::{SIGNATURE, VERSION, at};
use crate::read;
use crate::{
    Bitmap, Extensions, GOSSIP_LEN, GossipList, HEADER_LEN, Header, Kind, PacketError, message_flag,
};

/// One packet, read where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What it is for.
    pub kind: Kind,
    /// Who speaks, and how the sender sees itself.
    pub header: Header<'a>,
    /// What the kind adds.
    pub body: Body<'a>,
}

/// What is behind the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// `Ping`, `Pong` and `Meet`.
    Beat(Beat<'a>),
    /// `Fail`: who is down.
    Fail(NodeId),
    /// `Publish` and `PublishShard`.
    Publish {
        /// Where.
        channel: &'a [u8],
        /// What.
        message: &'a [u8],
    },
    /// `Update`: what the receiver does not know yet.
    Update {
        /// Since when it holds.
        config_epoch: Epoch,
        /// Whose slots they are.
        node: NodeId,
        /// All of its slots.
        slots: &'a Bitmap,
    },
    /// `AuthRequest`, `AuthAck` and `FailoverStart`: the header says it all.
    Nothing,
}

/// What a heartbeat tells of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat<'a> {
    /// News of other nodes.
    pub gossip: GossipList<'a>,
    /// More about the sender.
    pub extensions: Extensions<'a>,
}

/// Length of the body of an `Update`.
pub(crate) const UPDATE_LEN: usize = 8 + NodeId::LEN + 2048;
/// Length of what is before the texts of a `Publish`.
pub(crate) const PUBLISH_HEAD: usize = 8;

/// The number of the kind of a packet, whatever else may be wrong with it.
pub fn number_of_kind(packet: &[u8]) -> u16 {
    packet.get(at::KIND..at::KIND + 2).map_or(u16::MAX, |bytes| read::u16_at(bytes, 0))
}

impl<'a> Packet<'a> {
    /// Reads one whole packet: no byte is missing and none too many.
    ///
    /// # Errors
    /// Whatever makes Redis drop a packet without closing the connection, and ids that are none.
    pub fn parse(bytes: &'a [u8]) -> Result<Packet<'a>, PacketError> {
        let length = bytes.len();
        if length < HEADER_LEN {
            return Err(PacketError::Length { claimed: length as u64, expected: HEADER_LEN as u64 });
        }
        if bytes[..4] != SIGNATURE {
            return Err(PacketError::Signature);
        }
        let claimed = u64::from(read::u32_at(bytes, at::LENGTH));
        if claimed != length as u64 {
            return Err(PacketError::Length { claimed, expected: length as u64 });
        }
        let version = read::u16_at(bytes, at::VERSION);
        if version != VERSION {
            return Err(PacketError::Version(version));
        }
        let number = read::u16_at(bytes, at::KIND);
        let kind = Kind::from_number(number).ok_or(PacketError::Kind(number))?;
        let body = &bytes[HEADER_LEN..];
        let exactly = |expected: usize| match body.len() == expected {
            true => Ok(()),
            false => {
                let expected = (HEADER_LEN + expected) as u64;
                Err(PacketError::Length { claimed, expected })
            }
        };
        let body = match kind {
            Kind::Ping | Kind::Pong | Kind::Meet => Body::Beat(Beat::parse(bytes, claimed)?),
            Kind::Fail => {
                exactly(NodeId::LEN)?;
                Body::Fail(read::id_at(body, 0)?)
            }
            Kind::Publish | Kind::PublishShard => {
                if body.len() < PUBLISH_HEAD {
                    exactly(PUBLISH_HEAD)?;
                }
                let (head, texts) = body.split_at(PUBLISH_HEAD);
                let (channel, message) = (read::u32_at(head, 0), read::u32_at(head, 4));
                let expected = u64::from(channel) + u64::from(message);
                if expected != texts.len() as u64 {
                    let expected = (HEADER_LEN + PUBLISH_HEAD) as u64 + expected;
                    return Err(PacketError::Length { claimed, expected });
                }
                let (channel, message) = texts.split_at(channel as usize);
                Body::Publish { channel, message }
            }
            Kind::Update => {
                exactly(UPDATE_LEN)?;
                Body::Update {
                    config_epoch: Epoch(read::u64_at(body, 0)),
                    node: read::id_at(body, 8)?,
                    slots: body[8 + NodeId::LEN..].try_into().expect("2048 bytes"),
                }
            }
            Kind::AuthRequest | Kind::AuthAck | Kind::FailoverStart => {
                exactly(0)?;
                Body::Nothing
            }
            Kind::Module => return Err(PacketError::Kind(number)),
        };
        Ok(Packet { kind, header: Header::read(bytes)?, body })
    }
}

impl<'a> Beat<'a> {
    fn parse(bytes: &'a [u8], claimed: u64) -> Result<Beat<'a>, PacketError> {
        let body = &bytes[HEADER_LEN..];
        let gossip = usize::from(read::u16_at(bytes, at::COUNT)) * GOSSIP_LEN;
        if body.len() < gossip {
            return Err(PacketError::Length { claimed, expected: (HEADER_LEN + gossip) as u64 });
        }
        let (gossip, rest) = body.split_at(gossip);
        let has_extensions = bytes[at::MESSAGE_FLAGS] & message_flag::EXTENSIONS != 0;
        let count = if has_extensions { read::u16_at(bytes, at::EXTENSIONS) } else { 0 };
        let (extensions, used) = Extensions::parse(rest, count)?;
        if used != rest.len() {
            return Err(PacketError::Length { claimed, expected: (bytes.len() - rest.len() + used) as u64 });
        }
        Ok(Beat { gossip: GossipList::parse(gossip)?, extensions })
    }
}
