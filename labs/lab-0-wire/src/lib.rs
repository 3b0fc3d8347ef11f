//! Chapter 0, the wire: how commands and replies become bytes, and bytes become commands and replies.
//!
//! TCP delivers a stream of bytes: the right bytes, in the right order, cut wherever it pleased the
//! network. RESP puts the borders of commands and replies into the stream itself. Everything here works on
//! a buffer that somebody else fills, and keeps these promises whatever arrives:
//!
//! - *Chunks do not matter.* The same bytes give the same commands, the same replies and the same errors,
//!   in one piece or byte by byte.
//! - *A length is a claim.* No memory is set aside for bytes that have not arrived.
//! - *Any bytes are an answer or an error*, never a panic and never an endless loop.
//!
//! | from bytes | to bytes |
//! |---|---|
//! | [`CommandDecoder`]: what a server reads | [`core_types::write_command`]: what a client writes |
//! | [`FrameDecoder`]: what a client reads | [`Encoder`]: what a server writes |
//!
//! # Differences from Redis
//!
//! Limits on the length of a line hold however the line arrives; Redis notices an overlong line only if it
//! reads a part of it without its end. A NUL byte in an inline command is a byte like any other; in Redis
//! it hides what follows. Everything else is meant to be the same, down to the text of the errors.

// Bodies between `// <exercise N.M>` and `// </exercise>` are yours; the rest is given. This crate starts from
// generated code: `cargo workbook reset N.M` puts a body back.
// While bodies are missing, what they will use looks unused or odd. Delete these two lines when you are done.
#![allow(unused)]
#![allow(clippy::all, clippy::todo)]

mod decoder;
mod encoder;
mod error;
mod frames;
mod hello;
mod inline;
mod limits;
mod line;
mod number;

pub use decoder::CommandDecoder;
pub use encoder::Encoder;
pub use error::{FrameError, HelloError, ProtocolError};
pub use frames::FrameDecoder;
pub use hello::{Hello, parse_hello};
pub use inline::{find_inline, split_inline};
pub use limits::{Limits, bulk_length, multibulk_count};
pub use line::{Line, find_line};
pub use number::parse_integer;
