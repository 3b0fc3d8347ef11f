//! SORT.

use crate::support::Shell;

#[test]
fn elements_by_themselves_and_by_others() {
    let mut shell = Shell::new();
    for line in [
        "RPUSH l 3 1 2 10",
        "SADD s 3 1 2",
        "ZADD z 9 1 8 2 7 3",
        "MSET w_1 30 w_2 20 w_3 10 name_1 one name_3 three",
        "HSET h_1 f x",
        "HSET h_2 f y",
        "RPUSH words b a c",
        "HSET hash f v",
    ] {
        shell.run(line);
    }
    shell.check(&[
        ("SORT l", r#"["1" "2" "3" "10"]"#),
        ("SORT l DESC LIMIT 1 2", r#"["3" "2"]"#),
        ("SORT l ALPHA", r#"["1" "10" "2" "3"]"#),
        ("SORT l LIMIT -5 -5", r#"["1" "2" "3" "10"]"#),
        ("SORT l LIMIT 9 9", "[]"),
        ("SORT s BY w_*", r#"["3" "2" "1"]"#),
        ("SORT s BY w_* GET # GET name_*", r#"["3" "three" "2" nil "1" "one"]"#),
        ("SORT s GET h_*->f", r#"["x" "y" nil]"#),
        ("SORT s GET constant", "[nil nil nil]"),
        ("SORT l BY nosort", r#"["3" "1" "2" "10"]"#),
        ("SORT l BY nosort DESC", r#"["10" "2" "1" "3"]"#),
        ("SORT z BY nosort", r#"["3" "2" "1"]"#),
        ("SORT z BY nosort DESC LIMIT 0 1", r#"["1"]"#),
        ("SORT z", r#"["1" "2" "3"]"#),
        ("SORT words", "-ERR One or more scores can't be converted into double"),
        ("SORT words ALPHA DESC", r#"["c" "b" "a"]"#),
        ("SORT missing", "[]"),
        ("SORT w_1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SORT hash", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SORT l NONSENSE", "-ERR syntax error"),
        ("SORT_RO l", r#"["1" "2" "3" "10"]"#),
        ("SORT_RO l STORE x", "-ERR syntax error"),
        ("SORT l STORE to", "4"),
        ("LRANGE to 0 -1", r#"["1" "2" "3" "10"]"#),
        ("SORT s GET name_* STORE to", "3"),
        ("LRANGE to 0 -1", r#"["one" "" "three"]"#),
        ("SORT s BY nosort STORE to", "3"),
        ("LRANGE to 0 -1", r#"["1" "2" "3"]"#),
        ("SORT missing STORE to", "0"),
        ("EXISTS to", "0"),
    ]);
    shell.check_told(&[
        ("SORT l", &[]),
        ("SORT l STORE to", &["SORT l STORE to"]),
        ("SORT missing STORE none", &[]),
    ]);
}
