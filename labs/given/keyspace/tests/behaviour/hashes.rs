//! Hashes: what clients see, in both forms, and what replicas are told.

use std::collections::BTreeSet;

use crate::support::Shell;

#[test]
fn fields_are_set_read_and_deleted() {
    Shell::new().check(&[
        ("HSET h a 1 b two", "2"),
        ("HSET h a 2 c 3", "1"),
        ("HGET h a", "\"2\""),
        ("HGET h nothing", "nil"),
        ("HGET nokey a", "nil"),
        ("HMGET h b nothing c", "[\"two\" nil \"3\"]"),
        ("HMGET nokey a", "[nil]"),
        ("HGETALL h", "[\"a\" \"2\" \"b\" \"two\" \"c\" \"3\"]"),
        ("HKEYS h", "[\"a\" \"b\" \"c\"]"),
        ("HVALS h", "[\"2\" \"two\" \"3\"]"),
        ("HLEN h", "3"),
        ("HSTRLEN h b", "3"),
        ("HEXISTS h c", "1"),
        ("HSETNX h c 4", "0"),
        ("HSETNX h d 4", "1"),
        ("HMSET h e 5", "OK"),
        ("HDEL h a b nothing", "2"),
        ("HDEL h c d e", "3"),
        ("EXISTS h", "0"),
        ("HGETALL h", "[]"),
        ("HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command"),
        ("HMSET h a 1 b", "-ERR wrong number of arguments for 'hmset' command"),
    ]);
}

#[test]
fn numbers_in_fields_are_counted_up() {
    Shell::new().check(&[
        ("HINCRBY h n 5", "5"),
        ("HINCRBY h n -7", "-2"),
        ("HINCRBY h n x", "-ERR value is not an integer or out of range"),
        ("HSET h t text max 9223372036854775807", "2"),
        ("HINCRBY h t 1", "-ERR hash value is not an integer"),
        ("HINCRBY h max 1", "-ERR increment or decrement would overflow"),
        ("HINCRBYFLOAT h n 0.1", "\"-1.9\""),
        ("HINCRBYFLOAT h t 1", "-ERR hash value is not a float"),
        ("HINCRBYFLOAT h n x", "-ERR value is not a valid float"),
        ("HINCRBYFLOAT h n inf", "-ERR value is NaN or Infinity"),
    ]);
}

#[test]
fn replicas_are_told_results_not_sums() {
    Shell::new().check_told(&[
        ("HSET h a 1", &["HSET h a 1"]),
        ("HSETNX h a 1", &[]),
        ("HINCRBYFLOAT h a 0.5", &["HSET h a 1.5"]),
        ("HDEL h b", &[]),
        ("HDEL h a", &["HDEL h a"]),
    ]);
}

#[test]
fn many_or_long_fields_make_a_table() {
    let mut shell = Shell::new();
    for field in 0..512 {
        shell.run(&format!("HSET h f{field} {field}"));
    }
    shell.check(&[
        ("OBJECT ENCODING h", "\"listpack\""),
        ("HSET h one-more x", "1"),
        ("OBJECT ENCODING h", "\"hashtable\""),
        ("HGET h f300", "\"300\""),
        ("HLEN h", "513"),
    ]);
    let fits = "x".repeat(64);
    shell.run(&format!("HSET g {fits} {fits}"));
    assert_eq!(shell.run("OBJECT ENCODING g"), "\"listpack\"");
    shell.run(&format!("HSET g f {fits}x"));
    assert_eq!(shell.run("OBJECT ENCODING g"), "\"hashtable\"");
    assert_eq!(shell.run(&format!("HGET g {fits}")), format!("\"{fits}\""));
}

#[test]
fn random_fields_differ_or_repeat_as_asked() {
    let mut shell = Shell::new();
    shell.check(&[
        ("HRANDFIELD nokey", "nil"),
        ("HRANDFIELD nokey 3", "[]"),
        ("HSET h a 1 b 2 c 3", "3"),
        ("HRANDFIELD h 9 WITHVALUES", "[\"a\" \"1\" \"b\" \"2\" \"c\" \"3\"]"),
        ("HRANDFIELD h 0", "[]"),
        ("HRANDFIELD h 1 WITH", "-ERR syntax error"),
    ]);
    for _ in 0..50 {
        let two = shell.run("HRANDFIELD h 2");
        assert_eq!(two.split(' ').collect::<BTreeSet<_>>().len(), 2, "{two}");
        assert_eq!(shell.run("HRANDFIELD h -9").split(' ').count(), 9);
        assert_eq!(shell.run("HRANDFIELD h -5 WITHVALUES").split(' ').count(), 10);
        assert!(["\"a\"", "\"b\"", "\"c\""].contains(&shell.run("HRANDFIELD h").as_str()));
    }
}

/// The fields of one step of a scan, and the next cursor.
fn step(shell: &mut Shell, cursor: &str, count: usize) -> (String, Vec<String>) {
    let reply = shell.run(&format!("HSCAN h {cursor} COUNT {count}"));
    let words: Vec<&str> = reply.trim_matches(['[', ']']).split(' ').collect();
    let clean = |word: &&str| word.trim_matches(['[', ']', '"']).to_string();
    (clean(&words[0]), words[1..].iter().step_by(2).map(clean).filter(|word| !word.is_empty()).collect())
}

#[test]
fn a_scan_misses_no_field_that_stays() {
    let mut shell = Shell::new();
    for field in 0..600 {
        shell.run(&format!("HSET h stays{field} x"));
        shell.run(&format!("HSET h goes{field} x"));
    }
    let mut seen = BTreeSet::new();
    let (mut cursor, mut round) = ("0".to_string(), 0);
    loop {
        let (next, fields) = step(&mut shell, &cursor, 7);
        seen.extend(fields);
        for field in 5 * round..5 * round + 5 {
            shell.run(&format!("HDEL h goes{}", (field * 7) % 600));
            shell.run(&format!("HSET h new{field} x"));
        }
        round += 1;
        cursor = next;
        if cursor == "0" {
            break;
        }
    }
    let missed: Vec<String> =
        (0..600).map(|field| format!("stays{field}")).filter(|field| !seen.contains(field)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn a_short_hash_is_scanned_at_once() {
    let mut shell = Shell::new();
    shell.check(&[
        ("HSCAN h 0", "[\"0\" []]"),
        ("HSET h a 1 b 2 ab 3", "3"),
        ("HSCAN h 0 COUNT 1", "[\"0\" [\"a\" \"1\" \"b\" \"2\" \"ab\" \"3\"]]"),
        ("HSCAN h 0 MATCH a*", "[\"0\" [\"a\" \"1\" \"ab\" \"3\"]]"),
        ("HSCAN h x", "-ERR invalid cursor"),
        ("HSCAN h 0 TYPE hash", "-ERR syntax error"),
    ]);
}
