use super::crc64::crc64;
use super::{Aux, VERSION, kind, opcode};
use crate::value::Digits;
use crate::{Entry, Item, Keyspace, Set, Str, Value, Zset, parse_i64};

/// Appends the whole data set to `out` as an RDB file. Keys whose time is up are written too: the one
/// who loads the file decides what becomes of them. [`Snapshot`](crate::Snapshot) does the same in steps.
pub fn save(keyspace: &Keyspace, aux: &Aux, out: &mut Vec<u8>) {
    let start = out.len();
    write_header(aux, out);
    for index in 0..keyspace.databases() {
        let db = keyspace.db(index);
        if db.is_empty() {
            continue;
        }
        write_select(index, Some((db.len(), db.volatile_len())), out);
        for (key, entry) in db.iter() {
            write_entry(key, entry, out);
        }
    }
    write_end(out);
    let sum = crc64(&out[start..]);
    out.extend_from_slice(&sum.to_le_bytes());
}

/// The first bytes of a file.
pub(crate) fn write_header(aux: &Aux, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("REDIS{VERSION:04}").as_bytes());
    write_aux(aux, out);
}

/// From here on keys belong to this database. `sizes`, so that the reader can make room: how many keys it
/// has, and how many of them expire.
pub(crate) fn write_select(index: usize, sizes: Option<(usize, usize)>, out: &mut Vec<u8>) {
    out.push(opcode::SELECT_DB);
    write_length(index as u64, out);
    if let Some((keys, volatile)) = sizes {
        out.push(opcode::RESIZE_DB);
        write_length(keys as u64, out);
        write_length(volatile as u64, out);
    }
}

/// One key with its expiry and its value.
pub(crate) fn write_entry(key: &[u8], entry: &Entry, out: &mut Vec<u8>) {
    if let Some(at) = entry.expire_at() {
        out.push(opcode::EXPIRE_MILLIS);
        out.extend_from_slice(&at.0.to_le_bytes());
    }
    out.push(kind_of(&entry.value));
    write_string(key, out);
    write_value(&entry.value, out);
}

/// Nothing but the checksum follows.
pub(crate) fn write_end(out: &mut Vec<u8>) {
    out.push(opcode::END);
}

fn write_aux(aux: &Aux, out: &mut Vec<u8>) {
    let mut digits = Digits::default();
    if !aux.redis_ver.is_empty() {
        write_field("redis-ver", aux.redis_ver.as_bytes(), out);
    }
    write_field("redis-bits", b"64", out);
    if let Some(ctime) = aux.ctime {
        write_field("ctime", digits.write(ctime), out);
    }
    if let Some(bytes) = aux.used_mem {
        write_field("used-mem", digits.write(bytes), out);
    }
    if let Some(db) = aux.repl_stream_db {
        write_field("repl-stream-db", digits.write(db), out);
    }
    if let Some(id) = aux.repl_id {
        write_field("repl-id", id.as_str().as_bytes(), out);
    }
    if let Some(offset) = aux.repl_offset {
        write_field("repl-offset", digits.write(offset.0), out);
    }
    write_field("aof-base", if aux.aof_base { b"1" } else { b"0" }, out);
}

fn write_field(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.push(opcode::AUX);
    write_string(name.as_bytes(), out);
    write_string(value, out);
}

pub(super) fn kind_of(value: &Value) -> u8 {
    match value {
        Value::String(_) => kind::STRING,
        Value::List(_) => kind::LIST,
        Value::Hash(_) => kind::HASH,
        Value::Set(_) => kind::SET,
        Value::Zset(_) => kind::ZSET_2,
    }
}

pub(super) fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::String(Str::Int(number)) => write_number(*number, out),
        Value::String(Str::Bytes(bytes)) => write_string(bytes, out),
        Value::List(list) => {
            write_length(list.len() as u64, out);
            list.iter().for_each(|item| write_item(item, out));
        }
        Value::Set(set) => write_set(set, out),
        Value::Zset(zset) => write_zset(zset, out),
        Value::Hash(hash) => {
            write_length(hash.len() as u64, out);
            for (field, value) in hash.iter() {
                write_item(field, out);
                write_item(value, out);
            }
        }
    }
}

fn write_set(set: &Set, out: &mut Vec<u8>) {
    write_length(set.len() as u64, out);
    set.iter().for_each(|member| write_item(member, out));
}

/// Scores as eight bytes each, which every version since Redis 4 reads.
fn write_zset(zset: &Zset, out: &mut Vec<u8>) {
    write_length(zset.len() as u64, out);
    for (member, score) in zset.iter() {
        write_item(member, out);
        out.extend_from_slice(&score.to_le_bytes());
    }
}

fn write_item(item: Item<'_>, out: &mut Vec<u8>) {
    match item {
        Item::Int(number) => write_number(number, out),
        Item::Bytes(bytes) => write_string(bytes, out),
    }
}

/// The longest text that can be a number of 32 bits: a sign and ten digits.
const LONGEST_INT32: usize = 11;

/// Bytes behind their length; as a number, if they are a small one.
fn write_string(bytes: &[u8], out: &mut Vec<u8>) {
    if bytes.len() <= LONGEST_INT32
        && let Some(number) = parse_i64(bytes)
        && i32::try_from(number).is_ok()
    {
        write_number(number, out);
        return;
    }
    write_length(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// A number in the fewest bytes that hold it, or as text if it takes more than four.
fn write_number(number: i64, out: &mut Vec<u8>) {
    if let Ok(byte) = i8::try_from(number) {
        out.push(0xc0);
        out.extend_from_slice(&byte.to_le_bytes());
    } else if let Ok(short) = i16::try_from(number) {
        out.push(0xc1);
        out.extend_from_slice(&short.to_le_bytes());
    } else if let Ok(int) = i32::try_from(number) {
        out.push(0xc2);
        out.extend_from_slice(&int.to_le_bytes());
    } else {
        let mut digits = Digits::default();
        let text = digits.write(number);
        write_length(text.len() as u64, out);
        out.extend_from_slice(text);
    }
}

/// A length: 6 bits in one byte, 14 in two, or a marker and 32 or 64 bits, big-endian.
fn write_length(length: u64, out: &mut Vec<u8>) {
    if length < 1 << 6 {
        out.push(length as u8);
    } else if length < 1 << 14 {
        out.extend_from_slice(&(length as u16 | 0x4000).to_be_bytes());
    } else if let Ok(length) = u32::try_from(length) {
        out.push(0x80);
        out.extend_from_slice(&length.to_be_bytes());
    } else {
        out.push(0x81);
        out.extend_from_slice(&length.to_be_bytes());
    }
}
