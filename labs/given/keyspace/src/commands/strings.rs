use core_types::{Args, Millis};

use super::times::{self, Unit};
use super::{Ctx, integer};
use crate::context::{Outcome, Refusal};
use crate::errors;
use crate::value::{Digits, Str, Value};

/// The longest string a command may build, in bytes (`proto-max-bulk-len`'s default).
pub(super) const MAX_LENGTH: i64 = 512 * 1024 * 1024;

pub(crate) fn get(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_value(ctx, &args[1]).map(drop)
}

/// Replies with a string, or null; returns its position.
fn reply_value(ctx: &mut Ctx<'_>, key: &[u8]) -> Result<Option<usize>, Refusal> {
    let found = ctx.read(key);
    match found {
        Some(position) => {
            let string = ctx.keyspace.db(ctx.db).at(position).1.value.as_string()?;
            ctx.reply.bulk(string.as_bytes(&mut Digits::default()));
        }
        None => ctx.reply.null(),
    }
    Ok(found)
}

/// What a new value means for the expiry of its key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ttl {
    /// There is none afterwards.
    Clear,
    /// It stays as it was.
    Keep,
    /// It ends then.
    At(Millis),
}

/// Gives `key`, which lies at `found` or is not there, a string.
#[inline]
fn put(ctx: &mut Ctx<'_>, key: &[u8], text: &[u8], found: Option<usize>, ttl: Ttl) {
    let db = ctx.keyspace.db_mut(ctx.db);
    let position = match found {
        Some(position) => {
            let entry = db.at_mut(position);
            match &mut entry.value {
                Value::String(string) => string.assign(text),
                other => *other = Value::String(Str::new(text)),
            }
            entry.edited = false;
            position
        }
        None => db.insert(key, Value::String(Str::new(text)), ctx.now),
    };
    match ttl {
        Ttl::Keep => {}
        Ttl::Clear => {
            if db.at(position).1.expire_at().is_some() {
                db.set_expire_at(position, None);
            }
        }
        Ttl::At(at) => {
            db.set_expire_at(position, Some(at));
        }
    }
    ctx.changed();
}

#[derive(Default)]
struct SetOptions<'a> {
    if_absent: bool,
    if_present: bool,
    get: bool,
    keep_ttl: bool,
    expiry: Option<(Unit, &'a [u8])>,
}

impl<'a> SetOptions<'a> {
    fn parse(args: Args<'a>) -> Result<SetOptions<'a>, Refusal> {
        let mut options = SetOptions::default();
        let mut index = 3;
        while index < args.len() {
            if args.is(index, "NX") && !options.if_present {
                options.if_absent = true;
            } else if args.is(index, "XX") && !options.if_absent {
                options.if_present = true;
            } else if args.is(index, "GET") {
                options.get = true;
            } else if args.is(index, "KEEPTTL") && options.expiry.is_none() {
                options.keep_ttl = true;
            } else {
                let unit = Unit::option(args, index);
                options.expiry = Some(time_option(unit, options.expiry, options.keep_ttl, args, index)?);
                index += 1;
            }
            index += 1;
        }
        Ok(options)
    }
}

/// The time behind `EX` and its kin. The same unit twice is allowed, the last one counts; two units are not.
fn time_option<'a>(
    unit: Option<Unit>,
    before: Option<(Unit, &'a [u8])>,
    excluded: bool,
    args: Args<'a>,
    index: usize,
) -> Result<(Unit, &'a [u8]), Refusal> {
    match (unit, args.get(index + 1)) {
        (Some(unit), Some(time)) if !excluded && before.is_none_or(|(other, _)| other == unit) => {
            Ok((unit, time))
        }
        _ => Err(errors::SYNTAX.into()),
    }
}

pub(crate) fn set(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() == 3 {
        let found = ctx.write(&args[1]);
        put(ctx, &args[1], &args[2], found, Ttl::Clear);
        ctx.reply.simple("OK");
        return Ok(());
    }
    let options = SetOptions::parse(args)?;
    let ttl = match options.expiry {
        Some((unit, time)) => Ttl::At(times::expiry(ctx, time, unit, "set")?),
        None if options.keep_ttl => Ttl::Keep,
        None => Ttl::Clear,
    };
    if options.get {
        reply_value(ctx, &args[1])?;
    }
    let found = ctx.write(&args[1]);
    if (options.if_absent && found.is_some()) || (options.if_present && found.is_none()) {
        if !options.get {
            ctx.reply.null();
        }
        return Ok(());
    }
    put(ctx, &args[1], &args[2], found, ttl);
    if !options.get {
        ctx.reply.simple("OK");
    }
    if let Ttl::At(at) = ttl {
        tell_set_until(ctx, &args[1], &args[2], at);
    } else if options.get {
        // A replica has nobody to give the old value to.
        let rest = args.iter().enumerate().filter(|(index, _)| *index < 3 || !args.is(*index, "GET"));
        ctx.effects.tell(rest.map(|(_, arg)| arg));
    }
    Ok(())
}

fn tell_set_until(ctx: &mut Ctx<'_>, key: &[u8], value: &[u8], at: Millis) {
    ctx.effects.tell([b"SET", key, value, b"PXAT", Digits::default().write(at.0)]);
}

pub(crate) fn setnx(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let absent = ctx.write(&args[1]).is_none();
    if absent {
        put(ctx, &args[1], &args[2], None, Ttl::Clear);
    }
    ctx.reply.integer(i64::from(absent));
    Ok(())
}

pub(crate) fn setex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    set_for(ctx, args, Unit::EX, "setex")
}

pub(crate) fn psetex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    set_for(ctx, args, Unit::PX, "psetex")
}

fn set_for(ctx: &mut Ctx<'_>, args: Args<'_>, unit: Unit, command: &str) -> Outcome {
    let at = times::expiry(ctx, &args[2], unit, command)?;
    let found = ctx.write(&args[1]);
    put(ctx, &args[1], &args[3], found, Ttl::At(at));
    tell_set_until(ctx, &args[1], &args[3], at);
    ctx.reply.simple("OK");
    Ok(())
}

pub(crate) fn getset(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_value(ctx, &args[1])?;
    let found = ctx.write(&args[1]);
    put(ctx, &args[1], &args[2], found, Ttl::Clear);
    ctx.effects.tell([b"SET", &args[1], &args[2]]);
    Ok(())
}

pub(crate) fn getdel(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if reply_value(ctx, &args[1])?.is_some() {
        ctx.keyspace.db_mut(ctx.db).remove(&args[1]);
        ctx.changed();
        ctx.effects.tell([b"DEL", &args[1]]);
    }
    Ok(())
}

pub(crate) fn getex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut persist = false;
    let mut expiry = None;
    let mut index = 2;
    while index < args.len() {
        if args.is(index, "PERSIST") && expiry.is_none() {
            persist = true;
        } else {
            expiry = Some(time_option(Unit::option(args, index), expiry, persist, args, index)?);
            index += 1;
        }
        index += 1;
    }

    let key = &args[1];
    let Some(position) = ctx.read(key) else {
        ctx.reply.null();
        return Ok(());
    };
    let string = ctx.keyspace.db(ctx.db).at(position).1.value.as_string()?;
    let until = match expiry {
        Some((unit, time)) => Some((unit, times::expiry(ctx, time, unit, "getex")?)),
        None => None,
    };
    ctx.reply.bulk(string.as_bytes(&mut Digits::default()));

    let db = ctx.keyspace.db_mut(ctx.db);
    match until {
        Some((unit, at)) if unit.is_absolute() && times::is_past(ctx.expired, ctx.now, at.0 as i64) => {
            db.remove(key);
            ctx.effects.tell([b"DEL", key]);
        }
        Some((_, at)) => {
            db.set_expire_at(position, Some(at));
            ctx.effects.tell([b"PEXPIREAT", key, Digits::default().write(at.0)]);
        }
        None if persist && db.set_expire_at(position, None).is_some() => {
            ctx.effects.tell([b"PERSIST", key]);
        }
        None => return Ok(()),
    }
    ctx.changed();
    Ok(())
}

pub(crate) fn strlen(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let length = match ctx.read(&args[1]) {
        Some(position) => ctx.keyspace.db(ctx.db).at(position).1.value.as_string()?.len(),
        None => 0,
    };
    ctx.reply.integer(length as i64);
    Ok(())
}

pub(crate) fn append(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let length = match ctx.write(&args[1]) {
        None => {
            put(ctx, &args[1], &args[2], None, Ttl::Clear);
            args[2].len()
        }
        Some(position) => {
            let entry = ctx.keyspace.db_mut(ctx.db).at_mut(position);
            let string = entry.value.as_string_mut()?;
            if (string.len() + args[2].len()) as i64 > MAX_LENGTH {
                return Err(errors::TOO_LONG.into());
            }
            let bytes = string.make_bytes();
            bytes.extend_from_slice(&args[2]);
            let length = bytes.len();
            entry.edited = true;
            ctx.changed();
            length
        }
    };
    ctx.reply.integer(length as i64);
    Ok(())
}

pub(crate) fn getrange(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (start, end) = (integer(args, 2)?, integer(args, 3)?);
    let Some(position) = ctx.read(&args[1]) else {
        ctx.reply.bulk(b"");
        return Ok(());
    };
    let mut digits = Digits::default();
    let text = ctx.keyspace.db(ctx.db).at(position).1.value.as_string()?.as_bytes(&mut digits);
    ctx.reply.bulk(range(text, start, end));
    Ok(())
}

/// The part from `start` to `end`, both included; negative numbers count from the end, -1 being the last byte.
fn range(text: &[u8], start: i64, end: i64) -> &[u8] {
    if start < 0 && end < 0 && start > end {
        return b"";
    }
    let length = text.len() as i64;
    let from_front = |index: i64| if index < 0 { index.saturating_add(length).max(0) } else { index };
    let (start, end) = (from_front(start), from_front(end).min(length - 1));
    if start > end { b"" } else { &text[start as usize..=end as usize] }
}

pub(crate) fn setrange(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let offset = integer(args, 2)?;
    let patch = &args[3];
    if offset < 0 {
        return Err("ERR offset is out of range".into());
    }
    let found = ctx.write(&args[1]);
    let length = match found {
        Some(position) => ctx.keyspace.db(ctx.db).at(position).1.value.as_string()?.len(),
        None => 0,
    };
    if patch.is_empty() {
        ctx.reply.integer(length as i64);
        return Ok(());
    }
    let end = offset.checked_add(patch.len() as i64).filter(|end| *end <= MAX_LENGTH);
    let end = end.ok_or(errors::TOO_LONG)? as usize;
    let db = ctx.keyspace.db_mut(ctx.db);
    let position = match found {
        Some(position) => position,
        None => db.insert(&args[1], Value::String(Str::Bytes(Vec::new())), ctx.now),
    };
    let entry = db.at_mut(position);
    entry.edited = true;
    let bytes = entry.value.as_string_mut()?.make_bytes();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset as usize..end].copy_from_slice(patch);
    ctx.reply.integer(bytes.len() as i64);
    ctx.changed();
    Ok(())
}

pub(crate) fn mget(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    ctx.reply.array(args.len() - 1);
    for key in args.from(1).iter() {
        // A value of another type counts as none here: the list has already begun.
        let found = ctx.read(key);
        match found.and_then(|position| ctx.keyspace.db(ctx.db).at(position).1.value.as_string().ok()) {
            Some(string) => ctx.reply.bulk(string.as_bytes(&mut Digits::default())),
            None => ctx.reply.null(),
        }
    }
    Ok(())
}

pub(crate) fn mset(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len().is_multiple_of(2) {
        return Err(errors::arity("mset").into());
    }
    put_pairs(ctx, args);
    ctx.reply.simple("OK");
    Ok(())
}

pub(crate) fn msetnx(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len().is_multiple_of(2) {
        return Err(errors::arity("msetnx").into());
    }
    let absent = (1..args.len()).step_by(2).all(|index| ctx.write(&args[index]).is_none());
    if absent {
        put_pairs(ctx, args);
    }
    ctx.reply.integer(i64::from(absent));
    Ok(())
}

fn put_pairs(ctx: &mut Ctx<'_>, args: Args<'_>) {
    for index in (1..args.len()).step_by(2) {
        let found = ctx.write(&args[index]);
        put(ctx, &args[index], &args[index + 1], found, Ttl::Clear);
    }
}
