//! What the commands do, one file for each kind. [`COMMANDS`](crate::COMMANDS) lists them.

pub(crate) mod counters;
pub(crate) mod expiry;
pub(crate) mod generic;
pub(crate) mod object;
pub(crate) mod scan;
pub(crate) mod server;
pub(crate) mod strings;
mod times;

use core_types::Args;

use crate::Ctx;
use crate::context::Refusal;
use crate::errors;
use crate::number::parse_i64;

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
