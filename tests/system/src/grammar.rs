//! Commands made up at random, from one pattern for each form of a command.
//!
//! A pattern is words. `{…}` stands for something drawn, `(a|b)` for one of several words, `+` in front
//! of a word for one to three of it, and what stands between `[` and `]` may be left out.

use core_types::Rng;

/// How a reply is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compare {
    /// Byte for byte.
    Exactly,
    /// Its elements in any order: they have none.
    Sorted,
    /// Not at all: it is drawn, or depends on the very moment.
    Nothing,
}

use Compare::{Exactly, Nothing, Sorted};

/// Every form of every command that is generated.
pub const PATTERNS: &[(Compare, &str)] = &[
    (Exactly, "SET {s} {v} [ (NX|XX) ] [ GET ] [ (EX|PX|EXAT|PXAT) {ttl} ]"),
    (Exactly, "SET {s} {v} KEEPTTL"),
    (Exactly, "SETNX {s} {v}"),
    (Exactly, "SETEX {s} {ttl} {v}"),
    (Exactly, "PSETEX {s} {ttl} {v}"),
    (Exactly, "GET {s}"),
    (Exactly, "GETSET {s} {v}"),
    (Exactly, "GETDEL {s}"),
    (Exactly, "GETEX {s} [ (EX|PX|PERSIST|FOO) ]"),
    (Exactly, "GETEX {s} (EX|PX) {ttl}"),
    (Exactly, "APPEND {s} {v}"),
    (Exactly, "STRLEN {s}"),
    (Exactly, "(GETRANGE|SUBSTR) {s} {i} {i}"),
    (Exactly, "SETRANGE {s} {i} {v}"),
    (Exactly, "MGET +{s}"),
    (Exactly, "MSET {s} {v} {s} {v}"),
    (Exactly, "MSETNX {s} {v} {s} {v}"),
    (Exactly, "(INCR|DECR) {s}"),
    (Exactly, "(INCRBY|DECRBY) {s} {n}"),
    (Exactly, "INCRBYFLOAT {s} {f}"),
    (Exactly, "SETBIT {s} {i} (0|1|2)"),
    (Exactly, "GETBIT {s} {i}"),
    (Exactly, "BITCOUNT {s} [ {i} {i} [ (BYTE|BIT|FOO) ] ]"),
    (Exactly, "BITPOS {s} (0|1|2) [ {i} [ {i} [ (BYTE|BIT) ] ] ]"),
    (Exactly, "BITOP (AND|OR|XOR|NOT|FOO) {s} +{s}"),
    (Exactly, "(LPUSH|RPUSH|LPUSHX|RPUSHX) {l} +{v}"),
    (Exactly, "(LPUSH|RPUSH) {l} +{v}"),
    (Exactly, "(LPOP|RPOP) {l} [ {i} ]"),
    (Exactly, "LLEN {l}"),
    (Exactly, "LRANGE {l} {i} {i}"),
    (Exactly, "LINDEX {l} {i}"),
    (Exactly, "LSET {l} {i} {v}"),
    (Exactly, "LINSERT {l} (BEFORE|AFTER|FOO) {v} {v}"),
    (Exactly, "LREM {l} {i} {v}"),
    (Exactly, "LTRIM {l} {i} {i}"),
    (Exactly, "LPOS {l} {v} [ RANK {i} ] [ COUNT {i} ] [ MAXLEN {i} ]"),
    (Exactly, "LMOVE {l} {l} (LEFT|RIGHT) (LEFT|RIGHT|FOO)"),
    (Exactly, "RPOPLPUSH {l} {l}"),
    (Exactly, "LMPOP {i} +{l} (LEFT|RIGHT) [ COUNT {i} ]"),
    (Exactly, "LMPOP 2 {l} {l} (LEFT|RIGHT) [ COUNT {i} ]"),
    (Exactly, "(BLPOP|BRPOP) {l} {l} 0.001"),
    (Exactly, "BLMOVE {l} {l} (LEFT|RIGHT) (LEFT|RIGHT) 0.001"),
    (Exactly, "BRPOPLPUSH {l} {l} 0.001"),
    (Exactly, "BLMPOP 0.001 1 {l} (LEFT|RIGHT) [ COUNT {i} ]"),
    (Exactly, "HSET {h} {m} {v} [ {m} {v} ]"),
    (Exactly, "HSET {h} {m}"),
    (Exactly, "HSETNX {h} {m} {v}"),
    (Exactly, "HMSET {h} {m} {v} {m} {v}"),
    (Exactly, "HGET {h} {m}"),
    (Exactly, "HMGET {h} +{m}"),
    (Sorted, "HGETALL {h}"),
    (Exactly, "HDEL {h} +{m}"),
    (Exactly, "HEXISTS {h} {m}"),
    (Exactly, "HLEN {h}"),
    (Exactly, "HSTRLEN {h} {m}"),
    (Sorted, "(HKEYS|HVALS) {h}"),
    (Exactly, "HINCRBY {h} {m} {n}"),
    (Exactly, "HINCRBYFLOAT {h} {m} {f}"),
    (Nothing, "HRANDFIELD {h} [ {i} [ WITHVALUES ] ]"),
    (Nothing, "(HSCAN|SSCAN|ZSCAN) {h} 0"),
    (Nothing, "(HSCAN|SSCAN|ZSCAN) {z} 0 [ MATCH m* ] [ COUNT 3 ]"),
    (Nothing, "SSCAN {t} 0 [ MATCH m* ] [ COUNT 3 ]"),
    (Exactly, "SADD {t} +{m}"),
    (Exactly, "SREM {t} +{m}"),
    (Exactly, "SMOVE {t} {t} {m}"),
    (Exactly, "SCARD {t}"),
    (Exactly, "SISMEMBER {t} {m}"),
    (Exactly, "SMISMEMBER {t} +{m}"),
    (Sorted, "SMEMBERS {t}"),
    (Sorted, "SPOP {t} 100"),
    (Exactly, "SPOP {t} (0|-1|x)"),
    (Nothing, "SRANDMEMBER {t} [ {i} ]"),
    (Sorted, "(SINTER|SUNION|SDIFF) +{t}"),
    (Exactly, "(SINTERSTORE|SUNIONSTORE|SDIFFSTORE) {t} +{t}"),
    (Exactly, "SINTERCARD 2 {t} {t} [ LIMIT {i} ]"),
    (Exactly, "SINTERCARD {i} {t} {t}"),
    (Exactly, "ZADD {z} [ (NX|XX|GT|LT) ] [ CH ] {sc} {m} [ {sc} {m} ]"),
    (Exactly, "ZADD {z} [ (NX|XX|GT|LT) ] [ (NX|GT|LT) ] [ INCR ] {sc} {m}"),
    (Exactly, "ZINCRBY {z} {sc} {m}"),
    (Exactly, "ZREM {z} +{m}"),
    (Exactly, "ZCARD {z}"),
    (Exactly, "ZSCORE {z} {m}"),
    (Exactly, "ZMSCORE {z} +{m}"),
    (Exactly, "(ZRANK|ZREVRANK) {z} {m}"),
    (Nothing, "ZRANDMEMBER {z} [ {i} [ WITHSCORES ] ]"),
    (Exactly, "ZCOUNT {z} {min} {min}"),
    (Exactly, "ZLEXCOUNT {z} {lex} {lex}"),
    (Exactly, "ZRANGE {z} {i} {i} [ REV ] [ WITHSCORES ]"),
    (Exactly, "ZRANGE {z} {min} {min} BYSCORE [ REV ] [ LIMIT {i} {i} ] [ WITHSCORES ]"),
    (Exactly, "ZRANGE {z} {lex} {lex} BYLEX [ REV ] [ LIMIT {i} {i} ] [ WITHSCORES ]"),
    (Exactly, "ZRANGESTORE {z} {z} {i} {i} [ REV ]"),
    (Exactly, "ZRANGESTORE {z} {z} {min} {min} BYSCORE [ REV ] [ LIMIT {i} {i} ]"),
    (Exactly, "ZREVRANGE {z} {i} {i} [ WITHSCORES ]"),
    (Exactly, "(ZRANGEBYSCORE|ZREVRANGEBYSCORE) {z} {min} {min} [ WITHSCORES ] [ LIMIT {i} {i} ]"),
    (Exactly, "(ZRANGEBYLEX|ZREVRANGEBYLEX) {z} {lex} {lex} [ LIMIT {i} {i} ]"),
    (Exactly, "ZREMRANGEBYRANK {z} {i} {i}"),
    (Exactly, "ZREMRANGEBYSCORE {z} {min} {min}"),
    (Exactly, "ZREMRANGEBYLEX {z} {lex} {lex}"),
    (
        Exactly,
        "(ZUNION|ZINTER) 2 {z} {z} [ WEIGHTS {sc} {sc} ] [ AGGREGATE (SUM|MIN|MAX|FOO) ] [ WITHSCORES ]",
    ),
    (Exactly, "ZUNION 2 {z} {t} [ WITHSCORES ]"),
    (Exactly, "ZDIFF 2 {z} {z} [ WITHSCORES ]"),
    (Exactly, "(ZUNIONSTORE|ZINTERSTORE) {z} 2 {z} {z} [ WEIGHTS {sc} {sc} ] [ AGGREGATE (SUM|MIN|MAX) ]"),
    (Exactly, "ZDIFFSTORE {z} 2 {z} {z}"),
    (Exactly, "ZINTERCARD 2 {z} {z} [ LIMIT {i} ]"),
    (Exactly, "(ZPOPMIN|ZPOPMAX) {z} [ {i} ]"),
    (Exactly, "ZMPOP 2 {z} {z} (MIN|MAX) [ COUNT {i} ]"),
    (Exactly, "(BZPOPMIN|BZPOPMAX) {z} {z} 0.001"),
    (Exactly, "BZMPOP 0.001 2 {z} {z} (MIN|MAX) [ COUNT {i} ]"),
    (Exactly, "(SORT|SORT_RO) {k} [ LIMIT {i} {i} ] [ (ASC|DESC) ] ALPHA"),
    (Exactly, "(SORT|SORT_RO) {l} [ LIMIT {i} {i} ] [ (ASC|DESC) ]"),
    // Where weights are equal, or missing, the order is nobody's.
    (Sorted, "SORT {l} BY s* GET # ALPHA"),
    (Exactly, "SORT {l} GET # GET s* ALPHA"),
    (Exactly, "SORT {l} ALPHA STORE {l}"),
    (Exactly, "(DEL|UNLINK|EXISTS|TOUCH) +{k}"),
    (Exactly, "TYPE {k}"),
    (Exactly, "(RENAME|RENAMENX) {k} {k}"),
    (Exactly, "COPY {k} {k} [ DB 1 ] [ REPLACE ]"),
    (Exactly, "MOVE {k} 1"),
    (Sorted, "KEYS (*|s*|?1|[lz]*|nokey)"),
    (Nothing, "SCAN 0 [ TYPE string ]"),
    (Nothing, "RANDOMKEY"),
    (Exactly, "(EXPIRE|PEXPIRE|EXPIREAT|PEXPIREAT) {k} {ttl} [ (NX|XX|FOO) ]"),
    (Exactly, "(EXPIRE|EXPIREAT) {k} (0|-1|x|99999999999999999)"),
    (Nothing, "(TTL|PTTL|EXPIRETIME|PEXPIRETIME) {k}"),
    (Exactly, "PERSIST {k}"),
    (Nothing, "DUMP {k}"),
    (Exactly, "(RESTORE|RESTORE-ASKING) {k} 0 {v}"),
    (Exactly, "OBJECT (REFCOUNT|FREQ) nokey"),
    (Exactly, "OBJECT ENCODING {s}"),
    (Nothing, "OBJECT IDLETIME {k}"),
    (Nothing, "MEMORY USAGE {k}"),
    (Exactly, "DBSIZE"),
    (Exactly, "SWAPDB 1 2"),
    (Exactly, "ECHO {v}"),
    (Exactly, "PUBLISH {v} {v}"),
    (Sorted, "(SMEMBERS|HGETALL|HKEYS) {k}"),
    (Exactly, "(GET|LLEN|HLEN|SCARD|ZCARD|STRLEN|TYPE|INCR|LPOP) {k} [ {k} ]"),
];

/// A command that fits `pattern`.
pub fn make(pattern: &str, rng: &mut Rng) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    // How many brackets deep we are in something that is left out.
    let mut skipped = 0;
    for word in pattern.split(' ') {
        match word {
            "[" if skipped > 0 || !rng.chance(40) => skipped += 1,
            "]" if skipped > 0 => skipped -= 1,
            "[" | "]" => {}
            _ if skipped > 0 => {}
            _ => match word.strip_prefix('+') {
                Some(word) => (0..rng.between(1, 3)).for_each(|_| words.push(draw(word, rng))),
                None => words.push(draw(word, rng)),
            },
        }
    }
    words
}

fn draw(word: &str, rng: &mut Rng) -> Vec<u8> {
    if let Some(choice) = word.strip_prefix('(').and_then(|word| word.strip_suffix(')')) {
        let words: Vec<&str> = choice.split('|').collect();
        return rng.pick(&words).expect("at least one word").as_bytes().to_vec();
    }
    let pick = |rng: &mut Rng, words: &[&str]| (*rng.pick(words).expect("words")).to_owned();
    let text = match word {
        "{s}" | "{l}" | "{h}" | "{t}" | "{z}" => {
            // Now and then a key of another type.
            let letter =
                if rng.chance(6) { pick(rng, &["s", "l", "h", "t", "z"]) } else { word[1..2].into() };
            format!("{letter}{}", rng.below(4))
        }
        "{k}" => format!("{}{}", pick(rng, &["s", "l", "h", "t", "z"]), rng.below(4)),
        "{v}" => match rng.below(6) {
            0 => {
                pick(rng, &["", "1.5", "9223372036854775807", "-1", "0", "007", " 1", "a b", "\r\n", "\x01x"])
            }
            1 => "long ".repeat(rng.between(5, 40) as usize),
            2 => format!("v{}", rng.below(5)),
            _ => rng.below(20).to_string(),
        },
        "{m}" => match rng.below(4) {
            0 => rng.below(12).to_string(),
            1 if rng.chance(10) => "m".repeat(100),
            _ => format!("m{}", rng.below(12)),
        },
        "{i}" if rng.chance(4) => pick(rng, &["x", "", "1.0", "99999999999999999999"]),
        "{i}" => (rng.below(12) as i64 - 4).to_string(),
        "{n}" if rng.chance(10) => pick(rng, &["9223372036854775807", "-9223372036854775808", "x", "1.5"]),
        "{n}" => (rng.below(2000) as i64 - 1000).to_string(),
        "{f}" if rng.chance(10) => pick(rng, &["inf", "nan", "x", "1e400", "3.0e3", " 1"]),
        "{f}" => format!("{}.{}", rng.below(20) as i64 - 10, rng.below(100)),
        "{sc}" if rng.chance(12) => pick(rng, &["inf", "-inf", "nan", "x", "1e300", "0.1"]),
        "{sc}" => (rng.below(20) as i64 - 5).to_string(),
        "{min}" => pick(rng, &["-inf", "+inf", "0", "(0", "3", "(3", "7.5", "10", "x", "(inf"]),
        "{lex}" => pick(rng, &["-", "+", "[m1", "(m1", "[m5", "(m5", "[", "x", "[3"]),
        // So long that no key expires while the test runs, in any unit.
        "{ttl}" => pick(rng, &["9999999999999", "8888888888888", "7777777777777"]),
        other => other.to_owned(),
    };
    text.into_bytes()
}
