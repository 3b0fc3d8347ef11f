use core_types::Millis;

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Any bytes, or a number kept as a number.
    String(Str),
}

impl Value {
    /// The name `TYPE` answers.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::String(_) => "string",
        }
    }

    /// The string, for a command that works on nothing else.
    pub fn as_string(&self) -> Result<&Str, WrongType> {
        match self {
            Value::String(string) => Ok(string),
        }
    }

    /// The string, to change it.
    pub fn as_string_mut(&mut self) -> Result<&mut Str, WrongType> {
        match self {
            Value::String(string) => Ok(string),
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
    /// When a command last used it, in seconds (for `OBJECT IDLETIME`).
    pub(crate) touched: u32,
    /// The string was changed in place. Redis then keeps it in its `raw` form, and `OBJECT ENCODING` shows it.
    pub(crate) edited: bool,
}

const NEVER: u64 = u64::MAX;

impl Entry {
    /// A value that does not expire.
    pub fn new(value: Value, now: Millis) -> Entry {
        Entry { value, expire_at: NEVER, touched: seconds(now), edited: false }
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

    /// Notes that a command used it.
    #[inline]
    pub(crate) fn touch(&mut self, now: Millis) {
        self.touched = seconds(now);
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

fn seconds(now: Millis) -> u32 {
    now.as_secs() as u32
}
