//! Recordings for chapter 9: elections, what they cost, and failovers by hand.

use core_types::Millis;
use sim::nodes::Client;
use sim::{HostId, Trace};
use solution_6::key_slot;

use super::cluster::{Part, Town, show, with_names};
use super::edit::{only_from, only_hosts};
use super::watchers::{at_most, never_arrives};
use crate::data::Recording;

/// The recordings of this chapter, by the name a page shows them under.
pub(super) fn all() -> Vec<(&'static str, Recording)> {
    vec![
        ("ch09-election", election().into()),
        ("ch09-loss", loss().into()),
        ("ch09-collision", collision().into()),
        ("ch09-manual", manual().into()),
    ]
}

/// A key of one of these slots.
pub(super) fn key_in(slots: std::ops::Range<u16>) -> String {
    let keys = (0..).map(|number| format!("order:{number}"));
    keys.into_iter()
        .find(|key| slots.contains(&key_slot(key.as_bytes()).number()))
        .expect("some key is there")
}

/// What a log line says about an election, as short as it can be.
fn of_election(label: &str) -> Option<String> {
    let between = |start: &str, end: &str| Some(label.strip_prefix(start)?.strip_suffix(end)?.to_string());
    if let Some(rest) = between("Start of election delayed for ", ").") {
        let (wait, rank) = rest.split_once(" milliseconds (rank #")?;
        return Some(format!("waits {wait} ms: rank {rank}"));
    }
    if let Some(epoch) = between("Starting a failover election for epoch ", ".") {
        return Some(format!("stands in epoch {epoch}"));
    }
    if let Some(rest) = label.strip_prefix("Failover auth granted to ") {
        return Some(format!("votes for {}", rest.replace(" for epoch ", " in epoch ")));
    }
    if let Some(offset) = between("Received replication offset for paused master manual failover: ", "") {
        return Some(format!("has to reach {offset}"));
    }
    if let Some(rest) = label.strip_prefix("Replica rank updated to #") {
        let (rank, more) = rest.strip_suffix(" milliseconds of delay.")?.split_once(", added ")?;
        return Some(format!("rank {rank}: waits {more} ms more"));
    }
    if label.starts_with("Configuration change detected. Reconfiguring myself as a replica of ") {
        return Some(format!("becomes a replica of {}", label.rsplit(' ').next()?.trim_end_matches('.')));
    }
    let whole = match label {
        "Failover election won: I'm the new master." => "has won: master",
        "All master replication stream processed, manual failover can start." => "has all of it",
        "Cluster state changed: fail" => "cluster state: fail",
        "Cluster state changed: ok" => "cluster state: ok",
        label if label.starts_with("Manual failover requested by replica") => "holds its writers back",
        _ => return None,
    };
    Some(whole.into())
}

/// The epoch of the sender in a heartbeat's label.
fn epoch_of(label: &str) -> Option<u64> {
    label.split(' ').nth(1)?.split_once('/')?.0.parse().ok()
}

/// A ballot, in few words.
fn ballot(label: &str) -> Option<String> {
    label.starts_with("AUTH-").then(|| label.to_string())
}

/// The master of two replicas dies. One of them has less of the data.
fn election() -> Trace {
    const NAMES: [&str; 5] = ["A", "B", "C", "R", "S"];
    let mut trace = Trace::new("An election with two replicas");
    let parts = [
        ("A", Part::Master),
        ("B", Part::Master),
        ("C", Part::Master),
        ("R", Part::Of("C")),
        ("S", Part::Of("C")),
    ];
    let mut town = Town::new(&mut trace, &parts, &[1, 2, 3], |_| {});
    let client = town.client("client", "C");
    town.start();
    town.cut(&["S"], &["C"], "S does not hear C any more");
    let key = key_in(11_000..16_384);
    for number in 0..3 {
        town.say(client, &format!("SET {key} {number}"));
        town.wait(20);
    }
    let begin = town.now();
    town.crash("C");
    let follows = |town: &Town<'_>| {
        let master = |of: &str| town.view(of, "S").and_then(|s| s.master());
        ["A", "S"].iter().all(|of| master(of).is_some() && master(of) == town.view(of, "R").map(|r| r.id()))
    };
    town.wait_to("S follows R", follows);
    town.end();
    with_names(&mut trace, &NAMES);
    show(
        &mut trace,
        |at, from, to, label| match epoch_of(label) {
            _ if at < begin || to == "C" => None,
            Some(4) if from == "R" && label.starts_with("PONG") => Some("PONG, epoch 4".into()),
            _ if label.starts_with("FAIL") && to != "R" && to != "S" => None,
            _ => ballot(label).or_else(|| label.starts_with("FAIL").then(|| label.into())),
        },
        |at, _, label| {
            (at >= begin).then(|| of_election(label)).flatten().filter(|text| !text.starts_with("cluster"))
        },
    );
    at_most(&mut trace, |_| 1);
    only_from(&mut trace, begin);
    only_hosts(&mut trace, &NAMES);
    trace
}

/// A master is cut off with its client, and replaced. What it has acknowledged meanwhile is lost.
fn loss() -> Trace {
    const NAMES: [&str; 4] = ["M", "A", "B", "R"];
    let mut trace = Trace::new("Acknowledged, and lost");
    let parts = [("M", Part::Master), ("A", Part::Master), ("B", Part::Master), ("R", Part::Of("M"))];
    let mut town = Town::new(&mut trace, &parts, &[1, 2, 3], |_| {});
    let one = town.client("client 1", "M");
    let two = town.client("client 2", "R");
    town.start();
    let begin = town.now();
    let tag = key_in(0..5000);
    town.wait(100);
    let mut number = 0;
    let mut write = |town: &mut Town<'_>| {
        number += 1;
        town.say(one, &format!("SET {{{tag}}}{number} v"));
        town.wait(400);
    };
    write(&mut town);
    town.cut(&["M"], &["A", "B", "R"], "M is cut off, and client 1 with it");
    let cut = town.now();
    while !town.view("R", "R").is_some_and(|member| member.is_master()) {
        write(&mut town);
        assert!(town.now().since(cut) < Millis::from_secs(20), "R is elected");
    }
    town.say(two, &format!("SET {{{tag}}}new v"));
    town.wait(400);
    town.mend(&["M"], &["A", "B", "R"], "the cable is mended");
    town.wait_to("M follows R", |town| town.view("M", "M").is_some_and(|member| !member.is_master()));
    // The first synchronisation after that throws away what only M had.
    town.wait(3000);
    let lost: Vec<bool> = (1..=number)
        .map(|number| town.order("R", &format!("EXISTS {{{tag}}}{number}")).starts_with(":0"))
        .collect();
    town.end();
    with_names(&mut trace, &NAMES);
    let mut acknowledged = 0;
    show(
        &mut trace,
        |at, from, to, label| {
            let client = [from, to].iter().any(|host| host.starts_with("client"));
            acknowledged += usize::from(at >= cut && from == "M" && label == "+OK" && to == "client 1");
            match label {
                _ if at < begin => None,
                _ if client && label.starts_with('(') => None,
                _ if client => Some(
                    label
                        .replace(&format!("{{{tag}}}"), "k")
                        .replace("-CLUSTERDOWN The cluster is down", "-CLUSTERDOWN …"),
                ),
                _ if label.starts_with("UPDATE") && to == "M" => Some(label.into()),
                "AUTH-REQ epoch 4" if to != "M" => Some(label.into()),
                _ if label.starts_with("AUTH-ACK") => Some(label.into()),
                _ if label.starts_with("SET") && from == "M" => {
                    Some(label.replace(&format!("{{{tag}}}"), "k"))
                }
                _ if epoch_of(label) == Some(1)
                    && from == "M"
                    && at > cut + Millis(1800)
                    && label.starts_with("PING") =>
                {
                    Some("PING, epoch 1".into())
                }
                _ => None,
            }
        },
        |at, host, label| {
            let shown = at >= begin && (["M", "R"].contains(&host) || label.starts_with("Failover auth"));
            shown.then(|| of_election(label)).flatten()
        },
    );
    // The first write was before the cut, and those that follow the acknowledged ones were refused.
    let missing = lost[1..=acknowledged].iter().filter(|lost| **lost).count();
    assert!(!lost[0] && missing == acknowledged, "what was acknowledged behind the cut is lost");
    let end = trace.now();
    trace.note(
        end,
        None,
        format!(
            "client 1 was told OK {acknowledged} times after the cut, and these {missing} writes are nowhere"
        ),
    );
    never_arrives(&mut trace);
    at_most(&mut trace, |label| if label.starts_with("UPDATE") { 1 } else { usize::MAX });
    only_from(&mut trace, begin);
    only_hosts(&mut trace, &["client 1", "M", "R", "A", "B", "client 2"]);
    trace
}

/// Two masters begin with the same epoch.
fn collision() -> Trace {
    const NAMES: [&str; 3] = ["a", "b", "c"];
    let mut trace = Trace::new("Two masters with one epoch");
    let parts = NAMES.map(|name| (name, Part::Master));
    let mut town = Town::new(&mut trace, &parts, &[5, 5, 4], |_| {});
    let begin = town.now();
    town.start();
    town.end();
    with_names(&mut trace, &NAMES);
    let settled = |label: &str| label.split(' ').nth(1).is_some_and(|epochs| epochs.ends_with("/6"));
    let mut knows: Vec<String> = Vec::new();
    show(
        &mut trace,
        |_, from, to, label| {
            let (mine, newest) = label.split(' ').nth(1)?.split_once('/')?;
            let kind = label.split(' ').next()?;
            let pair = [from, to].contains(&"a") && [from, to].contains(&"b");
            let news = settled(label) && from == "a" && !knows.contains(&to.to_string());
            if news {
                knows.push(to.to_string());
            }
            let before = knows.is_empty() && pair;
            (news || before).then(|| format!("{kind}: mine {mine}, newest {newest}"))
        },
        |_, _, label| {
            let epoch = label.strip_prefix("WARNING: configEpoch collision with node ")?;
            let (other, epoch) = epoch.split_once(". configEpoch set to ")?;
            Some(format!("{other} has mine: I take {epoch}"))
        },
    );
    only_from(&mut trace, begin);
    only_hosts(&mut trace, &NAMES);
    trace
}

/// An operator has the master and a replica change places.
fn manual() -> Trace {
    const NAMES: [&str; 3] = ["M", "B", "R"];
    let mut trace = Trace::new("A failover by hand");
    let parts = [("M", Part::Master), ("B", Part::Master), ("R", Part::Of("M"))];
    let mut town = Town::new(&mut trace, &parts, &[1, 2], |_| {});
    let client = town.client("client", "M");
    town.start();
    let begin = town.now();
    let key = key_in(0..8000);
    town.say(client, &format!("SET {key} 1"));
    town.wait(20);
    town.order("R", "CLUSTER FAILOVER");
    town.wait(2);
    town.say(client, &format!("SET {key} 2"));
    town.wait_to("M follows R", |town| town.view("M", "M").is_some_and(|member| !member.is_master()));
    town.wait(20);
    turn(&mut town, client, "R");
    town.say(client, &format!("SET {key} 2"));
    town.wait(10);
    town.end();
    with_names(&mut trace, &NAMES);
    show(
        &mut trace,
        |at, from, to, label| {
            let client = [from, to].contains(&"client") && !label.starts_with('(');
            let won = epoch_of(label) == Some(3) && from == "R" && label.starts_with("PONG");
            match label {
                _ if at < begin => None,
                _ if client => Some(label.into()),
                _ if label.starts_with("MFSTART") => Some(label.into()),
                _ if label.contains(" paused") && from == "M" && to == "R" => Some("PING, paused".into()),
                _ if label.starts_with("SET") && from == "M" => Some(label.into()),
                _ if won => Some("PONG, epoch 3".into()),
                _ => ballot(label),
            }
        },
        |at, _, label| match label {
            _ if at < begin => None,
            label if label.starts_with("CLUSTER FAILOVER") => Some("CLUSTER FAILOVER".into()),
            label => of_election(label).filter(|text| !text.starts_with("waits 0 ms")),
        },
    );
    at_most(&mut trace, |_| 1);
    only_from(&mut trace, begin);
    only_hosts(&mut trace, &["client", "M", "R", "B"]);
    trace
}

/// A client turns to another node, as its table tells it after a redirection.
fn turn(town: &mut Town<'_>, client: HostId, to: &str) {
    let target = core_types::Endpoint::new(to, 7000);
    let turned = town.world.act(client, |client: &mut Client, io| client.retarget(io, target));
    turned.expect("no rule is broken");
    town.wait(510);
}

#[cfg(test)]
mod tests {
    use sim::trace::Kind;

    use super::*;

    #[test]
    fn every_story_ends_as_its_caption_says() {
        let says = |trace: &Trace, host: &str, text: &str| {
            trace.events.iter().any(|event| {
                matches!(&event.kind,
                Kind::Note { host: Some(who), label } if who == host && label.starts_with(text))
            })
        };
        let election = election();
        assert!(says(&election, "R", "has won") && !says(&election, "S", "stands"));
        assert!(says(&collision(), "a", "b has mine: I take 6"));
        let manual = manual();
        assert!(says(&manual, "M", "becomes a replica of R"));
    }
}
