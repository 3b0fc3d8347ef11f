//! What every experiment begins with: a few nodes that follow each other, and somebody who writes.

use core_types::{ArgsBuf, Endpoint, Millis, write_command};
use node::Node;
use node::config::Config;
use node::layers::one_replica::LinkState;

use super::{KIB, MIB};
use crate::nodes::stories::PORT;
use crate::nodes::{Client, Load, NodeHost, rules};
use crate::world::{Fault, HostId, Profile, World};

/// What a host can send in a second, unless an experiment says otherwise: a link of about 100 Mbit/s.
pub const WIRE: u64 = 12 * MIB;

/// Longer than any experiment should take, in virtual time.
const LIMIT: Millis = Millis::from_secs(600);

/// Values of the data set are so long.
const VALUE: u64 = 4 * KIB;

/// Nodes that follow each other, and a client of the first one. Nothing runs until it is started.
pub struct Fleet {
    /// The world, for whatever else an experiment needs.
    pub world: World<'static>,
    /// The nodes. The first one has no master, unless an experiment gives it one.
    pub nodes: Vec<HostId>,
    client: HostId,
    /// Writes steadily once it is started.
    writer: Option<HostId>,
}

impl Fleet {
    /// A node for each entry of `upstream`, which says whom it follows. `tune` changes the configuration of the node
    /// at a place. The first node runs already.
    pub fn new(profile: Profile, upstream: &[Option<usize>], tune: impl Fn(usize, &mut Config)) -> Fleet {
        let mut world = World::new(1, profile, None);
        let name = |place: usize| format!("node{place}");
        let mut nodes = Vec::new();
        for (place, above) in upstream.iter().enumerate() {
            let mut config = Config {
                port: PORT,
                replicaof: above.map(|above| Endpoint::new(name(above), PORT)),
                repl_diskless_sync_delay: Millis::ZERO,
                ..Config::default()
            };
            tune(place, &mut config);
            nodes.push(world.add(&name(place), &[PORT], move |boot| NodeHost::new(config.clone(), boot)));
        }
        let client = world.add("client", &[], |boot| Client::new(Endpoint::new("node0", PORT), boot));
        // Whoever writes is not what is measured.
        world.set_bandwidth(client, None);
        let mut fleet = Fleet { world, nodes, client, writer: None };
        fleet.start(0);
        fleet.world.start(client).expect("no rule is broken");
        fleet.wait(20);
        fleet
    }

    /// A link of [`WIRE`] with a millisecond of latency.
    pub fn profile() -> Profile {
        Profile { bandwidth: Some(WIRE), ..Profile::calm() }
    }

    /// Starts a node.
    pub fn start(&mut self, place: usize) {
        self.world.start(self.nodes[place]).expect("no rule is broken");
    }

    /// Starts all nodes, and waits until each has what its master has.
    pub fn start_all(&mut self) {
        (0..self.nodes.len()).for_each(|place| self.start(place));
        let all: Vec<usize> = (1..self.nodes.len()).collect();
        self.wait_to("all nodes are in sync", |fleet| all.iter().all(|&place| fleet.is_in_sync(place)));
    }

    /// Fills the first node with a data set of so many bytes.
    pub fn fill(&mut self, bytes: u64) {
        let commands = (0..bytes.div_ceil(VALUE)).map(|number| {
            let value = "v".repeat(VALUE.min(bytes - number * VALUE) as usize);
            ArgsBuf::from_parts(["SET", &format!("data:{number}"), &value])
        });
        self.send(commands);
    }

    /// Sends commands to the first node, and waits until all are answered.
    pub fn send(&mut self, commands: impl IntoIterator<Item = ArgsBuf>) {
        self.send_at_once(commands);
        let client = self.client;
        let answered = |world: &World<'_>| {
            world.get::<Client>(client).is_some_and(|client| client.answered == client.sent)
        };
        self.world.run_to(LIMIT, "the commands are answered", answered).expect("no rule is broken");
    }

    /// Sends commands to the first node. No time passes.
    pub fn send_at_once(&mut self, commands: impl IntoIterator<Item = ArgsBuf>) {
        let sent = self.world.act(self.client, |client: &mut Client, io| {
            commands.into_iter().all(|command| client.send_command(io, command))
        });
        assert_eq!(sent.expect("no rule is broken"), Some(true), "the client has a connection");
    }

    /// From now on the first node is sent a write every so often, so that its stream grows by `rate` bytes a second.
    ///
    /// # Panics
    /// If the rate leaves no room for a command.
    pub fn write_steadily(&mut self, rate: u64, every: Millis) {
        let length = (rate * every.0 / 1000) as usize;
        let writer = self.world.add("writer", &[], move |boot| {
            let mut number = 0;
            let next = Box::new(move |_: &mut core_types::Rng| {
                number += 1;
                write_of(length, number)
            });
            Client::new(Endpoint::new("node0", PORT), boot).with_load(Load { pace: (every, every), next })
        });
        self.world.set_bandwidth(writer, None);
        self.world.start(writer).expect("no rule is broken");
        self.writer = Some(writer);
    }

    /// Nobody writes any more.
    pub fn stop_writing(&mut self) {
        if let Some(writer) = self.writer {
            let stopped = self.world.act(writer, |client: &mut Client, _| client.stop_load());
            stopped.expect("no rule is broken");
        }
    }

    /// A node. It must be up.
    pub fn node(&self, place: usize) -> &Node {
        rules::node(&self.world, self.nodes[place]).expect("it is up")
    }

    /// True if a node hears its master's stream.
    pub fn is_online(&self, place: usize) -> bool {
        self.world.is_up(self.nodes[place]) && self.node(place).link_state() == Some(LinkState::Online)
    }

    /// True if a node hears the stream of the first node, through whomever, and has applied all of it.
    pub fn is_in_sync(&self, place: usize) -> bool {
        let (first, node) = (self.node(0), self.node(place));
        self.is_online(place)
            && node.replication_id() == first.replication_id()
            && node.replication_offset() == first.replication_offset()
    }

    /// Lets time pass.
    pub fn wait(&mut self, millis: u64) {
        self.world.run_for(Millis(millis)).expect("no rule is broken");
    }

    /// Lets time pass until something is so, and says how long that took. Looked at each millisecond.
    ///
    /// # Panics
    /// If it never is.
    pub fn wait_to(&mut self, what: &str, condition: impl Fn(&Fleet) -> bool) -> Millis {
        let begin = self.world.now();
        while !condition(self) {
            assert!(self.world.now().since(begin) < LIMIT, "never: {what}");
            self.wait(1);
        }
        self.world.now().since(begin)
    }

    /// The connection between two nodes breaks, and nothing gets through between them until [`Fleet::heal`]: a
    /// firewall that restarts and forgets its connections.
    pub fn cut(&mut self, one: usize, other: usize) {
        let (one, other) = (self.nodes[one], self.nodes[other]);
        self.world.inflict(Fault::Reset(one, other)).expect("no rule is broken");
        // Both hear of it before the way is cut; what they say then is lost.
        self.wait(1);
        self.world.inflict(Fault::Partition(one, other)).expect("no rule is broken");
    }

    /// Repairs what [`Fleet::cut`] has broken.
    pub fn heal(&mut self, one: usize, other: usize) {
        let heal = Fault::Heal(self.nodes[one], self.nodes[other]);
        self.world.inflict(heal).expect("no rule is broken");
    }

    /// Bytes that went from one node to another so far.
    pub fn sent(&self, from: usize, to: usize) -> u64 {
        self.world.sent_between(self.nodes[from], self.nodes[to])
    }

    /// Full synchronisations, and partial ones given and refused, by a node so far.
    pub fn syncs(&self, place: usize) -> [u64; 3] {
        self.node(place).sync_counts().into()
    }
}

/// A write that takes exactly `length` bytes of the stream. Its key is one of sixteen, so that the data set does not
/// grow with time.
///
/// # Panics
/// If that is too short for a command.
pub fn write_of(length: usize, number: u64) -> ArgsBuf {
    let key = format!("hot:{:02}", number % 16);
    let written = |value: &str| {
        let mut bytes = bytes::BytesMut::new();
        write_command(&mut bytes, ["SET", &key, value].map(str::as_bytes).into_iter());
        bytes.len()
    };
    let mut value =
        "w".repeat(length.checked_sub(written("")).expect("a rate that leaves room for a command"));
    // The length of the length counts too.
    while written(&value) > length {
        value.pop();
    }
    ArgsBuf::from_parts(["SET", &key, &value])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_load_has_its_rate() {
        let mut fleet = Fleet::new(Fleet::profile(), &[None, Some(0)], |_, _| {});
        fleet.start_all();
        fleet.write_steadily(64 * KIB, Millis(125));
        fleet.wait(1000);
        let begin = fleet.node(0).replication_offset();
        fleet.wait(2000);
        let grown = fleet.node(0).replication_offset().0 - begin.0;
        // Sixteen writes, each of an eighth of the rate, and perhaps a ping.
        assert!((128 * KIB - 32..128 * KIB + 64).contains(&grown), "{grown}");
        fleet.stop_writing();
        fleet.wait(100);
        assert!(fleet.is_in_sync(1));
    }
}
