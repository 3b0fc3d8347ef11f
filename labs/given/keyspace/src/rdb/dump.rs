use super::build::{Build, Means};
use super::crc64::crc64;
use super::input::Input;
use super::write::{kind_of, write_value};
use super::{NEWEST, Options, VERSION, kind};
use crate::{Keyspace, Value};

/// The version of the format and the checksum behind a value.
const FOOTER: usize = 2 + 8;

/// Why a payload cannot be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadDump {
    /// It is of a version that is not known here, or was damaged on its way.
    Footer,
    /// The checksum is right, and what was summed up is no value.
    Format,
}

/// A single value as `DUMP` gives it: its type, the value as in a file, then the version of the format and a
/// checksum.
pub fn dump(value: &Value) -> Vec<u8> {
    let mut out = vec![kind_of(value)];
    write_value(value, &mut out);
    out.extend_from_slice(&(VERSION as u16).to_le_bytes());
    let sum = crc64(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

/// The value in a payload that [`dump`] or any Redis up to 7.2 has made, for a key of `keyspace`.
pub fn restore(payload: &[u8], keyspace: &Keyspace) -> Result<Value, BadDump> {
    let (body, footer) =
        payload.len().checked_sub(FOOTER).map(|at| payload.split_at(at)).ok_or(BadDump::Footer)?;
    let (version, sum) = footer.split_at(2);
    if u32::from(u16::from_le_bytes([version[0], version[1]])) > NEWEST
        || sum != crc64(&payload[..payload.len() - 8]).to_le_bytes()
    {
        return Err(BadDump::Footer);
    }
    let (&code, rest) = body.split_first().ok_or(BadDump::Format)?;
    if !kind::is_known(code) {
        return Err(BadDump::Format);
    }
    let means = Means::of(keyspace);
    let mut build = Build::new(code, &means).ok_or(BadDump::Format)?;
    let mut input = Input::new(Options::default().longest_string);
    input.push(rest);
    match build.step(&mut input, &means) {
        Ok(Some(value)) if !value.is_empty_collection() => Ok(value),
        _ => Err(BadDump::Format),
    }
}
