//! DUMP and RESTORE, and through them every form in which a list or a hash may come in a file.

use core_types::{ArgsBuf, ExpiredKey, Rng};
use keyspace::rdb::{BadDump, crc64, dump, restore};
use keyspace::{Keyspace, Value};
use proptest::prelude::*;

use crate::support::Shell;

/// `type` and `value` as `DUMP` would give them.
fn payload(kind: u8, value: &[u8]) -> Vec<u8> {
    let mut out = [&[kind], value, &[10, 0]].concat();
    out.extend_from_slice(&crc64(&out).to_le_bytes());
    out
}

/// A string of a file: its length in 32 bits, then its bytes.
fn string(bytes: &[u8]) -> Vec<u8> {
    [&[0x80], (bytes.len() as u32).to_be_bytes().as_slice(), bytes].concat()
}

fn load(kind: u8, value: &[u8]) -> Result<Value, BadDump> {
    restore(&payload(kind, value), &Keyspace::new(1, 1))
}

/// What the value looks like from outside.
fn show(value: Value) -> String {
    let mut shell = Shell::new();
    shell.keyspace.db_mut(0).insert(b"k", value, shell.now);
    match shell.run("TYPE k").as_str() {
        "list" => shell.run("LRANGE k 0 -1"),
        "hash" => shell.run("HGETALL k"),
        other => other.to_string(),
    }
}

/// A listpack of elements that are encoded already.
fn listpack(elements: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    for element in elements {
        assert!(element.len() < 128, "longer ones need a longer size backward");
        body.extend_from_slice(element);
        body.push(element.len() as u8);
    }
    let total = 6 + body.len() as u32 + 1;
    [&total.to_le_bytes()[..], &(elements.len() as u16).to_le_bytes(), &body, &[0xff]].concat()
}

/// A ziplist of elements that are encoded already.
fn ziplist(elements: &[&[u8]]) -> Vec<u8> {
    let (mut body, mut last, mut before) = (Vec::new(), 10, 0);
    for element in elements {
        last = 10 + body.len();
        let start = body.len();
        // As Redis does after an element in front has shrunk, a small size may take five bytes.
        match before {
            5..254 => body.push(before as u8),
            _ if body.is_empty() => body.push(0),
            _ => body.extend([&[0xfe], &(before as u32).to_le_bytes()[..]].concat()),
        }
        body.extend_from_slice(element);
        before = body.len() - start;
    }
    let total = 10 + body.len() as u32 + 1;
    [
        &total.to_le_bytes()[..],
        &(last as u32).to_le_bytes(),
        &(elements.len() as u16).to_le_bytes(),
        &body,
        &[0xff],
    ]
    .concat()
}

const IN_LISTPACK: &[&[u8]] = &[
    b"\x05",
    b"\x83two",
    b"\xc1\x2c",
    b"\xdf\xfb",
    b"\xf1\x40\x1f",
    b"\xf2\x90\xee\xfe",
    b"\xf3\x00\x00\x00\x80",
    b"\xf4\x00\x1a\x71\x18\x02\x00\x00\x00",
    b"\xe0\x05later",
    b"\xf0\x01\x00\x00\x00x",
];

const IN_ZIPLIST: &[&[u8]] = &[
    b"\xf6",
    b"\x03two",
    b"\xc0\x2c\x01",
    b"\xfe\xfb",
    b"\xc0\x40\x1f",
    b"\xf0\x90\xee\xfe",
    b"\xd0\x00\x00\x00\x80",
    b"\xe0\x00\x1a\x71\x18\x02\x00\x00\x00",
    b"\x40\x05later",
    b"\x80\x00\x00\x00\x01x",
];

/// What both hold.
const SHOWN: &str =
    "[\"5\" \"two\" \"300\" \"-5\" \"8000\" \"-70000\" \"-2147483648\" \"9000000000\" \"later\" \"x\"]";

#[test]
fn every_form_of_a_list_or_hash_is_read() {
    let (compact, old) = (string(&listpack(IN_LISTPACK)), string(&ziplist(IN_ZIPLIST)));
    for (kind, value) in [
        (10, old.clone()),
        (13, old.clone()),
        (14, [&[1], &old[..]].concat()),
        (16, compact.clone()),
        (18, [&[1, 2], &compact[..]].concat()),
    ] {
        assert_eq!(show(load(kind, &value).unwrap()), SHOWN, "type {kind}");
    }
    let two = [&[2, 1, 2, b'4', b'2', 2], &compact[..]].concat();
    assert_eq!(show(load(18, &two).unwrap()), format!("[\"42\" {}", &SHOWN[1..]));
    // One byte behind the first value lies idle.
    let zipmap = b"\x02\x01a\x01\x01x_\x02bc\x00\x00\xff";
    assert_eq!(show(load(9, &string(zipmap)).unwrap()), "[\"a\" \"x\" \"bc\" \"\"]");
}

#[test]
fn what_real_redis_dumps_is_read() {
    let list = b"\x12\x01\x02\xc3)@\x87\x1a\x87\x00\x00\x00\x06\x00\x01\x01\x83two\x04\xc1,\x02\xf2\x90\xee\
        \xfe\x04\xf4\x00\x1aq\x18\x02 \x19\x03\t\xe0dy\xe0Z\x00\x01f\xff\n\x008\xd2\xe5k\xc4\xe6\xb0&";
    let shown = show(restore(list, &Keyspace::new(1, 1)).unwrap());
    assert_eq!(shown, format!("[\"1\" \"two\" \"300\" \"-70000\" \"9000000000\" \"{}\"]", "y".repeat(100)));
}

#[test]
fn what_does_not_hold_together_is_refused() {
    let compact = listpack(&[b"\x05", b"\x83two"]);
    let old = ziplist(&[b"\xf6", b"\x03two"]);
    let broken = |blob: &[u8], at: usize, byte: u8| {
        let mut blob = blob.to_vec();
        blob[at] = byte;
        string(&blob)
    };
    for (kind, value) in [
        // A field twice, in each form; a field without its value.
        (4, b"\x02\x01a\x01x\x01a\x01y".to_vec()),
        (16, string(&listpack(&[b"\x05", b"\x01", b"\x05", b"\x01"]))),
        (16, string(&listpack(&[b"\x05"]))),
        (13, string(&ziplist(&[b"\xf6", b"\xf6", b"\xf6"]))),
        // Nothing at all in it, a claim of much more than there is, a node of an unknown sort.
        (1, vec![0]),
        (4, vec![0]),
        (1, b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01x".to_vec()),
        (18, [&[1, 3], &string(&compact)[..]].concat()),
        // Sizes and numbers in the header, the end, an element's encoding and its size backward.
        (16, broken(&compact, 0, 99)),
        (16, broken(&compact, 4, 3)),
        (16, broken(&compact, compact.len() - 1, 0)),
        (16, broken(&compact, 6, 0xf7)),
        (16, broken(&compact, 7, 2)),
        (16, broken(&compact, 8, 0xbf)),
        (16, string(&[])),
        (13, broken(&old, 0, 99)),
        (13, broken(&old, 4, 11)),
        (13, broken(&old, 8, 3)),
        (13, broken(&old, 10, 1)),
        (13, broken(&old, 11, 0xc1)),
        (13, broken(&old, old.len() - 1, 0)),
        (13, string(b"\x0a\0\0\0")),
        (9, string(b"\x01\x01a\x02\x00x\xff")),
        (9, string(b"\x02\x01a\x01\x00x\xff")),
        (9, string(b"\x01\x01a\xff")),
        // What is no type of value.
        (6, b"\x00".to_vec()),
        (255, Vec::new()),
    ] {
        assert_eq!(
            load(kind, &value),
            Err(BadDump::Format),
            "type {kind}, {}",
            core_types::show_bytes(&value)
        );
    }
}

#[test]
fn the_footer_must_be_right() {
    let keyspace = Keyspace::new(1, 1);
    let good = payload(1, b"\x01\x01x");
    assert!(restore(&good, &keyspace).is_ok());
    let mut newer = good[..good.len() - 10].to_vec();
    newer.extend_from_slice(&[12, 0]);
    newer.extend_from_slice(&crc64(&newer).to_le_bytes());
    for bad in [&good[1..], &good[..good.len() - 1], b"", b"123456789", &newer] {
        assert_eq!(restore(bad, &keyspace), Err(BadDump::Footer));
    }
}

/// Runs `RESTORE key ttl payload …`.
fn restore_as(shell: &mut Shell, line: &str, payload: &[u8]) -> String {
    let words = line.split(' ').map(|word| if word == "PAYLOAD" { payload } else { word.as_bytes() });
    shell.run_args(ArgsBuf::from_parts(words).as_args())
}

#[test]
fn restore_keeps_to_its_options() {
    let value = payload(1, b"\x02\x01a\x01b");
    let mut shell = Shell::new();
    for (line, reply) in [
        ("RESTORE l 0 PAYLOAD", "OK"),
        ("RESTORE l 0 PAYLOAD", "-BUSYKEY Target key name already exists."),
        ("RESTORE l 5000 PAYLOAD REPLACE", "OK"),
        ("PTTL l", "5000"),
        ("RESTORE m 1002000 PAYLOAD ABSTTL IDLETIME 100", "OK"),
        ("PTTL m", "2000"),
        ("OBJECT IDLETIME m", "100"),
        ("RESTORE n 0 PAYLOAD FREQ 3", "OK"),
        ("RESTORE o -1 PAYLOAD", "-ERR Invalid TTL value, must be >= 0"),
        ("RESTORE o 0 PAYLOAD FREQ 256", "-ERR Invalid FREQ value, must be >= 0 and <= 255"),
        ("RESTORE o 0 PAYLOAD IDLETIME -1", "-ERR Invalid IDLETIME value, must be >= 0"),
        ("RESTORE o 0 PAYLOAD IDLETIME 1 FREQ 1", "-ERR syntax error"),
        ("RESTORE o 0 nonsense", "-ERR DUMP payload version or checksum are wrong"),
        ("DUMP o", "nil"),
    ] {
        assert_eq!(restore_as(&mut shell, line, &value), reply, "{line}");
    }
    let bad = payload(1, b"\x00");
    assert_eq!(restore_as(&mut shell, "RESTORE o 0 PAYLOAD", &bad), "-ERR Bad data format");
}

#[test]
fn restore_tells_replicas_an_instant() {
    let value = payload(0, b"\x01x");
    let mut shell = Shell::new();
    restore_as(&mut shell, "RESTORE k 5000 PAYLOAD REPLACE", &value);
    assert!(shell.told[0].starts_with("RESTORE k 1005000 "), "{:?}", shell.told);
    assert!(shell.told[0].ends_with(" REPLACE ABSTTL"), "{:?}", shell.told);
    // A time that has passed: nothing is restored, and what was there goes.
    assert_eq!(restore_as(&mut shell, "RESTORE k 1 PAYLOAD REPLACE ABSTTL", &value), "OK");
    assert_eq!(shell.told, ["DEL k"]);
    assert_eq!(restore_as(&mut shell, "RESTORE k 1 PAYLOAD ABSTTL", &value), "OK");
    assert!(shell.told.is_empty());
    // A replica leaves that to its master.
    shell.expired = ExpiredKey::Keep;
    restore_as(&mut shell, "RESTORE k 1 PAYLOAD ABSTTL", &value);
    assert_eq!(shell.run("EXISTS k"), "1");
}

#[test]
fn what_is_dumped_is_restored() {
    let mut rng = Rng::new(5);
    for _ in 0..200 {
        let mut shell = Shell::new();
        for _ in 0..rng.below(300) {
            let text = "x".repeat(rng.below(70) as usize * rng.below(2) as usize);
            let (a, b) = (rng.next_u64() as i64 >> rng.below(64), rng.below(500));
            shell.run(&format!("RPUSH l {a} {text}{b}"));
            shell.run(&format!("HSET h {b} {a} {text}{b} x"));
        }
        for key in ["l", "h"] {
            if let Some(entry) = shell.keyspace.db(0).get(key.as_bytes()) {
                assert_eq!(restore(&dump(&entry.value), &shell.keyspace).as_ref(), Ok(&entry.value));
            }
        }
    }
}

fn blob() -> impl Strategy<Value = Vec<u8>> {
    let pieces =
        |pieces: &'static [&'static [u8]]| prop::collection::vec(prop::sample::select(pieces), 0..12);
    let byte = (any::<prop::sample::Index>(), any::<u8>());
    let whole = prop_oneof![
        pieces(IN_LISTPACK).prop_map(|pieces| listpack(&pieces)),
        pieces(IN_ZIPLIST).prop_map(|pieces| ziplist(&pieces)),
        prop::collection::vec(any::<u8>(), 0..60),
    ];
    (whole, prop::collection::vec(byte, 0..3)).prop_map(|(mut blob, changes)| {
        for (at, byte) in changes.iter().filter(|_| !blob.is_empty()).collect::<Vec<_>>() {
            let at = at.index(blob.len());
            blob[at] = *byte;
        }
        blob
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever comes: a value that holds together, or an error; never a panic.
    #[test]
    fn damaged_values_are_refused_or_sound(kind in 0u8..22, blob in blob(), wrapped in 0..4) {
        let value = match wrapped {
            0 => blob,
            1 => string(&blob),
            2 => [&[1], &string(&blob)[..]].concat(),
            _ => [&[1, 2], &string(&blob)[..]].concat(),
        };
        if let Ok(value) = load(kind, &value) {
            let again = restore(&dump(&value), &Keyspace::new(1, 1));
            prop_assert_eq!(again, Ok(value));
        }
    }
}
