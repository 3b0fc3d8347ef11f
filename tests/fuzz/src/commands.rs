//! RESP as a server reads it: commands, in arrays or inline.

use bytes::BytesMut;
use core_types::write_command;
use solution_0::{CommandDecoder, Limits, ProtocolError};

use crate::{Pieces, bounded, every_way};

/// Bytes of memory for a byte of input: an empty argument (`$0\r\n\r\n`) is six bytes, and becomes a span of
/// sixteen and an owned argument here.
const FACTOR: usize = 64;

type Command = Vec<Vec<u8>>;

/// Limits that small inputs can reach.
const NARROW: Limits = Limits { inline: 40, multibulk: 6, bulk: 30, authenticated: true };

/// Reads `data` as what a client sent.
///
/// # Panics
/// If a promise is broken: see the crate's documentation.
pub fn check(data: &[u8]) {
    for limits in [Limits::DEFAULT, Limits::UNAUTHENTICATED, NARROW] {
        let (commands, _) = bounded(data.len(), FACTOR, || every_way(data, |pieces| decode(pieces, &limits)));
        for command in commands.iter().filter(|command| !command.is_empty()) {
            write_and_read(command);
        }
    }
}

/// Every command, and what was wrong with what follows.
fn decode(pieces: Pieces<'_>, limits: &Limits) -> (Vec<Command>, Option<ProtocolError>) {
    let (mut decoder, mut buffer, mut commands) = (CommandDecoder::new(), Vec::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.decode(&buffer, limits) {
                Ok(Some(length)) => {
                    commands.push(decoder.args(&buffer).iter().map(<[u8]>::to_vec).collect());
                    assert!((1..=buffer.len()).contains(&length), "a command of {length} bytes");
                    buffer.drain(..length);
                }
                Ok(None) => break,
                Err(error) => return (commands, Some(error)),
            }
        }
    }
    (commands, None)
}

/// What a client would send for this command is this command.
fn write_and_read(command: &Command) {
    let mut bytes = BytesMut::new();
    write_command(&mut bytes, command.iter().map(Vec::as_slice));
    let mut decoder = CommandDecoder::new();
    let read = decoder.decode(&bytes, &Limits::DEFAULT);
    assert_eq!(read, Ok(Some(bytes.len())), "what was written is one command");
    assert!(decoder.args(&bytes).iter().eq(command.iter().map(Vec::as_slice)), "it is another command");
}
