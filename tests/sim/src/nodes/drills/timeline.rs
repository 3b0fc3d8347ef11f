//! A recorded run, shortened to what tells why it went as it went.

use core_types::Millis;

use crate::Trace;
use crate::trace::{Event, Kind};

/// Log lines that are worth a line of the story; they begin so.
const TELLING: [&str; 9] = [
    "+sdown master",
    "+odown",
    "-odown",
    "+switch-master",
    "+convert-to-slave",
    "-failover-abort",
    "Full resync requested",
    "Partial resynchronization request",
    "Client id=",
];

/// The run from `begin` on, counted from there: what broke, what these clients said and heard, what sentinels decided, who
/// became a master and who ceased to be one. Where several sentinels tell the same, the first does.
pub fn told(whole: &Trace, begin: Millis, clients: &[&str]) -> Trace {
    let mut story = Trace::new(whole.title.clone());
    let mut heard: Vec<String> = Vec::new();
    let mut shown = Vec::new();
    for event in whole.events.iter().filter(|event| event.at >= begin) {
        let keep = match &event.kind {
            Kind::Send { id, from, to, label } => {
                // A client that tries to connect every half second tells nothing new.
                let theirs =
                    clients.iter().any(|client| client == from || client == to) && !label.starts_with('(');
                if theirs {
                    shown.push(*id);
                }
                theirs
            }
            Kind::Receive { id } | Kind::Drop { id, .. } => shown.contains(id),
            // What the judge says.
            Kind::Note { host: None, .. } => true,
            Kind::Note { label, .. } => {
                let event = label.starts_with(['+', '-']);
                let telling = TELLING.iter().any(|start| label.starts_with(start)) && !heard.contains(label);
                if telling && event {
                    heard.push(label.clone());
                }
                telling
            }
            Kind::State { label, .. } => is_change_of_role(label),
            Kind::Fault { .. } | Kind::Down { .. } | Kind::Up { .. } => true,
            Kind::Call { .. } => false,
        };
        if keep {
            for host in hosts(&event.kind) {
                story.host(host);
            }
            story.events.push(Event { at: event.at.since(begin), kind: event.kind.clone() });
        }
    }
    story
}

fn is_change_of_role(label: &str) -> bool {
    let Some((before, after)) = label.split_once(" ⇨ ") else { return false };
    (before == "Master") != (after == "Master")
}

fn hosts(kind: &Kind) -> Vec<&str> {
    match kind {
        Kind::Send { from, to, .. } => vec![from, to],
        Kind::State { host, .. } | Kind::Down { host } | Kind::Up { host } => vec![host],
        Kind::Note { host, .. } => host.iter().map(String::as_str).collect(),
        Kind::Receive { .. } | Kind::Drop { .. } | Kind::Call { .. } | Kind::Fault { .. } => Vec::new(),
    }
}
