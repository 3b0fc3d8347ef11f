use core_types::{Epoch, NodeId, Offset};

use crate::read::{self, IP_LEN};
use crate::{Kind, PacketError};

/// How long a header is, in bytes.
pub const HEADER_LEN: usize = 2256;

/// No packet is shorter (`CLUSTERMSG_MIN_LEN` in Redis's `cluster.h`).
pub const MIN_LEN: usize = HEADER_LEN;

/// A set of slots as it travels: 16384 bits.
pub type Bitmap = [u8; 2048];

/// Bits of a node's flags.
pub mod node_flag {
    /// It is a master.
    pub const MASTER: u16 = 1;
    /// It is a replica.
    pub const REPLICA: u16 = 2;
    /// The teller does not reach it.
    pub const MAYBE_FAIL: u16 = 4;
    /// It is agreed to be down.
    pub const FAIL: u16 = 8;
    /// It is the teller itself.
    pub const MYSELF: u16 = 16;
    /// The teller has not shaken hands with it yet.
    pub const HANDSHAKE: u16 = 32;
    /// The teller does not know where it is.
    pub const NO_ADDRESS: u16 = 64;
    /// The teller is to send it a MEET.
    pub const MEET: u16 = 128;
    /// A master that replicas of others may come to.
    pub const MIGRATE_TO: u16 = 256;
    /// A replica that does not stand for election.
    pub const NO_FAILOVER: u16 = 512;
}

/// Bits of a packet's own flags.
pub mod message_flag {
    /// The sender, a master, holds its clients back until a replica has taken over.
    pub const PAUSED: u8 = 1;
    /// Vote even if the master is up: an operator asked for the failover.
    pub const FORCE_ACK: u8 = 2;
    /// There are extensions, or the sender would understand some.
    pub const EXTENSIONS: u8 = 4;
}

/// What every packet begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Who speaks.
    pub sender: NodeId,
    /// The greatest epoch that the sender has heard of.
    pub current_epoch: Epoch,
    /// The epoch of the sender's slots; a replica's is its master's.
    pub config_epoch: Epoch,
    /// Where the sender is in the replication stream.
    pub offset: Offset,
    /// The slots that the sender serves; a replica tells its master's.
    pub slots: &'a Bitmap,
    /// Whose replica the sender is.
    pub master: Option<NodeId>,
    /// The sender's address, if it announces one; otherwise it is where the packet comes from.
    pub ip: &'a str,
    /// Where the sender listens for clients.
    pub port: u16,
    /// Where it listens for clients without encryption, if `port` is one with.
    pub plain_port: u16,
    /// Where it listens for other nodes.
    pub bus_port: u16,
    /// The sender's [`node_flag`]s.
    pub flags: u16,
    /// The sender does not serve: the cluster is down as far as it can see.
    pub down: bool,
    /// The packet's [`message_flag`]s. That of extensions is set by whoever encodes some.
    pub message_flags: u8,
}

pub(crate) mod at {
    //! Where the fields are.
    pub(crate) const LENGTH: usize = 4;
    pub(crate) const VERSION: usize = 8;
    pub(crate) const PORT: usize = 10;
    pub(crate) const KIND: usize = 12;
    pub(crate) const COUNT: usize = 14;
    pub(crate) const CURRENT_EPOCH: usize = 16;
    pub(crate) const CONFIG_EPOCH: usize = 24;
    pub(crate) const OFFSET: usize = 32;
    pub(crate) const SENDER: usize = 40;
    pub(crate) const SLOTS: usize = 80;
    pub(crate) const MASTER: usize = 2128;
    pub(crate) const IP: usize = 2168;
    pub(crate) const EXTENSIONS: usize = 2214;
    pub(crate) const PLAIN_PORT: usize = 2246;
    pub(crate) const BUS_PORT: usize = 2248;
    pub(crate) const FLAGS: usize = 2250;
    pub(crate) const STATE: usize = 2252;
    pub(crate) const MESSAGE_FLAGS: usize = 2253;
}

pub(crate) const SIGNATURE: [u8; 4] = *b"RCmb";
/// `CLUSTER_PROTO_VER`
pub(crate) const VERSION: u16 = 1;

impl<'a> Header<'a> {
    /// Reads the header of a packet that is at least [`HEADER_LEN`] long.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Header<'a>, PacketError> {
        let slots = bytes[at::SLOTS..at::SLOTS + 2048].try_into().expect("2048 bytes");
        let master = match &bytes[at::MASTER..at::MASTER + NodeId::LEN] {
            zeros if zeros.iter().all(|&byte| byte == 0) => None,
            _ => Some(read::id_at(bytes, at::MASTER)?),
        };
        Ok(Header {
            sender: read::id_at(bytes, at::SENDER)?,
            current_epoch: Epoch(read::u64_at(bytes, at::CURRENT_EPOCH)),
            config_epoch: Epoch(read::u64_at(bytes, at::CONFIG_EPOCH)),
            offset: Offset(read::u64_at(bytes, at::OFFSET)),
            slots,
            master,
            ip: read::ip_at(bytes, at::IP),
            port: read::u16_at(bytes, at::PORT),
            plain_port: read::u16_at(bytes, at::PLAIN_PORT),
            bus_port: read::u16_at(bytes, at::BUS_PORT),
            flags: read::u16_at(bytes, at::FLAGS),
            down: bytes[at::STATE] != 0,
            message_flags: bytes[at::MESSAGE_FLAGS],
        })
    }

    /// Writes the header into zeroed bytes.
    pub(crate) fn write(&self, bytes: &mut [u8], kind: Kind, length: u32, count: u16, extensions: u16) {
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &SIGNATURE);
        put(at::LENGTH, &length.to_be_bytes());
        put(at::VERSION, &VERSION.to_be_bytes());
        put(at::PORT, &self.port.to_be_bytes());
        put(at::KIND, &kind.number().to_be_bytes());
        put(at::COUNT, &count.to_be_bytes());
        put(at::CURRENT_EPOCH, &self.current_epoch.0.to_be_bytes());
        put(at::CONFIG_EPOCH, &self.config_epoch.0.to_be_bytes());
        put(at::OFFSET, &self.offset.0.to_be_bytes());
        put(at::SENDER, self.sender.as_str().as_bytes());
        put(at::SLOTS, self.slots);
        if let Some(master) = self.master {
            put(at::MASTER, master.as_str().as_bytes());
        }
        put(at::EXTENSIONS, &extensions.to_be_bytes());
        put(at::PLAIN_PORT, &self.plain_port.to_be_bytes());
        put(at::BUS_PORT, &self.bus_port.to_be_bytes());
        put(at::FLAGS, &self.flags.to_be_bytes());
        put(at::STATE, &[u8::from(self.down)]);
        put(at::MESSAGE_FLAGS, &[self.message_flags]);
        read::put_ip(&mut bytes[at::IP..at::IP + IP_LEN], self.ip);
    }
}
