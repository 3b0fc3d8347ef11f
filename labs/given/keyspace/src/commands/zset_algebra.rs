//! Intersections, unions and differences of sorted sets and sets.

use core_types::Args;
use foldhash::fast::FixedState;
use indexmap::IndexMap;

use super::zsets::reply_members;
use super::{Ctx, NEGATIVE_LIMIT, at_least, integer, store};
use crate::context::{Outcome, Refusal};
use crate::errors;
use crate::score::parse_score;
use crate::value::{Digits, Value, WrongType};
use crate::{Item, Keyspace, Set, Zset};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Intersection,
    Union,
    Difference,
}

use Operation::{Difference, Intersection, Union};

/// What becomes of the scores of a member that several inputs have.
#[derive(Clone, Copy)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    /// `inf - inf` counts as 0. A `NaN` on the right (a weight of 0 on an infinite score) is passed over
    /// by `MIN` and `MAX`.
    fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Aggregate::Sum => zero_if_nan(a + b),
            Aggregate::Min => {
                if b < a {
                    b
                } else {
                    a
                }
            }
            Aggregate::Max => {
                if b > a {
                    b
                } else {
                    a
                }
            }
        }
    }
}

fn zero_if_nan(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// One input: a sorted set, or a set whose members all have the score 1.
#[derive(Clone, Copy)]
enum Input<'k> {
    Zset(&'k Zset),
    Set(&'k Set),
    Missing,
}

impl<'k> Input<'k> {
    fn new(value: &'k Value) -> Result<Input<'k>, WrongType> {
        match value {
            Value::Zset(zset) => Ok(Input::Zset(zset)),
            Value::Set(set) => Ok(Input::Set(set)),
            _ => Err(WrongType),
        }
    }

    fn len(self) -> usize {
        match self {
            Input::Zset(zset) => zset.len(),
            Input::Set(set) => set.len(),
            Input::Missing => 0,
        }
    }

    fn score(self, member: Item<'_>) -> Option<f64> {
        match self {
            Input::Zset(zset) => zset.score(member.as_bytes(&mut Digits::default())),
            Input::Set(set) => set.contains_item(member).then_some(1.0),
            Input::Missing => None,
        }
    }

    fn iter(self) -> Box<dyn Iterator<Item = (Item<'k>, f64)> + 'k> {
        match self {
            Input::Zset(zset) => Box::new(zset.iter()),
            Input::Set(set) => Box::new(set.iter().map(|member| (member, 1.0))),
            Input::Missing => Box::new(std::iter::empty()),
        }
    }
}

/// What a command asks for, but for the inputs themselves.
struct Query {
    operation: Operation,
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
    limit: usize,
}

/// The form of a command: it replies, stores, or counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Reply,
    Store,
    Count,
}

/// Reads a command that has the number of its keys at argument `first`. Returns what it asks for, and
/// where its inputs lie.
fn parse(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    first: usize,
    operation: Operation,
    form: Form,
) -> Result<(Query, Vec<Option<usize>>), Refusal> {
    let count = integer(args, first)?;
    if count < 1 {
        let name = String::from_utf8_lossy(args.name()).to_lowercase();
        return Err(format!("ERR at least 1 input key is needed for '{name}' command").into());
    }
    let rest = args.len() - first - 1;
    let count = usize::try_from(count).ok().filter(|count| *count <= rest).ok_or(errors::SYNTAX)?;
    let keys = args.iter().skip(first + 1).take(count);
    for key in keys.clone() {
        if let Some(position) = ctx.read(key) {
            Input::new(&ctx.keyspace.db(ctx.db).at(position).1.value)?;
        }
    }
    let query = parse_options(args, first + 1 + count, count, operation, form)?;
    // Looked up again: only now that no expired key is left to be deleted do positions hold.
    let positions = keys.map(|key| ctx.find_in(ctx.db, key)).collect();
    Ok((query, positions))
}

fn parse_options(
    args: Args<'_>,
    mut index: usize,
    keys: usize,
    operation: Operation,
    form: Form,
) -> Result<Query, Refusal> {
    let mut query = Query {
        operation,
        weights: vec![1.0; keys],
        aggregate: Aggregate::Sum,
        with_scores: false,
        limit: usize::MAX,
    };
    let weighted = operation != Difference && form != Form::Count;
    while index < args.len() {
        let left = args.len() - index - 1;
        if weighted && left >= keys && args.is(index, "WEIGHTS") {
            for (weight, text) in query.weights.iter_mut().zip(args.from(index + 1).iter()) {
                *weight = parse_score(text).ok_or("ERR weight value is not a float")?;
            }
            index += keys;
        } else if weighted && left >= 1 && args.is(index, "AGGREGATE") {
            index += 1;
            query.aggregate = match () {
                () if args.is(index, "SUM") => Aggregate::Sum,
                () if args.is(index, "MIN") => Aggregate::Min,
                () if args.is(index, "MAX") => Aggregate::Max,
                () => return Err(errors::SYNTAX.into()),
            };
        } else if form == Form::Reply && args.is(index, "WITHSCORES") {
            query.with_scores = true;
        } else if form == Form::Count && left >= 1 && args.is(index, "LIMIT") {
            index += 1;
            let limit = at_least(args, index, 0, NEGATIVE_LIMIT)?;
            query.limit = if limit == 0 { usize::MAX } else { limit };
        } else {
            return Err(errors::SYNTAX.into());
        }
        index += 1;
    }
    Ok(query)
}

fn inputs<'k>(keyspace: &'k Keyspace, db: usize, positions: &[Option<usize>]) -> Vec<Input<'k>> {
    let db = keyspace.db(db);
    let input = |position: usize| Input::new(&db.at(position).1.value).ok();
    positions.iter().map(|position| position.and_then(input).unwrap_or(Input::Missing)).collect()
}

/// The inputs with their weights, the smallest first: sums of floating-point numbers depend on the order.
fn weighted<'k>(query: &Query, inputs: &[Input<'k>]) -> Vec<(Input<'k>, f64)> {
    let mut inputs: Vec<_> = inputs.iter().copied().zip(query.weights.iter().copied()).collect();
    inputs.sort_by_key(|(input, _)| input.len());
    inputs
}

/// The members that all inputs have, in the order of the smallest.
fn intersection<'k>(query: &Query, inputs: &[Input<'k>]) -> impl Iterator<Item = (Item<'k>, f64)> {
    let mut inputs = weighted(query, inputs);
    let aggregate = query.aggregate;
    let others = inputs.split_off(1);
    let (smallest, weight) = inputs[0];
    smallest.iter().filter_map(move |(member, score)| {
        let start = Some(zero_if_nan(weight * score));
        let all = others.iter().try_fold(start?, |sum, (input, weight)| {
            input.score(member).map(|score| aggregate.apply(sum, score * weight))
        });
        all.map(|score| (member, score))
    })
}

fn union(query: &Query, inputs: &[Input<'_>], seed: u64) -> IndexMap<Box<[u8]>, f64, FixedState> {
    let mut sums: IndexMap<Box<[u8]>, f64, FixedState> = IndexMap::with_hasher(FixedState::with_seed(seed));
    let mut digits = Digits::default();
    for (input, weight) in weighted(query, inputs) {
        for (member, score) in input.iter() {
            let score = zero_if_nan(weight * score);
            let member = member.as_bytes(&mut digits);
            match sums.get_mut(member) {
                Some(sum) => *sum = query.aggregate.apply(*sum, score),
                None => drop(sums.insert(member.into(), score)),
            }
        }
    }
    sums
}

fn difference<'k>(inputs: &[Input<'k>]) -> impl Iterator<Item = (Item<'k>, f64)> {
    let others = inputs[1..].to_vec();
    inputs[0].iter().filter(move |(member, _)| others.iter().all(|input| input.score(*member).is_none()))
}

/// The result as a sorted set of its own, in its large form: a small one could not tell -0 from 0.
fn compute(query: &Query, inputs: &[Input<'_>], keyspace: &Keyspace) -> Zset {
    let (compact, seed) = (&keyspace.compact, keyspace.hash_seed);
    let (mut zset, mut digits) = (Zset::new_large(seed), Digits::default());
    let mut keep = |(member, score): (Item<'_>, f64)| {
        zset.set(member.as_bytes(&mut digits), score, compact, seed);
    };
    match query.operation {
        Intersection => intersection(query, inputs).for_each(keep),
        Difference => difference(inputs).for_each(keep),
        Union => {
            let sums = union(query, inputs, seed);
            sums.iter().for_each(|(member, score)| keep((Item::new(member), *score)));
        }
    }
    zset
}

fn reply(ctx: &mut Ctx<'_>, args: Args<'_>, operation: Operation) -> Outcome {
    let (query, positions) = parse(ctx, args, 1, operation, Form::Reply)?;
    let result = compute(&query, &inputs(ctx.keyspace, ctx.db, &positions), ctx.keyspace);
    reply_members(ctx.reply, ctx.protocol, result.iter(), query.with_scores);
    Ok(())
}

fn keep(ctx: &mut Ctx<'_>, args: Args<'_>, operation: Operation) -> Outcome {
    let (query, positions) = parse(ctx, args, 2, operation, Form::Store)?;
    let result = compute(&query, &inputs(ctx.keyspace, ctx.db, &positions), ctx.keyspace);
    let len = result.len();
    let result = (len > 0).then(|| Value::Zset(result.shrink(&ctx.keyspace.compact)));
    if store(ctx, &args[1], result) {
        ctx.changed();
    }
    ctx.reply.integer(len as i64);
    Ok(())
}

pub(crate) fn zinter(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply(ctx, args, Intersection)
}

pub(crate) fn zinterstore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    keep(ctx, args, Intersection)
}

pub(crate) fn zunion(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply(ctx, args, Union)
}

pub(crate) fn zunionstore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    keep(ctx, args, Union)
}

pub(crate) fn zdiff(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply(ctx, args, Difference)
}

pub(crate) fn zdiffstore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    keep(ctx, args, Difference)
}

pub(crate) fn zintercard(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (query, positions) = parse(ctx, args, 1, Intersection, Form::Count)?;
    let inputs = inputs(ctx.keyspace, ctx.db, &positions);
    let count = intersection(&query, &inputs).take(query.limit).count();
    ctx.reply.integer(count as i64);
    Ok(())
}
