use std::ops::BitOr;

use core_types::Args;

use crate::Ctx;
use crate::commands::{
    bits, counters, dump, expiry, generic, hashes, list_moves, lists, memory, object, scan, server,
    set_algebra, sets, sort, strings, zset_algebra, zset_pops, zset_ranges, zsets,
};
use crate::context::run;
use crate::number::parse_i64;

/// A set of command flags, with the meaning Redis's `COMMAND INFO` gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Flags(pub u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal $text:literal;)*) => {
        impl Flags {
            /// No flag at all.
            pub const NONE: Flags = Flags(0);
            $($(#[$doc])* pub const $name: Flags = Flags(1 << $bit);)*
            /// Flags and their names, in the order in which `COMMAND INFO` prints them.
            const NAMES: &[(Flags, &str)] = &[$((Flags::$name, $text)),*];
        }
    };
}

flags! {
    /// May change the data set.
    WRITE = 0 "write";
    /// Reads keys and never changes them.
    READONLY = 1 "readonly";
    /// Refused when memory is short.
    DENYOOM = 2 "denyoom";
    /// Comes from a module.
    MODULE = 3 "module";
    /// For administrators.
    ADMIN = 4 "admin";
    /// Belongs to publish and subscribe.
    PUBSUB = 5 "pubsub";
    /// Not allowed in scripts.
    NOSCRIPT = 6 "noscript";
    /// May wait.
    BLOCKING = 7 "blocking";
    /// Allowed while a data set is being loaded.
    LOADING = 8 "loading";
    /// Allowed on a replica that has lost its master and is told not to serve stale data.
    STALE = 9 "stale";
    /// Not shown by `MONITOR`.
    SKIP_MONITOR = 10 "skip_monitor";
    /// Not noted in the slow log.
    SKIP_SLOWLOG = 11 "skip_slowlog";
    /// Sets `ASKING` by itself.
    ASKING = 12 "asking";
    /// Takes constant or logarithmic time.
    FAST = 13 "fast";
    /// Allowed before a client has authenticated.
    NO_AUTH = 14 "no_auth";
    /// Not a write, yet the replicas may have to be told.
    MAY_REPLICATE = 15 "may_replicate";
    /// Its keys are optional.
    NO_MANDATORY_KEYS = 16 "no_mandatory_keys";
    /// Refused while a data set is being loaded in the background.
    NO_ASYNC_LOADING = 17 "no_async_loading";
    /// Not allowed between `MULTI` and `EXEC`.
    NO_MULTI = 18 "no_multi";
    /// Its keys are not at fixed places.
    MOVABLE_KEYS = 19 "movablekeys";
    /// Allowed while a script runs too long.
    ALLOW_BUSY = 20 "allow_busy";
}

impl Flags {
    /// True if all of `flags` are among these.
    pub const fn contains(self, flags: Flags) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// These flags and those of `other`.
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// The names, in the order in which `COMMAND INFO` prints them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Flags::NAMES.iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| *name)
    }
}

impl BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        self.with(other)
    }
}

/// Where a command's arguments are keys, counting the name as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The first key; 0 if there is none.
    pub first: i32,
    /// The last key; negative counts from the end, -1 being the last argument.
    pub last: i32,
    /// Every how many arguments there is a key.
    pub step: i32,
}

impl Keys {
    /// The command has no keys at fixed places.
    pub const NONE: Keys = Keys { first: 0, last: 0, step: 0 };

    /// The places of the keys among `count` arguments, the name included.
    pub fn places(self, count: usize) -> impl Iterator<Item = usize> + use<> {
        let last = if self.last < 0 { count as i64 + i64::from(self.last) } else { i64::from(self.last) };
        let last = last.min(count as i64 - 1);
        let step = self.step.max(1) as usize;
        let end = if self.first > 0 && last >= 0 { last as usize + 1 } else { 0 };
        (self.first.max(0) as usize..end).step_by(step)
    }
}

/// What is known about a command without running it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandSpec {
    /// Its name in lower case.
    pub name: &'static str,
    /// How many arguments it takes, the name included; negative means at least so many.
    pub arity: i32,
    /// Its properties.
    pub flags: Flags,
    /// Where its keys are.
    pub keys: Keys,
    /// The group under which Redis documents it.
    pub group: &'static str,
}

impl CommandSpec {
    /// True if the command may be called with `count` arguments, the name included.
    pub const fn accepts(&self, count: usize) -> bool {
        if self.arity < 0 {
            count >= self.arity.unsigned_abs() as usize
        } else {
            count == self.arity as usize
        }
    }

    /// The places of the keys in a call, also for a command that says how many keys there are, and for
    /// `SORT` with the key it stores to. (The keys that its patterns name are nowhere in the call.)
    pub fn key_places(&self, args: Args<'_>) -> impl Iterator<Item = usize> + use<> {
        let counts = self.flags.contains(Flags::MOVABLE_KEYS);
        let counted = COUNTED_KEYS.iter().find(|(name, _)| counts && *name == self.name);
        let counted = counted.map(|(_, place)| *place);
        let count = counted.and_then(|place| parse_i64(args.get(place)?)).unwrap_or(0).max(0) as usize;
        let first = counted.unwrap_or(0) + 1;
        let end = first.saturating_add(count);
        let stored = if self.name == "sort" { sort::place_of_store(args) } else { None };
        let (keys, first, end) = match self.name {
            "migrate" => migrated_keys(self.keys, args),
            // The command will be refused: then Redis finds no key in it at all, not even one that is certain.
            _ if counted.is_some() && (count == 0 || end > args.len()) => (Keys::NONE, 0, 0),
            _ => (self.keys, first, end),
        };
        keys.places(args.len()).chain(first..end).chain(stored)
    }
}

/// `MIGRATE` names its key, or an empty one and its keys behind the word `KEYS`. (`migrateGetKeys` in Redis's `db.c`)
fn migrated_keys(usual: Keys, args: Args<'_>) -> (Keys, usize, usize) {
    let mut place = 6;
    while place < args.len() {
        if args.is(place, "keys") {
            return match (args[3].is_empty(), place + 1 < args.len()) {
                (true, true) => (Keys::NONE, place + 1, args.len()),
                (true, false) => (usual, 0, 0),
                // It is refused, as it asks for both.
                (false, _) => (Keys::NONE, 0, 0),
            };
        }
        place += if args.is(place, "auth") {
            2
        } else if args.is(place, "auth2") {
            3
        } else {
            1
        };
    }
    (usual, 0, 0)
}

/// Commands that say how many keys follow, and the argument that says so.
const COUNTED_KEYS: &[(&str, usize)] = &[
    ("lmpop", 1),
    ("blmpop", 2),
    ("sintercard", 1),
    ("zunion", 1),
    ("zinter", 1),
    ("zdiff", 1),
    ("zintercard", 1),
    ("zunionstore", 2),
    ("zinterstore", 2),
    ("zdiffstore", 2),
    ("zmpop", 1),
    ("bzmpop", 2),
];

/// Runs one command: exactly one reply, and what it changed in [`Ctx::effects`].
///
/// The number of arguments has been checked with [`CommandSpec::accepts`] before.
pub type Handler = fn(&mut Ctx<'_>, Args<'_>);

const WRITE: Flags = Flags::WRITE;
const GROWS: Flags = Flags::WRITE.with(Flags::DENYOOM);
const READ: Flags = Flags::READONLY;
const FAST: Flags = Flags::FAST;
const MOVABLE: Flags = Flags::MOVABLE_KEYS;
const WAITS: Flags = Flags::NOSCRIPT.with(Flags::BLOCKING);

const NO_KEYS: Keys = Keys::NONE;
const ONE_KEY: Keys = Keys { first: 1, last: 1, step: 1 };
const TWO_KEYS: Keys = Keys { first: 1, last: 2, step: 1 };
const ALL_KEYS: Keys = Keys { first: 1, last: -1, step: 1 };
const ALL_BUT_LAST: Keys = Keys { first: 1, last: -2, step: 1 };
const FROM_TWO: Keys = Keys { first: 2, last: -1, step: 1 };
const PAIRS: Keys = Keys { first: 1, last: -1, step: 2 };

macro_rules! commands {
    ($($group:literal { $($name:literal $arity:literal $flags:expr, $keys:expr => $handler:path;)* })*) => {
        &[$($((
            CommandSpec { name: $name, arity: $arity, flags: $flags, keys: $keys, group: $group },
            |ctx, args| run(ctx, args, $handler),
        ),)*)*]
    };
}

/// Every command of the data set: what it is, and what runs it.
pub static COMMANDS: &[(CommandSpec, Handler)] = commands! {
    "string" {
        "get"          2 READ.with(FAST),  ONE_KEY  => strings::get;
        "set"         -3 GROWS,            ONE_KEY  => strings::set;
        "setnx"        3 GROWS.with(FAST), ONE_KEY  => strings::setnx;
        "setex"        4 GROWS,            ONE_KEY  => strings::setex;
        "psetex"       4 GROWS,            ONE_KEY  => strings::psetex;
        "getset"       3 GROWS.with(FAST), ONE_KEY  => strings::getset;
        "getdel"       2 WRITE.with(FAST), ONE_KEY  => strings::getdel;
        "getex"       -2 WRITE.with(FAST), ONE_KEY  => strings::getex;
        "append"       3 GROWS.with(FAST), ONE_KEY  => strings::append;
        "strlen"       2 READ.with(FAST),  ONE_KEY  => strings::strlen;
        "getrange"     4 READ,             ONE_KEY  => strings::getrange;
        "substr"       4 READ,             ONE_KEY  => strings::getrange;
        "setrange"     4 GROWS,            ONE_KEY  => strings::setrange;
        "mget"        -2 READ.with(FAST),  ALL_KEYS => strings::mget;
        "mset"        -3 GROWS,            PAIRS    => strings::mset;
        "msetnx"      -3 GROWS,            PAIRS    => strings::msetnx;
        "incr"         2 GROWS.with(FAST), ONE_KEY  => counters::incr;
        "decr"         2 GROWS.with(FAST), ONE_KEY  => counters::decr;
        "incrby"       3 GROWS.with(FAST), ONE_KEY  => counters::incrby;
        "decrby"       3 GROWS.with(FAST), ONE_KEY  => counters::decrby;
        "incrbyfloat"  3 GROWS.with(FAST), ONE_KEY  => counters::incrbyfloat;
    }
    "set" {
        "sadd"        -3 GROWS.with(FAST), ONE_KEY  => sets::sadd;
        "srem"        -3 WRITE.with(FAST), ONE_KEY  => sets::srem;
        "smove"        4 WRITE.with(FAST), TWO_KEYS => sets::smove;
        "scard"        2 READ.with(FAST),  ONE_KEY  => sets::scard;
        "sismember"    3 READ.with(FAST),  ONE_KEY  => sets::sismember;
        "smismember"  -3 READ.with(FAST),  ONE_KEY  => sets::smismember;
        "smembers"     2 READ,             ONE_KEY  => sets::smembers;
        "spop"        -2 WRITE.with(FAST), ONE_KEY  => sets::spop;
        "srandmember" -2 READ,             ONE_KEY  => sets::srandmember;
        "sscan"       -3 READ,             ONE_KEY  => sets::sscan;
        "sinter"      -2 READ,             ALL_KEYS => set_algebra::sinter;
        "sinterstore" -3 GROWS,            ALL_KEYS => set_algebra::sinterstore;
        "sintercard"  -3 READ.with(MOVABLE), NO_KEYS => set_algebra::sintercard;
        "sunion"      -2 READ,             ALL_KEYS => set_algebra::sunion;
        "sunionstore" -3 GROWS,            ALL_KEYS => set_algebra::sunionstore;
        "sdiff"       -2 READ,             ALL_KEYS => set_algebra::sdiff;
        "sdiffstore"  -3 GROWS,            ALL_KEYS => set_algebra::sdiffstore;
    }
    "list" {
        "lpush"       -3 GROWS.with(FAST), ONE_KEY  => lists::lpush;
        "rpush"       -3 GROWS.with(FAST), ONE_KEY  => lists::rpush;
        "lpushx"      -3 GROWS.with(FAST), ONE_KEY  => lists::lpushx;
        "rpushx"      -3 GROWS.with(FAST), ONE_KEY  => lists::rpushx;
        "lpop"        -2 WRITE.with(FAST), ONE_KEY  => lists::lpop;
        "rpop"        -2 WRITE.with(FAST), ONE_KEY  => lists::rpop;
        "llen"         2 READ.with(FAST),  ONE_KEY  => lists::llen;
        "lrange"       4 READ,             ONE_KEY  => lists::lrange;
        "lindex"       3 READ,             ONE_KEY  => lists::lindex;
        "lset"         4 GROWS,            ONE_KEY  => lists::lset;
        "linsert"      5 GROWS,            ONE_KEY  => lists::linsert;
        "lrem"         4 WRITE,            ONE_KEY  => lists::lrem;
        "ltrim"        4 WRITE,            ONE_KEY  => lists::ltrim;
        "lpos"        -3 READ,             ONE_KEY  => lists::lpos;
        "lmove"        5 GROWS,            TWO_KEYS => list_moves::lmove;
        "rpoplpush"    3 GROWS,            TWO_KEYS => list_moves::rpoplpush;
        "lmpop"       -4 WRITE.with(MOVABLE), NO_KEYS => list_moves::lmpop;
        "blpop"       -3 WRITE.with(WAITS), ALL_BUT_LAST => list_moves::blpop;
        "brpop"       -3 WRITE.with(WAITS), ALL_BUT_LAST => list_moves::brpop;
        "blmove"       6 GROWS.with(WAITS), TWO_KEYS => list_moves::blmove;
        "brpoplpush"   4 GROWS.with(WAITS), TWO_KEYS => list_moves::brpoplpush;
        "blmpop"      -5 WRITE.with(Flags::BLOCKING).with(MOVABLE), NO_KEYS => list_moves::blmpop;
    }
    "hash" {
        "hset"        -4 GROWS.with(FAST), ONE_KEY  => hashes::hset;
        "hsetnx"       4 GROWS.with(FAST), ONE_KEY  => hashes::hsetnx;
        "hmset"       -4 GROWS.with(FAST), ONE_KEY  => hashes::hmset;
        "hget"         3 READ.with(FAST),  ONE_KEY  => hashes::hget;
        "hmget"       -3 READ.with(FAST),  ONE_KEY  => hashes::hmget;
        "hgetall"      2 READ,             ONE_KEY  => hashes::hgetall;
        "hdel"        -3 WRITE.with(FAST), ONE_KEY  => hashes::hdel;
        "hexists"      3 READ.with(FAST),  ONE_KEY  => hashes::hexists;
        "hlen"         2 READ.with(FAST),  ONE_KEY  => hashes::hlen;
        "hstrlen"      3 READ.with(FAST),  ONE_KEY  => hashes::hstrlen;
        "hkeys"        2 READ,             ONE_KEY  => hashes::hkeys;
        "hvals"        2 READ,             ONE_KEY  => hashes::hvals;
        "hincrby"      4 GROWS.with(FAST), ONE_KEY  => hashes::hincrby;
        "hincrbyfloat" 4 GROWS.with(FAST), ONE_KEY  => hashes::hincrbyfloat;
        "hrandfield"  -2 READ,             ONE_KEY  => hashes::hrandfield;
        "hscan"       -3 READ,             ONE_KEY  => hashes::hscan;
    }
    "sorted-set" {
        "zadd"        -4 GROWS.with(FAST), ONE_KEY  => zsets::zadd;
        "zincrby"      4 GROWS.with(FAST), ONE_KEY  => zsets::zincrby;
        "zrem"        -3 WRITE.with(FAST), ONE_KEY  => zsets::zrem;
        "zcard"        2 READ.with(FAST),  ONE_KEY  => zsets::zcard;
        "zscore"       3 READ.with(FAST),  ONE_KEY  => zsets::zscore;
        "zmscore"     -3 READ.with(FAST),  ONE_KEY  => zsets::zmscore;
        "zrank"        3 READ.with(FAST),  ONE_KEY  => zsets::zrank;
        "zrevrank"     3 READ.with(FAST),  ONE_KEY  => zsets::zrevrank;
        "zrandmember" -2 READ,             ONE_KEY  => zsets::zrandmember;
        "zscan"       -3 READ,             ONE_KEY  => zsets::zscan;
        "zcount"       4 READ.with(FAST),  ONE_KEY  => zset_ranges::zcount;
        "zlexcount"    4 READ.with(FAST),  ONE_KEY  => zset_ranges::zlexcount;
        "zrange"      -4 READ,             ONE_KEY  => zset_ranges::zrange;
        "zrangestore" -5 GROWS,            TWO_KEYS => zset_ranges::zrangestore;
        "zrevrange"   -4 READ,             ONE_KEY  => zset_ranges::zrevrange;
        "zrangebyscore"    -4 READ,        ONE_KEY  => zset_ranges::zrangebyscore;
        "zrevrangebyscore" -4 READ,        ONE_KEY  => zset_ranges::zrevrangebyscore;
        "zrangebylex"      -4 READ,        ONE_KEY  => zset_ranges::zrangebylex;
        "zrevrangebylex"   -4 READ,        ONE_KEY  => zset_ranges::zrevrangebylex;
        "zremrangebyrank"   4 WRITE,       ONE_KEY  => zset_ranges::zremrangebyrank;
        "zremrangebyscore"  4 WRITE,       ONE_KEY  => zset_ranges::zremrangebyscore;
        "zremrangebylex"    4 WRITE,       ONE_KEY  => zset_ranges::zremrangebylex;
        "zunion"      -3 READ.with(MOVABLE),  NO_KEYS => zset_algebra::zunion;
        "zinter"      -3 READ.with(MOVABLE),  NO_KEYS => zset_algebra::zinter;
        "zdiff"       -3 READ.with(MOVABLE),  NO_KEYS => zset_algebra::zdiff;
        "zunionstore" -4 GROWS.with(MOVABLE), ONE_KEY => zset_algebra::zunionstore;
        "zinterstore" -4 GROWS.with(MOVABLE), ONE_KEY => zset_algebra::zinterstore;
        "zdiffstore"  -4 GROWS.with(MOVABLE), ONE_KEY => zset_algebra::zdiffstore;
        "zintercard"  -3 READ.with(MOVABLE),  NO_KEYS => zset_algebra::zintercard;
        "zpopmin"     -2 WRITE.with(FAST), ONE_KEY  => zset_pops::zpopmin;
        "zpopmax"     -2 WRITE.with(FAST), ONE_KEY  => zset_pops::zpopmax;
        "zmpop"       -4 WRITE.with(MOVABLE), NO_KEYS => zset_pops::zmpop;
        "bzpopmin"    -3 WRITE.with(WAITS).with(FAST), ALL_BUT_LAST => zset_pops::bzpopmin;
        "bzpopmax"    -3 WRITE.with(WAITS).with(FAST), ALL_BUT_LAST => zset_pops::bzpopmax;
        "bzmpop"      -5 WRITE.with(Flags::BLOCKING).with(MOVABLE), NO_KEYS => zset_pops::bzmpop;
    }
    "bitmap" {
        "setbit"       4 GROWS,            ONE_KEY  => bits::setbit;
        "getbit"       3 READ.with(FAST),  ONE_KEY  => bits::getbit;
        "bitcount"    -2 READ,             ONE_KEY  => bits::bitcount;
        "bitpos"      -3 READ,             ONE_KEY  => bits::bitpos;
        "bitop"       -4 GROWS,            FROM_TWO => bits::bitop;
    }
    "generic" {
        "sort"        -2 GROWS.with(MOVABLE), ONE_KEY => sort::sort;
        "sort_ro"     -2 READ.with(MOVABLE),  ONE_KEY => sort::sort_ro;
        "del"         -2 WRITE,            ALL_KEYS => generic::del;
        "unlink"      -2 WRITE.with(FAST), ALL_KEYS => generic::del;
        "exists"      -2 READ.with(FAST),  ALL_KEYS => generic::exists;
        "touch"       -2 READ.with(FAST),  ALL_KEYS => generic::touch;
        "type"         2 READ.with(FAST),  ONE_KEY  => generic::type_of;
        "rename"       3 WRITE,            TWO_KEYS => generic::rename;
        "renamenx"     3 WRITE.with(FAST), TWO_KEYS => generic::renamenx;
        "copy"        -3 GROWS,            TWO_KEYS => generic::copy;
        "move"         3 WRITE.with(FAST), ONE_KEY  => generic::move_key;
        "keys"         2 READ,             NO_KEYS  => scan::keys;
        "scan"        -2 READ,             NO_KEYS  => scan::scan;
        "randomkey"    1 READ,             NO_KEYS  => scan::randomkey;
        "expire"      -3 WRITE.with(FAST), ONE_KEY  => expiry::expire;
        "pexpire"     -3 WRITE.with(FAST), ONE_KEY  => expiry::pexpire;
        "expireat"    -3 WRITE.with(FAST), ONE_KEY  => expiry::expireat;
        "pexpireat"   -3 WRITE.with(FAST), ONE_KEY  => expiry::pexpireat;
        "ttl"          2 READ.with(FAST),  ONE_KEY  => expiry::ttl;
        "pttl"         2 READ.with(FAST),  ONE_KEY  => expiry::pttl;
        "expiretime"   2 READ.with(FAST),  ONE_KEY  => expiry::expiretime;
        "pexpiretime"  2 READ.with(FAST),  ONE_KEY  => expiry::pexpiretime;
        "persist"      2 WRITE.with(FAST), ONE_KEY  => expiry::persist;
        "dump"         2 READ,             ONE_KEY  => dump::dump;
        "restore"     -4 GROWS,            ONE_KEY  => dump::restore;
        "restore-asking" -4 GROWS.with(Flags::ASKING), ONE_KEY => dump::restore;
        "object"      -2 Flags::NONE,      NO_KEYS  => object::object;
    }
    "server" {
        "memory"      -2 Flags::NONE,      NO_KEYS  => memory::memory;
        "dbsize"       1 READ.with(FAST),  NO_KEYS  => server::dbsize;
        "flushdb"     -1 WRITE,            NO_KEYS  => server::flushdb;
        "flushall"    -1 WRITE,            NO_KEYS  => server::flushall;
        "swapdb"       3 WRITE.with(FAST), NO_KEYS  => server::swapdb;
    }
};
