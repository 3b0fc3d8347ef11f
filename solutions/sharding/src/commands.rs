//! What a command asks of a distributed data set: where its keys are, and whether they must be together.
//!
//! The places are those of Redis 7.0 (`COMMAND GETKEYS`).

use std::fmt;

use core_types::Args;

/// What a command asks of whoever distributes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Nothing: it concerns the connection, and a proxy answers it itself.
    Own,
    /// One server: the argument at this place is its only key.
    One(usize),
    /// One server for all of its keys, which are the arguments at these places.
    Together(Vec<usize>),
    /// The same for each of its keys, one by one: from the first argument on, each `step` arguments are an element, which
    /// begins with its key.
    Each {
        /// How the replies are put together.
        join: Join,
        /// How many arguments belong to one key: 1, or 2 if a value follows it.
        step: usize,
    },
    /// Nothing that can be done here.
    Not(Refusal),
}

/// How the replies to the parts of a command become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// A list with one value for each key (`MGET`).
    List,
    /// The sum of numbers (`DEL`, `UNLINK`, `EXISTS`, `TOUCH`).
    Sum,
    /// One status for all (`MSET`).
    Status,
}

/// Why a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It needs several keys together, and they live on different servers.
    Apart,
    /// It has no key, so it would concern a server, and nobody can say which (`KEYS`, `SCAN`, `FLUSHALL`).
    NoKey,
    /// It changes what its connection means, and a proxy's connections serve many clients (`MULTI`, `SUBSCRIBE`).
    Connection,
    /// It may wait, and everything behind it on the same connection would wait with it (`BLPOP`).
    Waits,
    /// A key or a value is missing.
    Arity,
    /// It is not known.
    Unknown,
}

/// The error as a client reads it.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Apart => "CROSSSERVER the keys of this command live on different servers",
            Refusal::NoKey => "ERR a proxy cannot route a command without a key",
            Refusal::Connection => "ERR a proxy cannot change its connections for one client",
            Refusal::Waits => "ERR a proxy's connections cannot wait for one client",
            Refusal::Arity => "ERR wrong number of arguments",
            Refusal::Unknown => "ERR unknown command",
        })
    }
}

/// What `args` asks for.
pub fn asks(args: &Args<'_>) -> Asks {
    let mut lower = [0; 24];
    let name = args.name();
    let Some(lower) = lower.get_mut(..name.len()) else { return Asks::Not(Refusal::Unknown) };
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    match keys_of(lower) {
        Keys::Own => Asks::Own,
        Keys::First if args.len() < 2 => Asks::Not(Refusal::Arity),
        Keys::First => Asks::One(1),
        Keys::Each(_, step) if args.len() < 2 || !(args.len() - 1).is_multiple_of(step) => {
            Asks::Not(Refusal::Arity)
        }
        Keys::Each(join, step) => Asks::Each { join, step },
        Keys::From { first, last, step } => from_to(args, first, last, step),
        Keys::Counted { count, also } => counted(args, count, also),
        Keys::Streams => streams(args),
        Keys::Store => store(args),
        Keys::Not(refusal) => Asks::Not(refusal),
    }
}

/// Where the keys of a command are.
enum Keys {
    Own,
    First,
    Each(Join, usize),
    /// Every `step`th argument from `first` to `last`; `None` is the last argument.
    From {
        first: usize,
        last: Option<usize>,
        step: usize,
    },
    /// As many as the argument at `count` says, behind it; and the argument at `also`.
    Counted {
        count: usize,
        also: Option<usize>,
    },
    /// The first half of what follows `STREAMS`.
    Streams,
    /// The first argument, and the one behind `STORE` or `STOREDIST`.
    Store,
    Not(Refusal),
}

fn keys_of(name: &[u8]) -> Keys {
    const ALL: Keys = Keys::From { first: 1, last: None, step: 1 };
    const TWO: Keys = Keys::From { first: 1, last: Some(2), step: 1 };
    match name {
        b"ping" | b"echo" | b"quit" | b"auth" | b"hello" | b"command" | b"client" | b"time" => Keys::Own,
        b"get"
        | b"set"
        | b"append"
        | b"bitcount"
        | b"bitfield"
        | b"bitfield_ro"
        | b"bitpos"
        | b"decr"
        | b"decrby"
        | b"dump"
        | b"expire"
        | b"expireat"
        | b"expiretime"
        | b"geoadd"
        | b"geodist"
        | b"geohash"
        | b"geopos"
        | b"georadius_ro"
        | b"georadiusbymember_ro"
        | b"geosearch"
        | b"getbit"
        | b"getdel"
        | b"getex"
        | b"getrange"
        | b"getset"
        | b"hdel"
        | b"hexists"
        | b"hget"
        | b"hgetall"
        | b"hincrby"
        | b"hincrbyfloat"
        | b"hkeys"
        | b"hlen"
        | b"hmget"
        | b"hmset"
        | b"hrandfield"
        | b"hscan"
        | b"hset"
        | b"hsetnx"
        | b"hstrlen"
        | b"hvals"
        | b"incr"
        | b"incrby"
        | b"incrbyfloat"
        | b"lindex"
        | b"linsert"
        | b"llen"
        | b"lpop"
        | b"lpos"
        | b"lpush"
        | b"lpushx"
        | b"lrange"
        | b"lrem"
        | b"lset"
        | b"ltrim"
        | b"persist"
        | b"pexpire"
        | b"pexpireat"
        | b"pexpiretime"
        | b"pfadd"
        | b"psetex"
        | b"pttl"
        | b"restore"
        | b"rpop"
        | b"rpush"
        | b"rpushx"
        | b"sadd"
        | b"scard"
        | b"setbit"
        | b"setex"
        | b"setnx"
        | b"setrange"
        | b"sismember"
        | b"smembers"
        | b"smismember"
        | b"spop"
        | b"srandmember"
        | b"srem"
        | b"sscan"
        | b"strlen"
        | b"substr"
        | b"ttl"
        | b"type"
        | b"xack"
        | b"xadd"
        | b"xautoclaim"
        | b"xclaim"
        | b"xdel"
        | b"xlen"
        | b"xpending"
        | b"xrange"
        | b"xrevrange"
        | b"xsetid"
        | b"xtrim"
        | b"zadd"
        | b"zcard"
        | b"zcount"
        | b"zincrby"
        | b"zlexcount"
        | b"zmscore"
        | b"zpopmax"
        | b"zpopmin"
        | b"zrandmember"
        | b"zrange"
        | b"zrangebylex"
        | b"zrangebyscore"
        | b"zrank"
        | b"zrem"
        | b"zremrangebylex"
        | b"zremrangebyrank"
        | b"zremrangebyscore"
        | b"zrevrange"
        | b"zrevrangebylex"
        | b"zrevrangebyscore"
        | b"zrevrank"
        | b"zscan"
        | b"zscore" => Keys::First,
        b"mget" => Keys::Each(Join::List, 1),
        b"del" | b"unlink" | b"exists" | b"touch" => Keys::Each(Join::Sum, 1),
        b"mset" => Keys::Each(Join::Status, 2),
        b"msetnx" => Keys::From { first: 1, last: None, step: 2 },
        b"pfcount" | b"pfmerge" | b"sdiff" | b"sdiffstore" | b"sinter" | b"sinterstore" | b"sunion"
        | b"sunionstore" => ALL,
        b"copy" | b"geosearchstore" | b"lcs" | b"lmove" | b"rename" | b"renamenx" | b"rpoplpush"
        | b"smove" | b"zrangestore" => TWO,
        b"bitop" => Keys::From { first: 2, last: None, step: 1 },
        b"zdiff" | b"zinter" | b"zunion" | b"zintercard" | b"sintercard" | b"lmpop" | b"zmpop" => {
            Keys::Counted { count: 1, also: None }
        }
        b"eval" | b"eval_ro" | b"evalsha" | b"evalsha_ro" | b"fcall" | b"fcall_ro" => {
            Keys::Counted { count: 2, also: None }
        }
        b"zdiffstore" | b"zinterstore" | b"zunionstore" => Keys::Counted { count: 2, also: Some(1) },
        b"xread" | b"xreadgroup" => Keys::Streams,
        b"sort" | b"sort_ro" | b"georadius" | b"georadiusbymember" => Keys::Store,
        b"blpop" | b"brpop" | b"bzpopmax" | b"bzpopmin" | b"blmove" | b"brpoplpush" | b"blmpop"
        | b"bzmpop" | b"wait" => Keys::Not(Refusal::Waits),
        b"multi" | b"exec" | b"discard" | b"watch" | b"unwatch" | b"subscribe" | b"psubscribe"
        | b"ssubscribe" | b"unsubscribe" | b"punsubscribe" | b"sunsubscribe" | b"monitor" | b"select"
        | b"reset" | b"asking" | b"readonly" | b"readwrite" | b"psync" | b"sync" | b"replconf" => {
            Keys::Not(Refusal::Connection)
        }
        b"acl" | b"bgrewriteaof" | b"bgsave" | b"cluster" | b"config" | b"dbsize" | b"debug"
        | b"failover" | b"flushall" | b"flushdb" | b"function" | b"info" | b"keys" | b"lastsave"
        | b"latency" | b"lolwut" | b"memory" | b"migrate" | b"module" | b"move" | b"object" | b"publish"
        | b"pubsub" | b"randomkey" | b"replicaof" | b"restore-asking" | b"role" | b"save" | b"scan"
        | b"script" | b"shutdown" | b"slaveof" | b"slowlog" | b"spublish" | b"swapdb" | b"xgroup"
        | b"xinfo" => Keys::Not(Refusal::NoKey),
        _ => Keys::Not(Refusal::Unknown),
    }
}

/// Some keys that must be together; one alone is with itself anyway.
fn together(keys: Vec<usize>) -> Asks {
    match keys[..] {
        [] => Asks::Not(Refusal::NoKey),
        [key] => Asks::One(key),
        _ => Asks::Together(keys),
    }
}

fn from_to(args: &Args<'_>, first: usize, last: Option<usize>, step: usize) -> Asks {
    let last = last.unwrap_or(args.len().saturating_sub(1));
    if last >= args.len() || last < first || !(last + 1 - first).is_multiple_of(step) {
        return Asks::Not(Refusal::Arity);
    }
    together((first..=last).step_by(step).collect())
}

fn counted(args: &Args<'_>, count: usize, also: Option<usize>) -> Asks {
    let number = args.get(count).and_then(|text| std::str::from_utf8(text).ok());
    let Some(number) = number.and_then(|text| text.parse::<usize>().ok()) else {
        return Asks::Not(Refusal::Arity);
    };
    if number > args.len() - count - 1 {
        return Asks::Not(Refusal::Arity);
    }
    together(also.into_iter().chain(count + 1..=count + number).collect())
}

fn streams(args: &Args<'_>) -> Asks {
    let Some(word) = (1..args.len()).find(|&place| args.is(place, "streams")) else {
        return Asks::Not(Refusal::Arity);
    };
    if (1..word).any(|place| args.is(place, "block")) {
        return Asks::Not(Refusal::Waits);
    }
    let rest = args.len() - word - 1;
    if rest == 0 || !rest.is_multiple_of(2) {
        return Asks::Not(Refusal::Arity);
    }
    together((word + 1..=word + rest / 2).collect())
}

/// `SORT` may also read keys by a pattern (`BY`, `GET`), which live anywhere: it is refused as in a cluster.
fn store(args: &Args<'_>) -> Asks {
    if args.len() < 2 {
        return Asks::Not(Refusal::Arity);
    }
    let sorts = args.is(0, "sort") || args.is(0, "sort_ro");
    let mut keys = vec![1];
    for place in 2..args.len() {
        if sorts && (args.is(place, "by") || args.is(place, "get")) {
            return Asks::Not(Refusal::Apart);
        }
        let stores = args.is(place, "store") || args.is(place, "storedist");
        if stores && place + 1 < args.len() {
            keys.push(place + 1);
        }
    }
    together(keys)
}
