//! Recordings for chapter 7: gossip, doubt and certainty, and who stops.

mod size;

use std::collections::BTreeMap;

use core_types::Millis;
use sim::Trace;

use super::ch09::key_in;
use super::cluster::{Part, Town, show, with_names};
use super::edit::{only_from, only_hosts};
use super::watchers::never_arrives;
use crate::data::Recording;

/// The recordings of this chapter, by the name a page shows them under.
pub(super) fn all() -> Vec<(&'static str, Recording)> {
    let mut all: Vec<(&'static str, Recording)> = vec![
        ("ch07-rumour", rumour().into()),
        ("ch07-pfail-to-fail", pfail_to_fail().into()),
        ("ch07-minority", minority().into()),
    ];
    all.extend(size::all());
    all
}

/// A newcomer is introduced to one of five nodes. The others hear of it.
fn rumour() -> Trace {
    const NAMES: [&str; 6] = ["A", "B", "C", "D", "E", "F"];
    let mut trace = Trace::new("A newcomer becomes known");
    let parts: Vec<_> = NAMES.map(|name| (name, Part::Master)).into_iter().collect();
    let parts: Vec<_> = parts
        .into_iter()
        .map(|(name, part)| (name, if name == "F" { Part::Stranger } else { part }))
        .collect();
    let mut town = Town::new(&mut trace, &parts, &[1, 2, 3, 4, 5], |_| {});
    town.start();
    // In another moment of a heartbeat A would tell more of them itself.
    town.wait(700);
    let begin = town.now();
    town.order("A", "CLUSTER MEET 10.0.0.6 7000");
    let mut since: BTreeMap<&str, Millis> = BTreeMap::new();
    let mut met = BTreeMap::new();
    while since.len() < 5 || met.len() < 5 {
        for name in &NAMES[..5] {
            let knows = |of: &str, whom: &str, town: &Town<'_>| {
                town.view(of, whom).is_some_and(|member| member.is_known())
            };
            if !since.contains_key(name) && knows(name, "F", &town) {
                since.insert(name, town.now());
                town.note(name, "knows F");
            }
            if !met.contains_key(name) && knows("F", name, &town) {
                met.insert(*name, town.now());
                town.note("F", &format!("knows {name}"));
            }
        }
        town.wait(1);
        assert!(town.now().since(begin) < Millis::from_secs(20), "everybody hears of it");
    }
    town.end();
    with_names(&mut trace, &NAMES);
    show(
        &mut trace,
        |at, from, to, label| {
            // Names that are told, but not the newcomer's to itself.
            let told: Vec<&str> = label.split(' ').skip(3).filter(|name| *name != to).collect();
            let arrives = at + Millis(1);
            let kind = label.split(' ').next().unwrap_or_default();
            let introduces =
                [from, to].contains(&"F") && [from, to].contains(&"A") && at < since["A"] + Millis(60);
            // It was this one that told of F.
            let tells = told.contains(&"F") && since.get(to) == Some(&arrives);
            let listens = met.get(from).is_some_and(|met| *met <= at);
            let teaches = listens && to == "F" && told.iter().any(|name| met.get(name) == Some(&arrives));
            match (introduces, tells, teaches) {
                (true, ..) if kind == "(connect" => None,
                (_, true, _) => Some(format!("{kind}: F")),
                (true, ..) if told.is_empty() => Some(kind.to_string()),
                (true, ..) | (_, _, true) => Some(format!("{kind}: {}", told.join(" "))),
                _ => None,
            }
        },
        |_, _, label| match label {
            label if label.starts_with("knows ") => Some(label.into()),
            label if label.starts_with("CLUSTER MEET") => Some("CLUSTER MEET F".into()),
            _ => None,
        },
    );
    only_from(&mut trace, begin);
    only_hosts(&mut trace, &NAMES);
    trace
}

/// A master dies. Two masters doubt, each for itself; the second to hear of the other's doubt counts.
fn pfail_to_fail() -> Trace {
    const NAMES: [&str; 4] = ["A", "B", "C", "R"];
    let mut trace = Trace::new("From doubt to certainty");
    let parts = [("A", Part::Master), ("B", Part::Master), ("C", Part::Master), ("R", Part::Of("C"))];
    let mut town = Town::new(&mut trace, &parts, &[1, 2, 3], |_| {});
    town.start();
    // In another moment of a heartbeat R would be the first to have both reports.
    town.wait(200);
    let begin = town.now();
    town.crash("C");
    let knows = |town: &Town<'_>, name: &str| town.view(name, "C").is_some_and(|c| c.has_failed());
    town.wait_to("everybody knows", |town| ["A", "B", "R"].iter().all(|name| knows(town, name)));
    town.end();
    with_names(&mut trace, &NAMES);
    show(
        &mut trace,
        |at, from, to, label| {
            let kind = label.split(' ').next().unwrap_or_default();
            match label {
                _ if at < begin => None,
                // A has counted as well, a moment after B. What it tells is no news any more.
                "FAIL C" if from != "A" => Some(label.into()),
                // What R thinks does not count, and what it hears it need not count.
                _ if label.contains(" C?") && to != "R" => Some(format!("{kind}: C fail?")),
                _ => None,
            }
        },
        |at, _, label| (at >= begin).then(|| opinion(label)).flatten(),
    );
    only_from(&mut trace, begin);
    trace
}

/// Log lines about who fails, as short as they can be.
fn opinion(label: &str) -> Option<String> {
    if let Some(rest) = label.strip_prefix("*** NODE ") {
        return Some(format!("PFAIL {}", rest.strip_suffix(" possibly failing")?));
    }
    if let Some(rest) = label.strip_prefix("Marking node ") {
        return Some(format!("FAIL {}, by a majority", rest.strip_suffix(" as failing (quorum reached).")?));
    }
    if let Some((from, about)) =
        label.strip_prefix("FAIL message received from ").and_then(|rest| rest.split_once(" about "))
    {
        return Some(format!("FAIL {about}, told by {from}"));
    }
    if let Some(rest) = label.strip_prefix("Node ") {
        let (teller, about) = rest.split_once(" reported node ")?;
        let about = about.strip_suffix(" as not reachable.")?;
        return Some(format!("noted: {teller} doubts {about}"));
    }
    None
}

/// Two of five masters are cut off from the others, with a client beside one of them.
fn minority() -> Trace {
    const NAMES: [&str; 5] = ["A", "B", "C", "D", "E"];
    let mut trace = Trace::new("A minority stops");
    let parts = NAMES.map(|name| (name, Part::Master));
    let mut town = Town::new(&mut trace, &parts, &[1, 2, 3, 4, 5], |config| {
        // The others go on, although slots of A and B are without an owner that can be reached.
        config.cluster_require_full_coverage = false;
    });
    let client = town.client("client", "A");
    town.start();
    let begin = town.now();
    town.wait(150);
    let key = key_in(0..3000);
    let write = |town: &mut Town<'_>, number: u32| {
        town.say(client, &format!("SET {key} {number}"));
        town.wait(450);
    };
    town.cut(&["A", "B"], &["C", "D", "E"], "A and B are cut off from C, D and E");
    for number in 1..=5 {
        write(&mut town, number);
    }
    town.mend(&["A", "B"], &["C", "D", "E"], "the cable is mended");
    for number in 6..=10 {
        write(&mut town, number);
    }
    town.end();
    with_names(&mut trace, &NAMES);
    show(
        &mut trace,
        |at, from, to, label| {
            let client = [from, to].contains(&"client") && !label.starts_with('(');
            (at >= begin && client)
                .then(|| label.replace("-CLUSTERDOWN The cluster is down", "-CLUSTERDOWN …"))
        },
        |at, host, label| match label {
            _ if at < begin || !["A", "C"].contains(&host) => None,
            "Cluster state changed: fail" => Some("cluster state: fail".into()),
            "Cluster state changed: ok" => Some("cluster state: ok".into()),
            label => opinion(label).filter(|text| !text.starts_with("noted")),
        },
    );
    only_from(&mut trace, begin);
    only_hosts(&mut trace, &["client", "A", "C"]);
    never_arrives(&mut trace);
    trace
}
