//! Intersections, unions and differences of sets.

use core_types::Args;

use super::{Ctx, NEGATIVE_LIMIT, NUMKEYS, at_least, store};
use crate::context::{Outcome, Refusal};
use crate::errors;
use crate::value::{Digits, Value};
use crate::{Item, Keyspace, Set};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Intersection,
    Union,
    Difference,
}

use Operation::{Difference, Intersection, Union};

/// Where the sets at `keys` lie; `None` for those that are not there.
fn look_up<'a>(
    ctx: &mut Ctx<'_>,
    keys: impl Iterator<Item = &'a [u8]> + Clone,
) -> Result<Vec<Option<usize>>, Refusal> {
    for key in keys.clone() {
        if let Some(position) = ctx.read(key) {
            ctx.keyspace.db(ctx.db).at(position).1.value.as_set()?;
        }
    }
    // Looked up again: only now that no expired key is left to be deleted do positions hold.
    Ok(keys.map(|key| ctx.find_in(ctx.db, key)).collect())
}

fn inputs<'k>(keyspace: &'k Keyspace, db: usize, positions: &[Option<usize>]) -> Vec<Option<&'k Set>> {
    let db = keyspace.db(db);
    let set = |position: usize| db.at(position).1.value.as_set().ok();
    positions.iter().map(|position| position.and_then(set)).collect()
}

/// The members that are in all of `sets`, in the order of the smallest.
fn intersection<'s>(sets: &[Option<&'s Set>]) -> Box<dyn Iterator<Item = Item<'s>> + 's> {
    let Some(mut sets) = sets.iter().copied().collect::<Option<Vec<&Set>>>() else {
        return Box::new(std::iter::empty());
    };
    sets.sort_by_key(|set| set.len());
    let (smallest, others) = (sets[0], sets.split_off(1));
    Box::new(smallest.iter().filter(move |member| others.iter().all(|set| set.contains_item(*member))))
}

/// The members of the first of `sets` that are in none of the others.
fn difference<'s>(sets: &[Option<&'s Set>]) -> Box<dyn Iterator<Item = Item<'s>> + 's> {
    let others: Vec<&Set> = sets[1..].iter().copied().flatten().collect();
    let first = sets[0].into_iter().flat_map(Set::iter);
    Box::new(first.filter(move |member| !others.iter().any(|set| set.contains_item(*member))))
}

fn members<'s>(operation: Operation, sets: Vec<Option<&'s Set>>) -> Box<dyn Iterator<Item = Item<'s>> + 's> {
    match operation {
        Intersection => intersection(&sets),
        Difference => difference(&sets),
        // With repetitions.
        Union => Box::new(sets.into_iter().flatten().flat_map(Set::iter)),
    }
}

/// A set of its own made of the result.
fn collect<'s>(members: impl Iterator<Item = Item<'s>>, keyspace: &Keyspace) -> Set {
    let mut set = Set::new();
    let mut digits = Digits::default();
    for member in members {
        set.add(member.as_bytes(&mut digits), &keyspace.compact, keyspace.hash_seed);
    }
    set
}

fn reply(operation: Operation, ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let positions = look_up(ctx, args.from(1).iter())?;
    let sets = inputs(ctx.keyspace, ctx.db, &positions);
    let union;
    let members: Vec<Item<'_>> = match operation {
        Union => {
            union = collect(members(Union, sets), ctx.keyspace);
            union.iter().collect()
        }
        _ => members(operation, sets).collect(),
    };
    let mut digits = Digits::default();
    ctx.reply.set(members.len());
    members.iter().for_each(|member| ctx.reply.bulk(member.as_bytes(&mut digits)));
    Ok(())
}

fn keep(operation: Operation, ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let positions = look_up(ctx, args.from(2).iter())?;
    let sets = inputs(ctx.keyspace, ctx.db, &positions);
    let result = collect(members(operation, sets), ctx.keyspace);
    let len = result.len();
    if store(ctx, &args[1], (len > 0).then_some(Value::Set(result))) {
        ctx.changed();
    }
    ctx.reply.integer(len as i64);
    Ok(())
}

pub(crate) fn sinter(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply(Intersection, ctx, args)
}

pub(crate) fn sinterstore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    keep(Intersection, ctx, args)
}

pub(crate) fn sunion(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply(Union, ctx, args)
}

pub(crate) fn sunionstore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    keep(Union, ctx, args)
}

pub(crate) fn sdiff(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply(Difference, ctx, args)
}

pub(crate) fn sdiffstore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    keep(Difference, ctx, args)
}

pub(crate) fn sintercard(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let count = at_least(args, 1, 1, NUMKEYS)?;
    if count > args.len() - 2 {
        return Err("ERR Number of keys can't be greater than number of args".into());
    }
    let mut limit = 0;
    let mut index = 2 + count;
    while index < args.len() {
        if !args.is(index, "LIMIT") || index + 1 == args.len() {
            return Err(errors::SYNTAX.into());
        }
        limit = at_least(args, index + 1, 0, NEGATIVE_LIMIT)?;
        index += 2;
    }
    let limit = if limit == 0 { usize::MAX } else { limit };
    let positions = look_up(ctx, args.from(2).iter().take(count))?;
    let sets = inputs(ctx.keyspace, ctx.db, &positions);
    let cardinality = intersection(&sets).take(limit).count();
    ctx.reply.integer(cardinality as i64);
    Ok(())
}
