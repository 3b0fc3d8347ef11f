use core_types::{Args, ArgsBuf, Millis};

use super::times::{self, Unit};
use super::{Ctx, integer};
use crate::context::{Outcome, Refusal};
use crate::errors;
use crate::rdb::{self, BadDump};
use crate::value::Digits;

pub(crate) fn dump(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    match ctx.read(&args[1]) {
        Some(position) => ctx.reply.bulk(&rdb::dump(&ctx.keyspace.db(ctx.db).at(position).1.value)),
        None => ctx.reply.null(),
    }
    Ok(())
}

#[derive(Default)]
struct RestoreOptions {
    replace: bool,
    absolute: bool,
    /// Seconds since the key was used.
    idle: Option<u64>,
    frequency: Option<u8>,
}

impl RestoreOptions {
    fn parse(args: Args<'_>) -> Result<RestoreOptions, Refusal> {
        let mut options = RestoreOptions::default();
        let mut index = 4;
        while index < args.len() {
            let has_value = index + 1 < args.len();
            if args.is(index, "REPLACE") {
                options.replace = true;
            } else if args.is(index, "ABSTTL") {
                options.absolute = true;
            } else if args.is(index, "IDLETIME") && has_value && options.frequency.is_none() {
                index += 1;
                let idle = u64::try_from(integer(args, index)?);
                options.idle = Some(idle.map_err(|_| "ERR Invalid IDLETIME value, must be >= 0")?);
            } else if args.is(index, "FREQ") && has_value && options.idle.is_none() {
                index += 1;
                let frequency = u8::try_from(integer(args, index)?);
                options.frequency =
                    Some(frequency.map_err(|_| "ERR Invalid FREQ value, must be >= 0 and <= 255")?);
            } else {
                return Err(errors::SYNTAX.into());
            }
            index += 1;
        }
        Ok(options)
    }
}

pub(crate) fn restore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = &args[1];
    let options = RestoreOptions::parse(args)?;
    let there = ctx.write(key).is_some();
    if there && !options.replace {
        return Err("BUSYKEY Target key name already exists.".into());
    }
    let ttl = integer(args, 2)?;
    if ttl < 0 {
        return Err("ERR Invalid TTL value, must be >= 0".into());
    }
    let value = rdb::restore(&args[3], ctx.keyspace).map_err(|bad| match bad {
        BadDump::Footer => "ERR DUMP payload version or checksum are wrong",
        BadDump::Format => "ERR Bad data format",
    })?;

    let unit = if options.absolute { Unit::PXAT } else { Unit::PX };
    let until = (ttl > 0).then(|| unit.instant(ttl, ctx.now).unwrap_or(i64::MAX));
    if until.is_some_and(|until| times::is_past(ctx.expired, ctx.now, until)) {
        if there {
            ctx.keyspace.db_mut(ctx.db).remove(key);
            ctx.changed();
            ctx.effects.tell([b"DEL", key]);
        }
        ctx.reply.simple("OK");
        return Ok(());
    }
    let used = Millis(ctx.now.0.saturating_sub(options.idle.unwrap_or(0).saturating_mul(1000)));
    let db = ctx.keyspace.db_mut(ctx.db);
    let entry = match options.frequency {
        Some(frequency) => db.entry_used(value, frequency, ctx.now),
        None => db.new_entry(value, used),
    };
    let position = db.insert_entry(key, entry);
    db.set_expire_at(position, until.map(times::millis));
    ctx.announce(ctx.db, key);
    ctx.changed();
    if let Some(until) = until.filter(|_| !options.absolute) {
        // A replica must not count the time anew.
        let mut digits = Digits::default();
        let mut command = ArgsBuf::default();
        for (index, arg) in args.iter().enumerate() {
            command.push(if index == 2 { digits.write(until) } else { arg });
        }
        command.push(b"ABSTTL");
        ctx.effects.instead = Some(vec![command]);
    }
    ctx.reply.simple("OK");
    Ok(())
}
