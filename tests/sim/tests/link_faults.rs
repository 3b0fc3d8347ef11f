//! Single faults between a master and its replica, each with its one outcome.

use core_types::{Broken, Millis};
use node::layers::one_replica::LinkState;
use sim::nodes::stories::{PORT, Story, config};
use sim::nodes::{Client, NodeHost, rules};
use sim::{Fault, Profile, Trace, World};

fn play(act: impl FnOnce(&mut Story<'_>)) -> String {
    let mut trace = Trace::new("a single fault");
    let mut story = Story::new(&mut trace);
    let (master, replica) = (story.master, story.replica);
    story.world.always(move |world| rules::replica_equals_master_at_equal_offset(world, master, replica));
    act(&mut story);
    drop(story);
    trace.to_text()
}

fn link(story: &Story<'_>) -> Option<LinkState> {
    rules::node(&story.world, story.replica).and_then(node::Node::link_state)
}

fn in_sync(story: &Story<'_>) -> bool {
    rules::in_sync(&story.world, story.master, story.replica)
}

fn keys(story: &Story<'_>) -> usize {
    rules::node(&story.world, story.replica).map_or(0, |node| node.keyspace().len(0))
}

#[test]
fn short_partition_costs_no_resynchronisation() {
    let text = play(|story| {
        story.start_replica();
        story.wait(2000);
        story.inflict(Fault::Partition(story.master, story.replica));
        story.client("SET x 1");
        story.wait(10_000);
        assert!(!in_sync(story));
        story.inflict(Fault::Heal(story.master, story.replica));
        story.wait(5);
        assert!(in_sync(story) && keys(story) == 1);
    });
    assert_eq!(text.matches("+FULLRESYNC").count(), 1, "{text}");
}

#[test]
fn partition_longer_than_the_timeout_ends_the_link_and_costs_a_partial_one() {
    let text = play(|story| {
        story.start_replica();
        story.wait(2000);
        story.inflict(Fault::Partition(story.master, story.replica));
        story.client("SET x 1");
        story.wait(65_000);
        assert_ne!(link(story), Some(LinkState::Online), "repl-timeout is a minute");
        story.inflict(Fault::Heal(story.master, story.replica));
        let settled = story.world.run_to(Millis::from_secs(70), "master and replica agree", |world| {
            rules::in_sync(world, story.master, story.replica)
        });
        assert!(settled.is_ok(), "{settled:?}");
        assert_eq!(keys(story), 1);
    });
    assert_eq!(text.matches("+FULLRESYNC").count(), 1, "{text}");
    assert_eq!(text.matches("+CONTINUE").count(), 1, "the backlog has all that was missed: {text}");
}

#[test]
fn silence_from_the_master_alone_is_noticed_too() {
    play(|story| {
        story.start_replica();
        story.wait(2000);
        story.inflict(Fault::OneWay(story.master, story.replica));
        story.wait(62_000);
        assert_ne!(link(story), Some(LinkState::Online));
    });
}

#[test]
fn a_replica_keeps_its_data_until_a_whole_snapshot_has_come() {
    play(|story| {
        story.client("SET x 1");
        story.start_replica();
        story.wait(2000);
        assert_eq!(keys(story), 1);
        story.inflict(Fault::Crash(story.master));
        story.wait(5000);
        assert_eq!(keys(story), 1, "the master is gone, the copy is not");
        story.inflict(Fault::Restart(story.master));
        story.wait(5000);
        assert_eq!(keys(story), 0, "the master came back empty, and a replica is a copy of its master");
        assert!(in_sync(story));
    });
}

#[test]
fn master_that_dies_amid_the_snapshot_costs_the_replica_nothing() -> Result<(), Broken> {
    // A small buffer and long values: the snapshot takes many round trips.
    let profile = Profile { buffer: 500, ..Profile::calm() };
    let mut world = World::new(1, profile, None);
    let master = world.add("master", &[PORT], |boot| NodeHost::new(config(None), boot));
    let replica = world.add("replica", &[PORT], |boot| NodeHost::new(config(Some("master")), boot));
    let client =
        world.add("client", &[], |boot| Client::new(core_types::Endpoint::new("master", PORT), boot));
    world.start_all()?;
    world.run_for(Millis(1000))?;
    for index in 0..20 {
        world.act(client, |client: &mut Client, io| {
            client.send(io, &format!("SET key:{index} {}", "v".repeat(400)))
        })?;
    }
    world.run_for(Millis(2000))?;
    assert!(rules::in_sync(&world, master, replica));

    // The master comes back without its memory, gets other data, and dies again half way through its snapshot.
    world.inflict(Fault::Crash(master))?;
    world.inflict(Fault::Partition(master, replica))?;
    world.inflict(Fault::Restart(master))?;
    world.run_for(Millis(1000))?;
    for index in 0..20 {
        world.act(client, |client: &mut Client, io| {
            client.send(io, &format!("SET other:{index} {}", "w".repeat(400)))
        })?;
    }
    world.run_for(Millis(1000))?;
    world.inflict(Fault::Heal(master, replica))?;
    world.run_to(Millis::from_secs(10), "a new snapshot begins", |world| {
        rules::node(world, replica).and_then(node::Node::link_state) == Some(LinkState::Transfer)
    })?;
    world.run_for(Millis(2))?;
    world.inflict(Fault::Crash(master))?;
    world.run_for(Millis(500))?;
    let keys = rules::node(&world, replica).map(|node| node.keyspace().len(0));
    assert_eq!(keys, Some(20), "half a snapshot replaces nothing");
    world.heal_and_settle(Millis::from_secs(20), "master and replica agree", |world| {
        rules::in_sync(world, master, replica)
    })?;
    Ok(())
}
