//! What drills cost, in numbers.

use core_types::{Endpoint, Millis};
use node::config::{Config, Fsync};
use sim::nodes::clusters::Roamer;
use sim::nodes::stories::{PORT, config};
use sim::nodes::{Client, NodeHost};
use sim::{HostId, Profile, World};
use solution_7::Plan;

use super::SHARDS;
use crate::data::{Cell, Table, Unit};
use crate::recordings::ch09::key_in;
use crate::recordings::cluster::Town;

/// How long a write waits for its `OK`, by what is promised and what the disk takes.
pub(super) fn slow_disk() -> Table {
    let mut table = Table::new(
        "How long a write waits for its OK",
        &[
            ("`appendfsync`", Unit::Number),
            ("disk: 1 ms", Unit::Millis),
            ("50 ms", Unit::Millis),
            ("500 ms", Unit::Millis),
            ("3 s", Unit::Millis),
        ],
    );
    for (name, fsync) in [("`always`", Fsync::Always), ("`everysec`", Fsync::EverySec), ("`no`", Fsync::No)] {
        let [a, b, c, d] = PACES.map(|pace| Cell::from(slowest(fsync, Busy::All(Millis(pace)))[0].0));
        table = table.row([name.into(), a, b, c, d]);
    }
    for (name, fsync) in [("`always`", Fsync::Always), ("`everysec`", Fsync::EverySec)] {
        let [a, b, c, d] = PACES.map(|pace| Cell::from(slowest(fsync, Busy::Syncs(Millis(pace)))[0].0));
        table = table.row([format!("{name}, if only `fsync` takes so long").into(), a, b, c, d]);
    }
    for (place, name) in [(1, "`always`: a `PING` behind a write"), (2, "`always`: a `PING` between two")] {
        let [a, b, c, d] =
            PACES.map(|pace| Cell::from(slowest(Fsync::Always, Busy::All(Millis(pace)))[place].0));
        table = table.row([name.into(), a, b, c, d]);
    }
    table
}

/// What takes so long.
#[derive(Clone, Copy)]
enum Busy {
    /// Whatever the disk is asked for: the system has no memory to spare.
    All(Millis),
    /// Only to have it on the disk itself.
    Syncs(Millis),
}

/// How long a disk takes for each thing.
const PACES: [u64; 4] = [1, 50, 500, 3000];

/// The longest of twenty writes, one every 700 ms; of twenty pings that somebody else sends behind them; and of twenty that
/// are sent when no write is under way.
fn slowest(fsync: Fsync, busy: Busy) -> [Millis; 3] {
    let mut world = World::new(1, Profile::calm(), None);
    let settings = Config { appendonly: true, appendfsync: fsync, ..config(None) };
    let node = world.add("node", &[PORT], move |boot| {
        let mut host = NodeHost::with_files(settings.clone(), boot);
        match busy {
            Busy::All(pace) => host = host.with_slow_disk((pace, pace), 1),
            Busy::Syncs(pace) => host.slow_syncs(pace),
        }
        host
    });
    let [writer, checker] = ["writer", "checker"]
        .map(|name| world.add(name, &[], |boot| Client::new(Endpoint::new("node", PORT), boot)));
    world.start(node).expect("no rule is broken");
    // It makes its files first, each a matter of some of those times.
    pass(&mut world, 40_000);
    for client in [writer, checker] {
        world.start(client).expect("no rule is broken");
    }
    pass(&mut world, 1000);
    let mut longest = [Millis::ZERO; 3];
    for number in 0..20 {
        let begin = world.now();
        let write = say(&mut world, writer, &format!("SET order:{number} lamp"));
        let behind = say(&mut world, checker, "PING");
        let took = [(writer, write), (checker, behind)].map(|(client, answers)| {
            await_answer(&mut world, client, answers);
            world.now().since(begin)
        });
        let begin = world.now();
        let between = say(&mut world, checker, "PING");
        await_answer(&mut world, checker, between);
        let took = [took[0], took[1], world.now().since(begin)];
        longest = std::array::from_fn(|place| longest[place].max(took[place]));
        pass(&mut world, 700);
    }
    longest
}

fn pass(world: &mut World<'_>, millis: u64) {
    world.run_for(Millis(millis)).expect("no rule is broken");
}

/// Sends a command, and says how many answers the client has when this one is answered.
fn say(world: &mut World<'_>, client: HostId, command: &str) -> u64 {
    let sent = world.act(client, |client: &mut Client, io| client.send(io, command));
    assert_eq!(sent.expect("no rule is broken"), Some(true), "it is connected");
    world.get::<Client>(client).expect("it runs").answered + 1
}

fn await_answer(world: &mut World<'_>, client: HostId, answers: u64) {
    let begin = world.now();
    while world.get::<Client>(client).expect("it runs").answered < answers {
        assert!(world.now().since(begin) < Millis::from_secs(60), "it is answered");
        pass(world, 1);
    }
}

/// What leaves a machine, by how a thousand nodes, or fewer, are arranged.
pub(super) fn bandwidth() -> Table {
    let mut table = Table::new(
        "What leaves one machine, at most",
        &[
            ("nodes", Unit::Number),
            ("on a machine", Unit::Number),
            ("timeout 5 s", Unit::BitsPerSecond),
            ("15 s", Unit::BitsPerSecond),
            ("30 s", Unit::BitsPerSecond),
        ],
    );
    for (nodes, here) in [(6, 1), (60, 1), (60, 6), (200, 1), (200, 10), (1000, 1), (1000, 10)] {
        let [a, b, c] =
            [5, 15, 30].map(|timeout| Plan::new(nodes, here, Millis::from_secs(timeout)).bits_out());
        table = table.row([(nodes as u64).into(), (here as u64).into(), a.into(), b.into(), c.into()]);
    }
    table
}

/// How a master leaves its machine.
#[derive(Clone, Copy)]
enum Way {
    Kill,
    /// What was on its way is lost too.
    Power,
    Failover(&'static str),
}

/// Ways to take a master off its machine, with a client that writes.
pub(super) fn maintenance() -> Table {
    let mut table = Table::new(
        "A master leaves its machine",
        &[
            ("how", Unit::Number),
            ("longest time without an `OK`", Unit::Millis),
            ("writes acknowledged", Unit::Number),
            ("of those lost", Unit::Number),
        ],
    );
    let ways = [
        ("`CLUSTER FAILOVER`, then stop it", Way::Failover("CLUSTER FAILOVER")),
        ("`CLUSTER FAILOVER FORCE`, then stop it", Way::Failover("CLUSTER FAILOVER FORCE")),
        ("`CLUSTER FAILOVER TAKEOVER`, then stop it", Way::Failover("CLUSTER FAILOVER TAKEOVER")),
        ("`kill -9`, and wait", Way::Kill),
        ("the plug, and wait", Way::Power),
    ];
    for (name, way) in ways {
        let [gap, acknowledged, lost] = leave(way);
        table = table.row([name.into(), gap.into(), acknowledged.into(), lost.into()]);
    }
    table
}

/// The longest gap between two acknowledged writes of the shard, how many writes there were, and how many are nowhere.
fn leave(way: Way) -> [u64; 3] {
    let mut trace = sim::Trace::new("");
    let mut town = Town::new(&mut trace, &SHARDS, &[1, 2, 3], |config| {
        config.cluster_node_timeout = Millis::from_secs(5);
    });
    let seeds = ["A", "B", "C", "a", "b", "c"].map(|name| Endpoint::new(name, PORT)).to_vec();
    // All of its keys belong to A.
    let name = format!("{{{}}}", key_in(0..5000));
    let writes_as = name.clone();
    let writer = town.world.add("writer", &[], move |boot| {
        Roamer::new(&writes_as, seeds.clone(), (Millis(10), Millis(10)), boot)
    });
    // The replica hears its master's stream a little late, as one that is busy, or far away, does.
    let [master, replica] = ["A", "a"].map(|name| town.host(name));
    town.start();
    town.world.set_latency(master, replica, (Millis(100), Millis(100)));
    town.wait(1000);
    let begin = town.now();
    match way {
        Way::Kill => {}
        Way::Power => town.cut(&["A"], &["B", "C", "a", "b", "c"], "the power fails"),
        Way::Failover(command) => {
            town.order("a", command);
            // Somebody looks at `ROLE` before the machine is switched off.
            town.wait_to("A follows a", |town| town.view("A", "A").is_some_and(|member| !member.is_master()));
            town.wait(2000);
        }
    }
    town.crash("A");
    town.wait(if matches!(way, Way::Failover(_)) { 2000 } else { 12_000 });
    let stop = town.world.act(writer, |writer: &mut Roamer, _| writer.stop());
    stop.expect("no rule is broken");
    town.wait(2000);
    let acknowledged = town.world.get::<Roamer>(writer).expect("it runs").acknowledged().to_vec();
    let skew = town.world.clock(writer).since(town.now());
    let since = begin + skew;
    let gaps = acknowledged.windows(2).filter(|pair| pair[1].at >= since);
    let gap = gaps.map(|pair| pair[1].at.since(pair[0].at).0).max().unwrap_or(0);
    let mut lost = 0;
    for ack in &acknowledged {
        let key = format!("{name}:{}", ack.write);
        lost += u64::from(!town.order("a", &format!("EXISTS {key}")).starts_with(":1"));
    }
    town.end();
    [gap, acknowledged.len() as u64, lost]
}
