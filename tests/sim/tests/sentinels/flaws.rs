//! Sentinels with a mistake that is easily made. Their program is what it is; what is in their files, and what they hear
//! and say, is changed on its way, as if the mistake were theirs.

use core_types::Millis;
use sim::nodes::NodeHost;
use sim::nodes::sentinels::NAME;
use sim::nodes::tamper::{Passing, Way};

/// What is wrong with all sentinels of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// In which epoch it has voted is not in its file: after a restart it does not know.
    VoteNotSaved,
    /// The vote is in the file some time, and told before that.
    VoteToldBeforeSaved,
    /// Who is down is not counted when a majority is.
    CountsSurvivors,
    /// It says that the master is down when a replica is, or when a replica has lost its master.
    ReplicasOpinions,
    /// Among equal replicas it takes the one with the greatest run id.
    IdsBackwards,
}

/// What a sentinel with this flaw finds in its file.
pub(crate) fn file(flaw: Flaw, text: &str) -> String {
    let gone = |line: &&str| flaw == Flaw::VoteNotSaved && line.starts_with("sentinel leader-epoch");
    text.lines().filter(|line| !gone(line)).map(|line| format!("{line}\n")).collect()
}

/// The file of a sentinel that forgets those who are down.
pub(crate) fn file_without(text: &str, ips: &[String]) -> String {
    let gone = |line: &&str| {
        let words: Vec<&str> = line.split(' ').collect();
        words.get(1) == Some(&"known-sentinel") && ips.iter().any(|ip| words.get(3) == Some(&ip.as_str()))
    };
    text.lines().filter(|line| !gone(line)).map(|line| format!("{line}\n")).collect()
}

/// A sentinel with this flaw.
pub(crate) fn sentinel(flaw: Flaw, host: NodeHost, seed: u64) -> NodeHost {
    match flaw {
        // Its disk says that it is done, and takes its time.
        Flaw::VoteToldBeforeSaved => host.with_lying_disk((Millis(100), Millis(600)), seed),
        Flaw::ReplicasOpinions => host.with_tampering(|passing: Passing<'_>| {
            let Some(watched) = passing.node.watched(NAME) else { return };
            let mut replicas = watched.replicas();
            let speaks = passing.way == Way::Out && !passing.to_master;
            if speaks && replicas.any(|replica| replica.down || replica.without_master > Millis::ZERO) {
                replace(passing.bytes, b"*3\r\n:0\r\n", b"*3\r\n:1\r\n");
            }
        }),
        _ => host,
    }
}

/// A node that is watched by sentinels with this flaw.
pub(crate) fn node(flaw: Flaw, host: NodeHost) -> NodeHost {
    if flaw != Flaw::IdsBackwards {
        return host;
    }
    // Of two mirrored ids the smaller one is the greater one.
    host.with_tampering(|passing: Passing<'_>| {
        if passing.way == Way::Out {
            mirror_id(passing.bytes, passing.node.run_id());
        }
    })
}

fn mirror_id(bytes: &mut [u8], id: &str) {
    let mirrored: Vec<u8> = id
        .bytes()
        .map(|digit| {
            let value = char::from(digit).to_digit(16).unwrap_or(0);
            char::from_digit(15 - value, 16).unwrap_or('0') as u8
        })
        .collect();
    let (old, new) = ([b"run_id:", id.as_bytes()].concat(), [&b"run_id:"[..], &mirrored].concat());
    replace(bytes, &old, &new);
}

/// Puts `new` in the place of each `old`, which is as long.
fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    for at in 0..(bytes.len() + 1).saturating_sub(old.len()) {
        if bytes[at..].starts_with(old) {
            bytes[at..at + old.len()].copy_from_slice(new);
        }
    }
}
