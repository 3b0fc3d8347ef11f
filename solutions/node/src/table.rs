//! The one table of commands: those on data come from `keyspace`, the rest are the node's own.

use std::sync::OnceLock;

use core_types::Args;
use foldhash::fast::FixedState;
use indexmap::IndexMap;
use keyspace::{CommandSpec, Handler};

use crate::Node;
use crate::commands;
use crate::conn::Conn;

/// A command on connections, on the server or on replication.
pub(crate) type NodeHandler = fn(&mut Node, &mut Conn, Args<'_>);

/// How a command is run.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// It reads or writes the data set and nothing else.
    Data(Handler),
    /// It needs the node or the connection.
    Node(NodeHandler),
}

/// One row of the table.
pub(crate) struct Command {
    pub(crate) spec: &'static CommandSpec,
    pub(crate) run: Run,
}

/// The longest name we know has fewer bytes than this.
const LONGEST_NAME: usize = 32;

type Table = IndexMap<&'static [u8], Command, FixedState>;

/// All commands by lower-case name, in a fixed order.
pub(crate) fn all() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let data = keyspace::COMMANDS.iter().map(|(spec, run)| Command { spec, run: Run::Data(*run) });
        let node = commands::COMMANDS.iter().map(|(spec, run)| Command { spec, run: Run::Node(*run) });
        let mut table: Vec<Command> = data.chain(node).collect();
        table.sort_by_key(|command| command.spec.name);
        table.into_iter().map(|command| (command.spec.name.as_bytes(), command)).collect()
    })
}

/// Finds a command by its name in any mixture of upper and lower case.
pub(crate) fn lookup(name: &[u8]) -> Option<&'static Command> {
    let mut lower = [0u8; LONGEST_NAME];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    all().get(&*lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_lower_case_short_and_there_once() {
        let rows = keyspace::COMMANDS.len() + commands::COMMANDS.len();
        assert_eq!(all().len(), rows, "a name stands twice");
        for name in all().keys() {
            assert!(name.len() < LONGEST_NAME && !name.iter().any(u8::is_ascii_uppercase));
        }
    }

    #[test]
    fn lookup_ignores_case_and_refuses_long_names() {
        assert!(lookup(b"GeT").is_some());
        assert!(lookup(b"nosuch").is_none());
        assert!(lookup(&[b'x'; 4000]).is_none());
    }
}
