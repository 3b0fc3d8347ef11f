//! Slots move away and back while clients write and read: nobody gets an error, no key is lost or doubled.
//!
//! The clients are redis-rs's, which follow redirections themselves. `HA_RESHARD_SLOTS` sets how many slots move (256
//! if it is not set), and `HA_RESHARD_KEYS` how many keys they hold (4,000).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use core_types::{Frame, Rng};
use redis::cluster::{ClusterClient, ClusterConnection};
use solution_6::key_slot;
use system::cluster::run;
use system::wait::PATIENCE;
use system::{Cluster, Kind, ha_cli, redis_tool_or_skip};

use Kind::{Ours, Redis};

/// Clients that write meanwhile.
const WRITERS: usize = 2;

fn setting(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|count| count.parse().ok()).unwrap_or(default)
}

/// Keys of the lowest slots: a reshard takes the lowest slots of its source first, and the source has them from 0 on.
fn keys_below(slots: u32, count: u32) -> Vec<String> {
    let names = (0..).map(|number| format!("key:{number}"));
    let below = names.filter(|name| u32::from(key_slot(name.as_bytes()).number()) < slots);
    below.take(count as usize).collect()
}

fn connect(cluster: &Cluster) -> ClusterConnection {
    let places: Vec<String> =
        (0..cluster.servers.len()).map(|index| format!("redis://{}", cluster.place(index))).collect();
    let patient = ClusterClient::builder(places).connection_timeout(PATIENCE).response_timeout(PATIENCE);
    patient.build().expect("addresses").get_connection().expect("a cluster")
}

/// Writes and reads back its own keys until `stop`; what each of them holds at the end, and how many writes that was.
fn write(cluster: &Cluster, keys: &[String], seed: u64, stop: &AtomicBool) -> (BTreeMap<String, u64>, u64) {
    let mut client = connect(cluster);
    let mut rng = Rng::new(seed);
    let mut last = BTreeMap::new();
    let mut writes = 0;
    while !stop.load(Ordering::Relaxed) {
        let key = rng.pick(keys).expect("some keys");
        writes += 1;
        redis::cmd("SET").arg(key).arg(writes).exec(&mut client).expect("a write succeeds");
        let read: u64 = redis::cmd("GET").arg(key).query(&mut client).expect("a read succeeds");
        assert_eq!(read, writes, "{key}");
        last.insert(key.clone(), writes);
        // Two keys of one slot, so that a command may meet one of them moved and one not (TRYAGAIN).
        let (one, two) = (format!("{{{key}}}one"), format!("{{{key}}}two"));
        redis::cmd("MSET").arg(&one).arg(writes).arg(&two).arg(writes).exec(&mut client).expect("two writes");
        let read: (u64, u64) = redis::cmd("MGET").arg(&one).arg(&two).query(&mut client).expect("two reads");
        assert_eq!(read, (writes, writes), "{key}");
        last.insert(one, writes);
        last.insert(two, writes);
    }
    (last, writes)
}

/// Every key with its value, from all masters.
fn everything(cluster: &Cluster) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for server in &cluster.servers {
        let mut client = server.client();
        let Frame::Array(names) = client.run("KEYS *") else { panic!("no keys") };
        let names: Vec<Vec<u8>> =
            names.iter().map(|name| name.as_bytes().expect("a name").to_vec()).collect();
        let commands: Vec<Vec<Vec<u8>>> =
            names.iter().map(|name| vec![b"GET".to_vec(), name.clone()]).collect();
        for (name, value) in names.into_iter().zip(client.pipeline(&commands)) {
            let name = String::from_utf8(name).expect("text");
            let value = String::from_utf8(value.as_bytes().expect("a value").to_vec()).expect("text");
            assert_eq!(all.insert(name.clone(), value), None, "{name} is in two places");
        }
    }
    all
}

fn slots_move_away_and_back(kinds: [Kind; 3]) {
    let cluster = Cluster::masters(&kinds, &[]);
    let slots = setting("HA_RESHARD_SLOTS", 256);
    let keys = keys_below(slots, setting("HA_RESHARD_KEYS", 4000));
    let mut client = cluster.servers[0].client();
    let mut expected = BTreeMap::new();
    for part in keys.chunks(1000) {
        let commands: Vec<Vec<Vec<u8>>> =
            part.iter().map(|key| vec![b"SET".to_vec(), key.clone().into(), b"0".to_vec()]).collect();
        client
            .pipeline(&commands)
            .iter()
            .for_each(|reply| assert_eq!(*reply, Frame::Simple("OK".to_owned())));
        expected.extend(part.iter().map(|key| (key.clone(), "0".to_owned())));
    }
    let stop = AtomicBool::new(false);
    let shares: Vec<&[String]> = keys.chunks(keys.len().div_ceil(WRITERS)).collect();
    let writers = std::thread::scope(|scope| {
        let writers: Vec<_> = shares
            .iter()
            .zip(1..)
            .map(|(share, seed)| {
                scope.spawn({
                    let (cluster, stop) = (&cluster, &stop);
                    move || write(cluster, share, seed, stop)
                })
            })
            .collect();
        let moved = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            cluster.reshard(0, 1, slots);
            assert!(cluster.size(1) >= keys.len() as i64, "the keys have moved");
            cluster.reshard(1, 0, slots);
        }));
        stop.store(true, Ordering::Relaxed);
        let ended: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        moved.expect("both moves succeed");
        ended.into_iter().map(|ended| ended.expect("no error reaches a client")).collect::<Vec<_>>()
    });
    for (last, writes) in writers {
        assert!(writes > 10, "there was a load: {writes}");
        expected.extend(last.into_iter().map(|(key, value)| (key, value.to_string())));
    }
    let found = everything(&cluster);
    let missing: Vec<&String> = expected.keys().filter(|key| !found.contains_key(*key)).take(5).collect();
    assert!(missing.is_empty(), "lost: {missing:?}");
    let wrong: Vec<_> =
        expected.iter().filter(|(key, value)| found.get(*key) != Some(value)).take(5).collect();
    assert!(wrong.is_empty(), "not what was written last: {wrong:?}");
    assert_eq!(found.len(), expected.len());
}

#[test]
fn slots_move_between_ours() {
    slots_move_away_and_back([Ours, Ours, Ours]);
}

#[test]
fn slots_move_from_ours_to_redis_and_back() {
    if redis_tool_or_skip("slots_move_from_ours_to_redis_and_back", "redis-server").is_some() {
        slots_move_away_and_back([Ours, Redis, Ours]);
    }
}

#[test]
fn slots_move_from_redis_to_ours_and_back() {
    if redis_tool_or_skip("slots_move_from_redis_to_ours_and_back", "redis-server").is_some() {
        slots_move_away_and_back([Redis, Ours, Redis]);
    }
}

/// With a password that every node wants, by either program, and between either kind of node.
#[test]
fn slots_move_between_nodes_that_want_a_password() {
    let Some(redis_cli) = redis_tool_or_skip("slots_move_between_nodes_that_want_a_password", "redis-cli")
    else {
        return;
    };
    const SLOTS: u32 = 20;
    let cluster = Cluster::masters(&[Ours, Redis, Ours], &[]);
    let keys = keys_below(SLOTS, 200);
    let mut first = cluster.servers[0].client();
    for key in &keys {
        assert_eq!(first.call(&["SET", key, "value"]), Frame::Simple("OK".into()));
    }
    let ids = [0, 1].map(|index| cluster.id(index));
    for server in &cluster.servers {
        server.run("CONFIG SET requirepass secret masterauth secret");
    }
    let mut clients = [0, 1].map(|index| {
        let mut client = cluster.servers[index].client();
        assert_eq!(client.run("AUTH secret"), Frame::Simple("OK".into()));
        client
    });
    let size = |client: &mut system::Client| client.run("DBSIZE");
    let all = Frame::Integer(keys.len() as i64);
    for program in [&ha_cli(), &redis_cli] {
        for (from, to) in [(0, 1), (1, 0)] {
            let (place, slots) = (cluster.place(0), SLOTS.to_string());
            let reshard =
                ["--cluster", "reshard", &place, "--cluster-from", &ids[from], "--cluster-to", &ids[to]];
            let rest = ["--cluster-slots", &slots, "--cluster-yes"];
            for (password, succeeds) in [("wrong", false), ("secret", true)] {
                let args = [&["-a", password][..], &reshard, &rest].concat();
                let (said, well) = run(program, &args);
                assert_eq!(well, succeeds, "{} with {password}:\n{said}", program.display());
            }
            assert_eq!(size(&mut clients[to]), all);
            assert_eq!(size(&mut clients[from]), Frame::Integer(0));
        }
    }
    // The same by hand: a password, a user's password, wrong ones. (Without any it would succeed: connections are kept,
    // and with them who we are.)
    let port = cluster.servers[1].port_text();
    let key = keys[0].as_str();
    let importing = format!("CLUSTER SETSLOT {} IMPORTING {}", key_slot(key.as_bytes()).number(), ids[0]);
    assert_eq!(clients[1].run(&importing), Frame::Simple("OK".into()));
    let mut migrate = |auth: &[&str]| {
        clients[0]
            .call(&[&["MIGRATE", "127.0.0.1", &port, key, "0", "5000", "COPY", "REPLACE"][..], auth].concat())
    };
    for (auth, wanted) in [
        (&["AUTH", "secret"][..], "OK"),
        (&["AUTH2", "default", "secret"], "OK"),
        (&["AUTH", "wrong"], "WRONGPASS"),
        (&["AUTH2", "nobody", "secret"], "WRONGPASS"),
    ] {
        let (Frame::Simple(said) | Frame::Error(said)) = migrate(auth) else { panic!("{auth:?}: no answer") };
        assert!(said.contains(wanted), "{auth:?}: {said}");
    }
}
