//! Recordings for chapter 2: offsets, the backlog, partial resynchronisation, WAIT and the write gate.

mod numbers;

use core_types::Millis;
use sim::{Fault, HostId, Trace};

use super::edit::{leave_out, leave_out_handshake, leave_out_states, only_from, only_hosts};
use super::scene::Scene;
use crate::data::Recording;

/// The recordings of this chapter, by the name a page shows them under.
pub(super) fn all() -> Vec<(&'static str, Recording)> {
    let mut all: Vec<(&'static str, Recording)> = vec![
        ("ch02-one-second", broken_link("One second without a link", 16 * 1024).into()),
        ("ch02-cut-short", broken_link("The same second, with a larger backlog", 1024 * 1024).into()),
        ("ch02-half-command", half_a_command().into()),
        ("ch02-silence", silence().into()),
        ("ch02-restart-with-rdb", restart_with_rdb().into()),
        ("ch02-wait", wait().into()),
        ("ch02-acknowledged-lost", acknowledged_and_lost().into()),
        ("ch02-gate-closes", gate_closes().into()),
        ("ch02-wait-and-lost", wait_and_lost().into()),
    ];
    all.extend(numbers::all());
    all
}

/// The link breaks, and meanwhile three pages of 16 KiB are written.
fn broken_link(title: &str, backlog: usize) -> Trace {
    let mut trace = Trace::new(title);
    let mut scene = Scene::new(&mut trace);
    let writer = scene.client("writer", "master");
    let master = scene.node("master", None, move |config| config.repl_backlog_size = backlog);
    let replica = scene.node("replica", Some("master"), |_| {});
    scene.start(&[master, writer], 5);
    let page = |number: usize| format!("SET page:{number} {}", "p".repeat(16 * 1024));
    for number in 1..=20 {
        scene.say(writer, &page(number));
    }
    scene.start(&[replica], 1300);
    let begin = scene.now();
    scene.cut(master, replica);
    for number in [3, 8, 11] {
        scene.wait(100);
        scene.say(writer, &page(number));
    }
    scene.wait(500);
    scene.inflict(Fault::Heal(master, replica));
    let missed = scene.offset(master) - scene.offset(replica);
    scene.world.note(&format!("the replica has missed {missed} bytes"));
    scene.wait(1000);
    scene.end();
    only_from(&mut trace, begin);
    let acks = ["REPLCONF ACK", "REPLCONF listening", "REPLCONF capa", "+OK", "+PONG", "PING", "(reset)"];
    leave_out(&mut trace, ["replica", "master"], &acks);
    leave_out_states(&mut trace, &["Handshake(Ping)", "Handshake(Port)", "Waiting", "Connecting"]);
    trace
}

/// The link breaks while a long command is under way.
fn half_a_command() -> Trace {
    let mut trace = Trace::new("Half a command");
    let mut scene = Scene::new(&mut trace);
    let writer = scene.client("writer", "master");
    let master = scene.node("master", None, |_| {});
    let replica = scene.node("replica", Some("master"), |_| {});
    let reader = scene.client("reader", "replica");
    scene.start(&[master, writer, replica, reader], 1200);
    scene.say(writer, "SET title draft");
    let begin = scene.now();
    scene.world.set_bandwidth(master, Some(64 * 1024));
    scene.say(writer, &format!("SET text {}", "t".repeat(48 * 1024)));
    scene.wait(400);
    let (written, applied) = (scene.offset(master), scene.offset(replica));
    scene.world.note(&format!("written: {written}, applied: {applied}; part of the command has arrived"));
    scene.inflict(Fault::Reset(master, replica));
    scene.wait(10);
    scene.say(reader, "STRLEN text");
    scene.wait(2500);
    scene.say(reader, "STRLEN text");
    scene.end();
    only_from(&mut trace, begin);
    leave_out_handshake(&mut trace, "master", "replica");
    leave_out(&mut trace, ["replica", "master"], &["REPLCONF ACK"]);
    leave_out_states(&mut trace, &["Waiting", "Connecting"]);
    trace
}

/// Nothing gets from the master to the replica, and no connection breaks: somebody has to notice.
fn silence() -> Trace {
    let mut trace = Trace::new("Silence");
    let mut scene = Scene::new(&mut trace);
    let writer = scene.client("writer", "master");
    let master = scene.node("master", None, |config| config.repl_ping_replica_period = Millis(1000));
    let replica = scene.talking_node("replica", Some("master"), |config| config.repl_timeout = Millis(3000));
    scene.start(&[master, writer, replica], 2600);
    let begin = scene.now();
    scene.inflict(Fault::OneWay(master, replica));
    scene.say(writer, "SET x 1");
    scene.wait(5500);
    scene.inflict(Fault::Heal(master, replica));
    scene.wait(2600);
    scene.end();
    only_from(&mut trace, begin);
    leave_out(
        &mut trace,
        ["replica", "master"],
        &["REPLCONF ACK", "REPLCONF l", "REPLCONF c", "+OK", "+PONG"],
    );
    leave_out_states(&mut trace, &["Handshake(Ping)", "Handshake(Port)", "Waiting", "Connecting"]);
    trace
}

/// A replica is stopped, and starts again from the file it has saved.
fn restart_with_rdb() -> Trace {
    let mut trace = Trace::new("A restart that keeps its place");
    let mut scene = Scene::new(&mut trace);
    let writer = scene.client("writer", "master");
    let master = scene.node("master", None, |_| {});
    let replica = scene.node_with_files("replica", Some("master"), |_| {});
    let operator = scene.client("operator", "replica");
    scene.start(&[master, writer, replica, operator], 600);
    scene.say(writer, "SET visits 7");
    scene.wait(600);
    let begin = scene.now();
    scene.say_at_once(operator, "SHUTDOWN SAVE");
    scene.wait(300);
    scene.say(writer, "INCR visits");
    scene.wait(200);
    scene.inflict(Fault::Restart(replica));
    scene.wait(1500);
    scene.say(operator, "GET visits");
    scene.end();
    only_from(&mut trace, begin);
    leave_out(
        &mut trace,
        ["replica", "master"],
        &["REPLCONF ACK", "REPLCONF l", "REPLCONF c", "+OK", "+PONG", "PING"],
    );
    leave_out(&mut trace, ["operator", "replica"], &["(connect"]);
    leave_out_states(&mut trace, &["Handshake(Ping)", "Handshake(Port)", "Waiting", "Connecting"]);
    trace
}

/// A client that waits for its write to be copied: in vain the second time.
fn wait() -> Trace {
    let mut trace = Trace::new("WAIT");
    let mut scene = Scene::new(&mut trace);
    let [writer, master, replica, _] = pair(&mut scene, |_| {});
    let begin = scene.now();
    scene.say_at_once(writer, "SET x 1");
    scene.say(writer, "WAIT 1 0");
    scene.wait(20);
    scene.inflict(Fault::Partition(master, replica));
    scene.say_at_once(writer, "SET x 2");
    scene.say(writer, "WAIT 1 500");
    scene.wait(600);
    scene.say(writer, "GET x");
    scene.end();
    only_from(&mut trace, begin);
    only_hosts(&mut trace, &["writer", "master", "replica"]);
    trace
}

/// The gate is open, the write is acknowledged, and lost.
fn acknowledged_and_lost() -> Trace {
    let mut trace = Trace::new("Through an open gate, and lost");
    let mut scene = Scene::new(&mut trace);
    let [writer, master, replica, reader] = pair(&mut scene, |config| config.min_replicas_to_write = 1);
    scene.say(writer, "SET balance 100");
    scene.wait(1200);
    let begin = scene.now();
    scene.inflict(Fault::Partition(master, replica));
    scene.say(writer, "SET balance 250");
    scene.wait(20);
    scene.inflict(Fault::Crash(master));
    scene.wait(5);
    scene.say(reader, "REPLICAOF NO ONE");
    scene.say(reader, "GET balance");
    scene.end();
    only_from(&mut trace, begin);
    leave_out(&mut trace, ["replica", "master"], &["REPLCONF ACK", "(reset)"]);
    leave_out(&mut trace, ["writer", "master"], &["(reset)"]);
    trace
}

/// The same cut, and nobody crashes: after a while the master refuses writes.
fn gate_closes() -> Trace {
    let mut trace = Trace::new("The gate closes");
    let mut scene = Scene::new(&mut trace);
    let [writer, master, replica, _] = pair(&mut scene, |config| config.min_replicas_to_write = 1);
    let begin = scene.now();
    scene.say(writer, "INCR orders");
    scene.inflict(Fault::Partition(master, replica));
    for _ in 0..4 {
        scene.wait(3600);
        scene.say(writer, "INCR orders");
    }
    scene.inflict(Fault::Heal(master, replica));
    scene.wait(1000);
    scene.say(writer, "INCR orders");
    scene.wait(5);
    scene.end();
    only_from(&mut trace, begin);
    only_hosts(&mut trace, &["writer", "master", "replica"]);
    leave_out(&mut trace, ["replica", "master"], &["PING", "REPLCONF ACK"]);
    trace
}

/// `WAIT` says that one replica has the write, and another one is promoted.
fn wait_and_lost() -> Trace {
    let mut trace = Trace::new("WAIT said 1");
    let mut scene = Scene::new(&mut trace);
    let writer = scene.client("writer", "master");
    let master = scene.node("master", None, |_| {});
    let a = scene.node("a", Some("master"), |_| {});
    let b = scene.node("b", Some("master"), |_| {});
    let reader = scene.client("reader", "b");
    scene.start(&[master, writer, a, b, reader], 1200);
    scene.say(writer, "SET balance 100");
    scene.wait(20);
    let begin = scene.now();
    scene.inflict(Fault::Partition(master, b));
    scene.say_at_once(writer, "SET balance 250");
    scene.say(writer, "WAIT 1 0");
    scene.inflict(Fault::Crash(master));
    scene.wait(5);
    scene.say(reader, "REPLICAOF NO ONE");
    scene.say(reader, "GET balance");
    scene.end();
    only_from(&mut trace, begin);
    leave_out(&mut trace, ["master", "a"], &["(reset)", "(connect"]);
    leave_out(&mut trace, ["master", "b"], &["(reset)", "(connect", "REPLCONF"]);
    leave_out(&mut trace, ["writer", "master"], &["(reset)"]);
    trace
}

/// A writer, a master, a replica in sync, and a reader. `tune` changes the master's configuration.
fn pair(scene: &mut Scene<'_>, tune: impl Fn(&mut node::config::Config) + 'static) -> [HostId; 4] {
    let writer = scene.client("writer", "master");
    let master = scene.node("master", None, tune);
    let replica = scene.node("replica", Some("master"), |_| {});
    let reader = scene.client("reader", "replica");
    scene.start(&[master, writer, replica, reader], 1200);
    [writer, master, replica, reader]
}
