//! Sets.

use core_types::Protocol;

use crate::support::Shell;

#[test]
fn members_are_added_looked_up_and_removed() {
    Shell::new().check(&[
        ("SADD s 3 1 2 1", "3"),
        ("SADD s 2 4", "1"),
        ("SMEMBERS s", r#"["1" "2" "3" "4"]"#),
        ("SCARD s", "4"),
        ("SISMEMBER s 4", "1"),
        ("SISMEMBER s 04", "0"),
        ("SMISMEMBER s 1 x", "[1 0]"),
        ("SREM s 1 2 9", "2"),
        ("SREM s 3 4", "2"),
        ("EXISTS s", "0"),
        ("SMEMBERS s", "[]"),
        ("SMISMEMBER s a b", "[0 0]"),
        ("SISMEMBER s a", "0"),
        ("SET str x", "OK"),
        ("SADD str a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SMOVE s str a", "0"),
        ("TYPE s", "none"),
    ]);
}

#[test]
fn encodings_are_named_as_redis_names_them() {
    let mut shell = Shell::new();
    shell.run("SADD s 1 2 -40000 9999999999");
    assert_eq!(shell.run("OBJECT ENCODING s"), r#""intset""#);
    shell.run("SADD s 01");
    assert_eq!(shell.run("OBJECT ENCODING s"), r#""hashtable""#);
    shell.run("SREM s 01");
    assert_eq!(shell.run("OBJECT ENCODING s"), r#""hashtable""#);
    let many: Vec<String> = (0..512).map(|number| number.to_string()).collect();
    shell.run(&format!("SADD many {}", many.join(" ")));
    assert_eq!(shell.run("OBJECT ENCODING many"), r#""intset""#);
    shell.run("SADD many 511 512");
    assert_eq!(shell.run("OBJECT ENCODING many"), r#""hashtable""#);
    assert_eq!(shell.run("SUNIONSTORE copy s"), "4");
    assert_eq!(shell.run("OBJECT ENCODING copy"), r#""intset""#);
}

#[test]
fn algebra_of_sets() {
    let mut shell = Shell::new();
    for line in ["SADD a 1 2 3 x", "SADD b 2 3 4 x y", "SADD c 3 x", "SET str x"] {
        shell.run(line);
    }
    shell.check(&[
        ("SINTER a b c", r#"["3" "x"]"#),
        ("SINTER a missing", "[]"),
        ("SDIFF a c", r#"["1" "2"]"#),
        ("SDIFF missing a", "[]"),
        ("SDIFF a a", "[]"),
        ("SUNION c missing c", r#"["3" "x"]"#),
        ("SINTERCARD 2 a b", "3"),
        ("SINTERCARD 2 a b LIMIT 2", "2"),
        ("SINTERCARD 2 a b LIMIT 0", "3"),
        ("SINTERCARD 2 a b LIMIT -1", "-ERR LIMIT can't be negative"),
        ("SINTERCARD 0 a", "-ERR numkeys should be greater than 0"),
        ("SINTERCARD 3 a b", "-ERR Number of keys can't be greater than number of args"),
        ("SINTERCARD 1 a b", "-ERR syntax error"),
        ("SINTERSTORE d a b", "3"),
        ("SCARD d", "3"),
        ("SDIFFSTORE d a", "4"),
        ("SINTERSTORE d a missing", "0"),
        ("EXISTS d", "0"),
        ("SUNION a str", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SUNIONSTORE str c", "2"),
        ("TYPE str", "set"),
    ]);
}

#[test]
fn members_move() {
    let mut shell = Shell::new();
    shell.check(&[
        ("SADD a 1 x", "2"),
        ("SMOVE a b 7", "0"),
        ("SMOVE a b x", "1"),
        ("SMOVE a a 1", "1"),
        ("SMOVE a b 1", "1"),
        ("EXISTS a", "0"),
        ("SCARD b", "2"),
    ]);
}

#[test]
fn what_is_popped_is_told_as_removed() {
    let mut shell = Shell::new();
    shell.run("SADD s 1 2 3 4 5 6 7 8");
    let member = shell.run("SPOP s");
    assert_eq!(shell.told, [format!("SREM s {}", member.trim_matches('"'))]);
    let members = shell.run("SPOP s 3");
    let members: Vec<&str> = members.trim_matches(['[', ']']).split(' ').collect();
    let told: Vec<String> =
        members.iter().map(|member| format!("SREM s {}", member.trim_matches('"'))).collect();
    assert_eq!(shell.told, told);
    assert_eq!(shell.run("SCARD s"), "4");
    shell.run("SPOP s 100");
    assert_eq!(shell.told, ["DEL s"]);
    shell.check(&[
        ("EXISTS s", "0"),
        ("SPOP s", "nil"),
        ("SPOP s 2", "[]"),
        ("SPOP s -1", "-ERR value is out of range, must be positive"),
        ("SPOP s 1 2", "-ERR syntax error"),
    ]);
    shell.run("SADD s last");
    shell.check_told(&[("SPOP s", &["SREM s last"]), ("SPOP s", &[])]);
}

#[test]
fn random_members_are_different_if_the_count_is_positive() {
    let mut shell = Shell::new();
    for line in ["SADD s 1 2 3 4 5 6 7 8 9", "SADD t a b c d e f g h i"] {
        shell.run(line);
    }
    for key in ["s", "t"] {
        for count in 1..12usize {
            let reply = shell.run(&format!("SRANDMEMBER {key} {count}"));
            let mut members: Vec<&str> = reply.trim_matches(['[', ']']).split(' ').collect();
            members.sort_unstable();
            members.dedup();
            assert_eq!(members.len(), count.min(9));
        }
        let reply = shell.run(&format!("SRANDMEMBER {key} -30"));
        assert_eq!(reply.split(' ').count(), 30);
        assert!(shell.told.is_empty());
    }
    shell.check(&[("SRANDMEMBER s 0", "[]"), ("SRANDMEMBER x", "nil"), ("SRANDMEMBER x 3", "[]")]);
    let error = "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
    assert_eq!(shell.run("SRANDMEMBER s -9223372036854775808"), error);
}

#[test]
fn the_same_seed_draws_the_same() {
    let run = || {
        let mut shell = Shell::new();
        shell.run("SADD s a b c d e f");
        (0..4).map(|_| shell.run("SPOP s")).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn a_scan_shows_every_member_that_stays() {
    let mut shell = Shell::new();
    let members: Vec<String> = (0..600).map(|number| format!("m{number}")).collect();
    shell.run(&format!("SADD s {}", members.join(" ")));
    let (mut seen, mut cursor, mut steps) = (std::collections::BTreeSet::new(), "0".to_string(), 0);
    loop {
        let reply = shell.run(&format!("SSCAN s {cursor} COUNT 7"));
        let words: Vec<String> =
            reply.split(['[', ']', ' ', '"']).filter(|w| !w.is_empty()).map(Into::into).collect();
        cursor = words[0].clone();
        seen.extend(words[1..].iter().cloned());
        // Members come and go meanwhile.
        shell.run(&format!("SREM s m{}", 300 + steps));
        shell.run(&format!("SADD s new{steps}"));
        steps += 1;
        if cursor == "0" {
            break;
        }
    }
    assert!(members[..300].iter().all(|member| seen.contains(member)));
    shell.check(&[
        ("SADD n 1 2 3 14", "4"),
        ("SSCAN n 0 COUNT 1 MATCH 1*", r#"["0" ["14" "1"]]"#),
        ("SSCAN missing 0 nonsense", r#"["0" []]"#),
        ("SSCAN n 0 TYPE set", "-ERR syntax error"),
        ("SSCAN n x", "-ERR invalid cursor"),
    ]);
}

#[test]
fn resp3_has_sets_of_its_own() {
    let mut shell = Shell::new();
    shell.protocol = Protocol::Resp3;
    shell.run("SADD s 1 2");
    assert_eq!(shell.run("SMEMBERS s"), r#"["1" "2"]"#);
}
