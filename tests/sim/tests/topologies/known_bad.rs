//! Known-bad nodes: programs with a mistake that is easily made, each of which the family must catch.
//!
//! The nodes are what they are; what they hear and say is changed on its way, as if the mistake were theirs.

use std::collections::BTreeSet;

use core_types::{ArgsBuf, Broken, ReplId, Role, write_command};
use node::layers::one_replica::LinkState;
use sim::nodes::NodeHost;
use sim::nodes::resync::{self, Grounds};
use sim::nodes::tamper::{Passing, Way};
use sim::{Trace, family};

use crate::play::play;

const SEEDS: u64 = 300;
const ONE_DATA_SET: &str = "at one position in a history there is one data set";
const NOT_AHEAD: &str = "a replica is never ahead of its master";
const ONLY_WHAT_IT_HAS: &str =
    "a master continues a stream only from bytes it still has, in a history that is its own";
const ASKS_BEHIND_APPLIED: &str =
    "a replica asks for the byte behind the last one it has applied, in its own history";
const WAIT_IS_TRUE: &str = "when WAIT says n, n replicas have applied the write";
const LEVEL: &str = "after all is repaired, offsets become equal";

/// Searches for a seed with which the spoiled nodes break one of `rules`, and plays that seed once more.
fn caught(title: &str, rules: &[&str], spoil: impl Fn(NodeHost) -> NodeHost + Clone + Sync + 'static) {
    let run = |seed: u64, trace: Option<&mut Trace>| -> Result<u64, Broken> {
        let spoil = spoil.clone();
        play(seed, trace, move |_, node| spoil(node)).map(|(steps, _)| steps)
    };
    let failure = family::search(title, 0, SEEDS, run).expect_err("such a node must be caught");
    assert!(rules.contains(&failure.broken.rule.as_str()), "{failure}");
    assert_eq!(run(failure.seed, None), Err(failure.broken.clone()), "the seed plays the same run again");
    let text = failure.to_string();
    assert!(text.starts_with(&format!("seed {} breaks a rule", failure.seed)), "{text}");
    assert!(failure.trace.lines().len() > 10, "{text}");
}

/// Puts `new` in the place of each `old`, which is as long.
fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    for at in 0..(bytes.len() + 1).saturating_sub(old.len()) {
        if bytes[at..].starts_with(old) {
            bytes[at..at + old.len()].copy_from_slice(new);
        }
    }
}

/// The words of one command, if that is all there is.
fn words(bytes: &[u8]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let count: usize = text.strip_prefix('*')?.split("\r\n").next()?.parse().ok()?;
    let words: Vec<String> = text.split("\r\n").skip(2).step_by(2).map(str::to_string).collect();
    (words.len() == count).then_some(words)
}

fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = bytes::BytesMut::new();
    write_command(&mut bytes, ArgsBuf::from_parts(words.iter().copied()).as_args().iter());
    bytes.to_vec()
}

/// What a `PSYNC` asks for, if these bytes are one.
fn psync(bytes: &[u8]) -> Option<(ReplId, i64)> {
    let words = words(bytes)?;
    let (name, id, offset) = (words.first()?, words.get(1)?, words.get(2)?);
    (name == "PSYNC").then_some(())?;
    Some((ReplId::parse(id.as_bytes()).ok()?, offset.parse().ok()?))
}

#[test]
fn a_promoted_replica_that_keeps_the_old_id_without_an_end_is_caught() {
    caught("keeps the old id", &[ONLY_WHAT_IT_HAS, ONE_DATA_SET, NOT_AHEAD], |node| {
        node.with_tampering(|passing: Passing<'_>| {
            let history = passing.node.history();
            let Some(earlier) = history.earlier.filter(|_| !passing.to_master) else { return };
            let (old, new) = (earlier.id.as_str().as_bytes(), history.id.as_str().as_bytes());
            let says = passing.bytes.starts_with(b"+CONTINUE") || passing.bytes.starts_with(b"+FULLRESYNC");
            match passing.way {
                Way::Out if says => replace(passing.bytes, new, old),
                Way::In if psync(passing.bytes).is_some() => replace(passing.bytes, old, new),
                _ => {}
            }
        })
    });
}

#[test]
fn a_replica_that_resumes_behind_what_it_received_is_caught() {
    caught("resumes behind what it received", &[ASKS_BEHIND_APPLIED], |node| {
        let mut received = None;
        node.with_tampering(move |passing: Passing<'_>| {
            if !passing.to_master {
                return;
            }
            if passing.way == Way::In && passing.node.link_state() == Some(LinkState::Online) {
                let applied = passing.node.replication_offset();
                received = Some(received.unwrap_or(applied).plus(passing.bytes.len()));
            }
            if passing.way == Way::Out
                && let Some((id, _)) = psync(passing.bytes)
                && let Some(received) = received.take()
            {
                *passing.bytes = command(&["PSYNC", id.as_str(), &(received.0 + 1).to_string()]);
            }
        })
    });
}

/// Bytes of the stream that a node hands to its replicas: `act` may change them.
fn on_the_stream(node: NodeHost, mut act: impl FnMut(&mut Vec<u8>, bool) + 'static) -> NodeHost {
    let mut fed = BTreeSet::new();
    node.with_tampering(move |passing: Passing<'_>| {
        if passing.to_master {
            return;
        }
        if passing.way == Way::In && psync(passing.bytes).is_some() {
            fed.insert(passing.conn);
        }
        if passing.way == Way::Out && fed.contains(&passing.conn) && passing.bytes.starts_with(b"*") {
            let in_the_middle = matches!(passing.node.role(), Role::Replica { .. });
            act(passing.bytes, in_the_middle);
        }
    })
}

#[test]
fn a_middle_node_that_adds_a_ping_of_its_own_is_caught() {
    caught("adds a PING", &[NOT_AHEAD, ONE_DATA_SET], |node| {
        let mut count = 0;
        on_the_stream(node, move |bytes, in_the_middle| {
            count += 1;
            if in_the_middle && count % 10 == 0 {
                bytes.splice(0..0, command(&["PING"]));
            }
        })
    });
}

#[test]
fn a_log_that_is_trimmed_under_a_slow_reader_is_caught() {
    // To the reader it is a hole: a piece of the stream that never comes. If the hole is in the middle of a command,
    // the reader cannot trust its place any more, and gives it up.
    caught("a hole in the stream", &[ONE_DATA_SET, LEVEL, ASKS_BEHIND_APPLIED], |node| {
        let mut count = 0;
        on_the_stream(node, move |bytes, _| {
            count += 1;
            if count % 20 == 0 {
                bytes.clear();
            }
        })
    });
}

#[test]
fn a_master_that_continues_beyond_its_log_is_caught() {
    caught("continues beyond its log", &[ONLY_WHAT_IT_HAS], |node| {
        node.with_tampering(|passing: Passing<'_>| {
            if passing.to_master || passing.way == Way::Out {
                return;
            }
            let (Some(wanted), Some(window)) = (psync(passing.bytes), passing.node.log_window()) else {
                return;
            };
            let history = passing.node.history();
            let grounds = Grounds { history, window: Some(window) };
            if !resync::is_possible(&grounds, Some(wanted)) {
                // It goes on with what it has, from the end.
                let first = (window.1.0 + 1).to_string();
                *passing.bytes = command(&["PSYNC", history.id.as_str(), &first]);
            }
        })
    });
}

#[test]
fn a_replica_that_acknowledges_what_it_has_not_applied_is_caught() {
    caught("acknowledges too much", &[WAIT_IS_TRUE], |node| {
        node.with_tampering(|passing: Passing<'_>| {
            let says = passing.to_master && passing.way == Way::Out;
            if says
                && words(passing.bytes).is_some_and(|words| words.get(1).is_some_and(|word| word == "ACK"))
            {
                *passing.bytes = command(&["REPLCONF", "ACK", "9000000000"]);
            }
        })
    });
}
