//! What a reader need not see is left out of a run. The last thing done to a trace.

use core_types::Millis;
use sim::Trace;
use sim::trace::Kind;

/// Leaves out what happened before `begin`, and lets time start there.
pub(super) fn only_from(trace: &mut Trace, begin: Millis) {
    trace.events.retain(|event| event.at >= begin);
    for event in &mut trace.events {
        event.at = event.at - begin;
    }
}

/// Leaves out messages between the two hosts that begin with one of `labels`, and what became of them.
pub(super) fn leave_out(trace: &mut Trace, hosts: [&str; 2], labels: &[&str]) {
    let mut left_out = Vec::new();
    trace.events.retain(|event| match &event.kind {
        Kind::Send { id, from, to, label }
            if [from, to].iter().all(|host| hosts.contains(&host.as_str()))
                && labels.iter().any(|start| label.starts_with(start)) =>
        {
            left_out.push(*id);
            false
        }
        Kind::Receive { id } | Kind::Drop { id, .. } => !left_out.contains(id),
        _ => true,
    });
}

/// Leaves out the steps of the handshake, which another figure shows.
pub(super) fn leave_out_handshake(trace: &mut Trace, master: &str, replica: &str) {
    leave_out(trace, [master, replica], &["(connect", "PING", "+PONG", "REPLCONF", "+OK"]);
    let step = |label: &str| label.contains("⇨ Handshake(") && !label.contains("⇨ Handshake(Ping)");
    trace.events.retain(|event| !matches!(&event.kind, Kind::State { label, .. } if step(label)));
}

/// Leaves out changes of state that begin with one of `labels`.
pub(super) fn leave_out_states(trace: &mut Trace, labels: &[&str]) {
    let shown = |label: &str| !labels.iter().any(|start| label.starts_with(start));
    trace.events.retain(|event| !matches!(&event.kind, Kind::State { label, .. } if !shown(label)));
}

/// Shows only these hosts, in this order, and leaves out messages with others.
pub(super) fn only_hosts(trace: &mut Trace, hosts: &[&str]) {
    let shown = |host: &String| hosts.contains(&host.as_str());
    let mut left_out = Vec::new();
    trace.events.retain(|event| match &event.kind {
        Kind::Send { id, from, to, .. } if !shown(from) || !shown(to) => {
            left_out.push(*id);
            false
        }
        Kind::Receive { id } | Kind::Drop { id, .. } => !left_out.contains(id),
        Kind::State { host, .. } | Kind::Down { host } | Kind::Up { host } => shown(host),
        Kind::Note { host: Some(host), .. } => shown(host),
        _ => true,
    });
    trace.hosts = hosts.iter().map(ToString::to_string).collect();
}
