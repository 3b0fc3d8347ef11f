use core_types::{Args, Protocol, Reply};

use super::scan::{self, ScanOptions};
use super::{Ctx, draw, within};
use crate::context::{Outcome, Refusal};
use crate::errors;
use crate::score::parse_score;
use crate::value::{Digits, Value};
use crate::{Item, Keyspace, Zset};

/// The sorted set at a position that was just found.
pub(super) fn found(
    keyspace: &Keyspace,
    db: usize,
    position: Option<usize>,
) -> Result<Option<&Zset>, Refusal> {
    Ok(position.map(|position| keyspace.db(db).at(position).1.value.as_zset()).transpose()?)
}

/// Deletes `key`, which lies at `position`, if nothing is left in its sorted set.
pub(super) fn drop_empty(ctx: &mut Ctx<'_>, key: &[u8], position: usize) {
    let db = ctx.keyspace.db_mut(ctx.db);
    if db.at(position).1.value.as_zset().is_ok_and(Zset::is_empty) {
        db.remove(key);
    }
}

/// Replies with members, and perhaps their scores: a flat list in RESP2, pairs in RESP3.
pub(super) fn reply_members<'z>(
    reply: &mut dyn Reply,
    protocol: Protocol,
    members: impl ExactSizeIterator<Item = (Item<'z>, f64)>,
    with_scores: bool,
) {
    let pairs = with_scores && protocol == Protocol::Resp3;
    reply.array(if with_scores && !pairs { 2 * members.len() } else { members.len() });
    let mut digits = Digits::default();
    for (member, score) in members {
        if pairs {
            reply.array(2);
        }
        reply.bulk(member.as_bytes(&mut digits));
        if with_scores {
            reply.double(score);
        }
    }
}

#[derive(Clone, Copy, Default)]
struct AddOptions {
    if_absent: bool,
    if_present: bool,
    greater: bool,
    less: bool,
    changed: bool,
    increment: bool,
}

impl AddOptions {
    /// The options of a command, and the argument behind them.
    fn parse(args: Args<'_>) -> (AddOptions, usize) {
        let mut options = AddOptions::default();
        for index in 2.. {
            let option = match () {
                () if args.is(index, "NX") => &mut options.if_absent,
                () if args.is(index, "XX") => &mut options.if_present,
                () if args.is(index, "GT") => &mut options.greater,
                () if args.is(index, "LT") => &mut options.less,
                () if args.is(index, "CH") => &mut options.changed,
                () if args.is(index, "INCR") => &mut options.increment,
                () => return (options, index),
            };
            *option = true;
        }
        unreachable!("no command has so many arguments")
    }

    fn check(&self, pairs: usize) -> Outcome {
        if self.if_absent && self.if_present {
            return Err("ERR XX and NX options at the same time are not compatible".into());
        }
        if (self.greater && self.less) || (self.if_absent && (self.greater || self.less)) {
            return Err("ERR GT, LT, and/or NX options at the same time are not compatible".into());
        }
        if self.increment && pairs > 1 {
            return Err("ERR INCR option supports a single increment-element pair".into());
        }
        Ok(())
    }

    /// The score a member gets that has `before`, if it is to get one.
    fn score(&self, before: Option<f64>, given: f64) -> Result<Option<f64>, Refusal> {
        let Some(before) = before else { return Ok((!self.if_present).then_some(given)) };
        if self.if_absent {
            return Ok(None);
        }
        let score = if self.increment { before + given } else { given };
        if score.is_nan() {
            return Err("ERR resulting score is not a number (NaN)".into());
        }
        let refused = self.greater && score <= before || self.less && score >= before;
        Ok((!refused).then_some(score))
    }
}

pub(crate) fn zadd(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (options, first) = AddOptions::parse(args);
    add(ctx, args, options, first)
}

pub(crate) fn zincrby(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    add(ctx, args, AddOptions { increment: true, ..AddOptions::default() }, 2)
}

fn add(ctx: &mut Ctx<'_>, args: Args<'_>, options: AddOptions, first: usize) -> Outcome {
    let key = &args[1];
    let count = args.len() - first;
    if count == 0 || !count.is_multiple_of(2) {
        return Err(errors::SYNTAX.into());
    }
    options.check(count / 2)?;
    // All of them before the first change: the command is done in whole or not at all.
    let scores = (first..args.len()).step_by(2).map(|index| parse_score(&args[index]));
    let scores: Vec<f64> = scores.collect::<Option<_>>().ok_or(errors::NOT_A_FLOAT)?;

    let position = ctx.write(key);
    found(ctx.keyspace, ctx.db, position)?;
    let position = match position {
        None if options.if_present => {
            reply_added(ctx, options, 0, 0, None);
            return Ok(());
        }
        None => {
            ctx.make_ready(ctx.db, key);
            ctx.keyspace.db_mut(ctx.db).insert(key, Value::Zset(Zset::new()), ctx.now)
        }
        Some(position) => position,
    };
    let (compact, seed) = (ctx.keyspace.compact, ctx.keyspace.hash_seed);
    let zset = ctx.keyspace.db_mut(ctx.db).at_mut(position).value.as_zset_mut()?;
    let (mut added, mut updated, mut result) = (0, 0, None);
    for (index, given) in scores.into_iter().enumerate() {
        let member = &args[first + 2 * index + 1];
        let before = zset.score(member);
        result = options.score(before, given)?;
        let Some(score) = result.filter(|score| before != Some(*score)) else { continue };
        zset.set(member, score, &compact, seed);
        *(if before.is_none() { &mut added } else { &mut updated }) += 1;
    }
    ctx.effects.dirty += added + updated;
    reply_added(ctx, options, added, updated, result);
    Ok(())
}

fn reply_added(ctx: &mut Ctx<'_>, options: AddOptions, added: u64, updated: u64, result: Option<f64>) {
    match result {
        Some(score) if options.increment => ctx.reply.double(score),
        None if options.increment => ctx.reply.null(),
        _ => ctx.reply.integer((if options.changed { added + updated } else { added }) as i64),
    }
}

pub(crate) fn zrem(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut removed = 0;
    if let Some(position) = ctx.write(&args[1]) {
        let zset = ctx.keyspace.db_mut(ctx.db).at_mut(position).value.as_zset_mut()?;
        removed = args.from(2).iter().filter(|member| zset.remove(member).is_some()).count();
        drop_empty(ctx, &args[1], position);
    }
    ctx.effects.dirty += removed as u64;
    ctx.reply.integer(removed as i64);
    Ok(())
}

pub(crate) fn zcard(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = ctx.read(&args[1]);
    let zset = found(ctx.keyspace, ctx.db, position)?;
    ctx.reply.integer(zset.map_or(0, Zset::len) as i64);
    Ok(())
}

pub(crate) fn zscore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = ctx.read(&args[1]);
    match found(ctx.keyspace, ctx.db, position)?.and_then(|zset| zset.score(&args[2])) {
        Some(score) => ctx.reply.double(score),
        None => ctx.reply.null(),
    }
    Ok(())
}

pub(crate) fn zmscore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = ctx.read(&args[1]);
    let zset = found(ctx.keyspace, ctx.db, position)?;
    ctx.reply.array(args.len() - 2);
    for member in args.from(2).iter() {
        match zset.and_then(|zset| zset.score(member)) {
            Some(score) => ctx.reply.double(score),
            None => ctx.reply.null(),
        }
    }
    Ok(())
}

pub(crate) fn zrank(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_rank(ctx, args, |rank, _| rank)
}

pub(crate) fn zrevrank(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_rank(ctx, args, |rank, len| len - 1 - rank)
}

fn reply_rank(ctx: &mut Ctx<'_>, args: Args<'_>, show: impl Fn(usize, usize) -> usize) -> Outcome {
    let position = ctx.read(&args[1]);
    let zset = found(ctx.keyspace, ctx.db, position)?;
    match zset.and_then(|zset| Some(show(zset.rank(&args[2])?, zset.len()))) {
        Some(rank) => ctx.reply.integer(rank as i64),
        None => ctx.reply.null(),
    }
    Ok(())
}

pub(crate) fn zrandmember(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() >= 3 {
        return random_members(ctx, args);
    }
    let position = ctx.read(&args[1]);
    let mut rng = ctx.keyspace.rng.clone();
    match found(ctx.keyspace, ctx.db, position)? {
        Some(zset) => {
            let (member, _) = zset.at(draw::one(&mut rng, zset.len()));
            ctx.reply.bulk(member.as_bytes(&mut Digits::default()));
            ctx.keyspace.rng = rng;
        }
        None => ctx.reply.null(),
    }
    Ok(())
}

/// A count above zero asks for so many different members, one below zero for so many draws.
fn random_members(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let count = within(args, 2, -i64::MAX, i64::MAX)?;
    let with_scores = args.is(3, "WITHSCORES");
    if args.len() > 4 || (args.len() == 4 && !with_scores) {
        return Err(errors::SYNTAX.into());
    }
    if with_scores && !(-i64::MAX / 2..=i64::MAX / 2).contains(&count) {
        return Err("ERR value is out of range".into());
    }
    let position = ctx.read(&args[1]);
    let mut rng = ctx.keyspace.rng.clone();
    let Some(zset) = found(ctx.keyspace, ctx.db, position)?.filter(|_| count != 0) else {
        ctx.reply.array(0);
        return Ok(());
    };
    let (len, wanted) = (zset.len(), count.unsigned_abs() as usize);
    let (reply, protocol) = (&mut *ctx.reply, ctx.protocol);
    if count < 0 {
        let draws = Draws { zset, rng: &mut rng, left: wanted };
        reply_members(reply, protocol, draws, with_scores);
    } else if wanted >= len {
        reply_members(reply, protocol, zset.iter(), with_scores);
    } else {
        let drawn = draw::different(&mut rng, len, wanted);
        reply_members(reply, protocol, drawn.into_iter().map(|index| zset.at(index)), with_scores);
    }
    ctx.keyspace.rng = rng;
    Ok(())
}

/// Members at random, the same one perhaps more than once.
struct Draws<'z> {
    zset: &'z Zset,
    rng: &'z mut core_types::Rng,
    left: usize,
}

impl<'z> Iterator for Draws<'z> {
    type Item = (Item<'z>, f64);

    fn next(&mut self) -> Option<(Item<'z>, f64)> {
        self.left = self.left.checked_sub(1)?;
        Some(self.zset.at(draw::one(self.rng, self.zset.len())))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Draws<'_> {}

pub(crate) fn zscan(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let cursor = scan::cursor(args, 2)?;
    let position = ctx.read(&args[1]);
    let Some(zset) = found(ctx.keyspace, ctx.db, position)? else {
        scan::reply_nothing(ctx);
        return Ok(());
    };
    let options = ScanOptions::parse(args, 3, false)?;
    let mut digits = Digits::default();
    let mut shown = Vec::new();
    let mut show = |(member, score): (Item<'_>, f64)| {
        let text = member.as_bytes(&mut digits);
        if options.shows(text) {
            shown.push((text.to_vec(), zset.show_score(score)));
        }
    };
    // A small set comes at once, and in order: it could not keep its places from one step to the next.
    let next = match zset {
        Zset::Small(_) => {
            zset.iter().for_each(show);
            0
        }
        Zset::Large(_) => {
            let positions = options.positions(cursor, zset.len());
            positions.clone().rev().for_each(|index| show(zset.at(index)));
            positions.start
        }
    };
    ctx.reply.array(2);
    ctx.reply.bulk(digits.write(next));
    ctx.reply.array(2 * shown.len());
    for (member, score) in shown {
        ctx.reply.bulk(&member);
        ctx.reply.bulk(score.as_bytes());
    }
    Ok(())
}
