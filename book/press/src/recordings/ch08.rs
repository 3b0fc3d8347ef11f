//! Recordings for chapter 8: a slot that moves while a client is at work, and a rebalance plan.
//!
//! The nodes are scripted, their decisions are not: what a node answers, what a mark does, where the client goes and what
//! is sent next all come from the lab's functions.

use std::collections::BTreeMap;

use bytes::Bytes;
use core_types::{Endpoint, Millis, Slot, SlotSet};
use sim::Trace;
use solution_8::{
    Answer, Asked, Cache, Errand, Held, Moving, Next, Order, Progress, Serving, SetSlot, Shard, Share,
    SlotState, Told, Topology, Transfer, View, rebalance, route,
};

use crate::data::{Cell, Recording, Table, Unit};

/// The recordings of this chapter, by the name a page shows them under.
pub(super) fn all() -> Vec<(&'static str, Recording)> {
    vec![("ch08-one-slot-moves", one_slot_moves().into()), ("ch08-rebalance", rebalanced().into())]
}

const SLOT: u16 = 9252;

/// A master, as far as one slot is concerned.
struct Node {
    name: &'static str,
    port: u16,
    state: SlotState<u16>,
    keys: BTreeMap<&'static str, &'static str>,
}

/// What a node sends back to a client.
enum Sent {
    Value(&'static str),
    Error(String),
}

impl Node {
    fn new(name: &'static str, port: u16) -> Node {
        let state = SlotState { me: port, owner: Some(7001), moving: Moving::STABLE, keys: 0 };
        Node { name, port, state, keys: BTreeMap::new() }
    }

    fn get(&self, key: &'static str, asking: bool) -> Sent {
        let slot = Slot::new(SLOT).expect("in range");
        let view = View {
            me: self.port,
            my_master: None,
            owner: self.state.owner,
            moving: self.state.moving,
            serving: Serving::All,
        };
        let asked = Asked { asking, ..Asked::about([slot], false) };
        let here = usize::from(self.keys.contains_key(key));
        let route = route(&asked, &view, || Held { present: here, missing: 1 - here });
        match route.error(slot, |&port| Endpoint::new("", port)) {
            None => Sent::Value(self.keys.get(key).unwrap_or(&"(nil)")),
            Some(error) => Sent::Error(error),
        }
    }

    fn set_slot(&mut self, command: SetSlot<u16>) -> Told {
        self.state.keys = self.keys.len();
        self.state.set_slot(command).map_or(Told::Error, |_| Told::Ok)
    }
}

/// The run as it is being recorded. Each message takes a millisecond.
struct Stage {
    trace: Trace,
    now: u64,
    nodes: [Node; 2],
    cache: Cache,
    transfer: Transfer<u16>,
}

impl Stage {
    fn new() -> Stage {
        let slot = Slot::new(SLOT).expect("in range");
        let mut trace = Trace::new("Slot 9252 moves from A to B");
        for host in ["client", "A", "B", "director"] {
            trace.host(host);
        }
        let mut nodes = [Node::new("A", 7001), Node::new("B", 7002)];
        nodes[0].keys.extend([("{key:test:2}a", "1"), ("{key:test:2}b", "2")]);
        let mut cache = Cache::new([]);
        let range = core_types::SlotRange { first: slot, last: slot };
        let shard = Shard { master: Endpoint::new("", 7001), ranges: vec![range], replicas: Vec::new() };
        cache.learn(&Topology { shards: vec![shard] });
        Stage { trace, now: 0, nodes, cache, transfer: Transfer::new(slot, 7001, 7002, Vec::new()) }
    }

    fn node(&mut self, port: u16) -> &mut Node {
        &mut self.nodes[usize::from(port - 7001)]
    }

    fn message(&mut self, from: &str, to: &str, label: impl Into<String>) {
        let id = self.trace.send(Millis(self.now), from, to, label);
        self.now += 1;
        self.trace.receive(Millis(self.now), id);
    }

    /// The client reads a key, and goes wherever it is sent.
    fn read(&mut self, key: &'static str) {
        let short = &key[key.len() - 1..];
        let mut errand = self.cache.send(Slot::new(SLOT)).expect("a node is known");
        loop {
            let Errand { to, asking, .. } = &errand;
            let (port, asking) = (to.port, *asking);
            let name = self.node(port).name;
            let request = if asking { format!("ASKING, GET {short}") } else { format!("GET {short}") };
            self.message("client", name, request);
            let answer = match self.node(port).get(key, asking) {
                Sent::Value(value) => {
                    self.message(name, "client", value);
                    Answer::Reply
                }
                Sent::Error(error) => {
                    self.message(name, "client", format!("-{error}"));
                    solution_8::read_error(&error, &Endpoint::new("", port))
                }
            };
            let known = self.cache.masters.clone();
            let next = self.cache.answered(&mut errand, &answer);
            if self.cache.masters != known {
                self.trace.state(Millis(self.now), "client", "9252 is at A ⇨ 9252 is at B");
            }
            if next == Next::Done {
                break;
            }
        }
        self.now += 1;
    }

    /// The director sends its next order, and hears what came of it.
    fn direct(&mut self) -> Progress {
        let order = self.transfer.order().expect("it is not done");
        let told = match order {
            Order::Importing { at, from } => self.mark(at, "IMPORTING A", SetSlot::Importing(from)),
            Order::Migrating { at, to } => self.mark(at, "MIGRATING B", SetSlot::Migrating(to)),
            Order::Node { at, owner } => self.mark(at, "NODE B", SetSlot::Node(owner)),
            Order::List { at } => {
                let name = self.node(at).name;
                self.message("director", name, "GETKEYSINSLOT 1");
                let first = self.node(at).keys.keys().next().copied();
                self.message(name, "director", first.map_or("no keys", |key| &key[key.len() - 1..]));
                Told::Keys(first.into_iter().map(|key| Bytes::from_static(key.as_bytes())).collect())
            }
            Order::Send { at, to, keys, .. } => self.migrate(at, to, &keys),
        };
        let progress = self.transfer.answered(told);
        self.now += 1;
        progress
    }

    fn mark(&mut self, at: u16, label: &str, command: SetSlot<u16>) -> Told {
        let name = self.node(at).name;
        self.message("director", name, format!("SETSLOT {label}"));
        let before = state_word(&self.node(at).state);
        let told = self.node(at).set_slot(command);
        let after = state_word(&self.node(at).state);
        self.trace.state(Millis(self.now), name, format!("{before} ⇨ {after}"));
        self.message(name, "director", "OK");
        told
    }

    fn migrate(&mut self, at: u16, to: u16, keys: &[Bytes]) -> Told {
        let (source, target) = (self.node(at).name, self.node(to).name);
        for key in keys {
            let moving = self.node(at).keys.keys().find(|have| have.as_bytes() == &key[..]).copied();
            let Some(key) = moving else { continue };
            let short = &key[key.len() - 1..];
            self.message("director", source, format!("MIGRATE {short}"));
            self.message(source, target, format!("RESTORE-ASKING {short}"));
            if let Some(value) = self.node(at).keys.get(key).copied() {
                self.node(to).keys.insert(key, value);
            }
            self.message(target, source, "OK");
            self.node(at).keys.remove(key);
            self.message(source, "director", "OK");
        }
        Told::Ok
    }
}

/// One slot, two keys, one client. It reads between the director's orders.
fn one_slot_moves() -> Trace {
    let (a, b) = ("{key:test:2}a", "{key:test:2}b");
    let mut stage = Stage::new();
    stage.direct();
    stage.direct();
    stage.read(a);
    stage.direct();
    stage.direct();
    stage.read(a);
    stage.read(b);
    while stage.transfer.moved < 2 {
        stage.direct();
    }
    while stage.direct() != Progress::Done {}
    stage.read(a);
    stage.read(b);
    stage.trace
}

fn state_word(state: &SlotState<u16>) -> &'static str {
    match (state.owner == Some(state.me), state.moving.to.is_some(), state.moving.from.is_some()) {
        (true, false, _) => "mine",
        (true, true, _) => "mine, leaving",
        (false, _, true) => "A's, arriving",
        (false, _, false) if state.owner == Some(7001) => "A's",
        (false, _, false) => "B's",
    }
}

/// Three even masters and an empty one; then the same with a new one that is twice as big.
fn rebalanced() -> Table {
    let mut table = Table::new(
        "Slots before and after",
        &[
            ("node", Unit::Number),
            ("before", Unit::Number),
            ("after, equal weights", Unit::Number),
            ("after, D has weight 2", Unit::Number),
            ("after, A has weight 0", Unit::Number),
        ],
    );
    let before = [("A", 5462), ("B", 5461), ("C", 5461), ("D", 0)];
    let plan = |weights: [f32; 4]| {
        let mut next = 0;
        let mut counts: Vec<i64> = Vec::new();
        let mut shares = Vec::new();
        for (node, (&(_, count), weight)) in before.iter().zip(weights).enumerate() {
            let slots: SlotSet = (next..next + count).filter_map(Slot::new).collect();
            next += count;
            counts.push(i64::from(count));
            shares.push(Share { node, slots, weight });
        }
        for portion in rebalance(&shares, 2.0) {
            counts[portion.from] -= portion.count as i64;
            counts[portion.to] += portion.count as i64;
        }
        counts
    };
    let columns = [plan([1.0; 4]), plan([1.0, 1.0, 1.0, 2.0]), plan([0.0, 1.0, 1.0, 1.0])];
    for (index, (name, count)) in before.iter().enumerate() {
        let after = |column: usize| Cell::from(columns[column][index] as u64);
        table = table.row([Cell::from(*name), Cell::from(u64::from(*count)), after(0), after(1), after(2)]);
    }
    table
}
