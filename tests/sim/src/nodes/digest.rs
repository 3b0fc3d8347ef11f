//! A fingerprint of a data set that is cheap enough to be taken after every step.

use keyspace::{Digits, Entry, Keyspace, Value};

/// Equal for equal data (keys, values, times of expiry), whatever their order in memory; 64 bits, no secret.
pub fn digest(keyspace: &Keyspace) -> u64 {
    keyspace.iter().fold(0, |sum: u64, (db, key, entry)| sum.wrapping_add(of_entry(db, key, entry)))
}

fn of_entry(db: usize, key: &[u8], entry: &Entry) -> u64 {
    let expires = entry.expire_at().map_or(0, |at| at.0 + 1);
    let mut hash = Hash(db as u64).add(key).mix(expires);
    let (mut first, mut second) = (Digits::default(), Digits::default());
    match &entry.value {
        Value::String(text) => hash = hash.mix(1).add(text.as_bytes(&mut first)),
        Value::List(list) => {
            hash = hash.mix(2);
            for item in list.iter() {
                hash = hash.add(item.as_bytes(&mut first));
            }
        }
        Value::Set(set) => {
            let members = set.iter().map(|item| Hash(3).add(item.as_bytes(&mut first)).0);
            hash = hash.mix(3).mix(members.fold(0, u64::wrapping_add));
        }
        Value::Hash(fields) => {
            let fields = fields.iter().map(|(field, value)| {
                Hash(4).add(field.as_bytes(&mut first)).add(value.as_bytes(&mut second)).0
            });
            hash = hash.mix(4).mix(fields.fold(0, u64::wrapping_add));
        }
        Value::Zset(zset) => {
            hash = hash.mix(5);
            for (member, score) in zset.iter() {
                hash = hash.add(member.as_bytes(&mut first)).mix((score + 0.0).to_bits());
            }
        }
    }
    hash.0
}

/// Multiply and fold, eight bytes at a time.
struct Hash(u64);

impl Hash {
    fn mix(self, word: u64) -> Hash {
        let product = u128::from(self.0 ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xd1b5_4a32_d192_ed03_u128;
        Hash((product as u64 ^ (product >> 64) as u64).rotate_left(23).wrapping_add(word))
    }

    fn add(self, bytes: &[u8]) -> Hash {
        let mut chunks = bytes.chunks_exact(8);
        let mut hash = self.mix(bytes.len() as u64);
        for chunk in &mut chunks {
            hash = hash.mix(u64::from_le_bytes(chunk.try_into().expect("eight bytes")));
        }
        let mut last = [0; 8];
        let rest = chunks.remainder();
        last[..rest.len()].copy_from_slice(rest);
        hash.mix(u64::from_le_bytes(last))
    }
}

#[cfg(test)]
mod tests {
    use core_types::{ArgsBuf, ExpiredKey, Millis, Protocol, Reply};
    use keyspace::{COMMANDS, Ctx, Effects};

    use super::*;

    #[derive(Debug)]
    struct Silent;

    impl Reply for Silent {
        fn simple(&mut self, _: &str) {}
        fn error(&mut self, text: &str) {
            panic!("{text}");
        }
        fn integer(&mut self, _: i64) {}
        fn bulk(&mut self, _: &[u8]) {}
        fn null(&mut self) {}
        fn null_array(&mut self) {}
        fn array(&mut self, _: usize) {}
        fn map(&mut self, _: usize) {}
        fn set(&mut self, _: usize) {}
        fn push(&mut self, _: usize) {}
        fn double(&mut self, _: f64) {}
        fn boolean(&mut self, _: bool) {}
        fn big_number(&mut self, _: &str) {}
        fn verbatim(&mut self, _: &str, _: &[u8]) {}
    }

    fn holding(seed: u64, commands: &[&str]) -> Keyspace {
        let mut keyspace = Keyspace::new(4, seed);
        for line in commands {
            let command = ArgsBuf::from_parts(line.split(' '));
            let args = command.as_args();
            let known = COMMANDS.iter().find(|(spec, _)| args.is(0, spec.name)).expect("a command of ours");
            let (mut reply, mut effects) = (Silent, Effects::default());
            let ctx = &mut Ctx {
                keyspace: &mut keyspace,
                db: 0,
                now: Millis(1000),
                expired: ExpiredKey::Delete,
                protocol: Protocol::Resp2,
                may_block: false,
                reply: &mut reply,
                effects: &mut effects,
            };
            (known.1)(ctx, args);
        }
        keyspace
    }

    #[test]
    fn tells_data_apart_and_nothing_else() {
        let base = ["SET a 1", "RPUSH l x y", "SADD s 1 2", "SADD t p q", "HSET h f v g w", "ZADD z 1 m 2 n"];
        let reference = digest(&holding(1, &base));
        let mut reversed = base;
        reversed.reverse();
        assert_eq!(digest(&holding(2, &reversed)), reference, "neither seed nor order of keys matters");
        assert_eq!(digest(&holding(3, &[&base[..], &["SADD t r", "SREM t r"]].concat())), reference);
        for change in [
            "SET a 2",
            "SET b 1",
            "PEXPIREAT a 5000",
            "RPUSH l z",
            "RPOPLPUSH l l",
            "SREM s 1",
            "SADD t r",
            "HSET h f x",
            "HSET h g v f w",
            "ZADD z 3 m",
            "DEL z",
        ] {
            assert_ne!(digest(&holding(1, &[&base[..], &[change]].concat())), reference, "{change}");
        }
    }
}
