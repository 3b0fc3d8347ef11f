//! Walking all keys without holding the server up.

use bytes::Bytes;
use core_types::Frame;

use super::{Manner, ask, pause, put, seconds};
use crate::cli::client::Client;

/// Batches between two pauses.
const BATCHES: u64 = 100;

/// A walk over the key space by `SCAN`: every key that is there from beginning to end comes at least once.
pub(super) struct Walk<'a> {
    manner: &'a Manner,
    cursor: Bytes,
    batches: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(manner: &'a Manner) -> Walk<'a> {
        Walk { manner, cursor: Bytes::from_static(b"0"), batches: 0 }
    }

    /// The next keys, perhaps none; `None` if that was all.
    pub(super) fn next_batch(&mut self, client: &mut Client) -> Result<Option<Vec<Bytes>>, String> {
        if self.batches > 0 && self.cursor == "0" {
            return Ok(None);
        }
        if self.batches > 0 && self.batches.is_multiple_of(BATCHES) && self.manner.interval > 0.0 {
            pause(seconds(self.manner.interval));
        }
        self.batches += 1;
        let mut command: Vec<&[u8]> = vec![b"SCAN", &self.cursor];
        if let Some(pattern) = &self.manner.pattern {
            command.extend([&b"MATCH"[..], pattern.as_bytes()]);
        }
        let reply = ask(client, &command)?;
        let (cursor, keys) = read(reply).ok_or("SCAN was not answered with a cursor and keys")?;
        self.cursor = cursor;
        Ok(Some(keys))
    }
}

fn read(reply: Frame) -> Option<(Bytes, Vec<Bytes>)> {
    let Frame::Array(parts) = reply else { return None };
    let [Frame::Bulk(cursor), Frame::Array(keys)] = <[Frame; 2]>::try_from(parts).ok()? else { return None };
    let keys = keys.into_iter().map(|key| match key {
        Frame::Bulk(key) => Some(key),
        _ => None,
    });
    Some((cursor, keys.collect::<Option<_>>()?))
}

/// How many keys there are, to know how far a walk is.
pub(super) fn size(client: &mut Client) -> Result<u64, String> {
    match ask(client, &["DBSIZE"])? {
        Frame::Integer(count) => Ok(count.unsigned_abs()),
        _ => Err("DBSIZE was not answered with a number".into()),
    }
}

/// `--scan`: a key a line.
pub(super) fn print_keys(client: &mut Client, manner: &Manner) -> Result<(), String> {
    let mut walk = Walk::new(manner);
    while let Some(keys) = walk.next_batch(client)? {
        let mut lines = String::new();
        for key in keys {
            match manner.on_terminal {
                true => lines += &super::shown(&key),
                false => lines += &String::from_utf8_lossy(&key),
            }
            lines.push('\n');
        }
        if !put(&lines) {
            break;
        }
    }
    Ok(())
}
