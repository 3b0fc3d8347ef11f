use bytes::{Buf, Bytes, BytesMut};

use crate::header::{SIGNATURE, VERSION, at};
use crate::packet::{PUBLISH_HEAD, UPDATE_LEN};
use crate::read;
use crate::{BadStream, GOSSIP_LEN, HEADER_LEN, Kind, MIN_LEN, PacketError};

/// As much as must be there to know how long a packet of its kind can be: up to the count of gossip.
const PREFIX: usize = 16;

/// The most that the extensions of one heartbeat may take, in bytes. Those of Redis 7.2 take a few hundred.
const MOST_EXTENSIONS: u64 = 64 * 1024;

/// Cuts the bytes of one connection into packets.
///
/// ```
/// # use bus::{Arrival, Decoder};
/// let mut decoder = Decoder::new(1 << 20);
/// decoder.feed(b"RC");
/// assert_eq!(decoder.next(), Ok(None));
/// decoder.feed(b"XX, not the bus");
/// assert!(decoder.next().is_err());
/// ```
#[derive(Debug)]
pub struct Decoder {
    buffer: BytesMut,
    /// Bytes of a dropped packet that are still to come.
    to_skip: u64,
    most: u64,
}

/// What has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A whole packet, for [`Packet::parse`](crate::Packet::parse).
    Packet(Bytes),
    /// One that cannot be right. Its bytes are passed over as they come. Redis counts it as received all the same.
    Dropped {
        /// The number of its kind.
        kind: u16,
        /// Why.
        why: PacketError,
    },
}

impl Decoder {
    /// `most` is the longest text of a `Publish` that is taken, channel and message together, in bytes. All other
    /// packets are as long as their kind and their counts make them, and never longer than seven megabytes.
    pub fn new(most: u64) -> Decoder {
        Decoder { buffer: BytesMut::new(), to_skip: 0, most }
    }

    /// Takes the next bytes. What belongs to a packet that was dropped is not kept.
    pub fn feed(&mut self, mut data: &[u8]) {
        let skipped = self.to_skip.min(data.len() as u64);
        self.to_skip -= skipped;
        data.advance(skipped as usize);
        self.buffer.extend_from_slice(data);
    }

    /// The next packet, if all of it is there. Whoever feeds calls this until it has no more.
    ///
    /// # Errors
    /// If these bytes are no bus. The connection is to be closed.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end at `None`, and this goes on")]
    pub fn next(&mut self) -> Result<Option<Arrival>, BadStream> {
        let there = self.buffer.len().min(SIGNATURE.len());
        if self.buffer[..there] != SIGNATURE[..there] {
            return Err(BadStream::Signature);
        }
        if self.buffer.len() >= at::VERSION {
            let length = read::u32_at(&self.buffer, at::LENGTH);
            if (length as usize) < MIN_LEN {
                return Err(BadStream::Length(length));
            }
        }
        if self.buffer.len() < PREFIX {
            return Ok(None);
        }
        let length = read::u32_at(&self.buffer, at::LENGTH);
        if let Err(why) = self.look_at_prefix() {
            let kind = read::u16_at(&self.buffer, at::KIND);
            self.skip(u64::from(length));
            return Ok(Some(Arrival::Dropped { kind, why }));
        }
        if self.buffer.len() < length as usize {
            return Ok(None);
        }
        let packet = self.buffer.split_to(length as usize).freeze();
        if self.buffer.is_empty() {
            // The packet keeps the memory as long as it is needed, and nobody else does.
            self.buffer = BytesMut::new();
        }
        Ok(Some(Arrival::Packet(packet)))
    }

    /// How many bytes it holds.
    pub fn held(&self) -> usize {
        self.buffer.len()
    }

    /// How much memory it takes for them.
    pub fn allocated(&self) -> usize {
        self.buffer.capacity()
    }

    fn skip(&mut self, length: u64) {
        let here = length.min(self.buffer.len() as u64);
        self.buffer.advance(here as usize);
        self.to_skip = length - here;
    }

    /// Can a packet that begins like this be as long as it says?
    fn look_at_prefix(&self) -> Result<(), PacketError> {
        let version = read::u16_at(&self.buffer, at::VERSION);
        if version != VERSION {
            return Err(PacketError::Version(version));
        }
        let number = read::u16_at(&self.buffer, at::KIND);
        let kind = Kind::from_number(number).ok_or(PacketError::Kind(number))?;
        let header = HEADER_LEN as u64;
        let claimed = u64::from(read::u32_at(&self.buffer, at::LENGTH));
        let (least, most) = match kind {
            Kind::Ping | Kind::Pong | Kind::Meet => {
                let count = usize::from(read::u16_at(&self.buffer, at::COUNT));
                let least = header + (count * GOSSIP_LEN) as u64;
                (least, least + MOST_EXTENSIONS)
            }
            Kind::Fail => (header + 40, header + 40),
            Kind::Publish | Kind::PublishShard => {
                let least = header + PUBLISH_HEAD as u64;
                (least, least + self.most)
            }
            Kind::AuthRequest | Kind::AuthAck | Kind::FailoverStart => (header, header),
            Kind::Update => (header + UPDATE_LEN as u64, header + UPDATE_LEN as u64),
            Kind::Module => return Err(PacketError::Kind(number)),
        };
        match claimed {
            _ if claimed < least => Err(PacketError::Length { claimed, expected: least }),
            _ if claimed > most => Err(PacketError::Length { claimed, expected: most }),
            _ => Ok(()),
        }
    }
}
