//! Categories of commands. Redis derives most of them from a command's flags and its group, and so do we.

use core_types::{Args, Reply};
use keyspace::{CommandSpec, Flags};

use crate::Node;
use crate::conn::Conn;
use crate::table;

/// All categories, in Redis's order.
const CATEGORIES: [&str; 21] = [
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
];

/// Commands that are dangerous although they are not for administrators.
const DANGEROUS: &[&str] = &[
    "flushall",
    "flushdb",
    "keys",
    "swapdb",
    "restore",
    "restore-asking",
    "sort",
    "sort_ro",
    "info",
    "role",
    "lastsave",
    "migrate",
];
/// Commands that count as administrators' although their flags do not say so.
const ADMIN: &[&str] = &["lastsave", "role"];
/// Commands on the set of keys that stand in another group.
const KEYSPACE: &[&str] = &["flushall", "flushdb", "dbsize", "swapdb"];
/// Commands of the group `generic` that are not on the set of keys.
const NOT_KEYSPACE: &[&str] = &["sort", "sort_ro"];

/// The categories of a command, in Redis's order.
pub(crate) fn categories(spec: &CommandSpec) -> Vec<&'static str> {
    let is = |category: &str| {
        let flag = |flag| spec.flags.contains(flag);
        let listed = |names: &[&str]| names.contains(&spec.name);
        let family = spec.name.split_once('|').map(|(family, _)| family);
        match category {
            "keyspace" => {
                listed(KEYSPACE)
                    || (spec.group == "generic" && spec.name != "object" && !listed(NOT_KEYSPACE))
            }
            "read" => flag(Flags::READONLY),
            "write" => flag(Flags::WRITE),
            "set" | "list" | "hash" | "string" | "bitmap" => {
                spec.group == category
                    || (listed(&["sort", "sort_ro"]) && ["set", "list"].contains(&category))
            }
            "sortedset" => spec.group == "sorted-set" || listed(&["sort", "sort_ro"]),
            "pubsub" => flag(Flags::PUBSUB),
            "admin" => flag(Flags::ADMIN) || listed(ADMIN),
            "fast" => flag(Flags::FAST),
            "slow" => !flag(Flags::FAST),
            "blocking" => flag(Flags::BLOCKING),
            "dangerous" => flag(Flags::ADMIN) || listed(DANGEROUS),
            "connection" => {
                (spec.group == "connection" && spec.name != "client")
                    || listed(&["command", "asking", "readonly", "readwrite"])
                    || family == Some("command")
            }
            "transaction" => spec.group == "transactions",
            _ => false,
        }
    };
    CATEGORIES.into_iter().filter(|category| is(category)).collect()
}

/// `ACL CAT [category]`
pub(crate) fn cat(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let Some(wanted) = args.get(2) else {
        let mut reply = node.encoder(conn);
        reply.array(CATEGORIES.len());
        return CATEGORIES.iter().for_each(|category| reply.bulk(category.as_bytes()));
    };
    if !CATEGORIES.iter().any(|category| category.as_bytes().eq_ignore_ascii_case(wanted)) {
        let wanted = String::from_utf8_lossy(wanted).into_owned();
        return node.encoder(conn).error(&format!("ERR Unknown category '{wanted}'"));
    }
    let names: Vec<&str> = table::specs()
        .filter(|spec| categories(spec).iter().any(|name| name.as_bytes().eq_ignore_ascii_case(wanted)))
        .map(|spec| spec.name)
        .collect();
    let mut reply = node.encoder(conn);
    reply.array(names.len());
    names.iter().for_each(|name| reply.bulk(name.as_bytes()));
}
