use core_types::{Args, Millis};

use super::times::{self, Unit};
use super::{Ctx, integer};
use crate::context::{Outcome, Refusal};
use crate::errors;
use crate::value::Digits;

pub(crate) fn expire(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    set_expiry(ctx, args, Unit::EX, "expire")
}

pub(crate) fn pexpire(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    set_expiry(ctx, args, Unit::PX, "pexpire")
}

pub(crate) fn expireat(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    set_expiry(ctx, args, Unit::EXAT, "expireat")
}

pub(crate) fn pexpireat(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    set_expiry(ctx, args, Unit::PXAT, "pexpireat")
}

/// On which condition the new expiry replaces the present one.
#[derive(Default)]
struct Condition {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

impl Condition {
    fn parse(args: Args<'_>) -> Result<Condition, Refusal> {
        let mut condition = Condition::default();
        for (index, word) in args.iter().enumerate().skip(3) {
            let flag = [
                ("NX", &mut condition.nx),
                ("XX", &mut condition.xx),
                ("GT", &mut condition.gt),
                ("LT", &mut condition.lt),
            ]
            .into_iter()
            .find_map(|(word, flag)| args.is(index, word).then_some(flag));
            match flag {
                Some(flag) => *flag = true,
                None => {
                    return Err(format!("ERR Unsupported option {}", String::from_utf8_lossy(word)).into());
                }
            }
        }
        let Condition { nx, xx, gt, lt } = condition;
        if nx && (xx || gt || lt) {
            return Err("ERR NX and XX, GT or LT options at the same time are not compatible".into());
        }
        if gt && lt {
            return Err("ERR GT and LT options at the same time are not compatible".into());
        }
        Ok(condition)
    }

    /// A key without expiry lives for ever: nothing is greater, everything is less.
    fn holds(&self, present: Option<Millis>, instant: i64) -> bool {
        let present = present.map(|at| at.0 as i64);
        !(self.nx && present.is_some()
            || self.xx && present.is_none()
            || self.gt && present.is_none_or(|present| instant <= present)
            || self.lt && present.is_some_and(|present| instant >= present))
    }
}

fn set_expiry(ctx: &mut Ctx<'_>, args: Args<'_>, unit: Unit, command: &str) -> Outcome {
    let key = &args[1];
    let condition = Condition::parse(args)?;
    let instant = unit.instant(integer(args, 2)?, ctx.now).ok_or_else(|| errors::expire_time(command))?;
    let Some(position) = ctx.write(key) else {
        ctx.reply.integer(0);
        return Ok(());
    };
    let db = ctx.keyspace.db_mut(ctx.db);
    if !condition.holds(db.at(position).1.expire_at(), instant) {
        ctx.reply.integer(0);
        return Ok(());
    }
    if times::is_past(ctx.expired, ctx.now, instant) {
        db.remove(key);
        ctx.effects.tell([b"DEL", key]);
    } else {
        db.set_expire_at(position, Some(times::millis(instant)));
        if unit != Unit::PXAT {
            let mut digits = Digits::default();
            let head = [b"PEXPIREAT", key, digits.write(instant)];
            ctx.effects.tell(head.into_iter().chain(args.from(3).iter()));
        }
    }
    ctx.changed();
    ctx.reply.integer(1);
    Ok(())
}

pub(crate) fn ttl(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let now = ctx.now;
    reply_time(ctx, &args[1], |at| to_seconds(at.since(now)))
}

pub(crate) fn pttl(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let now = ctx.now;
    reply_time(ctx, &args[1], |at| at.since(now).0)
}

pub(crate) fn expiretime(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_time(ctx, &args[1], to_seconds)
}

pub(crate) fn pexpiretime(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_time(ctx, &args[1], |at| at.0)
}

/// Rounded to the nearest second.
fn to_seconds(time: Millis) -> u64 {
    time.0.saturating_add(500) / 1000
}

fn reply_time(ctx: &mut Ctx<'_>, key: &[u8], show: impl Fn(Millis) -> u64) -> Outcome {
    let answer = match ctx.peek(key) {
        None => -2,
        Some(position) => match ctx.keyspace.db(ctx.db).at(position).1.expire_at() {
            None => -1,
            Some(at) => show(at) as i64,
        },
    };
    ctx.reply.integer(answer);
    Ok(())
}

pub(crate) fn persist(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let removed = match ctx.write(&args[1]) {
        Some(position) => ctx.keyspace.db_mut(ctx.db).set_expire_at(position, None).is_some(),
        None => false,
    };
    if removed {
        ctx.changed();
    }
    ctx.reply.integer(i64::from(removed));
    Ok(())
}
