//! A master, two replicas and three sentinels, from ours to Redis's, or to Valkey's.
//!
//! `SENTINEL FAILOVER` by itself does not stop the old master, which goes on to acknowledge writes until a sentinel makes it a
//! replica: these are lost ([`a_failover_by_sentinel_alone_loses_writes`]). So the place is handed over by `FAILOVER` at the
//! master, which loses nothing, and `SENTINEL FAILOVER` then has the sentinels find out. Until they do, the old master
//! answers `READONLY`: refused, and not lost.

use std::sync::{Arc, Mutex};

use core_types::Frame;
use redis::sentinel::{SentinelClient, SentinelServerType};
use redis::{Connection, RedisResult};
use system::{Kind, Sentinel, Server, WATCHED, redis_tool_or_skip, valkey_or_skip, wait};

use crate::load::{Account, Load, Told, figures};
use crate::{each_run, shut_down, values, wait_for_small_lag};

use Kind::{Ours, Redis, Valkey};

/// Clients that write.
const WRITERS: usize = 2;

/// How many sentinels must agree.
const QUORUM: usize = 2;

/// The servers and those who watch them, as they are at the moment.
struct Setup {
    /// Whose the others are.
    engine: Kind,
    /// The master first, as it was at the beginning.
    ours: Vec<Server>,
    /// The next master first.
    theirs: Vec<Server>,
    sentinels: Vec<Sentinel>,
    signpost: Signpost,
}

/// What clients are told of: the ports of sentinels.
#[derive(Clone)]
struct Signpost(Arc<Mutex<Vec<u16>>>);

impl Setup {
    fn new(engine: Kind, replicas: usize) -> Setup {
        let mut ours = vec![Server::start(Ours, &[])];
        for _ in 0..replicas {
            ours.push(replica(Ours, &ours[0], 0));
        }
        ours.iter().skip(1).for_each(Server::wait_for_link);
        let watch = |_| Sentinel::start(Ours, ours[0].port(), QUORUM);
        let sentinels: Vec<Sentinel> = (0..3).map(watch).collect();
        let signpost = Signpost(Arc::default());
        signpost.shows(&sentinels);
        let setup = Setup { ours, engine, theirs: Vec::new(), sentinels, signpost };
        setup.until_all_see(replicas);
        setup
    }

    /// Waits until each sentinel knows all others, and so many replicas in step with the master; and could have a
    /// failover authorised.
    fn until_all_see(&self, replicas: usize) {
        for sentinel in &self.sentinels {
            let others = (self.sentinels.len() - 1).to_string();
            wait::until(&format!("{replicas} replicas and {others} others to be known"), || {
                let links = sentinel.fields_of("REPLICAS", "master-link-status");
                sentinel.master_field("num-other-sentinels") == others
                    && links.len() == replicas
                    && links.iter().all(|link| link == "ok")
                    && sentinel.fields_of("REPLICAS", "flags").iter().all(|flags| flags == "slave")
            });
            let quorum = sentinel.run(&format!("SENTINEL CKQUORUM {WATCHED}"));
            assert!(matches!(&quorum, Frame::Simple(text) if text.starts_with("OK")), "{quorum:?}");
        }
    }

    /// Waits until each sentinel names this server as the master.
    fn until_all_name(&self, master: &Server) {
        for sentinel in &self.sentinels {
            wait::until("all to name the master", || sentinel.master_port() == Some(master.port()));
        }
    }

    fn until_all_know_priorities(&self, priorities: &[&str]) {
        for sentinel in &self.sentinels {
            wait::until("the priorities to be known", || {
                sentinel.fields_of("REPLICAS", "slave-priority") == priorities
            });
        }
    }
}

impl Signpost {
    fn shows(&self, sentinels: &[Sentinel]) {
        *self.0.lock().expect("no client panics") = sentinels.iter().map(Sentinel::port).collect();
    }

    /// A client that connects to whom the sentinels name.
    fn connect(&self) -> RedisResult<Connection> {
        let told = self.0.lock().expect("no client panics").clone();
        let places: Vec<String> = told.iter().map(|port| format!("redis://127.0.0.1:{port}")).collect();
        SentinelClient::build(places, WATCHED.to_owned(), None, SentinelServerType::Master)?.get_connection()
    }

    /// A client that appends numbers to a list, and connects anew when it is refused or gets no answer.
    fn writer(self, index: usize) -> impl FnMut(u64, u64) -> Told + Send {
        let (list, mut connection, mut connected_in) = (list_of(index), None, 0);
        move |number, generation| {
            if connected_in != generation {
                connection = None;
            }
            let open: &mut Connection = match &mut connection {
                Some(open) => open,
                none => match self.connect() {
                    Ok(fresh) => {
                        connected_in = generation;
                        none.insert(fresh)
                    }
                    Err(error) => return Told::Unsent(error.to_string()),
                },
            };
            let told = Told::by(redis::cmd("RPUSH").arg(&list).arg(number).exec(open));
            if !matches!(told, Told::Done) {
                connection = None;
            }
            told
        }
    }
}

fn list_of(index: usize) -> String {
    format!("log:{index}")
}

/// A replica of a server. The lower its priority the better, but one of 0 is never promoted.
fn replica(kind: Kind, of: &Server, priority: u32) -> Server {
    let (port, priority) = (of.port_text(), priority.to_string());
    Server::start(kind, &["--replicaof", "127.0.0.1", &port, "--replica-priority", &priority])
}

/// Whether a server follows another, and is in step. Sentinels cut the connections of those whose role they change, also
/// the test's: then it is asked again.
fn follows(server: &Server, master: &Server) -> bool {
    let answer = system::Client::connect(server.port()).ok();
    let answer = answer.and_then(|mut client| client.try_call(&["INFO", "replication"]).ok());
    let text = answer.as_ref().and_then(Frame::as_bytes).map(String::from_utf8_lossy).unwrap_or_default();
    text.contains(&format!("master_port:{}\r\n", master.port())) && text.contains("master_link_status:up")
}

/// Real replicas join. Of all replicas only the first of them may be promoted.
fn join(setup: &mut Setup) {
    for priority in [10, 0, 0] {
        setup.theirs.push(replica(setup.engine, &setup.ours[0], priority));
    }
    setup.theirs.iter().for_each(|server| wait_for_small_lag(server, &setup.ours[0]));
    setup.until_all_see(5);
    setup.until_all_know_priorities(&["0", "0", "0", "0", "10"]);
}

/// The master hands its place to the first real replica, and the sentinels are told to find out.
fn take_over(setup: &Setup) {
    let (old, new) = (&setup.ours[0], &setup.theirs[0]);
    assert_eq!(
        old.run(&format!("FAILOVER TO 127.0.0.1 {} TIMEOUT 5000", new.port())),
        Frame::Simple("OK".into())
    );
    wait::until("the handover", || new.info("role") == "master");
    let asked = setup.sentinels[0].run(&format!("SENTINEL FAILOVER {WATCHED}"));
    assert_eq!(asked, Frame::Simple("OK".into()));
    setup.until_all_name(new);
    for server in setup.ours.iter().chain(&setup.theirs[1..]) {
        wait::until("all to follow the new master", || follows(server, new));
    }
    // From now on they may be promoted, and ours are not.
    for server in &setup.theirs {
        server.ok("CONFIG SET replica-priority 100");
    }
    setup.ours[0].ok("CONFIG SET replica-priority 0");
    setup.until_all_see(5);
    setup.until_all_know_priorities(&["0", "0", "0", "100", "100"]);
}

/// Each sentinel forgets those who are gone, one after the other: the next one only when this one knows all again.
fn reset_all(setup: &Setup, replicas: usize) {
    for sentinel in &setup.sentinels {
        assert_eq!(sentinel.run(&format!("SENTINEL RESET {WATCHED}")), Frame::Integer(1));
        let others = (setup.sentinels.len() - 1).to_string();
        wait::until("it to know the others again", || {
            sentinel.master_field("num-other-sentinels") == others
                && sentinel.fields_of("REPLICAS", "flags").len() == replicas
        });
    }
    setup.until_all_see(replicas);
}

/// A real sentinel joins, then one of ours leaves: the group is never smaller than it was.
fn replace_a_sentinel(setup: &mut Setup) {
    setup.sentinels.push(Sentinel::start(setup.engine, setup.theirs[0].port(), QUORUM));
    setup.until_all_see(5);
    // Clients are told before, not after.
    setup.signpost.shows(&setup.sentinels[1..]);
    drop(setup.sentinels.remove(0));
    reset_all(setup, 5);
}

fn numbers(connection: &mut Connection, index: usize) -> Vec<u64> {
    redis::cmd("LRANGE").arg(list_of(index)).arg(0).arg(-1).query(connection).expect("a list")
}

fn settle(accounts: &[Account], setup: &Setup) {
    let mut connection = wait::find("a connection", || setup.signpost.connect().ok());
    for (index, account) in accounts.iter().enumerate() {
        account.settle(&numbers(&mut connection, index));
        assert!(account.unanswered.is_empty(), "{:?}", account.trouble);
    }
}

/// Runs something that changes the setup while clients use it.
fn during(setup: &mut Setup, act: impl FnOnce(&mut Setup, &Load)) -> Vec<Account> {
    let writers = (0..WRITERS).map(|index| setup.signpost.clone().writer(index)).collect();
    Load::during(writers, |load| act(setup, load))
}

fn graduate(engine: Kind) -> String {
    let mut setup = Setup::new(engine, 2);
    values::write(&mut setup.signpost.connect().expect("a connection"));
    let values = values::read(&mut setup.signpost.connect().expect("a connection"));
    let accounts = during(&mut setup, |setup, load| {
        join(setup);
        load.wait_for_more();
        take_over(setup);
        load.wait_for_more();
        for _ in 0..3 {
            replace_a_sentinel(setup);
            load.connect_anew();
        }
        for mut server in setup.ours.drain(..) {
            shut_down(&mut server);
        }
        reset_all(setup, 2);
        load.connect_anew();
    });
    assert!(setup.sentinels.iter().all(|sentinel| sentinel.kind() == engine));
    settle(&accounts, &setup);
    assert_eq!(values::read(&mut setup.signpost.connect().expect("a connection")), values);
    // The new master was never asked for all of its data: everybody continued.
    assert_eq!(setup.theirs[0].info("sync_full"), "0");
    survives(&mut setup);
    settle(&accounts, &setup);
    figures(&accounts)
}

/// What is left stands by itself: real sentinels promote a real replica when their master dies.
fn survives(setup: &mut Setup) {
    for replica in &setup.theirs[1..] {
        replica.wait_for_offset_of(&setup.theirs[0]);
    }
    let dead = setup.theirs.remove(0);
    let port = dead.port();
    drop(dead);
    for sentinel in &setup.sentinels {
        wait::until("a failover", || sentinel.master_port().is_some_and(|named| named != port));
    }
}

#[test]
fn a_sentinel_setup_of_ours_becomes_one_of_redis() {
    let test = "a_sentinel_setup_of_ours_becomes_one_of_redis";
    if redis_tool_or_skip(test, "redis-server").is_some() {
        each_run(test, || graduate(Redis));
    }
}

#[test]
fn a_sentinel_setup_of_ours_becomes_one_of_valkey() {
    let test = "a_sentinel_setup_of_ours_becomes_one_of_valkey";
    if valkey_or_skip(test).is_some() {
        each_run(test, || graduate(Valkey));
    }
}

/// The same without `FAILOVER` at the master: what it acknowledges after the promotion is lost.
#[test]
fn a_failover_by_sentinel_alone_loses_writes() {
    if redis_tool_or_skip("a_failover_by_sentinel_alone_loses_writes", "redis-server").is_none() {
        return;
    }
    let mut setup = Setup::new(Redis, 0);
    let accounts = during(&mut setup, |setup, _| {
        setup.theirs.push(replica(setup.engine, &setup.ours[0], 10));
        wait_for_small_lag(&setup.theirs[0], &setup.ours[0]);
        setup.until_all_see(1);
        setup.until_all_know_priorities(&["10"]);
        let asked = setup.sentinels[0].run(&format!("SENTINEL FAILOVER {WATCHED}"));
        assert_eq!(asked, Frame::Simple("OK".into()));
        wait::until("the old master to follow", || follows(&setup.ours[0], &setup.theirs[0]));
    });
    let mut connection = setup.signpost.connect().expect("a connection");
    let lost: usize = (0..WRITERS)
        .map(|index| {
            let there = numbers(&mut connection, index);
            accounts[index].done.iter().filter(|number| !there.contains(number)).count()
        })
        .sum();
    let done: usize = accounts.iter().map(|account| account.done.len()).sum();
    eprintln!("by SENTINEL FAILOVER alone, {lost} of {done} acknowledged writes are lost");
    assert!(lost > 0, "the old master went on, and nobody ever heard of it");
}
