//! `SORT`: the elements of a list, a set or a sorted set, ordered by themselves or by other keys.

use core_types::Args;

use super::{Ctx, integer, store};
use crate::context::{Outcome, Refusal};
use crate::errors;
use crate::list::End;
use crate::score::parse_weight;
use crate::value::{Digits, Value};
use crate::{Item, List};

type Text = Vec<u8>;

struct Query<'a> {
    descending: bool,
    alpha: bool,
    offset: i64,
    limit: i64,
    by: Option<&'a [u8]>,
    get: Vec<&'a [u8]>,
    store: Option<&'a [u8]>,
}

impl<'a> Query<'a> {
    fn parse(args: Args<'a>, may_store: bool) -> Result<Query<'a>, Refusal> {
        let mut query = Query {
            descending: false,
            alpha: false,
            offset: 0,
            limit: -1,
            by: None,
            get: Vec::new(),
            store: None,
        };
        let mut index = 2;
        while index < args.len() {
            let next = args.get(index + 1);
            match next {
                _ if args.is(index, "ASC") => query.descending = false,
                _ if args.is(index, "DESC") => query.descending = true,
                _ if args.is(index, "ALPHA") => query.alpha = true,
                Some(_) if args.is(index, "LIMIT") && index + 2 < args.len() => {
                    (query.offset, query.limit) = (integer(args, index + 1)?, integer(args, index + 2)?);
                    index += 2;
                }
                Some(key) if may_store && args.is(index, "STORE") => {
                    query.store = Some(key);
                    index += 1;
                }
                Some(pattern) if args.is(index, "BY") => {
                    query.by = Some(pattern);
                    index += 1;
                }
                Some(pattern) if args.is(index, "GET") => {
                    query.get.push(pattern);
                    index += 1;
                }
                _ => return Err(errors::SYNTAX.into()),
            }
            index += 1;
        }
        Ok(query)
    }

    /// What is to be shown of `len` elements: the first one and how many.
    fn slice(&self, len: usize) -> (usize, usize) {
        let first = usize::try_from(self.offset).unwrap_or(0).min(len);
        let count = usize::try_from(self.limit).unwrap_or(len);
        (first, count.min(len - first))
    }
}

/// Where the key is that `SORT` stores to; the last one counts.
pub(crate) fn place_of_store(args: Args<'_>) -> Option<usize> {
    let (mut index, mut found) = (2, None);
    while index < args.len() {
        if args.is(index, "STORE") && index + 1 < args.len() {
            found = Some(index + 1);
        }
        index += match () {
            () if args.is(index, "LIMIT") => 3,
            () if ["GET", "BY", "STORE"].iter().any(|word| args.is(index, word)) => 2,
            () => 1,
        };
    }
    found
}

pub(crate) fn sort(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    sort_key(ctx, args, true)
}

pub(crate) fn sort_ro(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    sort_key(ctx, args, false)
}

fn sort_key(ctx: &mut Ctx<'_>, args: Args<'_>, may_store: bool) -> Outcome {
    let mut query = Query::parse(args, may_store)?;
    // A pattern without a star is the same for all elements: they stay in the order they have.
    let mut as_is = query.by.is_some_and(|pattern| !pattern.contains(&b'*'));
    let mut elements = Vec::new();
    if let Some(position) = ctx.read(&args[1]) {
        let value = &ctx.keyspace.db(ctx.db).at(position).1.value;
        if as_is && query.store.is_some() && matches!(value, Value::Set(_)) {
            // A set has no order that a replica would share, so it is given one before it is kept.
            (as_is, query.alpha, query.by) = (false, true, None);
        }
        elements = load(value)?;
        if as_is && query.descending && !matches!(value, Value::Set(_)) {
            elements.reverse();
        }
    }
    if !as_is {
        order(ctx, &query, &mut elements)?;
    }
    let (first, count) = query.slice(elements.len());
    let shown = elements.into_iter().skip(first).take(count);
    let shown: Vec<Option<Text>> = if query.get.is_empty() {
        shown.map(Some).collect()
    } else {
        let pairs =
            shown.flat_map(|element| query.get.iter().map(move |pattern| (element.clone(), *pattern)));
        pairs.map(|(element, pattern)| look_up(ctx, pattern, &element)).collect()
    };
    match query.store {
        Some(key) => keep(ctx, key, &shown),
        None => {
            ctx.reply.array(shown.len());
            for text in shown {
                match text {
                    Some(text) => ctx.reply.bulk(&text),
                    None => ctx.reply.null(),
                }
            }
        }
    }
    Ok(())
}

fn load(value: &Value) -> Result<Vec<Text>, Refusal> {
    let text = |item: Item<'_>| item.to_vec();
    Ok(match value {
        Value::List(list) => list.iter().map(text).collect(),
        Value::Set(set) => set.iter().map(text).collect(),
        Value::Zset(zset) => zset.iter().map(|(member, _)| text(member)).collect(),
        _ => return Err(errors::WRONG_TYPE.into()),
    })
}

/// What an element is sorted by.
enum Weight {
    Number(f64),
    /// `None`, for a key that is not there, comes first.
    Text(Option<Text>),
}

/// Sorts. Elements of equal weight come in the order of their bytes, if the weights are numbers.
fn order(ctx: &mut Ctx<'_>, query: &Query<'_>, elements: &mut Vec<Text>) -> Outcome {
    let mut weighted = Vec::with_capacity(elements.len());
    let mut readable = true;
    for element in elements.drain(..) {
        let text = match query.by {
            Some(pattern) => look_up(ctx, pattern, &element),
            None => Some(element.clone()),
        };
        let weight = match text {
            text if query.alpha => Weight::Text(text),
            None => Weight::Number(0.0),
            Some(text) => {
                let number = parse_weight(&text);
                readable &= number.is_some();
                Weight::Number(number.unwrap_or(0.0))
            }
        };
        weighted.push((weight, element));
    }
    if !readable {
        return Err("ERR One or more scores can't be converted into double".into());
    }
    weighted.sort_by(|(a, first), (b, second)| {
        let ordering = match (a, b) {
            (Weight::Number(a), Weight::Number(b)) => {
                a.partial_cmp(b).expect("no weight is a NaN").then_with(|| first.cmp(second))
            }
            (Weight::Text(a), Weight::Text(b)) => a.cmp(b),
            _ => unreachable!("all weights are of one kind"),
        };
        if query.descending { ordering.reverse() } else { ordering }
    });
    elements.extend(weighted.into_iter().map(|(_, element)| element));
    Ok(())
}

/// The value that a pattern names for an element: `#` is the element itself, otherwise it takes the
/// place of the star in the name of a key, or of a key and a field of its hash (`key_*->field`).
fn look_up(ctx: &mut Ctx<'_>, pattern: &[u8], element: &[u8]) -> Option<Text> {
    if pattern == b"#" {
        return Some(element.to_vec());
    }
    let star = pattern.iter().position(|byte| *byte == b'*')?;
    let (prefix, postfix) = (&pattern[..star], &pattern[star + 1..]);
    // An arrow with nothing behind it belongs to the name.
    let arrow = postfix.windows(2).position(|pair| pair == b"->").filter(|at| at + 2 < postfix.len());
    let (postfix, field) = match arrow {
        Some(at) => (&postfix[..at], Some(&postfix[at + 2..])),
        None => (postfix, None),
    };
    let position = ctx.read(&[prefix, element, postfix].concat())?;
    let value = &ctx.keyspace.db(ctx.db).at(position).1.value;
    match field {
        Some(field) => value.as_hash().ok()?.get(field).map(|value| value.to_vec()),
        None => Some(value.as_string().ok()?.as_bytes(&mut Digits::default()).to_vec()),
    }
}

/// Keeps the result as a list, in which what is not there is an empty text.
fn keep(ctx: &mut Ctx<'_>, key: &[u8], texts: &[Option<Text>]) {
    let mut list = List::new(ctx.keyspace.compact.list_node);
    texts.iter().for_each(|text| list.push(End::Back, text.as_deref().unwrap_or_default()));
    let value = (!texts.is_empty()).then(|| Value::List(Box::new(list)));
    if store(ctx, key, value) {
        ctx.effects.dirty += texts.len().max(1) as u64;
    }
    ctx.reply.integer(texts.len() as i64);
}
