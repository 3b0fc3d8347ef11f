//! The packets that the nodes of a cluster send one another: what they hold, and how it lies on the wire.
//!
//! Every packet begins with the same header: who the sender is, which slots it (or its master) serves, and how new
//! its view is. Behind it comes what the [`Kind`] of packet adds: news of other nodes, one node's name, a message.
//! All numbers are big-endian.
//!
//! - [`Decoder`] cuts a connection's bytes into packets. It never holds more than a packet may be long, and passes
//!   over what cannot be one without keeping it.
//! - [`Packet::parse`] reads one packet where it lies, and copies nothing but numbers.
//! - [`encode`] appends packets to a buffer.
//!
//! What a packet *means* is the node's business. So is the order of the bits in a bitmap of slots: it passes through
//! here as 2048 bytes.
//!
//! # Differences from Redis
//!
//! - An id must be 40 lowercase hexadecimal digits, or the packet is dropped. Redis takes any 40 bytes from the bus, and
//!   then cannot read its own `nodes.conf` any more.
//! - An address with other bytes than addresses and names have counts as none. Redis takes any text, and then cannot read
//!   its own `nodes.conf` either.
//! - A claimed length that the packet's kind cannot have is noticed at the header, and the packet is passed over as it
//!   arrives. Redis buffers all of it first, up to four gigabytes.
//! - Packets of modules, and of kinds that came after Redis 7.0, are passed over.

mod decoder;
pub mod encode;
mod error;
mod extension;
mod gossip;
mod header;
mod kind;
mod packet;
mod read;

pub use decoder::{Arrival, Decoder};
pub use error::{BadStream, PacketError};
pub use extension::{Extension, Extensions};
pub use gossip::{GOSSIP_LEN, Gossip, GossipList};
pub use header::{Bitmap, HEADER_LEN, Header, MIN_LEN, message_flag, node_flag};
pub use kind::{KINDS, Kind};
pub use packet::{Beat, Body, Packet, number_of_kind};
