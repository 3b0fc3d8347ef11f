use core_types::{Args, ArgsBuf};

use super::scan::{self, ScanOptions};
use super::{Ctx, NOT_POSITIVE, at_least, draw, within};
use crate::context::{Outcome, Refusal};
use crate::errors;
use crate::value::{Digits, Value};
use crate::{Item, Keyspace, Set};

/// The set at a position that was just found.
fn found(keyspace: &Keyspace, db: usize, position: Option<usize>) -> Result<Option<&Set>, Refusal> {
    Ok(position.map(|position| keyspace.db(db).at(position).1.value.as_set()).transpose()?)
}

fn reply_item(ctx: &mut Ctx<'_>, item: Item<'_>) {
    ctx.reply.bulk(item.as_bytes(&mut Digits::default()));
}

/// Deletes `key`, which lies at `position`, if nothing is left in its set.
fn drop_empty(ctx: &mut Ctx<'_>, key: &[u8], position: usize) {
    let db = ctx.keyspace.db_mut(ctx.db);
    if db.at(position).1.value.as_set().is_ok_and(Set::is_empty) {
        db.remove(key);
    }
}

/// Adds members to a set, which comes into being if it must. Returns how many were new.
fn add<'m>(ctx: &mut Ctx<'_>, key: &[u8], members: impl Iterator<Item = &'m [u8]>) -> Result<usize, Refusal> {
    let position = match ctx.write(key) {
        Some(position) => position,
        None => ctx.keyspace.db_mut(ctx.db).insert(key, Value::Set(Set::new()), ctx.now),
    };
    let (compact, seed) = (ctx.keyspace.compact, ctx.keyspace.hash_seed);
    let set = ctx.keyspace.db_mut(ctx.db).at_mut(position).value.as_set_mut()?;
    Ok(members.filter(|member| set.add(member, &compact, seed)).count())
}

pub(crate) fn sadd(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let added = add(ctx, &args[1], args.from(2).iter())?;
    ctx.effects.dirty += added as u64;
    ctx.reply.integer(added as i64);
    Ok(())
}

pub(crate) fn srem(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut removed = 0;
    if let Some(position) = ctx.write(&args[1]) {
        let set = ctx.keyspace.db_mut(ctx.db).at_mut(position).value.as_set_mut()?;
        removed = args.from(2).iter().filter(|member| set.remove(member)).count();
        drop_empty(ctx, &args[1], position);
    }
    ctx.effects.dirty += removed as u64;
    ctx.reply.integer(removed as i64);
    Ok(())
}

pub(crate) fn scard(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = ctx.read(&args[1]);
    let set = found(ctx.keyspace, ctx.db, position)?;
    ctx.reply.integer(set.map_or(0, Set::len) as i64);
    Ok(())
}

pub(crate) fn sismember(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = ctx.read(&args[1]);
    let set = found(ctx.keyspace, ctx.db, position)?;
    ctx.reply.integer(i64::from(set.is_some_and(|set| set.contains(&args[2]))));
    Ok(())
}

pub(crate) fn smismember(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = ctx.read(&args[1]);
    let set = found(ctx.keyspace, ctx.db, position)?;
    ctx.reply.array(args.len() - 2);
    for member in args.from(2).iter() {
        ctx.reply.integer(i64::from(set.is_some_and(|set| set.contains(member))));
    }
    Ok(())
}

pub(crate) fn smembers(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let position = ctx.read(&args[1]);
    let set = found(ctx.keyspace, ctx.db, position)?;
    ctx.reply.set(set.map_or(0, Set::len));
    let mut digits = Digits::default();
    for member in set.into_iter().flat_map(Set::iter) {
        ctx.reply.bulk(member.as_bytes(&mut digits));
    }
    Ok(())
}

pub(crate) fn smove(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (from, to, member) = (&args[1], &args[2], &args[3]);
    let source = ctx.write(from);
    let target = ctx.write(to);
    // The second lookup may have deleted an expired key, and moved the first one by that.
    let source = if source.is_some() { ctx.find_in(ctx.db, from) } else { None };
    let Some(source) = source else {
        ctx.reply.integer(0);
        return Ok(());
    };
    found(ctx.keyspace, ctx.db, target)?;
    let set = ctx.keyspace.db_mut(ctx.db).at_mut(source).value.as_set_mut()?;
    if from == to || !set.contains(member) {
        ctx.reply.integer(i64::from(set.contains(member)));
        return Ok(());
    }
    set.remove(member);
    drop_empty(ctx, from, source);
    let added = add(ctx, to, std::iter::once(member))?;
    ctx.effects.dirty += 1 + added as u64;
    ctx.reply.integer(1);
    Ok(())
}

pub(crate) fn spop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    match args.len() {
        2 => pop_one(ctx, args),
        3 => pop_many(ctx, args),
        _ => Err(errors::SYNTAX.into()),
    }
}

fn pop_one(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = &args[1];
    let Some(position) = ctx.write(key) else {
        ctx.reply.null();
        return Ok(());
    };
    let keyspace = &mut *ctx.keyspace;
    let len = found(keyspace, ctx.db, Some(position))?.map_or(0, Set::len);
    let index = draw::one(&mut keyspace.rng, len);
    let member = keyspace.db_mut(ctx.db).at_mut(position).value.as_set_mut()?.take(index);
    drop_empty(ctx, key, position);
    ctx.changed();
    ctx.reply.bulk(&member);
    ctx.effects.tell([b"SREM", key, &member]);
    Ok(())
}

fn pop_many(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = &args[1];
    let count = at_least(args, 2, 0, NOT_POSITIVE)?;
    let position = ctx.write(key);
    let len = found(ctx.keyspace, ctx.db, position)?.map_or(0, Set::len);
    let Some(position) = position.filter(|_| count > 0) else {
        ctx.reply.set(0);
        return Ok(());
    };
    let count = count.min(len);
    ctx.reply.set(count);
    ctx.effects.dirty += count as u64;
    if count == len {
        let entry = ctx.keyspace.db_mut(ctx.db).remove(key).expect("the key has just been found");
        entry.value.as_set()?.iter().for_each(|member| reply_item(ctx, member));
        ctx.effects.tell([b"DEL", key]);
        return Ok(());
    }
    let mut told = Vec::with_capacity(count);
    for left in (len - count + 1..=len).rev() {
        let keyspace = &mut *ctx.keyspace;
        let index = draw::one(&mut keyspace.rng, left);
        let member = keyspace.db_mut(ctx.db).at_mut(position).value.as_set_mut()?.take(index);
        ctx.reply.bulk(&member);
        told.push(ArgsBuf::from_parts([b"SREM", key, &member]));
    }
    ctx.effects.instead = Some(told);
    Ok(())
}

pub(crate) fn srandmember(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    match args.len() {
        2 => {}
        3 => return random_members(ctx, args),
        _ => return Err(errors::SYNTAX.into()),
    }
    let position = ctx.read(&args[1]);
    let mut rng = ctx.keyspace.rng.clone();
    match found(ctx.keyspace, ctx.db, position)? {
        Some(set) => {
            let member = set.at(draw::one(&mut rng, set.len()));
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
    let position = ctx.read(&args[1]);
    let mut rng = ctx.keyspace.rng.clone();
    let mut digits = Digits::default();
    let Some(set) = found(ctx.keyspace, ctx.db, position)?.filter(|_| count != 0) else {
        ctx.reply.array(0);
        return Ok(());
    };
    let (len, wanted) = (set.len(), count.unsigned_abs() as usize);
    if count < 0 {
        ctx.reply.array(wanted);
        for _ in 0..wanted {
            ctx.reply.bulk(set.at(draw::one(&mut rng, len)).as_bytes(&mut digits));
        }
    } else if wanted >= len {
        ctx.reply.array(len);
        set.iter().for_each(|member| ctx.reply.bulk(member.as_bytes(&mut digits)));
    } else {
        ctx.reply.array(wanted);
        for index in draw::different(&mut rng, len, wanted) {
            ctx.reply.bulk(set.at(index).as_bytes(&mut digits));
        }
    }
    ctx.keyspace.rng = rng;
    Ok(())
}

pub(crate) fn sscan(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let cursor = scan::cursor(args, 2)?;
    let position = ctx.read(&args[1]);
    let Some(set) = found(ctx.keyspace, ctx.db, position)? else {
        scan::reply_nothing(ctx);
        return Ok(());
    };
    let options = ScanOptions::parse(args, 3, false)?;
    // A small set comes at once: it could not keep its order from one step to the next.
    let positions = match set {
        Set::Ints(_) => 0..set.len(),
        Set::Members(_) => options.positions(cursor, set.len()),
    };
    let next = positions.start;
    let shown: Vec<Item<'_>> = positions
        .rev()
        .map(|index| set.at(index))
        .filter(|member| options.shows(member.as_bytes(&mut Digits::default())))
        .collect();
    let mut digits = Digits::default();
    ctx.reply.array(2);
    ctx.reply.bulk(digits.write(next));
    ctx.reply.array(shown.len());
    shown.iter().for_each(|member| ctx.reply.bulk(member.as_bytes(&mut digits)));
    Ok(())
}
