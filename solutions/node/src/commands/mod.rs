//! The commands that need more than the data set: connections, the server, replication.

mod client;
mod connection;
mod replication;
mod server;

use keyspace::{CommandSpec, Flags, Keys};

use crate::table::NodeHandler;

const fn spec(name: &'static str, arity: i32, flags: Flags, group: &'static str) -> CommandSpec {
    CommandSpec { name, arity, flags, keys: Keys::NONE, group }
}

/// Flags that many commands share; the sets are what `COMMAND INFO` of Redis 7.0 shows.
const ANY_TIME: Flags = Flags::NOSCRIPT.with(Flags::LOADING).with(Flags::STALE);
const ADMIN: Flags = ANY_TIME.with(Flags::ADMIN);

/// The node's own commands; the ones on data are `keyspace::COMMANDS`.
pub(crate) static COMMANDS: &[(CommandSpec, NodeHandler)] = &[
    (
        spec(
            "auth",
            -2,
            ANY_TIME.with(Flags::FAST).with(Flags::NO_AUTH).with(Flags::ALLOW_BUSY),
            "connection",
        ),
        connection::auth,
    ),
    (spec("client", -2, Flags::NONE, "connection"), client::client),
    (spec("command", -1, Flags::LOADING.with(Flags::STALE), "server"), server::command),
    (spec("config", -2, Flags::NONE, "server"), server::config),
    (spec("echo", 2, Flags::FAST, "connection"), connection::echo),
    (
        spec(
            "hello",
            -1,
            ANY_TIME.with(Flags::FAST).with(Flags::NO_AUTH).with(Flags::ALLOW_BUSY),
            "connection",
        ),
        connection::hello,
    ),
    (spec("info", -1, Flags::LOADING.with(Flags::STALE), "server"), server::info),
    (spec("ping", -1, Flags::FAST, "connection"), connection::ping),
    (
        spec("psync", -3, Flags::ADMIN.with(Flags::NOSCRIPT).with(Flags::NO_MULTI), "server"),
        replication::psync,
    ),
    (
        spec(
            "quit",
            -1,
            ANY_TIME.with(Flags::FAST).with(Flags::NO_AUTH).with(Flags::ALLOW_BUSY),
            "connection",
        ),
        connection::quit,
    ),
    (spec("replconf", -1, ADMIN.with(Flags::ALLOW_BUSY), "server"), replication::replconf),
    (
        spec("replicaof", 3, Flags::ADMIN.with(Flags::NOSCRIPT).with(Flags::STALE), "server"),
        replication::replicaof,
    ),
    (
        spec(
            "reset",
            1,
            ANY_TIME.with(Flags::FAST).with(Flags::NO_AUTH).with(Flags::ALLOW_BUSY),
            "connection",
        ),
        connection::reset,
    ),
    (spec("role", 1, ANY_TIME.with(Flags::FAST), "server"), replication::role),
    (
        spec("select", 2, Flags::LOADING.with(Flags::STALE).with(Flags::FAST), "connection"),
        connection::select,
    ),
    (spec("shutdown", -1, ADMIN.with(Flags::NO_MULTI).with(Flags::ALLOW_BUSY), "server"), server::shutdown),
    (
        spec("slaveof", 3, Flags::ADMIN.with(Flags::NOSCRIPT).with(Flags::STALE), "server"),
        replication::replicaof,
    ),
    (spec("sync", 1, Flags::ADMIN.with(Flags::NOSCRIPT).with(Flags::NO_MULTI), "server"), replication::psync),
    (spec("time", 1, Flags::LOADING.with(Flags::STALE).with(Flags::FAST), "server"), server::time),
];
