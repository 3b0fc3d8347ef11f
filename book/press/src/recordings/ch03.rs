//! Recordings for chapter 3: many replicas, trees, and a history that outlives its master.

mod numbers;

use core_types::Millis;
use sim::{Fault, Trace};

use super::edit::{leave_out, leave_out_handshake, leave_out_states, only_from, only_hosts};
use super::scene::Scene;
use crate::data::Recording;

/// The recordings of this chapter, by the name a page shows them under.
pub(super) fn all() -> Vec<(&'static str, Recording)> {
    let mut all: Vec<(&'static str, Recording)> = vec![
        ("ch03-one-snapshot", one_snapshot().into()),
        ("ch03-relay", relay().into()),
        ("ch03-second-id", second_id().into()),
        ("ch03-lost-in-promotion", lost_in_promotion().into()),
        ("ch03-middle-dies", middle_dies().into()),
        ("ch03-top-dies", top_dies().into()),
    ];
    all.extend(numbers::all());
    all
}

/// What every handshake says, and nobody wants to read twice.
const SMALL_TALK: [&str; 7] =
    ["(connect", "PING", "+PONG", "+OK", "REPLCONF l", "REPLCONF c", "REPLCONF ACK"];
const STEPS: [&str; 4] = ["Waiting", "Connecting", "Handshake(Ping)", "Handshake(Port)"];

/// Three replicas ask within the delay and share a snapshot; a fourth comes while it is on its way.
fn one_snapshot() -> Trace {
    let mut trace = Trace::new("One snapshot for three");
    let mut scene = Scene::new(&mut trace);
    let writer = scene.client("writer", "master");
    let master = scene.node("master", None, |config| config.repl_diskless_sync_delay = Millis(2000));
    let replicas = ["a", "b", "c", "late"].map(|name| scene.node(name, Some("master"), |_| {}));
    scene.start(&[master, writer], 5);
    for number in 1..=8 {
        scene.say(writer, &format!("SET page:{number} {}", "p".repeat(8 * 1024)));
    }
    // The wire is thin, so that the transfer takes a while.
    scene.world.set_bandwidth(master, Some(256 * 1024));
    scene.wait(500);
    let begin = scene.now();
    for (replica, gap) in replicas.into_iter().zip([600, 700, 800, 0]) {
        scene.start(&[replica], gap);
    }
    scene.wait(4500);
    scene.end();
    only_from(&mut trace, begin);
    for replica in ["a", "b", "c", "late"] {
        leave_out(&mut trace, ["master", replica], &SMALL_TALK);
    }
    leave_out_states(&mut trace, &STEPS);
    only_hosts(&mut trace, &["master", "a", "b", "c", "late"]);
    trace
}

/// A transaction on its way through a middle node, which passes on what it has received, unchanged.
fn relay() -> Trace {
    let mut trace = Trace::new("A transaction through a middle node");
    let mut scene = Scene::new(&mut trace);
    let writer = scene.client("writer", "master");
    let master = scene.node("master", None, |_| {});
    let middle = scene.node("middle", Some("master"), |_| {});
    let leaf = scene.node("leaf", Some("middle"), |_| {});
    scene.start(&[master, writer, middle], 1200);
    scene.start(&[leaf], 1300);
    let begin = scene.now();
    for command in ["MULTI", "INCR a", "INCR b"] {
        scene.say(writer, command);
    }
    scene.say(writer, "EXEC");
    scene.wait(10);
    for (name, host) in [("master", master), ("middle", middle), ("leaf", leaf)] {
        let offset = scene.offset(host);
        let at = scene.now();
        scene.world.trace().expect("it is recorded").note(at, Some(name), format!("offset {offset}"));
    }
    scene.end();
    only_from(&mut trace, begin);
    for hosts in [["master", "middle"], ["middle", "leaf"]] {
        leave_out(&mut trace, hosts, &["REPLCONF ACK"]);
    }
    trace
}

/// A master dies, one of its replicas is promoted, and the other one goes on without a new snapshot. So does the old
/// master's successor in turn: nobody starts again.
fn second_id() -> Trace {
    let mut trace = Trace::new("The history goes on under a new name");
    let mut scene = Scene::new(&mut trace);
    let writer = scene.client("writer", "master");
    let master = scene.node("master", None, |_| {});
    let a = scene.node("a", Some("master"), |_| {});
    let b = scene.node("b", Some("master"), |_| {});
    let at_a = scene.client("operator of a", "a");
    let at_b = scene.client("operator of b", "b");
    scene.start(&[master, writer, a, b, at_a, at_b], 1200);
    scene.say(writer, "SET balance 100");
    scene.wait(1000);
    let begin = scene.now();
    scene.inflict(Fault::Crash(master));
    scene.wait(10);
    scene.say(at_a, "REPLICAOF NO ONE");
    scene.say(at_a, "SET balance 250");
    scene.say(at_b, "REPLICAOF a 7000");
    scene.wait(30);
    scene.say(at_b, "GET balance");
    scene.end();
    only_from(&mut trace, begin);
    leave_out(&mut trace, ["a", "b"], &SMALL_TALK);
    for replica in ["a", "b"] {
        leave_out(&mut trace, ["master", replica], &["(connect", "(reset)", "(close)", "REPLCONF"]);
    }
    leave_out_states(&mut trace, &STEPS);
    only_hosts(&mut trace, &["master", "a", "operator of a", "b", "operator of b"]);
    trace
}

/// The replica that is behind is promoted. The other one holds an acknowledged write that the new history lacks, and
/// has to give it up.
fn lost_in_promotion() -> Trace {
    let mut trace = Trace::new("The wrong replica is promoted");
    let mut scene = Scene::new(&mut trace);
    let writer = scene.client("writer", "master");
    let master = scene.node("master", None, |_| {});
    let a = scene.talking_node("a", Some("master"), |_| {});
    let b = scene.node("b", Some("master"), |_| {});
    let operator = scene.client("operator", "a");
    let at_b = scene.client("operator of b", "b");
    scene.start(&[master, writer, a, b, operator, at_b], 1200);
    scene.say(writer, "SET balance 100");
    scene.wait(1000);
    let begin = scene.now();
    scene.inflict(Fault::Partition(master, a));
    scene.say_at_once(writer, "SET balance 250");
    scene.say(writer, "WAIT 1 0");
    scene.inflict(Fault::Crash(master));
    scene.wait(10);
    scene.say(at_b, "GET balance");
    scene.say(operator, "REPLICAOF NO ONE");
    scene.say(at_b, "REPLICAOF a 7000");
    scene.wait(30);
    scene.say(at_b, "GET balance");
    scene.end();
    only_from(&mut trace, begin);
    leave_out(&mut trace, ["a", "b"], &SMALL_TALK);
    for replica in ["a", "b"] {
        leave_out(&mut trace, ["master", replica], &["(connect", "(reset)", "(close)", "REPLCONF ACK"]);
    }
    leave_out(&mut trace, ["writer", "master"], &["(reset)"]);
    leave_out_states(&mut trace, &STEPS);
    trace
}

/// In a chain of three the middle dies. The leaf answers with old data until it is told whom to follow instead.
fn middle_dies() -> Trace {
    let mut trace = Trace::new("The middle node dies");
    let mut scene = Scene::new(&mut trace);
    let writer = scene.client("writer", "master");
    let master = scene.node("master", None, |_| {});
    let middle = scene.node("middle", Some("master"), |_| {});
    let leaf = scene.node("leaf", Some("middle"), |_| {});
    let reader = scene.client("reader", "leaf");
    scene.start(&[master, writer, middle], 1200);
    scene.start(&[leaf, reader], 1200);
    scene.say(writer, "SET balance 100");
    scene.wait(1000);
    let begin = scene.now();
    scene.inflict(Fault::Crash(middle));
    scene.wait(10);
    scene.say(writer, "SET balance 250");
    scene.wait(1500);
    scene.say(reader, "GET balance");
    scene.say(reader, "REPLICAOF master 7000");
    scene.wait(30);
    scene.say(reader, "GET balance");
    scene.end();
    only_from(&mut trace, begin);
    leave_out(&mut trace, ["master", "middle"], &["(reset)", "(connect", "REPLCONF ACK"]);
    leave_out(&mut trace, ["middle", "leaf"], &["(reset)", "REPLCONF ACK"]);
    leave_out_handshake(&mut trace, "master", "leaf");
    leave_out(&mut trace, ["master", "leaf"], &["REPLCONF ACK"]);
    leave_out_states(&mut trace, &STEPS);
    trace
}

/// In a chain of three the top dies. Nothing changes for the leaf until it has to connect again.
fn top_dies() -> Trace {
    let mut trace = Trace::new("The top node dies");
    let mut scene = Scene::new(&mut trace);
    let master = scene.node("master", None, |_| {});
    let middle = scene.node("middle", Some("master"), |_| {});
    let leaf = scene.node("leaf", Some("middle"), |_| {});
    let reader = scene.client("reader", "leaf");
    scene.start(&[master, middle], 1200);
    scene.start(&[leaf, reader], 1200);
    let begin = scene.now();
    scene.inflict(Fault::Crash(master));
    scene.wait(1500);
    scene.say(reader, "ROLE");
    scene.inflict(Fault::Reset(middle, leaf));
    scene.wait(1300);
    scene.say(reader, "ROLE");
    scene.end();
    only_from(&mut trace, begin);
    leave_out(&mut trace, ["master", "middle"], &["(reset)", "REPLCONF ACK"]);
    leave_out(&mut trace, ["middle", "leaf"], &SMALL_TALK);
    leave_out_states(&mut trace, &STEPS);
    trace
}
