//! RDB files: a data set at one moment, as bytes.
//!
//! The same format is Redis's file on disk (`dump.rdb`) and the payload of a full resynchronisation.
//! It begins with `REDIS` and four digits, then come opcodes: auxiliary fields, and for each database
//! its number, its size and its keys, each with its expiry (if any) in front of it; at the end a
//! checksum of everything before.
//!
//! [`save`] writes the forms that every version of Redis reads. [`Loader`] takes bytes as they arrive,
//! in pieces of any size, and never believes a length before the bytes are there: a file that claims
//! ten gigabytes takes no more memory than what was really received.
//!
//! # Differences from Redis
//! - Strings are not compressed when they are written (Redis: those above 20 bytes, with LZF).
//! - Bytes behind the end are an error.

mod build;
mod crc64;
mod dump;
mod input;
mod listpack;
mod load;
mod lzf;
mod write;
mod ziplist;

use std::error::Error;
use std::fmt;

use core_types::{Offset, ReplId};

pub use crc64::{Crc64, crc64};
pub use dump::{BadDump, dump, restore};
pub use load::{Loader, Options, load};
pub use lzf::{BadLzf, decompress};
pub use write::save;
pub(crate) use write::{write_end, write_entry, write_header, write_select};

/// The format that is written. Redis 5 to 7.0 write and read 9 or 10, later ones read all before.
const VERSION: u32 = 10;

/// The newest format that is read (Redis 7.2). What it added over 10 is in types of values, not in the frame.
const NEWEST: u32 = 11;

/// What a file says about itself beside the data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aux {
    /// The version of the server that wrote it, such as `7.0.15`. Not written if empty.
    pub redis_ver: String,
    /// When it was written, in seconds since 1970.
    pub ctime: Option<u64>,
    /// The memory the server used at that moment, in bytes.
    pub used_mem: Option<u64>,
    /// The database the replication stream had selected, -1 if none yet. A replica that continues the
    /// stream from here must begin in it.
    pub repl_stream_db: Option<i64>,
    /// The replication id of the data set.
    pub repl_id: Option<ReplId>,
    /// The replication offset of the data set.
    pub repl_offset: Option<Offset>,
    /// It is the first part of an append-only file, and more parts follow it.
    pub aof_base: bool,
}

/// Opcodes: a byte that stands where a value's type could stand.
mod opcode {
    pub(super) const FUNCTION2: u8 = 245;
    pub(super) const FUNCTION_PRE_GA: u8 = 246;
    pub(super) const MODULE_AUX: u8 = 247;
    pub(super) const IDLE: u8 = 248;
    pub(super) const FREQ: u8 = 249;
    pub(super) const AUX: u8 = 250;
    pub(super) const RESIZE_DB: u8 = 251;
    pub(super) const EXPIRE_MILLIS: u8 = 252;
    pub(super) const EXPIRE_SECONDS: u8 = 253;
    pub(super) const SELECT_DB: u8 = 254;
    pub(super) const END: u8 = 255;
}

/// Types of values.
mod kind {
    pub(super) const STRING: u8 = 0;
    pub(super) const LIST: u8 = 1;
    pub(super) const SET: u8 = 2;
    pub(super) const ZSET: u8 = 3;
    pub(super) const HASH: u8 = 4;
    pub(super) const ZSET_2: u8 = 5;
    pub(super) const HASH_ZIPMAP: u8 = 9;
    pub(super) const LIST_ZIPLIST: u8 = 10;
    pub(super) const SET_INTSET: u8 = 11;
    pub(super) const ZSET_ZIPLIST: u8 = 12;
    pub(super) const HASH_ZIPLIST: u8 = 13;
    pub(super) const QUICKLIST: u8 = 14;
    pub(super) const HASH_LISTPACK: u8 = 16;
    pub(super) const ZSET_LISTPACK: u8 = 17;
    pub(super) const QUICKLIST2: u8 = 18;
    pub(super) const SET_LISTPACK: u8 = 20;

    /// True for a type that can be loaded.
    pub(super) fn is_known(code: u8) -> bool {
        matches!(
            code,
            STRING
                | LIST
                | HASH
                | HASH_ZIPMAP
                | LIST_ZIPLIST
                | HASH_ZIPLIST
                | QUICKLIST
                | HASH_LISTPACK
                | QUICKLIST2
                | SET
                | SET_INTSET
                | SET_LISTPACK
                | ZSET
                | ZSET_2
                | ZSET_ZIPLIST
                | ZSET_LISTPACK
        )
    }

    /// What a type is called in an error; `None` for a byte that is no type at all.
    pub(super) fn name(code: u8) -> Option<&'static str> {
        Some(match code {
            0 => "string",
            1 => "list",
            2 => "set",
            3 => "sorted set",
            4 => "hash",
            5 => "sorted set with binary scores",
            6 | 7 => "module value",
            9 => "hash as zipmap",
            10 => "list as ziplist",
            11 => "set as intset",
            12 => "sorted set as ziplist",
            13 => "hash as ziplist",
            14 => "list as quicklist",
            15 | 19 | 21 => "stream",
            16 => "hash as listpack",
            17 => "sorted set as listpack",
            18 => "list as quicklist of listpacks",
            20 => "set as listpack",
            _ => return None,
        })
    }
}

/// Why a file cannot be loaded, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdbError {
    /// How many bytes lie before the piece that is wrong.
    pub position: u64,
    /// What is wrong with it.
    pub kind: RdbErrorKind,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RdbErrorKind {
    /// It does not begin with `REDIS` and four digits.
    Magic,
    /// A version that this loader does not know.
    Version(u32),
    /// A byte that is neither an opcode nor a type.
    UnknownOpcode(u8),
    /// A type of value that this loader does not know: its code and what it is.
    UnsupportedType(u8, &'static str),
    /// A length where a string encoding was found, or an encoding that does not exist: its first byte.
    Length(u8),
    /// A string longer than is allowed: what was claimed and the limit, in bytes.
    TooLong(u64, u64),
    /// A compressed string that does not decompress.
    Compression(BadLzf),
    /// A value that does not hold together: of which type, and what is wrong.
    Value(&'static str, &'static str),
    /// A database beyond those the server has: its number, and how many there are.
    Database(u64, usize),
    /// A key that the same database holds already.
    DuplicateKey,
    /// An item of a module's data that does not exist.
    ModuleItem(u64),
    /// The checksum in the file, and that of its bytes.
    Checksum(u64, u64),
    /// It ends too early.
    Truncated,
    /// It goes on behind its end.
    Trailing,
}

impl fmt::Display for RdbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use RdbErrorKind::*;
        match &self.kind {
            Magic => f.write_str("wrong signature, not an RDB file"),
            Version(version) => write!(f, "can't handle RDB format version {version}"),
            UnknownOpcode(code) => write!(f, "unknown RDB opcode or value type {code}"),
            UnsupportedType(code, name) => write!(f, "unsupported RDB value type {code} ({name})"),
            Length(byte) => write!(f, "invalid length or string encoding 0x{byte:02x}"),
            TooLong(claimed, limit) => write!(f, "a string claims {claimed} bytes, the limit is {limit}"),
            Compression(why) => write!(f, "invalid compressed string: {why}"),
            Value(name, why) => write!(f, "invalid {name}: {why}"),
            Database(db, databases) => write!(f, "database {db} of a server with {databases} databases"),
            DuplicateKey => f.write_str("duplicate key"),
            ModuleItem(code) => write!(f, "unknown item {code} in module data"),
            Checksum(stored, computed) => {
                write!(f, "wrong RDB checksum: expected {stored:016x}, found {computed:016x}")
            }
            Truncated => f.write_str("unexpected end of the RDB file"),
            Trailing => f.write_str("bytes behind the end of the RDB file"),
        }?;
        write!(f, ", at byte {}", self.position)
    }
}

impl Error for RdbError {}
