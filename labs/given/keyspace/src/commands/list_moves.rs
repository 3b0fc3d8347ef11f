//! Commands that take elements out of one of several lists or move them to another one, and their
//! blocking forms.
//!
//! A blocking command that finds nothing leaves a [`Wait`](crate::Wait) and is run again when one of its
//! keys is ready, so it needs no state of its own. What replicas are told is always the plain command,
//! with what it took: a replica must never wait.
//!
//! # Differences from Redis
//! - A client that waits for several lists and finds more than one is served from the first in *its* order;
//!   Redis takes the one that came first.
//! - If one of the keys has meanwhile become a value of another type, the client gets that error; Redis
//!   only looks at the key that is ready.

use core_types::{Args, Millis};

use super::lists::{make, take};
use super::times::timeout;
use super::{Ctx, NUMKEYS, at_least};
use crate::context::{Outcome, Refusal, TimeoutReply};
use crate::errors;
use crate::list::End;
use crate::value::Digits;

/// How the end of a list is written.
fn end(args: Args<'_>, index: usize) -> Result<End, Refusal> {
    if args.is(index, "LEFT") {
        Ok(End::Front)
    } else if args.is(index, "RIGHT") {
        Ok(End::Back)
    } else {
        Err(errors::SYNTAX.into())
    }
}

/// The command that takes an element from this end.
fn pop_name(end: End) -> &'static [u8] {
    match end {
        End::Front => b"LPOP",
        End::Back => b"RPOP",
    }
}

/// The first of `keys` that is there, which must be a list.
fn first_list<'k>(
    ctx: &mut Ctx<'_>,
    keys: impl Iterator<Item = &'k [u8]>,
) -> Result<Option<(&'k [u8], usize)>, Refusal> {
    for key in keys {
        if let Some(position) = ctx.write(key) {
            ctx.keyspace.db(ctx.db).at(position).1.value.as_list()?;
            return Ok(Some((key, position)));
        }
    }
    Ok(None)
}

pub(crate) fn blpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    blocking_pop(ctx, args, End::Front)
}

pub(crate) fn brpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    blocking_pop(ctx, args, End::Back)
}

fn blocking_pop(ctx: &mut Ctx<'_>, args: Args<'_>, end: End) -> Outcome {
    let last = args.len() - 1;
    let deadline = timeout(ctx, &args[last])?;
    let keys = args.iter().skip(1).take(last - 1);
    match first_list(ctx, keys.clone())? {
        Some((key, position)) => {
            ctx.reply.array(2);
            ctx.reply.bulk(key);
            take(ctx, position, end, 1);
            ctx.effects.tell([pop_name(end), key]);
        }
        None => ctx.wait(keys, deadline, TimeoutReply::NullArray),
    }
    Ok(())
}

pub(crate) fn lmpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let pop = PopMany::parse(args, 1)?;
    if !pop.run(ctx, args)? {
        ctx.reply.null_array();
    }
    Ok(())
}

pub(crate) fn blmpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let pop = PopMany::parse(args, 2)?;
    let deadline = timeout(ctx, &args[1])?;
    if !pop.run(ctx, args)? {
        ctx.wait(pop.keys(args), deadline, TimeoutReply::NullArray);
    }
    Ok(())
}

/// `numkeys key [key …] LEFT|RIGHT [COUNT count]`.
struct PopMany {
    first: usize,
    keys: usize,
    end: End,
    count: usize,
}

impl PopMany {
    fn parse(args: Args<'_>, counted: usize) -> Result<PopMany, Refusal> {
        let keys = at_least(args, counted, 1, NUMKEYS)?;
        let first = counted + 1;
        if keys >= args.len() - first {
            return Err(errors::SYNTAX.into());
        }
        let place = first + keys;
        let end = end(args, place)?;
        let count = match args.len() - place {
            1 => 1,
            _ if !args.is(place + 1, "COUNT") => return Err(errors::SYNTAX.into()),
            2 => return Err(errors::SYNTAX.into()),
            _ => at_least(args, place + 2, 1, "ERR count should be greater than 0")?,
        };
        if args.len() > place + 3 {
            return Err(errors::SYNTAX.into());
        }
        Ok(PopMany { first, keys, end, count })
    }

    fn keys<'a>(&self, args: Args<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        args.iter().skip(self.first).take(self.keys)
    }

    /// Pops from the first of the keys that is a list. False if none is there.
    fn run(&self, ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<bool, Refusal> {
        let Some((key, position)) = first_list(ctx, self.keys(args))? else { return Ok(false) };
        let len = ctx.keyspace.db(ctx.db).at(position).1.value.as_list()?.len();
        ctx.reply.array(2);
        ctx.reply.bulk(key);
        ctx.reply.array(self.count.min(len));
        let taken = take(ctx, position, self.end, self.count);
        ctx.effects.tell([pop_name(self.end), key, Digits::default().write(taken)]);
        Ok(true)
    }
}

pub(crate) fn lmove(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (from, to) = (end(args, 3)?, end(args, 4)?);
    if !move_element(ctx, args, from, to)? {
        ctx.reply.null();
    }
    Ok(())
}

pub(crate) fn rpoplpush(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if !move_element(ctx, args, End::Back, End::Front)? {
        ctx.reply.null();
    }
    Ok(())
}

pub(crate) fn blmove(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (from, to) = (end(args, 3)?, end(args, 4)?);
    let deadline = timeout(ctx, &args[5])?;
    if move_element(ctx, args, from, to)? {
        ctx.effects.tell([b"LMOVE", &args[1], &args[2], &args[3], &args[4]]);
    } else {
        wait_for_source(ctx, args, deadline);
    }
    Ok(())
}

pub(crate) fn brpoplpush(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let deadline = timeout(ctx, &args[3])?;
    if move_element(ctx, args, End::Back, End::Front)? {
        ctx.effects.tell([b"RPOPLPUSH", &args[1], &args[2]]);
    } else {
        wait_for_source(ctx, args, deadline);
    }
    Ok(())
}

fn wait_for_source(ctx: &mut Ctx<'_>, args: Args<'_>, deadline: Option<Millis>) {
    ctx.wait(std::iter::once(&args[1]), deadline, TimeoutReply::Null);
}

/// Moves an element from list `args[1]` to list `args[2]`, which may be the same, and replies with it.
/// False if there is none.
fn move_element(ctx: &mut Ctx<'_>, args: Args<'_>, from: End, to: End) -> Result<bool, Refusal> {
    let (source, target) = (&args[1], &args[2]);
    let Some(position) = ctx.write(source) else { return Ok(false) };
    ctx.keyspace.db(ctx.db).at(position).1.value.as_list()?;
    // Before anything is taken: the target must be able to take it.
    if let Some(position) = ctx.write(target) {
        ctx.keyspace.db(ctx.db).at(position).1.value.as_list()?;
    }

    // Looked up again: the target may have been found expired, and its removal moves keys.
    let db = ctx.keyspace.db_mut(ctx.db);
    let position = db.find(source).expect("the source has just been found");
    let list = db.at_mut(position).value.as_list_mut()?;
    let element = list.peek(from).expect("a list is never empty").to_vec();
    list.drop(from, 1);
    let target = match db.find(target) {
        Some(target) => target,
        None => make(ctx, target),
    };
    ctx.keyspace.db_mut(ctx.db).at_mut(target).value.as_list_mut()?.push(to, &element);
    ctx.reply.bulk(&element);
    ctx.drop_if_empty(position);
    ctx.changed();
    Ok(true)
}
