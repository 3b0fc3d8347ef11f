//! Sets and sorted sets in RDB files: every form that a version of Redis has written.

use core_types::{Millis, Rng};
use keyspace::Keyspace;
use keyspace::rdb::{Aux, Loader, Options, RdbErrorKind, load, save};

use crate::collections;
use crate::support::Shell;

/// Written by Redis 7.0.15: sets of numbers of each width, sets and sorted sets in their small and large
/// forms, one with an expiry.
const FROM_REDIS: &[u8] = include_bytes!("../fixtures/sets-redis-7.0.15.rdb");

fn shell_with(keyspace: Keyspace) -> Shell {
    let mut shell = Shell::new();
    shell.keyspace = keyspace;
    shell
}

#[test]
fn reads_what_redis_writes() {
    let (keyspace, _) = load(FROM_REDIS, 16, 1, Options::default()).unwrap();
    let until = keyspace.db(0).get(b"words").unwrap().expire_at();
    assert_eq!(until, Some(Millis(4_102_444_800_000)));
    let mut shell = shell_with(keyspace);
    shell.check(&[
        ("SMEMBERS ints16", r#"["-5" "1" "300"]"#),
        ("SMEMBERS ints32", r#"["-5" "70000"]"#),
        ("SMEMBERS ints64", r#"["-5" "9000000000"]"#),
        ("SORT words ALPHA", r#"["" "7" "a" "b"]"#),
        ("SCARD many", "600"),
        ("SISMEMBER many 599", "1"),
        ("ZRANGE small 0 -1 WITHSCORES", r#"["b" -2.5 "a" 1 "-40000" 3 "7" 1000000000000000000 "c" inf]"#),
        ("ZCARD large", "150"),
        ("ZRANGE large 3 4 WITHSCORES", r#"["m3" 0.75 "m4" 1]"#),
        ("ZRANGE long 0 1 WITHSCORES", r#"["y" -inf "zero" -0]"#),
        ("OBJECT ENCODING ints64", r#""intset""#),
        ("OBJECT ENCODING many", r#""hashtable""#),
        ("OBJECT ENCODING small", r#""listpack""#),
        ("OBJECT ENCODING large", r#""skiplist""#),
        ("OBJECT ENCODING long", r#""skiplist""#),
        ("DBSIZE", "8"),
    ]);
}

/// A file with one key `k` of the given type.
fn file(kind: u8, value: &[u8]) -> Vec<u8> {
    [b"REDIS0010", &[kind][..], b"\x01k", value, &[255], &[0; 8]].concat()
}

/// A blob as a string.
fn string(blob: &[u8]) -> Vec<u8> {
    [&[blob.len() as u8], blob].concat()
}

const LISTPACK: &[u8] = b"\x0c\0\0\0\x02\0\x81a\x02\x05\x01\xff";
const ZIPLIST: &[u8] = b"\x18\0\0\0\x14\0\0\0\x04\0\0\x01a\x03\x031.5\x05\xf6\x02\xfe\xfe\xff";

#[test]
fn reads_every_form() {
    for (kind, value, command, reply) in [
        (2, b"\x02\x01a\xc0\x05".to_vec(), "SORT k ALPHA", r#"["5" "a"]"#),
        (20, string(LISTPACK), "SORT k ALPHA", r#"["5" "a"]"#),
        (11, string(b"\x02\0\0\0\x02\0\0\0\xff\xff\x07\0"), "SMEMBERS k", r#"["-1" "7"]"#),
        (12, string(ZIPLIST), "ZRANGE k 0 -1 WITHSCORES", r#"["5" -2 "a" 1.5]"#),
        (17, string(LISTPACK), "ZRANGE k 0 -1 WITHSCORES", r#"["a" 5]"#),
        (
            3,
            b"\x03\x01a\x031.5\x01b\xff\x01c\xfe".to_vec(),
            "ZRANGE k 0 -1 WITHSCORES",
            r#"["b" -inf "a" 1.5 "c" inf]"#,
        ),
        (5, b"\x01\x01a\0\0\0\0\0\0\xf8\x3f".to_vec(), "ZRANGE k 0 -1 WITHSCORES", r#"["a" 1.5]"#),
    ] {
        let (keyspace, _) = load(&file(kind, &value), 1, 1, Options::default()).unwrap();
        assert_eq!(shell_with(keyspace).run(command), reply, "type {kind}");
    }
}

#[test]
fn what_is_wrong_is_refused() {
    for (kind, value) in [
        (2, b"\x02\x01a\x01a".to_vec()),
        (11, string(b"\x02\0\0\0\x03\0\0\0\xff\xff\x07\0")),
        (11, string(b"\x03\0\0\0\0\0\0\0")),
        (11, string(b"\x02\0\0\0\xff\xff\xff\xff")),
        (11, string(b"\x02\0\0\0\x02\0\0\0\x07\0\x07\0")),
        (11, string(b"\x02\0\0")),
        (3, b"\x01\x01a\xfd".to_vec()),
        (3, b"\x01\x01a\x01x".to_vec()),
        (3, b"\x02\x01a\x011\x01a\x012".to_vec()),
        (5, b"\x01\x01a\0\0\0\0\0\0\xf8\x7f".to_vec()),
        (17, string(b"\x0a\0\0\0\x01\0\x81a\x02\xff")),
        (17, string(b"\x0d\0\0\0\x02\0\x81a\x02\x81x\x02\xff")),
        (20, string(b"\x0d\0\0\0\x02\0\x81a\x02\x81a\x02\xff")),
    ] {
        let error = load(&file(kind, &value), 1, 1, Options::default()).unwrap_err();
        assert!(matches!(error.kind, RdbErrorKind::Value(..)), "type {kind}, {value:?}: {error}");
    }
}

#[test]
fn a_claimed_number_of_members_costs_nothing() {
    for kind in [2, 3, 5] {
        let head = [b"REDIS0010", &[kind][..], b"\x01k\x81\x7f\xff\xff\xff\xff\xff\xff\xff\x01a"].concat();
        let error = load(&head, 1, 1, Options::default()).unwrap_err();
        assert_eq!(error.kind, RdbErrorKind::Truncated);
    }
}

#[test]
fn what_is_written_is_read_back_in_pieces_of_any_size() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let mut shell = collections::shell();
        shell.may_block = false;
        for _ in 0..200 {
            shell.run(&collections::draw(&mut rng));
        }
        let mut bytes = Vec::new();
        save(&shell.keyspace, &Aux::default(), &mut bytes);
        let mut loader = Loader::new(16, seed, Options::default());
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(rest.len().min(rng.between(1, 9) as usize));
            loader.feed(piece).unwrap();
            rest = behind;
        }
        assert_eq!(loader.finish().unwrap().0, shell.keyspace, "seed {seed}");

        let cut = rng.below(bytes.len() as u64) as usize;
        let error = load(&bytes[..cut], 16, 1, Options::default()).unwrap_err();
        assert_eq!(error.kind, RdbErrorKind::Truncated, "seed {seed}, {cut}");
    }
}
