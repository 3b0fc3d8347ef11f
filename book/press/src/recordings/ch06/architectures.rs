//! The three architectures on the same work: 20 clients and 10,000 keys on three servers. Who decides is the code of the
//! labs; here messages are counted.

use std::collections::BTreeSet;

use core_types::{ArgsBuf, Endpoint, Millis, Slot};
use solution_6::{Distribution, Health, HealthSettings, Pool, Route, compare, key_slot, route};
use solution_8::{Answer, Asked, Cache, Held, Moving, Next, Serving, Shard, Topology, View};

use crate::data::{Table, Unit};

const CLIENTS: usize = 20;
const PROXIES: usize = 2;
const KEYS: usize = 10_000;
const SERVERS: usize = 3;
/// Commands with so many keys, and how many of them.
const TOGETHER: usize = 10;
/// A proxy ejects a server after so many failures.
const FAILURES: u32 = 3;
const MGETS: usize = KEYS / TOGETHER;

/// One of the costs.
type Cost = fn(&Costs) -> usize;

/// What one architecture costs.
#[derive(Default)]
struct Costs {
    /// Requests on the wire for a `GET` of each key.
    gets: usize,
    /// Connections at one server, at most.
    connections: usize,
    /// Requests on the wire for the `MGET`s.
    mgets: usize,
    /// How many `MGET`s a client cannot send as they are.
    refused: usize,
    /// A fourth server joins: keys that live elsewhere,
    moved: usize,
    /// those of them that are not found there,
    lost: usize,
    /// the parties that must be given a new configuration,
    told: usize,
    /// and the requests on the wire for a `GET` of each key.
    after_join: usize,
    /// One of three servers dies: of a `GET` of each key so many fail,
    failed: usize,
    /// and so many do not find their key.
    not_found: usize,
}

fn key(number: usize) -> Vec<u8> {
    format!("user:{number}").into_bytes()
}

fn keys() -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..KEYS).map(|number| (number % CLIENTS, key(number)))
}

/// The table of the chapter.
pub(super) fn table() -> Table {
    let columns = ["client side", "proxy", "cluster"];
    let all = [on_a_ring(), by_proxy(), in_a_cluster()];
    let mut head = vec![("", Unit::Number)];
    head.extend(columns.map(|name| (name, Unit::Number)));
    let mut table = Table::new("Three architectures, the same work", &head);
    let rows: [(&str, Cost); 10] = [
        ("requests on the wire for 10,000 `GET`", |costs| costs.gets),
        ("connections at each server", |costs| costs.connections),
        ("requests for 1,000 `MGET` of ten keys", |costs| costs.mgets),
        ("… that the client must take apart", |costs| costs.refused),
        ("one joins: keys that live elsewhere", |costs| costs.moved),
        ("… and are not found there", |costs| costs.lost),
        ("… who needs a new configuration", |costs| costs.told),
        ("… requests for 10,000 `GET` after that", |costs| costs.after_join),
        ("one dies: `GET` that fail", |costs| costs.failed),
        ("… `GET` that miss their key", |costs| costs.not_found),
    ];
    for (name, cost) in rows {
        let [ring, proxy, cluster] = [&all[0], &all[1], &all[2]].map(|costs| (cost(costs) as u64).into());
        table = table.row([name.into(), ring, proxy, cluster]);
    }
    table
}

fn pool(servers: usize, auto_eject: bool) -> Pool {
    let settings = HealthSettings { auto_eject, failure_limit: FAILURES, ..HealthSettings::default() };
    let hash = "md5".parse().expect("a known hash");
    Pool::new(compare::servers(servers), Distribution::Ketama, hash, None, settings)
}

fn place(pool: &Pool, key: &[u8]) -> usize {
    pool.server_of(key).expect("one of them is in")
}

/// What an `MGET` becomes: one request for each server that has something of it.
fn parts(pool: &Pool, first: usize) -> usize {
    let mut command = ArgsBuf::from_parts([b"MGET"]);
    (first..first + TOGETHER).for_each(|number| command.push(&key(number)));
    match route(command.as_args(), |key| place(pool, key)) {
        Route::Forward(_) => 1,
        Route::Split { parts, .. } => parts.len(),
        other => unreachable!("an MGET is divided: {other:?}"),
    }
}

/// The busiest server of these connections.
fn busiest(connections: &BTreeSet<(usize, usize)>) -> usize {
    let of = |server| connections.iter().filter(|(_, other)| *other == server).count();
    (0..SERVERS).map(of).max().unwrap_or(0)
}

/// How many keys live elsewhere once there is a fourth server. Nobody takes them there.
fn moved(before: &Pool, after: &Pool) -> usize {
    keys().filter(|(_, key)| place(before, key) != place(after, key)).count()
}

fn on_a_ring() -> Costs {
    let (three, four) = (pool(SERVERS, false), pool(SERVERS + 1, false));
    let connections = keys().map(|(client, key)| (client, place(&three, &key))).collect();
    let divided: Vec<usize> = (0..MGETS).map(|number| parts(&three, number * TOGETHER)).collect();
    let moved = moved(&three, &four);
    Costs {
        gets: KEYS,
        connections: busiest(&connections),
        mgets: divided.iter().sum(),
        refused: divided.iter().filter(|parts| **parts > 1).count(),
        moved,
        lost: moved,
        told: CLIENTS,
        after_join: KEYS,
        // Nobody has told the clients yet.
        failed: keys().filter(|(_, key)| place(&three, key) == SERVERS - 1).count(),
        not_found: 0,
    }
}

fn by_proxy() -> Costs {
    let (three, four) = (pool(SERVERS, true), pool(SERVERS + 1, true));
    let connections = keys().map(|(client, key)| (client % PROXIES, place(&three, &key))).collect();
    let moved = moved(&three, &four);
    let (mut failed, mut not_found) = (0, 0);
    let mut pools = vec![three.clone(); PROXIES];
    for (client, key) in keys() {
        let pool = &mut pools[client % PROXIES];
        let server = place(pool, &key);
        if server == SERVERS - 1 {
            // So short a time that nobody is tried again.
            pool.failed(Millis(1), server);
            failed += 1;
        } else {
            pool.answered(server);
            not_found += usize::from(server != place(&three, &key));
        }
    }
    assert!(pools.iter().all(|pool| !Health::is_in(pool.health(SERVERS - 1))));
    Costs {
        gets: 2 * KEYS,
        connections: busiest(&connections),
        mgets: (0..MGETS).map(|number| 1 + parts(&three, number * TOGETHER)).sum(),
        refused: 0,
        moved,
        lost: moved,
        told: PROXIES,
        after_join: 2 * KEYS,
        failed,
        not_found,
    }
}

/// A cluster: whose each slot is, and who is dead. Replica `n` of master `n` is number `n + 10`.
struct Cluster {
    owner: Vec<usize>,
    dead: Option<usize>,
    /// Who has the keys of each slot.
    holders: Vec<Vec<usize>>,
}

/// What came of a `GET` of each key.
#[derive(Default)]
struct Read {
    requests: usize,
    failed: usize,
    not_found: usize,
}

fn endpoint(node: usize) -> Endpoint {
    Endpoint::new("10.0.0.1", 7000 + node as u16)
}

impl Cluster {
    fn new() -> Cluster {
        let ranges = compare::even(SERVERS);
        let owner = |slot: u16| ranges.partition_point(|range| range.last.number() < slot);
        let owner: Vec<usize> = (0..Slot::COUNT).map(owner).collect();
        // Each master has written its slots' keys, and passed them on to its replica.
        let holders = owner.iter().map(|master| vec![*master, master + 10]).collect();
        Cluster { owner, dead: None, holders }
    }

    /// `CLUSTER SETSLOT` and `MIGRATE`, for one slot: its keys go along.
    fn migrate(&mut self, slot: usize, to: usize) {
        self.owner[slot] = to;
        self.holders[slot] = vec![to, to + 10];
    }

    /// A master dies, and its replica has taken over its slots. No key is copied.
    fn fail_over(&mut self, dead: usize) {
        self.dead = Some(dead);
        self.owner.iter_mut().filter(|owner| **owner == dead).for_each(|owner| *owner = dead + 10);
    }

    /// What a client reads when it asks for the table.
    fn topology(&self) -> Topology {
        let mut shards: Vec<Shard> = Vec::new();
        for (slot, owner) in self.owner.iter().enumerate() {
            let slot = Slot::new(slot as u16).expect("a slot");
            let range = core_types::SlotRange { first: slot, last: slot };
            match shards.iter_mut().find(|shard| shard.master == endpoint(*owner)) {
                Some(shard) => shard.ranges.push(range),
                None => {
                    shards.push(Shard {
                        master: endpoint(*owner),
                        ranges: vec![range],
                        replicas: Vec::new(),
                    });
                }
            }
        }
        Topology { shards }
    }

    fn ask(&self, node: usize, asked: &Asked) -> solution_8::Route<usize> {
        let slot = asked.slot.expect("a command with keys");
        let owner = Some(self.owner[slot.index()]);
        let view = View { me: node, my_master: None, owner, moving: Moving::STABLE, serving: Serving::All };
        solution_8::route(asked, &view, || Held { present: 1, missing: 0 })
    }

    /// A client reads a key.
    fn get(&self, cache: &mut Cache, slot: Slot, read: &mut Read) {
        if cache.stale {
            read.requests += 1;
            cache.learn(&self.topology());
        }
        let mut errand = cache.send(Some(slot)).expect("a node is known");
        loop {
            read.requests += 1;
            let node = usize::from(errand.to.port - 7000);
            let answer = if self.dead == Some(node) {
                Answer::Broken
            } else {
                let route = self.ask(node, &Asked::about([slot], false));
                let text = route.error(slot, |node| endpoint(*node));
                text.map_or(Answer::Reply, |text| solution_8::read_error(&text, &errand.to))
            };
            match cache.answered(&mut errand, &answer) {
                Next::Done => {
                    read.not_found += usize::from(!self.holders[slot.index()].contains(&node));
                    return;
                }
                Next::GiveUp => {
                    read.failed += 1;
                    return;
                }
                Next::Send | Next::Wait => {}
            }
        }
    }

    /// All clients read all their keys.
    fn get_all(&self, caches: &mut [Cache]) -> Read {
        let mut read = Read::default();
        keys().for_each(|(client, key)| self.get(&mut caches[client], key_slot(&key), &mut read));
        read
    }
}

fn in_a_cluster() -> Costs {
    let cluster = Cluster::new();
    let mut caches = vec![Cache::new([endpoint(0)]); CLIENTS];
    let gets = cluster.get_all(&mut caches).requests;
    let connections = keys().map(|(client, key)| (client, cluster.owner[key_slot(&key).index()])).collect();

    // An MGET as it is, and what becomes of it if a library takes it apart: one command for each slot.
    let (mut mgets, mut refused) = (0, 0);
    for first in (0..KEYS).step_by(TOGETHER) {
        let slots: Vec<Slot> = (first..first + TOGETHER).map(|number| key_slot(&key(number))).collect();
        let node = cluster.owner[slots[0].index()];
        refused += usize::from(
            cluster.ask(node, &Asked::about(slots.clone(), true)) == solution_8::Route::CrossSlot,
        );
        mgets += slots.into_iter().collect::<BTreeSet<Slot>>().len();
    }

    // The last quarter of each master's slots goes to a fourth. Its keys go along.
    let mut grown = Cluster::new();
    for range in compare::even(SERVERS) {
        let count = range.last.index() - range.first.index() + 1;
        (range.last.index() + 1 - count / 4..=range.last.index())
            .for_each(|slot| grown.migrate(slot, SERVERS));
    }
    let moved = keys().filter(|(_, key)| grown.owner[key_slot(key).index()] == SERVERS).count();
    let joined = grown.get_all(&mut caches.clone());

    // The last master dies, and its replica has taken over.
    let mut after_death = Cluster::new();
    after_death.fail_over(SERVERS - 1);
    let died = after_death.get_all(&mut caches);
    Costs {
        gets,
        connections: busiest(&connections),
        mgets,
        refused,
        moved,
        lost: joined.not_found,
        told: 0,
        after_join: joined.requests,
        failed: died.failed,
        not_found: died.not_found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pays_in_its_own_coin() {
        let [ring, proxy, cluster] = [on_a_ring(), by_proxy(), in_a_cluster()];
        // The proxy: every request twice, few connections.
        assert_eq!((ring.gets, proxy.gets, cluster.gets), (KEYS, 2 * KEYS, KEYS + CLIENTS));
        assert_eq!((ring.connections, proxy.connections, cluster.connections), (CLIENTS, PROXIES, CLIENTS));
        // The ring's keys are elsewhere and nobody has taken them there; the cluster's have moved.
        assert!(ring.moved == proxy.moved && ring.lost == ring.moved && ring.moved > KEYS / 5);
        assert!(cluster.moved > KEYS / 5 && cluster.lost == 0);
        assert!(cluster.after_join > KEYS, "somebody must have been redirected");
        // A death: errors, misses, or neither.
        assert!(ring.failed > KEYS / 5 && ring.not_found == 0);
        assert!(proxy.failed == PROXIES * FAILURES as usize && proxy.not_found > KEYS / 5);
        assert_eq!((cluster.failed, cluster.not_found), (0, 0));
        assert_eq!(cluster.refused, MGETS);
    }
}
