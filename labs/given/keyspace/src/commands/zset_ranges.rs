//! Parts of sorted sets: by rank, by score, or by the members themselves.

use core_types::Args;

use super::zsets::{drop_empty, found, reply_members};
use super::{Ctx, integer, store};
use crate::Zset;
use crate::context::{Outcome, Refusal};
use crate::errors;
use crate::score::{LexRange, ScoreRange};
use crate::value::{Digits, Value};
use crate::zset::Range;

const NOT_A_SCORE: &str = "ERR min or max is not a float";
const NOT_A_LEX: &str = "ERR min or max not valid string range item";

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// Which part of a sorted set.
enum Part<'a> {
    /// The first and the last rank; negative ones count from the end.
    Ranks(i64, i64),
    Scores(ScoreRange),
    Members(LexRange<'a>),
}

impl<'a> Part<'a> {
    fn parse(by: By, args: Args<'a>, first: usize, last: usize) -> Result<Part<'a>, Refusal> {
        let (Some(min), Some(max)) = (args.get(first), args.get(last)) else {
            return Err(errors::SYNTAX.into());
        };
        Ok(match by {
            By::Rank => Part::Ranks(integer(args, first)?, integer(args, last)?),
            By::Score => Part::Scores(ScoreRange::parse(min, max).ok_or(NOT_A_SCORE)?),
            By::Lex => Part::Members(LexRange::parse(min, max).ok_or(NOT_A_LEX)?),
        })
    }

    /// The first rank, counted from the end if `backward`, and how many members there are.
    fn ranks(&self, zset: &Zset, backward: bool) -> (usize, usize) {
        let len = zset.len();
        let (first, behind) = match self {
            Part::Ranks(start, end) => return clamp(*start, *end, len),
            Part::Scores(range) => (
                zset.partition(|_, score| range.is_above(score)),
                zset.partition(|_, score| range.reaches(score)),
            ),
            Part::Members(range) => (
                zset.partition(|member, _| range.is_above(member)),
                zset.partition(|member, _| range.reaches(member)),
            ),
        };
        (if backward { len - behind } else { first }, behind.saturating_sub(first))
    }
}

/// Ranks as clients write them, as a first one and a count.
fn clamp(start: i64, end: i64, len: usize) -> (usize, usize) {
    let len = len as i64;
    let from_front = |rank: i64| if rank < 0 { rank.saturating_add(len) } else { rank };
    let (start, end) = (from_front(start).max(0), from_front(end).min(len - 1));
    if start > end { (0, 0) } else { (start as usize, (end - start + 1) as usize) }
}

/// What a command of the `ZRANGE` family asks for.
struct Query<'a> {
    part: Part<'a>,
    backward: bool,
    with_scores: bool,
    /// Members to pass over; below zero it passes over all of them.
    offset: i64,
    /// Members to show at most, if not below zero.
    limit: i64,
}

/// What a command's name says already.
#[derive(Clone, Copy)]
struct Fixed {
    by: Option<By>,
    backward: Option<bool>,
    store: bool,
}

impl<'a> Query<'a> {
    /// Reads the range from argument `first` on, and the options behind it.
    fn parse(args: Args<'a>, first: usize, fixed: Fixed) -> Result<Query<'a>, Refusal> {
        let Fixed { mut by, mut backward, store } = fixed;
        let (mut with_scores, mut offset, mut limit) = (false, 0, -1);
        let mut index = first + 2;
        while index < args.len() {
            if !store && args.is(index, "WITHSCORES") {
                with_scores = true;
            } else if args.is(index, "LIMIT") && index + 2 < args.len() {
                (offset, limit) = (integer(args, index + 1)?, integer(args, index + 2)?);
                index += 2;
            } else if backward.is_none() && args.is(index, "REV") {
                backward = Some(true);
            } else if by.is_none() && args.is(index, "BYLEX") {
                by = Some(By::Lex);
            } else if by.is_none() && args.is(index, "BYSCORE") {
                by = Some(By::Score);
            } else {
                return Err(errors::SYNTAX.into());
            }
            index += 1;
        }
        let (by, backward) = (by.unwrap_or(By::Rank), backward.unwrap_or(false));
        if by == By::Rank && limit != -1 {
            return Err("ERR syntax error, LIMIT is only supported in combination with either BYSCORE \
                or BYLEX"
                .into());
        }
        if by == By::Lex && with_scores {
            return Err("ERR syntax error, WITHSCORES not supported in combination with BYLEX".into());
        }
        // A range by score or member is written as it is walked: backward, the greater bound comes first.
        let part = match backward && by != By::Rank {
            true => Part::parse(by, args, first + 1, first)?,
            false => Part::parse(by, args, first, first + 1)?,
        };
        Ok(Query { part, backward, with_scores, offset, limit })
    }

    fn run<'z>(&self, zset: &'z Zset) -> Range<'z> {
        let (first, count) = self.part.ranks(zset, self.backward);
        let (mut skip, mut take) = (0, count);
        if !matches!(self.part, Part::Ranks(..)) {
            skip = usize::try_from(self.offset).unwrap_or(usize::MAX).min(count);
            take = usize::try_from(self.limit).unwrap_or(usize::MAX).min(count - skip);
        }
        if take == 0 {
            return zset.range(0, 0, false);
        }
        let start = first + skip;
        zset.range(if self.backward { zset.len() - 1 - start } else { start }, take, self.backward)
    }
}

fn reply_range(ctx: &mut Ctx<'_>, args: Args<'_>, by: Option<By>, backward: Option<bool>) -> Outcome {
    let query = Query::parse(args, 2, Fixed { by, backward, store: false })?;
    let position = ctx.read(&args[1]);
    match found(ctx.keyspace, ctx.db, position)? {
        Some(zset) => reply_members(ctx.reply, ctx.protocol, query.run(zset), query.with_scores),
        None => ctx.reply.array(0),
    }
    Ok(())
}

pub(crate) fn zrange(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_range(ctx, args, None, None)
}

pub(crate) fn zrevrange(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_range(ctx, args, Some(By::Rank), Some(true))
}

pub(crate) fn zrangebyscore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_range(ctx, args, Some(By::Score), Some(false))
}

pub(crate) fn zrevrangebyscore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_range(ctx, args, Some(By::Score), Some(true))
}

pub(crate) fn zrangebylex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_range(ctx, args, Some(By::Lex), Some(false))
}

pub(crate) fn zrevrangebylex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_range(ctx, args, Some(By::Lex), Some(true))
}

pub(crate) fn zrangestore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let query = Query::parse(args, 3, Fixed { by: None, backward: None, store: true })?;
    let position = ctx.read(&args[2]);
    let mut result = Zset::new();
    if let Some(zset) = found(ctx.keyspace, ctx.db, position)? {
        let mut digits = Digits::default();
        let members = query.run(zset);
        if matches!(query.part, Part::Ranks(..)) && members.len() > ctx.keyspace.compact.zset_entries {
            // Only now is it known from the start, as in Redis, that the small form will not do.
            result = Zset::new_large(ctx.keyspace.hash_seed);
        }
        for (member, score) in members {
            let keyspace = &*ctx.keyspace;
            result.set(member.as_bytes(&mut digits), score, &keyspace.compact, keyspace.hash_seed);
        }
    }
    let len = result.len();
    if store(ctx, &args[1], (len > 0).then_some(Value::Zset(result))) {
        ctx.changed();
    }
    ctx.reply.integer(len as i64);
    Ok(())
}

pub(crate) fn zcount(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_count(ctx, args, By::Score)
}

pub(crate) fn zlexcount(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_count(ctx, args, By::Lex)
}

fn reply_count(ctx: &mut Ctx<'_>, args: Args<'_>, by: By) -> Outcome {
    let part = Part::parse(by, args, 2, 3)?;
    let position = ctx.read(&args[1]);
    let zset = found(ctx.keyspace, ctx.db, position)?;
    ctx.reply.integer(zset.map_or(0, |zset| part.ranks(zset, false).1) as i64);
    Ok(())
}

pub(crate) fn zremrangebyrank(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    remove_range(ctx, args, By::Rank)
}

pub(crate) fn zremrangebyscore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    remove_range(ctx, args, By::Score)
}

pub(crate) fn zremrangebylex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    remove_range(ctx, args, By::Lex)
}

fn remove_range(ctx: &mut Ctx<'_>, args: Args<'_>, by: By) -> Outcome {
    let part = Part::parse(by, args, 2, 3)?;
    let mut removed = 0;
    if let Some(position) = ctx.write(&args[1]) {
        let zset = ctx.keyspace.db_mut(ctx.db).at_mut(position).value.as_zset_mut()?;
        let (first, count) = part.ranks(zset, false);
        zset.remove_range(first, count);
        removed = count;
        drop_empty(ctx, &args[1], position);
    }
    ctx.effects.dirty += removed as u64;
    ctx.reply.integer(removed as i64);
    Ok(())
}
