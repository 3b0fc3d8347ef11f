//! Recordings for chapter 5: electing a leader and failing over.

mod split;

use core_types::Millis;
use sim::nodes::experiments::{self, Group, Partition};
use sim::trace::{Event, Kind};
use sim::{Fault, Profile, Trace};
use solution_5::{losses_survived, votes_needed};

use super::edit::{leave_out_states, only_from, only_hosts};
use super::watchers::{
    QUICK, is_answer, is_question, leave_out_events, only, until_event_of, when_said, who_says,
};
use crate::data::{Cell, Recording, Table, Unit};

/// The recordings of this chapter, by the name a page shows them under.
pub(super) fn all() -> Vec<(&'static str, Recording)> {
    vec![
        ("ch05-quorums", quorums().into()),
        ("ch05-split-in-halves", split::in_halves().into()),
        ("ch05-split-vote", split::vote().into()),
        ("ch05-failover", failover().into()),
        ("ch05-partitioned-master", partitioned("The old master behind a partition", None).into()),
        (
            "ch05-partitioned-gate",
            partitioned("The same, with a write gate", Some(Millis::from_secs(2))).into(),
        ),
        ("ch05-losses", losses().into()),
    ]
}

/// A master, two replicas and three sentinels: from the last heartbeat to the new master.
fn failover() -> Trace {
    let mut trace = Trace::new("A failover, from the last heartbeat to the new master");
    let mut group = Group::new(Profile::calm(), Some(&mut trace));
    let s = ["s1", "s2", "s3"].map(|name| group.sentinel(name, 2, &QUICK));
    let nodes = [("master", None), ("a", Some("master")), ("b", Some("master"))]
        .map(|(name, follows)| group.node(name, follows, |_| {}));
    group.start_all(&nodes, &s, 370);
    let begin = group.world.now();
    group.wait(700);
    group.inflict(Fault::Crash(nodes[0]));
    group.wait(8000);
    drop(group);
    only_from(&mut trace, begin);
    let leader = who_says(&trace, "+elected-leader");
    let elected = when_said(&trace, "+elected-leader");
    until_event_of(&mut trace, &leader, "+switch-master");
    let is_sentinel = |host: &str| host.starts_with('s');
    only(&mut trace, |at, from, to, label| {
        let heartbeat = [from, to].contains(&"master") && ["PING", "+PONG"].contains(&label);
        // Opinions go on to be asked for; the votes are counted by then.
        let opinion = is_sentinel(from) && is_sentinel(to) && (is_question(label) || is_answer(label));
        let led =
            (from == leader || to == leader) && (label.contains("INFO") || label.starts_with("SLAVEOF"));
        let hello = from == leader && is_sentinel(to) && label.contains(",1,shop,");
        heartbeat || (opinion && at < elected) || led || hello
    });
    leave_out_events(&mut trace, &["+slave ", "+sdown slave", "-sdown slave", "-odown"]);
    leave_out_states(&mut trace, &["Online", "Connecting", "Handshake", "Waiting ⇨ Connecting"]);
    only_hosts(&mut trace, &["s1", "s2", "s3", "master", "a", "b"]);
    trace
}

/// The master is cut off, with a client beside it.
fn partitioned(title: &str, gate: Option<Millis>) -> Trace {
    const LASTS: Millis = Millis::from_secs(8);
    let mut trace = Trace::new(title);
    let setting = Partition { gate, lasts: LASTS, every: Millis::from_secs(2) };
    let loss = experiments::partition(setting, Some(&mut trace));
    let broken = |event: &Event| matches!(event.kind, Kind::Fault { .. });
    let begin = trace.events.iter().find(|event| broken(event)).expect("the cable breaks").at;
    let end = trace.now();
    only_from(&mut trace, begin);
    let watcher = who_says(&trace, "+convert-to-slave");
    only(&mut trace, |at, from, to, label| {
        // How B goes on can be imagined.
        let shown = |host: &str| host == "client A" || (host == "client B" && at < LASTS);
        let client = shown(from) || shown(to);
        let converts = from == watcher && to == "master" && label.starts_with("SLAVEOF");
        converts || (client && !label.contains("EXISTS") && !label.starts_with(['(', ':']))
    });
    trace.note(
        end.since(begin),
        None,
        format!(
            "A was told OK {} times after the cut, and {} of these orders are nowhere",
            loss.acknowledged, loss.lost
        ),
    );
    let told = ["+switch-master", "+convert-to-slave"];
    trace.events.retain(|event| match &event.kind {
        Kind::Note { host: Some(_), label } => told.iter().any(|start| label.starts_with(start)),
        _ => true,
    });
    leave_out_states(&mut trace, &["Online", "Connecting", "Handshake", "Waiting ⇨ Connecting"]);
    only_hosts(&mut trace, &["client A", "master", &watcher, "a", "client B"]);
    trace
}

/// Orders lost by partitions of several lengths, without the write gate and with it.
fn losses() -> Table {
    const RATE: u64 = 10;
    let mut table = Table::new(
        "Orders lost by a partition",
        &[
            ("cable broken for", Unit::Millis),
            ("lost, no gate", Unit::Number),
            ("lost, max-lag 10", Unit::Number),
            ("last OK after", Unit::Millis),
            ("lost, max-lag 2", Unit::Number),
            ("last OK after", Unit::Millis),
        ],
    );
    for lasts in [5, 15, 60].map(Millis::from_secs) {
        let run = |gate: Option<u64>| {
            let every = Millis(1000 / RATE);
            experiments::partition(Partition { gate: gate.map(Millis::from_secs), lasts, every }, None)
        };
        let [none, ten, two] = [None, Some(10), Some(2)].map(run);
        let numbers =
            [lasts.0, none.lost as u64, ten.lost as u64, ten.last_ok.0, two.lost as u64, two.last_ok.0];
        table = table.row(numbers.map(Cell::from));
    }
    table
}

/// What one to seven sentinels can lose, by the functions of the lab itself.
fn quorums() -> Table {
    let mut table = Table::new(
        "Votes needed, and losses survived",
        &[
            ("sentinels", Unit::Number),
            ("votes needed", Unit::Number),
            ("losses survived", Unit::Number),
            ("votes, quorum n − 1", Unit::Number),
            ("losses survived", Unit::Number),
        ],
    );
    for known in 1..=7_usize {
        let high = (known - 1).max(1);
        let numbers = [
            known,
            votes_needed(known, 1),
            losses_survived(known, 1),
            votes_needed(known, high),
            losses_survived(known, high),
        ];
        table = table.row(numbers.map(|number| Cell::from(number as u64)));
    }
    table
}
