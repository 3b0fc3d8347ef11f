use core_types::Args;

use super::{Ctx, database};
use crate::context::{Outcome, Refusal};
use crate::errors;
use crate::number::parse_i64;

pub(crate) fn dbsize(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    ctx.reply.integer(ctx.keyspace.len(ctx.db) as i64);
    Ok(())
}

/// `SYNC` and `ASYNC` are accepted and mean the same: memory is freed at once.
fn check_flush(args: Args<'_>) -> Result<(), Refusal> {
    match args.len() {
        1 => Ok(()),
        2 if args.is(1, "SYNC") || args.is(1, "ASYNC") => Ok(()),
        _ => Err(errors::SYNTAX.into()),
    }
}

pub(crate) fn flushdb(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    check_flush(args)?;
    // One more than there were keys: replicas are told even if there was nothing to delete.
    ctx.effects.dirty += ctx.keyspace.len(ctx.db) as u64 + 1;
    ctx.keyspace.db_mut(ctx.db).clear();
    ctx.reply.simple("OK");
    Ok(())
}

pub(crate) fn flushall(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    check_flush(args)?;
    ctx.effects.dirty += ctx.keyspace.flush_all() as u64 + 1;
    ctx.reply.simple("OK");
    Ok(())
}

pub(crate) fn swapdb(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let number = |index: usize| parse_i64(&args[index]).and_then(|number| i32::try_from(number).ok());
    number(1).ok_or("ERR invalid first DB index")?;
    number(2).ok_or("ERR invalid second DB index")?;
    let (first, second) = (database(ctx, args, 1)?, database(ctx, args, 2)?);
    ctx.keyspace.swap(first, second);
    ctx.changed();
    ctx.reply.simple("OK");
    Ok(())
}
