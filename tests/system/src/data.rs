//! Data sets: written in a known order, read back in full.

use std::collections::BTreeMap;

use core_types::{Frame, Rng};

use crate::{Client, Server, wait};

/// The databases that are written to.
pub const DATABASES: [usize; 4] = [0, 1, 7, 15];

/// Everything a server holds: by database and key, the value and when it expires (-1: never).
pub type Contents = BTreeMap<(usize, Vec<u8>), (Vec<u8>, i64)>;

/// Writes `count` string keys, a third of them with an expiry far away, in several databases, and a
/// few changes to keys that exist already. The same `seed` writes the same.
pub fn write(client: &mut Client, seed: u64, count: usize) {
    let mut rng = Rng::new(seed);
    let per_database = count / DATABASES.len();
    for db in DATABASES {
        let mut commands = vec![words(&["SELECT", &db.to_string()])];
        for number in 0..per_database {
            let key = format!("key:{seed}:{number}");
            let mut set = vec![b"SET".to_vec(), key.clone().into_bytes(), value(&mut rng)];
            match rng.below(6) {
                0 => set.extend(words(&["EX", &(10_000 + rng.below(1000)).to_string()])),
                1 => set.extend(words(&["PX", &(10_000_000 + rng.below(1000)).to_string()])),
                _ => {}
            }
            commands.push(set);
            match rng.below(20) {
                0 => commands.push(words(&["APPEND", &key, "+"])),
                1 => commands.push(words(&["EXPIRE", &key, "5000"])),
                2 => commands.push(words(&["PERSIST", &key])),
                3 => commands.push(words(&["INCR", &format!("counter:{seed}")])),
                4 => commands.push(words(&["DEL", &format!("counter:{seed}")])),
                5 => commands.push(words(&["GETDEL", &format!("absent:{seed}")])),
                6 => commands.push(words(&["SETRANGE", &key, "3", "changed"])),
                7 => commands.push(words(&["MSET", &format!("{key}:a"), "1", &format!("{key}:b"), "2"])),
                _ => {}
            }
        }
        for reply in client.pipeline(&commands) {
            assert!(!matches!(reply, Frame::Error(_)), "{reply:?}");
        }
    }
}

/// Short and long, numbers, text that compresses well, bytes that do not, nothing at all.
fn value(rng: &mut Rng) -> Vec<u8> {
    match rng.below(6) {
        0 => Vec::new(),
        1 => (rng.next_u64() as i64).to_string().into_bytes(),
        2 => (rng.below(300) as i64 - 150).to_string().into_bytes(),
        3 => b"abc".repeat(1 + rng.below(100) as usize),
        4 => (0..rng.below(40)).map(|_| rng.next_u64() as u8).collect(),
        _ => format!("value {}", rng.below(1_000_000)).into_bytes(),
    }
}

fn words(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

/// Reads everything by `SCAN`, `GET` and `PEXPIRETIME`.
pub fn read(server: &Server) -> Contents {
    let mut client = server.client();
    let mut contents = Contents::new();
    for db in 0..16 {
        client.run(&format!("SELECT {db}"));
        let keys = scan(&mut client);
        let commands: Vec<_> = keys
            .iter()
            .flat_map(|key| [b"GET".as_slice(), b"PEXPIRETIME"].map(|name| vec![name.to_vec(), key.clone()]))
            .collect();
        let replies = client.pipeline(&commands);
        for (key, reply) in keys.into_iter().zip(replies.chunks(2)) {
            let [Frame::Bulk(value), Frame::Integer(expires)] = reply else { panic!("{key:?}: {reply:?}") };
            contents.insert((db, key), (value.to_vec(), *expires));
        }
    }
    contents
}

fn scan(client: &mut Client) -> Vec<Vec<u8>> {
    let mut keys = std::collections::BTreeSet::new();
    let mut cursor = b"0".to_vec();
    let deadline = wait::Deadline::after(wait::PATIENCE);
    loop {
        deadline.check("cursors of SCAN");
        let reply = client.call(&[b"SCAN".as_slice(), &cursor, b"COUNT", b"1000"]);
        let Frame::Array(parts) = reply else { panic!("{reply:?}") };
        let [next, Frame::Array(found)] = parts.as_slice() else { panic!("{parts:?}") };
        keys.extend(found.iter().filter_map(|key| key.as_bytes()).map(<[u8]>::to_vec));
        cursor = next.as_bytes().unwrap_or_default().to_vec();
        if cursor == b"0" {
            return keys.into_iter().collect();
        }
    }
}

/// Compares two servers' contents.
///
/// # Panics
/// With the first few differences.
pub fn assert_equal(left: &Contents, right: &Contents) {
    let keys: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    let differing: Vec<_> = keys.into_iter().filter(|key| left.get(*key) != right.get(*key)).collect();
    if differing.is_empty() {
        return;
    }
    let mut text = format!("{} keys differ ({} and {} in all):", differing.len(), left.len(), right.len());
    for (db, key) in differing.iter().take(5) {
        let at = (*db, key.clone());
        let (left, right) = (left.get(&at), right.get(&at));
        text += &format!("\n  db {db} {}: {left:?} and {right:?}", String::from_utf8_lossy(key));
    }
    panic!("{text}");
}
