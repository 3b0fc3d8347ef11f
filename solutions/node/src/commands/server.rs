//! Commands about the server as a whole.

use core_types::{Args, Reply};
use keyspace::CommandSpec;

use super::{docs, help, tips};
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

/// `CONFIG GET | SET | RESETSTAT | REWRITE`
pub(crate) fn config(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    match args[1].to_ascii_lowercase().as_slice() {
        b"get" => {
            let found = node.config.get_matching(args.from(2));
            let mut reply = node.encoder(conn);
            reply.map(found.len());
            for (name, value) in found {
                reply.bulk(name.as_bytes());
                reply.bulk(value.as_bytes());
            }
        }
        b"set" if !args.len().is_multiple_of(2) => {
            super::wrong_arguments(node, conn, &args[1], "CONFIG");
        }
        b"set" => config_set(node, conn, args),
        b"resetstat" => {
            node.stats = Stats::default();
            node.peak_memory = node.meters.used_memory();
            node.encoder(conn).simple("OK");
        }
        b"rewrite" => super::rewrite::rewrite(node, conn, args),
        _ => help::answer(node, conn, help::CONFIG),
    }
}

fn config_set(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    match node.config.set(args.from(2)) {
        Ok(changed) => {
            for note in changed.notes {
                node.log(core_types::LogLevel::Warning, note);
            }
            node.refresh_link_config();
            node.refresh_backlog_size();
            node.refresh_appendonly();
            node.refresh_cluster_config();
            node.keyspace.compact = node.config.compact;
            node.keyspace.set_usage(node.config.usage());
            node.slowlog.entries.truncate(node.config.slowlog_max_len);
            node.evict();
            node.encoder(conn).simple("OK");
        }
        Err(text) => node.encoder(conn).error(&text),
    }
}

/// `COMMAND [COUNT | LIST | INFO name … | DOCS name … | GETKEYS command …]`: the table itself.
pub(crate) fn command(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let sub = args.get(1).map(<[u8]>::to_ascii_lowercase);
    match sub.as_deref() {
        None => describe_all(node, conn),
        Some(b"info") if args.len() == 2 => describe_all(node, conn),
        Some(b"info") => {
            let mut reply = node.encoder(conn);
            reply.array(args.len() - 2);
            for name in args.iter().skip(2) {
                match table::lookup_full(name) {
                    Some(call) if std::ptr::eq(call.spec, call.command.spec) => {
                        describe(&mut reply, call.spec, call.command.subs);
                    }
                    Some(call) => describe(&mut reply, call.spec, &[]),
                    None => reply.null(),
                }
            }
        }
        Some(b"count") => {
            let count = table::known(node.sentinel.is_some()).count();
            node.encoder(conn).integer(count as i64);
        }
        Some(b"list") => list(node, conn, args),
        Some(b"docs") => docs::docs(node, conn, args),
        Some(b"getkeys") => getkeys(node, conn, args, false),
        Some(b"getkeysandflags") => getkeys(node, conn, args, true),
        Some(_) => help::answer(node, conn, help::COMMAND),
    }
}

/// `COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]`
fn list(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let names: Vec<&str> = if args.len() == 2 {
        table::known(node.sentinel.is_some()).map(|command| command.spec.name).collect()
    } else if args.len() == 5 && args.is(2, "filterby") {
        let wanted = &args[4];
        if args.is(3, "module") {
            Vec::new()
        } else if args.is(3, "aclcat") {
            let fits = |name: &&str| name.as_bytes().eq_ignore_ascii_case(wanted);
            let specs = table::specs().filter(|spec| super::categories(spec).iter().any(fits));
            specs.map(|spec| spec.name).collect()
        } else if args.is(3, "pattern") {
            let pattern = wanted.to_ascii_lowercase();
            let fits = |name: &&str| keyspace::matches(&pattern, name.as_bytes());
            table::specs().map(|spec| spec.name).filter(fits).collect()
        } else {
            return node.encoder(conn).error("ERR syntax error");
        }
    } else {
        return node.encoder(conn).error("ERR syntax error");
    };
    let mut reply = node.encoder(conn);
    match args.len() {
        2 => reply.set(names.len()),
        _ => reply.array(names.len()),
    }
    names.iter().for_each(|name| reply.bulk(name.as_bytes()));
}

/// `COMMAND GETKEYS command …`, and with `flags` what is done to each key.
fn getkeys(node: &mut Node, conn: &mut Conn, args: Args<'_>, flags: bool) {
    let called = args.from(2);
    let Some(call) = table::lookup(called.name()) else {
        return node.encoder(conn).error("ERR Invalid command specified");
    };
    let sub = called.get(1).and_then(|sub| {
        call.subs.iter().find(|spec| {
            let name = spec.name.split_once('|').map_or("", |(_, name)| name);
            name.as_bytes().eq_ignore_ascii_case(sub)
        })
    });
    if sub.is_none() && called.len() > 1 && !call.subs.is_empty() {
        return node.encoder(conn).error("ERR Invalid command specified");
    }
    let spec = sub.unwrap_or(call.spec);
    // Channels are routed as keys are, and are none.
    let on_channels = spec.group == "pubsub";
    let movable = spec.flags.contains(keyspace::Flags::MOVABLE_KEYS);
    if on_channels || (spec.keys.first == 0 && !movable) {
        return node.encoder(conn).error("ERR The command has no key arguments");
    }
    if !spec.accepts(called.len()) {
        return node.encoder(conn).error("ERR Invalid number of arguments specified for command");
    }
    let places: Vec<usize> = spec.key_places(called).collect();
    if places.is_empty() {
        return node.encoder(conn).error("ERR Invalid arguments specified for command");
    }
    let mut reply = node.encoder(conn);
    reply.array(places.len());
    for (nth, place) in places.into_iter().enumerate() {
        if !flags {
            reply.bulk(&called[place]);
            continue;
        }
        reply.array(2);
        reply.bulk(&called[place]);
        let words = docs::key_flags(spec, nth);
        reply.set(words.len());
        words.iter().for_each(|word| reply.simple(word));
    }
}

fn describe_all(node: &mut Node, conn: &mut Conn) {
    let known: Vec<_> = table::known(node.sentinel.is_some()).collect();
    let mut reply = node.encoder(conn);
    reply.array(known.len());
    for command in known {
        describe(&mut reply, command.spec, command.subs);
    }
}

/// One command as Redis 7 lists it: name, arity, flags, first key, last key, step, categories, and three
/// lists: tips, the keys' specifications, and the subcommands.
fn describe(reply: &mut Encoder<'_>, spec: &CommandSpec, subs: &[CommandSpec]) {
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
    let categories = super::categories(spec);
    reply.set(categories.len());
    categories.iter().for_each(|category| reply.simple(&format!("@{category}")));
    let tips = tips::tips(spec.name);
    reply.set(tips.len());
    tips.iter().for_each(|tip| reply.bulk(tip.as_bytes()));
    docs::key_specs(reply, spec);
    reply.set(subs.len());
    for sub in subs {
        describe(reply, sub, &[]);
    }
}

/// `TIME`: seconds and microseconds since the Unix epoch.
pub(crate) fn time(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    let now = node.now;
    let mut reply = node.encoder(conn);
    reply.array(2);
    reply.bulk(now.as_secs().to_string().as_bytes());
    reply.bulk((now.0 % 1000 * 1000).to_string().as_bytes());
}
