//! Chapter 1 with whole nodes: a master, two replicas, a client that writes, and everything that can go wrong.
//!
//! Safety after every step: a replica is never ahead of its master, and equals it at equal offsets. Then everything is
//! repaired, the client falls silent, and liveness is required: all data sets become equal.
//! `SIM_SEEDS=10000` runs more seeds, `SIM_SEED=17` replays one.

use core_types::{ArgsBuf, Broken, Endpoint, Millis, Rng};
use node::config::Config;
use sim::nodes::{Client, Load, NodeHost, rules};
use sim::{Boot, FaultMix, FaultPlan, HostId, Io, Profile, Trace, World, family};

const PORT: u16 = 7000;
const SEEDS: u64 = 300;

/// What a seed decides before the run begins.
struct Setting {
    profile: Profile,
    timeout: Millis,
    delay: Millis,
    diskless: bool,
    password: bool,
    /// Time in the client's hands.
    busy: Millis,
    /// The second replica follows the first, not the master.
    chained: bool,
    value_size: u64,
}

impl Setting {
    fn draw(rng: &mut Rng) -> Setting {
        let slow = rng.between(1, 40);
        Setting {
            profile: Profile {
                latency: (Millis(1), Millis(slow)),
                split_percent: rng.below(80),
                buffer: rng.between(200, 64 * 1024) as usize,
                connect_timeout: Millis::from_secs(20),
                // Wall clocks don't start at zero, and expiry times must not look like small numbers.
                epoch: Millis(1_700_000_000_000),
                ..Profile::default()
            },
            timeout: Millis::from_secs(rng.between(3, 15)),
            delay: Millis::from_secs(rng.below(2)),
            diskless: rng.chance(70),
            password: rng.chance(30),
            busy: Millis::from_secs(rng.between(5, 25)),
            chained: rng.chance(25),
            value_size: if rng.chance(20) { 5000 } else { 20 },
        }
    }

    fn config(&self, master: Option<&str>) -> Config {
        Config {
            port: PORT,
            requirepass: self.password.then(|| "secret".into()),
            masterauth: self.password.then(|| "secret".into()),
            replicaof: master.map(|master| Endpoint::new(master, PORT)),
            repl_timeout: self.timeout,
            repl_ping_replica_period: Millis::from_secs(1),
            repl_diskless_sync: self.diskless,
            repl_diskless_sync_delay: self.delay,
            ..Config::default()
        }
    }
}

/// The next command of a client that keeps all kinds of changes coming.
fn random_command(rng: &mut Rng, value_size: u64) -> ArgsBuf {
    let key = format!("key:{}", rng.below(12));
    let other = format!("key:{}", rng.below(12));
    let number = rng.between(1, 3000).to_string();
    let value = "v".repeat(rng.below(value_size) as usize);
    let words: Vec<&str> = match rng.below(20) {
        0..=4 => vec!["SET", &key, &value],
        5..=6 => vec!["SET", &key, &value, "PX", &number],
        7 => vec!["SET", &key, &number, "KEEPTTL"],
        8 => vec!["PEXPIRE", &key, &number],
        9 => vec!["PERSIST", &key],
        10 => vec!["DEL", &key, &other],
        11 => vec!["INCR", &other],
        12 => vec!["APPEND", &key, &value],
        13 => vec!["GETEX", &key, "PX", &number],
        14 => vec!["RENAME", &key, &other],
        15 => vec!["MSET", &key, &number, &other, &value],
        16 => vec!["SELECT", if rng.chance(50) { "0" } else { "3" }],
        17 if rng.chance(10) => vec!["FLUSHALL"],
        _ => vec!["GET", &key],
    };
    ArgsBuf::from_parts(words)
}

struct Cast {
    client: HostId,
    master: HostId,
    replicas: [HostId; 2],
}

/// Makes the world of one seed. `change` may spoil the replicas.
fn stage<'t>(
    seed: u64,
    trace: Option<&'t mut Trace>,
    change: impl Fn(NodeHost) -> NodeHost + Clone + 'static,
) -> (World<'t>, Cast, Setting) {
    let mut rng = Rng::new(seed);
    let setting = Setting::draw(&mut rng);
    let mut world = World::new(rng.next_u64(), setting.profile.clone(), trace);
    let config = setting.config(None);
    let master = world.add("master", &[PORT], move |boot| NodeHost::new(config.clone(), boot));
    let mut replicas = [master; 2];
    for (index, name) in ["replica-1", "replica-2"].into_iter().enumerate() {
        let upstream = if setting.chained && index == 1 { "replica-1" } else { "master" };
        let config = setting.config(Some(upstream));
        let change = change.clone();
        replicas[index] = world.add(name, &[PORT], move |boot| change(NodeHost::new(config.clone(), boot)));
    }
    let (size, password) = (setting.value_size, setting.password);
    let mut greeted = !password;
    let client = world.add("client", &[], move |boot: &Boot| {
        let load = Load {
            pace: (Millis(5), Millis(150)),
            next: Box::new(move |rng| {
                // Now and then it introduces itself again: it may have been cut off in between.
                if password && (!std::mem::replace(&mut greeted, true) || rng.chance(10)) {
                    return ArgsBuf::from_parts(["AUTH", "secret"]);
                }
                random_command(rng, size)
            }),
        };
        Client::new(Endpoint::new("master", PORT), boot).with_load(load)
    });
    let hosts = [master, replicas[0], replicas[1]];
    let mix =
        FaultMix { until: setting.busy, at_most: 6, longest: Millis::from_secs(20), ..FaultMix::default() };
    world.plan(&FaultPlan::random(&mut rng, &hosts, &mix));
    (world, Cast { client, master, replicas }, setting)
}

fn play(seed: u64, trace: Option<&mut Trace>) -> Result<u64, Broken> {
    play_with(seed, trace, |node| node)
}

fn play_with(
    seed: u64,
    trace: Option<&mut Trace>,
    change: impl Fn(NodeHost) -> NodeHost + Clone + 'static,
) -> Result<u64, Broken> {
    let (mut world, cast, setting) = stage(seed, trace, change);
    let Cast { client, master, replicas: [one, two] } = cast;
    let upstream = if setting.chained { one } else { master };
    world.always(move |world| rules::replica_equals_master_at_equal_offset(world, master, one));
    world.always(move |world| rules::replica_equals_master_at_equal_offset(world, upstream, two));
    world.start_all()?;
    world.run_until(setting.busy)?;
    world.heal_all()?;
    world.run_for(Millis::from_secs(2))?;
    world.act(client, |client: &mut Client, _| client.stop_load())?;
    world.run_to(Millis::from_secs(120), "after all is repaired, the data sets become equal", |world| {
        rules::in_sync(world, master, one) && rules::in_sync(world, upstream, two)
    })?;
    // And they stay so: expiry goes on, and nothing else.
    world.run_for(Millis::from_secs(4))?;
    world.run_to(Millis::from_secs(10), "the data sets stay equal", |world| {
        rules::in_sync(world, master, one) && rules::in_sync(world, upstream, two)
    })?;
    Ok(world.steps())
}

#[test]
fn replicas_equal_their_master_once_faults_are_over() {
    family::check("replication under faults", SEEDS, play);
}

/// Plays the same with replicas that operators order about: to be masters, and replicas again.
fn play_with_operators(seed: u64, trace: Option<&mut Trace>) -> Result<u64, Broken> {
    let mut rng = Rng::new(seed ^ 0x5eed);
    let (mut world, cast, setting) = stage(seed, trace, |node| node);
    let Cast { client, master, replicas: [one, two] } = cast;
    let password = setting.password;
    let mut operators = Vec::new();
    for (node, name) in [(one, "replica-1"), (two, "replica-2")] {
        let operator = world.add(&format!("operator of {name}"), &[], move |boot| {
            Client::new(Endpoint::new(name, PORT), boot)
        });
        operators.push((operator, node));
    }
    for (upper, lower) in [(master, one), (master, two), (one, two), (two, one)] {
        world.always(move |world| {
            let follows = rules::follows(world, lower, upper);
            if follows { rules::replica_equals_master_at_equal_offset(world, upper, lower) } else { Ok(()) }
        });
    }
    world.start_all()?;
    let order = |world: &mut World<'_>, operator: HostId, command: &str| {
        world.act(operator, |client: &mut Client, io: &mut Io<'_, '_>| {
            if password {
                client.send(io, "AUTH secret");
            }
            client.send(io, command)
        })
    };
    while world.now() < setting.busy {
        world.run_for(Millis(rng.between(500, 8000)))?;
        let (operator, node) = operators[rng.below(2) as usize];
        let other = if node == one { "replica-2" } else { "replica-1" };
        let command = match rng.below(4) {
            0 => "REPLICAOF NO ONE".to_string(),
            1 => format!("REPLICAOF {other} {PORT}"),
            _ => format!("REPLICAOF master {PORT}"),
        };
        order(&mut world, operator, &command)?;
    }
    world.heal_all()?;
    world.run_for(Millis::from_secs(2))?;
    world.act(client, |client: &mut Client, _| client.stop_load())?;
    for &(operator, node) in &operators {
        world.run_to(Millis::from_secs(60), "an operator reaches a node that is up", |world| {
            world.get::<Client>(operator).is_some_and(Client::is_connected)
        })?;
        order(&mut world, operator, &format!("REPLICAOF master {PORT}"))?;
        world.run_to(Millis::from_secs(60), "a node does what it is told", |world| {
            rules::follows(world, node, master)
        })?;
    }
    world.run_to(Millis::from_secs(120), "after all is repaired, the data sets become equal", |world| {
        rules::in_sync(world, master, one) && rules::in_sync(world, master, two)
    })?;
    Ok(world.steps())
}

#[test]
fn replicas_that_are_ordered_about_equal_their_master_in_the_end() {
    family::check("replicas ordered about", SEEDS / 3, play_with_operators);
}

/// The same with a first replica that hears something else than what was sent: a known-bad program.
fn play_tampered(
    seed: u64,
    trace: Option<&mut Trace>,
    tamper: impl FnMut(&mut Vec<u8>) + Clone + 'static,
) -> Result<u64, Broken> {
    play_with(seed, trace, move |node| node.with_tampered_input(tamper.clone()))
}

#[test]
fn a_replica_that_changes_a_value_is_caught() {
    let tampered = |seed, trace: Option<&mut Trace>| {
        play_tampered(seed, trace, |bytes| {
            if let Some(at) = bytes.windows(4).position(|window| window == b"vvvv") {
                bytes[at] = b'w';
            }
        })
    };
    let failure = family::search("a changed value", 0, 20, tampered).expect_err("the data differ");
    assert_eq!(failure.broken.rule, "at equal offsets, master and replica hold the same data");
    assert!(failure.to_string().contains(&format!("SIM_SEED={}", failure.seed)));
    assert!(failure.trace.lines().len() > 10);
}

#[test]
fn a_replica_that_misses_a_piece_of_the_stream_is_caught() {
    let tampered = |seed, trace: Option<&mut Trace>| {
        let mut heard = 0;
        play_tampered(seed, trace, move |bytes| {
            heard += 1;
            if heard % 40 == 0 {
                bytes.clear();
            }
        })
    };
    family::search("a missed piece", 0, 20, tampered).expect_err("a node that is half deaf cannot keep up");
}
