//! The hash functions that proxies and client libraries place keys with.

use std::fmt;
use std::str::FromStr;

use crc16::{State, XMODEM};
use md5::{Digest, Md5};

/// A hash function of 32 bits, by the name that Twemproxy's configuration gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Hash {
    /// `fnv1a_64`, Twemproxy's default. Only the lower 32 bits of the 64 are computed.
    #[default]
    Fnv1a64,
    /// `fnv1_64`, its lower 32 bits.
    Fnv164,
    /// `fnv1a_32`.
    Fnv1a32,
    /// `fnv1_32`.
    Fnv132,
    /// `md5`: the first four bytes of the digest, the least significant first. What ketama began with.
    Md5,
    /// `crc16`: the checksum of chapter 6's slots in the lower 16 bits. What was shifted out of them stands above.
    Crc16,
}

impl Hash {
    /// The hash of `key`.
    pub fn of(self, key: &[u8]) -> u32 {
        const FNV_64_START: u32 = 0xcbf2_9ce4_8422_2325_u64 as u32;
        const FNV_64_PRIME: u32 = 0x0100_0000_01b3_u64 as u32;
        const FNV_32_START: u32 = 2_166_136_261;
        const FNV_32_PRIME: u32 = 16_777_619;
        match self {
            Hash::Fnv1a64 => fnv1a(key, FNV_64_START, FNV_64_PRIME),
            Hash::Fnv164 => fnv1(key, FNV_64_START, FNV_64_PRIME),
            Hash::Fnv1a32 => fnv1a(key, FNV_32_START, FNV_32_PRIME),
            Hash::Fnv132 => fnv1(key, FNV_32_START, FNV_32_PRIME),
            Hash::Md5 => md5_words(key)[0],
            Hash::Crc16 => key.iter().fold(0, |hash: u32, &byte| {
                // The table of CRC16 is the checksum of each single byte.
                let entry = State::<XMODEM>::calculate(&[(hash >> 8) as u8 ^ byte]);
                (hash << 8) ^ u32::from(entry)
            }),
        }
    }

    /// All of them, with their names.
    pub const ALL: [(&'static str, Hash); 6] = [
        ("fnv1a_64", Hash::Fnv1a64),
        ("fnv1_64", Hash::Fnv164),
        ("fnv1a_32", Hash::Fnv1a32),
        ("fnv1_32", Hash::Fnv132),
        ("md5", Hash::Md5),
        ("crc16", Hash::Crc16),
    ];
}

impl FromStr for Hash {
    type Err = UnknownHash;

    fn from_str(name: &str) -> Result<Hash, UnknownHash> {
        let found = Hash::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, hash)| *hash).ok_or(UnknownHash)
    }
}

/// There is no [`Hash`] of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownHash;

impl fmt::Display for UnknownHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown hash; known are")?;
        Hash::ALL.iter().try_for_each(|(name, _)| write!(f, " {name}"))
    }
}

impl std::error::Error for UnknownHash {}

/// The MD5 digest of `text` as four numbers of 32 bits, the least significant byte of each first.
pub fn md5_words(text: &[u8]) -> [u32; 4] {
    let digest: [u8; 16] = Md5::digest(text).into();
    let (words, _) = digest.as_chunks::<4>();
    std::array::from_fn(|index| u32::from_le_bytes(words[index]))
}

/// Twemproxy reads a key as `char`, which has a sign on the machines it runs on: a byte from 0x80 up counts as a
/// negative number, and all the bits above it are ones.
fn with_sign(byte: u8) -> u32 {
    byte as i8 as u32
}

fn fnv1a(key: &[u8], start: u32, prime: u32) -> u32 {
    key.iter().fold(start, |hash, &byte| (hash ^ with_sign(byte)).wrapping_mul(prime))
}

fn fnv1(key: &[u8], start: u32, prime: u32) -> u32 {
    key.iter().fold(start, |hash, &byte| hash.wrapping_mul(prime) ^ with_sign(byte))
}
