use std::ops::BitOr;

use core_types::Args;

use crate::Ctx;
use crate::commands::{counters, expiry, generic, object, scan, server, strings};
use crate::context::run;

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
}

/// Runs one command: exactly one reply, and what it changed in [`Ctx::effects`].
///
/// The number of arguments has been checked with [`CommandSpec::accepts`] before.
pub type Handler = fn(&mut Ctx<'_>, Args<'_>);

const WRITE: Flags = Flags::WRITE;
const GROWS: Flags = Flags::WRITE.with(Flags::DENYOOM);
const READ: Flags = Flags::READONLY;
const FAST: Flags = Flags::FAST;

const NO_KEYS: Keys = Keys::NONE;
const ONE_KEY: Keys = Keys { first: 1, last: 1, step: 1 };
const TWO_KEYS: Keys = Keys { first: 1, last: 2, step: 1 };
const ALL_KEYS: Keys = Keys { first: 1, last: -1, step: 1 };
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
    "generic" {
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
        "object"      -2 Flags::NONE,      NO_KEYS  => object::object;
    }
    "server" {
        "dbsize"       1 READ.with(FAST),  NO_KEYS  => server::dbsize;
        "flushdb"     -1 WRITE,            NO_KEYS  => server::flushdb;
        "flushall"    -1 WRITE,            NO_KEYS  => server::flushall;
        "swapdb"       3 WRITE.with(FAST), NO_KEYS  => server::swapdb;
    }
};
