//! Recordings for chapter 4: is the master down?

use core_types::Endpoint;
use sim::nodes::Client;
use sim::nodes::experiments::Group;
use sim::nodes::stories::PORT;
use sim::trace::Kind;
use sim::{Fault, Profile, Trace};

use super::edit::only_from;
use super::watchers::{QUICK, at_most, is_answer, is_question, never_arrives, only, until_event};
use crate::data::{Axis, Plot, Recording, Shape, Unit, Which};

/// Sentinels are started so many milliseconds one after the other.
const APART: u64 = 370;

/// The recordings of this chapter, by the name a page shows them under.
pub(super) fn all() -> Vec<(&'static str, Recording)> {
    vec![
        ("ch04-one-observer", one_observer().into()),
        ("ch04-three-timers", three_timers().into()),
        ("ch04-sdown-odown", sdown_odown().into()),
    ]
}

/// The script of the opening: it counts to three, and is wrong. Only its own link is broken.
fn one_observer() -> Trace {
    let mut trace = Trace::new("One observer, and then two masters");
    let mut group = Group::new(Profile::calm(), Some(&mut trace));
    let till = group.client("till", "master");
    let master = group.node("master", None, |_| {});
    let replica = group.node("replica", Some("master"), |_| {});
    let website = group.client("website", "master");
    group.start(&[master, replica, till, website]);
    group.wait(1200);
    group.say(till, "SET lamps 11");
    group.wait(800);
    let begin = group.world.now();
    group.say(website, "PING");
    group.wait(500);
    group.cut(&[website], &[master], "the link between website and master breaks");
    let answered = group.world.get::<Client>(website).expect("it runs").answered;
    let mut silent = 0;
    while silent < 3 {
        group.wait(500);
        group.say(website, "PING");
        group.wait(500);
        let client = group.world.get::<Client>(website).expect("it runs");
        silent += usize::from(client.answered == answered);
    }
    group.say(till, "DECR lamps");
    group.wait(20);
    group.retarget(website, &Endpoint::new("replica", PORT));
    for command in ["REPLICAOF NO ONE", "DECR lamps"] {
        group.say(website, command);
        group.wait(10);
    }
    for client in [till, till] {
        group.wait(400);
        group.say(client, "DECR lamps");
        group.wait(10);
    }
    for client in [till, website] {
        group.say(client, "GET lamps");
        group.wait(10);
    }
    drop(group);
    only_from(&mut trace, begin);
    only(&mut trace, |_, from, to, label| {
        let between = |one: &str, other: &str| [from, to] == [one, other] || [from, to] == [other, one];
        let talk = ["PING", "REPLCONF", "(reset)"].iter().any(|start| label.starts_with(start));
        let replication = between("master", "replica") && talk;
        !replication && !label.starts_with("(close)")
    });
    never_arrives(&mut trace);
    trace
}

/// What one sentinel has sent so far, of each kind: before and after the master's death.
fn three_timers() -> Plot {
    const DEATH: u64 = 20_000;
    let mut trace = Trace::new("Three timers");
    let mut group = Group::new(Profile::calm(), Some(&mut trace));
    let master = group.node("master", None, |_| {});
    // It is never to be promoted, so that the watching goes on.
    let replica = group.node("replica", Some("master"), |config| config.replica_priority = 0);
    let sentinel = group.sentinel("s1", 1, &QUICK);
    group.start(&[master, replica]);
    group.wait(1500);
    let begin = group.world.now();
    group.start(&[sentinel]);
    group.wait(DEATH);
    group.inflict(Fault::Crash(master));
    group.wait(12_000);
    drop(group);
    only_from(&mut trace, begin);
    let sent = |to: &str, start: &str| -> Vec<(f64, f64)> {
        let times = trace.events.iter().filter_map(|event| match &event.kind {
            Kind::Send { from, to: host, label, .. }
                if from == "s1" && host == to && label.starts_with(start) =>
            {
                Some(event.at.0 as f64)
            }
            _ => None,
        });
        std::iter::once(0.0).chain(times).enumerate().map(|(count, at)| (at, count as f64)).collect()
    };
    Plot::new(
        "Three timers",
        Shape::Steps,
        Axis::new("time since the sentinel started", Unit::Millis),
        Axis::new("commands that the sentinel has sent", Unit::Number),
    )
    .series("PING to the master", sent("master", "PING"))
    .series("hello to the replica", sent("replica", "PUBLISH"))
    .series("INFO to the replica", sent("replica", "INFO"))
    .mark(Which::X, DEATH as f64, "the master dies")
}

/// First one link breaks, then the master dies.
fn sdown_odown() -> Trace {
    let mut trace = Trace::new("One opinion, and an agreement");
    let mut group = Group::new(Profile::calm(), Some(&mut trace));
    let master = group.node("master", None, |_| {});
    let s = ["s1", "s2", "s3"].map(|name| group.sentinel(name, 2, &QUICK));
    group.start_all(&[master], &s, APART);
    let begin = group.world.now();
    group.cut(&[s[0]], &[master], "the link between s1 and the master is cut");
    group.wait(1900);
    group.mend(&[s[0]], &[master], "it is mended");
    group.wait(3000);
    group.inflict(Fault::Crash(master));
    group.wait(2000);
    drop(group);
    only_from(&mut trace, begin);
    until_event(&mut trace, "+odown");
    only(&mut trace, |_, from, to, label| {
        let with_master = [from, to].contains(&"master");
        let opinion = is_question(label) || is_answer(label);
        opinion || (with_master && [from, to].contains(&"s1") && ["PING", "+PONG"].contains(&label))
    });
    at_most(&mut trace, |label| match label {
        "PING" => 2,
        "+PONG" => 1,
        _ => usize::MAX,
    });
    trace
}
