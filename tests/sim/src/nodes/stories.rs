//! Runs to read: the transcripts and figures of the book come from here.

use core_types::{Endpoint, Millis};
use node::config::Config;

use super::{Client, NodeHost};
use crate::trace::{Kind, Trace};
use crate::world::{Fault, HostId, Profile, World};

/// The port all nodes of the stories listen on.
pub const PORT: u16 = 7000;

/// A master with a client, and a replica that starts a moment later: connection, handshake, snapshot, stream.
pub fn full_synchronisation() -> Trace {
    let mut trace = Trace::new("A replica's first synchronisation");
    let mut story = Story::new(&mut trace);
    story.client("SET greeting hello");
    story.start_replica();
    story.wait(12);
    story.client("SET count 1");
    story.wait(300);
    story.client("INCR count");
    story.wait(1000);
    drop(story);
    keep_until(&mut trace, "REPLCONF ACK", 3);
    trace
}

/// The link between master and replica is cut while a client writes on; the bytes wait, and arrive when it heals.
pub fn partition_holds_the_stream_back() -> Trace {
    let mut whole = Trace::new("A partition holds the stream back");
    let mut story = Story::new(&mut whole);
    story.start_replica();
    story.wait(2000);
    let begin = story.world.now();
    let (master, replica) = (story.master, story.replica);
    story.client("SET x 1");
    story.wait(20);
    story.inflict(Fault::Partition(master, replica));
    story.client("SET x 2");
    story.wait(20);
    story.inflict(Fault::Heal(master, replica));
    story.wait(20);
    drop(story);
    whole.begin_at(begin);
    whole
}

/// The master dies and comes back with an empty memory: the replica follows it, and loses its copy too.
pub fn master_restarts_empty() -> Trace {
    let mut whole = Trace::new("A master without its memory");
    let mut story = Story::new(&mut whole);
    story.start_replica();
    story.client("SET x 1");
    story.wait(2000);
    let begin = story.world.now();
    let master = story.master;
    story.inflict(Fault::Crash(master));
    story.wait(500);
    story.inflict(Fault::Restart(master));
    story.wait(2000);
    drop(story);
    whole.begin_at(begin);
    whole
}

/// A master, a client of it, and a replica that is not started yet.
pub struct Story<'t> {
    /// The world, for whatever else a story needs.
    pub world: World<'t>,
    /// A client of the master. It runs.
    pub client: HostId,
    /// The master. It runs.
    pub master: HostId,
    /// The replica; `start_replica` starts it.
    pub replica: HostId,
}

impl<'t> Story<'t> {
    /// Sets the scene: the first few milliseconds have passed, and the client is connected. Let go of the story
    /// (`drop` it) before you use the trace.
    pub fn new(trace: &'t mut Trace) -> Story<'t> {
        let mut world = World::new(1, Profile::calm(), Some(trace));
        let client = world.add("client", &[], |boot| Client::new(Endpoint::new("master", PORT), boot));
        let master = world.add("master", &[PORT], |boot| NodeHost::new(config(None), boot));
        let replica = world.add("replica", &[PORT], |boot| NodeHost::new(config(Some("master")), boot));
        world.start(master).and_then(|()| world.start(client)).expect("no rule is broken");
        let mut story = Story { world, client, master, replica };
        story.wait(5);
        story
    }

    /// Starts the replica.
    pub fn start_replica(&mut self) {
        self.world.start(self.replica).expect("no rule is broken");
    }

    /// The client sends a command, and a few milliseconds pass: enough for the answer.
    pub fn client(&mut self, command: &str) {
        let sent = self.world.act(self.client, |client: &mut Client, io| client.send(io, command));
        sent.expect("no rule is broken");
        self.wait(3);
    }

    /// Something breaks, or is repaired.
    pub fn inflict(&mut self, fault: Fault) {
        self.world.inflict(fault).expect("no rule is broken");
    }

    /// Time passes.
    pub fn wait(&mut self, millis: u64) {
        self.world.run_for(Millis(millis)).expect("no rule is broken");
    }
}

/// A node's configuration for a story: a snapshot is made at once, not after five seconds.
pub fn config(master: Option<&str>) -> Config {
    Config {
        port: PORT,
        replicaof: master.map(|master| Endpoint::new(master, PORT)),
        repl_diskless_sync_delay: Millis::ZERO,
        ..Config::default()
    }
}

/// Cuts a trace off behind the arrival of the `count`th message that begins with `label`.
pub fn keep_until(trace: &mut Trace, label: &str, count: usize) {
    let ids: Vec<u64> = trace
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Send { id, label: found, .. } if found.starts_with(label) => Some(*id),
            _ => None,
        })
        .collect();
    let Some(last) = ids.get(count - 1) else { return };
    let arrival =
        trace.events.iter().position(|event| matches!(&event.kind, Kind::Receive { id } if id == last));
    if let Some(arrival) = arrival {
        trace.events.truncate(arrival + 1);
    }
}
