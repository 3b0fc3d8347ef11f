//! A sentinel that stands still, and what it makes of it afterwards.
//!
//! Redis looks at the gap between two runs of its timer: more than two seconds (`SENTINEL_TILT_TRIGGER`), and it judges
//! nobody for a while. The timer has run up to a tenth of a second before the stall began, so a stall of 2 s is nearly always
//! TILT, and one of 1.8 s never. A shorter one is longer than a `down-after-milliseconds` of 1000 all the same. It
//! does no harm, because silence counts from a `PING` that has no answer: what was asked before the stall was answered
//! during it, and those answers are read before anything is judged. Redis reads them a moment *after* its timer when it wakes from `SIGSTOP`
//! (the wait for sockets is cut short by the signal), so it can hold an instance for down, falsely, for one run of
//! the timer, if the stall began in the instant between a `PING` and its answer. Here the bytes that wait come first.

use core_types::{Broken, Endpoint, LogLevel, Millis, Rng};
use node::layers::failover::Stage;
use sim::nodes::sentinels::{self, Cast, NAME, Scrutiny};
use sim::nodes::{NodeHost, Seeker, rules};
use sim::{Fault, HostId, Profile, World};

use crate::play::CONF;
use crate::setting::{PORT, Setting, WATCH_PORT};

/// `down-after-milliseconds`
const DOWN_AFTER: u64 = 1000;

/// A master, two replicas, three sentinels with Redis's own rhythm, and nothing broken.
fn calm_world(seed: u64, tilt: Millis) -> Result<(World<'static>, Cast), Broken> {
    let profile = Profile { epoch: Millis(1_700_000_000_000), ..Profile::default() };
    let mut world = World::new(seed, profile, None);
    let nodes: Vec<HostId> = (0..3)
        .map(|place| {
            let mut file = format!("port {PORT}\nsave \"\"\nrepl-diskless-sync-delay 0\n");
            if place > 0 {
                file += &format!("replicaof {} {PORT}\n", Setting::node_ip(0));
            }
            world.add(&format!("n{place}"), &[PORT], move |boot| {
                NodeHost::configured(boot, CONF, &file, false)
            })
        })
        .collect();
    let sentinels: Vec<HostId> = (0..3)
        .map(|place| {
            let file = format!(
                "port {WATCH_PORT}\nsentinel monitor {NAME} {} {PORT} 2\n\
                 sentinel down-after-milliseconds {NAME} {DOWN_AFTER}\nsentinel failover-timeout {NAME} 10000\n",
                Setting::node_ip(0)
            );
            world.add(&format!("s{place}"), &[WATCH_PORT], move |boot| {
                NodeHost::configured(boot, CONF, &file, true)
                    .with_log(LogLevel::Warning)
                    .with_order(&format!("SENTINEL DEBUG tilt-period {}", tilt.0))
            })
        })
        .collect();
    let targets: Vec<Endpoint> =
        sentinels.iter().map(|id| Endpoint::new(world.ip(*id), WATCH_PORT)).collect();
    let pace = (Millis(50), Millis(100));
    let seeker = world.add("client", &[], move |boot| Seeker::new(targets.clone(), NAME, pace, boot));
    let cast = Cast {
        sentinels,
        nodes,
        priorities: vec![100; 3],
        seeker: Some(seeker),
        rhythm: core_types::Periods::default(),
        down_after: Millis(DOWN_AFTER),
        memory: Millis::from_secs(10),
        quorum: 2,
    };
    Scrutiny::watch(&mut world, cast.clone());
    world.start_all()?;
    let acquainted = |world: &World<'_>| {
        let knows = |id: &HostId| {
            let watched = rules::node(world, *id).and_then(|node| node.watched(NAME));
            watched.is_some_and(|watched| {
                watched.replicas().filter(|replica| replica.info_at.is_some()).count() == 2
            })
        };
        cast.sentinels.iter().all(knows) && sentinels::settled(world, &cast).is_some()
    };
    world.run_to(Millis::from_secs(60), "all know all", acquainted)?;
    Ok((world, cast))
}

/// What a sentinel says after it has stood still for so long.
fn events_after_stall(seed: u64, stall: Millis) -> Result<Vec<String>, Broken> {
    let (mut world, cast) = calm_world(seed, Millis::from_secs(30))?;
    let mut rng = Rng::new(seed);
    world.run_for(Millis(rng.below(3000)))?;
    let sentinel = cast.sentinels[0];
    let events = |world: &World<'_>| {
        let overheard = world.get::<NodeHost>(sentinel).and_then(NodeHost::overheard);
        overheard.map_or(Vec::new(), |overheard| overheard.events().to_vec())
    };
    let before = events(&world).len();
    world.inflict(Fault::Pause(sentinel))?;
    world.run_for(stall)?;
    world.inflict(Fault::Resume(sentinel))?;
    world.run_for(Millis::from_secs(5))?;
    Ok(events(&world)[before..].to_vec())
}

#[test]
fn a_stall_of_two_seconds_is_tilt_and_a_shorter_one_is_nothing() {
    for seed in 0..6 {
        let long = events_after_stall(seed, Millis(2000)).expect("no rule is broken");
        assert_eq!(long, ["+tilt #tilt mode entered"], "seed {seed}");
        let short = events_after_stall(seed, Millis(1800)).expect("no rule is broken");
        assert!(short.is_empty(), "seed {seed}: {short:?}");
    }
}

/// The replica that was chosen says that it is a master while the leader is in TILT and makes nothing of it. When TILT
/// is over it says so again, and only then does the failover go on, with a configuration of its own epoch.
#[test]
fn a_leader_that_sleeps_through_the_promotion_finishes_it_with_a_new_epoch() {
    for seed in 0..3 {
        let (mut world, cast) = calm_world(seed, Millis::from_secs(1)).expect("no rule is broken");
        world.inflict(Fault::Crash(cast.nodes[0])).expect("no rule is broken");
        let leader = |world: &World<'_>| {
            let waits = |id: &&HostId| {
                let watched = rules::node(world, **id).and_then(|node| node.watched(NAME));
                watched
                    .and_then(|watched| watched.failover())
                    .is_some_and(|(_, stage)| stage == Stage::WaitPromotion)
            };
            cast.sentinels.iter().find(waits).copied()
        };
        let elected = world.run_to(Millis::from_secs(60), "somebody leads", |world| leader(world).is_some());
        elected.expect("the master is dead");
        let leader = leader(&world).expect("somebody leads");
        world.inflict(Fault::Pause(leader)).expect("no rule is broken");
        world.run_for(Millis(2500)).expect("no rule is broken");
        world.inflict(Fault::Resume(leader)).expect("no rule is broken");
        let epoch = |world: &World<'_>| {
            let watched = rules::node(world, leader).and_then(|node| node.watched(NAME));
            watched.map_or(0, |watched| watched.config_epoch().0)
        };
        // Nobody else begins before twice failover-timeout is over.
        let limit = Millis::from_secs(15);
        let promoted = world.run_to(limit, "the leader goes on", |world| epoch(world) > 0);
        promoted.unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        let settled = |world: &World<'_>| sentinels::settled(world, &cast).is_some();
        let agreed = world.heal_and_settle(Millis::from_secs(120), "all sentinels agree again", settled);
        agreed.unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        let watched = rules::node(&world, leader).and_then(|node| node.watched(NAME)).expect("it watches");
        assert_ne!(watched.address().host, Setting::node_ip(0), "seed {seed}");
    }
}
