//! What makes `-c` smart: the slot table of chapter 8, and where the keys of a command stand.

use std::collections::BTreeMap;

use core_types::{Endpoint, Frame, Slot};
use node::layers::redirection::{Answer, Cache, Errand, Next, Topology, read_error};
use node::layers::sharding::key_slot;

use super::client::Client;

/// A client's knowledge of a cluster.
///
/// It asks for the table of all slots only after the first redirection. Until then every command goes to the
/// server that it was started with, as with `redis-cli -c`, so that one can see the redirection.
#[derive(Debug)]
pub(super) struct Smart {
    cache: Cache,
    redirected: bool,
    keys: BTreeMap<Vec<u8>, KeysAt>,
}

/// Where the first key of a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeysAt {
    /// It has none.
    Nowhere,
    /// At this place, the name being at 0.
    Place(usize),
    /// That depends on the other words.
    AskServer,
}

impl Smart {
    pub(super) fn new(start: Endpoint) -> Smart {
        Smart { cache: Cache::new([start]), redirected: false, keys: BTreeMap::new() }
    }

    /// How many servers it knows.
    pub(super) fn places(&self) -> usize {
        self.cache.places.len()
    }

    /// A command that sets out: to the master of its slot, or else to where we are.
    pub(super) fn errand(&self, slot: Option<Slot>, here: &Endpoint) -> Errand {
        let known = slot.and_then(|slot| self.cache.master(slot));
        Errand { slot, to: known.unwrap_or(here).clone(), asking: false, again: 0 }
    }

    /// See [`Cache::answered`].
    pub(super) fn answered(&mut self, errand: &mut Errand, answer: &Answer) -> Next {
        self.redirected |= matches!(answer, Answer::Moved(..));
        self.cache.answered(errand, answer)
    }

    /// Asks for the whole table, if there is reason to.
    pub(super) fn refresh(&mut self, client: &mut Client, here: &Endpoint) {
        if !(self.redirected && self.cache.stale) {
            return;
        }
        // Without an answer the old table serves as well: its mistakes are put right one by one.
        let table = client.call(&["CLUSTER", "SLOTS"]).ok();
        if let Some(table) = table.and_then(|table| Topology::from_slots(&table, here)) {
            self.cache.learn(&table);
        }
    }

    /// The slot of a command's first key, once there is a table to look it up in.
    pub(super) fn slot_of(&mut self, client: &mut Client, command: &[Vec<u8>]) -> Option<Slot> {
        if !self.redirected {
            return None;
        }
        let name = command[0].to_ascii_lowercase();
        let rule = match self.keys.get(&name) {
            Some(rule) => *rule,
            None => {
                let answer = client.call(&[b"COMMAND".as_slice(), b"INFO", &name]).ok()?;
                let rule = KeysAt::read(&answer);
                self.keys.insert(name, rule);
                rule
            }
        };
        match rule {
            KeysAt::Nowhere => None,
            KeysAt::Place(place) => command.get(place).map(|key| key_slot(key)),
            KeysAt::AskServer => {
                let mut question = vec![b"COMMAND".as_slice(), b"GETKEYS"];
                question.extend(command.iter().map(Vec::as_slice));
                match client.call(&question).ok()? {
                    Frame::Array(keys) => keys.first()?.as_bytes().map(key_slot),
                    _ => None,
                }
            }
        }
    }
}

impl KeysAt {
    /// Reads the answer to `COMMAND INFO name`: `[[name, arity, [flag …], first key, last key, step, …]]`; the
    /// last of the further entries are the subcommands.
    fn read(answer: &Frame) -> KeysAt {
        let Frame::Array(commands) = answer else { return KeysAt::Nowhere };
        let Some(Frame::Array(facts)) = commands.first() else { return KeysAt::Nowhere };
        let flags = match facts.get(2) {
            Some(Frame::Array(flags) | Frame::Set(flags)) => flags.as_slice(),
            _ => &[],
        };
        let movable = flags.iter().any(|flag| flag.as_bytes() == Some(b"movablekeys"));
        let has_subcommands = matches!(facts.get(9), Some(Frame::Array(list)) if !list.is_empty());
        match facts.get(3) {
            _ if movable || has_subcommands => KeysAt::AskServer,
            Some(Frame::Integer(first)) if *first > 0 => KeysAt::Place(*first as usize),
            _ => KeysAt::Nowhere,
        }
    }
}

/// Where a reply sends the client; `None` if it is no redirection.
pub(super) fn redirection(reply: &Frame, here: &Endpoint) -> Option<Answer> {
    let Frame::Error(text) = reply else { return None };
    Some(read_error(text, here)).filter(|answer| matches!(answer, Answer::Moved(..) | Answer::Ask(..)))
}
