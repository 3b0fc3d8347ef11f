//! The table of commands against what `COMMAND INFO` of Redis 7.0.15 says.

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
object -2 - 0 0 0";

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
}
