//! `FAILOVER`: a master hands its place to a replica; ours and real Redis on either side.

use core_types::Frame;
use system::load::Load;
use system::topology::{QUIET, Syncs, each_pair, follow, settle};
use system::{Cable, Client, Kind, Server, wait};

fn ok() -> Frame {
    Frame::Simple("OK".into())
}

fn error(text: &str) -> Frame {
    Frame::Error(text.to_owned())
}

/// A master and its replica, equal. Nothing is between them.
fn pair(master: Kind, replica: Kind) -> (Server, Server) {
    let (master, replica) = (Server::start(master, &QUIET), Server::start(replica, &QUIET));
    master.run("SET before failover");
    follow(&replica, master.port());
    settle(&[&master, &replica]);
    (master, replica)
}

fn wait_until_swapped(old: &Server, new: &Server) {
    wait::until("the roles to be swapped", || old.info("role") == "slave" && new.info("role") == "master");
    settle(&[old, new]);
    assert_eq!(old.info("master_failover_state"), "no-failover");
}

#[test]
fn the_replica_takes_over_and_the_old_master_continues() {
    each_pair("the_replica_takes_over_and_the_old_master_continues", |first, second| {
        let (old, new) = pair(first, second);
        let third = Server::start(second, &QUIET);
        follow(&third, old.port());
        settle(&[&old, &new, &third]);
        let history = old.info("master_replid");
        assert_eq!(old.run(&format!("FAILOVER TO 127.0.0.1 {}", new.port())), ok());
        wait_until_swapped(&old, &new);
        // The third follows the one that it followed before.
        settle(&[&old, &new, &third]);
        for server in [&old, &new, &third] {
            assert_eq!(server.info("master_replid2"), history);
        }
        assert_eq!(Syncs::of(&new), Syncs { full: 0, partial: 1, refused: 0 });
        assert_eq!(new.run("SET after failover"), ok());
        settle(&[&old, &new, &third]);

        // And back again, to whom it finds.
        assert_eq!(new.run("FAILOVER"), ok());
        wait_until_swapped(&new, &old);
        settle(&[&old, &new, &third]);
    });
}

#[test]
fn no_write_is_lost_by_a_failover() {
    each_pair("no_write_is_lost_by_a_failover", |first, second| {
        let (old, new) = pair(first, second);
        // A client that writes until its master is one no more.
        let port = old.port();
        let writer = std::thread::spawn(move || {
            let mut client = Client::connect(port).expect("it listens");
            let mut written = 0;
            loop {
                match client.try_call(&["INCR", "counter"]) {
                    Ok(Frame::Integer(value)) => written = value,
                    Ok(Frame::Error(text)) if text.starts_with("READONLY") => return written,
                    other => panic!("{other:?}"),
                }
            }
        });
        wait::until("some writes", || new.run("EXISTS counter") == Frame::Integer(1));
        assert_eq!(old.run("FAILOVER TIMEOUT 60000"), ok());
        // First, for a writer whose master stays one never ends.
        wait_until_swapped(&old, &new);
        let written = writer.join().expect("it ends with an error of the replica that its master is now");
        assert_eq!(new.run("GET counter"), Frame::Bulk(written.to_string().into()));
    });
}

/// A replica that does not hear what its master says: a failover waits for it.
fn with_a_deaf_replica(master: Kind, replica: Kind) -> (Server, Server, Cable) {
    let (master, replica) = (Server::start(master, &QUIET), Server::start(replica, &QUIET));
    let cable = Cable::to(master.port());
    follow(&replica, cable.port());
    settle(&[&master, &replica]);
    cable.pinch();
    master.run("SET unheard word");
    (master, replica, cable)
}

/// Sends a write that is held back, and waits until it is.
fn held_back_write(master: &Server) -> Client {
    let mut client = master.client();
    client.send(b"SET later word\r\n").expect("it is sent");
    wait::until("the write to be held back", || master.info("blocked_clients") == "1");
    client
}

#[test]
fn a_failover_that_takes_too_long_is_given_up() {
    each_pair("a_failover_that_takes_too_long_is_given_up", |master, replica| {
        let (master, replica, cable) = with_a_deaf_replica(master, replica);
        assert_eq!(master.run("FAILOVER TIMEOUT 700"), ok());
        assert_eq!(master.info("master_failover_state"), "waiting-for-sync");
        let mut client = held_back_write(&master);
        assert_eq!(client.next_reply().expect("its time has come"), ok());
        assert_eq!(master.info("master_failover_state"), "no-failover");
        assert_eq!(master.info("role"), "master");
        cable.mend();
        settle(&[&master, &replica]);
    });
}

#[test]
fn a_failover_is_aborted() {
    each_pair("a_failover_is_aborted", |master, replica| {
        let (master, replica, cable) = with_a_deaf_replica(master, replica);
        assert_eq!(master.run("FAILOVER"), ok());
        let mut client = held_back_write(&master);
        assert_eq!(master.run("GET unheard"), Frame::Bulk("word".into()), "reads go on");
        assert_eq!(master.run("FAILOVER"), error("ERR FAILOVER already in progress."));
        assert_eq!(master.run("REPLICAOF NO ONE"), error("ERR REPLICAOF not allowed while failing over."));
        let mut other = master.client();
        other.send(b"PSYNC ? -1\r\n").expect("it is sent");
        let said = String::from_utf8_lossy(&other.read_line()).into_owned();
        assert_eq!(said, "-NOMASTERLINK Can't SYNC while failing over\r\n");
        assert_eq!(master.run("FAILOVER ABORT"), ok());
        assert_eq!(client.next_reply().expect("writes go on"), ok());
        assert_eq!(master.info("master_failover_state"), "no-failover");
        cable.mend();
        settle(&[&master, &replica]);
        assert_eq!(replica.run("GET later"), Frame::Bulk("word".into()));
    });
}

#[test]
fn a_failover_waits_until_the_replica_has_everything() {
    each_pair("a_failover_waits_until_the_replica_has_everything", |master, replica| {
        let (master, replica, cable) = with_a_deaf_replica(master, replica);
        assert_eq!(master.run("FAILOVER"), ok());
        let mut client = held_back_write(&master);
        cable.mend();
        wait_until_swapped(&master, &replica);
        assert_eq!(replica.run("GET unheard"), Frame::Bulk("word".into()));
        let refused = client.next_reply().expect("an answer");
        assert_eq!(refused, error("READONLY You can't write against a read only replica."));
    });
}

#[test]
fn a_forced_failover_loses_what_the_replica_has_not_heard() {
    each_pair("a_forced_failover_loses_what_the_replica_has_not_heard", |master, replica| {
        let (master, replica, cable) = with_a_deaf_replica(master, replica);
        let force = format!("FAILOVER TO 127.0.0.1 {} FORCE TIMEOUT 300", replica.port());
        assert_eq!(master.run(&force), ok());
        wait_until_swapped(&master, &replica);
        for server in [&master, &replica] {
            assert_eq!(server.run("EXISTS unheard"), Frame::Integer(0));
        }
        drop(cable);
        let syncs = Syncs::of(&replica);
        assert_eq!((syncs.full, syncs.partial), (1, 0), "the old master was ahead: it begins again");
    });
}

#[test]
fn the_target_must_be_a_replica_that_is_there() {
    each_pair("the_target_must_be_a_replica_that_is_there", |master, replica| {
        let (master, replica) = pair(master, replica);
        let port = replica.port();
        for (command, complaint) in [
            ("FAILOVER TO 127.0.0.1 1".into(), "ERR FAILOVER target HOST and PORT is not a replica."),
            (format!("FAILOVER TO 127.0.0.2 {port}"), "ERR FAILOVER target HOST and PORT is not a replica."),
            (
                format!("FAILOVER TO 127.0.0.1 {port} FORCE"),
                "ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
            ),
            (
                "FAILOVER FORCE TIMEOUT 100".into(),
                "ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
            ),
            ("FAILOVER TIMEOUT 0".into(), "ERR FAILOVER timeout must be greater than 0"),
            ("FAILOVER ABORT".into(), "ERR No failover in progress."),
        ] {
            assert_eq!(master.run(&command), error(complaint), "{command}");
        }
        assert_eq!(replica.run("FAILOVER"), error("ERR FAILOVER is not valid when server is a replica."));
    });
}

#[test]
fn a_target_that_is_gone_leaves_the_master_where_it_is() {
    each_pair("a_target_that_is_gone_leaves_the_master_where_it_is", |master, replica| {
        let (master, mut replica, _cable) = with_a_deaf_replica(master, replica);
        replica.kill();
        // The connection stays: the cable does not let its end through.
        let force = format!("FAILOVER TO 127.0.0.1 {} FORCE TIMEOUT 300", replica.port());
        assert_eq!(master.run(&force), ok());
        let state = || master.info("master_failover_state");
        wait::until("the master to try", || state() == "failover-in-progress");
        // Nobody answers, so it tries for as long as it may.
        master.wait_for_log("Connection refused");
        assert_eq!(master.run("FAILOVER ABORT"), ok());
        wait::until("the master to be one again", || {
            state() == "no-failover" && master.info("role") == "master"
        });
        assert_eq!(master.run("SET k v"), ok());
        let load = Load::start(&master, 5);
        load.wait_for_more();
        load.stop();
    });
}
