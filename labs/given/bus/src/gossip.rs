use core_types::NodeId;

use crate::PacketError;
use crate::read::{self, IP_LEN};

/// How long one entry of gossip is, in bytes.
pub const GOSSIP_LEN: usize = 104;

/// What the sender knows of one other node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gossip<'a> {
    /// Which node.
    pub id: NodeId,
    /// When the sender pinged it and has no answer yet, in seconds since 1970; 0 if it has.
    pub ping_sent: u32,
    /// When it answered the sender last, in seconds since 1970.
    pub pong_received: u32,
    /// Its address.
    pub ip: &'a str,
    /// Where it listens for clients.
    pub port: u16,
    /// Where it listens for other nodes.
    pub bus_port: u16,
    /// Its [`node_flag`](crate::node_flag)s, as the sender sees it.
    pub flags: u16,
    /// Where it listens for clients without encryption, if `port` is one with.
    pub plain_port: u16,
}

impl<'a> Gossip<'a> {
    fn read(entry: &'a [u8]) -> Result<Gossip<'a>, PacketError> {
        Ok(Gossip {
            id: read::id_at(entry, 0)?,
            ping_sent: read::u32_at(entry, 40),
            pong_received: read::u32_at(entry, 44),
            ip: read::ip_at(entry, 48),
            port: read::u16_at(entry, 94),
            bus_port: read::u16_at(entry, 96),
            flags: read::u16_at(entry, 98),
            plain_port: read::u16_at(entry, 100),
        })
    }

    /// Writes the entry into zeroed bytes.
    pub(crate) fn write(&self, entry: &mut [u8]) {
        let mut put = |at: usize, value: &[u8]| entry[at..at + value.len()].copy_from_slice(value);
        put(0, self.id.as_str().as_bytes());
        put(40, &self.ping_sent.to_be_bytes());
        put(44, &self.pong_received.to_be_bytes());
        put(94, &self.port.to_be_bytes());
        put(96, &self.bus_port.to_be_bytes());
        put(98, &self.flags.to_be_bytes());
        put(100, &self.plain_port.to_be_bytes());
        read::put_ip(&mut entry[48..48 + IP_LEN], self.ip);
    }
}

/// The entries of one packet, where they lie. All of them are known to make sense.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GossipList<'a> {
    bytes: &'a [u8],
}

impl<'a> GossipList<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<GossipList<'a>, PacketError> {
        for entry in bytes.chunks_exact(GOSSIP_LEN) {
            Gossip::read(entry)?;
        }
        Ok(GossipList { bytes })
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.bytes.len() / GOSSIP_LEN
    }

    /// There are none.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Gossip<'a>> + use<'a> {
        self.bytes
            .chunks_exact(GOSSIP_LEN)
            .map(|entry| Gossip::read(entry).expect("looked at when the packet was parsed"))
    }
}

impl std::fmt::Debug for GossipList<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
