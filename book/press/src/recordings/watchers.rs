//! What the runs with sentinels have in common: labels that fit, and what a reader need not see.

use std::collections::{BTreeMap, BTreeSet};

use core_types::Millis;
use sim::Trace;
use sim::nodes::experiments::run_id;
use sim::trace::{Event, Kind};

/// Lines of a sentinel's file that make a run short enough to be read.
pub(super) const QUICK: [&str; 2] = ["down-after-milliseconds shop 1000", "failover-timeout shop 2000"];

/// Shows of a run only the messages that `keep` wants, by time, sender, receiver and label, and of the logs only the events.
/// Afterwards labels are as short as they can be: sentinels are called by name where their run id stands.
pub(super) fn only(trace: &mut Trace, keep: impl Fn(Millis, &str, &str, &str) -> bool) {
    let mut left_out = Vec::new();
    trace.events.retain(|event| match &event.kind {
        Kind::Send { id, from, to, label } if !keep(event.at, from, to, label) => {
            left_out.push(*id);
            false
        }
        Kind::Receive { id } | Kind::Drop { id, .. } => !left_out.contains(id),
        Kind::Note { host: Some(_), label } => label.starts_with(['+', '-']),
        _ => true,
    });
    // Counted anew, so that the file does not change with what is left out.
    let mut numbers: BTreeMap<u64, u64> = BTreeMap::new();
    let mut renumber = |id: &mut u64| {
        let next = numbers.len() as u64;
        *id = *numbers.entry(*id).or_insert(next);
    };
    for event in &mut trace.events {
        if let Kind::Send { id, .. } | Kind::Receive { id } | Kind::Drop { id, .. } = &mut event.kind {
            renumber(id);
        }
        match &mut event.kind {
            Kind::Send { label, .. } => *label = short(label),
            Kind::Note { host: Some(_), label } => *label = short_event(label),
            _ => {}
        }
    }
}

/// What a broken cable still holds at the end of a run never arrives: it is shown as lost where it was sent.
pub(super) fn never_arrives(trace: &mut Trace) {
    let ended = trace.events.iter().filter_map(|event| match event.kind {
        Kind::Receive { id } | Kind::Drop { id, .. } => Some(id),
        _ => None,
    });
    let ended: BTreeSet<u64> = ended.collect();
    let mut events = Vec::new();
    for event in trace.events.drain(..) {
        let held = match event.kind {
            Kind::Send { id, .. } if !ended.contains(&id) => Some((event.at, id)),
            _ => None,
        };
        events.push(event);
        events.extend(held.map(|(at, id)| Event { at, kind: Kind::Drop { id, why: String::new() } }));
    }
    trace.events = events;
}

/// Of messages with the same sender, receiver and label shows only the first few: so many as `count` says for a label.
pub(super) fn at_most(trace: &mut Trace, count: impl Fn(&str) -> usize) {
    let (mut seen, mut left_out) = (BTreeMap::new(), Vec::new());
    trace.events.retain(|event| match &event.kind {
        Kind::Send { id, from, to, label } => {
            let times: &mut usize = seen.entry((from.clone(), to.clone(), label.clone())).or_default();
            *times += 1;
            if *times > count(label) {
                left_out.push(*id);
            }
            *times <= count(label)
        }
        Kind::Receive { id } | Kind::Drop { id, .. } => !left_out.contains(id),
        _ => true,
    });
}

/// Leaves out events that begin with one of `labels`.
pub(super) fn leave_out_events(trace: &mut Trace, labels: &[&str]) {
    let shown = |label: &str| !labels.iter().any(|start| label.starts_with(start));
    trace.events.retain(|event| !matches!(&event.kind, Kind::Note { host: Some(_), label } if !shown(label)));
}

/// Cuts a run off behind the first event that begins with `label`.
pub(super) fn until_event(trace: &mut Trace, label: &str) {
    let host = who_says(trace, label);
    until_event_of(trace, &host, label);
}

/// Cuts a run off behind the first event of this host that begins with `label`.
pub(super) fn until_event_of(trace: &mut Trace, host: &str, label: &str) {
    let place = trace.events.iter().position(|event| {
        matches!(&event.kind, Kind::Note { host: Some(who), label: found } if who == host && found.starts_with(label))
    });
    trace.events.truncate(place.expect("it is said") + 1);
}

/// `SENTINEL is-master-down-by-addr`, for an opinion or a vote.
pub(super) fn is_question(label: &str) -> bool {
    label.contains("is-master-down-by-addr")
}

/// The answer to it.
pub(super) fn is_answer(label: &str) -> bool {
    label.starts_with("[:")
}

/// The host that first says so.
pub(super) fn who_says(trace: &Trace, label: &str) -> String {
    first(trace, label).1
}

/// When that is first said.
pub(super) fn when_said(trace: &Trace, label: &str) -> Millis {
    first(trace, label).0
}

fn first(trace: &Trace, label: &str) -> (Millis, String) {
    let mut found = trace.events.iter().filter_map(|event| match &event.kind {
        Kind::Note { host: Some(host), label: found } if found.starts_with(label) => {
            Some((event.at, host.clone()))
        }
        _ => None,
    });
    found.next().expect("somebody says so")
}

fn short(label: &str) -> String {
    let mut text = label.to_string();
    for place in 0..7 {
        text = text.replace(&format!("{}..", &run_id(place)[..8]), &format!("s{}", place + 1));
    }
    if let Some(rest) = text.strip_prefix("SENTINEL is-master-down-by-addr master 7000") {
        return format!("is-master-down-by-addr …{rest}");
    }
    if let Some(rest) = text.strip_prefix("PUBLISH __sentinel__:hello ") {
        return format!("hello {rest}");
    }
    // The answer of three: down, the vote, its epoch.
    match text.strip_prefix("[:").and_then(|rest| rest.strip_suffix(']')) {
        Some(rest) => rest.replace([':', '"'], ""),
        None => text,
    }
}

/// Of an event's fields those that tell something in these runs: there is one master only, and its name is `shop`.
fn short_event(label: &str) -> String {
    let (label, quorum) =
        label.split_once(" #").map_or((label, String::new()), |(label, rest)| (label, format!(" #{rest}")));
    let label = label.split(" @ ").next().unwrap_or(label);
    let words: Vec<&str> = label.split(' ').collect();
    let short = match words[..] {
        [name, "master", shop, _, _] => format!("{name} master {shop}"),
        [name, kind @ ("slave" | "sentinel"), _, host, _] => format!("{name} {kind} {host}"),
        [name @ "+vote-for-leader", id, epoch] => {
            let place = (0..7).find(|place| run_id(*place) == id);
            format!("{name} {} {epoch}", place.map_or(id.to_string(), |place| format!("s{}", place + 1)))
        }
        _ => label.to_string(),
    };
    short + &quorum
}
