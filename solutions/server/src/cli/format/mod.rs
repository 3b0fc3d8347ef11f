//! Replies as text, byte for byte as `redis-cli` 7.0 prints them.

mod csv;
mod json;
mod people;
mod plain;

use core_types::Frame;

pub(super) use people::{for_people, quote};
pub(super) use plain::for_programs;

/// How replies are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// With types, quotes and indices.
    People,
    /// Values only.
    Plain {
        /// Between the values of one reply.
        between: Vec<u8>,
        /// Behind each reply.
        behind: Vec<u8>,
    },
    Csv,
    Json {
        ascii: bool,
    },
}

impl Style {
    /// A reply with all that belongs behind it.
    pub(super) fn show(&self, reply: &Frame) -> Vec<u8> {
        let (mut text, behind) = match self {
            Style::People => return for_people(reply),
            Style::Plain { between, behind } => (for_programs(reply, between), behind.as_slice()),
            Style::Csv => (csv::csv(reply), b"\n".as_slice()),
            Style::Json { ascii } => (json::json(reply, *ascii), b"\n".as_slice()),
        };
        text.extend_from_slice(behind);
        text
    }
}
