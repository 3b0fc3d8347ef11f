//! What a server holds, read without `DUMP`: each type by its own commands.

use std::collections::{BTreeMap, BTreeSet};

use core_types::Frame;
use system::{Client, Server, wait};

type Bytes = Vec<u8>;

/// A value as clients see it; what has no order here is sorted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    String(Bytes),
    List(Vec<Bytes>),
    Hash(BTreeMap<Bytes, Bytes>),
    Set(BTreeSet<Bytes>),
    /// Member, score, member, score, in order.
    Zset(Vec<Bytes>),
}

/// By database and key, the value and when it expires (-1: never).
#[derive(Debug, Default)]
pub(crate) struct Contents(BTreeMap<(usize, Bytes), (Content, i64)>);

/// Everything that expires in less than this many milliseconds from now will be waited for.
const SOON: i64 = 1_000_000;

/// Reads a master that nobody writes to any more, once the keys that were to live for a moment are gone.
pub(crate) fn read_when_settled(server: &Server) -> Contents {
    wait::find("the end of the short-lived keys", || {
        let contents = read(server);
        let soon = unix_millis(&mut server.client()) + SOON;
        let lasting = |expires: i64| expires == -1 || expires > soon;
        contents.0.values().all(|(_, expires)| lasting(*expires)).then_some(contents)
    })
}

fn unix_millis(client: &mut Client) -> i64 {
    let time = texts(client.run("TIME"));
    let part = |index: usize| -> i64 { String::from_utf8_lossy(&time[index]).parse().expect("a number") };
    part(0) * 1000 + part(1) / 1000
}

/// Reads all databases.
pub(crate) fn read(server: &Server) -> Contents {
    let mut client = server.client();
    let mut contents = Contents::default();
    for db in 0..16 {
        client.run(&format!("SELECT {db}"));
        let keys = texts(client.run("KEYS *"));
        let ask =
            |key: &Bytes| [b"TYPE".as_slice(), b"PEXPIRETIME"].map(|name| vec![name.to_vec(), key.clone()]);
        let known = client.pipeline(&keys.iter().flat_map(ask).collect::<Vec<_>>());
        let kinds: Vec<&[u8]> =
            known.iter().step_by(2).map(|kind| kind.as_bytes().expect("a type")).collect();
        let commands: Vec<_> = keys.iter().zip(&kinds).map(|(key, kind)| read_command(key, kind)).collect();
        let values = client.pipeline(&commands);
        for (index, (key, value)) in keys.into_iter().zip(values).enumerate() {
            let Frame::Integer(expires) = known[2 * index + 1] else { panic!("{:?}", known[2 * index + 1]) };
            // It may have expired since we saw it.
            if let Some(content) = content(kinds[index], value) {
                contents.0.insert((db, key), (content, expires));
            }
        }
    }
    contents
}

fn read_command(key: &Bytes, kind: &[u8]) -> Vec<Bytes> {
    let words: [&[u8]; 3] = match kind {
        b"list" => [b"LRANGE", b"0", b"-1"],
        b"hash" => [b"HGETALL", b"", b""],
        b"set" => [b"SMEMBERS", b"", b""],
        b"zset" => [b"ZRANGE", b"0", b"-1"],
        _ => [b"GET", b"", b""],
    };
    let mut command = vec![words[0].to_vec(), key.clone()];
    command.extend(words[1..].iter().filter(|word| !word.is_empty()).map(|word| word.to_vec()));
    if kind == b"zset" {
        command.push(b"WITHSCORES".to_vec());
    }
    command
}

fn content(kind: &[u8], reply: Frame) -> Option<Content> {
    if let Frame::Bulk(bytes) = reply {
        return Some(Content::String(bytes.to_vec()));
    }
    if reply == Frame::Null {
        return None;
    }
    let found = texts(reply);
    if found.is_empty() {
        return None;
    }
    Some(match kind {
        b"list" => Content::List(found),
        b"hash" => Content::Hash(found.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()),
        b"set" => Content::Set(found.into_iter().collect()),
        b"zset" => Content::Zset(found),
        _ => panic!("an unknown type {}", String::from_utf8_lossy(kind)),
    })
}

fn texts(reply: Frame) -> Vec<Bytes> {
    match reply {
        Frame::Array(parts) => {
            parts.iter().map(|part| part.as_bytes().unwrap_or_default().to_vec()).collect()
        }
        other => panic!("not a list: {other:?}"),
    }
}

impl Contents {
    /// A comparison of nothing would prove nothing: every type is there, in several databases, some of it
    /// with an expiry.
    pub(crate) fn assert_varied(&self) {
        let count = |wanted: fn(&Content) -> bool| self.0.values().filter(|(value, _)| wanted(value)).count();
        let types = [
            count(|value| matches!(value, Content::String(_))),
            count(|value| matches!(value, Content::List(_))),
            count(|value| matches!(value, Content::Hash(_))),
            count(|value| matches!(value, Content::Set(_))),
            count(|value| matches!(value, Content::Zset(_))),
        ];
        assert!(types.iter().all(|count| *count >= 10), "{types:?}");
        let databases: BTreeSet<_> = self.0.keys().map(|(db, _)| *db).collect();
        assert!(databases.len() >= 3, "{databases:?}");
        assert!(self.0.values().filter(|(_, expires)| *expires != -1).count() >= 10, "nothing expires");
    }

    /// # Panics
    /// With the first few differences between a master (`self`) and its replica.
    pub(crate) fn assert_equal(&self, replica: &Contents, seed: u64) {
        let keys: BTreeSet<_> = self.0.keys().chain(replica.0.keys()).collect();
        let differing: Vec<_> = keys.into_iter().filter(|at| self.0.get(*at) != replica.0.get(*at)).collect();
        let show = |found: Option<&(Content, i64)>| {
            let text = found.map_or_else(|| "nothing".to_owned(), |(value, expires)| shown(value, *expires));
            text.chars().take(600).collect::<String>()
        };
        let lines = differing.iter().take(5).map(|at| {
            let key = core_types::show_bytes(&at.1);
            format!(
                "db {} {key}\n   master:  {}\n   replica: {}",
                at.0,
                show(self.0.get(*at)),
                show(replica.0.get(*at))
            )
        });
        let lines: Vec<_> = lines.collect();
        assert!(
            lines.is_empty(),
            "seed {seed}: {} of {} keys differ:\n{}",
            differing.len(),
            self.0.len(),
            lines.join("\n")
        );
    }
}

fn shown(value: &Content, expires: i64) -> String {
    let list = |texts: &mut dyn Iterator<Item = &Bytes>| {
        texts.map(|text| core_types::show_bytes(text).to_string()).collect::<Vec<_>>().join(" ")
    };
    let (kind, text) = match value {
        Content::String(text) => ("string", list(&mut std::iter::once(text))),
        Content::List(texts) => ("list", list(&mut texts.iter())),
        Content::Hash(pairs) => ("hash", list(&mut pairs.iter().flat_map(|(field, value)| [field, value]))),
        Content::Set(texts) => ("set", list(&mut texts.iter())),
        Content::Zset(texts) => ("zset", list(&mut texts.iter())),
    };
    format!("{kind}, expires {expires}: {text}")
}
