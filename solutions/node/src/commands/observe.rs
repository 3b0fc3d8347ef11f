//! Commands that tell how the server is doing: `SLOWLOG`, `LATENCY`, `MEMORY`; and `ACL`, `LOLWUT`.

use core_types::{Args, Reply};
use keyspace::Handler;

use super::{acl, help};
use crate::Node;
use crate::conn::Conn;
use crate::layers::wire::parse_integer;

/// `SLOWLOG GET [count] | LEN | RESET`
pub(crate) fn slowlog(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    match args[1].to_ascii_lowercase().as_slice() {
        b"get" => slowlog_get(node, conn, args),
        b"len" => {
            let length = node.slowlog.entries.len() as i64;
            node.encoder(conn).integer(length);
        }
        b"reset" => {
            node.slowlog.entries.clear();
            node.encoder(conn).simple("OK");
        }
        _ => help::answer(node, conn, help::SLOWLOG),
    }
}

fn slowlog_get(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    const DEFAULT: i64 = 10;
    let count = match args.len() {
        2 => Some(DEFAULT),
        3 => parse_integer(&args[2]).filter(|count| *count >= -1),
        _ => return super::wrong_arguments(node, conn, &args[1], "SLOWLOG"),
    };
    let Some(count) = count else {
        return node.encoder(conn).error("ERR count should be greater than or equal to -1");
    };
    let entries = std::mem::take(&mut node.slowlog.entries);
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(entries.len());
    let mut reply = node.encoder(conn);
    reply.array(count);
    for slow in entries.iter().take(count) {
        reply.array(6);
        reply.integer(slow.id as i64);
        reply.integer(slow.at.as_secs() as i64);
        reply.integer(slow.micros as i64);
        reply.array(slow.args.len());
        slow.args.iter().for_each(|arg| reply.bulk(arg));
        reply.bulk(slow.addr.as_bytes());
        reply.bulk(&slow.name);
    }
    node.slowlog.entries = entries;
}

/// `LATENCY`: as of a server whose monitor is off, which is Redis's default.
pub(crate) fn latency(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    match args[1].to_ascii_lowercase().as_slice() {
        b"latest" | b"history" => node.encoder(conn).array(0),
        b"reset" => node.encoder(conn).integer(0),
        b"histogram" => node.encoder(conn).map(0),
        b"doctor" => node.encoder(conn).verbatim(
            "txt",
            b"There is no latency monitor here, so there is nothing to diagnose. SLOWLOG GET lists slow commands.\n",
        ),
        b"graph" => {
            let event = String::from_utf8_lossy(&args[2]).into_owned();
            node.encoder(conn).error(&format!("ERR No samples available for event '{event}'"));
        }
        _ => help::answer(node, conn, help::LATENCY),
    }
}

/// `MEMORY USAGE key | STATS | DOCTOR | MALLOC-STATS | PURGE`
pub(crate) fn memory(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    match args[1].to_ascii_lowercase().as_slice() {
        b"usage" => {
            let of_key: Option<Handler> =
                keyspace::COMMANDS.iter().find(|(spec, _)| spec.name == "memory").map(|(_, handler)| *handler);
            if let Some(handler) = of_key {
                node.run_data(conn, handler, args, false);
            }
        }
        b"stats" => memory_stats(node, conn),
        b"doctor" => node.encoder(conn).verbatim(
            "txt",
            b"Nothing is checked here. INFO memory has the figures; compare used_memory with used_memory_rss.\n",
        ),
        b"malloc-stats" => {
            node.encoder(conn).verbatim("txt", b"The allocator of this server keeps no statistics\n");
        }
        b"purge" => node.encoder(conn).simple("OK"),
        _ => help::answer(node, conn, help::MEMORY),
    }
}

fn memory_stats(node: &mut Node, conn: &mut Conn) {
    let used = node.meters.used_memory();
    let clients: usize =
        node.conns.iter().map(|conn| conn.out.capacity() + conn.input.pending.capacity()).sum();
    let keys: usize = (0..node.keyspace.databases()).map(|index| node.keyspace.len(index)).sum();
    let data = used.saturating_sub(clients as u64);
    let figures = [
        ("peak.allocated", node.peak_memory.max(used)),
        ("total.allocated", used),
        ("clients.normal", clients as u64),
        ("keys.count", keys as u64),
        ("keys.bytes-per-key", data.checked_div(keys as u64).unwrap_or(0)),
        ("dataset.bytes", data),
    ];
    let mut reply = node.encoder(conn);
    reply.map(figures.len());
    for (name, value) in figures {
        reply.bulk(name.as_bytes());
        reply.integer(value as i64);
    }
}

/// `ACL`: there is one user, `default`, who may do everything.
pub(crate) fn acl(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    match args[1].to_ascii_lowercase().as_slice() {
        b"whoami" => node.encoder(conn).bulk(b"default"),
        b"users" => {
            let mut reply = node.encoder(conn);
            reply.array(1);
            reply.bulk(b"default");
        }
        b"list" => {
            // Redis shows the SHA-256 of each password; ours stays with us.
            let password = if node.config.requirepass.is_some() { "#(not shown)" } else { "nopass" };
            let line = format!("user default on {password} ~* &* +@all");
            let mut reply = node.encoder(conn);
            reply.array(1);
            reply.bulk(line.as_bytes());
        }
        b"cat" => acl::cat(node, conn, args),
        _ => help::answer(node, conn, help::ACL),
    }
}

/// `LOLWUT`: Redis draws a picture; we only say which Redis we follow.
pub(crate) fn lolwut(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    let text = format!("Redis ver. {}\n", crate::info::REDIS_VERSION);
    node.encoder(conn).verbatim("txt", text.as_bytes());
}
