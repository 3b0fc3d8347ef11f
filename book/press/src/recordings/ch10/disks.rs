//! Drills with a disk: it becomes slow, or full, and is well again.

use core_types::{Millis, Role};
use node::config::{Config, Fsync};
use sim::nodes::NodeHost;
use sim::{HostId, Trace, World};

use super::SHARDS;
use super::drills::{Watched, event, of_replication};
use super::logbook::Logbook;
use crate::data::{Cell, Table, Unit};
use crate::recordings::cluster::Town;

/// Something happens to a host's disk.
fn disk(world: &mut World<'_>, host: HostId, change: impl FnOnce(&mut NodeHost)) {
    world.act(host, |node: &mut NodeHost, _| change(node)).expect("no rule is broken");
}

/// Under Sentinel, with `appendfsync always`, each sync takes six seconds: more than the sentinels wait.
pub(super) fn slow() -> Table {
    let mut trace = Trace::new("");
    let Watched { mut group, nodes: [master, a, b], sentinels, client } =
        Watched::with(&mut trace, |config: &mut Config| {
            config.appendonly = true;
            config.appendfsync = Fsync::Always;
        });
    let mut book = Logbook::new(&group.world);
    book.watch(master, "ROLE", &[])
        .watch(a, "ROLE", &[])
        .watch(a, "INFO replication", &["master_link_status", "master_last_io_seconds_ago>2"])
        .watch(b, "ROLE", &[])
        .watch(sentinels[0], "INFO sentinel", &["status", "address"])
        .ask(client, |number| format!("SET order:{number} lamp"));
    book.run(&mut group.world, 1000);
    book.did(&group.world, "the master's disk becomes slow: six seconds for each `fsync`");
    disk(&mut group.world, master, |node| node.slow_syncs(Millis(6000)));
    book.run(&mut group.world, 29_000);
    book.did(&group.world, "the disk is as fast as ever");
    disk(&mut group.world, master, |node| node.slow_syncs(Millis::ZERO));
    book.run(&mut group.world, 15_000);
    assert_eq!(keys(&mut group.world, a), 10, "all but those of the first second are lost");
    drop(group);
    let mut told = Vec::new();
    book.table("A disk becomes slow", &trace, |who, label| match who {
        "s1" => event(label),
        "b" => None,
        _ => once(&mut told, of_replication(label).or_else(|| of_files(label))),
    })
}

/// How many keys a node holds.
fn keys(world: &mut World<'_>, host: HostId) -> u64 {
    let said = world.act(host, |node: &mut NodeHost, io| node.order(io, "DBSIZE"));
    let said = said.expect("no rule is broken").expect("it runs");
    said.trim().trim_start_matches(':').parse().expect("a number")
}

/// Each line once: what is tried again and again says the same each time. And none that says only what another one says.
fn once(told: &mut Vec<String>, label: Option<String>) -> Option<String> {
    let label = label.filter(|label| !told.contains(label) && !label.starts_with("Before turning"))?;
    told.push(label.clone());
    Some(label)
}

/// What nodes say of their files.
fn of_files(label: &str) -> Option<String> {
    let told =
        ["Error writing to the AOF", "Write error saving DB", "Background saving error", "DB saved on disk"];
    told.iter().any(|start| label.starts_with(start)).then(|| label.to_string())
}

/// Under Sentinel, with save points, the master's disk is full.
pub(super) fn full() -> Table {
    let mut trace = Trace::new("");
    let Watched { mut group, nodes: [master, a, _], sentinels, client } =
        Watched::with(&mut trace, |config: &mut Config| config.save = vec![(5, 1)]);
    let mut book = Logbook::new(&group.world);
    book.watch(master, "ROLE", &[])
        .watch(master, "PING", &[])
        .watch(master, "INFO persistence", &["rdb_last_bgsave_status"])
        .watch(a, "ROLE", &[])
        .watch(sentinels[0], "INFO sentinel", &["status", "address"])
        .ask(client, |number| format!("SET order:{number} lamp"));
    book.run(&mut group.world, 1000);
    book.did(&group.world, "the master's disk is full");
    disk(&mut group.world, master, |node| node.fill_disk(true));
    book.run(&mut group.world, 39_000);
    book.did(&group.world, "there is room again");
    disk(&mut group.world, master, |node| node.fill_disk(false));
    book.run(&mut group.world, 20_000);
    // One every tenth of a second until the first is refused.
    assert_eq!(keys(&mut group.world, a), 61, "none is lost");
    drop(group);
    let (mut told, mut refused) = (Vec::new(), false);
    book.table("A disk is full", &trace, |who, label| match who {
        "s1" => event(label),
        // That it saves is worth a line when it could not before.
        "master" if label == "DB saved on disk" => refused.then(|| label.to_string()),
        "master" => {
            refused |= label == "Background saving error";
            once(&mut told, of_replication(label).or_else(|| of_files(label)))
        }
        "a" if label.starts_with("MASTER MODE") => Some(label.to_string()),
        _ => None,
    })
}

/// How long after its master's death a replica has its place, by whose disk is slow and what it takes for each sync.
pub(super) fn election() -> Table {
    let mut table = Table::new(
        "How long an election takes",
        &[
            ("whose disk is slow", Unit::Number),
            ("1 ms", Unit::Millis),
            ("1 s", Unit::Millis),
            ("3 s", Unit::Millis),
            ("6 s", Unit::Millis),
            ("12 s", Unit::Millis),
        ],
    );
    for (name, hosts) in [("the voters': B and C", &["B", "C"][..]), ("the replica's", &["a"])] {
        let cells = PACES.map(|pace| match elected(hosts, Millis(pace)) {
            Some(after) => Cell::from(after.0),
            None => "never".into(),
        });
        let [a, b, c, d, e] = cells;
        table = table.row([name.into(), a, b, c, d, e]);
    }
    table
}

/// What a sync takes.
const PACES: [u64; 5] = [1, 1000, 3000, 6000, 12_000];

/// A dies. How long after that its replica is a master; none if it is not within two minutes.
fn elected(slow: &[&str], each: Millis) -> Option<Millis> {
    let mut trace = Trace::new("");
    let mut town = Town::new(&mut trace, &SHARDS, &[1, 2, 3], |config| {
        config.cluster_node_timeout = Millis::from_secs(5);
    });
    town.start();
    // A process writes its file anew the first time, and over what is there from then on: these have run for a while.
    for (name, _) in SHARDS {
        town.order(name, "CLUSTER SAVECONFIG");
    }
    for name in slow {
        let host = town.host(name);
        disk(&mut town.world, host, |node| node.slow_syncs(each));
    }
    town.wait(2000);
    let death = town.now();
    town.crash("A");
    let replica = town.host("a");
    let is_master = |town: &Town<'_>| {
        town.world.get::<NodeHost>(replica).is_some_and(|host| *host.node().role() == Role::Master)
    };
    while !is_master(&town) {
        if town.now().since(death) > Millis::from_secs(120) {
            return None;
        }
        town.wait(1);
    }
    Some(town.now().since(death))
}
