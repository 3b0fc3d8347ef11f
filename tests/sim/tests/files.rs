//! Nodes that die and come back with their files: what a crash leaves on the disk, and what that is worth.

use core_types::{Broken, Endpoint, Millis};
use node::config::Config;
use sim::nodes::stories::PORT;
use sim::nodes::{Client, Ledger, NodeHost, rules};
use sim::{Fault, HostId, Profile, Trace, World};

/// A master, its replica and a client of the master; each node with directives of its own.
struct Cast {
    master: HostId,
    replica: HostId,
    client: HostId,
}

fn play(
    master: &'static str,
    replica: &'static str,
    act: impl FnOnce(&mut World<'_>, &Cast) -> Result<(), Broken>,
) -> String {
    let mut trace = Trace::new("files");
    let mut world = World::new(1, Profile::calm(), Some(&mut trace));
    let mut add = |name: &str, more: &str| {
        let text = format!("port {PORT}\nrepl-diskless-sync-delay 0\n{more}");
        let config = Config::from_text(&text).expect("a sound configuration");
        world.add(name, &[PORT], move |boot| NodeHost::with_files(config.clone(), boot))
    };
    let master = add("master", master);
    let replica = add("replica", &format!("replicaof master {PORT}\n{replica}"));
    let client = world.add("client", &[], |boot| Client::new(Endpoint::new("master", PORT), boot));
    let cast = Cast { master, replica, client };
    Ledger::watch(&mut world, &[master, replica], None);
    world.start_all().and_then(|()| world.run_for(Millis(2000))).expect("no rule is broken");
    act(&mut world, &cast).expect("no rule is broken");
    drop(world);
    trace.to_text()
}

impl Cast {
    fn say(&self, world: &mut World<'_>, command: &str) -> Result<(), Broken> {
        world.act(self.client, |client: &mut Client, io| client.send(io, command))?;
        world.run_for(Millis(100))
    }

    fn order(&self, world: &mut World<'_>, id: HostId, command: &str) -> Result<(), Broken> {
        world.act(id, |host: &mut NodeHost, io| host.order(io, command))?;
        world.run_for(Millis(500))
    }

    fn in_sync(&self, world: &World<'_>) -> bool {
        rules::in_sync(world, self.master, self.replica)
    }
}

fn keys(world: &World<'_>, id: HostId) -> usize {
    rules::node(world, id).map_or(0, |node| node.keyspace().len(0))
}

#[test]
fn a_replica_that_comes_back_with_its_rdb_file_continues() {
    let text = play("", "", |world, cast| {
        cast.say(world, "SET a 1")?;
        cast.order(world, cast.replica, "BGSAVE")?;
        cast.say(world, "SET b 2")?;
        world.inflict(Fault::Crash(cast.replica))?;
        cast.say(world, "SET c 3")?;
        world.inflict(Fault::Restart(cast.replica))?;
        assert_eq!(keys(world, cast.replica), 1, "the file is older than the crash");
        world.run_for(Millis(3000))?;
        assert!(cast.in_sync(world) && keys(world, cast.replica) == 3);
        Ok(())
    });
    assert_eq!(text.matches("+FULLRESYNC").count(), 1, "{text}");
    assert_eq!(text.matches("+CONTINUE").count(), 1, "{text}");
}

#[test]
fn a_master_that_comes_back_with_its_rdb_file_is_continued_under_a_new_id() {
    let text = play("", "", |world, cast| {
        cast.say(world, "SET a 1")?;
        cast.order(world, cast.master, "BGSAVE")?;
        let before = rules::node(world, cast.master).map(node::Node::replication_id);
        world.inflict(Fault::Crash(cast.master))?;
        world.inflict(Fault::Restart(cast.master))?;
        world.run_for(Millis(3000))?;
        assert!(cast.in_sync(world) && keys(world, cast.replica) == 1);
        assert_ne!(rules::node(world, cast.replica).map(node::Node::replication_id), before);
        Ok(())
    });
    assert_eq!(text.matches("+CONTINUE").count(), 1, "{text}");
}

#[test]
fn a_master_whose_file_is_too_old_gives_a_snapshot_and_the_newer_writes_are_lost() {
    let text = play("", "", |world, cast| {
        cast.say(world, "SET a 1")?;
        cast.order(world, cast.master, "BGSAVE")?;
        cast.say(world, "SET b 2")?;
        assert_eq!(keys(world, cast.replica), 2);
        world.inflict(Fault::Crash(cast.master))?;
        world.inflict(Fault::Restart(cast.master))?;
        world.run_for(Millis(3000))?;
        assert!(cast.in_sync(world));
        assert_eq!(
            keys(world, cast.replica),
            1,
            "a replica is a copy of its master, not a keeper of its past"
        );
        Ok(())
    });
    assert_eq!(text.matches("+FULLRESYNC").count(), 2, "{text}");
}

#[test]
fn an_append_only_file_on_the_replica_alone_keeps_what_the_master_does_not() {
    let text = play("", "appendonly yes\nappendfsync always", |world, cast| {
        cast.say(world, "SET a 1")?;
        cast.say(world, "RPUSH list x y z")?;
        world.inflict(Fault::Crash(cast.replica))?;
        world.inflict(Fault::Partition(cast.master, cast.replica))?;
        world.inflict(Fault::Restart(cast.replica))?;
        world.run_for(Millis(1000))?;
        assert_eq!(keys(world, cast.replica), 2, "without its master it has its file");
        world.inflict(Fault::Heal(cast.master, cast.replica))?;
        world.run_for(Millis(5000))?;
        assert!(cast.in_sync(world));
        cast.say(world, "SET b 2")?;
        world.inflict(Fault::Crash(cast.replica))?;
        world.inflict(Fault::Partition(cast.master, cast.replica))?;
        world.inflict(Fault::Restart(cast.replica))?;
        assert_eq!(
            keys(world, cast.replica),
            3,
            "and after a full synchronisation it is the new data's file"
        );
        Ok(())
    });
    // An append-only file tells no place in a history.
    assert_eq!(text.matches("+FULLRESYNC").count(), 2, "{text}");
}

#[test]
fn the_replicas_file_saves_the_data_if_it_is_promoted_before_the_master_is_back() {
    play("", "appendonly yes\nappendfsync always", |world, cast| {
        cast.say(world, "SET a 1")?;
        world.inflict(Fault::Crash(cast.master))?;
        cast.order(world, cast.replica, "REPLICAOF NO ONE")?;
        world.inflict(Fault::Restart(cast.master))?;
        assert_eq!(keys(world, cast.master), 0);
        cast.order(world, cast.master, &format!("REPLICAOF replica {PORT}"))?;
        world.run_for(Millis(3000))?;
        assert!(rules::in_sync(world, cast.replica, cast.master));
        assert_eq!(keys(world, cast.master), 1);
        Ok(())
    });
}

#[test]
fn what_was_not_synced_may_be_lost_and_what_was_is_not() {
    let mut kept = [false; 4];
    for seed in 0..500 {
        let mut world = World::new(seed, Profile::calm(), None);
        let text = format!("port {PORT}\nappendonly yes\nappendfsync everysec");
        let config = Config::from_text(&text).expect("a sound configuration");
        let id = world.add("n", &[PORT], move |boot| NodeHost::with_files(config.clone(), boot));
        let run = |world: &mut World<'_>| -> Result<usize, Broken> {
            world.start_all()?;
            world.act(id, |host: &mut NodeHost, io| host.order(io, "RPUSH list old"))?;
            world.run_for(Millis(2500))?;
            for item in ["new:1", "new:2", "new:3"] {
                world.act(id, |host: &mut NodeHost, io| host.order(io, &format!("RPUSH list {item}")))?;
            }
            world.inflict(Fault::Crash(id))?;
            world.inflict(Fault::Restart(id))?;
            let said = world.act(id, |host: &mut NodeHost, io| host.order(io, "LRANGE list 0 -1"))?;
            let said = said.unwrap_or_default();
            let items: Vec<&str> = said.split("\r\n").skip(2).step_by(2).collect();
            let all = ["old", "new:1", "new:2", "new:3"];
            assert_eq!(items[..], all[..items.len()], "what is there is a beginning of what was");
            Ok(items.len())
        };
        let count = run(&mut world).expect("no rule is broken");
        // The first write after a quiet second takes the ones before it to the disk, and itself.
        assert!(count >= 2, "what was written more than a second ago is on the disk");
        kept[count - 1] = true;
    }
    assert_eq!(kept, [false, true, true, true], "over many crashes all of the rest, some of it, none");
}
