//! Commands that take the least or the greatest members out of sorted sets, and those that wait for one.

use core_types::{Args, Protocol};

use super::times::timeout;
use super::zsets::{drop_empty, found};
use super::{Ctx, NOT_POSITIVE, NUMKEYS, at_least};
use crate::context::{Outcome, Refusal, TimeoutReply};
use crate::errors;
use crate::value::Digits;

/// From which end members are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Min,
    Max,
}

impl End {
    /// The command that the replicas are told.
    fn command(self) -> &'static [u8] {
        match self {
            End::Min => b"ZPOPMIN",
            End::Max => b"ZPOPMAX",
        }
    }
}

/// How the members that were taken are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Member, score, member, score.
    Flat,
    /// Pairs.
    Nested,
    /// The key in front of a flat list.
    KeyAndFlat,
    /// The key and a list of pairs.
    KeyAndNested,
}

/// Takes up to `count` members out of the sorted set at `key`, which is there, and replies with them.
/// Returns how many there were.
fn pop(ctx: &mut Ctx<'_>, key: &[u8], end: End, count: usize, shape: Shape) -> Result<usize, Refusal> {
    let position = ctx.write(key);
    let zset = found(ctx.keyspace, ctx.db, position)?.expect("the key has just been found");
    let len = zset.len();
    let count = count.min(len);
    match shape {
        Shape::Flat => ctx.reply.array(2 * count),
        Shape::Nested => ctx.reply.array(count),
        Shape::KeyAndFlat => ctx.reply.array(2 * count + 1),
        Shape::KeyAndNested => ctx.reply.array(2),
    }
    if matches!(shape, Shape::KeyAndFlat | Shape::KeyAndNested) {
        ctx.reply.bulk(key);
    }
    if shape == Shape::KeyAndNested {
        ctx.reply.array(count);
    }
    let start = if end == End::Min { 0 } else { len - 1 };
    let mut digits = Digits::default();
    for (member, score) in zset.range(start, count, end == End::Max) {
        if matches!(shape, Shape::Nested | Shape::KeyAndNested) {
            ctx.reply.array(2);
        }
        ctx.reply.bulk(member.as_bytes(&mut digits));
        ctx.reply.double(score);
    }
    let first = if end == End::Min { 0 } else { len - count };
    let position = position.expect("the key has just been found");
    let zset = ctx.keyspace.db_mut(ctx.db).at_mut(position).value.as_zset_mut()?;
    zset.remove_range(first, count);
    drop_empty(ctx, key, position);
    ctx.effects.dirty += count as u64;
    Ok(count)
}

/// The first of `keys` that is there; it must be a sorted set.
fn first_found<'a>(
    ctx: &mut Ctx<'_>,
    keys: impl Iterator<Item = &'a [u8]>,
) -> Result<Option<&'a [u8]>, Refusal> {
    for key in keys {
        let position = ctx.write(key);
        if found(ctx.keyspace, ctx.db, position)?.is_some() {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

pub(crate) fn zpopmin(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    pop_count(ctx, args, End::Min)
}

pub(crate) fn zpopmax(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    pop_count(ctx, args, End::Max)
}

fn pop_count(ctx: &mut Ctx<'_>, args: Args<'_>, end: End) -> Outcome {
    let (count, shape) = match args.len() {
        2 => (1, Shape::Flat),
        3 if ctx.protocol == Protocol::Resp3 => (at_least(args, 2, 0, NOT_POSITIVE)?, Shape::Nested),
        3 => (at_least(args, 2, 0, NOT_POSITIVE)?, Shape::Flat),
        _ => return Err(errors::SYNTAX.into()),
    };
    match first_found(ctx, args.iter().skip(1).take(1))? {
        Some(key) if count > 0 => drop(pop(ctx, key, end, count, shape)?),
        _ => ctx.reply.array(0),
    }
    Ok(())
}

pub(crate) fn bzpopmin(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    wait_and_pop(ctx, args, End::Min)
}

pub(crate) fn bzpopmax(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    wait_and_pop(ctx, args, End::Max)
}

fn wait_and_pop(ctx: &mut Ctx<'_>, args: Args<'_>, end: End) -> Outcome {
    let last = args.len() - 1;
    let deadline = timeout(ctx, &args[last])?;
    let keys = args.iter().take(last).skip(1);
    match first_found(ctx, keys.clone())? {
        Some(key) => {
            pop(ctx, key, end, 1, Shape::KeyAndFlat)?;
            ctx.effects.tell([end.command(), key]);
        }
        None => ctx.wait(keys, deadline, TimeoutReply::NullArray),
    }
    Ok(())
}

pub(crate) fn zmpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (keys, end, count) = parse_many(args, 1)?;
    match first_found(ctx, keys)? {
        Some(key) => pop_many(ctx, key, end, count),
        None => {
            ctx.reply.null_array();
            Ok(())
        }
    }
}

pub(crate) fn bzmpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (keys, end, count) = parse_many(args, 2)?;
    let deadline = timeout(ctx, &args[1])?;
    match first_found(ctx, keys.clone())? {
        Some(key) => pop_many(ctx, key, end, count),
        None => {
            ctx.wait(keys, deadline, TimeoutReply::NullArray);
            Ok(())
        }
    }
}

fn pop_many(ctx: &mut Ctx<'_>, key: &[u8], end: End, count: usize) -> Outcome {
    let taken = pop(ctx, key, end, count, Shape::KeyAndNested)?;
    ctx.effects.tell([end.command(), key, Digits::default().write(taken)]);
    Ok(())
}

/// The keys, the end and the count of a command that has the number of its keys at argument `first`.
fn parse_many(
    args: Args<'_>,
    first: usize,
) -> Result<(impl Iterator<Item = &[u8]> + Clone, End, usize), Refusal> {
    let keys = at_least(args, first, 1, NUMKEYS)?;
    let place = keys.saturating_add(first + 1);
    let end = match () {
        () if args.is(place, "MIN") => End::Min,
        () if args.is(place, "MAX") => End::Max,
        () => return Err(errors::SYNTAX.into()),
    };
    let count = match args.len() - place {
        1 => 1,
        3 if args.is(place + 1, "COUNT") => {
            at_least(args, place + 2, 1, "ERR count should be greater than 0")?
        }
        _ => {
            // A second COUNT is refused only after the first has been read.
            if args.is(place + 1, "COUNT") && args.len() > place + 2 {
                at_least(args, place + 2, 1, "ERR count should be greater than 0")?;
            }
            return Err(errors::SYNTAX.into());
        }
    };
    Ok((args.iter().skip(first + 1).take(keys), end, count))
}
