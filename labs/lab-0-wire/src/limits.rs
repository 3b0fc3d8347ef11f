//! A length on the wire is a claim. It is checked before anybody acts on it.

use crate::{ProtocolError, parse_integer};

// ANCHOR: limits
/// How much a client may claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest line in bytes: an inline command, or the line that holds a length.
    pub inline: usize,
    /// Most arguments of one command.
    pub multibulk: i64,
    /// Longest argument in bytes (`proto-max-bulk-len`).
    pub bulk: i64,
    /// False for a client that still has to give a password: then the two limits for
    /// strangers hold as well.
    pub authenticated: bool,
}

impl Limits {
    /// What Redis allows by default (`PROTO_INLINE_MAX_SIZE`, `INT_MAX`,
    /// `proto-max-bulk-len`).
    pub const DEFAULT: Limits = Limits {
        inline: 64 * 1024,
        multibulk: i32::MAX as i64,
        bulk: 512 * 1024 * 1024,
        authenticated: true,
    };

    /// What Redis allows a client that has yet to give a password.
    pub const UNAUTHENTICATED: Limits = Limits { authenticated: false, ..Limits::DEFAULT };

    /// Most arguments of a stranger's command: more than any `HELLO` needs.
    pub const STRANGER_MULTIBULK: i64 = 10;

    /// Longest argument of a stranger's command, in bytes.
    pub const STRANGER_BULK: i64 = 16 * 1024;
}
// ANCHOR_END: limits

impl Default for Limits {
    fn default() -> Limits {
        Limits::DEFAULT
    }
}

/// Reads the number of arguments: the text between `*` and the end of its line.
///
/// Zero and every negative number mean that there is no command here, which is no error.
pub fn multibulk_count(line: &[u8], limits: &Limits) -> Result<usize, ProtocolError> {
    // <exercise 0.3 multibulk_count>
    todo!("lab 0.3: Lengths are claims")
    // </exercise>
}

/// Reads the length of an argument: the text between `$` and the end of its line.
///
/// There is no negative length here: only replies have nulls.
pub fn bulk_length(line: &[u8], limits: &Limits) -> Result<usize, ProtocolError> {
    // <exercise 0.3 bulk_length>
    todo!("lab 0.3: Lengths are claims")
    // </exercise>
}
