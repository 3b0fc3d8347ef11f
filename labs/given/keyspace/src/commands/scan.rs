use std::ops::Range;

use core_types::{Args, ExpiredKey};

use super::{Ctx, integer};
use crate::context::{Outcome, Refusal};
use crate::errors;
use crate::glob::matches;
use crate::number::parse_cursor;
use crate::value::Digits;

pub(crate) fn keys(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let pattern = &args[1];
    let db = ctx.keyspace.db(ctx.db);
    // The reply begins with the number of keys, so they are counted first. Expired keys are left out
    // but not deleted: this command only reads.
    let positions: Vec<usize> = (0..db.len())
        .filter(|&position| !ctx.is_gone(ctx.db, position) && matches(pattern, db.at(position).0))
        .collect();
    ctx.reply.array(positions.len());
    for position in positions {
        ctx.reply.bulk(db.at(position).0);
    }
    Ok(())
}

/// What every command of the `SCAN` family may be told.
pub(super) struct ScanOptions<'a> {
    count: usize,
    pattern: Option<&'a [u8]>,
    type_name: Option<&'a [u8]>,
}

impl<'a> ScanOptions<'a> {
    /// The options from argument `first` on. Only a scan of `keys` can ask for a type.
    pub(super) fn parse(args: Args<'a>, first: usize, keys: bool) -> Result<ScanOptions<'a>, Refusal> {
        let mut options = ScanOptions { count: 10, pattern: None, type_name: None };
        let mut index = first;
        while index < args.len() {
            let Some(value) = args.get(index + 1) else { return Err(errors::SYNTAX.into()) };
            if args.is(index, "COUNT") {
                let count = integer(args, index + 1)?;
                options.count =
                    usize::try_from(count).ok().filter(|&count| count > 0).ok_or(errors::SYNTAX)?;
            } else if args.is(index, "MATCH") {
                options.pattern = Some(value);
            } else if keys && args.is(index, "TYPE") {
                options.type_name = Some(value);
            } else {
                return Err(errors::SYNTAX.into());
            }
            index += 2;
        }
        Ok(options)
    }

    /// True if `text` is to be shown.
    pub(super) fn shows(&self, text: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| matches(pattern, text))
    }

    /// The positions at which this step of the scan looks, to be walked downward (see
    /// [`Db`](crate::Db) for why), among `len`. Where they begin is the next cursor.
    pub(super) fn positions(&self, cursor: u64, len: usize) -> Range<usize> {
        let top = match usize::try_from(cursor) {
            Ok(0) | Err(_) => len,
            Ok(cursor) => cursor.min(len),
        };
        top.saturating_sub(self.count)..top
    }
}

/// The cursor that argument `index` is.
pub(super) fn cursor(args: Args<'_>, index: usize) -> Result<u64, Refusal> {
    parse_cursor(&args[index]).ok_or_else(|| "ERR invalid cursor".into())
}

/// The reply of a scan of a key that is not there.
pub(super) fn reply_nothing(ctx: &mut Ctx<'_>) {
    ctx.reply.array(2);
    ctx.reply.bulk(b"0");
    ctx.reply.array(0);
}

pub(crate) fn scan(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let cursor = cursor(args, 1)?;
    let options = ScanOptions::parse(args, 2, true)?;
    let (next, shown) = walk(ctx, cursor, &options);
    ctx.reply.array(2);
    ctx.reply.bulk(Digits::default().write(next));
    ctx.reply.array(shown.len());
    for key in shown {
        ctx.reply.bulk(&key);
    }
    Ok(())
}

/// One step of a scan; see [`Db`](crate::Db) for why downward. Returns the next cursor and the keys to show.
fn walk(ctx: &mut Ctx<'_>, cursor: u64, options: &ScanOptions<'_>) -> (u64, Vec<Box<[u8]>>) {
    let db = ctx.keyspace.db(ctx.db);
    let positions = options.positions(cursor, db.len());
    let bottom = positions.start;
    let mut shown = Vec::new();
    let mut dead: Vec<Box<[u8]>> = Vec::new();
    for position in positions.rev() {
        let (key, entry) = db.at(position);
        if !options.shows(key) {
            continue;
        }
        let type_name = entry.value.type_name().as_bytes();
        if ctx.is_gone(ctx.db, position) {
            dead.push(key.into());
        } else if options.type_name.is_none_or(|name| name.eq_ignore_ascii_case(type_name)) {
            shown.push(key.into());
        }
    }
    if ctx.expired == ExpiredKey::Delete {
        dead.iter().for_each(|key| ctx.expire(ctx.db, key));
    }
    (bottom as u64, shown)
}

pub(crate) fn randomkey(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    loop {
        let len = ctx.keyspace.len(ctx.db);
        if len == 0 {
            ctx.reply.null();
            return Ok(());
        }
        let start = ctx.keyspace.rng.below(len as u64) as usize;
        if ctx.expired == ExpiredKey::Delete && ctx.is_gone(ctx.db, start) {
            let key: Box<[u8]> = ctx.keyspace.db(ctx.db).at(start).0.into();
            ctx.expire(ctx.db, &key);
            continue;
        }
        // A replica must not delete, and its database may hold nothing but expired keys: walk on from
        // the place that was drawn, once around.
        let alive = (start..len).chain(0..start).find(|&position| !ctx.is_gone(ctx.db, position));
        match alive {
            Some(position) => ctx.reply.bulk(ctx.keyspace.db(ctx.db).at(position).0),
            None => ctx.reply.null(),
        }
        return Ok(());
    }
}
