//! What `COMMAND` tells beyond names and flags: what a command is for, and what it does to its keys.

use core_types::{Args, Reply};
use keyspace::{CommandSpec, Flags};

use crate::Node;
use crate::conn::Conn;
use crate::layers::wire::Encoder;
use crate::table;

/// Commands that put a new value in place of the old one, whatever that was.
const OVERWRITE: &[&str] =
    &["set", "setex", "psetex", "mset", "msetnx", "setnx", "restore", "restore-asking"];
/// Commands of which the first key is written and the others are read.
const STORE: &[&str] = &[
    "sinterstore",
    "sunionstore",
    "sdiffstore",
    "zinterstore",
    "zunionstore",
    "zdiffstore",
    "zrangestore",
    "bitop",
];

/// What a command does to its `nth` key, in the words of `COMMAND GETKEYSANDFLAGS`.
pub(super) fn key_flags(spec: &CommandSpec, nth: usize) -> &'static [&'static str] {
    let stores = STORE.contains(&spec.name);
    if spec.group == "pubsub" {
        &["not_key"]
    } else if spec.name == "watch" {
        &["RO"]
    } else if spec.name == "migrate" {
        &["RW", "access", "delete"]
    } else if spec.flags.contains(Flags::READONLY) || (stores && nth > 0) {
        &["RO", "access"]
    } else if matches!(spec.name, "del" | "unlink") {
        &["RM", "delete"]
    } else if stores || OVERWRITE.contains(&spec.name) {
        &["OW", "update"]
    } else {
        &["RW", "update"]
    }
}

/// Where the keys of a command are, for clients that route by them. Told for keys at fixed places; where
/// the call itself says how many there are, `COMMAND GETKEYS` finds them. Those of `MIGRATE` stand at one of two places.
pub(super) fn key_specs(reply: &mut Encoder<'_>, spec: &CommandSpec) {
    if spec.keys.first == 0 {
        return reply.set(0);
    }
    let last = if spec.keys.last < 0 { spec.keys.last } else { spec.keys.last - spec.keys.first };
    let flags = key_flags(spec, 0);
    let first = i64::from(spec.keys.first);
    let migrates = spec.name == "migrate";
    reply.set(if migrates { 2 } else { 1 });
    key_spec(reply, flags, "index", |reply| {
        reply.map(1);
        reply.bulk(b"index");
        reply.integer(first);
    });
    key_range(reply, i64::from(last), i64::from(spec.keys.step));
    if migrates {
        let flags = [flags, &["incomplete"]].concat();
        key_spec(reply, &flags, "keyword", |reply| {
            reply.map(2);
            reply.bulk(b"keyword");
            reply.bulk(b"KEYS");
            reply.bulk(b"startfrom");
            reply.integer(-2);
        });
        key_range(reply, -1, 1);
    }
}

/// What is done to these keys, and where the first of them is.
fn key_spec(reply: &mut Encoder<'_>, flags: &[&str], kind: &str, begin: impl FnOnce(&mut Encoder<'_>)) {
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.simple(flag));
    reply.bulk(b"begin_search");
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    begin(reply);
}

/// Where the others are.
fn key_range(reply: &mut Encoder<'_>, last: i64, step: i64) {
    reply.bulk(b"find_keys");
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(b"range");
    reply.bulk(b"spec");
    reply.map(3);
    reply.bulk(b"lastkey");
    reply.integer(last);
    reply.bulk(b"keystep");
    reply.integer(step);
    reply.bulk(b"limit");
    reply.integer(0);
}

/// `COMMAND DOCS [name …]`. Names that do not exist are left out.
pub(super) fn docs(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let wanted: Vec<&CommandSpec> = if args.len() == 2 {
        table::known(node.sentinel.is_some()).map(|command| command.spec).collect()
    } else {
        args.iter().skip(2).filter_map(table::lookup_full).map(|call| call.spec).collect()
    };
    let mut reply = node.encoder(conn);
    reply.map(wanted.len());
    for spec in wanted {
        reply.bulk(spec.name.as_bytes());
        reply.map(2);
        reply.bulk(b"summary");
        reply.bulk(summary(spec).as_bytes());
        reply.bulk(b"group");
        reply.bulk(spec.group.as_bytes());
    }
}

/// What a command is for, as far as its row in the table tells.
fn summary(spec: &CommandSpec) -> String {
    let does = if spec.flags.contains(Flags::WRITE) {
        "Changes"
    } else if spec.flags.contains(Flags::READONLY) {
        "Reads"
    } else {
        "Concerns"
    };
    let what = match spec.group {
        "string" => "a string",
        "list" => "a list",
        "hash" => "a hash",
        "set" => "a set",
        "sorted-set" => "a sorted set",
        "bitmap" => "the bits of a string",
        "generic" => "keys of any type",
        "connection" => "this connection",
        "pubsub" => "channels and those who listen",
        "transactions" => "a transaction",
        _ => "the server",
    };
    let waits = if spec.flags.contains(Flags::BLOCKING) { ", and waits if there is nothing" } else { "" };
    format!("{does} {what}{waits}")
}
