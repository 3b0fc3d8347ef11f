//! RDB files: what real Redis wrote, what we write, and what nobody should have written.

use core_types::{Millis, Offset, ReplId};
use keyspace::rdb::{Aux, BadLzf, Loader, Options, RdbError, RdbErrorKind, load, save};
use keyspace::{Entry, Keyspace, Str, Value};
use proptest::prelude::*;

/// Written by Redis 7.0.15: strings in every encoding, two keys with an expiry (one long past), three
/// databases and a library of functions.
const FROM_REDIS: &[u8] = include_bytes!("../fixtures/redis-7.0.15.rdb");

fn keep() -> Options {
    Options::default()
}

fn text(keyspace: &Keyspace, db: usize, key: &str) -> String {
    let entry = keyspace.db(db).get(key.as_bytes()).unwrap_or_else(|| panic!("{key} is missing"));
    String::from_utf8(entry.value.as_string().unwrap().to_vec()).unwrap()
}

#[test]
fn reads_what_redis_writes() {
    let (keyspace, aux) = load(FROM_REDIS, 16, 1, keep()).unwrap();
    assert_eq!(aux.redis_ver, "7.0.15");
    for (key, value) in [
        ("int8", "-5"),
        ("int16", "300"),
        ("int32", "-70000"),
        ("int64", "9000000000"),
        ("empty", ""),
        ("text", "hello world!"),
        ("12345", "an integer key"),
        ("float", "3.25"),
        ("until", "2100"),
        ("gone", "1970"),
    ] {
        assert_eq!(text(&keyspace, 0, key), value, "{key}");
    }
    assert_eq!(text(&keyspace, 0, "lzf"), "abcdefgh".repeat(200));
    assert_eq!(text(&keyspace, 0, "run"), "a".repeat(1000));
    assert_eq!(text(&keyspace, 0, "mixed").len(), 600);
    assert_eq!(text(&keyspace, 1, "b"), "in db 1");
    assert_eq!(text(&keyspace, 15, "last"), "15");
    assert_eq!(keyspace.db(0).get(b"until").unwrap().expire_at(), Some(Millis(4_102_444_800_000)));
    assert_eq!(keyspace.db(0).get(b"gone").unwrap().expire_at(), Some(Millis(1000)));
    keyspace.check_invariants().unwrap();
}

#[test]
fn a_master_leaves_expired_keys_out() {
    let options = Options { drop_expired: Some(Millis(1001)), ..keep() };
    let mut loader = Loader::new(16, 1, options);
    loader.feed(FROM_REDIS).unwrap();
    assert_eq!((loader.keys_loaded(), loader.keys_expired()), (15, 1));
    let (keyspace, _) = loader.finish().unwrap();
    assert!(keyspace.db(0).get(b"gone").is_none());
    assert!(keyspace.db(0).get(b"until").is_some());
}

#[test]
fn replication_fields_survive() {
    let aux = Aux {
        redis_ver: "7.0.15".into(),
        ctime: Some(1_700_000_000),
        used_mem: Some(1_000_000),
        repl_stream_db: Some(-1),
        repl_id: Some(ReplId::parse(&[b'a'; 40]).unwrap()),
        repl_offset: Some(Offset(u64::from(u32::MAX) + 7)),
        aof_base: true,
    };
    let mut file = Vec::new();
    save(&Keyspace::new(1, 1), &aux, &mut file);
    assert_eq!(load(&file, 1, 1, keep()).unwrap().1, aux);
}

/// A file with `body` between the signature and the end, with no checksum.
fn file(body: &[u8]) -> Vec<u8> {
    [b"REDIS0010", body, &[255], &[0; 8]].concat()
}

fn error(bytes: &[u8]) -> RdbErrorKind {
    load(bytes, 2, 1, keep()).expect_err("a file that is wrong").kind
}

#[test]
fn every_opcode_is_understood_or_passed_over() {
    let body = [
        // An auxiliary field that nobody knows, and functions as Redis 7.0 writes them.
        &b"\xfa\x03foo\x03bar"[..],
        b"\xf5\x04code",
        // Functions as they were before: name, engine, perhaps a description, code.
        b"\xf6\x01n\x01e\x00\x04code",
        b"\xf6\x01n\x01e\x01\x04desc\x04code",
        // A module's data: its id; an unsigned and a signed number, a string, a float, a double; the end.
        b"\xf7\x81\x01\x02\x03\x04\x05\x06\x07\x08",
        b"\x02\x02\x01\x05\x05\x03\xff\x00\x00",
        b"\x03\x00\x00\x80\x3f\x04\x00\x00\x00\x00\x00\x00\xf0\x3f\x00",
        // Database 1 and its sizes; a key with its idle time; a key with its expiry in seconds and its frequency.
        b"\xfe\x01\xfb\x02\x01",
        b"\xf8\x0a\x00\x01a\x01x",
        b"\xfd\x10\x00\x00\x00\xf9\x05\x00\x01b\xc0\x2a",
    ]
    .concat();
    let (keyspace, _) = load(&file(&body), 2, 1, keep()).unwrap();
    assert_eq!(text(&keyspace, 1, "a"), "x");
    assert_eq!(text(&keyspace, 1, "b"), "42");
    assert_eq!(keyspace.db(1).get(b"b").unwrap().expire_at(), Some(Millis(16_000)));
}

#[test]
fn what_is_wrong_is_named() {
    use RdbErrorKind::*;
    for (bytes, expected) in [
        (&b"REDIX0010"[..], Magic),
        (b"REDIS00x0", Magic),
        (b"REDIS0012", Version(12)),
        (b"REDIS0000", Version(0)),
        (b"REDIS0010\xc8", UnknownOpcode(200)),
        (b"REDIS0010\x06", UnsupportedType(6, "module value")),
        (b"REDIS0010\x0f", UnsupportedType(15, "stream")),
        (b"REDIS0010\xfe\x02", Database(2, 2)),
        (b"REDIS0010\xfe\xc0", Length(0xc0)),
        (b"REDIS0010\x00\xc4", Length(0xc4)),
        (b"REDIS0010\x00\x82", Length(0x82)),
        (b"REDIS0010\xf7\x01\x06", ModuleItem(6)),
        (b"REDIS0010\x00\x80\xff\xff\xff\xff", TooLong(0xffff_ffff, 512 * 1024 * 1024)),
        (b"REDIS0010\x00\xc3\x02\x06\x20\x05", Compression(BadLzf::BeforeStart)),
        (b"REDIS0010\x00\xc3\x01\x80\x1f\xff\xff\xff\x00", Compression(BadLzf::TooShort)),
        (b"REDIS0010\x00\x01a\x01x\x00\x01a\x01y", DuplicateKey),
        (b"REDIS0010\xff\x01\0\0\0\0\0\0\0", Checksum(1, 0x0)),
        (b"REDIS0010\xff\0\0\0\0\0\0\0\0x", Trailing),
        (b"REDIS0010", Truncated),
        (b"", Truncated),
    ] {
        match (error(bytes), expected) {
            (Checksum(stored, _), Checksum(expected, _)) => assert_eq!(stored, expected),
            (found, expected) => assert_eq!(found, expected, "{}", core_types::show_bytes(bytes)),
        }
    }
}

#[test]
fn an_error_says_where() {
    let error = load(b"REDIS0010\xfe\x00\x0f\x01k", 2, 1, keep()).unwrap_err();
    assert_eq!(error, RdbError { position: 11, kind: RdbErrorKind::UnsupportedType(15, "stream") });
    assert_eq!(error.to_string(), "unsupported RDB value type 15 (stream), at byte 11");
}

#[test]
fn after_an_error_nothing_more_is_taken() {
    let mut loader = Loader::new(1, 1, keep());
    let error = loader.feed(b"nonsense!").unwrap_err();
    assert_eq!(loader.feed(FROM_REDIS), Err(error.clone()));
    assert!(!loader.is_complete());
    assert_eq!(loader.finish().unwrap_err(), error);
}

fn data() -> impl Strategy<Value = Keyspace> {
    let bytes = || {
        prop_oneof![
            any::<i64>().prop_map(|number| number.to_string().into_bytes()),
            (-40_000i64..40_000).prop_map(|number| number.to_string().into_bytes()),
            prop::collection::vec(any::<u8>(), 0..80),
            Just(vec![b'x'; 20_000]),
        ]
    };
    let key = (0usize..4, bytes(), bytes(), prop::option::of(any::<u32>()));
    prop::collection::vec(key, 0..12).prop_map(|keys| {
        let mut keyspace = Keyspace::new(4, 1);
        for (db, key, value, until) in keys {
            let db = keyspace.db_mut(db);
            let position = db.insert_entry(&key, Entry::new(Value::String(Str::new(&value)), Millis::ZERO));
            db.set_expire_at(position, until.map(|until| Millis(u64::from(until))));
        }
        keyspace
    })
}

fn saved(keyspace: &Keyspace) -> Vec<u8> {
    let mut file = Vec::new();
    save(keyspace, &Aux { redis_ver: "7.0.15".into(), ..Aux::default() }, &mut file);
    file
}

/// The result of loading `bytes` in pieces of the given sizes, over and over.
fn load_in_pieces(mut bytes: &[u8], sizes: &[usize]) -> Result<(Keyspace, Aux), RdbError> {
    let mut loader = Loader::new(4, 1, keep());
    for size in sizes.iter().cycle() {
        let (piece, rest) = bytes.split_at((*size).min(bytes.len()));
        loader.feed(piece)?;
        bytes = rest;
        if bytes.is_empty() {
            break;
        }
    }
    loader.finish()
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(keyspace in data()) {
        let (read, _) = load(&saved(&keyspace), 4, 2, keep()).unwrap();
        read.check_invariants().unwrap();
        prop_assert_eq!(read, keyspace);
    }

    #[test]
    fn pieces_of_any_size_give_the_same(keyspace in data(), sizes in prop::collection::vec(1usize..50, 1..8)) {
        let file = saved(&keyspace);
        prop_assert_eq!(load_in_pieces(&file, &sizes), load(&file, 4, 1, keep()));
    }

    #[test]
    fn a_truncated_file_is_never_accepted(keyspace in data(), cut in any::<prop::sample::Index>()) {
        let file = saved(&keyspace);
        let cut = cut.index(file.len());
        let error = load(&file[..cut], 4, 1, keep()).unwrap_err();
        prop_assert_eq!(error.kind, RdbErrorKind::Truncated);
    }

    #[test]
    fn a_flipped_bit_is_never_accepted(bit in 0..FROM_REDIS.len() * 8) {
        let mut file = FROM_REDIS.to_vec();
        file[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(load(&file, 16, 1, keep()).is_err());
    }

    #[test]
    fn nonsense_is_an_error_and_the_same_in_pieces(
        body in prop::collection::vec(any::<u8>(), 0..200),
        sizes in prop::collection::vec(1usize..50, 1..8),
    ) {
        let bytes = [b"REDIS0010", body.as_slice()].concat();
        prop_assert_eq!(load_in_pieces(&bytes, &sizes), load(&bytes, 4, 1, keep()));
        prop_assert!(load(&body, 4, 1, keep()).is_err());
    }

    #[test]
    fn decompression_never_gives_more_than_was_claimed(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        length in 0usize..2000,
    ) {
        if let Ok(out) = keyspace::rdb::decompress(&bytes, length) {
            prop_assert_eq!(out.len(), length);
        }
    }
}
