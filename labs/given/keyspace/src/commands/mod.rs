//! What the commands do, one file for each kind. [`COMMANDS`](crate::COMMANDS) lists them.

pub(crate) mod bits;
pub(crate) mod counters;
mod draw;
pub(crate) mod dump;
pub(crate) mod expiry;
pub(crate) mod generic;
pub(crate) mod hashes;
pub(crate) mod list_moves;
pub(crate) mod lists;
pub(crate) mod memory;
pub(crate) mod object;
pub(crate) mod scan;
pub(crate) mod server;
pub(crate) mod set_algebra;
pub(crate) mod sets;
pub(crate) mod sort;
pub(crate) mod strings;
mod times;
pub(crate) mod zset_algebra;
pub(crate) mod zset_pops;
pub(crate) mod zset_ranges;
pub(crate) mod zsets;

use core_types::Args;

use crate::Ctx;
use crate::context::Refusal;
use crate::errors;
use crate::number::parse_i64;
use crate::value::Value;

/// Argument `index` as a 64-bit number.
fn integer(args: Args<'_>, index: usize) -> Result<i64, Refusal> {
    parse_i64(&args[index]).ok_or_else(|| errors::NOT_AN_INTEGER.into())
}

/// Argument `index` as the number of a database.
fn database(ctx: &Ctx<'_>, args: Args<'_>, index: usize) -> Result<usize, Refusal> {
    // Redis reads a C `int` here; a larger number has an error of its own.
    let number = i32::try_from(integer(args, index)?).map_err(|_| errors::NOT_AN_INT)?;
    match usize::try_from(number) {
        Ok(db) if db < ctx.keyspace.databases() => Ok(db),
        _ => Err(errors::DB_OUT_OF_RANGE.into()),
    }
}

const NOT_POSITIVE: &str = "ERR value is out of range, must be positive";
const NUMKEYS: &str = "ERR numkeys should be greater than 0";
const NEGATIVE_LIMIT: &str = "ERR LIMIT can't be negative";

/// Argument `index` as a number that is not below `least`; anything else is refused with `text`.
fn at_least(args: Args<'_>, index: usize, least: i64, text: &'static str) -> Result<usize, Refusal> {
    let number = parse_i64(&args[index]).filter(|number| *number >= least);
    number.and_then(|number| usize::try_from(number).ok()).ok_or_else(|| text.into())
}

/// Argument `index` as a number from `low` to `high`.
fn within(args: Args<'_>, index: usize, low: i64, high: i64) -> Result<i64, Refusal> {
    let number = integer(args, index)?;
    if (low..=high).contains(&number) {
        Ok(number)
    } else {
        Err(format!("ERR value is out of range, value must between {low} and {high}").into())
    }
}

/// Makes `value` the value of `key`, without expiry and whatever it was before; without one the key is
/// deleted. True if anything has changed.
fn store(ctx: &mut Ctx<'_>, key: &[u8], value: Option<Value>) -> bool {
    let Some(value) = value else { return ctx.keyspace.db_mut(ctx.db).remove(key).is_some() };
    let awaited = matches!(value, Value::List(_) | Value::Zset(_));
    // Looked for first: if its time is up, the replicas are told so.
    ctx.write(key);
    ctx.keyspace.db_mut(ctx.db).insert(key, value, ctx.now);
    if awaited {
        ctx.make_ready(ctx.db, key);
    }
    true
}
