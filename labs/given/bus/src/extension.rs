use core_types::NodeId;

use crate::PacketError;
use crate::read;

/// Length, kind and two spare bytes.
const HEAD: usize = 8;

mod number {
    pub(super) const HOSTNAME: u16 = 0;
    pub(super) const HUMAN_NAME: u16 = 1;
    pub(super) const FORGOTTEN_NODE: u16 = 2;
    pub(super) const SHARD_ID: u16 = 3;
}

/// Something that a heartbeat adds behind its gossip. Redis 7.0 knows the host name, 7.2 the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension<'a> {
    /// The name by which clients shall find the sender.
    Hostname(&'a str),
    /// A name for people to read.
    HumanName(&'a str),
    /// The sender has forgotten this node, and will not have it back for so many seconds.
    ForgottenNode(NodeId, u64),
    /// The master and the replicas that serve the same slots share this id.
    ShardId(NodeId),
    /// One that we do not know, or whose data make no sense: to be passed over.
    Other(u16),
}

impl<'a> Extension<'a> {
    /// How many bytes it takes, its head and padding included. One that we do not know takes none: it is not sent.
    pub(crate) fn length(&self) -> usize {
        let data = match self {
            Extension::Hostname(name) | Extension::HumanName(name) => name.len() + 1,
            Extension::ForgottenNode(..) => NodeId::LEN + 8,
            Extension::ShardId(_) => NodeId::LEN,
            Extension::Other(_) => return 0,
        };
        HEAD + data.next_multiple_of(8)
    }

    /// Writes it into its zeroed bytes.
    pub(crate) fn write(&self, bytes: &mut [u8]) {
        let number = match self {
            Extension::Hostname(_) => number::HOSTNAME,
            Extension::HumanName(_) => number::HUMAN_NAME,
            Extension::ForgottenNode(..) => number::FORGOTTEN_NODE,
            Extension::ShardId(_) => number::SHARD_ID,
            Extension::Other(_) => return,
        };
        let length = bytes.len() as u32;
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &length.to_be_bytes());
        put(4, &number.to_be_bytes());
        match self {
            Extension::Hostname(name) | Extension::HumanName(name) => put(HEAD, name.as_bytes()),
            Extension::ForgottenNode(id, seconds) => {
                put(HEAD, id.as_str().as_bytes());
                put(HEAD + NodeId::LEN, &seconds.to_be_bytes());
            }
            Extension::ShardId(id) => put(HEAD, id.as_str().as_bytes()),
            Extension::Other(_) => {}
        }
    }

    fn read(number: u16, data: &'a [u8]) -> Extension<'a> {
        let understood = match number {
            number::HOSTNAME => text(data).map(Extension::Hostname),
            number::HUMAN_NAME => text(data).map(Extension::HumanName),
            number::FORGOTTEN_NODE if data.len() >= NodeId::LEN + 8 => read::id_at(data, 0)
                .ok()
                .map(|id| Extension::ForgottenNode(id, read::u64_at(data, NodeId::LEN))),
            number::SHARD_ID if data.len() >= NodeId::LEN => {
                read::id_at(data, 0).ok().map(Extension::ShardId)
            }
            _ => None,
        };
        understood.unwrap_or(Extension::Other(number))
    }
}

/// Up to the first zero, which must be there.
fn text(data: &[u8]) -> Option<&str> {
    let end = data.iter().position(|&byte| byte == 0)?;
    std::str::from_utf8(&data[..end]).ok()
}

/// The extensions of one packet, where they lie. Their lengths are known to be right.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Extensions<'a> {
    bytes: &'a [u8],
}

impl<'a> Extensions<'a> {
    /// Takes `count` extensions from the front, and says how many bytes they are.
    pub(crate) fn parse(bytes: &'a [u8], count: u16) -> Result<(Extensions<'a>, usize), PacketError> {
        let mut used = 0;
        for _ in 0..count {
            let rest = &bytes[used..];
            if rest.len() < HEAD {
                return Err(PacketError::ExtensionCut);
            }
            let length = read::u32_at(rest, 0);
            if (length as usize) < HEAD || !length.is_multiple_of(8) {
                return Err(PacketError::ExtensionLength(length));
            }
            if rest.len() < length as usize {
                return Err(PacketError::ExtensionCut);
            }
            used += length as usize;
        }
        Ok((Extensions { bytes: &bytes[..used] }, used))
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Extension<'a>> + use<'a> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (one, behind) = rest.split_at(read::u32_at(rest, 0) as usize);
            rest = behind;
            Some(Extension::read(read::u16_at(one, 4), &one[HEAD..]))
        })
    }
}

impl std::fmt::Debug for Extensions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
