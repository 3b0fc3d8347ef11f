//! Replicas take over, in clusters of ours, of Redis, and of both: by election when a master is killed, and by
//! `CLUSTER FAILOVER` in its three forms.
//!
//! Clients write all the while, each to a list of its own in another master's slots, and every number at most once. So
//! what was acknowledged and what is there at the end can be compared number by number.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use core_types::Frame;
use redis::cluster::{ClusterClient, ClusterConnection};
use solution_6::key_slot;
use system::cluster::{NodeLine, nodes};
use system::{Client, Cluster, Kind, Server, both, redis_tool_or_skip, wait};

use Kind::{Ours, Redis};

/// A short node timeout, so that a death is noticed soon.
const FLAGS: [&str; 2] = ["--cluster-node-timeout", "1500"];

/// Servers 0 to 2 begin as masters, 3 to 5 as their replicas.
const MASTERS: usize = 3;

/// Who has a list that lies in the slots of the `index`th of three masters.
fn list_of(index: usize) -> String {
    let first = [100, 5600, 11_100][index];
    let owned = |name: &String| (first..first + 5000).contains(&key_slot(name.as_bytes()).number());
    (0..).map(|number| format!("log:{number}")).find(owned).expect("a name")
}

fn client(cluster: &Cluster) -> ClusterClient {
    let places = (0..cluster.servers.len()).map(|index| format!("redis://{}", cluster.place(index)));
    let builder = ClusterClient::builder(places.collect::<Vec<_>>())
        .connection_timeout(Duration::from_millis(500))
        .response_timeout(Duration::from_secs(12))
        .retries(1);
    builder.build().expect("addresses")
}

fn connect(client: &ClusterClient) -> ClusterConnection {
    wait::find("a connection to the cluster", || client.get_connection().ok())
}

/// What clients write, and what came of it.
#[derive(Default)]
struct Load {
    stop: AtomicBool,
    /// By list: the numbers that were acknowledged, in order.
    acknowledged: [Mutex<Vec<u64>>; MASTERS],
    /// Writes without a good answer, by what was said instead.
    refused: Mutex<BTreeMap<String, usize>>,
}

impl Load {
    fn write(&self, client: &ClusterClient, mut connection: ClusterConnection, index: usize) {
        let list = list_of(index);
        for number in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            match redis::cmd("RPUSH").arg(&list).arg(number).exec(&mut connection) {
                Ok(()) => self.acknowledged[index].lock().expect("no panic").push(number),
                Err(error) => {
                    *self.refused.lock().expect("no panic").entry(error.to_string()).or_default() += 1;
                    // This client asks for the slots anew when a node sends it away. A dead node never does.
                    if let Ok(fresh) = client.get_connection() {
                        connection = fresh;
                    }
                }
            }
        }
    }

    fn count(&self, index: usize) -> usize {
        self.acknowledged[index].lock().expect("no panic").len()
    }

    /// Waits until the client of this list has had so many more writes acknowledged.
    fn wait_for_more(&self, index: usize, more: usize) {
        let before = self.count(index);
        wait::until("more writes", || self.count(index) >= before + more);
    }

    fn wait_for_all(&self) {
        (0..MASTERS).for_each(|index| self.wait_for_more(index, 20));
    }

    /// The acknowledged numbers that are not in the list.
    fn lost(&self, index: usize, cluster: &Cluster) -> Vec<u64> {
        let list =
            redis::cmd("LRANGE").arg(list_of(index)).arg(0).arg(-1).query(&mut connect(&client(cluster)));
        let list: Vec<u64> = list.expect("a list");
        let there: BTreeSet<u64> = list.into_iter().collect();
        let acknowledged = self.acknowledged[index].lock().expect("no panic");
        acknowledged.iter().copied().filter(|number| !there.contains(number)).collect()
    }
}

/// Runs `act` while clients write.
fn under_load(cluster: &mut Cluster, act: impl FnOnce(&mut Cluster, &Load)) -> Load {
    let load = Load::default();
    let client = client(cluster);
    std::thread::scope(|scope| {
        for index in 0..MASTERS {
            let (load, client) = (&load, &client);
            scope.spawn(move || load.write(client, connect(client), index));
        }
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            load.wait_for_all();
            act(cluster, &load);
        }));
        load.stop.store(true, Ordering::Relaxed);
        if let Err(panic) = ended {
            std::panic::resume_unwind(panic);
        }
    });
    load
}

/// What a server says of one member; `None` if it does not answer, or does not know it.
fn told_by(server: &Server, port: u16) -> Option<NodeLine> {
    nodes(server).into_iter().find(|node| node.port == port)
}

/// Waits until all servers of `alive` call `winner` the master of slots, in one epoch, and greater than all others'.
fn wait_until_all_follow(cluster: &Cluster, alive: &[usize], winner: usize) {
    let port = cluster.servers[winner].port();
    wait::until(&format!("server {winner} to be called a master by all, in one epoch"), || {
        let told: Vec<_> = alive.iter().filter_map(|index| told_by(&cluster.servers[*index], port)).collect();
        let master = |node: &NodeLine| node.is("master") && !node.slots.is_empty();
        told.len() == alive.len()
            && told
                .iter()
                .all(|node| master(node) && node.epoch == told[0].epoch && node.slots == told[0].slots)
    });
    let all = nodes(&cluster.servers[alive[0]]);
    let own = all.iter().find(|node| node.port == port).expect("it was there a moment ago");
    let others = all.iter().filter(|node| node.is("master") && node.id != own.id);
    assert!(others.clone().all(|node| node.epoch < own.epoch), "{all:#?}");
}

/// Waits until all servers tell the same of roles, epochs and slots, and nobody has failed.
fn wait_until_well(cluster: &Cluster) {
    let well = || {
        let told: Vec<Vec<NodeLine>> = cluster.servers.iter().map(nodes).collect();
        let fine = |node: &NodeLine| node.connected && !node.is("fail") && !node.is("fail?");
        (told[0].len() == cluster.servers.len()
            && told.iter().all(|all| *all == told[0] && all.iter().all(fine)))
        .then(|| told[0].clone())
    };
    let all = wait::find("all to agree", well);
    let epochs: Vec<u64> = all.iter().filter(|node| node.is("master")).map(|node| node.epoch).collect();
    let distinct: BTreeSet<u64> = epochs.iter().copied().collect();
    assert_eq!(distinct.len(), epochs.len(), "an epoch for each master: {all:#?}");
    cluster.wait_until_up();
}

fn check(cluster: &Cluster) {
    if redis_tool_or_skip("redis-cli --cluster check", "redis-cli").is_none() {
        return;
    }
    let checked = Command::new("redis-cli").args(["--cluster", "check", &cluster.place(0)]).output();
    let checked = checked.expect("redis-cli");
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && said.contains("All 16384 slots covered"), "{said}");
    assert!(said.contains("All nodes agree about slots configuration"), "{said}");
    assert!(!said.contains("[WARNING]"), "{said}");
}

/// The numbers that a server has in a list; a replica, too, is asked.
fn numbers(server: &Server, list: &str) -> Vec<u64> {
    let mut client = server.client();
    client.run("READONLY");
    let Frame::Array(elements) = client.call(&["LRANGE", list, "0", "-1"]) else { panic!("no list") };
    let number = |element: &Frame| std::str::from_utf8(element.as_bytes()?).ok()?.parse().ok();
    elements.iter().map(|element| number(element).expect("a number")).collect()
}

/// What was known when a master was killed.
struct Death {
    /// What its replica had.
    replicated: Vec<u64>,
    /// How many writes were acknowledged.
    acknowledged: usize,
}

/// Each master is killed in turn. Its replica takes its place, and the dead one comes back as a replica.
fn each_master_dies_in_turn(masters: [Kind; 3], replicas: [Kind; 3]) {
    let mut cluster = Cluster::with_replicas(&masters, &replicas, &FLAGS);
    check(&cluster);
    let mut deaths = Vec::new();
    let load = under_load(&mut cluster, |cluster, load| {
        for dead in 0..MASTERS {
            let heir = dead + MASTERS;
            let replicated = numbers(&cluster.servers[heir], &list_of(dead));
            cluster.servers[dead].kill();
            deaths.push(Death { replicated, acknowledged: load.count(dead) });
            let alive: Vec<usize> = (0..2 * MASTERS).filter(|index| *index != dead).collect();
            wait_until_all_follow(cluster, &alive, heir);
            load.wait_for_all();
            cluster.servers[dead].restart();
            wait_until_replica(cluster, dead, heir);
            wait_until_well(cluster);
            load.wait_for_all();
        }
    });
    check(&cluster);
    for (dead, death) in deaths.iter().enumerate() {
        let lost = load.lost(dead, &cluster);
        eprintln!(
            "{masters:?} {replicas:?}: list {dead}: {} acknowledged, {} of them before the kill, {} lost",
            load.count(dead),
            death.acknowledged,
            lost.len(),
        );
        assert!(
            !lost.iter().any(|number| death.replicated.contains(number)),
            "the replica had some of {lost:?}"
        );
        // They are the last ones before the kill. One answer may still have been on its way to the client.
        let acknowledged = load.acknowledged[dead].lock().expect("no panic");
        let end = [death.acknowledged, death.acknowledged + 1];
        let last = end.into_iter().any(|end| acknowledged.get(..end).is_some_and(|all| all.ends_with(&lost)));
        assert!(last, "{lost:?} are not the last ones before the kill: {:?}", death.acknowledged);
        let (heir, replica) = (&cluster.servers[dead + MASTERS], &cluster.servers[dead]);
        replica.wait_for_offset_of(heir);
        assert_eq!(numbers(replica, &list_of(dead)), numbers(heir, &list_of(dead)));
    }
    eprintln!("refused meanwhile: {:?}", load.refused.lock().expect("no panic"));
}

/// Waits until all servers call one a replica of another, and it is in step with that.
fn wait_until_replica(cluster: &Cluster, replica: usize, master: usize) {
    let all: Vec<usize> = (0..cluster.servers.len()).collect();
    wait_until_replica_of(cluster, &all, replica, master);
}

/// The same, if only those of `alive` can be asked.
fn wait_until_replica_of(cluster: &Cluster, alive: &[usize], replica: usize, master: usize) {
    let (port, id) = (cluster.servers[replica].port(), cluster.id(master));
    let follows = |node: NodeLine| node.is("slave") && node.master.as_ref() == Some(&id);
    let told = |index: &usize| told_by(&cluster.servers[*index], port).is_some_and(follows);
    wait::until(&format!("server {replica} to be called a replica of server {master}"), || {
        alive.iter().all(told)
    });
    cluster.servers[replica].wait_for_link();
}

#[test]
fn masters_of_ours_die_and_ours_take_over() {
    each_master_dies_in_turn([Ours; 3], [Ours; 3]);
}

#[test]
fn masters_of_redis_die_and_ours_take_over() {
    if redis_tool_or_skip("masters_of_redis_die_and_ours_take_over", "redis-server").is_some() {
        each_master_dies_in_turn([Redis; 3], [Ours; 3]);
    }
}

#[test]
fn masters_of_ours_die_and_redis_takes_over() {
    if redis_tool_or_skip("masters_of_ours_die_and_redis_takes_over", "redis-server").is_some() {
        each_master_dies_in_turn([Ours; 3], [Redis; 3]);
    }
}

#[test]
fn masters_die_in_a_cluster_of_both() {
    if redis_tool_or_skip("masters_die_in_a_cluster_of_both", "redis-server").is_some() {
        each_master_dies_in_turn([Ours, Redis, Ours], [Redis, Ours, Redis]);
    }
}

/// An operator moves each master's place to its replica, and back, while clients write. Nothing is lost, and nobody
/// needs all data anew.
fn places_are_handed_over_and_back(masters: [Kind; 3], replicas: [Kind; 3]) {
    let mut cluster = Cluster::with_replicas(&masters, &replicas, &FLAGS);
    let full_syncs = |cluster: &Cluster| -> Vec<String> {
        cluster.servers.iter().map(|server| server.info("sync_full")).collect()
    };
    let before = full_syncs(&cluster);
    let load = under_load(&mut cluster, |cluster, load| {
        for place in 0..MASTERS {
            for (from, to) in [(place, place + MASTERS), (place + MASTERS, place)] {
                assert_eq!(cluster.servers[to].run("CLUSTER FAILOVER"), Frame::Simple("OK".into()));
                let all: Vec<usize> = (0..2 * MASTERS).collect();
                wait_until_all_follow(cluster, &all, to);
                cluster.servers[from].wait_for_link();
                wait_until_well(cluster);
                load.wait_for_all();
            }
        }
    });
    for index in 0..MASTERS {
        assert_eq!(
            load.lost(index, &cluster),
            [],
            "of list {index}, {} were acknowledged",
            load.count(index)
        );
    }
    assert_eq!(full_syncs(&cluster), before, "everybody went on where it was");
    eprintln!("{masters:?} {replicas:?} refused: {:?}", load.refused.lock().expect("no panic"));
    check(&cluster);
}

#[test]
fn ours_hand_over_to_ours() {
    places_are_handed_over_and_back([Ours; 3], [Ours; 3]);
}

#[test]
fn ours_and_redis_hand_over_to_each_other() {
    if redis_tool_or_skip("ours_and_redis_hand_over_to_each_other", "redis-server").is_some() {
        places_are_handed_over_and_back([Ours, Redis, Ours], [Redis, Ours, Redis]);
    }
}

/// Asks a replica to take over until it does: voters may want a pause between two votes about one master, and an attempt
/// without votes ends after five seconds.
fn take_over(cluster: &Cluster, replica: usize, way: &str, alive: &[usize]) {
    wait::until(&format!("server {replica} to take over by {way}"), || {
        let ok = Frame::Simple("OK".into());
        assert_eq!(cluster.servers[replica].run(&format!("CLUSTER FAILOVER {way}")), ok);
        let done = || (cluster.servers[replica].info("role") == "master").then_some(());
        wait::find_within(Duration::from_secs(6), done).is_some()
    });
    wait_until_all_follow(cluster, alive, replica);
}

/// `CLUSTER FAILOVER` asks a master that is dead for nothing; `FORCE` does not ask it, and `TAKEOVER` asks nobody.
fn force_and_takeover(masters: [Kind; 3], replicas: [Kind; 3]) {
    // Nobody stands for election by itself.
    let flags = [&FLAGS[..], &["--cluster-replica-no-failover", "yes"]].concat();
    let mut cluster = Cluster::with_replicas(&masters, &replicas, &flags);
    let alive = |dead: &[usize]| -> Vec<usize> { (0..6).filter(|index| !dead.contains(index)).collect() };
    // The master lives: it hears of it by the new epoch.
    take_over(&cluster, 3, "FORCE", &alive(&[]));
    wait_until_replica(&cluster, 0, 3);
    take_over(&cluster, 0, "TAKEOVER", &alive(&[]));
    wait_until_replica(&cluster, 3, 0);
    // The master is dead.
    cluster.servers[0].kill();
    let failed = |port: u16| {
        let cluster = &cluster;
        move || told_by(&cluster.servers[3], port).is_some_and(|node| node.is("fail"))
    };
    wait::until("the master's death to be known", failed(cluster.servers[0].port()));
    let refused = cluster.servers[3].run("CLUSTER FAILOVER");
    let text = "ERR Master is down or failed, please use CLUSTER FAILOVER FORCE";
    assert_eq!(refused, Frame::Error(text.into()));
    take_over(&cluster, 3, "FORCE", &alive(&[0]));
    // So are most: no vote can be had.
    cluster.servers[1].kill();
    cluster.servers[2].kill();
    let suspected = |port: u16| told_by(&cluster.servers[4], port).is_some_and(|node| node.flags.len() > 1);
    wait::until("two to be missed", || [1, 2].iter().all(|dead| suspected(cluster.servers[*dead].port())));
    for replica in [4, 5] {
        take_over(&cluster, replica, "TAKEOVER", &alive(&[0, 1, 2]));
    }
    // And all come back as replicas.
    (0..MASTERS).for_each(|dead| cluster.servers[dead].restart());
    (0..MASTERS).for_each(|dead| wait_until_replica(&cluster, dead, dead + MASTERS));
    wait_until_well(&cluster);
    check(&cluster);
}

#[test]
fn force_and_takeover_in_a_cluster_of_ours() {
    force_and_takeover([Ours; 3], [Ours; 3]);
}

#[test]
fn force_and_takeover_in_a_cluster_of_both() {
    if redis_tool_or_skip("force_and_takeover_in_a_cluster_of_both", "redis-server").is_some() {
        force_and_takeover([Redis, Ours, Redis], [Ours, Redis, Ours]);
    }
}

/// What a node answers to a `CLUSTER FAILOVER` that cannot be.
fn refusals(kind: Kind) -> Vec<Frame> {
    let flags = [&FLAGS[..], &["--cluster-replica-no-failover", "yes"]].concat();
    let mut cluster = Cluster::with_replicas(&[kind; 3], &[kind], &flags);
    let mut answers = Vec::new();
    for server in [0, 3] {
        for words in ["", "please", "FORCE now", "TAKEOVER FORCE", "takeovers"] {
            // A replica of a master that is well agrees to the plain form.
            if server == 0 || !words.is_empty() {
                answers.push(cluster.servers[server].run(&format!("CLUSTER FAILOVER {words}")));
            }
        }
    }
    for word in ["force", "TakeOver"] {
        answers.push(cluster.servers[0].run(&format!("CLUSTER FAILOVER {word}")));
    }
    cluster.servers[0].kill();
    let dead = cluster.servers[0].port();
    wait::until("the death to be known", || {
        told_by(&cluster.servers[3], dead).is_some_and(|node| node.is("fail"))
    });
    answers.push(cluster.servers[3].run("CLUSTER FAILOVER"));
    answers
}

#[test]
fn what_cannot_be_is_refused_in_the_words_of_redis() {
    let [ours, redis] = match both("what_cannot_be_is_refused_in_the_words_of_redis")[..] {
        [_, _] => [Ours, Redis].map(refusals),
        _ => return,
    };
    assert_eq!(ours, redis);
    assert!(ours.iter().all(|answer| matches!(answer, Frame::Error(_))), "{ours:?}");
}

/// Clients that wait at a master when a replica takes its place: what each of them reads until its connection ends, or
/// until it has all its answers.
fn waiting_clients(kind: Kind) -> Vec<Vec<Frame>> {
    let cluster = Cluster::with_replicas(&[kind; 3], &[kind], &FLAGS);
    // A list in the first master's slots, and a key beside it.
    let list = list_of(0);
    let set = format!("SET {{{list}}} 1");
    let waits = [format!("BLPOP {list} 0"), format!("{set}\r\nWAIT 5 0\r\nPING"), format!("{set}\r\nPING")];
    let mut clients: Vec<Client> = waits
        .iter()
        .map(|commands| {
            let mut client = cluster.servers[0].client();
            client.send(format!("{commands}\r\n").as_bytes()).expect("it takes them");
            client
        })
        .collect();
    wait::until("two to wait", || cluster.servers[0].info("blocked_clients") == "2");
    assert_eq!(cluster.servers[3].run("CLUSTER FAILOVER"), Frame::Simple("OK".into()));
    wait_until_replica(&cluster, 0, 3);
    let mut said = |client: &mut Client| {
        let mut answers = Vec::new();
        while answers.len() < 3
            && let Ok(answer) = client.next_reply()
        {
            answers.push(answer);
            if answers.len() == 2 && answers[1] == Frame::Simple("PONG".into()) {
                break;
            }
        }
        answers
    };
    clients.iter_mut().map(&mut said).collect()
}

#[test]
fn clients_that_wait_at_a_replaced_master_are_sent_away_as_redis_does() {
    let [ours, redis] = match both("clients_that_wait_at_a_replaced_master_are_sent_away_as_redis_does")[..] {
        [_, _] => [Ours, Redis].map(waiting_clients),
        _ => return,
    };
    assert_eq!(ours, redis);
    let unblocked = |answer: &Frame| matches!(answer, Frame::Error(text) if text.starts_with("UNBLOCKED"));
    assert!(unblocked(&ours[0][0]) && unblocked(&ours[1][1]), "{ours:?}");
}

/// Of two replicas the one that has more of the dead master's data takes over, whoever it is.
fn the_better_replica_wins(master: Kind, [better, worse]: [Kind; 2]) {
    let cluster = Cluster::with_replicas(&[Ours, master, Ours], &[Ours, better, Ours, Ours, worse], &FLAGS);
    let mut cluster = cluster;
    let (ahead, behind) = (4, 7);
    // It hears nothing more, and more is written than a socket holds.
    signal(&cluster.servers[behind], "-STOP");
    let mut writer = cluster.servers[1].client();
    let value = "x".repeat(1 << 20);
    let list = list_of(1);
    for number in 0..24 {
        assert_eq!(writer.call(&["RPUSH", &list, &value]), Frame::Integer(number + 1));
    }
    cluster.servers[ahead].wait_for_offset_of(&cluster.servers[1]);
    cluster.servers[1].kill();
    signal(&cluster.servers[behind], "-CONT");
    wait_until_all_follow(&cluster, &[0, 2, 3, 4, 5, 6, 7], ahead);
    wait_until_replica_of(&cluster, &[0, 2, 3, 4, 5, 6, 7], behind, ahead);
    cluster.servers[behind].wait_for_offset_of(&cluster.servers[ahead]);
    let mut client = cluster.servers[ahead].client();
    assert_eq!(client.call(&["LLEN", &list]), Frame::Integer(24));
}

fn signal(server: &Server, signal: &str) {
    let sent = Command::new("kill").args([signal, &server.pid().to_string()]).status().expect("kill runs");
    assert!(sent.success(), "{signal}");
}

#[test]
fn of_two_replicas_of_ours_the_better_one_wins() {
    the_better_replica_wins(Ours, [Ours, Ours]);
}

#[test]
fn of_a_replica_of_ours_and_one_of_redis_the_better_one_wins() {
    if redis_tool_or_skip("of_a_replica_of_ours_and_one_of_redis_the_better_one_wins", "redis-server")
        .is_some()
    {
        the_better_replica_wins(Redis, [Ours, Redis]);
        the_better_replica_wins(Ours, [Redis, Ours]);
    }
}

/// A replica to spare moves to a master that has lost its own, whoever they are.
fn a_spare_replica_moves(masters: [Kind; 3], spare: [Kind; 2]) {
    let mut cluster = Cluster::with_replicas(&masters, &[spare[0], Ours, Ours, spare[1]], &FLAGS);
    let (one, other) = ((cluster.id(3), 3), (cluster.id(6), 6));
    let (goes, stays) = (one.clone().min(other.clone()).1, one.max(other).1);
    cluster.servers[4].kill();
    let alive = [0, 1, 2, 3, 5, 6];
    wait_until_replica_of(&cluster, &alive, goes, 1);
    wait_until_replica_of(&cluster, &alive, stays, 0);
    cluster.servers[goes].wait_for_offset_of(&cluster.servers[1]);
    // The dead one comes back to where it was.
    cluster.servers[4].restart();
    wait_until_replica(&cluster, 4, 1);
    wait_until_well(&cluster);
}

#[test]
fn a_spare_replica_of_ours_moves_to_a_master_of_ours() {
    a_spare_replica_moves([Ours; 3], [Ours; 2]);
}

#[test]
fn spare_replicas_of_both_agree_on_who_moves() {
    if redis_tool_or_skip("spare_replicas_of_both_agree_on_who_moves", "redis-server").is_some() {
        a_spare_replica_moves([Ours, Redis, Ours], [Ours, Redis]);
        a_spare_replica_moves([Redis, Ours, Ours], [Redis, Ours]);
    }
}
