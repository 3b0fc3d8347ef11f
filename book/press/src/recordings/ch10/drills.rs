//! The drills: something is broken on purpose, and a logbook says what is seen of it.

use core_types::{LogLevel, Millis};
use node::config::{Config, OutputLimit};
use sim::nodes::NodeHost;
use sim::nodes::experiments::{Group, KIB, MIB};
use sim::nodes::stories::{PORT, config};
use sim::{Fault, HostId, Profile, Trace};

use super::SHARDS;
use super::logbook::Logbook;
use crate::data::Table;
use crate::recordings::ch09::key_in;
use crate::recordings::cluster::Town;

/// A node that keeps a log, by name.
fn node(group: &mut Group<'_>, name: &str, follows: Option<&str>, tune: impl Fn(&mut Config)) -> HostId {
    let mut settings = config(follows);
    settings.replica_announce_ip = Some(name.into());
    tune(&mut settings);
    group.world.add(name, &[PORT], move |boot| {
        let keeps_files = settings.appendonly || !settings.save.is_empty();
        let begin = if keeps_files { NodeHost::with_files } else { NodeHost::new };
        begin(settings.clone(), boot).with_log(LogLevel::Notice)
    })
}

/// A master with two replicas and three sentinels. The sentinels wait five seconds before they doubt.
pub(super) struct Watched<'t> {
    pub(super) group: Group<'t>,
    /// Master, a, b.
    pub(super) nodes: [HostId; 3],
    pub(super) sentinels: [HostId; 3],
    pub(super) client: HostId,
}

impl<'t> Watched<'t> {
    fn new(trace: &'t mut Trace) -> Watched<'t> {
        Watched::with(trace, |_| {})
    }

    /// With more in the files of all nodes.
    pub(super) fn with(trace: &'t mut Trace, tune: impl Fn(&mut Config)) -> Watched<'t> {
        let profile = Profile { epoch: Millis(1_700_000_000_000), ..Profile::calm() };
        let mut group = Group::new(profile, Some(trace));
        let client = group.client("client", "master");
        let file = ["down-after-milliseconds shop 5000", "failover-timeout shop 60000"];
        let sentinels = ["s1", "s2", "s3"].map(|name| group.sentinel(name, 2, &file));
        let nodes = [("master", None), ("a", Some("master")), ("b", Some("master"))];
        let nodes = nodes.map(|(name, follows)| {
            node(&mut group, name, follows, |config| {
                config.replica_priority = if name == "a" { 50 } else { 100 };
                tune(config);
            })
        });
        group.start_all(&[nodes[0], nodes[1], nodes[2], client], &sentinels, 370);
        group.wait(5000);
        Watched { group, nodes, sentinels, client }
    }
}

/// A sentinel's event, with names only where there is something to tell.
pub(super) fn event(label: &str) -> Option<String> {
    let told = [
        "+sdown master",
        "+odown",
        "+try-failover",
        "+elected-leader",
        "+switch-master",
        "+convert-to-slave",
        "+tilt",
        "-tilt",
    ];
    told.iter().any(|start| label.starts_with(start)).then(|| {
        let short = label.split(" @ ").next().unwrap_or(label);
        match label.split_once(" #") {
            Some((_, quorum)) if !short.contains('#') => format!("{short} #{quorum}"),
            _ => short.to_string(),
        }
    })
}

/// The master's process is killed under Sentinel, and started again half a minute later.
pub(super) fn kill() -> Table {
    let mut trace = Trace::new("");
    let Watched { mut group, nodes: [master, a, b], sentinels, client } = Watched::new(&mut trace);
    let mut book = Logbook::new(&group.world);
    book.watch(master, "ROLE", &[])
        .watch(a, "ROLE", &[])
        .watch(b, "ROLE", &[])
        .watch(sentinels[0], "INFO sentinel", &["status", "address"])
        .ask(client, |number| format!("SET order:{number} lamp"));
    book.run(&mut group.world, 1000);
    book.did(&group.world, "`kill -9` at the master");
    group.inflict(Fault::Crash(master));
    book.run(&mut group.world, 29_000);
    book.did(&group.world, "the old master is started again");
    group.inflict(Fault::Restart(master));
    book.run(&mut group.world, 30_000);
    drop(group);
    let mut told = Vec::new();
    book.table("A master is killed", &trace, |who, label| match who {
        "s1" => event(label),
        // It tries again each second, and b does as a does.
        "b" if !label.starts_with("Successful") => None,
        _ => of_replication(label).filter(|label| {
            let new = !told.contains(label);
            told.push(label.clone());
            new
        }),
    })
}

/// What nodes say of their links, as far as it tells something.
pub(super) fn of_replication(label: &str) -> Option<String> {
    let told = [
        "Connection with master lost",
        "Connection with replica",
        "MASTER MODE enabled",
        "REPLICAOF",
        "Connecting to MASTER",
        "Successful partial resynchronization",
        "Partial resynchronization request",
        "Full resync",
        "MASTER <-> REPLICA sync: Finished",
        "Replica asks for synchronization",
        "Client id=",
        "Synchronization with replica",
        "Before turning into a replica",
        "Error condition on socket",
        "Timeout",
        "MASTER timeout",
    ];
    told.iter().any(|start| label.starts_with(start)).then(|| short_id(label))
}

/// Of a replication id, eight digits are enough.
fn short_id(label: &str) -> String {
    let is_id = |word: &str| word.len() >= 40 && word.bytes().take(40).all(|byte| byte.is_ascii_hexdigit());
    let words = label.split(' ').map(|word| match is_id(word) {
        true => format!("{}…{}", &word[..8], &word[40..]),
        false => word.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// One of three masters is cut off with a client.
pub(super) fn partition() -> Table {
    const NAMES: [&str; 6] = ["A", "B", "C", "a", "b", "c"];
    let mut trace = Trace::new("");
    let mut town = Town::new(&mut trace, &SHARDS, &[1, 2, 3], |config| {
        config.cluster_node_timeout = Millis::from_secs(5);
    });
    let ours = town.client("client 1", "A");
    let theirs = town.client("client 2", "a");
    town.start();
    town.wait(10_000);
    let key = key_in(0..5000);
    let [one, other] = [key.clone(), key];
    let [master, replica, b] = ["A", "a", "B"].map(|name| town.host(name));
    let mut book = Logbook::new(&town.world);
    book.watch(master, "CLUSTER INFO", &["cluster_state"])
        .watch(master, "ROLE", &[])
        .watch(replica, "ROLE", &[])
        .watch(b, "CLUSTER INFO", &["cluster_state", "cluster_slots_pfail"])
        .ask(ours, move |number| format!("SET {{{one}}}{number} lamp"))
        .ask(theirs, move |number| format!("SET {{{other}}}x{number} lamp"));
    book.run(&mut town.world, 1000);
    book.did(&town.world, "A is cut off, and client 1 with it");
    let rest = ["B", "C", "a", "b", "c"];
    town.cut(&["A"], &rest, "");
    book.run(&mut town.world, 29_000);
    book.did(&town.world, "the cable is mended");
    town.mend(&["A"], &rest, "");
    book.run(&mut town.world, 15_000);
    town.end();
    let mut table = book.table("A master is cut off", &trace, |who, label| match who {
        "a" if label.starts_with("Clear FAIL") => None,
        "A" | "a" | "B" => Some(label.to_string()).filter(|label| of_the_cluster(label)),
        _ => None,
    });
    named(&mut table, &NAMES);
    table
}

fn of_the_cluster(label: &str) -> bool {
    let told = [
        "Cluster state changed",
        "Marking node",
        "FAIL message received",
        "Start of election",
        "Failover election won",
        "Failover auth granted",
        "Configuration change detected",
        "Clear FAIL state",
        "NODE ",
    ];
    told.iter().any(|start| label.starts_with(start))
}

/// Names where ids and addresses stand.
fn named(table: &mut Table, names: &[&str]) {
    for row in &mut table.rows {
        for cell in row {
            let crate::data::Cell::Text(text) = cell else { continue };
            for (place, name) in names.iter().enumerate() {
                let id = sim::nodes::experiments::run_id(place);
                *text = text.replace(&id, name).replace(&format!("10.0.0.{}", place + 1), name);
            }
        }
    }
}

/// A replica comes back to a master whose limit is too small, and an operator mends it while it burns.
pub(super) fn full_buffer() -> Table {
    let mut trace = Trace::new("");
    let mut group = Group::new(Profile::calm(), Some(&mut trace));
    let master = node(&mut group, "master", None, |config| {
        config.repl_diskless_sync_delay = Millis::ZERO;
        config.repl_backlog_size = 64 * KIB as usize;
        config.client_output_buffer_limit[1] =
            OutputLimit { hard: 256 * KIB, soft: 0, patience: Millis::ZERO };
    });
    let replica = node(&mut group, "replica", Some("master"), |_| {});
    let filler = group.client("filler", "master");
    let client = group.client("client", "master");
    group.start(&[master, filler, client]);
    group.wait(50);
    let value = "v".repeat(4 * KIB as usize);
    for number in 0..8 * MIB / (4 * KIB) {
        group.say(filler, &format!("SET data:{number} {value}"));
        if number % 16 == 15 {
            group.wait(20);
        }
    }
    group.wait(500);
    group.world.set_bandwidth(master, Some(MIB));
    let value = "w".repeat(6500);
    let mut book = Logbook::new(&group.world);
    book.watch(master, "INFO stats", &["sync_full"])
        .watch(master, "INFO replication", &["state"])
        .watch(replica, "INFO replication", &["master_link_status"])
        .watch(replica, "ROLE", &[])
        .ask(client, move |number| format!("SET hot:{:02} {value}", number % 16));
    book.run(&mut group.world, 500);
    book.did(&group.world, "the replica is started");
    group.start(&[replica]);
    book.run(&mut group.world, 9500);
    book.did(&group.world, "`CONFIG SET client-output-buffer-limit \"replica 0 0 0\"` at the master");
    let order = "CONFIG SET client-output-buffer-limit \"replica 0 0 0\"";
    let said = group.world.act(master, |node: &mut NodeHost, io| node.order(io, order));
    assert_eq!(said.expect("no rule is broken").as_deref(), Some("+OK\r\n"));
    book.run(&mut group.world, 16_000);
    drop(group);
    book.table("A loop of full synchronisations", &trace, |_, label| {
        of_replication(label).filter(|label| !label.starts_with("Connect"))
    })
}

/// Clocks jump: a sentinel's, and the master's.
pub(super) fn clock() -> Table {
    let mut trace = Trace::new("");
    let Watched { mut group, nodes: [master, a, _], sentinels, client } = Watched::new(&mut trace);
    group.say(client, "SET basket lamp EX 3600");
    group.wait(100);
    let mut book = Logbook::new(&group.world);
    book.watch(master, "ROLE", &[])
        .watch(a, "ROLE", &[])
        .watch(sentinels[0], "INFO sentinel", &["status", "sentinel_tilt"])
        .watch(sentinels[1], "INFO sentinel", &["status", "sentinel_tilt"])
        .ask(client, |_| "GET basket".into());
    book.run(&mut group.world, 1000);
    book.did(&group.world, "the clock of s1 is set forward by two hours");
    group.inflict(Fault::ClockJump(sentinels[0], 7_200_000));
    book.run(&mut group.world, 39_000);
    book.did(&group.world, "the master's clock is set forward by two hours");
    group.inflict(Fault::ClockJump(master, 7_200_000));
    book.run(&mut group.world, 20_000);
    book.did(&group.world, "and set back");
    group.inflict(Fault::ClockJump(master, -7_200_000));
    book.run(&mut group.world, 90_000);
    drop(group);
    book.table("Clocks jump", &trace, |who, label| match who {
        "s1" | "s2" => event(label),
        _ => of_replication(label),
    })
}
