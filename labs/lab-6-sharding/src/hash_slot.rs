//! From a key to its slot.

use core_types::Slot;
use crc16::{State, XMODEM};

/// The polynomial of CRC16/XMODEM: x¹⁶ + x¹² + x⁵ + 1, without its highest term.
pub const POLYNOMIAL: u16 = 0x1021;

/// CRC16/XMODEM of `bytes`, one bit at a time and without a table.
///
/// The register of 16 bits begins at 0. Each byte is added (XOR) to the register's upper half. Then, eight times: the
/// register is shifted left by one, and if the bit that fell out was a 1, [`POLYNOMIAL`] is added. What
/// the register holds after the last byte is the checksum.
pub fn crc16_by_hand(bytes: &[u8]) -> u16 {
    // <exercise 6.4>
    todo!("lab 6.4: Sixteen bits, by hand")
    // </exercise>
}

/// What stands around a tag in Redis Cluster. The operator of a proxy may choose other characters.
pub const BRACES: [u8; 2] = *b"{}";

/// The part of `key` that is hashed: what stands between the first `open` and the first `close` after it, if that is at least
/// one byte; otherwise the whole key. `open` and `close` are [`BRACES`] in a cluster.
///
/// Keys with the same tag share a slot, and so a node.
pub fn hash_tag(key: &[u8], [open, close]: [u8; 2]) -> &[u8] {
    // <exercise 6.5 hash_tag>
    todo!("lab 6.5: A key's slot")
    // </exercise>
}

/// The slot that a key belongs to: the checksum of its [`hash_tag`] (between [`BRACES`]) modulo 16384. Every key has one,
/// the empty one too.
///
/// This is on the path of each command, so it uses the crate's table (`State::<XMODEM>::calculate`) and not
/// [`crc16_by_hand`].
pub fn key_slot(key: &[u8]) -> Slot {
    // <exercise 6.5 key_slot>
    todo!("lab 6.5: A key's slot")
    // </exercise>
}
