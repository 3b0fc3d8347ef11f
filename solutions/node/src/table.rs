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
    /// Its place in what is counted for each command; its subcommands follow.
    pub(crate) index: usize,
    /// What it is the family name of; empty for most.
    pub(crate) subs: &'static [CommandSpec],
}

/// A command as it was called: for a subcommand, the row of its family and its own properties.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    pub(crate) command: &'static Command,
    pub(crate) spec: &'static CommandSpec,
    /// Its place in what is counted for each command.
    pub(crate) index: usize,
}

/// The longest name we know has fewer bytes than this.
const LONGEST_NAME: usize = 32;

type Table = IndexMap<&'static [u8], Command, FixedState>;

/// All commands by lower-case name, in a fixed order.
pub(crate) fn all() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut rows: Vec<(&'static CommandSpec, Run)> =
            commands::COMMANDS.iter().map(|(spec, run)| (spec, Run::Node(*run))).collect();
        for (spec, run) in keyspace::COMMANDS {
            // Where both have a row, ours stands in front of the other.
            if !commands::COMMANDS.iter().any(|(own, _)| own.name == spec.name) {
                rows.push((spec, Run::Data(*run)));
            }
        }
        rows.sort_by_key(|(spec, _)| spec.name);
        let mut index = 0;
        let mut table = Table::with_hasher(FixedState::default());
        for (spec, run) in rows {
            let subs = subcommands_of(spec.name);
            table.insert(spec.name.as_bytes(), Command { spec, run, index, subs });
            index += 1 + subs.len();
        }
        table
    })
}

/// All properties in the order of `Call::index`: every command, and behind it its subcommands.
pub(crate) fn specs() -> impl Iterator<Item = &'static CommandSpec> {
    all().values().flat_map(|command| std::iter::once(command.spec).chain(command.subs))
}

fn subcommands_of(family: &str) -> &'static [CommandSpec] {
    let all = commands::SUBCOMMANDS;
    let belongs = |spec: &CommandSpec| spec.name.split('|').next() == Some(family);
    let first = all.iter().position(belongs).unwrap_or(all.len());
    let count = all[first..].iter().take_while(|spec| belongs(spec)).count();
    &all[first..first + count]
}

/// Finds a command by its name in any mixture of upper and lower case.
#[inline]
pub(crate) fn lookup(name: &[u8]) -> Option<&'static Command> {
    let mut lower = [0u8; LONGEST_NAME];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    all().get(&*lower)
}

/// What a sentinel answers to; it has no data, and is not configured by `CONFIG`.
const OF_A_SENTINEL: [&str; 15] = [
    "acl",
    "auth",
    "client",
    "command",
    "hello",
    "info",
    "ping",
    "psubscribe",
    "publish",
    "punsubscribe",
    "role",
    "sentinel",
    "shutdown",
    "subscribe",
    "unsubscribe",
];

/// True if there is such a command on this kind of node.
fn exists(name: &str, sentinel: bool) -> bool {
    match sentinel {
        true => OF_A_SENTINEL.contains(&name),
        false => name != "sentinel",
    }
}

/// The commands of this kind of node.
pub(crate) fn known(sentinel: bool) -> impl Iterator<Item = &'static Command> {
    all().values().filter(move |command| exists(command.spec.name, sentinel))
}

/// Finds what is called, and checks the number of arguments. The error is the whole text for the client.
#[inline]
pub(crate) fn resolve(args: Args<'_>, sentinel: bool) -> Result<Call, String> {
    let command = lookup(args.name()).filter(|command| {
        // The first comparison is all that a node with data spends on it.
        !(sentinel || command.spec.group == "sentinel") || exists(command.spec.name, sentinel)
    });
    let Some(command) = command else { return Err(unknown_command(args)) };
    let call = match args.get(1) {
        Some(sub) if !command.subs.is_empty() => find_sub(command, sub)?,
        _ => Call { command, spec: command.spec, index: command.index },
    };
    if !call.spec.accepts(args.len()) {
        return Err(format!("ERR wrong number of arguments for '{}' command", call.spec.name));
    }
    Ok(call)
}

fn find_sub(command: &'static Command, sub: &[u8]) -> Result<Call, String> {
    let family = command.spec.name.len() + 1;
    let place = command.subs.iter().position(|spec| spec.name.as_bytes()[family..].eq_ignore_ascii_case(sub));
    match place {
        Some(place) => Ok(Call { command, spec: &command.subs[place], index: command.index + 1 + place }),
        None => {
            let family = command.spec.name.to_ascii_uppercase();
            Err(format!("ERR unknown subcommand '{}'. Try {family} HELP.", shown(sub, 128)))
        }
    }
}

/// Finds a command or a subcommand by its full name, `client|kill`.
pub(crate) fn lookup_full(name: &[u8]) -> Option<Call> {
    match name.iter().position(|byte| *byte == b'|') {
        Some(bar) => find_sub(lookup(&name[..bar])?, &name[bar + 1..]).ok(),
        None => lookup(name).map(|command| Call { command, spec: command.spec, index: command.index }),
    }
}

fn unknown_command(args: Args<'_>) -> String {
    // `processCommand` in Redis's server.c: the name up to 128 bytes, then arguments until the list of
    // them, quotes and blanks included, has 128.
    const MOST: usize = 128;
    let mut list = String::new();
    for arg in args.iter().skip(1) {
        if list.len() >= MOST {
            break;
        }
        let piece = shown(arg, MOST - list.len());
        list.push_str(&format!("'{piece}' "));
    }
    format!("ERR unknown command '{}', with args beginning with: {list}", shown(args.name(), MOST))
}

fn shown(bytes: &[u8], most: usize) -> String {
    // To Redis these are C strings, which end at a NUL byte.
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end.min(most)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_lower_case_short_and_there_once() {
        for rows in [
            keyspace::COMMANDS.iter().map(|(spec, _)| spec.name).collect::<Vec<_>>(),
            commands::COMMANDS.iter().map(|(spec, _)| spec.name).collect(),
        ] {
            let names: std::collections::BTreeSet<_> = rows.iter().collect();
            assert_eq!(names.len(), rows.len(), "a name stands twice");
        }
        for name in all().keys() {
            assert!(name.len() < LONGEST_NAME && !name.iter().any(u8::is_ascii_uppercase));
        }
    }

    #[test]
    fn every_subcommand_belongs_to_a_command_and_is_found() {
        for spec in commands::SUBCOMMANDS {
            let found = lookup_full(spec.name.as_bytes()).expect(spec.name);
            assert_eq!(found.spec.name, spec.name);
            assert_eq!(specs().nth(found.index).map(|spec| spec.name), Some(spec.name));
        }
    }

    #[test]
    fn lookup_ignores_case_and_refuses_long_names() {
        assert!(lookup(b"GeT").is_some());
        assert!(lookup(b"nosuch").is_none());
        assert!(lookup(&[b'x'; 4000]).is_none());
    }
}
