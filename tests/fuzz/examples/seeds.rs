//! Makes the seeds anew with a real `redis-server`: `cargo run -p fuzz --example seeds`. What it does not
//! make (past findings) stays as it is.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use core_types::{Frame, Rng, write_command};
use system::{Client, Kind, Server, grammar, wait};

/// Flags that keep collections in their large forms.
const LARGE: [&str; 10] = [
    "--hash-max-listpack-entries",
    "0",
    "--zset-max-listpack-entries",
    "0",
    "--set-max-intset-entries",
    "0",
    "--list-max-listpack-size",
    "1",
    "--rdbcompression",
    "no",
];

const SMALL: [&str; 0] = [];

fn main() {
    let files = |form: &str, flags: &[&str]| {
        rdb_and_dumps(form, flags);
        aof(form, flags);
    };
    files("small", &SMALL);
    files("large", &LARGE);
    older_forms();
    commands_and_replies();
}

fn keep(target: &str, name: &str, bytes: &[u8]) {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    fs::create_dir_all(&folder).expect("the folder of the seeds");
    fs::write(folder.join(name), bytes).expect("a seed");
}

/// Something of every type and size.
fn fill(client: &mut Client) {
    for command in [
        "SET text plain",
        "SET number 12345",
        "SET negative -70000",
        "SET large 9223372036854775807",
        "SET expires soon PX 100000000",
        "SET gone early PXAT 1",
        "RPUSH list a 1 -1 70000 bb 5000000000",
        "HSET hash field value 1 2 other 3.5",
        "SADD numbers 1 -2 300",
        "SADD wide 1 70000 5000000000",
        "SADD set one two 3",
        "ZADD zset 1 one 2.5 two -inf low +inf high 1e300 far",
        "EXPIRE zset 100000",
        "SELECT 3",
        "SET there also",
        "SELECT 0",
    ] {
        client.run(command);
    }
    let long = "x".repeat(300);
    client.run(&format!("SET run {long}"));
    client.run(&format!("RPUSH longlist {long} {long} short"));
    client.run(&format!("HSET longhash {long} 1 b {long}"));
    client.run("SET words abcabcabcabcabcabcabcabcabcabcdabcabc");
    for number in 0..40 {
        client.run(&format!("RPUSH manylist element:{number}"));
        client.run(&format!("ZADD manyzset {number} m{number}"));
        client.run(&format!("SADD manyset m{number}"));
        client.run(&format!("HSET manyhash f{number} {number}"));
    }
}

fn rdb_and_dumps(form: &str, flags: &[&str]) {
    let server = Server::start(Kind::Redis, flags);
    let mut client = server.client();
    fill(&mut client);
    client.run("SAVE");
    let file = fs::read(server.dir().join("dump.rdb")).expect("the file it has saved");
    keep("rdb", &format!("redis-7.0-{form}.rdb"), &file);
    let Frame::Array(keys) = client.run("KEYS *") else { panic!("KEYS answers with an array") };
    for key in &keys {
        let key = key.as_bytes().expect("a key");
        let Frame::Bulk(payload) = client.call(&[b"DUMP".as_slice(), key]) else { continue };
        // The target puts the version and the checksum behind it.
        let body = &payload[..payload.len() - 10];
        keep("dump", &format!("redis-7.0-{form}-{}", String::from_utf8_lossy(key)), body);
        if key == b"text" {
            keep("dump", "redis-7.0-with-checksum", &payload);
        }
        if key.starts_with(b"many") || key.starts_with(b"long") || key == b"words" {
            keep_alone(&format!("one-{form}-{}", String::from_utf8_lossy(key)), body);
        }
    }
}

/// Forms that Redis 7.0 reads and does not write, and one of 7.2.
fn older_forms() {
    let list = ziplist(&[b"\xf6", b"\x03two", b"\xfe\x80"]);
    let pairs = ziplist(&[b"\x03one", b"\xf2", b"\x03two", b"\x032.5"]);
    let listpack = b"\x11\0\0\0\x03\0\x83one\x04\x05\x01\xc1\x00\x02\xff";
    let zipmap = b"\x02\x01a\x01\x01x_\x02bc\x00\x00\xff";
    for (name, kind, body) in [
        ("list", 1, b"\x02\x01a\xc0\x05".to_vec()),
        ("text-scores", 3, b"\x04\x01a\x032.5\x01b\xff\x01c\xfe\xc0\x05\x01\x37".to_vec()),
        ("zipmap", 9, string(zipmap)),
        ("ziplist", 10, string(&list)),
        ("zset-ziplist", 12, string(&pairs)),
        ("hash-ziplist", 13, string(&pairs)),
        ("quicklist-of-ziplists", 14, [b"\x02".to_vec(), string(&list), string(&pairs)].concat()),
        ("set-listpack", 20, string(listpack)),
    ] {
        let value = [vec![kind], body].concat();
        keep("dump", &format!("older-{name}"), &value);
        keep_alone(&format!("older-{name}"), &value);
    }
    let library = string(b"#!lua name=a\n");
    let module_aux = b"\xf7\x81\0\0\0\0\0\0\0\x05\x02\x01\x03abcd\x04abcdefgh\x05\x01x\x00";
    let key = b"\xfc\x00\x00\x00\x00\x00\x02\x00\x00\xf8\x05\xf9\x07\x00\x01k\x01v";
    let file = [
        b"REDIS0011\xf5",
        library.as_slice(),
        module_aux,
        key,
        b"\xfe\x01\xfb\x01\x00\x00\xc0\x01\xc0\x02\xff",
    ];
    keep("rdb", "opcodes.rdb", &[&file.concat(), &[0; 8][..]].concat());
}

/// A string of up to 63 bytes as it stands in a file.
fn string(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8], bytes].concat()
}

/// A ziplist of elements that are encoded already, each less than 254 bytes.
fn ziplist(elements: &[&[u8]]) -> Vec<u8> {
    let (mut body, mut before, mut last) = (Vec::new(), 0, 10);
    for element in elements {
        last = 10 + body.len() as u32;
        body.push(before);
        body.extend_from_slice(element);
        before = element.len() as u8 + 1;
    }
    let total = 11 + body.len() as u32;
    let count = elements.len() as u16;
    [&total.to_le_bytes()[..], &last.to_le_bytes(), &count.to_le_bytes(), &body, &[0xff]].concat()
}

/// A file with nothing but this value: small, so that changes meet what matters.
fn keep_alone(name: &str, value: &[u8]) {
    let (kind, body) = value.split_at(1);
    let file = [b"REDIS0010", kind, b"\x01k", body, b"\xff", &[0; 8]].concat();
    keep("rdb", &format!("{name}.rdb"), &file);
}

/// Manifest, base and increment, with a transaction and what the grammar makes up.
fn aof(form: &str, flags: &[&str]) {
    let more = ["--appendonly", "yes", "--aof-timestamp-enabled", "yes"];
    let server = Server::start(Kind::Redis, &[flags, &more].concat());
    let mut client = server.client();
    fill(&mut client);
    client.run("BGREWRITEAOF");
    wait::until("the end of the rewrite", || {
        client.info("aof_rewrite_in_progress") == "0" && client.info("aof_rewrite_scheduled") == "0"
    });
    for command in ["MULTI", "SET in transaction", "INCR counter", "EXEC", "SPOP manyset 3", "LPOP list"] {
        client.run(command);
    }
    let mut rng = Rng::new(11);
    for (_, pattern) in grammar::PATTERNS {
        if !["SETRANGE", "SETBIT", "SORT"].iter().any(|name| pattern.contains(name)) {
            client.call(&grammar::make(pattern, &mut rng));
        }
    }
    let folder = server.dir().join("appendonlydir");
    let read = |end: &str| fs::read(folder.join(format!("appendonly.aof.{end}"))).expect("a part");
    let manifest = read("manifest");
    let parts = [read("2.base.rdb"), read("2.incr.aof")];
    keep(
        "aof",
        &format!("redis-7.0-{form}"),
        &[&manifest, &parts[0], &parts[1]].map(Vec::as_slice).join(BORDER),
    );
    let few = &parts[1][..parts[1].len().min(700)];
    keep("aof", &format!("cut-off-{form}"), few);
    keep("aof", &format!("two-increments-{form}"), &[b"", b"", few, few].map(<[u8]>::to_vec).join(BORDER));
}

const BORDER: &[u8] = b"\n%%\n";

/// What a client sends and what a server answers, in both protocols.
fn commands_and_replies() {
    let server = Server::start(Kind::Redis, &[]);
    let mut client = server.client();
    fill(&mut client);
    let mut rng = Rng::new(5);
    let (mut all, mut replies) = (BytesMut::new(), BytesMut::new());
    for protocol in ["2", "3"] {
        client.run(&format!("HELLO {protocol}"));
        for (_, pattern) in grammar::PATTERNS {
            let words = grammar::make(pattern, &mut rng);
            let mut bytes = BytesMut::new();
            write_command(&mut bytes, words.iter().map(Vec::as_slice));
            client.send(&bytes).expect("the server reads");
            client.send(b"PING\r\n").expect("the server reads");
            let reply = client.read_until(b"+PONG\r\n");
            all.extend_from_slice(&bytes);
            if reply.len() < 400 {
                replies.extend_from_slice(&reply);
            }
        }
        keep("commands", &format!("grammar-{protocol}"), &all.split_to(all.len().min(6000)));
        all.clear();
        keep("replies", &format!("resp{protocol}"), &replies.split_to(replies.len().min(6000)));
        replies.clear();
    }
    for (name, bytes) in [
        ("inline", b"PING\r\nSET \"a\\x41\\n\" 'b\\'c'\nGET  a\tb \r\n\r\n".as_slice()),
        ("empty", b"*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n*2\r\n$0\r\n\r\n$1\r\nx\r\n"),
        ("unbalanced", b"*1\r\n$4\r\nPING\r\nSET \"open\r\n"),
        ("claims", b"*3\r\n$536870912\r\n"),
        ("many", b"*2147483647\r\n$1\r\na\r\n$1\r\nb\r\n"),
    ] {
        keep("commands", name, bytes);
    }
    for (name, bytes) in [
        (
            "types",
            b"+OK\r\n-ERR no\r\n:-5\r\n$3\r\nabc\r\n$-1\r\n*-1\r\n_\r\n#t\r\n,1.5\r\n,nan\r\n(123\r\n"
                .as_slice(),
        ),
        ("nested", b"*2\r\n%1\r\n+k\r\n~2\r\n:1\r\n:2\r\n>2\r\n+message\r\n=7\r\ntxt:abc\r\n"),
        ("attribute", b"|1\r\n+ttl\r\n:5\r\n*1\r\n!5\r\nERR x\r\n"),
        ("deep", b"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"),
        ("claims", b"*2147483647\r\n$2147483647\r\nabc"),
    ] {
        keep("replies", name, bytes);
    }
}
