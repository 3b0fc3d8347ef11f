//! What a test of `redis-benchmark` finds: without it, pops would only meet keys that do not exist.

use system::Server;

use crate::load::{each, run};

/// Elements in one command that fills a collection.
const AT_ONCE: u64 = 100;

/// Empties the collection that a test fills, and fills the one that it reads or empties, so that every one of
/// the `requests` meets an element. Tests without a collection keep what earlier rounds have left.
pub(crate) fn prepare(server: &Server, test: &str, requests: u64, keys: u64, size: usize) {
    let (command, key, count) = match test {
        "lpush" | "rpush" => ("RPUSH", "mylist", 0),
        "lpop" | "rpop" => ("RPUSH", "mylist", requests),
        _ if test.starts_with("lrange_") => ("RPUSH", "mylist", 1000),
        "sadd" => ("SADD", "myset", 0),
        "spop" => ("SADD", "myset", requests),
        "hset" => ("HSET", "myhash", 0),
        "zadd" => ("ZADD", "myzset", 0),
        "zpopmin" => ("ZADD", "myzset", requests),
        "get" => return run(server, &mut (0..keys.max(1)).map(|number| set(number, keys, size))),
        _ => return,
    };
    run(server, &mut std::iter::once(vec![b"DEL".to_vec(), key.into()]));
    let fill = (0..count).step_by(AT_ONCE as usize).map(|first| {
        let mut words = vec![command.as_bytes().to_vec(), key.as_bytes().to_vec()];
        for number in first..(first + AT_ONCE).min(count) {
            match command {
                "RPUSH" => words.push(vec![b'x'; size]),
                "ZADD" => words.extend([number.to_string().into(), each("element:", number, 12)]),
                _ => words.push(each("element:", number, 12)),
            }
        }
        words
    });
    run(server, &mut { fill });
}

/// The key as `redis-benchmark` names it; without `-r` it leaves its pattern as it is.
fn set(number: u64, keys: u64, size: usize) -> Vec<Vec<u8>> {
    let key = if keys == 0 { b"key:__rand_int__".to_vec() } else { each("key:", number, 12) };
    vec![b"SET".to_vec(), key, vec![b'x'; size]]
}
