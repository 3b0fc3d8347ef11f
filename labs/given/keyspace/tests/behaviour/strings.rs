//! Strings and counters, with the replies of Redis 7.0.

use crate::support::Shell;

const NOT_AN_INTEGER: &str = "-ERR value is not an integer or out of range";
const SYNTAX: &str = "-ERR syntax error";

#[test]
fn set_obeys_its_conditions() {
    let mut shell = Shell::new();
    shell.check(&[
        ("SET k v XX", "nil"),
        ("SET k v NX", "OK"),
        ("SET k w NX", "nil"),
        ("SET k w XX", "OK"),
        ("SET k x GET", "\"w\""),
        ("SET k y NX GET", "\"x\""),
        ("GET k", "\"x\""),
        ("SET new v NX GET", "nil"),
        ("GET new", "\"v\""),
        ("SETNX k z", "0"),
        ("SETNX other z", "1"),
        ("GETSET k last", "\"x\""),
        ("GETDEL k", "\"last\""),
        ("GETDEL k", "nil"),
    ]);
}

#[test]
fn set_refuses_options_that_contradict_each_other() {
    let mut shell = Shell::new();
    for options in ["NX XX", "EX", "EX 10 PX 10", "KEEPTTL EX 10", "EX 10 KEEPTTL", "PERSIST", "FOO", "\"\""]
    {
        assert_eq!(shell.run(&format!("SET k v {options}")), SYNTAX, "{options}");
    }
    shell.check(&[
        ("SET k v EX abc", NOT_AN_INTEGER),
        ("SET k v EX 0", "-ERR invalid expire time in 'set' command"),
        ("SET k v EX 9223372036854775", "-ERR invalid expire time in 'set' command"),
        ("SETEX k -1 v", "-ERR invalid expire time in 'setex' command"),
        ("PSETEX k 0 v", "-ERR invalid expire time in 'psetex' command"),
        ("EXISTS k", "0"),
        ("SET k v PX 10 PX 20", "OK"),
        ("PTTL k", "20"),
    ]);
}

#[test]
fn set_clears_the_expiry_unless_told_to_keep_it() {
    let mut shell = Shell::new();
    shell.check(&[
        ("SET k v EX 10", "OK"),
        ("SET k w KEEPTTL", "OK"),
        ("TTL k", "10"),
        ("APPEND k x", "2"),
        ("TTL k", "10"),
        ("SET k w", "OK"),
        ("TTL k", "-1"),
        ("SET n 1 EX 10", "OK"),
        ("INCR n", "2"),
        ("TTL n", "10"),
    ]);
}

#[test]
fn ranges_count_from_both_ends() {
    let mut shell = Shell::new();
    shell.check(&[
        ("SET k hello", "OK"),
        ("GETRANGE k 0 -1", "\"hello\""),
        ("GETRANGE k -3 -2", "\"ll\""),
        ("GETRANGE k -2 -3", "\"\""),
        ("GETRANGE k 2 100", "\"llo\""),
        ("GETRANGE k 5 10", "\"\""),
        ("GETRANGE k -9223372036854775808 9223372036854775807", "\"hello\""),
        ("SUBSTR k 0 0", "\"h\""),
        ("GETRANGE none 0 1", "\"\""),
        ("GETRANGE k a 1", NOT_AN_INTEGER),
        ("SETRANGE k 7 x", "8"),
        ("GET k", "\"hello\\x00\\x00x\""),
        ("SETRANGE k 0 \"\"", "8"),
        ("SETRANGE none 5 \"\"", "0"),
        ("EXISTS none", "0"),
        ("SETRANGE k -1 x", "-ERR offset is out of range"),
        ("SETRANGE none 536870912 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
        (
            "SETRANGE none 9223372036854775807 x",
            "-ERR string exceeds maximum allowed size (proto-max-bulk-len)",
        ),
        ("EXISTS none", "0"),
        ("STRLEN k", "8"),
        ("STRLEN none", "0"),
    ]);
}

#[test]
fn several_keys_at_once() {
    let mut shell = Shell::new();
    shell.check(&[
        ("MSET a 1 b 2 a 3", "OK"),
        ("MGET a b none", "[\"3\" \"2\" nil]"),
        ("MSETNX c 1 b 2", "0"),
        ("EXISTS c", "0"),
        ("MSETNX c 1 d 2", "1"),
        ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"),
        ("MSETNX a 1 b", "-ERR wrong number of arguments for 'msetnx' command"),
    ]);
}

#[test]
fn counters_stop_at_the_ends_of_64_bits() {
    let mut shell = Shell::new();
    shell.check(&[
        ("INCR n", "1"),
        ("DECRBY n 3", "-2"),
        ("INCRBY n 9223372036854775807", "9223372036854775805"),
        ("INCRBY n 3", "-ERR increment or decrement would overflow"),
        ("GET n", "\"9223372036854775805\""),
        ("DECRBY n -9223372036854775808", "-ERR decrement would overflow"),
        ("INCRBY n 1.5", NOT_AN_INTEGER),
        ("SET s 007", "OK"),
        ("INCR s", NOT_AN_INTEGER),
        ("GET s", "\"007\""),
        ("SET t 1", "OK"),
        ("APPEND t 0", "2"),
        ("DECR t", "9"),
    ]);
}

#[test]
fn float_counters_reply_as_long_double_does() {
    let mut shell = Shell::new();
    shell.check(&[
        ("SET f 10.5", "OK"),
        ("INCRBYFLOAT f 0.1", "\"10.6\""),
        ("INCRBYFLOAT f -10.6", "\"0\""),
        ("INCRBYFLOAT new 3.0e3", "\"3000\""),
        ("OBJECT ENCODING new", "\"embstr\""),
        ("INCRBYFLOAT f abc", "-ERR value is not a valid float"),
        ("INCRBYFLOAT f inf", "-ERR increment would produce NaN or Infinity"),
        ("SET f word", "OK"),
        ("INCRBYFLOAT f 1", "-ERR value is not a valid float"),
    ]);
}

#[test]
fn encodings_are_those_that_redis_shows() {
    let mut shell = Shell::new();
    shell.check(&[
        ("SET k 123", "OK"),
        ("OBJECT ENCODING k", "\"int\""),
        ("OBJECT REFCOUNT k", "2147483647"),
        ("APPEND k 4", "4"),
        ("OBJECT ENCODING k", "\"raw\""),
        ("INCR k", "1235"),
        ("OBJECT ENCODING k", "\"int\""),
        ("SET k 12345678901234567890", "OK"),
        ("OBJECT ENCODING k", "\"embstr\""),
        ("OBJECT REFCOUNT k", "1"),
    ]);
    let (short, long) = ("x".repeat(44), "x".repeat(45));
    shell.run(&format!("MSET short {short} long {long}"));
    shell.check(&[("OBJECT ENCODING short", "\"embstr\""), ("OBJECT ENCODING long", "\"raw\"")]);
}

#[test]
fn replicas_are_told_results_not_causes() {
    let mut shell = Shell::new();
    shell.check_told(&[
        ("SET k v", &["SET k v"]),
        ("SET k v NX", &[]),
        ("SET k v EX 10", &["SET k v PXAT 1010000"]),
        ("set k v exat 2000", &["SET k v PXAT 2000000"]),
        ("SET k v get XX", &["SET k v XX"]),
        ("SETEX k 5 v", &["SET k v PXAT 1005000"]),
        ("PSETEX k 5 v", &["SET k v PXAT 1000005"]),
        ("GETEX k", &[]),
        ("GETEX k EX 10", &["PEXPIREAT k 1010000"]),
        ("GETEX k PERSIST", &["PERSIST k"]),
        ("GETEX k PERSIST", &[]),
        ("GETEX k PXAT 5", &["DEL k"]),
        ("GETSET k v", &["SET k v"]),
        ("GETDEL k", &["DEL k"]),
        ("GETDEL k", &[]),
        ("INCRBYFLOAT f 0.5", &["SET f 0.5 KEEPTTL"]),
        ("INCR f", &[]),
        ("SETRANGE f 0 \"\"", &[]),
        ("APPEND f \"\"", &["APPEND f \"\""]),
        ("GET f", &[]),
    ]);
}

#[test]
fn a_value_of_the_same_size_reuses_its_memory() {
    let mut shell = Shell::new();
    shell.run("SET k first-value");
    let address = |shell: &Shell| match &shell.keyspace.db(0).get(b"k").unwrap().value {
        keyspace::Value::String(keyspace::Str::Bytes(bytes)) => bytes.as_ptr(),
        other => panic!("{other:?}"),
    };
    let before = address(&shell);
    shell.run("SET k other-value");
    assert_eq!(address(&shell), before);
    shell.check(&[("GET k", "\"other-value\"")]);
}
