use super::input::Input;
use super::{RdbErrorKind, kind, listpack, ziplist};
use crate::list::End;
use crate::packed::Item;
use crate::score::parse_score;
use crate::value::Digits;
use crate::{Compact, Hash, Keyspace, List, Set, Str, Value, Zset};

/// A value of which not everything has arrived.
///
/// The simple forms are a number and then as many strings; each string is taken into the value as soon as
/// it is there. The compact forms are strings that hold a whole value, or a node of a list.
pub(super) struct Build {
    kind: u8,
    /// How many strings or nodes are still to come; `None` while not even that is known.
    left: Option<u64>,
    value: Value,
    /// For pairs: the first of the two.
    first: Option<Str>,
    /// For a list of listpacks: whether the node that follows is a single element as it is.
    plain: Option<bool>,
}

/// What a value is built with.
#[derive(Clone, Copy)]
pub(super) struct Means {
    pub(super) bounds: Compact,
    pub(super) seed: u64,
}

impl Means {
    pub(super) fn of(keyspace: &Keyspace) -> Means {
        Means { bounds: keyspace.compact, seed: keyspace.hash_seed }
    }
}

/// A node that is one element, and one that is a listpack (`QUICKLIST_NODE_CONTAINER_PLAIN`, `_PACKED`).
const PLAIN: u64 = 1;
const PACKED: u64 = 2;

impl Build {
    /// Begins a value of the given type; `None` if the type is not known here.
    pub(super) fn new(kind: u8, means: &Means) -> Option<Build> {
        let value = match kind {
            kind::STRING => Value::String(Str::Int(0)),
            kind::LIST | kind::LIST_ZIPLIST | kind::QUICKLIST | kind::QUICKLIST2 => {
                Value::List(Box::new(List::new(means.bounds.list_node)))
            }
            kind::HASH | kind::HASH_ZIPMAP | kind::HASH_ZIPLIST | kind::HASH_LISTPACK => {
                Value::Hash(Hash::new())
            }
            kind::SET | kind::SET_INTSET | kind::SET_LISTPACK => Value::Set(Set::new()),
            kind::ZSET | kind::ZSET_2 => Value::Zset(Zset::new_large(means.seed)),
            kind::ZSET_ZIPLIST | kind::ZSET_LISTPACK => Value::Zset(Zset::new()),
            _ => return None,
        };
        Some(Build { kind, left: None, value, first: None, plain: None })
    }

    /// Takes what has arrived. The value, if it is complete; it may be a collection without elements,
    /// which nobody should have written.
    pub(super) fn step(&mut self, input: &mut Input, means: &Means) -> Result<Option<Value>, RdbErrorKind> {
        match self.kind {
            kind::STRING => return Ok(input.string()?.map(Value::String)),
            kind::LIST
            | kind::SET
            | kind::ZSET
            | kind::HASH
            | kind::ZSET_2
            | kind::QUICKLIST
            | kind::QUICKLIST2 => {
                let left = match self.left {
                    Some(left) => left,
                    None => match input.length()? {
                        Some(left) => left,
                        None => return Ok(None),
                    },
                };
                self.left = Some(left);
            }
            // Everything in one string.
            _ => self.left = Some(self.left.unwrap_or(1)),
        }
        while self.left != Some(0) {
            if self.kind == kind::QUICKLIST2 && self.plain.is_none() {
                match input.length()? {
                    Some(container @ (PLAIN | PACKED)) => self.plain = Some(container == PLAIN),
                    Some(_) => return Err(self.bad("a node that is neither plain nor packed")),
                    None => return Ok(None),
                }
            }
            // Of a sorted set the member has arrived, and now its score.
            if matches!(self.kind, kind::ZSET | kind::ZSET_2) && self.first.is_some() {
                let score = match self.kind {
                    kind::ZSET => input.text_double()?,
                    _ => input.bytes().map(f64::from_le_bytes),
                };
                let Some(score) = score else { return Ok(None) };
                self.score(score, means)?;
                continue;
            }
            let Some(string) = input.string()? else { return Ok(None) };
            self.take(string, means)?;
        }
        let value = std::mem::replace(&mut self.value, Value::String(Str::Int(0)));
        Ok(Some(match value {
            Value::Zset(zset) => Value::Zset(zset.shrink(&means.bounds)),
            value => value,
        }))
    }

    fn bad(&self, why: &'static str) -> RdbErrorKind {
        RdbErrorKind::Value(kind::name(self.kind).unwrap_or("value"), why)
    }

    /// Takes the score of the member that came before it.
    fn score(&mut self, score: f64, means: &Means) -> Result<(), RdbErrorKind> {
        let member = self.first.take().unwrap_or(Str::Int(0));
        self.left = self.left.map(|left| left - 1);
        let Value::Zset(zset) = &mut self.value else { unreachable!("only sorted sets have scores") };
        place(zset, member.as_bytes(&mut Digits::default()), score, means).map_err(|why| self.bad(why))
    }

    fn take(&mut self, string: Str, means: &Means) -> Result<(), RdbErrorKind> {
        // A hash has two strings for each of its fields, a sorted set one and a score.
        if matches!(self.kind, kind::HASH | kind::ZSET | kind::ZSET_2) && self.first.is_none() {
            self.first = Some(string);
            return Ok(());
        }
        self.left = self.left.map(|left| left - 1);
        let mut digits = Digits::default();
        let bytes = string.as_bytes(&mut digits);
        let taken = match &mut self.value {
            Value::List(list) => match (self.kind, self.plain.take()) {
                (kind::LIST, _) | (kind::QUICKLIST2, Some(true)) => {
                    list.push(End::Back, bytes);
                    Ok(())
                }
                (kind::QUICKLIST2, _) => listpack::elements(bytes).and_then(|items| extend(list, items)),
                _ => ziplist::elements(bytes).and_then(|items| extend(list, items)),
            },
            Value::Hash(hash) => match self.kind {
                kind::HASH => {
                    let field = self.first.take().unwrap_or(Str::Int(0)).to_vec();
                    put(hash, &field, bytes, means)
                }
                kind::HASH_ZIPMAP => ziplist::zipmap(bytes).and_then(|pairs| {
                    pairs.iter().try_for_each(|(field, value)| put(hash, field, value, means))
                }),
                kind::HASH_ZIPLIST => ziplist::elements(bytes).and_then(|items| put_all(hash, items, means)),
                _ => listpack::elements(bytes).and_then(|items| put_all(hash, items, means)),
            },
            Value::String(_) => unreachable!("a string is a single piece"),
            Value::Set(set) => match self.kind {
                kind::SET => add(set, bytes, means),
                kind::SET_INTSET => add_numbers(set, bytes, means),
                _ => listpack::elements(bytes).and_then(|mut items| {
                    items.try_for_each(|item| add(set, item?.as_bytes(&mut Digits::default()), means))
                }),
            },
            Value::Zset(zset) => match self.kind {
                kind::ZSET_ZIPLIST => {
                    ziplist::elements(bytes).and_then(|items| place_all(zset, items, means))
                }
                _ => listpack::elements(bytes).and_then(|items| place_all(zset, items, means)),
            },
        };
        taken.map_err(|why| self.bad(why))
    }
}

fn extend<'a>(
    list: &mut List,
    items: impl Iterator<Item = Result<Item<'a>, &'static str>>,
) -> Result<(), &'static str> {
    for item in items {
        list.push(End::Back, item?.as_bytes(&mut Digits::default()));
    }
    Ok(())
}

fn put(hash: &mut Hash, field: &[u8], value: &[u8], means: &Means) -> Result<(), &'static str> {
    match hash.set(field, value, &means.bounds, means.seed) {
        true => Ok(()),
        false => Err("a field that is there twice"),
    }
}

fn put_all<'a>(
    hash: &mut Hash,
    mut items: impl Iterator<Item = Result<Item<'a>, &'static str>>,
    means: &Means,
) -> Result<(), &'static str> {
    while let Some(field) = items.next() {
        let value = items.next().unwrap_or(Err("a field without a value"))?;
        let (mut one, mut two) = (Digits::default(), Digits::default());
        put(hash, field?.as_bytes(&mut one), value.as_bytes(&mut two), means)?;
    }
    Ok(())
}

fn add(set: &mut Set, member: &[u8], means: &Means) -> Result<(), &'static str> {
    match set.add(member, &means.bounds, means.seed) {
        true => Ok(()),
        false => Err("a member that is there twice"),
    }
}

/// An intset: the width of a number and how many there are, four bytes each, and the numbers.
fn add_numbers(set: &mut Set, blob: &[u8], means: &Means) -> Result<(), &'static str> {
    let (width, rest) = blob.split_first_chunk::<4>().ok_or("an intset that is too short")?;
    let (count, numbers) = rest.split_first_chunk::<4>().ok_or("an intset that is too short")?;
    let (width, count) = (u32::from_le_bytes(*width) as usize, u32::from_le_bytes(*count) as usize);
    if !matches!(width, 2 | 4 | 8) {
        return Err("an intset of numbers that are not 2, 4 or 8 bytes wide");
    }
    if numbers.len() % width != 0 || numbers.len() / width != count {
        return Err("an intset of another size than it says");
    }
    let mut digits = Digits::default();
    numbers
        .chunks_exact(width)
        .try_for_each(|bytes| add(set, digits.write(listpack::little_endian(bytes)), means))
}

fn place(zset: &mut Zset, member: &[u8], score: f64, means: &Means) -> Result<(), &'static str> {
    if score.is_nan() {
        return Err("a score that is not a number");
    }
    match zset.set(member, score, &means.bounds, means.seed) {
        None => Ok(()),
        Some(_) => Err("a member that is there twice"),
    }
}

fn place_all<'a>(
    zset: &mut Zset,
    mut items: impl Iterator<Item = Result<Item<'a>, &'static str>>,
    means: &Means,
) -> Result<(), &'static str> {
    while let Some(member) = items.next() {
        let score = match items.next().unwrap_or(Err("a member without a score"))? {
            Item::Int(number) => number as f64,
            Item::Bytes(text) => parse_score(text).ok_or("a score that is not a number")?,
        };
        place(zset, member?.as_bytes(&mut Digits::default()), score, means)?;
    }
    Ok(())
}
