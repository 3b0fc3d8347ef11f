//! `--hotkeys`: the keys that are used most, by the server's own estimate.
//!
//! With an LFU policy a server keeps eight bits for each key: a logarithm of how often it was used, raised by chance and
//! lowered with time. So a counter is no number of accesses, and keys of about the same counter may differ a lot.

use core_types::Frame;

use super::walk::{Walk, size};
use super::{Manner, ask_all, shown};
use crate::cli::client::Client;

/// So many keys are listed (`HOTKEYS_SAMPLE` in `redis-cli`).
const LISTED: usize = 16;

pub(super) fn run(client: &mut Client, manner: &Manner) -> Result<(), String> {
    tell!("\n# Scanning the entire keyspace to find hot keys as well as");
    tell!("# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec");
    tell!("# per 100 SCAN commands (not usually needed).\n");
    let in_all = size(client)?;
    let mut walk = Walk::new(manner);
    let (mut sampled, mut hottest) = (0_u64, Vec::<(u64, String)>::new());
    while let Some(keys) = walk.next_batch(client)? {
        let questions: Vec<Vec<&[u8]>> = keys.iter().map(|key| vec![&b"OBJECT"[..], b"FREQ", key]).collect();
        let percent = 100.0 * sampled as f64 / in_all.max(1) as f64;
        for (key, reply) in keys.iter().zip(ask_all(client, &questions)?) {
            sampled += 1;
            let counter = match reply {
                Frame::Integer(counter) => counter.unsigned_abs(),
                Frame::Error(why) => return Err(why),
                // It has gone in the meantime.
                _ => continue,
            };
            let place = hottest.partition_point(|(other, _)| *other >= counter);
            if place < LISTED && counter > 0 {
                tell!("[{percent:05.2}%] Hot key '{}' found so far with counter {counter}", shown(key));
                hottest.insert(place, (counter, shown(key)));
                hottest.truncate(LISTED);
            }
        }
    }
    tell!("\n-------- summary -------\n");
    tell!("Sampled {sampled} keys in the keyspace!");
    for (counter, key) in hottest {
        tell!("hot key found with counter: {counter}\tkeyname: {key}");
    }
    Ok(())
}
