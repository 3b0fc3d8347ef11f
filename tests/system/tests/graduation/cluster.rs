//! A cluster of six, three masters and their replicas, from ours to Redis's, or to Valkey's.

use std::time::Duration;

use redis::cluster::{ClusterClient, ClusterConnection};
use solution_6::key_slot;
use system::cluster::{NodeLine, nodes, run};
use system::{Cluster, Kind, Server, ha_cli, redis_tool_or_skip, valkey_or_skip, wait};

use crate::load::{Account, Load, Told, figures};
use crate::{each_run, shut_down, values, wait_for_small_lag};

use Kind::{Ours, Redis, Valkey};

/// As short as it can be where live nodes may have to wait for the processor.
const FLAGS: [&str; 2] = ["--cluster-node-timeout", "3000"];

/// How many masters.
const SHARDS: usize = 3;

/// Servers 0 to 5 are ours, 6 to 11 the other engine's. Of each six the first three are, or will be, masters.
const OURS: usize = 2 * SHARDS;

/// A list in the slots of the `shard`th master.
fn list_of(shard: usize) -> String {
    let first = [100, 5600, 11_100][shard];
    let owned = |name: &String| (first..first + 5000).contains(&key_slot(name.as_bytes()).number());
    (0..).map(|number| format!("log:{number}")).find(owned).expect("a name")
}

/// A client that is told of these servers. How often it follows a redirection is left to it.
fn client(servers: &[Server]) -> ClusterClient {
    let places = servers.iter().map(|server| format!("redis://127.0.0.1:{}", server.port()));
    let builder = ClusterClient::builder(places.collect::<Vec<_>>())
        .connection_timeout(Duration::from_secs(5))
        .response_timeout(Duration::from_secs(30));
    builder.build().expect("addresses")
}

fn connect(client: &ClusterClient) -> ClusterConnection {
    wait::find("a connection to the cluster", || client.get_connection().ok())
}

/// Waits until these servers agree on a condition about the cluster's nodes.
fn until_all_tell(what: &str, servers: &[Server], holds: impl Fn(&[NodeLine]) -> bool) {
    wait::until(what, || servers.iter().all(|server| holds(&nodes(server))));
}

fn is_master_with_slots(all: &[NodeLine], port: u16) -> bool {
    all.iter().any(|node| node.port == port && node.is("master") && !node.slots.is_empty())
}

fn is_replica_of(all: &[NodeLine], port: u16, master: &str) -> bool {
    all.iter().any(|node| node.port == port && node.master.as_deref() == Some(master))
}

/// A real server for each of ours: they meet, and follow our masters, two to each.
fn join(cluster: &mut Cluster, engine: Kind) {
    for _ in 0..OURS {
        let server = Server::start_member(engine, &FLAGS);
        cluster.servers[0].meet(&server);
        cluster.servers.push(server);
    }
    cluster.wait_until_up();
    for index in OURS..2 * OURS {
        let master = cluster.id(index % SHARDS);
        cluster.servers[index].ok(&format!("CLUSTER REPLICATE {master}"));
    }
    for index in OURS..2 * OURS {
        let (port, master) = (cluster.servers[index].port(), cluster.id(index % SHARDS));
        wait_for_small_lag(&cluster.servers[index], &cluster.servers[index % SHARDS]);
        until_all_tell("all to know a real replica", &cluster.servers, |all| {
            is_replica_of(all, port, &master)
        });
    }
}

/// The first real replica of a shard takes its master's place; all other nodes of the shard follow it.
fn take_over(cluster: &Cluster, shard: usize) {
    let winner = OURS + shard;
    wait_for_small_lag(&cluster.servers[winner], &cluster.servers[shard]);
    // An attempt ends after five seconds if something came between; then nothing has happened.
    wait::until("a takeover", || {
        cluster.servers[winner].ok("CLUSTER FAILOVER");
        let done = || (cluster.servers[winner].info("role") == "master").then_some(());
        wait::find_within(Duration::from_secs(6), done).is_some()
    });
    let (port, id) = (cluster.servers[winner].port(), cluster.id(winner));
    until_all_tell("all to know the new master", &cluster.servers, |all| is_master_with_slots(all, port));
    for follower in [shard, shard + SHARDS, winner + SHARDS] {
        let port = cluster.servers[follower].port();
        until_all_tell("all to know who follows", &cluster.servers, |all| is_replica_of(all, port, &id));
        wait_for_small_lag(&cluster.servers[follower], &cluster.servers[winner]);
    }
}

/// All others forget the first server, which is then stopped.
fn leave(cluster: &mut Cluster) {
    let id = cluster.id(0);
    let mut leaving = cluster.servers.remove(0);
    for other in &cluster.servers {
        other.ok(&format!("CLUSTER FORGET {id}"));
    }
    shut_down(&mut leaving);
    let left = cluster.servers.len();
    until_all_tell("all to have forgotten it", &cluster.servers, |all| {
        all.len() == left && all.iter().all(|node| node.id != id && node.flags.len() == 1)
    });
}

/// What the tools say of a cluster that is in order.
fn check(cluster: &Cluster) {
    let redis_cli = system::redis_tool("redis-cli");
    for program in [Some(ha_cli()), redis_cli].into_iter().flatten() {
        let (said, well) = run(&program, &["--cluster", "check", &cluster.place(0)]);
        assert!(well && said.contains("All 16384 slots covered"), "{said}");
        assert!(said.contains("All nodes agree about slots configuration"), "{said}");
        assert!(!said.contains("[WARNING]"), "{said}");
    }
}

/// The numbers in a list.
fn numbers(connection: &mut ClusterConnection, shard: usize) -> Vec<u64> {
    redis::cmd("LRANGE").arg(list_of(shard)).arg(0).arg(-1).query(connection).expect("a list")
}

/// Nothing of what the tool was told is missing, and nothing else was said than `OK`.
fn settle(accounts: &[Account], cluster: &Cluster) {
    let mut connection = connect(&client(&cluster.servers));
    for (shard, account) in accounts.iter().enumerate() {
        account.settle(&numbers(&mut connection, shard));
        assert!(account.trouble.is_empty(), "{:?}", account.trouble);
    }
}

fn graduate(engine: Kind) -> String {
    let mut cluster = Cluster::with_replicas(&[Ours; SHARDS], &[Ours; SHARDS], &FLAGS);
    // They are told of our servers, and of those only.
    let ours = client(&cluster.servers);
    values::write(&mut connect(&ours));
    let values = values::read(&mut connect(&ours));
    let writer = |shard: usize| {
        let (list, mut connection) = (list_of(shard), connect(&ours));
        move |number: u64, _: u64| Told::by(redis::cmd("RPUSH").arg(&list).arg(number).exec(&mut connection))
    };
    let accounts = Load::during((0..SHARDS).map(writer).collect(), |load| {
        join(&mut cluster, engine);
        load.wait_for_more();
        for shard in 0..SHARDS {
            take_over(&cluster, shard);
            load.wait_for_more();
        }
        check(&cluster);
        for _ in 0..OURS {
            leave(&mut cluster);
            load.wait_for_more();
        }
    });
    assert!(cluster.servers.iter().all(|server| server.kind() == engine));
    check(&cluster);
    settle(&accounts, &cluster);
    assert_eq!(values::read(&mut connect(&client(&cluster.servers))), values);
    // Everybody continued where it was: nobody asked a real master for all of its data.
    for master in &cluster.servers[..SHARDS] {
        assert_eq!(master.info("sync_full"), "0");
    }
    survives(&mut cluster);
    settle(&accounts, &cluster);
    figures(&accounts)
}

/// What is left stands by itself: a real replica follows a real master that dies.
fn survives(cluster: &mut Cluster) {
    let heir = cluster.servers[SHARDS].port();
    for (replica, master) in cluster.servers[SHARDS..].iter().zip(&cluster.servers[..SHARDS]) {
        replica.wait_for_offset_of(master);
    }
    drop(cluster.servers.remove(0));
    until_all_tell("the heir", &cluster.servers, |all| is_master_with_slots(all, heir));
    let ok = |server: &Server| server.cluster_info("cluster_state").as_deref() == Some("ok");
    wait::until("the cluster to serve", || cluster.servers.iter().all(ok));
}

#[test]
fn a_cluster_of_ours_becomes_one_of_redis() {
    let test = "a_cluster_of_ours_becomes_one_of_redis";
    if redis_tool_or_skip(test, "redis-server").is_some() {
        each_run(test, || graduate(Redis));
    }
}

#[test]
fn a_cluster_of_ours_becomes_one_of_valkey() {
    let test = "a_cluster_of_ours_becomes_one_of_valkey";
    if valkey_or_skip(test).is_some() {
        each_run(test, || graduate(Valkey));
    }
}
