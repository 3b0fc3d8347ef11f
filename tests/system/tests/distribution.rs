//! Chapter 6 beside the programs that it describes: slots and keys as Redis sees them, servers as Twemproxy
//! chooses them.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use core_types::{ArgsBuf, Frame, Rng};
use solution_6::{
    Asks, Distribution, Hash, HealthSettings, Join, Pool, Refusal, Server as Named, asks, key_slot,
};
use system::{Kind, Server, free_port, redis_or_skip, redis_tool_or_skip, wait};

#[test]
fn every_key_has_the_slot_that_redis_gives_it() {
    let flags = ["--cluster-enabled", "yes"];
    let Some(redis) = redis_or_skip("every_key_has_the_slot_that_redis_gives_it", &flags) else { return };
    let mut client = redis.client();
    let mut rng = Rng::new(6);
    let mut keys: Vec<Vec<u8>> = ["", "{", "}", "{}", "}{", "{}{a}", "{{a}}", "{a}{b}", "a{b", "a}b", "{a"]
        .iter()
        .map(|key| key.as_bytes().to_vec())
        .collect();
    keys.push(vec![b'{'; 1 << 20]);
    keys.push([&vec![b'{'; 1 << 20][..], b"}"].concat());
    for _ in 0..2000 {
        let bytes = [&b"{}ab"[..], b"{}\xff\0\r\n "][rng.below(2) as usize];
        let length = rng.below(12);
        keys.push((0..length).map(|_| *rng.pick(bytes).expect("not empty")).collect());
    }
    for key in keys {
        let theirs = client.call(&[&b"CLUSTER"[..], b"KEYSLOT", &key]);
        assert_eq!(theirs, Frame::Integer(key_slot(&key).number().into()), "{:?}", &key[..key.len().min(40)]);
    }
}

/// Words of a reply's elements.
fn words(frame: &Frame) -> Vec<String> {
    let Frame::Array(list) = frame else { return Vec::new() };
    let word = |frame: &Frame| String::from_utf8_lossy(frame.as_bytes().unwrap_or_default()).into_owned();
    list.iter().map(word).collect()
}

#[test]
fn every_command_of_redis_is_known_to_the_proxy() {
    let test = "every_command_of_redis_is_known_to_the_proxy";
    let Some(redis) = redis_or_skip(test, &[]) else { return };
    let names = words(&redis.run("COMMAND LIST"));
    assert!(names.len() > 200, "{names:?}");
    // `acl|list` and the like are subcommands.
    for name in names.iter().filter(|name| !name.contains('|')) {
        let command = ArgsBuf::from_parts([name.as_bytes(), b"x", b"1", b"x", b"1"]);
        let asked = asks(&command.as_args());
        // A debugging command of HyperLogLogs and the self-test: nobody's clients send them.
        let debugging = ["pfdebug", "pfselftest"].contains(&name.as_str());
        assert_eq!(asked == Asks::Not(Refusal::Unknown), debugging, "{name}");
    }
}

#[test]
fn keys_are_where_redis_finds_them() {
    let Some(redis) = redis_or_skip("keys_are_where_redis_finds_them", &[]) else { return };
    let lines = [
        "GET a",
        "SET a b EX 5",
        "MGET a b c",
        "DEL a b",
        "EXISTS a a",
        "TOUCH a b",
        "UNLINK a",
        "MSET a 1 b 2",
        "MSETNX a 1 b 2",
        "RENAME a b",
        "COPY a b DB 0",
        "SMOVE a b m",
        "LMOVE a b LEFT RIGHT",
        "RPOPLPUSH a b",
        "BITOP AND d a b",
        "SUNIONSTORE d a b",
        "SINTER a b c",
        "PFMERGE d a b",
        "PFCOUNT a b",
        "LCS a b",
        "ZUNIONSTORE d 2 a b WEIGHTS 1 2",
        "ZDIFFSTORE d 1 a",
        "ZUNION 2 a b WITHSCORES",
        "ZINTERCARD 2 a b LIMIT 1",
        "SINTERCARD 2 a b",
        "LMPOP 2 a b LEFT",
        "ZMPOP 1 a MIN",
        "EVAL return 2 a b c",
        "EVALSHA f 1 a",
        "FCALL f 2 a b",
        "XREAD COUNT 2 STREAMS a b 0 0",
        "XREADGROUP GROUP g c STREAMS a >",
        "XADD s * f v",
        "SORT a LIMIT 0 1 STORE d",
        "SORT_RO a",
        "GEORADIUS a 1 1 1 m STORE d",
        "GEORADIUSBYMEMBER a m 1 m STOREDIST d",
        "GEOSEARCHSTORE d a FROMMEMBER m BYRADIUS 1 m",
        "ZRANGESTORE d a 0 1",
        "HSET a f v",
        "OBJECT ENCODING a",
        "BITFIELD a GET u8 0",
        "XGROUP CREATE a g 0",
    ];
    for line in lines {
        let command = ArgsBuf::from_parts(line.split(' '));
        let args = command.as_args();
        let places = match asks(&args) {
            Asks::One(place) => vec![place],
            Asks::Together(places) => places,
            Asks::Each { step, .. } => (1..args.len()).step_by(step).collect(),
            // With subcommands: not a proxy's everyday work.
            Asks::Not(Refusal::NoKey) if line.starts_with("OBJECT") || line.starts_with("XGROUP") => continue,
            other => panic!("{line}: {other:?}"),
        };
        let ours: Vec<&[u8]> = places.iter().map(|&place| &args[place]).collect();
        let theirs = redis.run(&format!("COMMAND GETKEYS {line}"));
        let Frame::Array(theirs) = theirs else { panic!("{line}: {theirs:?}") };
        let mut theirs: Vec<&[u8]> = theirs.iter().filter_map(Frame::as_bytes).collect();
        // Redis names the destination of some commands last; what counts is which keys.
        let mut ours = ours;
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs, "{line}");
    }
    let missing = [
        "GET",
        "MSET a",
        "MSET a 1 b",
        "EVAL return",
        "EVAL return 3 a",
        "EVAL return x a",
        "XREAD STREAMS a",
    ];
    for line in missing {
        let command = ArgsBuf::from_parts(line.split(' '));
        assert_eq!(asks(&command.as_args()), Asks::Not(Refusal::Arity), "{line}");
    }
    let each = ArgsBuf::from_parts(["exists", "a"]);
    assert_eq!(asks(&each.as_args()), Asks::Each { join: Join::Sum, step: 1 });
}

/// A running Twemproxy; it ends when this is dropped.
struct Twemproxy(Child);

impl Drop for Twemproxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn keys_live_where_twemproxy_puts_them() {
    let test = "keys_live_where_twemproxy_puts_them";
    let Some(_) = redis_tool_or_skip(test, "redis-server") else { return };
    let Some(program) = redis_tool_or_skip(test, "nutcracker") else { return };
    let backends: Vec<Server> = (0..4).map(|_| Server::start(Kind::Redis, &[])).collect();
    let weights = [1, 1, 3, 2];
    let named: Vec<Named> = backends
        .iter()
        .zip(weights)
        .enumerate()
        .map(|(index, (backend, weight))| match index {
            1 => Named::new("second", weight),
            _ => Named::at("127.0.0.1", backend.port(), weight),
        })
        .collect();
    let mut pools = Vec::new();
    let mut file = String::new();
    for distribution in [Distribution::Ketama, Distribution::Modula] {
        for (hash_name, hash) in Hash::ALL {
            let port = free_port();
            let kind = if distribution == Distribution::Ketama { "ketama" } else { "modula" };
            file += &format!("{kind}_{hash_name}:\n  listen: 127.0.0.1:{port}\n  hash: {hash_name}\n");
            file += &format!("  distribution: {kind}\n  hash_tag: \"{{}}\"\n  redis: true\n  servers:\n");
            for (index, (backend, weight)) in backends.iter().zip(weights).enumerate() {
                let name = if index == 1 { " second" } else { "" };
                file += &format!("   - 127.0.0.1:{}:{weight}{name}\n", backend.port());
            }
            let tag = Some(*b"{}");
            pools.push((port, Pool::new(named.clone(), distribution, hash, tag, HealthSettings::default())));
        }
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("pools.yml");
    std::fs::write(&path, file).expect("a file");
    let mut command = Command::new(program);
    command.arg("-c").arg(&path).arg("-s").arg(free_port().to_string());
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let _proxy = Twemproxy(child.expect("nutcracker starts"));

    let mut rng = Rng::new(61);
    let mut keys: Vec<Vec<u8>> = (0..60).map(|number| format!("user:{number}").into_bytes()).collect();
    for _ in 0..60 {
        let length = rng.between(1, 20);
        keys.push(
            (0..length)
                .map(|_| if rng.chance(20) { b'{' + 2 * rng.below(2) as u8 } else { rng.below(256) as u8 })
                .collect(),
        );
    }
    let mut clients: Vec<_> = backends.iter().map(Server::client).collect();
    for (port, pool) in pools {
        wait::until("nutcracker listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        let mut client = system::Client::connect(port).expect("nutcracker listens");
        for key in &keys {
            assert_eq!(client.call(&[b"SET", &key[..], b"x"]), Frame::Simple("OK".into()));
            let has =
                clients.iter_mut().position(|client| client.call(&[b"DEL", &key[..]]) == Frame::Integer(1));
            assert_eq!(pool.server_of(key), has, "{key:?} in {pool:?}");
        }
    }
}
