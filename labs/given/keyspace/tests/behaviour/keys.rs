//! Commands on keys of any type, expiry and scans.

use crate::support::Shell;
use core_types::ExpiredKey;
use keyspace::Deleted;

#[test]
fn keys_are_deleted_renamed_copied_and_moved() {
    let mut shell = Shell::new();
    shell.check(&[
        ("MSET a 1 b 2", "OK"),
        ("RENAME none x", "-ERR no such key"),
        ("RENAME a a", "OK"),
        ("RENAMENX a a", "0"),
        ("RENAMENX a b", "0"),
        ("EXPIRE a 100", "1"),
        ("RENAME a b", "OK"),
        ("TTL b", "100"),
        ("EXISTS a b b", "2"),
        ("TYPE a", "none"),
        ("TYPE b", "string"),
        ("COPY b b", "-ERR source and destination objects are the same"),
        ("COPY b c", "1"),
        ("TTL c", "100"),
        ("COPY b c", "0"),
        ("COPY b c REPLACE", "1"),
        ("COPY b b DB 1", "1"),
        ("COPY b b DB 16", "-ERR DB index is out of range"),
        ("COPY b b DB x", "-ERR value is not an integer or out of range"),
        (
            "COPY b b DB 4294967296",
            "-ERR value is out of range, value must between -2147483648 and 2147483647",
        ),
        ("COPY b d FOO", "-ERR syntax error"),
        ("MOVE b 1", "0"),
        ("MOVE c 1", "1"),
        ("MOVE c 0", "-ERR source and destination objects are the same"),
        ("DBSIZE", "1"),
        ("TOUCH b c", "1"),
        ("SWAPDB 0 1", "OK"),
        ("DBSIZE", "2"),
        ("SWAPDB x 1", "-ERR invalid first DB index"),
        ("SWAPDB 0 x", "-ERR invalid second DB index"),
        ("SWAPDB 0 16", "-ERR DB index is out of range"),
        ("DEL b c c", "2"),
        ("UNLINK b", "0"),
        ("FLUSHDB FOO", "-ERR syntax error"),
        ("FLUSHALL ASYNC", "OK"),
    ]);
    assert!(shell.keyspace.is_empty());
}

#[test]
fn an_expiry_obeys_its_conditions() {
    let mut shell = Shell::new();
    shell.check(&[
        ("SET k v", "OK"),
        ("EXPIRE none 10", "0"),
        ("EXPIRE k 10 XX", "0"),
        ("EXPIRE k 10 GT", "0"),
        ("EXPIRE k 10 LT", "1"),
        ("EXPIRE k 5 NX", "0"),
        ("EXPIRE k 5 GT", "0"),
        ("EXPIRE k 20 GT", "1"),
        ("EXPIRE k 30 LT", "0"),
        ("TTL k", "20"),
        ("PTTL k", "20000"),
        ("EXPIRETIME k", "1020"),
        ("PEXPIRETIME k", "1020000"),
        ("PERSIST k", "1"),
        ("PERSIST k", "0"),
        ("TTL k", "-1"),
        ("TTL none", "-2"),
        ("EXPIRE k x", "-ERR value is not an integer or out of range"),
        ("EXPIRE k 1 FOO", "-ERR Unsupported option FOO"),
        ("EXPIRE k 1 a\r\nb", "-ERR Unsupported option a  b"),
        ("EXPIRE k 1 NX GT", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
        ("EXPIRE k 1 GT LT", "-ERR GT and LT options at the same time are not compatible"),
        ("EXPIRE k 9223372036854775807", "-ERR invalid expire time in 'expire' command"),
        ("PEXPIRE k 9223372036854775807", "-ERR invalid expire time in 'pexpire' command"),
        ("EXPIRE k -1", "1"),
        ("EXISTS k", "0"),
    ]);
}

#[test]
fn replicas_are_told_absolute_times() {
    let mut shell = Shell::new();
    shell.run("SET k v");
    shell.check_told(&[
        ("EXPIRE k 10", &["PEXPIREAT k 1010000"]),
        ("EXPIRE k 20 GT", &["PEXPIREAT k 1020000 GT"]),
        ("PEXPIRE k 5", &["PEXPIREAT k 1000005"]),
        ("EXPIREAT k 2000", &["PEXPIREAT k 2000000"]),
        ("pexpireat k 2000001", &["pexpireat k 2000001"]),
        ("EXPIRE k 10 NX", &[]),
        ("EXPIRE k -1", &["DEL k"]),
        ("FLUSHALL", &["FLUSHALL"]),
        ("FLUSHDB", &["FLUSHDB"]),
        ("DEL none", &[]),
        ("RENAME none x", &[]),
    ]);
}

#[test]
fn a_master_deletes_an_expired_key_and_tells() {
    let mut shell = Shell::new();
    shell.run("MSET a 1 b 2");
    shell.run("PEXPIRE a 100");
    shell.pass(100);
    shell.check(&[("GET a", "\"1\"")]);
    shell.pass(1);
    shell.check(&[("DBSIZE", "2"), ("GET a", "nil"), ("DBSIZE", "1")]);
    shell.run("SET a 1 PX 100");
    shell.pass(101);
    shell.check_told(&[("INCR a", &["DEL a", "INCR a"]), ("GET a", &[])]);
    shell.run("PEXPIRE b 100");
    shell.pass(101);
    shell.check(&[("DEL b", "0")]);
    assert_eq!(shell.told, ["DEL b"]);
    assert_eq!(shell.effects.expired, 1);
}

#[test]
fn a_replica_hides_an_expired_key_and_keeps_it() {
    let mut shell = Shell::new();
    shell.run("SET a 1 PX 100");
    shell.pass(101);
    shell.expired = ExpiredKey::Hide;
    shell.check(&[
        ("GET a", "nil"),
        ("EXISTS a", "0"),
        ("TTL a", "-2"),
        ("KEYS *", "[]"),
        ("SCAN 0", "[\"0\" []]"),
        ("RANDOMKEY", "nil"),
        ("DBSIZE", "1"),
    ]);
    assert!(shell.told.is_empty());
    // A writable replica starts anew with it.
    shell.check(&[("INCR a", "1"), ("TTL a", "-1")]);
}

#[test]
fn the_master_s_stream_finds_expired_keys_as_they_were() {
    let mut shell = Shell::new();
    shell.run("SET a 1 PX 100");
    shell.pass(101);
    shell.expired = ExpiredKey::Keep;
    shell.check(&[
        ("INCR a", "2"),
        ("PEXPIREAT a 5", "1"),
        ("PTTL a", "0"),
        ("APPEND a x", "2"),
        ("DEL a", "1"),
    ]);
}

#[test]
fn hits_and_misses_are_counted() {
    let mut shell = Shell::new();
    shell.run("SET k v");
    assert_eq!((shell.effects.hits, shell.effects.misses), (0, 0));
    shell.run("MGET k none k");
    assert_eq!((shell.effects.hits, shell.effects.misses), (2, 1));
}

#[test]
fn active_expiry_finds_every_dead_key_within_its_budget() {
    let mut shell = Shell::new();
    for index in 0..1000 {
        shell.db = index % 3;
        shell.run(&format!("SET k{index} v PX {}", 100 + index));
        shell.run(&format!("SET stays{index} v"));
    }
    shell.pass(600);
    let mut deleted = Vec::new();
    let mut calls = 0;
    while deleted.len() < 500 {
        shell.keyspace.active_expire(shell.now, 60, &mut deleted);
        shell.keyspace.check_invariants().unwrap();
        calls += 1;
        assert!(calls < 200, "{} found", deleted.len());
    }
    assert_eq!(deleted.len(), 500);
    assert!(deleted.iter().all(|Deleted { db, key }| shell.keyspace.db(*db).get(key).is_none()));
    assert_eq!((0..3).map(|db| shell.keyspace.db(db).volatile_len()).sum::<usize>(), 500);
}

#[test]
fn a_scan_finds_every_key_that_stays() {
    let mut shell = Shell::new();
    for index in 0..100 {
        shell.run(&format!("SET stays{index} v"));
        shell.run(&format!("SET goes{index} v"));
    }
    let mut seen = std::collections::BTreeSet::new();
    let (mut cursor, mut round) = ("0".to_string(), 0);
    loop {
        let reply = shell.run(&format!("SCAN {cursor} COUNT 7"));
        let mut words = reply.split(['[', ']', '"', ' ']).filter(|word| !word.is_empty());
        cursor = words.next().unwrap().to_string();
        seen.extend(words.map(str::to_string));
        shell.run(&format!("DEL goes{} goes{} goes{}", round * 3, 99 - round * 3, 50));
        shell.run(&format!("MSET new{round} v stays{} w", round % 100));
        round += 1;
        if cursor == "0" {
            break;
        }
    }
    for index in 0..100 {
        assert!(seen.contains(&format!("stays{index}")), "stays{index} was missed");
    }
}

#[test]
fn scan_filters_and_checks_its_options() {
    let mut shell = Shell::new();
    shell.run("MSET a1 v a2 v b1 v");
    shell.check(&[
        ("SCAN 0 MATCH a* COUNT 100", "[\"0\" [\"a2\" \"a1\"]]"),
        ("SCAN 0 TYPE STRING COUNT 2", "[\"1\" [\"b1\" \"a2\"]]"),
        ("SCAN 1", "[\"0\" [\"a1\"]]"),
        ("SCAN 0 TYPE list", "[\"0\" []]"),
        ("SCAN 99999", "[\"0\" [\"b1\" \"a2\" \"a1\"]]"),
        ("SCAN x", "-ERR invalid cursor"),
        ("SCAN 0 COUNT 0", "-ERR syntax error"),
        ("SCAN 0 COUNT x", "-ERR value is not an integer or out of range"),
        ("SCAN 0 MATCH", "-ERR syntax error"),
        ("SCAN 0 FOO 1", "-ERR syntax error"),
        ("KEYS [ab]1", "[\"a1\" \"b1\"]"),
    ]);
}

#[test]
fn object_answers_about_keys() {
    let mut shell = Shell::new();
    shell.run("SET k v");
    shell.pass(5000);
    shell.check(&[
        ("OBJECT IDLETIME k", "5"),
        ("TTL k", "-1"),
        ("OBJECT IDLETIME k", "5"),
        ("TOUCH k", "1"),
        ("OBJECT IDLETIME k", "0"),
        ("OBJECT ENCODING none", "nil"),
        ("OBJECT FOO k", "-ERR unknown subcommand 'FOO'. Try OBJECT HELP."),
        ("OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command"),
    ]);
    assert!(shell.run("OBJECT FREQ k").starts_with("-ERR An LFU maxmemory policy is not selected"));
}

#[test]
fn the_same_commands_give_the_same_order() {
    let run = |seed| {
        let mut shell = Shell::new();
        shell.keyspace = keyspace::Keyspace::new(16, seed);
        for index in 0..200 {
            shell.run(&format!("SET k{} v", index * 7 % 150));
            shell.run(&format!("DEL k{}", index * 3 % 150));
        }
        shell.run("KEYS *")
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn the_del_of_an_expired_key_of_another_database_names_that_database() {
    let mut shell = Shell::new();
    shell.db = 1;
    shell.run("SET k old PX 1");
    shell.db = 0;
    shell.run("SET k new");
    shell.pass(2);
    assert_eq!(shell.run("MOVE k 1"), "1");
    assert!(shell.effects.before.is_empty(), "the key of that name here must stay");
    let told: Vec<_> = shell.effects.elsewhere.iter().map(|(db, del)| (*db, del.as_args().len())).collect();
    assert_eq!(told, [(1, 2)]);
}
