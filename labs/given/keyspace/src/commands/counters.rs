use core_types::Args;

use super::{Ctx, integer};
use crate::context::Outcome;
use crate::errors;
use crate::extended::Extended;
use crate::value::{Digits, Str, Value};

pub(crate) fn incr(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    add(ctx, &args[1], 1)
}

pub(crate) fn decr(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    add(ctx, &args[1], -1)
}

pub(crate) fn incrby(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    add(ctx, &args[1], integer(args, 2)?)
}

pub(crate) fn decrby(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let by = integer(args, 2)?.checked_neg().ok_or("ERR decrement would overflow")?;
    add(ctx, &args[1], by)
}

fn add(ctx: &mut Ctx<'_>, key: &[u8], by: i64) -> Outcome {
    let found = ctx.write(key);
    let before = match found {
        Some(position) => {
            let string = ctx.keyspace.db(ctx.db).at(position).1.value.as_string()?;
            string.as_number().ok_or(errors::NOT_AN_INTEGER)?
        }
        None => 0,
    };
    let sum = before.checked_add(by).ok_or("ERR increment or decrement would overflow")?;
    put(ctx, key, found, Str::Int(sum));
    ctx.reply.integer(sum);
    Ok(())
}

/// Replaces the value and leaves the expiry alone.
fn put(ctx: &mut Ctx<'_>, key: &[u8], found: Option<usize>, string: Str) {
    let db = ctx.keyspace.db_mut(ctx.db);
    match found {
        Some(position) => {
            let entry = db.at_mut(position);
            entry.value = Value::String(string);
            entry.edited = false;
        }
        None => {
            db.insert(key, Value::String(string), ctx.now);
        }
    }
    ctx.changed();
}

pub(crate) fn incrbyfloat(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = &args[1];
    let found = ctx.write(key);
    let before = match found {
        Some(position) => {
            let string = ctx.keyspace.db(ctx.db).at(position).1.value.as_string()?;
            Extended::parse(string.as_bytes(&mut Digits::default())).ok_or(errors::NOT_A_FLOAT)?
        }
        None => Extended::ZERO,
    };
    let by = Extended::parse(&args[2]).ok_or(errors::NOT_A_FLOAT)?;
    let sum = before.add(by).ok_or("ERR increment would produce NaN or Infinity")?.to_text();
    // Not kept as a number even if it looks like one: so does Redis, and `OBJECT ENCODING` tells.
    put(ctx, key, found, Str::Bytes(sum.as_bytes().to_vec()));
    ctx.reply.bulk(sum.as_bytes());
    // The result, not the sum to be done again: a replica's processor may round otherwise.
    ctx.effects.tell([b"SET", key, sum.as_bytes(), b"KEEPTTL"]);
    Ok(())
}
