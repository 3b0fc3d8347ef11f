//! Strings as rows of bits. Bit 0 is the highest bit of the first byte.

use core_types::Args;

use super::strings::MAX_LENGTH;
use super::{Ctx, integer, store};
use crate::context::{Outcome, Refusal};
use crate::errors;
use crate::value::{Digits, Str, Value};

const NOT_AN_OFFSET: &str = "ERR bit offset is not an integer or out of range";

/// Argument `index` as the number of a bit: its byte, and its place in there as a mask.
fn offset(args: Args<'_>, index: usize) -> Result<(usize, u8), Refusal> {
    let offset = integer(args, index).map_err(|_| NOT_AN_OFFSET)?;
    if offset < 0 || offset >> 3 >= MAX_LENGTH {
        return Err(NOT_AN_OFFSET.into());
    }
    Ok(((offset >> 3) as usize, 0x80 >> (offset & 7)))
}

pub(crate) fn setbit(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    const NOT_A_BIT: &str = "ERR bit is not an integer or out of range";
    let (byte, mask) = offset(args, 2)?;
    let on = match integer(args, 3).map_err(|_| NOT_A_BIT)? {
        bit @ 0..=1 => bit == 1,
        _ => return Err(NOT_A_BIT.into()),
    };
    let found = ctx.write(&args[1]);
    let db = ctx.keyspace.db_mut(ctx.db);
    let position = match found {
        Some(position) => position,
        None => db.insert(&args[1], Value::String(Str::Bytes(Vec::new())), ctx.now),
    };
    let entry = db.at_mut(position);
    let bytes = entry.value.as_string_mut()?.make_bytes();
    let longer = byte >= bytes.len();
    if longer {
        bytes.resize(byte + 1, 0);
    }
    let before = bytes[byte] & mask != 0;
    bytes[byte] = if on { bytes[byte] | mask } else { bytes[byte] & !mask };
    entry.edited = true;
    if longer || before != on {
        ctx.changed();
    }
    ctx.reply.integer(i64::from(before));
    Ok(())
}

pub(crate) fn getbit(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (byte, mask) = offset(args, 2)?;
    let mut bit = false;
    if let Some(position) = ctx.read(&args[1]) {
        let string = ctx.keyspace.db(ctx.db).at(position).1.value.as_string()?;
        bit = string.as_bytes(&mut Digits::default()).get(byte).is_some_and(|byte| byte & mask != 0);
    }
    ctx.reply.integer(i64::from(bit));
    Ok(())
}

/// The bits from one to another, both included; negative numbers count from the end.
#[derive(Clone, Copy)]
struct Bits {
    first: i64,
    last: i64,
}

impl Bits {
    /// What the arguments from `first` on say about a string of `length` bytes.
    fn parse(args: Args<'_>, first: usize, length: usize) -> Result<Bits, Refusal> {
        let start = if args.len() > first { integer(args, first)? } else { 0 };
        let in_bits = match args.len() > first + 2 {
            true if args.is(first + 2, "BIT") => true,
            true if args.is(first + 2, "BYTE") => false,
            true => return Err(errors::SYNTAX.into()),
            false => false,
        };
        let end = if args.len() > first + 1 { integer(args, first + 1)? } else { -1 };
        let unit = if in_bits { 1 } else { 8 };
        let total = length as i64 * 8 / unit;
        let from_front = |index: i64| if index < 0 { index.saturating_add(total).max(0) } else { index };
        let (start, end) = (from_front(start), from_front(end).min(total - 1));
        if start > end {
            return Ok(Bits { first: 0, last: -1 });
        }
        Ok(Bits { first: start * unit, last: end * unit + unit - 1 })
    }

    /// The bytes that hold these bits, all other bits `filled` with the given value.
    fn bytes(self, text: &[u8], filled: bool) -> impl Iterator<Item = u8> + '_ {
        let (first, last) = ((self.first >> 3) as usize, (self.last >> 3) as usize);
        let count = if self.first > self.last { 0 } else { last - first + 1 };
        let head = 0xffu8 >> (self.first & 7);
        let tail = 0xffu8 << (7 - (self.last & 7));
        let fill = if filled { 0xff } else { 0 };
        text.iter().skip(first).take(count).enumerate().map(move |(index, byte)| {
            let mask = if index == 0 { head } else { 0xff } & if index + 1 == count { tail } else { 0xff };
            byte & mask | fill & !mask
        })
    }
}

pub(crate) fn bitcount(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let Some(position) = ctx.read(&args[1]) else {
        ctx.reply.integer(0);
        return Ok(());
    };
    let string = ctx.keyspace.db(ctx.db).at(position).1.value.as_string()?;
    let mut digits = Digits::default();
    let text = string.as_bytes(&mut digits);
    if args.len() == 3 || args.len() > 5 {
        return Err(errors::SYNTAX.into());
    }
    if args.len() > 3 {
        let (start, end) = (integer(args, 2)?, integer(args, 3)?);
        // Whatever the unit is called.
        if start < 0 && end < 0 && start > end {
            ctx.reply.integer(0);
            return Ok(());
        }
    }
    let bits = Bits::parse(args, 2, text.len())?;
    ctx.reply.integer(bits.bytes(text, false).map(|byte| i64::from(byte.count_ones())).sum());
    Ok(())
}

pub(crate) fn bitpos(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let wanted = match integer(args, 2)? {
        bit @ 0..=1 => bit == 1,
        _ => return Err("ERR The bit argument must be 1 or 0.".into()),
    };
    let Some(position) = ctx.read(&args[1]) else {
        // A key that is not there is an endless row of zeros.
        ctx.reply.integer(if wanted { -1 } else { 0 });
        return Ok(());
    };
    let string = ctx.keyspace.db(ctx.db).at(position).1.value.as_string()?;
    let mut digits = Digits::default();
    let text = string.as_bytes(&mut digits);
    if args.len() > 6 {
        return Err(errors::SYNTAX.into());
    }
    let bits = Bits::parse(args, 3, text.len())?;
    // Bits outside the range never match.
    let found = bits
        .bytes(text, !wanted)
        .map(|byte| if wanted { byte.leading_zeros() } else { byte.leading_ones() })
        .enumerate()
        .find(|(_, skipped)| *skipped < 8)
        .map(|(index, skipped)| (bits.first >> 3 << 3) + index as i64 * 8 + i64::from(skipped));
    ctx.reply.integer(match found {
        Some(bit) => bit,
        // Without an end the string counts as followed by zeros, unless there is nothing to look at.
        None if !wanted && args.len() < 5 && bits.first <= bits.last => text.len() as i64 * 8,
        None => -1,
    });
    Ok(())
}

pub(crate) fn bitop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let operation: fn(u8, u8) -> u8 = match () {
        () if args.is(1, "AND") => |a, b| a & b,
        () if args.is(1, "OR") => |a, b| a | b,
        () if args.is(1, "XOR") => |a, b| a ^ b,
        () if args.is(1, "NOT") => |a, _| !a,
        () => return Err(errors::SYNTAX.into()),
    };
    if args.is(1, "NOT") && args.len() != 4 {
        return Err("ERR BITOP NOT must be called with a single source key.".into());
    }
    let mut texts = Vec::with_capacity(args.len() - 3);
    for key in args.from(3).iter() {
        texts.push(match ctx.read(key) {
            Some(position) => ctx.keyspace.db(ctx.db).at(position).1.value.as_string()?.to_vec(),
            None => Vec::new(),
        });
    }
    // Shorter strings count as followed by zeros.
    let length = texts.iter().map(Vec::len).max().unwrap_or(0);
    let mut texts = texts.into_iter();
    let mut result = texts.next().unwrap_or_default();
    result.resize(length, 0);
    if args.is(1, "NOT") {
        result.iter_mut().for_each(|byte| *byte = operation(*byte, 0));
    }
    for text in texts {
        let other = text.iter().copied().chain(std::iter::repeat(0));
        result.iter_mut().zip(other).for_each(|(byte, other)| *byte = operation(*byte, other));
    }
    if store(ctx, &args[2], (length > 0).then_some(Value::String(Str::Bytes(result)))) {
        if let Some(position) = ctx.keyspace.db(ctx.db).find(&args[2]) {
            ctx.keyspace.db_mut(ctx.db).at_mut(position).edited = true;
        }
        ctx.changed();
    }
    ctx.reply.integer(length as i64);
    Ok(())
}
