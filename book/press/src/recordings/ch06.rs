//! Numbers for chapter 6: distributing data. All come out of the lab's own functions, and the bytes out of the bus's own
//! encoder.

mod architectures;

use bus::encode::beat;
use bus::{Gossip, HEADER_LEN, Header, Kind};
use bytes::BytesMut;
use core_types::{Epoch, NodeId, Offset, Rng, Slot, SlotSet};
use solution_6::compare::{self, KEYS, Keys, Scheme};
use solution_6::{Ring, WIRE_LEN, batches, key_slot, to_wire};

use crate::data::{Axis, Plot, Recording, Shape, Table, Unit};

/// The recordings of this chapter, by the name a page shows them under.
pub(super) fn all() -> Vec<(&'static str, Recording)> {
    let keys = Keys::new(KEYS);
    vec![
        ("ch06-one-more", one_more(&keys).into()),
        ("ch06-comparison", comparison(&keys).into()),
        ("ch06-even", even(&keys).into()),
        ("ch06-architectures", architectures::table().into()),
        ("ch06-small-ring", small_ring().into()),
        ("ch06-pipeline", pipeline().into()),
        ("ch06-heartbeat", heartbeat().into()),
    ]
}

fn percent(part: usize) -> f64 {
    100.0 * part as f64 / KEYS as f64
}

/// Keys that live elsewhere after a server has joined, against how many there were.
fn one_more(keys: &Keys) -> Plot {
    let counts = [2, 3, 4, 5, 6, 8, 10, 13, 16, 20];
    let moved = |scheme| {
        let point = move |count| (count as f64, percent(compare::compare(scheme, keys, count).join));
        counts.map(point)
    };
    Plot::new(
        "What moves when a server joins",
        Shape::Lines,
        Axis::new("servers before", Unit::Number),
        Axis::new("keys that live elsewhere afterwards", Unit::Percent),
    )
    .series("modulo", moved(Scheme::Modulo))
    .formula("n / (n + 1)", counts.map(|count| (count as f64, 100.0 * count as f64 / (count + 1) as f64)))
    .series("ring, 160 points a server", moved(Scheme::Ring(160)))
    .series("slots", moved(Scheme::Slots))
    .formula("1 / (n + 1)", counts.map(|count| (count as f64, 100.0 / (count + 1) as f64)))
}

/// All schemes beside each other, on five servers.
// ANCHOR: comparison
fn comparison(keys: &Keys) -> Table {
    let mut table = Table::new(
        "The same 100,000 keys on five servers",
        &[
            ("placed by", Unit::Number),
            ("one joins", Unit::Percent),
            ("for nothing", Unit::Percent),
            ("one leaves", Unit::Percent),
            ("fullest", Unit::Percent),
            ("emptiest", Unit::Percent),
        ],
    );
    for scheme in Scheme::ALL {
        let row = compare::compare(scheme, keys, 5);
        let [join, astray, leave] = [row.join, row.astray, row.leave].map(|part| round(percent(part)).into());
        let [fullest, emptiest] = [row.fullest(), row.emptiest()].map(|part| (100.0 * part).round().into());
        table = table.row([scheme.name().into(), join, astray, leave, fullest, emptiest]);
    }
    table
}
// ANCHOR_END: comparison

/// To a tenth.
fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// How even ten servers are, against the points that each has.
fn even(keys: &Keys) -> Plot {
    let points = [4, 8, 16, 40, 80, 160, 320, 640, 1280, 2560];
    let rows = points.map(|points| (f64::from(points), compare::compare(Scheme::Ring(points), keys, 10)));
    let slots = compare::compare(Scheme::Slots, keys, 10);
    Plot::new(
        "How even a ring is",
        Shape::Lines,
        Axis::log("points a server", Unit::Number),
        Axis::new("keys of a server, of the average", Unit::Percent),
    )
    .series("fullest of ten servers", rows.iter().map(|(points, row)| (*points, 100.0 * row.fullest())))
    .series("emptiest of ten servers", rows.iter().map(|(points, row)| (*points, 100.0 * row.emptiest())))
    .formula("fullest, with slots", [4.0, 2560.0].map(|points| (points, 100.0 * slots.fullest())))
}

/// A ring of three servers with four points each, point by point.
fn small_ring() -> Table {
    let ring = Ring::with_points(&compare::servers(3), 4);
    let mut table = Table::new(
        "A ring of three servers, four points each",
        &[("point", Unit::Number), ("server", Unit::Number), ("owns of the circle", Unit::Percent)],
    );
    let mut before = ring.points().last().map_or(0, |point| point.at);
    for point in ring.points() {
        let arc = f64::from(point.at.wrapping_sub(before)) / 2f64.powi(32);
        let name = compare::servers(3)[point.server].name.clone();
        table = table.row([format!("`{:08x}`", point.at).into(), name.into(), round(100.0 * arc).into()]);
        before = point.at;
    }
    table
}

/// How often the sender of a hundred commands waits: for each, at each change of node, or once.
fn pipeline() -> Table {
    let slots: Vec<Slot> = (0..100).map(|number| key_slot(format!("user:{number}").as_bytes())).collect();
    let mut table = Table::new(
        "A hundred commands for nodes of a cluster",
        &[
            ("nodes", Unit::Number),
            ("trips, one by one", Unit::Number),
            ("a batch each change", Unit::Number),
            ("a batch each node", Unit::Number),
            ("writes for it", Unit::Number),
        ],
    );
    for count in [1, 3, 6, 12] {
        let ranges = compare::even(count);
        let owner = |slot: &Slot| ranges.partition_point(|range| range.last < *slot);
        let nodes: Vec<usize> = slots.iter().map(owner).collect();
        let changes = nodes.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let numbers = [count, nodes.len(), changes + 1, 1, batches(&nodes).len()];
        table = table.row(numbers.map(|number| (number as u64).into()));
    }
    table
}

/// What a heartbeat weighs, by the encoder of the bus; and what it would weigh with four times as many slots.
fn heartbeat() -> Table {
    const MORE_SLOTS: usize = 65_536 / 8;
    let mut table = Table::new(
        "A heartbeat in bytes",
        &[
            ("nodes", Unit::Number),
            ("told of", Unit::Number),
            ("bytes", Unit::Number),
            ("of it slots", Unit::Percent),
            ("with 65,536", Unit::Number),
            ("of it slots", Unit::Percent),
        ],
    );
    for nodes in [3, 6, 30, 200, 1000] {
        // A tenth of the nodes, at least three, but not oneself and not whom one talks to.
        let told = (nodes / 10).max(3).min(nodes - 2);
        let length = ping(told);
        let longer = length - WIRE_LEN + MORE_SLOTS;
        let part = |slots: usize, of: usize| (100.0 * slots as f64 / of as f64).round();
        table = table.row([
            (nodes as u64).into(),
            (told as u64).into(),
            (length as u64).into(),
            part(WIRE_LEN, length).into(),
            (longer as u64).into(),
            part(MORE_SLOTS, longer).into(),
        ]);
    }
    table
}

/// How many bytes a `PING` has that tells of this many others.
fn ping(others: usize) -> usize {
    let mut rng = Rng::new(6);
    let mut id = || NodeId::parse(&rng.hex40()).expect("forty digits");
    let slots = to_wire(&SlotSet::full());
    let header = Header {
        sender: id(),
        current_epoch: Epoch(1),
        config_epoch: Epoch(1),
        offset: Offset(0),
        slots: &slots,
        master: None,
        ip: "",
        port: 7000,
        plain_port: 0,
        bus_port: 17_000,
        flags: 1,
        down: false,
        message_flags: 0,
    };
    let about: Vec<NodeId> = (0..others).map(|_| id()).collect();
    let gossip = about.iter().map(|&id| Gossip {
        id,
        ping_sent: 0,
        pong_received: 0,
        ip: "10.0.0.1",
        port: 7000,
        bus_port: 17_000,
        flags: 1,
        plain_port: 0,
    });
    let mut packet = BytesMut::new();
    beat(&mut packet, Kind::Ping, &header, gossip, &[]);
    assert!(packet.len() >= HEADER_LEN);
    packet.len()
}
