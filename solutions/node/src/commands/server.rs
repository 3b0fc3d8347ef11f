//! Commands about the server as a whole.

use core_types::{Args, Reply};
use keyspace::CommandSpec;

use super::client::unknown_subcommand;
use crate::Node;
use crate::conn::Conn;
use crate::layers::wire::Encoder;
use crate::stats::Stats;
use crate::table;

/// `INFO [section …]`
pub(crate) fn info(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let wanted: Vec<String> =
        args.iter().skip(1).map(|section| String::from_utf8_lossy(section).to_ascii_lowercase()).collect();
    let text = node.info(&wanted);
    node.encoder(conn).verbatim("txt", text.as_bytes());
}

/// `CONFIG GET | SET | RESETSTAT`
pub(crate) fn config(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    if args.is(1, "get") && args.len() >= 3 {
        let found = node.config.get_matching(args.from(2));
        let mut reply = node.encoder(conn);
        reply.map(found.len());
        for (name, value) in found {
            reply.bulk(name.as_bytes());
            reply.bulk(value.as_bytes());
        }
    } else if args.is(1, "set") && args.len() >= 4 && args.len().is_multiple_of(2) {
        match node.config.set(args.from(2)) {
            Ok(changed) => {
                for note in changed.notes {
                    node.log(core_types::LogLevel::Warning, note);
                }
                node.refresh_link_config();
                node.encoder(conn).simple("OK");
            }
            Err(text) => node.encoder(conn).error(&text),
        }
    } else if args.is(1, "resetstat") && args.len() == 2 {
        node.stats = Stats::default();
        node.encoder(conn).simple("OK");
    } else if args.is(1, "rewrite") && args.len() == 2 {
        node.encoder(conn).error("ERR The server is running without a config file");
    } else if args.is(1, "get") || args.is(1, "set") || args.is(1, "resetstat") || args.is(1, "rewrite") {
        let sub = String::from_utf8_lossy(&args[1]).to_ascii_lowercase();
        node.encoder(conn).error(&format!("ERR wrong number of arguments for 'config|{sub}' command"));
    } else {
        unknown_subcommand(node, conn, "CONFIG", &args[1]);
    }
}

/// `COMMAND [COUNT | LIST | INFO name …]`: the table itself.
pub(crate) fn command(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    if args.len() == 1 {
        let mut reply = node.encoder(conn);
        reply.array(table::all().len());
        for command in table::all().values() {
            describe(&mut reply, command.spec);
        }
    } else if args.is(1, "count") && args.len() == 2 {
        node.encoder(conn).integer(table::all().len() as i64);
    } else if args.is(1, "list") && args.len() == 2 {
        let mut reply = node.encoder(conn);
        reply.set(table::all().len());
        for command in table::all().values() {
            reply.bulk(command.spec.name.as_bytes());
        }
    } else if args.is(1, "info") {
        let mut reply = node.encoder(conn);
        if args.len() == 2 {
            reply.array(table::all().len());
            for command in table::all().values() {
                describe(&mut reply, command.spec);
            }
            return;
        }
        reply.array(args.len() - 2);
        for name in args.iter().skip(2) {
            match table::lookup(name) {
                Some(command) => describe(&mut reply, command.spec),
                None => reply.null_array(),
            }
        }
    } else if args.is(1, "docs") {
        // Clients take their hints from here. We have no texts to give; none is a valid answer.
        node.encoder(conn).map(0);
    } else {
        unknown_subcommand(node, conn, "COMMAND", &args[1]);
    }
}

/// One command as Redis 7 lists it: name, arity, flags, first key, last key, step, and four lists that
/// are empty here (categories, tips, key specifications, subcommands).
fn describe(reply: &mut Encoder<'_>, spec: &CommandSpec) {
    reply.array(10);
    reply.bulk(spec.name.as_bytes());
    reply.integer(i64::from(spec.arity));
    let flags: Vec<&str> = spec.flags.names().collect();
    reply.set(flags.len());
    for flag in flags {
        reply.simple(flag);
    }
    reply.integer(i64::from(spec.keys.first));
    reply.integer(i64::from(spec.keys.last));
    reply.integer(i64::from(spec.keys.step));
    reply.set(0);
    reply.array(0);
    reply.array(0);
    reply.array(0);
}

/// `SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE]`
pub(crate) fn shutdown(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let known = |word: &[u8]| {
        ["nosave", "save", "now", "force"].iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
    };
    if !args.iter().skip(1).all(known) {
        return node.encoder(conn).error("ERR syntax error");
    }
    node.shut_down();
}

/// `TIME`: seconds and microseconds since the Unix epoch.
pub(crate) fn time(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    let now = node.now;
    let mut reply = node.encoder(conn);
    reply.array(2);
    reply.bulk(now.as_secs().to_string().as_bytes());
    reply.bulk((now.0 % 1000 * 1000).to_string().as_bytes());
}
