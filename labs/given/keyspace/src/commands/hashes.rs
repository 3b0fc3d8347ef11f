use core_types::{Args, Protocol};

use super::lists::reply_item;
use super::scan::{self, ScanOptions};
use super::{Ctx, draw, integer, within};
use crate::context::{Outcome, Refusal};
use crate::errors;
use crate::extended::Extended;
use crate::hash::Hash;
use crate::packed::Item;
use crate::value::{Digits, Value};
use crate::{Keyspace, WrongType};

/// The hash at `position`, if there is anything.
fn found(keyspace: &Keyspace, db: usize, position: Option<usize>) -> Result<Option<&Hash>, WrongType> {
    position.map(|position| keyspace.db(db).at(position).1.value.as_hash()).transpose()
}

/// Looks for the hash of a command that changes it, and checks that it is one.
fn find(ctx: &mut Ctx<'_>, key: &[u8]) -> Result<Option<usize>, Refusal> {
    let position = ctx.write(key);
    found(ctx.keyspace, ctx.db, position)?;
    Ok(position)
}

/// Gives a field of the hash at `position`, or of a new one, a value. True if the field is new.
fn put(ctx: &mut Ctx<'_>, key: &[u8], position: Option<usize>, field: &[u8], value: &[u8]) -> bool {
    put_all(ctx, key, position, std::iter::once((field, value))) == 1
}

/// As [`put`], for many fields. Returns how many are new.
fn put_all<'k>(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    position: Option<usize>,
    pairs: impl Iterator<Item = (&'k [u8], &'k [u8])>,
) -> usize {
    let (bounds, seed) = (ctx.keyspace.compact, ctx.keyspace.hash_seed);
    let db = ctx.keyspace.db_mut(ctx.db);
    let position = match position {
        Some(position) => position,
        None => db.insert(key, Value::Hash(Hash::new()), ctx.now),
    };
    let hash = db.at_mut(position).value.as_hash_mut().expect("it was checked when it was found");
    let mut new = 0;
    for (field, value) in pairs {
        new += usize::from(hash.set(field, value, &bounds, seed));
        ctx.effects.dirty += 1;
    }
    new
}

pub(crate) fn hset(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let new = set_fields(ctx, args, "hset")?;
    ctx.reply.integer(new as i64);
    Ok(())
}

pub(crate) fn hmset(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    set_fields(ctx, args, "hmset")?;
    ctx.reply.simple("OK");
    Ok(())
}

fn set_fields(ctx: &mut Ctx<'_>, args: Args<'_>, command: &str) -> Result<usize, Refusal> {
    if !args.len().is_multiple_of(2) {
        return Err(errors::arity(command).into());
    }
    let position = find(ctx, &args[1])?;
    let mut words = args.from(2).iter();
    let pairs = std::iter::from_fn(|| Some((words.next()?, words.next()?)));
    Ok(put_all(ctx, &args[1], position, pairs))
}

pub(crate) fn hsetnx(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = find(ctx, &args[1])?;
    let taken = found(ctx.keyspace, ctx.db, position)?.is_some_and(|hash| hash.contains(&args[2]));
    if !taken {
        put(ctx, &args[1], position, &args[2], &args[3]);
    }
    ctx.reply.integer(i64::from(!taken));
    Ok(())
}

fn reply_value(ctx: &mut Ctx<'_>, position: Option<usize>, field: &[u8]) -> Outcome {
    match found(ctx.keyspace, ctx.db, position)?.and_then(|hash| hash.get(field)) {
        Some(value) => reply_item(ctx.reply, value),
        None => ctx.reply.null(),
    }
    Ok(())
}

pub(crate) fn hget(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = ctx.read(&args[1]);
    reply_value(ctx, position, &args[2])
}

pub(crate) fn hmget(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = ctx.read(&args[1]);
    found(ctx.keyspace, ctx.db, position)?;
    ctx.reply.array(args.len() - 2);
    args.from(2).iter().try_for_each(|field| reply_value(ctx, position, field))
}

pub(crate) fn hgetall(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = ctx.read(&args[1]);
    let hash = found(ctx.keyspace, ctx.db, position)?;
    ctx.reply.map(hash.map_or(0, Hash::len));
    for (field, value) in hash.into_iter().flat_map(Hash::iter) {
        reply_item(ctx.reply, field);
        reply_item(ctx.reply, value);
    }
    Ok(())
}

pub(crate) fn hkeys(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_each(ctx, args, |(field, _)| field)
}

pub(crate) fn hvals(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_each(ctx, args, |(_, value)| value)
}

type Half = for<'a> fn((Item<'a>, Item<'a>)) -> Item<'a>;

fn reply_each(ctx: &mut Ctx<'_>, args: Args<'_>, which: Half) -> Outcome {
    let position = ctx.read(&args[1]);
    let hash = found(ctx.keyspace, ctx.db, position)?;
    ctx.reply.array(hash.map_or(0, Hash::len));
    hash.into_iter().flat_map(Hash::iter).for_each(|pair| reply_item(ctx.reply, which(pair)));
    Ok(())
}

pub(crate) fn hdel(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut removed = 0;
    if let Some(position) = find(ctx, &args[1])? {
        let hash = ctx.keyspace.db_mut(ctx.db).at_mut(position).value.as_hash_mut()?;
        removed = args.from(2).iter().filter(|field| hash.remove(field)).count();
        ctx.drop_if_empty(position);
    }
    ctx.effects.dirty += removed as u64;
    ctx.reply.integer(removed as i64);
    Ok(())
}

pub(crate) fn hexists(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = ctx.read(&args[1]);
    let exists = found(ctx.keyspace, ctx.db, position)?.is_some_and(|hash| hash.contains(&args[2]));
    ctx.reply.integer(i64::from(exists));
    Ok(())
}

pub(crate) fn hlen(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = ctx.read(&args[1]);
    ctx.reply.integer(found(ctx.keyspace, ctx.db, position)?.map_or(0, Hash::len) as i64);
    Ok(())
}

pub(crate) fn hstrlen(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = ctx.read(&args[1]);
    let value = found(ctx.keyspace, ctx.db, position)?.and_then(|hash| hash.get(&args[2]));
    ctx.reply.integer(value.map_or(0, |value| value.text_len()) as i64);
    Ok(())
}

pub(crate) fn hincrby(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let by = integer(args, 3)?;
    let position = find(ctx, &args[1])?;
    let before = match found(ctx.keyspace, ctx.db, position)?.and_then(|hash| hash.get(&args[2])) {
        Some(value) => match Item::new(value.as_bytes(&mut Digits::default())) {
            Item::Int(number) => number,
            Item::Bytes(_) => return Err("ERR hash value is not an integer".into()),
        },
        None => 0,
    };
    let sum = before.checked_add(by).ok_or("ERR increment or decrement would overflow")?;
    put(ctx, &args[1], position, &args[2], Digits::default().write(sum));
    ctx.reply.integer(sum);
    Ok(())
}

pub(crate) fn hincrbyfloat(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let by = Extended::parse(&args[3]).ok_or(errors::NOT_A_FLOAT)?;
    if by == Extended::Infinite {
        return Err("ERR value is NaN or Infinity".into());
    }
    let position = find(ctx, &args[1])?;
    let before = match found(ctx.keyspace, ctx.db, position)?.and_then(|hash| hash.get(&args[2])) {
        Some(value) => {
            let value = Extended::parse(value.as_bytes(&mut Digits::default()));
            value.ok_or("ERR hash value is not a float")?
        }
        None => Extended::ZERO,
    };
    let sum = before.add(by).ok_or("ERR increment would produce NaN or Infinity")?.to_text();
    put(ctx, &args[1], position, &args[2], sum.as_bytes());
    ctx.reply.bulk(sum.as_bytes());
    // The result, not the sum to be done again: a replica's processor may round otherwise.
    ctx.effects.tell([b"HSET", &args[1], &args[2], sum.as_bytes()]);
    Ok(())
}

pub(crate) fn hrandfield(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() > 2 {
        return random_fields(ctx, args);
    }
    let position = ctx.read(&args[1]);
    let mut rng = ctx.keyspace.rng.clone();
    match found(ctx.keyspace, ctx.db, position)? {
        Some(hash) => {
            reply_item(ctx.reply, hash.at(draw::one(&mut rng, hash.len())).0);
            ctx.keyspace.rng = rng;
        }
        None => ctx.reply.null(),
    }
    Ok(())
}

/// A count above zero asks for so many different fields, one below zero for so many draws.
fn random_fields(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let count = within(args, 2, -i64::MAX, i64::MAX)?;
    let values = args.len() == 4 && args.is(3, "WITHVALUES");
    if args.len() > 3 && !values {
        return Err(errors::SYNTAX.into());
    }
    if values && !(-i64::MAX / 2..=i64::MAX / 2).contains(&count) {
        return Err("ERR value is out of range".into());
    }
    let position = ctx.read(&args[1]);
    let mut rng = ctx.keyspace.rng.clone();
    let Some(hash) = found(ctx.keyspace, ctx.db, position)?.filter(|_| count != 0) else {
        ctx.reply.array(0);
        return Ok(());
    };
    // RESP2 has the values between the fields, RESP3 has pairs.
    let nested = values && ctx.protocol == Protocol::Resp3;
    let wanted = count.unsigned_abs() as usize;
    let shown = if count < 0 { wanted } else { wanted.min(hash.len()) };
    ctx.reply.array(if values && !nested { 2 * shown } else { shown });
    let mut show = |(field, value): (Item<'_>, Item<'_>)| {
        if nested {
            ctx.reply.array(2);
        }
        reply_item(ctx.reply, field);
        if values {
            reply_item(ctx.reply, value);
        }
    };
    if count < 0 {
        (0..wanted).for_each(|_| show(hash.at(draw::one(&mut rng, hash.len()))));
    } else if wanted >= hash.len() {
        hash.iter().for_each(show);
    } else {
        draw::different(&mut rng, hash.len(), wanted).into_iter().for_each(|index| show(hash.at(index)));
    }
    ctx.keyspace.rng = rng;
    Ok(())
}

pub(crate) fn hscan(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let cursor = scan::cursor(args, 2)?;
    let position = ctx.read(&args[1]);
    let Some(hash) = found(ctx.keyspace, ctx.db, position)? else {
        scan::reply_nothing(ctx);
        return Ok(());
    };
    let options = ScanOptions::parse(args, 3, false)?;
    let shows = |(field, _): &(Item<'_>, Item<'_>)| options.shows(field.as_bytes(&mut Digits::default()));
    // A short hash comes at once: it could not keep its order when it becomes a table.
    let (next, shown): (usize, Vec<_>) = match hash {
        Hash::Packed(_) => (0, hash.iter().filter(shows).collect()),
        Hash::Table(_) => {
            let positions = options.positions(cursor, hash.len());
            (positions.start, positions.rev().map(|index| hash.at(index)).filter(shows).collect())
        }
    };
    ctx.reply.array(2);
    ctx.reply.bulk(Digits::default().write(next));
    ctx.reply.array(2 * shown.len());
    for (field, value) in shown {
        reply_item(ctx.reply, field);
        reply_item(ctx.reply, value);
    }
    Ok(())
}
