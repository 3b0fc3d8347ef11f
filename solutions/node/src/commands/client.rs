//! `CLIENT`: what a connection can ask about itself and the others.

use core_types::{Args, Millis, Protocol, Reply};

use super::connection::check_name;
use crate::Node;
use crate::conn::{Conn, Kind};

/// `CLIENT subcommand`
pub(crate) fn client(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let sub = args[1].to_ascii_lowercase();
    match (sub.as_slice(), args.len()) {
        (b"id", 2) => {
            let id = conn.client_id as i64;
            node.encoder(conn).integer(id);
        }
        (b"getname", 2) => {
            let name = std::mem::take(&mut conn.name);
            match name.is_empty() {
                true => node.encoder(conn).null(),
                false => node.encoder(conn).bulk(&name),
            }
            conn.name = name;
        }
        (b"setname", 3) => match check_name(&args[2]) {
            Ok(()) => {
                conn.name = args[2].to_vec();
                node.encoder(conn).simple("OK");
            }
            Err(text) => node.encoder(conn).error(text),
        },
        (b"info", 2) => {
            let line = describe(conn, node.now);
            node.encoder(conn).verbatim("txt", line.as_bytes());
        }
        (b"list", 2) => {
            // Our own connection is taken out while it is served, so it joins the others here.
            let mut lines: Vec<(u64, String)> =
                node.conns.iter().map(|other| (other.client_id, describe(other, node.now))).collect();
            lines.push((conn.client_id, describe(conn, node.now)));
            lines.sort();
            let text: String = lines.into_iter().map(|(_, line)| line).collect();
            node.encoder(conn).verbatim("txt", text.as_bytes());
        }
        (b"setinfo", 4) => node.encoder(conn).simple("OK"),
        (b"id" | b"getname" | b"setname" | b"info" | b"setinfo", _) => {
            let name = String::from_utf8_lossy(&sub).into_owned();
            node.encoder(conn).error(&format!("ERR wrong number of arguments for 'client|{name}' command"));
        }
        _ => unknown_subcommand(node, conn, "CLIENT", &args[1]),
    }
}

/// Redis's text for a subcommand that does not exist (`subcommandNotFound` in `server.c`).
pub(super) fn unknown_subcommand(node: &mut Node, conn: &mut Conn, command: &str, sub: &[u8]) {
    let sub = String::from_utf8_lossy(&sub[..sub.len().min(128)]).into_owned();
    node.encoder(conn).error(&format!("ERR unknown subcommand '{sub}'. Try {command} HELP."));
}

/// One line of `CLIENT LIST`, in Redis's fields as far as we have them.
fn describe(conn: &Conn, now: Millis) -> String {
    let flags = match conn.kind {
        Kind::Client => "N",
        Kind::Replica(_) => "S",
        Kind::MasterLink => "M",
    };
    format!(
        "id={} addr={} laddr={} fd=-1 name={} age={} idle={} flags={flags} db={} sub=0 psub=0 ssub=0 multi=-1 \
         qbuf={} qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl={} oll=0 omem=0 tot-mem={} events=r cmd={} \
         user=default redir=-1 resp={}\n",
        conn.client_id,
        conn.addr,
        conn.local_addr,
        String::from_utf8_lossy(&conn.name),
        now.since(conn.since).as_secs(),
        now.since(conn.last_input).as_secs(),
        conn.db,
        conn.input.pending.len(),
        conn.out.len(),
        conn.input.pending.capacity() + conn.out.capacity(),
        conn.last_command,
        if conn.protocol == Protocol::Resp3 { 3 } else { 2 },
    )
}
