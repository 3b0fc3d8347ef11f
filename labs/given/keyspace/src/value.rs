use core_types::Millis;

use crate::{Hash, List, Set, Usage, Zset};

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Any bytes, or a number kept as a number.
    String(Str),
    /// Elements in the order in which they were pushed.
    List(Box<List>),
    /// Fields, each with a value.
    Hash(Hash),
    /// Members, in no order that matters.
    Set(Set),
    /// Members in the order of their scores.
    Zset(Zset),
}

impl Value {
    /// The name `TYPE` answers.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::String(_) => "string",
            Value::List(_) => "list",
            Value::Hash(_) => "hash",
            Value::Set(_) => "set",
            Value::Zset(_) => "zset",
        }
    }

    /// About how many bytes it takes beyond the entry that holds it.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Value::String(Str::Int(_)) => 0,
            Value::String(Str::Bytes(bytes)) => bytes.capacity(),
            Value::List(list) => list.memory(),
            Value::Hash(hash) => hash.memory(),
            Value::Set(set) => set.memory(),
            Value::Zset(zset) => zset.memory(),
        }
    }

    /// True for a collection that has lost its last element: its key must go.
    pub(crate) fn is_empty_collection(&self) -> bool {
        match self {
            Value::String(_) => false,
            Value::List(list) => list.is_empty(),
            Value::Hash(hash) => hash.is_empty(),
            Value::Set(set) => set.is_empty(),
            Value::Zset(zset) => zset.is_empty(),
        }
    }

    /// The string, for a command that works on nothing else.
    pub fn as_string(&self) -> Result<&Str, WrongType> {
        match self {
            Value::String(string) => Ok(string),
            _ => Err(WrongType),
        }
    }

    /// The string, to change it.
    pub fn as_string_mut(&mut self) -> Result<&mut Str, WrongType> {
        match self {
            Value::String(string) => Ok(string),
            _ => Err(WrongType),
        }
    }

    /// The list, for a command that works on nothing else.
    pub fn as_list(&self) -> Result<&List, WrongType> {
        match self {
            Value::List(list) => Ok(list),
            _ => Err(WrongType),
        }
    }

    /// The list, to change it.
    pub fn as_list_mut(&mut self) -> Result<&mut List, WrongType> {
        match self {
            Value::List(list) => Ok(list),
            _ => Err(WrongType),
        }
    }

    /// The hash, for a command that works on nothing else.
    pub fn as_hash(&self) -> Result<&Hash, WrongType> {
        match self {
            Value::Hash(hash) => Ok(hash),
            _ => Err(WrongType),
        }
    }

    /// The hash, to change it.
    pub fn as_hash_mut(&mut self) -> Result<&mut Hash, WrongType> {
        match self {
            Value::Hash(hash) => Ok(hash),
            _ => Err(WrongType),
        }
    }

    /// The set, for a command that works on nothing else.
    pub fn as_set(&self) -> Result<&Set, WrongType> {
        match self {
            Value::Set(set) => Ok(set),
            _ => Err(WrongType),
        }
    }

    /// The set, to change it.
    pub fn as_set_mut(&mut self) -> Result<&mut Set, WrongType> {
        match self {
            Value::Set(set) => Ok(set),
            _ => Err(WrongType),
        }
    }

    /// The sorted set, for a command that works on nothing else.
    pub fn as_zset(&self) -> Result<&Zset, WrongType> {
        match self {
            Value::Zset(zset) => Ok(zset),
            _ => Err(WrongType),
        }
    }

    /// The sorted set, to change it.
    pub fn as_zset_mut(&mut self) -> Result<&mut Zset, WrongType> {
        match self {
            Value::Zset(zset) => Ok(zset),
            _ => Err(WrongType),
        }
    }
}

/// A command met a value of a type it does not work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongType;

/// A string value.
///
/// Decimal numbers of 64 bits are kept as such, as Redis does: they need no memory of their own and
/// `INCR` has nothing to parse. Clients cannot tell, but for `OBJECT ENCODING`.
#[derive(Clone, Debug)]
pub enum Str {
    /// The canonical decimal form of this number: no `+`, no leading zero.
    Int(i64),
    /// Anything else.
    Bytes(Vec<u8>),
}

impl Str {
    /// Keeps `text`, as a number if it is one.
    pub fn new(text: &[u8]) -> Str {
        match crate::number::parse_i64(text) {
            Some(number) => Str::Int(number),
            None => Str::Bytes(text.to_vec()),
        }
    }

    /// Replaces the value and reuses its memory, unless most of that would lie idle.
    pub fn assign(&mut self, text: &[u8]) {
        if let Some(number) = crate::number::parse_i64(text) {
            *self = Str::Int(number);
            return;
        }
        match self {
            Str::Bytes(bytes) if bytes.capacity() <= 2 * text.len() + SLACK => {
                bytes.clear();
                bytes.extend_from_slice(text);
            }
            _ => *self = Str::Bytes(text.to_vec()),
        }
    }

    /// The text. A number is written into `digits` first.
    pub fn as_bytes<'a>(&'a self, digits: &'a mut Digits) -> &'a [u8] {
        match self {
            Str::Int(number) => digits.0.format(*number).as_bytes(),
            Str::Bytes(bytes) => bytes,
        }
    }

    /// The text as bytes to change; a number becomes its digits.
    pub fn make_bytes(&mut self) -> &mut Vec<u8> {
        if let Str::Int(number) = *self {
            *self = Str::Bytes(Digits::default().0.format(number).as_bytes().to_vec());
        }
        match self {
            Str::Bytes(bytes) => bytes,
            Str::Int(_) => unreachable!("it has just become bytes"),
        }
    }

    /// A copy of the text.
    pub fn to_vec(&self) -> Vec<u8> {
        self.as_bytes(&mut Digits::default()).to_vec()
    }

    /// Length of the text in bytes.
    pub fn len(&self) -> usize {
        self.as_bytes(&mut Digits::default()).len()
    }

    /// True for the empty string.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number, if the text is the canonical form of one.
    pub fn as_number(&self) -> Option<i64> {
        match self {
            Str::Int(number) => Some(*number),
            Str::Bytes(bytes) => crate::number::parse_i64(bytes),
        }
    }
}

/// Memory a reassigned string may keep beyond twice its need, in bytes.
const SLACK: usize = 64;

/// Equal if the texts are: how a string is kept is nobody's business.
impl PartialEq for Str {
    fn eq(&self, other: &Str) -> bool {
        match (self, other) {
            (Str::Int(a), Str::Int(b)) => a == b,
            (Str::Bytes(a), Str::Bytes(b)) => a == b,
            _ => self.as_bytes(&mut Digits::default()) == other.as_bytes(&mut Digits::default()),
        }
    }
}

impl Eq for Str {}

/// Room on the stack for the digits of a number.
#[derive(Default)]
pub struct Digits(itoa::Buffer);

impl Digits {
    /// The decimal form of `number`.
    pub fn write(&mut self, number: impl itoa::Integer) -> &[u8] {
        self.0.format(number).as_bytes()
    }
}

/// A value and what is known about it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What the key holds.
    pub value: Value,
    /// [`NEVER`], or the last millisecond of its life. Not an `Option`: eight bytes less for every key.
    expire_at: u64,
    /// When a command last used it, or how often: see [`Usage`](crate::Usage).
    pub(crate) touched: u32,
    /// The string was changed in place. Redis then keeps it in its `raw` form, and `OBJECT ENCODING` shows it.
    pub(crate) edited: bool,
    /// The snapshot that it was last seen by: see [`Snapshot`](crate::Snapshot). Room that was unused.
    pub(crate) epoch: u16,
}

const NEVER: u64 = u64::MAX;

impl Entry {
    /// A value that does not expire, last used now.
    pub fn new(value: Value, now: Millis) -> Entry {
        Entry::with_use(value, Usage::Time.first(now))
    }

    /// The same with what is kept about its use.
    pub(crate) fn with_use(value: Value, touched: u32) -> Entry {
        Entry { value, expire_at: NEVER, touched, edited: false, epoch: 0 }
    }

    /// When it expires: Unix time, the last millisecond at which the key is still there.
    pub fn expire_at(&self) -> Option<Millis> {
        (self.expire_at != NEVER).then_some(Millis(self.expire_at))
    }

    /// True if its time is up at `now`.
    #[inline]
    pub fn is_expired(&self, now: Millis) -> bool {
        now.0 > self.expire_at
    }

    /// Only [`Db`](crate::Db) calls this: it keeps the list of keys that expire in step.
    pub(crate) fn set_expire_at(&mut self, at: Option<Millis>) {
        // The very last instant is taken; nobody will see the difference in 500 million years.
        self.expire_at = at.map_or(NEVER, |at| at.0.min(NEVER - 1));
    }

    /// When a command last used it, in seconds since 1970; with a policy that counts, something else.
    pub fn touched_at(&self) -> u64 {
        u64::from(self.touched)
    }
}

/// Two entries are equal if they hold the same value until the same time; when they were last used
/// differs from replica to replica.
impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.value == other.value && self.expire_at == other.expire_at
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key pays for it: the variants hide in what is left unused by the string.
    #[test]
    fn a_value_takes_three_words() {
        assert_eq!(size_of::<Value>(), 24);
    }
}
