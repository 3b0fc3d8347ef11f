use core_types::{Millis, Offset, ReplId};

use super::build::{Build, Means};
use super::input::Input;
use super::{Aux, NEWEST, RdbError, RdbErrorKind, kind, opcode};
use crate::value::Digits;
use crate::{Compact, Keyspace, Str, Usage, Value, parse_i64};

/// What a loader accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The longest string, in bytes (keys, values and fields).
    pub longest_string: u64,
    /// `Some(now)`: keys whose time was up by then are left out, as a master does with its file.
    /// `None`: they are loaded like any other, as a replica does; its master will delete them.
    pub drop_expired: Option<Millis>,
    /// Up to where values get compact forms, as [`Keyspace::compact`].
    pub compact: Compact,
    /// What is kept about the use of keys, as [`Keyspace::set_usage`].
    pub usage: Usage,
}

impl Default for Options {
    /// Strings of up to 512 MiB, expired keys included.
    fn default() -> Options {
        Options {
            longest_string: 512 * 1024 * 1024,
            drop_expired: None,
            compact: Compact::default(),
            usage: Usage::default(),
        }
    }
}

/// Builds a data set from an RDB file that arrives in pieces.
///
/// Each state waits for one piece of the file: it is either there as a whole, or the loader stays
/// where it is until more bytes have arrived.
pub struct Loader {
    input: Input,
    state: State,
    /// Where in the file the present piece begins.
    begun: u64,
    keyspace: Keyspace,
    aux: Aux,
    options: Options,
    means: Means,
    db: usize,
    /// The expiry of the key that follows.
    expire_at: Option<Millis>,
    loaded: u64,
    expired: u64,
    failed: Option<RdbError>,
}

/// Loads a file that has arrived as a whole; see [`Loader`].
pub fn load(
    bytes: &[u8],
    databases: usize,
    seed: u64,
    options: Options,
) -> Result<(Keyspace, Aux), RdbError> {
    let mut loader = Loader::new(databases, seed, options);
    loader.feed(bytes)?;
    loader.finish()
}

/// What comes next in the file.
enum State {
    Magic,
    Opcode,
    AuxName,
    AuxValue { name: Str },
    SelectDb,
    DbSize,
    VolatileSize,
    ExpireMillis,
    ExpireSeconds,
    Idle,
    Frequency,
    Function(&'static [Part]),
    ModuleId,
    ModuleItem,
    ModuleValue(Part),
    Key { kind: u8 },
    Value { key: Str, build: Build },
    Checksum,
    End,
}

/// A part of something that is read and not kept.
#[derive(Clone, Copy)]
enum Part {
    Length,
    Four,
    Eight,
    String,
    /// A length that says whether a string (a description) comes before the last one (the code).
    HasDescription,
}

/// A library of functions.
const FUNCTION2: &[Part] = &[Part::String];
/// The same before Redis 7.0 was released: name, engine, description if any, code.
const FUNCTION_PRE_GA: &[Part] = &[Part::String, Part::String, Part::HasDescription];
const DESCRIBED: &[Part] = &[Part::String, Part::String];
const NOT_DESCRIBED: &[Part] = &[Part::String];

/// Bytes taken from a large piece at a time, so that it is not copied as a whole.
const SLICE: usize = 64 * 1024;

impl Loader {
    /// A loader that fills databases of its own, made as by [`Keyspace::new`].
    pub fn new(databases: usize, seed: u64, options: Options) -> Loader {
        let mut keyspace = Keyspace::new(databases, seed);
        keyspace.compact = options.compact;
        keyspace.set_usage(options.usage);
        Loader {
            input: Input::new(options.longest_string),
            state: State::Magic,
            begun: 0,
            means: Means::of(&keyspace),
            keyspace,
            aux: Aux::default(),
            options,
            db: 0,
            expire_at: None,
            loaded: 0,
            expired: 0,
            failed: None,
        }
    }

    /// Database 0 is to have an index of slots, which grows with it. Called before the first byte.
    pub fn index_slots(&mut self, slot_of: crate::SlotOf) {
        self.keyspace.index_slots(slot_of);
    }

    /// Takes the next bytes of the file. After an error every further call returns the same.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), RdbError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        for slice in bytes.chunks(SLICE) {
            self.input.push(slice);
            while self.input.has_more() {
                match self.step() {
                    Ok(true) => self.begun = self.input.position(),
                    Ok(false) => break,
                    Err(kind) => {
                        let error = RdbError { position: self.begun, kind };
                        self.failed = Some(error.clone());
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    /// True if the file has arrived as a whole.
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::End) && self.failed.is_none()
    }

    /// How many keys have been loaded so far.
    pub fn keys_loaded(&self) -> u64 {
        self.loaded
    }

    /// How many keys have been left out so far because their time was up.
    pub fn keys_expired(&self) -> u64 {
        self.expired
    }

    /// The data set, if the file has arrived as a whole.
    pub fn finish(self) -> Result<(Keyspace, Aux), RdbError> {
        match (self.failed, self.state) {
            (Some(error), _) => Err(error),
            (None, State::End) => Ok((self.keyspace, self.aux)),
            (None, _) => Err(RdbError { position: self.input.position(), kind: RdbErrorKind::Truncated }),
        }
    }

    /// Takes one piece. `Ok(false)`: not all of it is there yet.
    fn step(&mut self) -> Result<bool, RdbErrorKind> {
        let next = match &mut self.state {
            State::Magic => self.input.bytes().map(after_magic).transpose()?,
            State::Opcode => self.input.bytes().map(after_opcode).transpose()?,
            State::AuxName => self.input.string()?.map(|name| State::AuxValue { name }),
            State::AuxValue { name } => self.input.string()?.map(|value| {
                keep_aux(&mut self.aux, name, &value);
                State::Opcode
            }),
            State::SelectDb => match self.input.length()? {
                Some(db) => Some(self.select(db)?),
                None => None,
            },
            // The sizes are only meant for making room, which follows the keys themselves here.
            State::DbSize => self.input.length()?.map(|_| State::VolatileSize),
            State::VolatileSize | State::Idle => self.input.length()?.map(|_| State::Opcode),
            State::Frequency => self.input.bytes::<1>().map(|_| State::Opcode),
            State::ExpireMillis => self.input.bytes().map(|bytes| {
                self.expire_at = Some(Millis(i64::from_le_bytes(bytes).max(0) as u64));
                State::Opcode
            }),
            State::ExpireSeconds => self.input.bytes().map(|bytes| {
                self.expire_at = Some(Millis::from_secs(i32::from_le_bytes(bytes).max(0) as u64));
                State::Opcode
            }),
            State::Function([]) => Some(State::Opcode),
            State::Function([part, rest @ ..]) => {
                skip_part(&mut self.input, *part)?.map(|length| match (part, length) {
                    (Part::HasDescription, 0) => State::Function(NOT_DESCRIBED),
                    (Part::HasDescription, _) => State::Function(DESCRIBED),
                    _ => State::Function(rest),
                })
            }
            State::ModuleId => self.input.length()?.map(|_| State::ModuleItem),
            State::ModuleItem => self.input.length()?.map(after_module_item).transpose()?,
            State::ModuleValue(part) => skip_part(&mut self.input, *part)?.map(|_| State::ModuleItem),
            State::Key { kind } => match self.input.string()? {
                Some(key) => {
                    let build = Build::new(*kind, &self.means).expect("it was checked when it was read");
                    Some(State::Value { key, build })
                }
                None => None,
            },
            State::Value { key, build } => match build.step(&mut self.input, &self.means)? {
                Some(value) => {
                    let key = std::mem::replace(key, Str::Int(0));
                    self.keep(&key, value)?;
                    Some(State::Opcode)
                }
                None => None,
            },
            State::Checksum => {
                let computed = self.input.sum();
                self.input.bytes().map(|bytes| check_sum(u64::from_le_bytes(bytes), computed)).transpose()?
            }
            State::End => return Err(RdbErrorKind::Trailing),
        };
        match next {
            Some(state) => self.state = state,
            None => return Ok(false),
        }
        Ok(true)
    }

    fn select(&mut self, db: u64) -> Result<State, RdbErrorKind> {
        match usize::try_from(db) {
            Ok(index) if index < self.keyspace.databases() => self.db = index,
            _ => return Err(RdbErrorKind::Database(db, self.keyspace.databases())),
        }
        Ok(State::Opcode)
    }

    fn keep(&mut self, key: &Str, value: Value) -> Result<(), RdbErrorKind> {
        let now = self.options.drop_expired;
        let mut entry = self.keyspace.db(self.db).new_entry(value, now.unwrap_or(Millis::ZERO));
        entry.set_expire_at(self.expire_at.take());
        // Old versions of Redis could write a collection without elements; a key with one is no key.
        if entry.value.is_empty_collection() {
            return Ok(());
        }
        if now.is_some_and(|now| entry.is_expired(now)) {
            self.expired += 1;
            return Ok(());
        }
        let mut digits = Digits::default();
        let key = key.as_bytes(&mut digits);
        let db = self.keyspace.db_mut(self.db);
        if db.find(key).is_some() {
            return Err(RdbErrorKind::DuplicateKey);
        }
        db.insert_entry(key, entry);
        self.loaded += 1;
        Ok(())
    }
}

fn after_magic(bytes: [u8; 9]) -> Result<State, RdbErrorKind> {
    let version = bytes.strip_prefix(b"REDIS").ok_or(RdbErrorKind::Magic)?;
    if !version.iter().all(u8::is_ascii_digit) {
        return Err(RdbErrorKind::Magic);
    }
    match version.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')) {
        // Before version 5 there was no checksum; Redis 2.4 wrote those.
        5..=NEWEST => Ok(State::Opcode),
        version => Err(RdbErrorKind::Version(version)),
    }
}

fn after_opcode([code]: [u8; 1]) -> Result<State, RdbErrorKind> {
    Ok(match code {
        opcode::AUX => State::AuxName,
        opcode::SELECT_DB => State::SelectDb,
        opcode::RESIZE_DB => State::DbSize,
        opcode::EXPIRE_MILLIS => State::ExpireMillis,
        opcode::EXPIRE_SECONDS => State::ExpireSeconds,
        opcode::IDLE => State::Idle,
        opcode::FREQ => State::Frequency,
        opcode::FUNCTION2 => State::Function(FUNCTION2),
        opcode::FUNCTION_PRE_GA => State::Function(FUNCTION_PRE_GA),
        opcode::MODULE_AUX => State::ModuleId,
        opcode::END => State::Checksum,
        _ if kind::is_known(code) => State::Key { kind: code },
        _ => {
            return Err(match kind::name(code) {
                Some(name) => RdbErrorKind::UnsupportedType(code, name),
                None => RdbErrorKind::UnknownOpcode(code),
            });
        }
    })
}

/// Module data is a sequence of items, each led by its type, so that one who does not know the module
/// can pass over it. The first item says at which point the module wanted it loaded.
fn after_module_item(code: u64) -> Result<State, RdbErrorKind> {
    Ok(match code {
        0 => State::Opcode,
        1 | 2 => State::ModuleValue(Part::Length),
        3 => State::ModuleValue(Part::Four),
        4 => State::ModuleValue(Part::Eight),
        5 => State::ModuleValue(Part::String),
        _ => return Err(RdbErrorKind::ModuleItem(code)),
    })
}

/// Passes over one part; the number it holds, if it is a length.
fn skip_part(input: &mut Input, part: Part) -> Result<Option<u64>, RdbErrorKind> {
    Ok(match part {
        Part::Length | Part::HasDescription => input.length()?,
        Part::Four => input.bytes::<4>().map(|_| 0),
        Part::Eight => input.bytes::<8>().map(|_| 0),
        Part::String => input.string()?.map(|_| 0),
    })
}

/// Zero in the file means that no checksum was made.
fn check_sum(stored: u64, computed: u64) -> Result<State, RdbErrorKind> {
    if stored != 0 && stored != computed {
        return Err(RdbErrorKind::Checksum(stored, computed));
    }
    Ok(State::End)
}

/// Notes a field that matters. Unknown ones are passed over, as the format demands.
fn keep_aux(aux: &mut Aux, name: &Str, value: &Str) {
    let text = value.to_vec();
    let number = || parse_i64(&text);
    let unsigned = || number().and_then(|number| u64::try_from(number).ok());
    match name.to_vec().as_slice() {
        b"redis-ver" => aux.redis_ver = String::from_utf8_lossy(&text).into_owned(),
        b"ctime" => aux.ctime = unsigned(),
        b"used-mem" => aux.used_mem = unsigned(),
        b"repl-stream-db" => aux.repl_stream_db = number(),
        b"repl-id" => aux.repl_id = ReplId::parse(&text).ok(),
        b"aof-base" => aux.aof_base = number() == Some(1),
        b"repl-offset" => aux.repl_offset = unsigned().map(Offset),
        _ => {}
    }
}
