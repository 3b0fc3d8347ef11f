//! What a node of a cluster does with each command of the command table, with keys of its own, of another, and of
//! both: the same as Redis does.
//!
//! Two clusters of three masters each, one of ours and one of Redis. Each command is tried in many shapes (a table of
//! what goes before and behind the keys would have our mistakes in it). For each, `COMMAND GETKEYS` and the answer to the
//! command itself are compared as far as routing goes: which slot, which redirection, which refusal.

use std::collections::BTreeSet;

use core_types::Frame;
use system::{Client, Cluster, Kind, redis_tool_or_skip};

/// Commands that end, block or change a connection, or a server: not to be sent here. Most of them have no keys.
const LEFT_OUT: [&str; 34] = [
    "acl",
    "asking",
    "auth",
    "bgrewriteaof",
    "bgsave",
    "client",
    "cluster",
    "command",
    "config",
    "debug",
    "failover",
    "flushall",
    "flushdb",
    "hello",
    "info",
    "latency",
    "lolwut",
    "memory",
    "migrate",
    "module",
    "monitor",
    "multi",
    "pfdebug",
    "psubscribe",
    "psync",
    "quit",
    "replconf",
    "reset",
    "save",
    "shutdown",
    "ssubscribe",
    "subscribe",
    "sync",
    "wait",
];

/// Names whose slots are known: with and without a tag, among the lowest slots and among the highest.
struct Keys {
    low: [&'static str; 2],
    low_elsewhere: &'static str,
    high: [&'static str; 2],
}

/// Slot 3300 twice and 3168, of the first of three masters; 15495 twice, of the last.
const KEYS: Keys = Keys { low: ["{b}1", "x{b}2"], low_elsewhere: "{f}1", high: ["{a}1", "y{a}2"] };

/// How the words of a command that takes `count` more are chosen from two keys.
fn shapes(count: usize, one: &str, two: &str) -> Vec<Vec<String>> {
    let mut shapes = Vec::new();
    // Keys only, alternating; a number first (numkeys), second, third; each with another number.
    for numbers_at in [None, Some(0), Some(1), Some(2), Some(3)] {
        for number in ["1", "2"] {
            if numbers_at.is_none() && number == "2" || numbers_at.is_some_and(|at| at >= count) {
                continue;
            }
            let words = (0..count).map(|index| match index {
                _ if numbers_at == Some(index) => number.to_owned(),
                _ if index % 2 == 0 => one.to_owned(),
                _ => two.to_owned(),
            });
            shapes.push(words.collect());
        }
    }
    // Subcommands and options that come before keys.
    for before in [
        &["STREAMS"][..],
        &["COUNT", "1", "STREAMS"],
        &["GROUP", "g", "c", "STREAMS"],
        &["CREATE"],
        &["ENCODING"],
        &["USAGE"],
        &["LEFT"],
    ] {
        if before.len() < count {
            let keys = (0..count - before.len()).map(|index| if index % 2 == 0 { one } else { two });
            shapes.push(before.iter().copied().chain(keys).map(str::to_owned).collect());
        }
    }
    // Options that name a key behind others.
    for behind in [&["STORE"][..], &["STOREDIST"], &["BY", "w*", "STORE"]] {
        if count >= behind.len() + 2 {
            let mut words = vec![one.to_owned()];
            words.extend((0..count - behind.len() - 2).map(|_| "1".to_owned()));
            words.extend(behind.iter().map(|word| (*word).to_owned()));
            words.push(two.to_owned());
            shapes.push(words);
        }
    }
    shapes
}

/// The commands of Redis that ours knows, with their arity.
fn table(redis: &mut Client, ours: &mut Client) -> Vec<(String, i64)> {
    let names = |client: &mut Client| -> Vec<(String, i64)> {
        let Frame::Array(list) = client.run("COMMAND") else { panic!("no table") };
        let entries = list.iter().filter_map(|entry| match entry {
            Frame::Array(fields) => match (&fields[0], &fields[1]) {
                (name, Frame::Integer(arity)) => {
                    Some((String::from_utf8_lossy(name.as_bytes()?).into_owned(), *arity))
                }
                _ => None,
            },
            _ => None,
        });
        entries.collect()
    };
    let known: BTreeSet<String> = names(ours).into_iter().map(|(name, _)| name).collect();
    let mut table = names(redis);
    table.retain(|(name, _)| known.contains(name) && !LEFT_OUT.contains(&name.as_str()));
    table.sort();
    table
}

/// What an answer says of routing, without ports: everything else is `served`, however it went.
fn routing(answer: &Frame) -> String {
    let Frame::Error(text) = answer else { return "served".to_owned() };
    let mut words = text.split(' ');
    match words.next() {
        Some(code @ ("MOVED" | "ASK")) => format!("{code} {}", words.next().unwrap_or_default()),
        Some("CROSSSLOT" | "CLUSTERDOWN" | "TRYAGAIN") => text.clone(),
        _ => "served".to_owned(),
    }
}

/// The keys that `COMMAND GETKEYS` finds, or its refusal.
fn keys_of(client: &mut Client, command: &[String]) -> Frame {
    let words: Vec<&str> =
        ["COMMAND", "GETKEYS"].into_iter().chain(command.iter().map(String::as_str)).collect();
    client.call(&words)
}

#[test]
fn every_command_is_routed_as_redis_routes_it() {
    if redis_tool_or_skip("every_command_is_routed_as_redis_routes_it", "redis-server").is_none() {
        return;
    }
    let [ours, redis] = [Kind::Ours, Kind::Redis].map(|kind| Cluster::masters(&[kind; 3], &[]));
    let (mut of_ours, mut of_redis) = (ours.servers[0].client(), redis.servers[0].client());
    let table = table(&mut of_redis, &mut of_ours);
    assert!(table.len() > 150, "{} commands", table.len());
    let mut differences = Vec::new();
    let (mut tried, mut routed) = (0, BTreeSet::new());
    for (name, arity) in &table {
        let least = usize::try_from(arity.abs() - 1).expect("an arity");
        let counts = if *arity < 0 { least..=(least + 3).max(5) } else { least..=least };
        let pairs = [
            (KEYS.low[0], KEYS.low[1]),
            (KEYS.high[0], KEYS.high[1]),
            (KEYS.low[0], KEYS.low_elsewhere),
            (KEYS.low[0], KEYS.high[0]),
        ];
        for (count, (one, two)) in counts.flat_map(|count| pairs.map(|pair| (count, pair))) {
            for words in shapes(count, one, two) {
                let command: Vec<String> = std::iter::once(name.clone()).chain(words).collect();
                let keys = [&mut of_redis, &mut of_ours].map(|client| keys_of(client, &command));
                if keys[0] != keys[1] {
                    differences.push(format!("{command:?}: GETKEYS {:?}, ours {:?}", keys[0], keys[1]));
                }
                // A command may wait for its keys if they are ours: then it is enough to know which they are.
                let waits = ["b", "x"].iter().any(|first| name.starts_with(first)) && one == KEYS.low[0];
                let keyless = matches!(&keys[0], Frame::Error(text) if text.contains("no key arguments"));
                if keyless || waits && two == KEYS.low[1] {
                    continue;
                }
                tried += 1;
                let answers = [&mut of_redis, &mut of_ours].map(|client| routing(&client.call(&command)));
                if answers[0] != answers[1] {
                    differences.push(format!("{command:?}: {}, ours {}", answers[0], answers[1]));
                }
                routed.insert(answers[0].split(' ').next().unwrap_or_default().to_owned());
            }
        }
    }
    assert!(tried > 2000, "{tried} commands");
    assert_eq!(routed, BTreeSet::from(["CROSSSLOT", "MOVED", "served"].map(str::to_owned)));
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}
