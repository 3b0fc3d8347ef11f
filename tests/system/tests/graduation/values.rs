//! Values of all types that nobody touches while servers are replaced.

use std::collections::BTreeMap;

use redis::{ConnectionLike, FromRedisValue, Value, cmd};

/// How many there are.
const COUNT: usize = 300;

/// What `name` holds, by the command that reads it.
const TYPES: [(&str, &str); 5] = [
    ("SET k v1", "GET k"),
    ("HSET k name v1 other v2", "HGETALL k"),
    ("RPUSH k v1 v2 v1", "LRANGE k 0 -1"),
    ("SADD k v1 v2 17", "SMEMBERS k"),
    ("ZADD k 1 v1 2.5 v2", "ZRANGE k 0 -1 WITHSCORES"),
];

fn run(connection: &mut impl ConnectionLike, line: &str, number: usize) -> Value {
    let mut words = line.split(' ');
    let mut command = cmd(words.next().expect("a command"));
    for word in words {
        match word {
            "k" => command.arg(name(number)),
            word if word.starts_with('v') => command.arg(format!("{word}:{number}")),
            word => command.arg(word),
        };
    }
    command.query(connection).expect("it is done")
}

fn name(number: usize) -> String {
    format!("value:{number}")
}

/// Writes them, some of them with an expiry in the far future.
pub(crate) fn write(connection: &mut impl ConnectionLike) {
    for number in 0..COUNT {
        run(connection, TYPES[number % TYPES.len()].0, number);
        if number % 7 == 0 {
            run(connection, "PEXPIRE k 100000000", number);
        }
    }
}

/// Reads them, with the times at which they expire. What a set or a hash holds is put in order.
pub(crate) fn read(connection: &mut impl ConnectionLike) -> BTreeMap<String, (Vec<String>, i64)> {
    let one = |number: usize| {
        let value = run(connection, TYPES[number % TYPES.len()].1, number);
        let mut parts = match Vec::<String>::from_redis_value(value.clone()) {
            Ok(parts) => parts,
            Err(_) => vec![String::from_redis_value(value).expect("text")],
        };
        if number % TYPES.len() != 2 {
            parts.sort();
        }
        let expires = run(connection, "PEXPIRETIME k", number);
        (name(number), (parts, i64::from_redis_value(expires).expect("a time")))
    };
    (0..COUNT).map(one).collect()
}
