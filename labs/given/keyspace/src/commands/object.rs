use core_types::Args;

use super::Ctx;
use crate::context::Outcome;
use crate::errors;
use crate::value::{Entry, Str, Value};

const HELP: &[&str] = &[
    "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "ENCODING <key>",
    "    How the value of <key> is kept in memory.",
    "FREQ <key>",
    "    How often <key> is used, as a logarithm. Needs an eviction policy that counts (LFU).",
    "IDLETIME <key>",
    "    For how many seconds nobody has used <key>.",
    "REFCOUNT <key>",
    "    How many references there are to the value of <key>.",
    "HELP",
    "    Prints this help.",
];

const NO_LFU: &str = "ERR An LFU maxmemory policy is not selected, access frequency not tracked. \
    Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.";

const LFU: &str = "ERR An LFU maxmemory policy is selected, idle time not tracked. \
    Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.";

/// The longest text that Redis keeps in one piece with its object (`OBJ_ENCODING_EMBSTR_SIZE_LIMIT`).
const EMBEDDED: usize = 44;

/// Redis keeps one shared object for each of these numbers (`OBJ_SHARED_INTEGERS`), with this count.
const SHARED: std::ops::Range<i64> = 0..10_000;
const SHARED_REFCOUNT: i64 = i32::MAX as i64;

pub(crate) fn object(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.is(1, "HELP") && args.len() == 2 {
        ctx.reply.array(HELP.len());
        HELP.iter().for_each(|line| ctx.reply.simple(line));
        return Ok(());
    }
    let subcommand =
        ["encoding", "freq", "idletime", "refcount", "help"].into_iter().find(|name| args.is(1, name));
    let Some(subcommand) = subcommand else {
        let name = String::from_utf8_lossy(&args[1]);
        return Err(format!("ERR unknown subcommand '{name:.128}'. Try OBJECT HELP.").into());
    };
    if args.len() != 3 || subcommand == "help" {
        return Err(errors::arity(&format!("object|{subcommand}")).into());
    }
    let Some(position) = ctx.peek(&args[2]) else {
        ctx.reply.null();
        return Ok(());
    };
    let db = ctx.keyspace.db(ctx.db);
    let (entry, frequency) = (db.at(position).1, db.frequency(position, ctx.now));
    match subcommand {
        "encoding" => ctx.reply.bulk(encoding(entry).as_bytes()),
        "idletime" if frequency.is_some() => return Err(LFU.into()),
        "idletime" => ctx.reply.integer(ctx.now.as_secs().saturating_sub(u64::from(entry.touched)) as i64),
        "refcount" => ctx.reply.integer(match entry.value {
            Value::String(Str::Int(number)) if SHARED.contains(&number) => SHARED_REFCOUNT,
            _ => 1,
        }),
        _ => ctx.reply.integer(frequency.ok_or(NO_LFU)?.into()),
    }
    Ok(())
}

impl Entry {
    /// What `OBJECT ENCODING` calls the way in which the value is kept.
    pub fn encoding(&self) -> &'static str {
        encoding(self)
    }
}

fn encoding(entry: &Entry) -> &'static str {
    match &entry.value {
        Value::String(Str::Int(_)) => "int",
        Value::String(Str::Bytes(bytes)) if bytes.len() <= EMBEDDED && !entry.edited => "embstr",
        Value::String(Str::Bytes(_)) => "raw",
        Value::List(_) => "quicklist",
        Value::Hash(hash) => hash.encoding(),
        Value::Set(set) => set.encoding(),
        Value::Zset(zset) => zset.encoding(),
    }
}
