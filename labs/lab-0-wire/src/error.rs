//! What can be wrong with bytes. The texts are Redis's: clients and operators know them.

use std::error::Error;
use std::fmt;

// ANCHOR: protocol_error
/// Why a client's bytes are no command. The server answers `-ERR Protocol error: ` and this text, and
/// closes the connection: after a wrong length nobody knows where the next command begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// An inline command that is longer than [`Limits::inline`](crate::Limits::inline), without its end.
    TooBigInline,
    /// The line with the number of arguments does not end.
    TooBigMultibulkLine,
    /// The line with the length of an argument does not end.
    TooBigBulkLine,
    /// The number of arguments is no number, or more than anybody may claim.
    InvalidMultibulkLength,
    /// The length of an argument is no number, negative, or more than anybody may claim.
    InvalidBulkLength,
    /// More arguments than a client may claim before it has said who it is.
    UnauthenticatedMultibulkLength,
    /// A longer argument than a client may claim before it has said who it is.
    UnauthenticatedBulkLength,
    /// An argument that does not start with `$`, and the byte that was there instead.
    ExpectedBulk(u8),
    /// A quote in an inline command that is not closed, or is closed in the middle of a word.
    UnbalancedQuotes,
}
// ANCHOR_END: protocol_error

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProtocolError::TooBigInline => "too big inline request",
            ProtocolError::TooBigMultibulkLine => "too big mbulk count string",
            ProtocolError::TooBigBulkLine => "too big bulk count string",
            ProtocolError::InvalidMultibulkLength => "invalid multibulk length",
            ProtocolError::InvalidBulkLength => "invalid bulk length",
            ProtocolError::UnauthenticatedMultibulkLength => "unauthenticated multibulk length",
            ProtocolError::UnauthenticatedBulkLength => "unauthenticated bulk length",
            ProtocolError::UnbalancedQuotes => "unbalanced quotes in request",
            ProtocolError::ExpectedBulk(byte) => {
                // A line break in the text would end the error in the middle.
                let shown = match byte {
                    b'\r' | b'\n' => ' ',
                    1..0x80 => char::from(*byte),
                    _ => '?',
                };
                return write!(f, "expected '$', got '{shown}'");
            }
        })
    }
}

impl Error for ProtocolError {}

// ANCHOR: frame_error
/// Why a server's bytes are no reply. The client closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// No type of RESP2 or RESP3 starts with this byte.
    UnknownType(u8),
    /// A number or a length that cannot be read, is out of range, or makes no sense for its type.
    BadNumber,
    /// Something other than `t` or `f`, or text that is not UTF-8 where RESP wants text.
    BadValue,
    /// A line that does not end.
    LineTooLong,
    /// A list inside a list inside a list, [`FrameDecoder::MAX_DEPTH`](crate::FrameDecoder::MAX_DEPTH) deep.
    TooDeep,
}
// ANCHOR_END: frame_error

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::UnknownType(byte) => {
                write!(f, "Protocol error, got \"{}\" as reply type byte", byte.escape_ascii())
            }
            FrameError::BadNumber => f.write_str("Protocol error, bad number or length"),
            FrameError::BadValue => f.write_str("Protocol error, bad value"),
            FrameError::LineTooLong => f.write_str("Protocol error, line too long"),
            FrameError::TooDeep => f.write_str("Protocol error, reply nested too deeply"),
        }
    }
}

impl Error for FrameError {}

// ANCHOR: hello_error
/// Why a `HELLO` is refused. The text is the whole error, its code included. The connection goes on as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelloError {
    /// The version is no number.
    NotANumber,
    /// A version other than 2 and 3.
    UnsupportedVersion,
    /// An option nobody knows, or one without its values.
    Syntax(String),
    /// A name that could not be told from the rest of a line of `CLIENT LIST`.
    BadName,
}
// ANCHOR_END: hello_error

impl fmt::Display for HelloError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HelloError::NotANumber => f.write_str("ERR Protocol version is not an integer or out of range"),
            HelloError::UnsupportedVersion => f.write_str("NOPROTO unsupported protocol version"),
            HelloError::Syntax(option) => write!(f, "ERR Syntax error in HELLO option '{option}'"),
            HelloError::BadName => {
                f.write_str("ERR Client names cannot contain spaces, newlines or special characters.")
            }
        }
    }
}

impl Error for HelloError {}
