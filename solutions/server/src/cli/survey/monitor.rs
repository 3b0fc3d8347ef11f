//! `--hotkeys-for`: every access counted, for some seconds.
//!
//! `MONITOR` shows each command with its arguments. Which of them are keys the server tells itself: the table of `COMMAND`
//! has their places. A few commands (`ZUNIONSTORE`, `EVAL`) say in an argument how many keys they have; of those only the
//! keys in a fixed place count, and how many such commands there were is told.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use core_types::Frame;
use solution_0::split_inline;

use super::{ask, clock, seconds, shown};
use crate::cli::client::Client;
use crate::reason;

/// So many keys are listed.
const LISTED: usize = 16;

/// Other keys than so many are not kept apart: what is hot is seen early and often.
const KEPT: usize = 1_000_000;

/// Where the keys of a command are among its words; negative counts from the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Places {
    first: i64,
    last: i64,
    step: i64,
    /// There may be more keys than these.
    movable: bool,
}

#[derive(Default)]
struct Count {
    commands: u64,
    /// Commands without a key.
    keyless: u64,
    /// Commands that may have more keys than the table tells.
    unclear: u64,
    by_key: BTreeMap<Vec<u8>, u64>,
}

pub(super) fn run(mut client: Client, span: f64) -> Result<(), String> {
    let table = command_table(&mut client)?;
    let span = seconds(span);
    tell!("\n# Counting every access for {} seconds. While MONITOR runs the server does", span.as_secs_f64());
    tell!("# extra work for each command: expect it to answer more slowly.\n");
    ask(&mut client, &["MONITOR"])?;
    let (begin, mut count) = (clock(), Count::default());
    loop {
        let left = span.saturating_sub(begin.elapsed());
        if left.is_zero() {
            break;
        }
        let patience = left.clamp(Duration::from_millis(1), Duration::from_secs(1));
        client.stream().set_patience(Some(patience)).map_err(|error| reason(&error))?;
        match client.next_reply() {
            Ok(Frame::Simple(line)) => count.add(&line, &table),
            Ok(_) => {}
            Err(error) if is_silence(&error) => {}
            Err(error) => return Err(reason(&error)),
        }
    }
    count.sum_up();
    Ok(())
}

fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Names of commands, and where their keys are.
fn command_table(client: &mut Client) -> Result<BTreeMap<Vec<u8>, Places>, String> {
    let Frame::Array(commands) = ask(client, &["COMMAND"])? else {
        return Err("COMMAND was not answered with a list".into());
    };
    let row = |command: Frame| {
        let Frame::Array(parts) = command else { return None };
        let name = parts.first()?.as_bytes()?.to_ascii_lowercase();
        let number = |at: usize| match parts.get(at) {
            Some(Frame::Integer(number)) => Some(*number),
            _ => None,
        };
        let movable = matches!(parts.get(2), Some(Frame::Array(flags) | Frame::Set(flags))
            if flags.iter().any(|flag| flag.as_bytes() == Some(b"movablekeys")));
        Some((name, Places { first: number(3)?, last: number(4)?, step: number(5)?, movable }))
    };
    Ok(commands.into_iter().filter_map(row).collect())
}

impl Count {
    /// `1699.5 [0 127.0.0.1:50000] "get" "k"`
    fn add(&mut self, line: &str, table: &BTreeMap<Vec<u8>, Places>) {
        let Some((_, command)) = line.split_once("] ") else { return };
        let Ok(words) = split_inline(command.as_bytes()) else { return };
        let words = words.as_args();
        let Some(name) = words.iter().next().map(<[u8]>::to_ascii_lowercase) else { return };
        self.commands += 1;
        let words: Vec<&[u8]> = words.iter().collect();
        let Some(places) = table.get(&name) else {
            self.unclear += 1;
            return;
        };
        let keys = keys_of(&words, *places);
        self.unclear += u64::from(places.movable);
        self.keyless += u64::from(keys.is_empty() && !places.movable);
        for key in keys {
            let room = self.by_key.len() < KEPT;
            match self.by_key.get_mut(key) {
                Some(count) => *count += 1,
                None if room => drop(self.by_key.insert(key.to_vec(), 1)),
                None => {}
            }
        }
    }

    fn sum_up(&self) {
        tell!("-------- summary -------\n");
        tell!("Counted {} commands, {} of them without a key.", self.commands, self.keyless);
        if self.unclear > 0 {
            tell!("{} commands may have had more keys than were counted.", self.unclear);
        }
        let in_all: u64 = self.by_key.values().sum();
        let mut hottest: Vec<(&Vec<u8>, &u64)> = self.by_key.iter().collect();
        hottest.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
        for (key, count) in hottest.into_iter().take(LISTED) {
            let share = 100.0 * *count as f64 / in_all.max(1) as f64;
            tell!("hot key used {count} times ({share:05.2}% of accesses)\tkeyname: {}", shown(key));
        }
    }
}

/// The keys among the words of a command.
fn keys_of<'a>(words: &[&'a [u8]], places: Places) -> Vec<&'a [u8]> {
    let Places { first, last, step, .. } = places;
    let last = if last < 0 { words.len() as i64 + last } else { last };
    if first <= 0 || step <= 0 || last < first {
        return Vec::new();
    }
    let places = (first..=last).step_by(step.unsigned_abs() as usize);
    places.filter_map(|place| words.get(usize::try_from(place).ok()?).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_where_the_table_says() {
        let words: Vec<&[u8]> = vec![b"mset", b"a", b"1", b"b", b"2"];
        let keys = |first, last, step| keys_of(&words, Places { first, last, step, movable: false });
        assert_eq!(keys(1, -1, 2), [b"a", b"b"]);
        assert_eq!(keys(1, 1, 1), [b"a"]);
        assert_eq!(keys(1, 9, 1).len(), 4, "a place that is not there is no key");
        assert!(keys(0, 0, 0).is_empty() && keys(3, -9, 1).is_empty());
    }

    #[test]
    fn a_line_of_monitor_is_read_with_its_quotes() {
        let table =
            BTreeMap::from([(b"get".to_vec(), Places { first: 1, last: 1, step: 1, movable: false })]);
        let mut count = Count::default();
        count.add(r#"1.5 [0 127.0.0.1:5] "GET" "a \"b\"\x00""#, &table);
        count.add(r#"1.6 [0 [::1]:5] "get" "a \"b\"\x00""#, &table);
        count.add("nonsense", &table);
        assert_eq!(count.by_key, BTreeMap::from([(b"a \"b\"\0".to_vec(), 2)]));
    }
}
