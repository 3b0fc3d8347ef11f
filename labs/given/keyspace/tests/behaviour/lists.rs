//! Lists: what clients see, what replicas are told, who waits, and who is woken.

use core_types::Millis;
use keyspace::{TimeoutReply, Wait};

use crate::support::Shell;

fn list(elements: &str) -> Shell {
    let mut shell = Shell::new();
    shell.run(&format!("RPUSH l {elements}"));
    shell
}

#[test]
fn both_ends_push_and_pop() {
    Shell::new().check(&[
        ("LPUSHX l a", "0"),
        ("RPUSH l b c", "2"),
        ("LPUSH l a z", "4"),
        ("LRANGE l 0 -1", "[\"z\" \"a\" \"b\" \"c\"]"),
        ("LPOP l", "\"z\""),
        ("RPOP l 2", "[\"c\" \"b\"]"),
        ("LPOP l 0", "[]"),
        ("RPUSHX l 12", "2"),
        ("LLEN l", "2"),
        ("RPOP l 9", "[\"12\" \"a\"]"),
        ("EXISTS l", "0"),
        ("LPOP l", "nil"),
        ("LPOP l 1", "nil"),
        ("LPOP l -1", "-ERR value is out of range, must be positive"),
        ("LPOP l 1 1", "-ERR wrong number of arguments for 'lpop' command"),
    ]);
}

#[test]
fn places_count_from_either_end() {
    list("a b c d").check(&[
        ("LINDEX l 0", "\"a\""),
        ("LINDEX l -1", "\"d\""),
        ("LINDEX l 4", "nil"),
        ("LINDEX l -5", "nil"),
        ("LRANGE l 1 2", "[\"b\" \"c\"]"),
        ("LRANGE l -100 0", "[\"a\"]"),
        ("LRANGE l 2 1", "[]"),
        ("LRANGE l 4 9", "[]"),
        ("LSET l -2 x", "OK"),
        ("LSET l 4 x", "-ERR index out of range"),
        ("LSET nokey 0 x", "-ERR no such key"),
        ("LRANGE l 0 -1", "[\"a\" \"b\" \"x\" \"d\"]"),
        ("LTRIM l 1 -2", "OK"),
        ("LRANGE l 0 -1", "[\"b\" \"x\"]"),
        ("LTRIM l 5 9", "OK"),
        ("TYPE l", "none"),
    ]);
}

#[test]
fn elements_are_found_by_what_they_are() {
    list("a b a 1 a").check(&[
        ("LINSERT l BEFORE b x", "6"),
        ("LINSERT l AFTER 1 y", "7"),
        ("LINSERT l AFTER 01 y", "-1"),
        ("LINSERT nokey AFTER 1 y", "0"),
        ("LINSERT l BEHIND 1 y", "-ERR syntax error"),
        ("LRANGE l 0 -1", "[\"a\" \"x\" \"b\" \"a\" \"1\" \"y\" \"a\"]"),
        ("LPOS l a", "0"),
        ("LPOS l a RANK 2", "3"),
        ("LPOS l a RANK -1", "6"),
        ("LPOS l a COUNT 0", "[0 3 6]"),
        ("LPOS l a COUNT 2 RANK -1", "[6 3]"),
        ("LPOS l a COUNT 0 MAXLEN 4", "[0 3]"),
        ("LPOS l a RANK -1 COUNT 0 MAXLEN 4", "[6 3]"),
        ("LPOS l nothing", "nil"),
        ("LPOS l nothing COUNT 0", "[]"),
        ("LREM l -1 a", "1"),
        ("LREM l 1 a", "1"),
        ("LRANGE l 0 -1", "[\"x\" \"b\" \"a\" \"1\" \"y\"]"),
        ("LREM l 0 zzz", "0"),
    ]);
}

#[test]
fn elements_move_between_lists() {
    list("a b c").check(&[
        ("LMOVE l m LEFT RIGHT", "\"a\""),
        ("RPOPLPUSH l m", "\"c\""),
        ("LRANGE m 0 -1", "[\"c\" \"a\"]"),
        ("RPOPLPUSH m m", "\"a\""),
        ("LRANGE m 0 -1", "[\"a\" \"c\"]"),
        ("LMOVE l l LEFT RIGHT", "\"b\""),
        ("LMOVE l m LEFT LEFT", "\"b\""),
        ("EXISTS l", "0"),
        ("LMOVE l m LEFT LEFT", "nil"),
        ("LMPOP 2 l m RIGHT COUNT 2", "[\"m\" [\"c\" \"a\"]]"),
        ("LMPOP 1 m LEFT", "[\"m\" [\"b\"]]"),
        ("LMPOP 1 m LEFT", "nil"),
        ("LMPOP 0 m LEFT", "-ERR numkeys should be greater than 0"),
        ("LMPOP 2 m LEFT", "-ERR syntax error"),
        ("LMPOP 1 m LEFT COUNT 0", "-ERR count should be greater than 0"),
    ]);
}

#[test]
fn other_types_are_refused_and_nothing_is_lost() {
    let mut shell = list("a");
    shell.run("SET s x");
    let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    for command in ["LPUSH s a", "LRANGE s 0 -1", "LMOVE l s LEFT LEFT", "BLPOP s l 0", "GET l", "HGET l f"] {
        assert_eq!(shell.run(command), wrong, "{command}");
        assert!(shell.told.is_empty(), "{command}");
    }
    assert_eq!(shell.run("LRANGE l 0 -1"), "[\"a\"]");
}

#[test]
fn replicas_are_told_the_plain_command() {
    list("a b c d e f g h").check_told(&[
        ("LPOP l 0", &[]),
        ("LTRIM l 0 -1", &[]),
        ("BLPOP x l 0", &["LPOP l"]),
        ("BRPOP l 0", &["RPOP l"]),
        ("BLMOVE l m LEFT RIGHT 0", &["LMOVE l m LEFT RIGHT"]),
        ("BRPOPLPUSH l m 0", &["RPOPLPUSH l m"]),
        ("LMPOP 2 x l RIGHT COUNT 2", &["RPOP l 2"]),
        ("BLMPOP 0 1 l LEFT COUNT 9", &["LPOP l 2"]),
        ("LREM m 0 nothing", &[]),
        ("LPUSH m z", &["LPUSH m z"]),
    ]);
}

#[test]
fn a_blocking_command_waits_and_says_for_what() {
    let mut shell = Shell::new();
    let keys = |names: &[&str]| names.iter().map(|name| name.as_bytes().into()).collect();
    for (command, names, deadline) in [
        ("BLPOP a b 0", &["a", "b"][..], None),
        ("BRPOP a 0.0001", &["a"], Some(Millis(1_000_001))),
        ("BLMOVE a b LEFT LEFT 1.5", &["a"], Some(Millis(1_001_500))),
        ("BRPOPLPUSH a b 2", &["a"], Some(Millis(1_002_000))),
        ("BLMPOP 3 2 a b LEFT", &["a", "b"], Some(Millis(1_003_000))),
    ] {
        assert_eq!(shell.run(command), "", "{command}");
        let expected = Wait { keys: keys(names), deadline, on_timeout: TimeoutReply::NullArray };
        assert_eq!(shell.effects.wait, Some(expected), "{command}");
        assert!(shell.told.is_empty());
    }
    shell.check(&[
        ("BLPOP a x", "-ERR timeout is not a float or out of range"),
        ("BLPOP a -1", "-ERR timeout is negative"),
    ]);
    shell.may_block = false;
    shell.check(&[("BLPOP a 0", "nil"), ("BLMOVE a b LEFT LEFT 0", "nil")]);
    assert_eq!(shell.effects.wait, None);
}

#[test]
fn whoever_makes_a_list_wakes_those_who_wait() {
    let mut shell = Shell::new();
    for (command, ready) in [
        ("RPUSH a 1 2 3", Some("a")),
        ("RPUSH a 4", None),
        ("LMOVE a b LEFT LEFT", Some("b")),
        ("RENAME a c", Some("c")),
        ("COPY c d", Some("d")),
        ("SET e x", None),
        ("RENAME e f", None),
    ] {
        shell.run(command);
        let expected: Vec<(usize, Box<[u8]>)> =
            ready.into_iter().map(|key| (0, key.as_bytes().into())).collect();
        assert_eq!(shell.effects.ready, expected, "{command}");
    }
    shell.run("MOVE d 3");
    assert_eq!(shell.effects.ready, [(3, b"d".as_slice().into())]);
}

#[test]
fn lists_are_keys_like_any_other() {
    let mut shell = list("a b");
    shell.run("EXPIRE l 100");
    shell.check(&[
        ("TYPE l", "list"),
        ("OBJECT ENCODING l", "\"quicklist\""),
        ("SCAN 0 TYPE list", "[\"0\" [\"l\"]]"),
        ("SCAN 0 TYPE hash", "[\"0\" []]"),
        ("COPY l m", "1"),
        ("RPUSH m c", "3"),
        ("LLEN l", "2"),
        ("TTL m", "100"),
        ("SET l x", "OK"),
        ("GET l", "\"x\""),
        ("MEMORY USAGE nokey", "nil"),
        ("MEMORY USAGE m SAMPLES x", "-ERR value is not an integer or out of range"),
        ("MEMORY USAGE m SAMPLES -1", "-ERR syntax error"),
        ("MEMORY SHRINK", "-ERR unknown subcommand 'SHRINK'. Try MEMORY HELP."),
    ]);
    let usage = |shell: &mut Shell| shell.run("MEMORY USAGE m").parse::<usize>().unwrap();
    let before = usage(&mut shell);
    shell.run(&format!("RPUSH m {}", "x".repeat(1000)));
    assert!((1000..1100).contains(&(usage(&mut shell) - before)));
}

#[test]
fn a_large_list_stays_in_order() {
    let mut shell = Shell::new();
    for number in 0..5000 {
        shell.run(&format!("RPUSH l {number} {}", "x".repeat(number % 40)));
    }
    shell.run(&format!("LINSERT l BEFORE 2500 {}", "y".repeat(20_000)));
    assert_eq!(shell.run("LLEN l"), "10001");
    assert_eq!(shell.run("LINDEX l 5001"), "\"2500\"");
    assert_eq!(shell.run("LPOS l 4999"), "9999");
    assert_eq!(shell.run("LTRIM l 5001 -1"), "OK");
    assert_eq!(shell.run("LRANGE l 0 2"), "[\"2500\" \"xxxxxxxxxxxxxxxxxxxx\" \"2501\"]");
    assert_eq!(shell.run("LREM l 0 xxx"), "62");
}
