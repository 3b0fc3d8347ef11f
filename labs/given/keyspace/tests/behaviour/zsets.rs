//! Sorted sets.

use core_types::{Millis, Protocol};
use keyspace::TimeoutReply;

use crate::support::Shell;

const WRONG: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

#[test]
fn adding_with_every_option() {
    let mut shell = Shell::new();
    shell.check(&[
        ("ZADD z 1 a 2 b 1.5 c", "3"),
        ("ZADD z 3 a 4 d", "1"),
        ("ZADD z CH 5 a 4 d 1 e", "2"),
        ("ZADD z NX 9 a 9 f", "1"),
        ("ZADD z XX CH 8 a 9 g", "1"),
        ("ZADD z GT CH 7 a 10 b", "1"),
        ("ZADD z LT CH 9 a 1 b", "1"),
        ("ZADD z INCR 2.5 a", "10.5"),
        ("ZADD z NX INCR 1 a", "nil"),
        ("ZADD z XX INCR 1 new", "nil"),
        ("ZADD z GT INCR -1 a", "nil"),
        ("ZINCRBY z -0.5 a", "10"),
        ("ZINCRBY z 3 new", "3"),
        ("ZADD none XX 1 q", "0"),
        ("ZADD none XX INCR 1 q", "nil"),
        ("EXISTS none", "0"),
        ("ZADD z 1 a 2", "-ERR syntax error"),
        ("ZADD z NX XX 1 a", "-ERR XX and NX options at the same time are not compatible"),
        ("ZADD z GT LT 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"),
        ("ZADD z INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair"),
        ("ZADD z 1 a nan b", "-ERR value is not a valid float"),
        ("ZSCORE z a", "10"),
        ("ZADD z inf i", "1"),
        ("ZINCRBY z -inf i", "-ERR resulting score is not a number (NaN)"),
        ("SET str x", "OK"),
        ("ZADD str 1 a", WRONG),
    ]);
}

#[test]
fn only_changes_are_told() {
    Shell::new().check_told(&[
        ("ZADD z 1 a", &["ZADD z 1 a"]),
        ("ZADD z 1 a", &[]),
        ("ZADD z XX 2 b", &[]),
        ("ZADD z INCR 0 a", &[]),
        ("ZREM z b", &[]),
        ("ZREMRANGEBYSCORE z 5 6", &[]),
        ("ZUNIONSTORE none 1 missing", &[]),
        ("ZRANGESTORE z missing 0 -1", &["ZRANGESTORE z missing 0 -1"]),
    ]);
}

/// Both forms: three members, and the same among others with a larger score that make the set large.
fn small_and_large() -> [Shell; 2] {
    [0, 200].map(|more| {
        let mut shell = Shell::new();
        shell.run("ZADD z 1 a 2 b 2 c 3 d");
        for number in 0..more {
            shell.run(&format!("ZADD z 1000 x{number}"));
        }
        shell
    })
}

#[test]
fn ranges() {
    for mut shell in small_and_large() {
        shell.check(&[
            ("ZRANGE z 0 2", r#"["a" "b" "c"]"#),
            ("ZRANGE z 1 1 WITHSCORES", r#"["b" 2]"#),
            ("ZRANGE z 5000 9000", "[]"),
            ("ZRANGE z 2 1", "[]"),
            ("ZRANGE z (1 (3 BYSCORE", r#"["b" "c"]"#),
            ("ZRANGE z (3 1 BYSCORE REV LIMIT 1 1", r#"["b"]"#),
            ("ZRANGE z -inf 3 BYSCORE LIMIT 1 -1", r#"["b" "c" "d"]"#),
            ("ZRANGE z -inf 3 BYSCORE LIMIT -1 5", "[]"),
            ("ZRANGE z 3 1 BYSCORE", "[]"),
            ("ZRANGEBYSCORE z 2 2 WITHSCORES", r#"["b" 2 "c" 2]"#),
            ("ZREVRANGEBYSCORE z 2 -inf", r#"["c" "b" "a"]"#),
            ("ZCOUNT z (1 3", "3"),
            ("ZCOUNT z 3 (3", "0"),
            ("ZRANK z c", "2"),
            ("ZRANK z none", "nil"),
            ("ZMSCORE z a none d", r#"[1 nil 3]"#),
            (
                "ZRANGE z 0 1 LIMIT 0 1",
                "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ),
            (
                "ZRANGE z - + BYLEX WITHSCORES",
                "-ERR syntax error, WITHSCORES not supported in combination with BYLEX",
            ),
            ("ZRANGE z a b", "-ERR value is not an integer or out of range"),
            ("ZRANGE z a b BYSCORE", "-ERR min or max is not a float"),
            ("ZRANGE z a b BYLEX", "-ERR min or max not valid string range item"),
            ("ZREVRANGE z 0 1 REV", "-ERR syntax error"),
            ("ZRANGESTORE to z 2 3 BYSCORE LIMIT 1 2", "2"),
            ("ZRANGE to 0 -1 WITHSCORES", r#"["c" 2 "d" 3]"#),
            ("ZRANGESTORE to z 0 1 REV", "2"),
            ("ZRANGESTORE to z 9 8", "0"),
            ("EXISTS to", "0"),
            ("ZREMRANGEBYSCORE z 2 (3", "2"),
            ("ZREMRANGEBYRANK z 0 0", "1"),
            ("ZRANGE z 0 0", r#"["d"]"#),
        ]);
    }
}

#[test]
fn ranges_of_members() {
    for more in [0, 200] {
        let mut shell = Shell::new();
        shell.run("ZADD z 0 a 0 b 0 c 0 d");
        for number in 0..more {
            shell.run(&format!("ZADD z 0 x{number}"));
        }
        shell.check(&[
            ("ZRANGEBYLEX z - (d", r#"["a" "b" "c"]"#),
            ("ZRANGEBYLEX z [b [c", r#"["b" "c"]"#),
            ("ZREVRANGEBYLEX z (c - LIMIT 0 1", r#"["b"]"#),
            ("ZLEXCOUNT z (a [d", "3"),
            ("ZLEXCOUNT z + -", "0"),
            ("ZRANGE z [c [b BYLEX REV", r#"["c" "b"]"#),
            ("ZREMRANGEBYLEX z [b (d", "2"),
            ("ZRANGEBYLEX z - [d", r#"["a" "d"]"#),
        ]);
    }
}

#[test]
fn encodings_are_named_as_redis_names_them() {
    let mut shell = Shell::new();
    let long = "x".repeat(65);
    shell.run("ZADD z 1 a");
    assert_eq!(shell.run("OBJECT ENCODING z"), r#""listpack""#);
    shell.run(&format!("ZADD z 1 {long}"));
    assert_eq!(shell.run("OBJECT ENCODING z"), r#""skiplist""#);
    shell.run(&format!("ZREM z {long}"));
    assert_eq!(shell.run("OBJECT ENCODING z"), r#""skiplist""#);
    assert_eq!(shell.run("ZUNIONSTORE z 1 z"), "1");
    assert_eq!(shell.run("OBJECT ENCODING z"), r#""listpack""#);
    for number in 0..128 {
        shell.run(&format!("ZADD n {number} m{number}"));
    }
    assert_eq!(shell.run("OBJECT ENCODING n"), r#""listpack""#);
    shell.run("ZADD n 1 one-more");
    assert_eq!(shell.run("OBJECT ENCODING n"), r#""skiplist""#);
}

#[test]
fn algebra_with_weights_and_aggregates() {
    let mut shell = Shell::new();
    for line in ["ZADD a 1 x 2 y", "ZADD b 10 y 20 z", "SADD s x y", "ZADD i inf y", "SET str v"] {
        shell.run(line);
    }
    shell.check(&[
        ("ZUNION 2 a b WITHSCORES", r#"["x" 1 "y" 12 "z" 20]"#),
        ("ZUNION 2 a b WEIGHTS 2 -1 WITHSCORES", r#"["z" -20 "y" -6 "x" 2]"#),
        ("ZINTER 2 a s AGGREGATE MAX WITHSCORES", r#"["x" 1 "y" 2]"#),
        ("ZINTER 2 a b AGGREGATE MIN WITHSCORES", r#"["y" 2]"#),
        ("ZUNION 2 i i WEIGHTS 1 -1 WITHSCORES", r#"["y" 0]"#),
        ("ZDIFF 2 a b WITHSCORES", r#"["x" 1]"#),
        ("ZINTERCARD 2 a s", "2"),
        ("ZINTERCARD 2 a s LIMIT 1", "1"),
        ("ZUNIONSTORE to 3 a b s", "3"),
        ("ZINTERSTORE to 2 a missing", "0"),
        ("ZDIFFSTORE to 1 a", "2"),
        ("ZUNION 0 a", "-ERR at least 1 input key is needed for 'zunion' command"),
        ("ZUNION 3 a b", "-ERR syntax error"),
        ("ZUNION 1 a WEIGHTS x", "-ERR weight value is not a float"),
        ("ZDIFF 1 a WEIGHTS 1", "-ERR syntax error"),
        ("ZUNIONSTORE to 1 a WITHSCORES", "-ERR syntax error"),
        ("ZUNION 2 a str", WRONG),
    ]);
}

#[test]
fn popping() {
    let mut shell = Shell::new();
    shell.run("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f");
    shell.check(&[
        ("ZPOPMIN z", r#"["a" 1]"#),
        ("ZPOPMAX z 2", r#"["f" 6 "e" 5]"#),
        ("ZPOPMIN z 0", "[]"),
        ("ZPOPMIN z -1", "-ERR value is out of range, must be positive"),
        ("ZMPOP 2 none z MAX COUNT 2", r#"["z" [["d" 4] ["c" 3]]]"#),
        ("ZMPOP 1 none MIN", "nil"),
        ("ZMPOP 0 z MIN", "-ERR numkeys should be greater than 0"),
        ("ZMPOP 1 z MIN COUNT 0", "-ERR count should be greater than 0"),
        ("ZMPOP 1 z MIDDLE", "-ERR syntax error"),
        ("ZPOPMIN z 9", r#"["b" 2]"#),
        ("EXISTS z", "0"),
        ("ZPOPMIN z", "[]"),
    ]);
    shell.check_told(&[
        ("ZADD z 1 a 2 b 3 c 4 d", &["ZADD z 1 a 2 b 3 c 4 d"]),
        ("ZPOPMIN z", &["ZPOPMIN z"]),
        ("ZMPOP 1 z MAX COUNT 2", &["ZPOPMAX z 2"]),
        ("BZPOPMAX none z 0", &["ZPOPMAX z"]),
        ("BZMPOP 0 1 z MIN", &[]),
    ]);
}

#[test]
fn waiting_for_a_member() {
    let mut shell = Shell::new();
    assert_eq!(shell.run("BZPOPMIN a b 1.5"), "");
    let wait = shell.effects.wait.take().unwrap();
    assert_eq!(wait.keys, [Box::from(&b"a"[..]), Box::from(&b"b"[..])]);
    assert_eq!(wait.deadline, Some(shell.now + Millis(1500)));
    assert_eq!(wait.on_timeout, TimeoutReply::NullArray);

    shell.run("ZADD b 1 x");
    assert_eq!(shell.effects.ready, [(0, Box::from(&b"b"[..]))]);
    shell.run("ZADD b 1 y");
    assert!(shell.effects.ready.is_empty(), "nobody waits for a set that is there");
    assert_eq!(shell.run("BZPOPMIN a b 1.5"), r#"["b" "x" 1]"#);
    assert_eq!(shell.run("BZMPOP 0 2 a b MAX"), r#"["b" [["y" 1]]]"#);
    shell.run("ZUNIONSTORE b 1 missing");
    assert!(shell.effects.ready.is_empty());
    shell.run("SADD s q");
    shell.run("ZUNIONSTORE b 1 s");
    assert_eq!(shell.effects.ready, [(0, Box::from(&b"b"[..]))]);

    shell.may_block = false;
    assert_eq!(shell.run("BZMPOP 0 1 a MIN"), "nil");
    assert_eq!(shell.run("BZPOPMIN a -1"), "-ERR timeout is negative");
    assert_eq!(shell.run("BZPOPMIN s 1"), WRONG);
}

#[test]
fn scores_in_resp3_come_in_pairs() {
    let mut shell = Shell::new();
    shell.protocol = Protocol::Resp3;
    shell.run("ZADD z 1 a 2 b");
    shell.check(&[
        ("ZRANGE z 0 -1 WITHSCORES", r#"[["a" 1] ["b" 2]]"#),
        ("ZUNION 1 z WITHSCORES", r#"[["a" 1] ["b" 2]]"#),
        ("ZRANDMEMBER z 5 WITHSCORES", r#"[["a" 1] ["b" 2]]"#),
        ("ZPOPMIN z 1", r#"[["a" 1]]"#),
        ("ZPOPMIN z", r#"["b" 2]"#),
    ]);
}

#[test]
fn scanning_shows_scores_as_they_are_kept() {
    let mut shell = Shell::new();
    shell.run("ZADD z 1e18 a 0.5 b -0 c");
    assert_eq!(shell.run("ZSCAN z 0"), r#"["0" ["c" "0" "b" "0.5" "a" "1000000000000000000"]]"#);
    for number in 0..200 {
        shell.run(&format!("ZADD z 2 m{number}"));
    }
    assert_eq!(shell.run("ZSCAN z 0 COUNT 500 MATCH a"), r#"["0" ["a" "1e+18"]]"#);
}
