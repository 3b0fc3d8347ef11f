//! What a master knows about its replicas' progress: `WAIT`, and writes that want replicas.

use core_types::Frame;
use system::topology::{QUIET, each_pair, follow, follow_by_cable, settle};
use system::{Server, wait};

const ONE: Frame = Frame::Integer(1);
const NOBODY: Frame = Frame::Integer(0);

#[test]
fn wait_counts_the_replicas_that_have_it() {
    each_pair("wait_counts_the_replicas_that_have_it", |master, replica| {
        let (master, near) = (Server::start(master, &QUIET), Server::start(replica, &QUIET));
        let far = Server::start(replica, &QUIET);
        follow(&near, master.port());
        near.wait_for_link();
        let cable = follow_by_cable(&far, &master);
        settle(&[&master, &near, &far]);

        let mut client = master.client();
        assert_eq!(client.run("WAIT 2 0"), Frame::Integer(2), "who has written nothing waits for nothing");
        client.run("SET k v");
        assert_eq!(client.run("WAIT 2 0"), Frame::Integer(2));
        cable.pinch();
        client.run("SET k w");
        assert_eq!(client.run("WAIT 1 0"), ONE);
        assert_eq!(client.run("WAIT 2 100"), ONE, "the time is up, and so many have it");
        client.run("MULTI");
        client.run("SET k x");
        client.run("WAIT 2 0");
        let Frame::Array(replies) = client.run("EXEC") else { panic!("it runs") };
        assert_eq!(replies[1], NOBODY, "a transaction waits for nobody");

        // It waits for the far one, and hears of it.
        let waiting = b"SET k y\r\nWAIT 2 0\r\n";
        client.send(waiting).expect("it is sent");
        assert_eq!(client.next_reply().expect("the SET is answered"), Frame::Simple("OK".into()));
        let mut other = master.client();
        wait::until("a client that is blocked", || other.info("blocked_clients") == "1");
        cable.mend();
        assert_eq!(client.next_reply().expect("both have it"), Frame::Integer(2));
    });
}

#[test]
fn wait_is_answered_when_a_replica_that_was_gone_is_back() {
    each_pair("wait_is_answered_when_a_replica_that_was_gone_is_back", |master, replica| {
        let (master, replica) = (Server::start(master, &QUIET), Server::start(replica, &QUIET));
        let cable = follow_by_cable(&replica, &master);
        settle(&[&master, &replica]);
        cable.cut();
        wait::until("the replica to be gone", || master.info("connected_slaves") == "0");
        let mut client = master.client();
        client.send(b"SET k v\r\nWAIT 1 0\r\n").expect("it is sent");
        assert_eq!(client.next_reply().expect("the SET is answered"), Frame::Simple("OK".into()));
        cable.mend();
        assert_eq!(client.next_reply().expect("it has it"), ONE);
    });
}

#[test]
fn wait_ends_when_the_master_becomes_a_replica() {
    each_pair("wait_ends_when_the_master_becomes_a_replica", |master, replica| {
        let (master, replica) = (Server::start(master, &QUIET), Server::start(replica, &QUIET));
        let cable = follow_by_cable(&replica, &master);
        cable.pinch();
        let mut client = master.client();
        client.send(b"SET k v\r\nWAIT 1 0\r\n").expect("it is sent");
        assert_eq!(client.next_reply().expect("the SET is answered"), Frame::Simple("OK".into()));
        let mut other = master.client();
        wait::until("a client that is blocked", || other.info("blocked_clients") == "1");
        follow(&master, 1);
        let unblocked =
            "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";
        assert_eq!(client.next_reply().expect("an answer"), Frame::Error(unblocked.into()));
        assert!(client.next_reply().is_err(), "and the connection's end");
        let refused = "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica \
             is configured to be writable (which is not the default) writes to replicas are just local and are \
             not propagated.";
        assert_eq!(master.run("WAIT 1 0"), Frame::Error(refused.into()));
    });
}

#[test]
fn writes_are_refused_while_too_few_replicas_are_good() {
    each_pair("writes_are_refused_while_too_few_replicas_are_good", |master, replica| {
        let gate = ["--min-replicas-to-write", "1", "--min-replicas-max-lag", "2"];
        let master = Server::start(master, &[&QUIET[..], &gate].concat());
        let replica = Server::start(replica, &QUIET);
        let refused = Frame::Error("NOREPLICAS Not enough good replicas to write.".into());
        let ok = Frame::Simple("OK".into());
        assert_eq!(master.run("SET k v"), refused);
        let cable = follow_by_cable(&replica, &master);
        let mut client = master.client();
        wait::until("a write", || client.run("SET k v") == ok);
        assert_eq!(client.info("min_slaves_good_slaves"), "1");
        cable.pinch();
        wait::until("a write that is refused", || client.run("SET k w") == refused);
        assert_eq!(client.info("min_slaves_good_slaves"), "0");
        assert!(client.info("slave0").contains("state=online"), "it is still there, only late");
        assert_eq!(client.run("GET nokey"), Frame::Null, "reads go on");
        cable.mend();
        wait::until("a write", || client.run("SET k x") == ok);
        // A write from a replica's master is no client's write: the gate is the master's.
        replica.run("CONFIG SET min-replicas-to-write 1");
        client.run("SET k y");
        assert_eq!(client.run("WAIT 1 0"), ONE);
        settle(&[&master, &replica]);
    });
}
