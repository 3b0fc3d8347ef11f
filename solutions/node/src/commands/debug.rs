//! `DEBUG`: what tests need and operators should not. Refused unless `enable-debug-command` allows it.

use core_types::{Args, LogLevel, Millis, Reply};
use keyspace::{Str, Value, rdb};

use super::help;
use crate::config::Access;
use crate::conn::Conn;
use crate::digest::Digest;
use crate::layers::wire::parse_integer;
use crate::persistence::wait_for_end;
use crate::{Effect, Node};

/// `DEBUG subcommand`
pub(crate) fn debug(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let allowed = match node.config.enable_debug_command {
        Access::No => false,
        Access::Yes => true,
        Access::Local => conn.addr.starts_with("127.") || conn.addr.starts_with("[::1]"),
    };
    if !allowed {
        return node.encoder(conn).error(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it \
             from a local connection, otherwise you need to set this option in the configuration file, and then \
             restart the server.",
        );
    }
    match (args[1].to_ascii_lowercase().as_slice(), args.len()) {
        (b"help", 2) => help::answer(node, conn, help::DEBUG),
        (b"sleep", 3) => {
            let seconds: f64 = String::from_utf8_lossy(&args[2]).parse().unwrap_or(0.0);
            let time = Millis((seconds.clamp(0.0, 1e9) * 1000.0) as u64);
            // It happens after the command, and counts as the command's own time.
            node.stalled += time.0 * 1000;
            node.ask(Effect::Stall { time });
            node.encoder(conn).simple("OK");
        }
        (b"set-active-expire", 3) => {
            node.active_expire = &args[2] != b"0";
            node.encoder(conn).simple("OK");
        }
        (b"digest", 2) => {
            let digest = Digest::of_all(&node.keyspace).to_string();
            node.encoder(conn).simple(&digest);
        }
        (b"digest-value", 3..) => {
            let digests: Vec<Digest> = args
                .iter()
                .skip(2)
                .map(|key| node.keyspace.db(conn.db).get(key).map(Digest::of_entry).unwrap_or_default())
                .collect();
            let mut reply = node.encoder(conn);
            reply.array(digests.len());
            digests.iter().for_each(|digest| reply.simple(&digest.to_string()));
        }
        (b"object", 3) => object(node, conn, args),
        (b"populate", 3..=5) => populate(node, conn, args),
        (b"reload", _) => reload(node, conn, args),
        (b"error", 3) => {
            let text = String::from_utf8_lossy(&args[2]).replace(['\r', '\n'], " ");
            node.encoder(conn).error(&text);
        }
        (b"log", 3) => {
            let text = String::from_utf8_lossy(&args[2]).into_owned();
            node.log(LogLevel::Warning, format!("DEBUG LOG: {text}"));
            node.encoder(conn).simple("OK");
        }
        (b"change-repl-id", 2) => {
            node.log(LogLevel::Notice, "Changing replication IDs after receiving change-repl-id");
            node.change_replication_id();
            node.encoder(conn).simple("OK");
        }
        (b"protocol", 3) => protocol(node, conn, args),
        // Our lists have no such bound, and a reply has no such peak: nothing to change.
        (b"quicklist-packed-threshold" | b"set-skip-checksum-validation" | b"pause-cron", 3) => {
            node.encoder(conn).simple("OK");
        }
        _ => {
            let sub = String::from_utf8_lossy(&args[1]).into_owned();
            node.encoder(conn).error(&format!(
                "ERR unknown subcommand or wrong number of arguments for '{sub:.128}'. Try DEBUG HELP."
            ));
        }
    }
}

/// `DEBUG OBJECT key`: the fields that tests look at. There is no address to show.
fn object(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let Some(entry) = node.keyspace.db(conn.db).get(&args[2]) else {
        return node.encoder(conn).error("ERR no such key");
    };
    let idle = node.now.as_secs().saturating_sub(entry.touched_at());
    // A dump ends with two bytes of version and eight of checksum, and begins with a byte of type.
    let length = rdb::dump(&entry.value).len().saturating_sub(11);
    let text = format!(
        "Value at:0x0 refcount:1 encoding:{} serializedlength:{length} lru:0 lru_seconds_idle:{idle}",
        entry.encoding()
    );
    node.encoder(conn).simple(&text);
}

/// `DEBUG POPULATE count [prefix] [size]`
fn populate(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let number = |at: usize| parse_integer(&args[at]).and_then(|number| u64::try_from(number).ok());
    let (Some(count), Some(size)) = (number(2), if args.len() == 5 { number(4) } else { Some(0) }) else {
        return node.encoder(conn).error("ERR value is out of range, must be positive");
    };
    let prefix = args.get(3).unwrap_or(b"key");
    for index in 0..count {
        let key = [prefix, b":", index.to_string().as_bytes()].concat();
        if node.keyspace.db(conn.db).find(&key).is_some() {
            continue;
        }
        let mut value = format!("value:{index}").into_bytes();
        if size > 0 {
            value.resize(size as usize, 0);
        }
        node.keyspace.db_mut(conn.db).insert(&key, Value::String(Str::Bytes(value)), node.now);
        node.touch_key(conn.db, &key);
    }
    node.encoder(conn).simple("OK");
}

/// `DEBUG RELOAD [NOSAVE] [NOFLUSH | MERGE]`: the data set goes through its file.
fn reload(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let says = |word: &str| (2..args.len()).any(|index| args.is(index, word));
    let known = |index| ["merge", "noflush", "nosave"].iter().any(|known| args.is(index, known));
    if !(2..args.len()).all(known) {
        return node
            .encoder(conn)
            .error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    }
    match node.begin_reload(conn.id, !says("nosave"), says("noflush") || says("merge")) {
        None => wait_for_end(node, conn, args),
        Some(Ok(())) => node.encoder(conn).simple("OK"),
        Some(Err(_)) => node.encoder(conn).error("ERR Error trying to load the RDB dump"),
    }
}

/// `DEBUG PROTOCOL type`: one reply of that type, to test clients with.
fn protocol(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let three = |reply: &mut dyn Reply| (0..3).for_each(|number| reply.integer(number));
    let resp3 = conn.protocol == core_types::Protocol::Resp3;
    let mut reply = node.encoder(conn);
    match args[2].to_ascii_lowercase().as_slice() {
        b"string" => reply.bulk(b"Hello World"),
        b"integer" => reply.integer(12345),
        b"double" => reply.double(f64::from(3141) / 1000.0),
        b"bignum" => reply.big_number("1234567999999999999999999999999999999"),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            three(&mut reply);
        }
        b"set" => {
            reply.set(3);
            three(&mut reply);
        }
        b"map" => {
            reply.map(3);
            for number in 0..3 {
                reply.integer(number);
                reply.boolean(number == 1);
            }
        }
        // An attribute stands in front of a reply, and RESP2 has none. We send only the reply.
        b"attrib" => reply.bulk(b"Some real reply following the attribute"),
        b"push" if resp3 => {
            reply.push(2);
            reply.bulk(b"server-cpu-usage");
            reply.integer(42);
            reply.bulk(b"Some real reply following the push reply");
        }
        b"push" => reply.error("ERR RESP2 is not supported by this command"),
        b"verbatim" => reply.verbatim("txt", b"This is a verbatim\nstring"),
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        _ => reply.error(
            "ERR Wrong protocol type name. Please use one of the following: \
             string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
        ),
    }
}
