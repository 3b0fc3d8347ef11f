//! Runs for chapter 1: whole nodes in the simulator, the same code that `ha-server` runs on sockets.

use core_types::{Endpoint, Millis};
use sim::nodes::stories::{self, PORT, config};
use sim::nodes::{Client, NodeHost};
use sim::trace::Kind;
use sim::{Fault, HostId, Profile, Trace, World};

use super::edit::{leave_out, leave_out_handshake, only_from};

/// The recordings of this chapter, by the name a page shows them under.
pub(super) fn all() -> Vec<(&'static str, Trace)> {
    vec![
        ("ch01-empty-restart", empty_restart()),
        ("ch01-full-sync", stories::full_synchronisation()),
        ("ch01-writes-meanwhile", writes_meanwhile()),
        ("ch01-acknowledged-and-lost", acknowledged_and_lost()),
        ("ch01-partition", stories::partition_holds_the_stream_back()),
        ("ch01-expired", expired()),
        ("ch01-wrong-node", wrong_node()),
    ]
}

/// A master without persistence is restarted by its supervisor.
fn empty_restart() -> Trace {
    let mut trace = Trace::new("A master comes back empty");
    let mut story = Story::begin(&mut trace, Profile::calm());
    story.writer("SET balance 100");
    story.wait(1500);
    let begin = story.world.now();
    story.reader("GET balance");
    story.inflict(Fault::Crash(story.master));
    story.wait(50);
    story.reader("GET balance");
    story.inflict(Fault::Restart(story.master));
    story.wait(1500);
    story.reader("GET balance");
    story.end();
    only_from(&mut trace, begin);
    leave_out_handshake(&mut trace, "master", "replica");
    leave_out(&mut trace, ["writer", "master"], &["(connect", "(reset)"]);
    leave_out(&mut trace, ["replica", "master"], &["(reset)"]);
    trace.hosts.retain(|host| host != "writer");
    trace
}

/// A large data set on a thin wire: the transfer takes a while, and the client goes on writing.
fn writes_meanwhile() -> Trace {
    let mut trace = Trace::new("Writes during a synchronisation");
    let profile = Profile { buffer: 600, ..Profile::calm() };
    let mut story = Story::new(&mut trace, profile);
    for number in 1..=6 {
        story.writer(&format!("SET page:{number} {}", format!("{number}").repeat(250)));
    }
    story.writer("SET visits 7");
    let begin = story.world.now();
    story.world.start(story.replica).expect("no rule is broken");
    story.wait_for_message("+FULLRESYNC");
    story.writer_at_once("INCR visits");
    story.wait(1);
    story.writer_at_once("INCR visits");
    story.wait(60);
    story.writer("INCR visits");
    story.wait(5);
    story.reader("GET visits");
    story.end();
    only_from(&mut trace, begin);
    leave_out(
        &mut trace,
        ["master", "replica"],
        &["(connect", "PING", "+PONG", "+OK", "REPLCONF l", "REPLCONF c"],
    );
    leave_out(&mut trace, ["reader", "replica"], &["(connect"]);
    trace
        .events
        .retain(|event| !matches!(&event.kind, Kind::State { label, .. } if label.contains("⇨ Handshake(")));
    trace
}

/// `OK` does not mean that a replica has it.
fn acknowledged_and_lost() -> Trace {
    let mut trace = Trace::new("OK, and lost");
    let mut story = Story::begin(&mut trace, Profile::calm());
    story.writer("SET balance 100");
    story.wait(1200);
    let begin = story.world.now();
    story.inflict(Fault::Partition(story.master, story.replica));
    story.writer("SET balance 250");
    story.inflict(Fault::Crash(story.master));
    story.wait(5);
    story.reader("REPLICAOF NO ONE");
    story.reader("GET balance");
    story.end();
    only_from(&mut trace, begin);
    leave_out(&mut trace, ["replica", "master"], &["REPLCONF ACK", "(reset)"]);
    leave_out(&mut trace, ["writer", "master"], &["(reset)"]);
    trace
}

/// A key with a time to live, seen from both sides. The replica's clock is fast.
fn expired() -> Trace {
    let mut trace = Trace::new("A key's time is up");
    let mut story = Story::begin(&mut trace, Profile::calm());
    story.wait(1100);
    let begin = story.world.now();
    story.inflict(Fault::ClockJump(story.replica, 300));
    story.writer("SET code 41 PX 500");
    story.reader("GET code");
    story.wait(230);
    story.reader("GET code");
    story.writer("INCR code");
    story.reader("GET code");
    story.wait(400);
    story.reader("GET code");
    story.end();
    only_from(&mut trace, begin);
    leave_out(&mut trace, ["replica", "master"], &["REPLCONF ACK"]);
    trace
}

/// `REPLICAOF` with the wrong address.
fn wrong_node() -> Trace {
    let mut trace = Trace::new("The wrong node");
    let mut story = Story::new(&mut trace, Profile::calm());
    let shop = story.world.add("shop", &[PORT], |boot| NodeHost::new(config(None), boot));
    let operator = story.world.add("operator", &[], |boot| Client::new(Endpoint::new("shop", PORT), boot));
    story.world.start(shop).and_then(|()| story.world.start(operator)).expect("no rule is broken");
    story.wait(5);
    story.say(operator, "SET orders 4711");
    story.wait(20);
    let begin = story.world.now();
    story.say(operator, "GET orders");
    story.say(operator, "REPLICAOF master 7000");
    story.wait(400);
    story.say(operator, "GET orders");
    story.end();
    only_from(&mut trace, begin);
    leave_out_handshake(&mut trace, "master", "shop");
    trace.hosts.retain(|host| ["operator", "shop", "master"].contains(&host.as_str()));
    trace
}

/// A master with a client that writes, a replica with a client that reads.
struct Story<'t> {
    world: World<'t>,
    writer: HostId,
    master: HostId,
    replica: HostId,
    reader: HostId,
}

impl<'t> Story<'t> {
    /// With the replica not started yet.
    fn new(trace: &'t mut Trace, profile: Profile) -> Story<'t> {
        let mut world = World::new(1, profile, Some(trace));
        let writer = world.add("writer", &[], |boot| Client::new(Endpoint::new("master", PORT), boot));
        let master = world.add("master", &[PORT], |boot| NodeHost::new(config(None), boot));
        let replica = world.add("replica", &[PORT], |boot| NodeHost::new(config(Some("master")), boot));
        let reader = world.add("reader", &[], |boot| Client::new(Endpoint::new("replica", PORT), boot));
        world.start(master).and_then(|()| world.start(writer)).expect("no rule is broken");
        let mut story = Story { world, writer, master, replica, reader };
        story.wait(5);
        story
    }

    /// With the replica in sync.
    fn begin(trace: &'t mut Trace, profile: Profile) -> Story<'t> {
        let mut story = Story::new(trace, profile);
        let (replica, reader) = (story.replica, story.reader);
        story.world.start(replica).and_then(|()| story.world.start(reader)).expect("no rule is broken");
        story.wait(500);
        story
    }

    fn writer(&mut self, command: &str) {
        self.say(self.writer, command);
    }

    fn writer_at_once(&mut self, command: &str) {
        let sent = self.world.act(self.writer, |client: &mut Client, io| client.send(io, command));
        assert_eq!(sent.expect("no rule is broken"), Some(true), "the writer has a connection");
    }

    fn reader(&mut self, command: &str) {
        if !self.world.is_up(self.reader) {
            self.world.start(self.reader).expect("no rule is broken");
            self.wait(5);
        }
        self.say(self.reader, command);
    }

    /// Sends a command and waits until its answer must be there.
    fn say(&mut self, client: HostId, command: &str) {
        let sent = self.world.act(client, |client: &mut Client, io| client.send(io, command));
        assert_eq!(sent.expect("no rule is broken"), Some(true), "the client has a connection");
        self.wait(4);
    }

    fn inflict(&mut self, fault: Fault) {
        self.world.inflict(fault).expect("no rule is broken");
    }

    fn wait(&mut self, millis: u64) {
        self.world.run_for(Millis(millis)).expect("no rule is broken");
    }

    /// Lets time pass until a message that begins with `label` has been sent.
    fn wait_for_message(&mut self, label: &str) {
        for _ in 0..10_000 {
            let trace = self.world.trace().expect("a story is recorded");
            let sent = trace.events.iter().any(
                |event| matches!(&event.kind, Kind::Send { label: found, .. } if found.starts_with(label)),
            );
            if sent {
                return;
            }
            self.wait(1);
        }
        panic!("`{label}` is never sent");
    }

    fn end(self) {
        drop(self.world);
    }
}
