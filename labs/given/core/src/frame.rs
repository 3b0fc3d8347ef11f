use bytes::Bytes;

/// Which version of RESP a connection speaks. It starts with 2 and changes with `HELLO`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Protocol {
    /// Five types; everything else is told in terms of them.
    #[default]
    Resp2,
    /// Redis 6 and later: maps, sets, doubles, booleans, nulls and pushes are types of their own.
    Resp3,
}

/// One reply as a client sees it: a tree that owns its bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// `+OK`: a short text without line breaks.
    Simple(String),
    /// `-ERR …`: the first word is the error's code.
    Error(String),
    /// `:1`: a signed 64-bit number.
    Integer(i64),
    /// `$3`: any bytes, by length.
    Bulk(Bytes),
    /// `$-1` and `*-1` in RESP2, `_` in RESP3.
    Null,
    /// `*2`: an ordered list.
    Array(Vec<Frame>),
    /// `%1` in RESP3: pairs, in the order they were sent.
    Map(Vec<(Frame, Frame)>),
    /// `~2` in RESP3: an unordered collection.
    Set(Vec<Frame>),
    /// `,1.5` in RESP3.
    Double(f64),
    /// `#t` in RESP3.
    Boolean(bool),
    /// `(123…` in RESP3: digits too many for 64 bits.
    BigNumber(String),
    /// `=15` in RESP3: text with a three-letter format, `txt` or `mkd`.
    Verbatim(String, Bytes),
    /// `>2` in RESP3: sent without being asked for, such as a pub/sub message.
    Push(Vec<Frame>),
}

impl Frame {
    /// The text or bytes of a simple string, bulk string or verbatim string.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Frame::Simple(text) => Some(text.as_bytes()),
            Frame::Bulk(bytes) | Frame::Verbatim(_, bytes) => Some(bytes),
            _ => None,
        }
    }
}
