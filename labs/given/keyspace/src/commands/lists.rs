use core_types::Args;

use super::{Ctx, NOT_POSITIVE, at_least, integer};
use crate::context::{Outcome, Refusal};
use crate::errors;
use crate::list::{End, List};
use crate::packed::Item;
use crate::value::{Digits, Value};

pub(crate) fn lpush(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    push(ctx, args, End::Front, true)
}

pub(crate) fn rpush(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    push(ctx, args, End::Back, true)
}

pub(crate) fn lpushx(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    push(ctx, args, End::Front, false)
}

pub(crate) fn rpushx(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    push(ctx, args, End::Back, false)
}

fn push(ctx: &mut Ctx<'_>, args: Args<'_>, end: End, create: bool) -> Outcome {
    let position = match ctx.write(&args[1]) {
        Some(position) => position,
        None if create => make(ctx, &args[1]),
        None => {
            ctx.reply.integer(0);
            return Ok(());
        }
    };
    let list = ctx.keyspace.db_mut(ctx.db).at_mut(position).value.as_list_mut()?;
    args.from(2).iter().for_each(|text| list.push(end, text));
    ctx.effects.dirty += args.len() as u64 - 2;
    ctx.reply.integer(list.len() as i64);
    Ok(())
}

/// Makes `key` an empty list, to which the caller adds elements. Returns its position.
pub(super) fn make(ctx: &mut Ctx<'_>, key: &[u8]) -> usize {
    let list = List::new(ctx.keyspace.compact.list_node);
    ctx.make_ready(ctx.db, key);
    ctx.keyspace.db_mut(ctx.db).insert(key, Value::List(Box::new(list)), ctx.now)
}

pub(crate) fn lpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    pop(ctx, args, End::Front, "lpop")
}

pub(crate) fn rpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    pop(ctx, args, End::Back, "rpop")
}

fn pop(ctx: &mut Ctx<'_>, args: Args<'_>, end: End, command: &str) -> Outcome {
    if args.len() > 3 {
        return Err(errors::arity(command).into());
    }
    let count = match args.get(2) {
        Some(_) => Some(at_least(args, 2, 0, NOT_POSITIVE)?),
        None => None,
    };
    let Some(position) = ctx.write(&args[1]) else {
        match count {
            Some(_) => ctx.reply.null_array(),
            None => ctx.reply.null(),
        }
        return Ok(());
    };
    let len = ctx.keyspace.db(ctx.db).at(position).1.value.as_list()?.len();
    if let Some(count) = count {
        ctx.reply.array(count.min(len));
    }
    take(ctx, position, end, count.unwrap_or(1));
    Ok(())
}

/// Replies with up to `count` elements from an end of the list at `position` and takes them out; the key
/// goes with the last one. Returns how many there were.
pub(super) fn take(ctx: &mut Ctx<'_>, position: usize, end: End, count: usize) -> usize {
    let value = &mut ctx.keyspace.db_mut(ctx.db).at_mut(position).value;
    let list = value.as_list_mut().expect("the caller has made sure that it is a list");
    let count = count.min(list.len());
    match end {
        End::Front => list.iter().take(count).for_each(|item| reply_item(ctx.reply, item)),
        End::Back => list.iter().rev().take(count).for_each(|item| reply_item(ctx.reply, item)),
    }
    list.drop(end, count);
    ctx.effects.dirty += count as u64;
    ctx.drop_if_empty(position);
    count
}

/// Replies with the text of an element.
pub(super) fn reply_item(reply: &mut dyn core_types::Reply, item: Item<'_>) {
    reply.bulk(item.as_bytes(&mut Digits::default()));
}

pub(crate) fn llen(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let len = match ctx.read(&args[1]) {
        Some(position) => ctx.keyspace.db(ctx.db).at(position).1.value.as_list()?.len(),
        None => 0,
    };
    ctx.reply.integer(len as i64);
    Ok(())
}

/// The place `index` means in a list: negative numbers count from the end, -1 being the last element.
fn place(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index + len as i64 } else { index };
    usize::try_from(index).ok().filter(|index| *index < len)
}

/// The elements from `start` to `end`, both included, as the first one and how many.
pub(super) fn span(start: i64, end: i64, len: usize) -> (usize, usize) {
    let len = len as i64;
    let from_front = |index: i64| if index < 0 { index + len } else { index };
    let (start, end) = (from_front(start).max(0), from_front(end).min(len - 1));
    if start > end { (0, 0) } else { (start as usize, (end - start + 1) as usize) }
}

pub(crate) fn lrange(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (start, end) = (integer(args, 2)?, integer(args, 3)?);
    let Some(position) = ctx.read(&args[1]) else {
        ctx.reply.array(0);
        return Ok(());
    };
    let list = ctx.keyspace.db(ctx.db).at(position).1.value.as_list()?;
    let (start, count) = span(start, end, list.len());
    ctx.reply.array(count);
    list.iter_from(start).take(count).for_each(|item| reply_item(ctx.reply, item));
    Ok(())
}

pub(crate) fn lindex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let Some(position) = ctx.read(&args[1]) else {
        ctx.reply.null();
        return Ok(());
    };
    let list = ctx.keyspace.db(ctx.db).at(position).1.value.as_list()?;
    match place(integer(args, 2)?, list.len()).and_then(|index| list.get(index)) {
        Some(item) => reply_item(ctx.reply, item),
        None => ctx.reply.null(),
    }
    Ok(())
}

pub(crate) fn lset(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = ctx.write(&args[1]).ok_or(errors::NO_SUCH_KEY)?;
    let list = ctx.keyspace.db_mut(ctx.db).at_mut(position).value.as_list_mut()?;
    let index = place(integer(args, 2)?, list.len()).ok_or("ERR index out of range")?;
    list.set(index, &args[3]);
    ctx.changed();
    ctx.reply.simple("OK");
    Ok(())
}

pub(crate) fn linsert(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let behind = usize::from(args.is(2, "AFTER"));
    if behind == 0 && !args.is(2, "BEFORE") {
        return Err(errors::SYNTAX.into());
    }
    let Some(position) = ctx.write(&args[1]) else {
        ctx.reply.integer(0);
        return Ok(());
    };
    let list = ctx.keyspace.db_mut(ctx.db).at_mut(position).value.as_list_mut()?;
    let pivot = Item::new(&args[3]);
    let Some(index) = list.iter().position(|item| item == pivot) else {
        ctx.reply.integer(-1);
        return Ok(());
    };
    list.insert(index + behind, &args[4]);
    ctx.reply.integer(list.len() as i64);
    ctx.changed();
    Ok(())
}

pub(crate) fn lrem(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let count = integer(args, 2)?;
    let removed = match ctx.write(&args[1]) {
        None => 0,
        Some(position) => {
            let list = ctx.keyspace.db_mut(ctx.db).at_mut(position).value.as_list_mut()?;
            let from = if count < 0 { End::Back } else { End::Front };
            let limit = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
            let removed = list.remove_equal(&args[3], from, limit);
            ctx.drop_if_empty(position);
            removed
        }
    };
    ctx.effects.dirty += removed as u64;
    ctx.reply.integer(removed as i64);
    Ok(())
}

pub(crate) fn ltrim(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (start, end) = (integer(args, 2)?, integer(args, 3)?);
    if let Some(position) = ctx.write(&args[1]) {
        let list = ctx.keyspace.db_mut(ctx.db).at_mut(position).value.as_list_mut()?;
        let before = list.len();
        let (start, count) = span(start, end, before);
        list.trim(start, count);
        ctx.effects.dirty += (before - count) as u64;
        ctx.drop_if_empty(position);
    }
    ctx.reply.simple("OK");
    Ok(())
}

/// What `LPOS` looks for: which of the equal elements, how many of them, among how many.
struct Search {
    backward: bool,
    skip: usize,
    count: Option<usize>,
    most: usize,
}

impl Search {
    fn parse(args: Args<'_>) -> Result<Search, Refusal> {
        let mut search = Search { backward: false, skip: 0, count: None, most: usize::MAX };
        // Zero means no limit.
        let limit = |index, error: &'static str| -> Result<usize, Refusal> {
            let number = at_least(args, index, 0, error)?;
            Ok(if number == 0 { usize::MAX } else { number })
        };
        for index in (3..args.len()).step_by(2) {
            if index + 1 == args.len() {
                return Err(errors::SYNTAX.into());
            }
            if args.is(index, "RANK") {
                let rank = integer(args, index + 1)?;
                // The smallest number has no opposite; Redis then looks for the first match.
                let nth = rank.checked_abs().unwrap_or(1) as usize;
                (search.backward, search.skip) = (rank < 0, nth.checked_sub(1).ok_or(RANK_ZERO)?);
            } else if args.is(index, "COUNT") {
                search.count = Some(limit(index + 1, "ERR COUNT can't be negative")?);
            } else if args.is(index, "MAXLEN") {
                search.most = limit(index + 1, "ERR MAXLEN can't be negative")?;
            } else {
                return Err(errors::SYNTAX.into());
            }
        }
        Ok(search)
    }

    fn run(&self, list: &List, text: &[u8]) -> Vec<usize> {
        let wanted = Item::new(text);
        let matches = |walk: &mut dyn Iterator<Item = Item<'_>>| -> Vec<usize> {
            let equal = walk.take(self.most).enumerate().filter(|(_, item)| *item == wanted);
            equal.map(|(index, _)| index).skip(self.skip).take(self.count.unwrap_or(1)).collect()
        };
        if self.backward {
            let last = list.len().saturating_sub(1);
            matches(&mut list.iter().rev()).into_iter().map(|index| last - index).collect()
        } else {
            matches(&mut list.iter())
        }
    }
}

const RANK_ZERO: &str = "ERR RANK can't be zero: use 1 to start from the first match, \
    2 from the second ... or use negative to start from the end of the list";

pub(crate) fn lpos(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let search = Search::parse(args)?;
    let found = match ctx.read(&args[1]) {
        Some(position) => search.run(ctx.keyspace.db(ctx.db).at(position).1.value.as_list()?, &args[2]),
        None => Vec::new(),
    };
    if search.count.is_some() {
        ctx.reply.array(found.len());
    } else if found.is_empty() {
        ctx.reply.null();
    }
    found.iter().for_each(|index| ctx.reply.integer(*index as i64));
    Ok(())
}
