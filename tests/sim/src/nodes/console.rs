//! An operator at the machine itself: orders that reach the node whatever the network does.

use core_types::{ArgsBuf, write_command};
use node::Peer;

use super::NodeHost;
use crate::world::Io;

impl NodeHost {
    /// Gives the node one command, its words separated by spaces (a `"quoted part"` is one word), on a connection of its own that is closed again,
    /// and returns what the node has said by then. A command that blocks is cut off.
    pub fn order(&mut self, io: &mut Io<'_, '_>, command: &str) -> String {
        let now = io.now();
        let peer = Peer { addr: "127.0.0.1:1".into(), local_addr: "127.0.0.1:1".into(), loopback: true };
        let id = self.node.accept(now, peer);
        let mut bytes = bytes::BytesMut::new();
        if let Some(password) = self.node.config().requirepass.clone() {
            write_command(&mut bytes, ArgsBuf::from_parts(["AUTH", &password]).as_args().iter());
            self.node.receive(now, id, &bytes);
            let said = self.node.pending(id).len();
            self.node.sent(now, id, said);
            bytes.clear();
        }
        write_command(&mut bytes, words(command).as_args().iter());
        self.node.receive(now, id, &bytes);
        let said = String::from_utf8_lossy(self.node.pending(id)).into_owned();
        self.node.sent(now, id, said.len());
        self.node.closed(now, id);
        io.note(format!("{command} → {}", said.trim_end().chars().take(80).collect::<String>()));
        self.serve(io);
        said
    }
}

/// The words of a command as somebody types it: separated by spaces, and a `"quoted part"` is one word.
pub(super) fn words(command: &str) -> ArgsBuf {
    // Every other part is between quotes.
    let parts = command.split('"').enumerate().flat_map(|(index, part)| {
        let words: Vec<&str> = if index % 2 == 1 { vec![part] } else { part.split_whitespace().collect() };
        words
    });
    ArgsBuf::from_parts(parts.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_parts_are_one_word() {
        let command = words("CONFIG SET a \"b c\" d");
        assert_eq!(command, ArgsBuf::from_parts(["CONFIG", "SET", "a", "b c", "d"]));
    }
}
