//! The commands that need more than the data set: connections, the server, replication.

mod acl;
mod client;
mod connection;
mod debug;
mod docs;
pub(crate) mod help;
mod observe;
mod replication;
mod rewrite;
mod server;
mod subcommands;
mod tips;

use keyspace::{CommandSpec, Flags, Keys};

pub(crate) use acl::categories;
pub(crate) use rewrite::{Rewrite, RewriteFor};
pub(crate) use subcommands::SUBCOMMANDS;

use crate::conn::Conn;
use crate::replication::{failover, wait};
use crate::table::NodeHandler;
use crate::{Node, cluster, monitor, persistence, pubsub, transaction};

const fn spec(name: &'static str, arity: i32, flags: Flags, group: &'static str) -> CommandSpec {
    CommandSpec { name, arity, flags, keys: Keys::NONE, group }
}

const FIRST: Keys = Keys { first: 1, last: 1, step: 1 };
const THIRD: Keys = Keys { first: 3, last: 3, step: 1 };
const ALL: Keys = Keys { first: 1, last: -1, step: 1 };

/// Flags that many commands share; the sets are what `COMMAND INFO` of Redis 7.0 shows.
const ANY_TIME: Flags = Flags::NOSCRIPT.with(Flags::LOADING).with(Flags::STALE);
const SUBSCRIBE: Flags = ANY_TIME.with(Flags::PUBSUB);
const SPUBLISH: Flags = Flags::PUBSUB.with(Flags::LOADING).with(Flags::STALE).with(Flags::FAST);
const PUBLISH: Flags = SPUBLISH.with(Flags::MAY_REPLICATE);
const ADMIN: Flags = ANY_TIME.with(Flags::ADMIN);
const SYNC: Flags = Flags::ADMIN.with(Flags::NOSCRIPT).with(Flags::NO_MULTI).with(Flags::NO_ASYNC_LOADING);
const FOLLOW: Flags = Flags::ADMIN.with(Flags::NOSCRIPT).with(Flags::STALE).with(Flags::NO_ASYNC_LOADING);
const FILES: Flags = Flags::ADMIN.with(Flags::NOSCRIPT).with(Flags::NO_ASYNC_LOADING);

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
    (spec("acl", -2, Flags::NONE, "server"), observe::acl),
    (spec("asking", 1, Flags::FAST, "cluster"), cluster::asking),
    (spec("cluster", -2, Flags::NONE, "cluster"), cluster::cluster),
    (spec("debug", -2, ADMIN, "server"), debug::debug),
    (spec("latency", -2, Flags::NONE, "server"), observe::latency),
    (spec("lolwut", -1, Flags::READONLY.with(Flags::FAST), "server"), observe::lolwut),
    (spec("memory", -2, Flags::NONE, "server"), observe::memory),
    (spec("monitor", 1, ADMIN, "server"), monitor::monitor),
    (spec("slowlog", -2, Flags::NONE, "server"), observe::slowlog),
    (spec("client", -2, Flags::NONE, "connection"), client::client),
    (spec("command", -1, Flags::LOADING.with(Flags::STALE), "server"), server::command),
    (spec("config", -2, Flags::NONE, "server"), server::config),
    (
        spec("discard", 1, ANY_TIME.with(Flags::FAST).with(Flags::ALLOW_BUSY), "transactions"),
        transaction::discard,
    ),
    (spec("echo", 2, Flags::FAST.with(Flags::LOADING).with(Flags::STALE), "connection"), connection::echo),
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
    (
        spec("multi", 1, ANY_TIME.with(Flags::FAST).with(Flags::ALLOW_BUSY), "transactions"),
        transaction::multi,
    ),
    (spec("exec", 1, ANY_TIME.with(Flags::SKIP_SLOWLOG), "transactions"), transaction::exec),
    (spec("psubscribe", -2, SUBSCRIBE, "pubsub"), pubsub::psubscribe),
    (spec("publish", 3, PUBLISH, "pubsub"), pubsub::publish),
    (spec("pubsub", -2, Flags::NONE, "pubsub"), pubsub::pubsub),
    (spec("punsubscribe", -1, SUBSCRIBE, "pubsub"), pubsub::punsubscribe),
    (spec("ping", -1, Flags::FAST, "connection"), connection::ping),
    (spec("psync", -3, SYNC, "server"), replication::psync),
    (spec("readonly", 1, Flags::LOADING.with(Flags::STALE).with(Flags::FAST), "cluster"), cluster::readonly),
    (
        spec("readwrite", 1, Flags::LOADING.with(Flags::STALE).with(Flags::FAST), "cluster"),
        cluster::readwrite,
    ),
    (
        CommandSpec { keys: THIRD, ..spec("migrate", -6, Flags::WRITE.with(Flags::MOVABLE_KEYS), "generic") },
        cluster::migrate,
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
    (
        spec("failover", -1, Flags::ADMIN.with(Flags::NOSCRIPT).with(Flags::STALE), "server"),
        failover::failover,
    ),
    (spec("wait", 3, Flags::NOSCRIPT, "connection"), wait::wait),
    (spec("replconf", -1, ADMIN.with(Flags::ALLOW_BUSY), "server"), replication::replconf),
    (spec("replicaof", 3, FOLLOW, "server"), replication::replicaof),
    (
        spec(
            "reset",
            1,
            ANY_TIME.with(Flags::FAST).with(Flags::NO_AUTH).with(Flags::ALLOW_BUSY),
            "connection",
        ),
        connection::reset,
    ),
    (spec("bgrewriteaof", 1, FILES, "server"), persistence::bgrewriteaof),
    (spec("bgsave", -1, FILES, "server"), persistence::bgsave),
    (
        spec("lastsave", 1, Flags::LOADING.with(Flags::STALE).with(Flags::FAST), "server"),
        persistence::lastsave,
    ),
    (spec("role", 1, ANY_TIME.with(Flags::FAST), "server"), replication::role),
    (spec("sentinel", -2, ADMIN, "sentinel"), crate::sentinel::host::sentinel),
    (
        spec("select", 2, Flags::LOADING.with(Flags::STALE).with(Flags::FAST), "connection"),
        connection::select,
    ),
    (spec("save", 1, FILES.with(Flags::NO_MULTI), "server"), persistence::save),
    (
        spec("shutdown", -1, ADMIN.with(Flags::NO_MULTI).with(Flags::ALLOW_BUSY), "server"),
        persistence::shutdown,
    ),
    (spec("slaveof", 3, FOLLOW, "server"), replication::replicaof),
    (CommandSpec { keys: FIRST, ..spec("spublish", 3, SPUBLISH, "pubsub") }, pubsub::spublish),
    (CommandSpec { keys: ALL, ..spec("ssubscribe", -2, SUBSCRIBE, "pubsub") }, pubsub::ssubscribe),
    (spec("subscribe", -2, SUBSCRIBE, "pubsub"), pubsub::subscribe),
    (CommandSpec { keys: ALL, ..spec("sunsubscribe", -1, SUBSCRIBE, "pubsub") }, pubsub::sunsubscribe),
    (spec("sync", 1, SYNC, "server"), replication::psync),
    (spec("time", 1, Flags::LOADING.with(Flags::STALE).with(Flags::FAST), "server"), server::time),
    (spec("unsubscribe", -1, SUBSCRIBE, "pubsub"), pubsub::unsubscribe),
    (
        spec("unwatch", 1, ANY_TIME.with(Flags::FAST).with(Flags::ALLOW_BUSY), "transactions"),
        transaction::unwatch,
    ),
    (
        CommandSpec {
            keys: ALL,
            ..spec("watch", -2, ANY_TIME.with(Flags::FAST).with(Flags::ALLOW_BUSY), "transactions")
        },
        transaction::watch,
    ),
];

/// Redis's answer where a subcommand exists and its options make no sense (`addReplySubcommandSyntaxError`).
pub(crate) fn wrong_arguments(node: &mut Node, conn: &mut Conn, sub: &[u8], family: &str) {
    let sub = String::from_utf8_lossy(&sub[..sub.len().min(128)]).into_owned();
    let text = format!("ERR unknown subcommand or wrong number of arguments for '{sub}'. Try {family} HELP.");
    core_types::Reply::error(&mut node.encoder(conn), &text);
}
