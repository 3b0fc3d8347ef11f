//! Commands about the connection they arrive on.

use core_types::{Args, Protocol, Reply};

use crate::Node;
use crate::conn::{Conn, Kind, Replies};
use crate::layers::wire::{parse_hello, parse_integer};

/// `PING [message]`
pub(crate) fn ping(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    // To a subscriber on RESP2 everything looks like a message, so that it knows what it reads.
    if conn.protocol == Protocol::Resp2 && !conn.subscriptions.is_empty() && args.len() <= 2 {
        let mut reply = node.encoder(conn);
        reply.array(2);
        reply.bulk(b"pong");
        return reply.bulk(args.get(1).unwrap_or_default());
    }
    match args.len() {
        1 => node.encoder(conn).simple("PONG"),
        2 => node.encoder(conn).bulk(&args[1]),
        _ => node.encoder(conn).error("ERR wrong number of arguments for 'ping' command"),
    }
}

/// `ECHO message`
pub(crate) fn echo(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    node.encoder(conn).bulk(&args[1]);
}

/// `QUIT`
pub(crate) fn quit(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    node.encoder(conn).simple("OK");
    node.close_taken(conn);
}

/// `SELECT index`
pub(crate) fn select(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let Some(index) = parse_integer(&args[1]) else {
        return node.encoder(conn).error("ERR value is not an integer or out of range");
    };
    if i32::try_from(index).is_err() {
        let text = format!("ERR value is out of range, value must between {} and {}", i32::MIN, i32::MAX);
        return node.encoder(conn).error(&text);
    }
    match usize::try_from(index) {
        _ if index != 0 && node.cluster.is_some() => {
            node.encoder(conn).error("ERR SELECT is not allowed in cluster mode");
        }
        Ok(db) if db < node.keyspace.databases() => {
            conn.db = db;
            node.encoder(conn).simple("OK");
        }
        _ => node.encoder(conn).error("ERR DB index is out of range"),
    }
}

/// `AUTH [user] password`
pub(crate) fn auth(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    if args.len() > 3 {
        return node.encoder(conn).error("ERR syntax error");
    }
    if args.len() == 2 && node.config.requirepass.is_none() {
        return node.encoder(conn).error(
            "ERR AUTH <password> called without any password configured for the default user. \
             Are you sure your configuration is correct?",
        );
    }
    let (user, password) = if args.len() == 3 { (&args[1], &args[2]) } else { (&b"default"[..], &args[1]) };
    if log_in(node, conn, user, password) {
        node.encoder(conn).simple("OK");
    } else {
        node.encoder(conn).error(WRONG_PASSWORD);
    }
}

const WRONG_PASSWORD: &str = "WRONGPASS invalid username-password pair or user is disabled.";

/// There is one user, `default`. Without a password set, any password is right for it.
fn log_in(node: &Node, conn: &mut Conn, user: &[u8], password: &[u8]) -> bool {
    let right = node.config.requirepass.as_ref().is_none_or(|set| same_secret(set.as_bytes(), password));
    let known = user == b"default";
    if known && right {
        conn.authenticated = true;
    }
    known && right
}

/// Compares in a time that does not tell how many bytes were right.
fn same_secret(ours: &[u8], theirs: &[u8]) -> bool {
    let mut different = ours.len() ^ theirs.len();
    for (index, byte) in ours.iter().enumerate() {
        different |= usize::from(byte ^ theirs.get(index).copied().unwrap_or(0));
    }
    different == 0
}

/// `HELLO [protover [AUTH user password] [SETNAME name]]`
pub(crate) fn hello(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let hello = match parse_hello(args) {
        Ok(hello) => hello,
        Err(error) => return node.encoder(conn).error(&error.to_string()),
    };
    if let Some((user, password)) = hello.auth
        && !log_in(node, conn, user, password)
    {
        return node.encoder(conn).error(WRONG_PASSWORD);
    }
    if !conn.authenticated {
        return node.encoder(conn).error(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> \
             <pass> option can be used to authenticate the client and select the RESP protocol version at the \
             same time",
        );
    }
    if let Some(name) = hello.name {
        conn.name = name.to_vec();
    }
    if let Some(protocol) = hello.protocol {
        conn.protocol = protocol;
    }
    let role = if node.replication.is_replica() { "replica" } else { "master" };
    let mode: &[u8] = match (node.sentinel.is_some(), node.cluster.is_some()) {
        (true, _) => b"sentinel",
        (_, true) => b"cluster",
        _ => b"standalone",
    };
    let (version, id) = (if conn.protocol == Protocol::Resp3 { 3 } else { 2 }, conn.client_id as i64);
    let is_sentinel = node.sentinel.is_some();
    let mut reply = node.encoder(conn);
    reply.map(if is_sentinel { 6 } else { 7 });
    reply.bulk(b"server");
    reply.bulk(b"redis");
    reply.bulk(b"version");
    reply.bulk(crate::info::REDIS_VERSION.as_bytes());
    reply.bulk(b"proto");
    reply.integer(version);
    reply.bulk(b"id");
    reply.integer(id);
    reply.bulk(b"mode");
    reply.bulk(mode);
    if !is_sentinel {
        reply.bulk(b"role");
        reply.bulk(role.as_bytes());
    }
    reply.bulk(b"modules");
    reply.array(0);
}

/// A client's name may hold what can be printed and is no space, so that `CLIENT LIST` stays readable.
pub(crate) fn check_name(name: &[u8]) -> Result<(), &'static str> {
    if name.iter().all(u8::is_ascii_graphic) {
        Ok(())
    } else {
        Err("ERR Client names cannot contain spaces, newlines or special characters.")
    }
}

/// `RESET`: the connection is as new, but for the password, which has to be given again.
pub(crate) fn reset(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    if !matches!(conn.kind, Kind::Client) {
        return node.encoder(conn).error("ERR can only reset normal client connections");
    }
    conn.transaction = None;
    conn.is_monitor = false;
    node.monitors.remove(&conn.id);
    conn.replies = Replies::On;
    conn.no_evict = false;
    node.unwatch_all(conn);
    node.unsubscribe_all(conn);
    conn.db = 0;
    conn.name.clear();
    conn.protocol = Protocol::Resp2;
    conn.authenticated = node.config.requirepass.is_none();
    node.encoder(conn).simple("RESET");
}
