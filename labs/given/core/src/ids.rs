use std::error::Error;
use std::fmt;
use std::str::FromStr;

use crate::Rng;

macro_rules! forty_digits {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $name::LEN]);

        impl $name {
            /// Length in bytes (`CONFIG_RUN_ID_SIZE` in Redis's `server.h`).
            pub const LEN: usize = 40;

            /// A new one, unlike any other.
            pub fn random(rng: &mut Rng) -> $name {
                $name(rng.hex40())
            }

            /// Reads 40 bytes. Redis compares ids as text and does not insist on hexadecimal, nor do we: what
            /// is no id of ours simply never matches one.
            pub fn parse(text: &[u8]) -> Result<$name, ParseIdError> {
                match text.try_into() {
                    Ok(bytes) if text.iter().all(u8::is_ascii_graphic) => Ok($name(bytes)),
                    _ => Err(ParseIdError),
                }
            }

            /// The 40 digits.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).expect("checked to be ASCII when it was made")
            }

            /// The first eight digits: enough to tell ids apart in a log or a transcript.
            pub fn short(&self) -> &str {
                &self.as_str()[..8]
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<$name, ParseIdError> {
                $name::parse(text.as_bytes())
            }
        }
    };
}

forty_digits! {
    /// A replication id: 40 lowercase hexadecimal digits that name one history of writes.
    ///
    /// Two nodes with the same id and the same [`Offset`] hold the same data. A node's [`RunId`] has the
    /// same shape but another meaning.
    ReplId
}

forty_digits! {
    /// A run id: 40 lowercase hexadecimal digits that name one run of one process. A sentinel keeps its own
    /// in its file, so that it is the same voter after a restart.
    RunId
}

forty_digits! {
    /// A node's name in a cluster: 40 lowercase hexadecimal digits that it has chosen itself and keeps in its
    /// `nodes.conf`. Addresses change, this does not.
    NodeId
}

/// Not 40 printable characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseIdError;

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id has exactly 40 characters")
    }
}

impl Error for ParseIdError {}

/// A position in a replication stream: how many bytes of it lie before this point.
///
/// The master counts the bytes it has produced, a replica the bytes it has applied; the difference is
/// the replica's lag in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset(pub u64);

impl Offset {
    /// The position `bytes` further on.
    #[must_use]
    pub const fn plus(self, bytes: usize) -> Offset {
        Offset(self.0 + bytes as u64)
    }

    /// How many bytes lie between `earlier` and here. Zero if `earlier` is in fact later.
    pub const fn since(self, earlier: Offset) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

/// A logical clock that grows with each attempt to change a configuration. A newer configuration has the
/// greater epoch; nobody votes twice in one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch after this one. After the last one there is none: whoever is told of it, by a peer that lies, stays there.
    /// (Redis begins again at zero.)
    #[must_use]
    pub const fn next(self) -> Epoch {
        Epoch(self.0.saturating_add(1))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}", self.0)
    }
}

/// Where a node listens for clients: a host name or address, and a port.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// A name or an address, as it was written. It is resolved when somebody connects, not before.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl Endpoint {
    /// `host` and `port` together.
    pub fn new(host: impl Into<String>, port: u16) -> Endpoint {
        Endpoint { host: host.into(), port }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_the_last_epoch_there_is_none() {
        assert_eq!(Epoch(0).next(), Epoch(1));
        assert_eq!(Epoch(u64::MAX - 1).next(), Epoch(u64::MAX));
        assert_eq!(Epoch(u64::MAX).next(), Epoch(u64::MAX), "to begin again would be to vote twice in one");
    }
}
