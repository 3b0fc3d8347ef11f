//! When a replica that comes back continues, and when it begins again; ours and real Redis on either side.

use core_types::Frame;
use system::load::grow;
use system::topology::{QUIET, Syncs, cut_off, each_pair, follow, follow_by_cable, settle, together};
use system::{Cable, Client, Kind, Server, data, redis_tool_or_skip, wait};

/// A server that is told to follow another offers what it has, as if it were a master that was demoted. It is
/// refused, because nobody knows its history.
const FIRST_OFFER: u64 = 1;

fn ok() -> Frame {
    Frame::Simple("OK".into())
}

#[test]
fn a_short_cut_is_continued() {
    each_pair("a_short_cut_is_continued", |master, replica| {
        let (master, replica) = (Server::start(master, &QUIET), Server::start(replica, &QUIET));
        data::write(&mut master.client(), 1, 400);
        let cable = follow_by_cable(&replica, &master);
        for round in 1..=2 {
            cut_off(&replica, &cable);
            data::write(&mut master.client(), 1 + round, 400);
            cable.mend();
            settle(&[&master, &replica]);
            assert_eq!(Syncs::of(&master), Syncs { full: 1, partial: round, refused: FIRST_OFFER });
        }
        let from = master.info("repl_backlog_first_byte_offset");
        assert_eq!(from, "1", "the history began with the first replica");
    });
}

#[test]
fn a_cut_longer_than_the_backlog_begins_again() {
    each_pair("a_cut_longer_than_the_backlog_begins_again", |master, replica| {
        let flags = [&QUIET[..], &["--repl-backlog-size", "16384"]].concat();
        let (master, replica) = (Server::start(master, &flags), Server::start(replica, &flags));
        let cable = follow_by_cable(&replica, &master);
        data::write(&mut master.client(), 1, 400);
        settle(&[&master, &replica]);
        cut_off(&replica, &cable);
        grow(&master, 1 << 20);
        cable.mend();
        settle(&[&master, &replica]);
        assert_eq!(Syncs::of(&master), Syncs { full: 2, partial: 0, refused: FIRST_OFFER + 1 });
    });
}

#[test]
fn a_demoted_master_continues_unless_it_wrote_on() {
    each_pair("a_demoted_master_continues_unless_it_wrote_on", |first, second| {
        let (old, new) = (Server::start(first, &QUIET), Server::start(second, &QUIET));
        data::write(&mut old.client(), 1, 400);
        follow(&new, old.port());
        settle(&[&old, &new]);
        let history = old.info("master_replid");

        assert_eq!(new.run("REPLICAOF NO ONE"), ok());
        // The new master has gone on, the old one has not.
        new.run("SET new word");
        follow(&old, new.port());
        settle(&[&old, &new]);
        assert_eq!(Syncs::of(&new), Syncs { full: 0, partial: 1, refused: 0 });
        for server in [&old, &new] {
            assert_eq!(server.info("master_replid2"), history);
        }
        assert_eq!(old.info("second_repl_offset"), new.info("second_repl_offset"));

        // Once more the other way round, and this time the one that is demoted writes first.
        assert_eq!(old.run("REPLICAOF NO ONE"), ok());
        new.run("SET a word-that-nobody-else-has");
        follow(&new, old.port());
        settle(&[&old, &new]);
        assert_eq!(new.run("EXISTS a"), Frame::Integer(0), "its write is gone");
        assert_eq!(Syncs::of(&old), Syncs { full: 2, partial: 0, refused: FIRST_OFFER + 1 });
    });
}

#[test]
fn a_promoted_replica_continues_its_siblings() {
    each_pair("a_promoted_replica_continues_its_siblings", |promoted, sibling| {
        let master = Server::start(sibling, &QUIET);
        let (promoted, sibling) = (Server::start(promoted, &QUIET), Server::start(sibling, &QUIET));
        for server in [&promoted, &sibling] {
            follow(server, master.port());
            server.wait_for_link();
        }
        data::write(&mut master.client(), 1, 400);
        settle(&[&master, &promoted, &sibling]);
        let (history, offset) = (master.info("master_replid"), master.info("master_repl_offset"));

        assert_eq!(promoted.run("REPLICAOF NO ONE"), ok());
        assert_eq!(promoted.info("master_replid2"), history);
        let next = offset.parse::<u64>().expect("an offset") + 1;
        assert_eq!(promoted.info("second_repl_offset"), next.to_string());
        follow(&sibling, promoted.port());
        sibling.wait_for_link();
        data::write(&mut promoted.client(), 2, 400);
        settle(&[&promoted, &sibling]);
        assert_eq!(Syncs::of(&promoted), Syncs { full: 0, partial: 1, refused: 0 });
        assert_eq!(
            sibling.info("master_replid2"),
            history,
            "it was told the new name, and keeps the old one"
        );
    });
}

#[test]
fn a_replica_that_was_shut_down_with_a_file_continues() {
    each_pair("a_replica_that_was_shut_down_with_a_file_continues", |master, replica| {
        let master = Server::start(master, &QUIET);
        let port = master.port_text();
        let flags = [&QUIET[..], &["--replicaof", "127.0.0.1", &port]].concat();
        let mut replica = Server::start(replica, &flags);
        replica.wait_for_link();
        data::write(&mut master.client(), 1, 400);
        settle(&[&master, &replica]);
        shut_down_and_save(&mut replica);
        data::write(&mut master.client(), 2, 400);
        replica.restart();
        settle(&[&master, &replica]);
        assert_eq!(Syncs::of(&master), Syncs { full: 1, partial: 1, refused: 0 });
    });
}

#[test]
fn a_master_that_was_shut_down_with_a_file_continues_its_replicas() {
    each_pair("a_master_that_was_shut_down_with_a_file_continues_its_replicas", |master, replica| {
        let (mut master, replica) = (Server::start(master, &QUIET), Server::start(replica, &QUIET));
        follow(&replica, master.port());
        replica.wait_for_link();
        data::write(&mut master.client(), 1, 400);
        settle(&[&master, &replica]);
        let history = master.info("master_replid");
        shut_down_and_save(&mut master);
        master.restart();
        master.wait_until_loaded();
        settle(&[&master, &replica]);
        assert_eq!(Syncs::of(&master), Syncs { full: 0, partial: 1, refused: 0 });
        assert_ne!(master.info("master_replid"), history);
        assert_eq!(master.info("master_replid2"), history);
    });
}

fn shut_down_and_save(server: &mut Server) {
    let _ = server.client().try_call(&["SHUTDOWN", "SAVE"]);
    wait::until("its end", || !server.is_alive());
    assert!(server.dir().join("dump.rdb").is_file(), "it has saved:\n{}", server.log());
}

#[test]
fn a_link_on_which_nothing_comes_is_given_up_by_both_sides() {
    each_pair("a_link_on_which_nothing_comes_is_given_up_by_both_sides", |master, replica| {
        let (master, replica) = (Server::start(master, &QUIET), Server::start(replica, &QUIET));
        let cable = follow_by_cable(&replica, &master);
        data::write(&mut master.client(), 1, 100);
        settle(&[&master, &replica]);
        cable.pinch();
        for server in [&master, &replica] {
            server.run("CONFIG SET repl-timeout 1");
        }
        master.wait_for_log("Disconnecting timedout replica (streaming sync)");
        replica.wait_for_log("MASTER timeout: no data nor PING received...");
        for server in [&master, &replica] {
            server.run("CONFIG SET repl-timeout 60");
        }
        data::write(&mut master.client(), 2, 100);
        cable.cut();
        cable.mend();
        settle(&[&master, &replica]);
        let syncs = Syncs::of(&master);
        assert_eq!((syncs.full, syncs.refused), (1, FIRST_OFFER), "{syncs:?}");
    });
}

/// What a master looks like to a replica that asks again, with the names of histories replaced.
fn forgets_its_backlog(kind: Kind) -> Vec<String> {
    let flags = [&QUIET[..], &["--repl-backlog-ttl", "1"]].concat();
    let master = Server::start(kind, &flags);
    let attach = |line: &str| {
        let mut client: Client = master.client();
        client.send(format!("{line}\r\n").as_bytes()).expect("it listens");
        (String::from_utf8_lossy(&client.read_line()).trim().to_owned(), client)
    };
    let (_, replica) = attach("PSYNC ? -1");
    master.run("SET k v");
    let history = master.info("master_replid");
    let mut seen = vec![master.info("repl_backlog_active"), master.info("repl_backlog_histlen")];
    drop(replica);
    wait::until("the replica to be gone", || master.info("connected_slaves") == "0");
    wait::until("the backlog to be forgotten", || master.info("repl_backlog_active") == "0");
    assert_ne!(master.info("master_replid"), history, "nobody can know what is written from now on");
    for field in ["master_replid2", "second_repl_offset", "master_repl_offset", "repl_backlog_histlen"] {
        seen.push(format!("{field} {}", master.info(field)));
    }
    // Without a backlog nothing is counted.
    master.run("SET k w");
    seen.push(master.info("master_repl_offset"));
    let (answer, _) = attach(&format!("PSYNC {history} 1"));
    seen.push(answer.replace(&master.info("master_replid"), "<new id>"));
    seen
}

#[test]
fn a_master_without_replicas_forgets_its_backlog_as_redis_does() {
    let test = "a_master_without_replicas_forgets_its_backlog_as_redis_does";
    if redis_tool_or_skip(test, "redis-server").is_none() {
        return;
    }
    let seen = together([Kind::Ours, Kind::Redis], |kind| forgets_its_backlog(*kind));
    assert_eq!(seen[0], seen[1]);
}

#[test]
fn a_cable_that_is_cut_while_the_snapshot_comes_costs_another_one() {
    each_pair("a_cable_that_is_cut_while_the_snapshot_comes_costs_another_one", |master, replica| {
        let (master, replica) = (Server::start(master, &QUIET), Server::start(replica, &QUIET));
        data::write(&mut master.client(), 1, 2000);
        let cable = Cable::to(master.port());
        follow(&replica, cable.port());
        // The first attempts end at any moment; the last may go on.
        for _ in 0..5 {
            let attempts = cable.forwarded();
            wait::until("an attempt", || cable.forwarded() > attempts || replica_is_up(&replica));
            cable.cut();
            wait::until("the link to be down", || !replica_is_up(&replica));
            cable.mend();
        }
        settle(&[&master, &replica]);
    });
}

fn replica_is_up(replica: &Server) -> bool {
    replica.info("master_link_status") == "up"
}
