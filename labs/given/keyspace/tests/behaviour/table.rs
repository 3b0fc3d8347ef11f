//! The table of commands against what `COMMAND INFO` of Redis 7.0.15 says.

use core_types::ArgsBuf;
use keyspace::{COMMANDS, Keys};

/// Name, arity, flags, first key, last key, step.
const FACTS: &str = "\
get 2 readonly,fast 1 1 1
set -3 write,denyoom 1 1 1
setnx 3 write,denyoom,fast 1 1 1
setex 4 write,denyoom 1 1 1
psetex 4 write,denyoom 1 1 1
getset 3 write,denyoom,fast 1 1 1
getdel 2 write,fast 1 1 1
getex -2 write,fast 1 1 1
append 3 write,denyoom,fast 1 1 1
strlen 2 readonly,fast 1 1 1
getrange 4 readonly 1 1 1
substr 4 readonly 1 1 1
setrange 4 write,denyoom 1 1 1
incr 2 write,denyoom,fast 1 1 1
decr 2 write,denyoom,fast 1 1 1
incrby 3 write,denyoom,fast 1 1 1
decrby 3 write,denyoom,fast 1 1 1
incrbyfloat 3 write,denyoom,fast 1 1 1
mget -2 readonly,fast 1 -1 1
mset -3 write,denyoom 1 -1 2
msetnx -3 write,denyoom 1 -1 2
del -2 write 1 -1 1
unlink -2 write,fast 1 -1 1
exists -2 readonly,fast 1 -1 1
type 2 readonly,fast 1 1 1
rename 3 write 1 2 1
renamenx 3 write,fast 1 2 1
copy -3 write,denyoom 1 2 1
keys 2 readonly 0 0 0
scan -2 readonly 0 0 0
randomkey 1 readonly 0 0 0
touch -2 readonly,fast 1 -1 1
expire -3 write,fast 1 1 1
pexpire -3 write,fast 1 1 1
expireat -3 write,fast 1 1 1
pexpireat -3 write,fast 1 1 1
ttl 2 readonly,fast 1 1 1
pttl 2 readonly,fast 1 1 1
expiretime 2 readonly,fast 1 1 1
pexpiretime 2 readonly,fast 1 1 1
persist 2 write,fast 1 1 1
move 3 write,fast 1 1 1
swapdb 3 write,fast 0 0 0
dbsize 1 readonly,fast 0 0 0
flushdb -1 write 0 0 0
flushall -1 write 0 0 0
dump 2 readonly 1 1 1
restore -4 write,denyoom 1 1 1
restore-asking -4 write,denyoom,asking 1 1 1
memory -2 - 0 0 0
lpush -3 write,denyoom,fast 1 1 1
rpush -3 write,denyoom,fast 1 1 1
lpushx -3 write,denyoom,fast 1 1 1
rpushx -3 write,denyoom,fast 1 1 1
lpop -2 write,fast 1 1 1
rpop -2 write,fast 1 1 1
llen 2 readonly,fast 1 1 1
lrange 4 readonly 1 1 1
lindex 3 readonly 1 1 1
lset 4 write,denyoom 1 1 1
linsert 5 write,denyoom 1 1 1
lrem 4 write 1 1 1
ltrim 4 write 1 1 1
lpos -3 readonly 1 1 1
lmove 5 write,denyoom 1 2 1
rpoplpush 3 write,denyoom 1 2 1
lmpop -4 write,movablekeys 0 0 0
blpop -3 write,noscript,blocking 1 -2 1
brpop -3 write,noscript,blocking 1 -2 1
blmove 6 write,denyoom,noscript,blocking 1 2 1
brpoplpush 4 write,denyoom,noscript,blocking 1 2 1
blmpop -5 write,blocking,movablekeys 0 0 0
hset -4 write,denyoom,fast 1 1 1
hsetnx 4 write,denyoom,fast 1 1 1
hmset -4 write,denyoom,fast 1 1 1
hget 3 readonly,fast 1 1 1
hmget -3 readonly,fast 1 1 1
hgetall 2 readonly 1 1 1
hdel -3 write,fast 1 1 1
hexists 3 readonly,fast 1 1 1
hlen 2 readonly,fast 1 1 1
hstrlen 3 readonly,fast 1 1 1
hkeys 2 readonly 1 1 1
hvals 2 readonly 1 1 1
hincrby 4 write,denyoom,fast 1 1 1
hincrbyfloat 4 write,denyoom,fast 1 1 1
hrandfield -2 readonly 1 1 1
hscan -3 readonly 1 1 1
object -2 - 0 0 0
sadd -3 write,denyoom,fast 1 1 1
srem -3 write,fast 1 1 1
smembers 2 readonly 1 1 1
sismember 3 readonly,fast 1 1 1
smismember -3 readonly,fast 1 1 1
scard 2 readonly,fast 1 1 1
spop -2 write,fast 1 1 1
srandmember -2 readonly 1 1 1
smove 4 write,fast 1 2 1
sinter -2 readonly 1 -1 1
sinterstore -3 write,denyoom 1 -1 1
sintercard -3 readonly,movablekeys 0 0 0
sunion -2 readonly 1 -1 1
sunionstore -3 write,denyoom 1 -1 1
sdiff -2 readonly 1 -1 1
sdiffstore -3 write,denyoom 1 -1 1
sscan -3 readonly 1 1 1
zadd -4 write,denyoom,fast 1 1 1
zincrby 4 write,denyoom,fast 1 1 1
zrem -3 write,fast 1 1 1
zcard 2 readonly,fast 1 1 1
zscore 3 readonly,fast 1 1 1
zmscore -3 readonly,fast 1 1 1
zrank 3 readonly,fast 1 1 1
zrevrank 3 readonly,fast 1 1 1
zcount 4 readonly,fast 1 1 1
zlexcount 4 readonly,fast 1 1 1
zrange -4 readonly 1 1 1
zrangestore -5 write,denyoom 1 2 1
zrangebyscore -4 readonly 1 1 1
zrevrangebyscore -4 readonly 1 1 1
zrangebylex -4 readonly 1 1 1
zrevrangebylex -4 readonly 1 1 1
zrevrange -4 readonly 1 1 1
zremrangebyrank 4 write 1 1 1
zremrangebyscore 4 write 1 1 1
zremrangebylex 4 write 1 1 1
zunion -3 readonly,movablekeys 0 0 0
zinter -3 readonly,movablekeys 0 0 0
zdiff -3 readonly,movablekeys 0 0 0
zunionstore -4 write,denyoom,movablekeys 1 1 1
zinterstore -4 write,denyoom,movablekeys 1 1 1
zdiffstore -4 write,denyoom,movablekeys 1 1 1
zintercard -3 readonly,movablekeys 0 0 0
zpopmin -2 write,fast 1 1 1
zpopmax -2 write,fast 1 1 1
zmpop -4 write,movablekeys 0 0 0
zrandmember -2 readonly 1 1 1
zscan -3 readonly 1 1 1
bzpopmin -3 write,noscript,blocking,fast 1 -2 1
bzpopmax -3 write,noscript,blocking,fast 1 -2 1
bzmpop -5 write,blocking,movablekeys 0 0 0
sort -2 write,denyoom,movablekeys 1 1 1
sort_ro -2 readonly,movablekeys 1 1 1
setbit 4 write,denyoom 1 1 1
getbit 3 readonly,fast 1 1 1
bitcount -2 readonly 1 1 1
bitpos -3 readonly 1 1 1
bitop -4 write,denyoom 2 -1 1";

#[test]
fn every_command_is_declared_as_redis_declares_it() {
    let declared: Vec<String> = COMMANDS
        .iter()
        .map(|(spec, _)| {
            let flags: Vec<&str> = spec.flags.names().collect();
            let flags = if flags.is_empty() { "-".to_string() } else { flags.join(",") };
            let Keys { first, last, step } = spec.keys;
            format!("{} {} {flags} {first} {last} {step}", spec.name, spec.arity)
        })
        .collect();
    for fact in FACTS.lines() {
        assert!(declared.iter().any(|line| line == fact), "{fact}\nis not among\n{declared:#?}");
    }
    assert_eq!(declared.len(), FACTS.lines().count());
}

#[test]
fn arity_counts_the_name() {
    let spec = |name| &COMMANDS.iter().find(|(spec, _)| spec.name == name).unwrap().0;
    assert!(spec("get").accepts(2) && !spec("get").accepts(1) && !spec("get").accepts(3));
    assert!(spec("del").accepts(2) && spec("del").accepts(9) && !spec("del").accepts(1));
}

#[test]
fn places_of_keys() {
    let places = |name, count| -> Vec<usize> {
        COMMANDS.iter().find(|(spec, _)| spec.name == name).unwrap().0.keys.places(count).collect()
    };
    assert_eq!(places("get", 2), [1]);
    assert_eq!(places("mset", 5), [1, 3]);
    assert_eq!(places("del", 4), [1, 2, 3]);
    assert_eq!(places("rename", 3), [1, 2]);
    assert_eq!(places("keys", 2), [0; 0]);
    assert_eq!(places("blpop", 4), [1, 2]);
}

#[test]
fn counted_keys_are_found_in_the_call() {
    let places = |line: &str| -> Vec<usize> {
        let args = ArgsBuf::from_parts(line.split(' '));
        let name = line.split(' ').next().unwrap().to_lowercase();
        let (spec, _) = COMMANDS.iter().find(|(spec, _)| spec.name == name).unwrap();
        spec.key_places(args.as_args()).collect()
    };
    assert_eq!(places("LMPOP 2 a b LEFT"), [2, 3]);
    assert_eq!(places("BLMPOP 0 1 a LEFT COUNT 3"), [3]);
    assert_eq!(places("GET a"), [1]);
    // A count that lies is refused later; until then there are no keys.
    assert_eq!(places("LMPOP 99999999999 a LEFT"), [0; 0]);
    assert_eq!(places("LMPOP -1 a LEFT"), [0; 0]);
    assert_eq!(places("LMPOP x a LEFT"), [0; 0]);
}

#[test]
fn places_of_keys_that_move() {
    let places = |line: &str| -> Vec<usize> {
        let args = core_types::ArgsBuf::from_parts(line.split(' '));
        let name = line.split(' ').next().unwrap().to_lowercase();
        let spec = &COMMANDS.iter().find(|(spec, _)| spec.name == name).unwrap().0;
        spec.key_places(args.as_args()).collect()
    };
    assert_eq!(places("GET k"), [1]);
    assert_eq!(places("ZUNION 2 a b WITHSCORES"), [2, 3]);
    assert_eq!(places("ZUNIONSTORE to 2 a b WEIGHTS 1 2"), [1, 3, 4]);
    assert_eq!(places("BZMPOP 0 2 a b MIN"), [3, 4]);
    assert_eq!(places("ZMPOP 9 a b MIN"), [0; 0], "more than there are");
    assert_eq!(places("ZUNIONSTORE to 9 a b"), [0; 0], "not even the one that is certain");
    assert_eq!(places("SINTERCARD x a"), [0; 0]);
    assert_eq!(places("SORT l BY store LIMIT 0 1 STORE x STORE to"), [1, 10]);
    assert_eq!(places("SORT l GET STORE"), [1]);
}
