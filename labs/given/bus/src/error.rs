use std::error::Error;
use std::fmt;

/// Why a packet is dropped. The connection goes on: where the next packet begins is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketError {
    /// It does not begin with `RCmb`.
    Signature,
    /// Not version 1 of the protocol.
    Version(u16),
    /// A kind of packet that we do not know, or that is for modules.
    Kind(u16),
    /// It is longer or shorter than what it says it holds.
    Length {
        /// What it says of its own length, in bytes.
        claimed: u64,
        /// What its kind and its counts make.
        expected: u64,
    },
    /// An extension's length is no multiple of eight, or leaves no room for its own head.
    ExtensionLength(u32),
    /// An extension goes on behind the end of the packet.
    ExtensionCut,
    /// Where a node's id should be, there is none.
    Id,
}

impl fmt::Display for PacketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PacketError::Signature => f.write_str("no packet of the cluster bus"),
            PacketError::Version(version) => write!(f, "version {version} of the protocol"),
            PacketError::Kind(kind) => write!(f, "unknown kind {kind}"),
            PacketError::Length { claimed, expected } => {
                write!(f, "{claimed} bytes long, but what it holds makes {expected}")
            }
            PacketError::ExtensionLength(length) => write!(f, "an extension of {length} bytes"),
            PacketError::ExtensionCut => f.write_str("an extension that is cut short"),
            PacketError::Id => f.write_str("an id that is none"),
        }
    }
}

impl Error for PacketError {}

/// Why a connection cannot go on: where its next packet begins is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadStream {
    /// What should be a packet does not begin with `RCmb`.
    Signature,
    /// A packet claims to be shorter than its own header.
    Length(u32),
}

impl fmt::Display for BadStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadStream::Signature => f.write_str("this is no cluster bus"),
            BadStream::Length(length) => write!(f, "a packet of {length} bytes has no room for its header"),
        }
    }
}

impl Error for BadStream {}
