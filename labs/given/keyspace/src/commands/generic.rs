use core_types::Args;

use super::{Ctx, database};
use crate::context::{Outcome, Refusal};
use crate::errors;

pub(crate) fn del(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut deleted = 0;
    for key in args.from(1).iter() {
        // What is found expired goes with a DEL of its own and does not count, as in Redis.
        ctx.find_in(ctx.db, key);
        deleted += u64::from(ctx.keyspace.db_mut(ctx.db).remove(key).is_some());
    }
    ctx.effects.dirty += deleted;
    ctx.reply.integer(deleted as i64);
    Ok(())
}

pub(crate) fn exists(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let count = args.from(1).iter().filter(|key| ctx.peek(key).is_some()).count();
    ctx.reply.integer(count as i64);
    Ok(())
}

pub(crate) fn touch(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let count = args.from(1).iter().filter(|key| ctx.read(key).is_some()).count();
    ctx.reply.integer(count as i64);
    Ok(())
}

pub(crate) fn type_of(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let name = match ctx.peek(&args[1]) {
        Some(position) => ctx.keyspace.db(ctx.db).at(position).1.value.type_name(),
        None => "none",
    };
    ctx.reply.simple(name);
    Ok(())
}

pub(crate) fn rename(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    rename_key(ctx, args, true)?;
    ctx.reply.simple("OK");
    Ok(())
}

pub(crate) fn renamenx(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let renamed = rename_key(ctx, args, false)?;
    ctx.reply.integer(i64::from(renamed));
    Ok(())
}

fn rename_key(ctx: &mut Ctx<'_>, args: Args<'_>, replace: bool) -> Result<bool, Refusal> {
    let (from, to) = (&args[1], &args[2]);
    ctx.write(from).ok_or(errors::NO_SUCH_KEY)?;
    if from == to {
        return Ok(false);
    }
    if ctx.write(to).is_some() && !replace {
        return Ok(false);
    }
    let db = ctx.keyspace.db_mut(ctx.db);
    let entry = db.remove(from).expect("the key has just been found");
    db.insert_entry(to, entry);
    ctx.announce(ctx.db, to);
    ctx.changed();
    Ok(true)
}

pub(crate) fn copy(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (from, to) = (&args[1], &args[2]);
    let mut target = ctx.db;
    let mut replace = false;
    let mut index = 3;
    while index < args.len() {
        if args.is(index, "REPLACE") {
            replace = true;
        } else if args.is(index, "DB") && index + 1 < args.len() {
            target = database(ctx, args, index + 1)?;
            index += 1;
        } else {
            return Err(errors::SYNTAX.into());
        }
        index += 1;
    }
    if target == ctx.db && from == to {
        return Err(errors::SAME_OBJECT.into());
    }
    let copied = match ctx.read(from) {
        None => false,
        Some(_) if ctx.write_in(target, to).is_some() && !replace => false,
        Some(_) => {
            // Looked up again: the target may have been found expired, and its removal moves keys.
            let entry = ctx.keyspace.db(ctx.db).get(from).expect("the key has just been found").clone();
            ctx.keyspace.db_mut(target).insert_entry(to, entry);
            ctx.announce(target, to);
            ctx.changed();
            true
        }
    };
    ctx.reply.integer(i64::from(copied));
    Ok(())
}

pub(crate) fn move_key(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = &args[1];
    let target = database(ctx, args, 2)?;
    if target == ctx.db {
        return Err(errors::SAME_OBJECT.into());
    }
    let moved = ctx.write(key).is_some() && ctx.write_in(target, key).is_none();
    if moved {
        let entry = ctx.keyspace.db_mut(ctx.db).remove(key).expect("the key has just been found");
        ctx.keyspace.db_mut(target).insert_entry(key, entry);
        ctx.announce(target, key);
        ctx.changed();
    }
    ctx.reply.integer(i64::from(moved));
    Ok(())
}
