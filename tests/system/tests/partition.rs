//! The partition for tests that our nodes have (see the module `partition` of the crate `node`), and what Sentinel does
//! about a real one: the side with the majority goes on, the other side's writes are lost.

use core_types::Frame;
use system::{Client, Kind, Sentinel, Server, WATCHED, both, wait, watching};

const ALLOWED: [&str; 2] = ["--enable-test-partition", "yes"];

fn ok() -> Frame {
    Frame::Simple("OK".into())
}

/// A partitioned node says so of its link, and no more.
fn link(server: &Server) -> String {
    server.info("master_link_status")
}

#[test]
fn without_the_directive_there_is_no_such_command() {
    let [plain, allowed] = [&[][..], &ALLOWED].map(|flags| Server::start(Kind::Ours, flags));
    let Frame::Error(text) = plain.run("PARTITION CUT 1") else { panic!("it is refused") };
    assert_eq!(text, "ERR unknown command 'PARTITION', with args beginning with: 'CUT' '1' ");
    // And with it, nothing shows it.
    for question in ["COMMAND COUNT", "COMMAND INFO partition", "CONFIG GET *partition*"] {
        assert_eq!(plain.run(question), allowed.run(question), "{question}");
    }
    assert_eq!(
        allowed.run("CONFIG SET enable-test-partition no"),
        plain.run("CONFIG SET enable-test-partition no")
    );
}

#[test]
fn it_is_set_shown_and_healed() {
    let node = Server::start(Kind::Ours, &ALLOWED);
    let bulks = |words: &[&str]| {
        Frame::Array(words.iter().map(|word| Frame::Bulk(word.as_bytes().to_vec().into())).collect())
    };
    assert_eq!(node.run("PARTITION LIST"), bulks(&[]));
    assert_eq!(node.run("PARTITION CUT 7001 127.0.0.1:7002 name:sentinel-"), ok());
    assert_eq!(node.run("PARTITION LIST"), bulks(&["7001", "127.0.0.1:7002", "name:sentinel-"]));
    for wrong in
        ["PARTITION", "PARTITION CUT", "PARTITION CUT x", "PARTITION HEAL 1", "PARTITION CUT 1 name:"]
    {
        assert!(matches!(node.run(wrong), Frame::Error(_)), "{wrong}");
    }
    assert_eq!(node.run("PARTITION LIST"), bulks(&["7001", "127.0.0.1:7002", "name:sentinel-"]));
    assert_eq!(node.run("partition heal"), ok());
    assert_eq!(node.run("PARTITION LIST"), bulks(&[]));
}

#[test]
fn a_replica_that_is_cut_off_hears_nothing_and_keeps_its_connection() {
    for kind in both("a_replica_that_is_cut_off_hears_nothing_and_keeps_its_connection") {
        let master = Server::start(kind, &[]);
        let port = master.port_text();
        let flags = [&ALLOWED[..], &["--replicaof", "127.0.0.1", &port]].concat();
        let replica = Server::start(Kind::Ours, &flags);
        replica.wait_for_offset_of(&master);
        assert_eq!(replica.run(&format!("PARTITION CUT {port}")), ok());
        master.run("SET k 1");
        let said = replica.info("slave_repl_offset");
        // The master's timer goes on; its replica stays where it is.
        wait::until("bytes that do not come", || {
            master.info("master_repl_offset").parse::<u64>().expect("a number")
                > said.parse::<u64>().expect("a number")
        });
        assert_eq!(replica.run("GET k"), Frame::Null);
        assert_eq!((link(&replica).as_str(), master.info("connected_slaves").as_str()), ("up", "1"));
        assert_eq!(replica.run("PARTITION HEAL"), ok());
        replica.wait_for_offset_of(&master);
        assert_eq!(replica.run("GET k"), Frame::Bulk("1".into()));
        assert_eq!(master.info("sync_full"), "1", "it is the same connection");
    }
}

#[test]
fn a_master_can_cut_off_a_replica_that_has_told_its_port() {
    for kind in both("a_master_can_cut_off_a_replica_that_has_told_its_port") {
        let master = Server::start(Kind::Ours, &ALLOWED);
        let replica = Server::start(kind, &["--replicaof", "127.0.0.1", &master.port_text()]);
        replica.wait_for_offset_of(&master);
        assert_eq!(master.run(&format!("PARTITION CUT {}", replica.port())), ok());
        let mut client = master.client();
        client.run("SET k 1");
        // It is one of those that do not acknowledge.
        assert_eq!(client.run("WAIT 1 300"), Frame::Integer(0));
        assert_eq!(replica.run("GET k"), Frame::Null);
        assert_eq!(master.run("PARTITION HEAL"), ok());
        replica.wait_for_offset_of(&master);
        assert_eq!(replica.run("GET k"), Frame::Bulk("1".into()));
    }
}

#[test]
fn new_connections_hang_and_old_ones_time_out() {
    let master = Server::start(Kind::Ours, &["--repl-timeout", "2"]);
    let port = master.port_text();
    let flags = [&ALLOWED[..], &["--replicaof", "127.0.0.1", &port, "--repl-timeout", "2"]].concat();
    let replica = Server::start(Kind::Ours, &flags);
    replica.wait_for_offset_of(&master);
    let mut client = master.client();
    let connections = client.info("total_connections_received");
    assert_eq!(replica.run(&format!("PARTITION CUT 127.0.0.1:{port}")), ok());
    wait::until("the replica to give up", || link(&replica) == "down");
    wait::until("the master to give up", || client.info("connected_slaves") == "0");
    // It tries again, and nobody comes.
    wait::until("two more attempts", || replica.log().matches("Connecting to MASTER").count() > 2);
    assert_eq!(client.info("total_connections_received"), connections);
    assert_eq!(replica.run("PARTITION HEAL"), ok());
    replica.wait_for_offset_of(&master);
    assert_eq!(link(&replica), "up");
}

/// What a client with this name sends is not even read.
#[test]
fn a_name_is_cut_off() {
    let node = Server::start(Kind::Ours, &ALLOWED);
    assert_eq!(node.run("PARTITION CUT name:sentinel-01"), ok());
    let mut named = Client::connect(node.port()).expect("it listens");
    named.send(b"CLIENT SETNAME sentinel-0123-cmd\r\nSET k 1\r\n").expect("it is taken");
    assert!(named.is_silent());
    assert_eq!(node.run("PARTITION HEAL"), ok());
    assert_eq!(named.next_reply().expect("its answer"), ok());
    assert_eq!(named.next_reply().expect("its second answer"), ok());
    let mut other = node.client();
    assert_eq!(other.run("CLIENT SETNAME sentinel-9"), ok());
}

/// The master and one of three sentinels on one side, two replicas and two sentinels on the other.
#[test]
fn the_side_with_the_majority_goes_on_and_the_other_loses_its_writes() {
    let master = Server::start(Kind::Ours, &ALLOWED);
    let of = ["--replicaof", "127.0.0.1", &master.port_text()];
    let replicas = ["10", "100"].map(|priority| {
        Server::start(Kind::Ours, &[&ALLOWED[..], &of, &["--replica-priority", priority]].concat())
    });
    replicas.iter().for_each(Server::wait_for_link);
    let lines = format!("enable-test-partition yes\n{}", watching(master.port(), 2));
    let sentinels = [(); 3].map(|()| Sentinel::with_lines(Kind::Ours, &lines));
    sentinels.iter().for_each(Sentinel::hurry);
    for sentinel in &sentinels {
        wait::until("all to be found", || {
            sentinel.master_field("num-other-sentinels") == "2"
                && sentinel.fields_of("REPLICAS", "slave-priority") == ["10", "100"]
                && sentinel.fields_of("REPLICAS", "master-link-status") == ["ok", "ok"]
        });
    }
    let minority = [master.port(), sentinels[0].port()];
    let majority = [replicas[0].port(), replicas[1].port(), sentinels[1].port(), sentinels[2].port()];
    let partition = |command: &dyn Fn(&[u16]) -> String| {
        for (side, others) in [(&minority[..], &majority[..]), (&majority, &minority)] {
            let command = command(others);
            let words: Vec<&str> = command.split(' ').collect();
            for port in side {
                // A sentinel that changes a server's role sends its clients away, perhaps in this very moment: once more.
                wait::until("the order to be taken", || {
                    let said = Client::connect(*port).and_then(|mut client| client.try_call(&words));
                    said.is_ok_and(|said| said == ok())
                });
            }
        }
    };
    let words = |ports: &[u16]| ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
    partition(&|others| format!("PARTITION CUT {}", words(others)));
    let new = &replicas[0];
    for sentinel in &sentinels[1..] {
        wait::until("the majority to agree", || sentinel.master_port() == Some(new.port()));
    }
    // The old master does not know. Its sentinel does not either, and could do nothing about it.
    assert_eq!(master.info("role"), "master");
    assert_eq!(master.run("SET lost 1"), ok());
    assert_eq!(sentinels[0].master_port(), Some(master.port()));
    assert_eq!(sentinels[0].master_field("flags"), "master", "it is well, as it sees it");
    let Frame::Error(text) = sentinels[0].run(&format!("SENTINEL CKQUORUM {WATCHED}")) else {
        panic!("none")
    };
    assert!(text.starts_with("NOQUORUM 1 usable Sentinels"), "{text}");
    assert_eq!(new.run("SET kept 1"), ok());

    partition(&|_| "PARTITION HEAL".to_owned());
    wait::until("one opinion", || sentinels[0].master_port() == Some(new.port()));
    // A sentinel that changes its role sends clients away: ask on a new connection each time.
    let info = || Client::connect(master.port()).ok()?.try_call(&["INFO", "replication"]).ok();
    wait::until("the old master to follow", || {
        info().is_some_and(|info| {
            let info = String::from_utf8_lossy(info.as_bytes().unwrap_or_default()).into_owned();
            info.contains(&format!("master_port:{}\r\n", new.port()))
                && info.contains("master_link_status:up\r\n")
        })
    });
    master.wait_for_offset_of(new);
    assert_eq!(master.run("GET kept"), Frame::Bulk("1".into()));
    assert_eq!(master.run("GET lost"), Frame::Null, "what the minority had taken is gone");
}
