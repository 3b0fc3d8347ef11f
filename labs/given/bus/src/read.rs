//! Numbers and texts at fixed places. Callers have checked that there are enough bytes.

use core_types::NodeId;

use crate::PacketError;

pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of just that length")
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(array(bytes, at))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(array(bytes, at))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(array(bytes, at))
}

pub(crate) fn id_at(bytes: &[u8], at: usize) -> Result<NodeId, PacketError> {
    let text = &bytes[at..at + NodeId::LEN];
    match text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        true => NodeId::parse(text).map_err(|_| PacketError::Id),
        false => Err(PacketError::Id),
    }
}

/// `NET_IP_STR_LEN` in Redis's `server.h`: the longest IPv6 text and its final zero.
pub(crate) const IP_LEN: usize = 46;

/// An address as text: up to the first zero. What cannot be one is as good as none: it will stand in a line of words, in
/// `nodes.conf` and before clients, where a blank, a comma or an `@` would end it.
pub(crate) fn ip_at(bytes: &[u8], at: usize) -> &str {
    let field = &bytes[at..at + IP_LEN - 1];
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b".:-_%".contains(byte);
    match field[..end].iter().all(fits) {
        true => std::str::from_utf8(&field[..end]).unwrap_or_default(),
        false => "",
    }
}

/// Writes an address into its zeroed field. One that is too long is cut: the last byte is always zero.
pub(crate) fn put_ip(field: &mut [u8], ip: &str) {
    let length = ip.len().min(IP_LEN - 1);
    field[..length].copy_from_slice(&ip.as_bytes()[..length]);
}
