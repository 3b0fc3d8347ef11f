//! Masters that speak nonsense: the replica keeps running, says what is wrong, and keeps its data.

use core_types::Frame;
use system::scripted::ScriptedMaster;
use system::{Kind, Server, skip_snapshot, wait};

/// How the loader's complaints begin.
const NOT_LOADED: &str = "Failed trying to load the MASTER synchronization DB from socket";

/// A replica with one key follows `master`, must log this complaint and try again, and still holds
/// its key and takes commands.
fn keeps_its_data(master: &ScriptedMaster, complaint: &str) {
    let mut replica = Server::start(Kind::Ours, &[]);
    replica.run("SET precious data");
    let reply = replica.run(&format!("REPLICAOF 127.0.0.1 {}", master.port()));
    assert_eq!(reply, Frame::Simple("OK".into()));
    replica.wait_for_log(complaint);
    wait::until("a second attempt", || master.attempts() >= 2);
    assert!(replica.is_alive());
    assert_eq!(replica.run("GET precious"), Frame::Bulk("data".into()));
    assert_eq!(replica.info("master_link_status"), "down");
    // Back to work.
    assert_eq!(replica.run("REPLICAOF NO ONE"), Frame::Simple("OK".into()));
    assert_eq!(replica.run("SET new data"), Frame::Simple("OK".into()));
}

/// A master that is polite up to `PSYNC`, and then says this.
fn answers_psync(bytes: Vec<u8>) -> ScriptedMaster {
    ScriptedMaster::start(move |command| ScriptedMaster::polite(command, &bytes))
}

fn full_resync(payload: &[u8]) -> Vec<u8> {
    [format!("+FULLRESYNC {} 0\r\n", "a".repeat(40)).as_bytes(), payload].concat()
}

/// The snapshot of a real data set, as our own master sends it.
fn a_good_payload() -> Vec<u8> {
    let master = Server::start(Kind::Ours, &["--repl-diskless-sync", "no"]);
    for number in 0..50 {
        master.run(&format!("SET key:{number} value"));
    }
    let mut client = master.client();
    client.send(b"SYNC\r\n").expect("it reads");
    skip_snapshot(&mut client)
}

#[test]
fn nonsense_instead_of_pong() {
    let master = ScriptedMaster::start(|_| Some(b"+HELLO WORLD\r\n".to_vec()));
    keeps_its_data(&master, "Unexpected reply to PSYNC from master: +HELLO WORLD");
}

#[test]
fn an_error_instead_of_pong() {
    let master = ScriptedMaster::start(|_| Some(b"-ERR go away\r\n".to_vec()));
    keeps_its_data(&master, "Error reply to PING from master: '-ERR go away'");
}

#[test]
fn another_protocol() {
    let master = ScriptedMaster::start(|_| Some(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()));
    keeps_its_data(&master, "Error reply to PING from master: 'HTTP/1.1 400 Bad Request'");
}

#[test]
fn a_line_that_never_ends() {
    let master = ScriptedMaster::start(|_| Some(b"x".repeat(1 << 20)));
    keeps_its_data(&master, "Reply to PING from master has no line end");
}

#[test]
fn a_master_that_hangs_up() {
    let master = ScriptedMaster::start(|command| {
        if command.starts_with("PSYNC") { None } else { ScriptedMaster::polite(command, b"") }
    });
    keeps_its_data(&master, "Master did not reply to PSYNC, will try later");
}

#[test]
fn nonsense_instead_of_fullresync() {
    let complaint = "Unexpected reply to PSYNC from master: +WHATEVER you like";
    keeps_its_data(&answers_psync(b"+WHATEVER you like\r\n".to_vec()), complaint);
    let not_a_number = format!("+FULLRESYNC {} x\r\n", "a".repeat(40));
    for line in ["+FULLRESYNC\r\n", "+FULLRESYNC short 7\r\n", &not_a_number] {
        keeps_its_data(&answers_psync(line.into()), "Master replied with wrong +FULLRESYNC syntax.");
    }
}

#[test]
fn a_bad_header_of_the_payload() {
    for (header, complaint) in [
        ("+OK\r\n", "Bad protocol from MASTER, the first byte is not '$' (we received '+OK')"),
        ("$x\r\n", "Bad protocol from MASTER"),
        ("$-5\r\n", "Bad protocol from MASTER"),
        ("$99999999999999999999\r\n", "Bad protocol from MASTER"),
        ("$EOF:short\r\n", "Bad protocol from MASTER"),
        ("-ERR no\r\n", "MASTER aborted replication with an error: ERR no"),
    ] {
        keeps_its_data(&answers_psync(full_resync(header.as_bytes())), complaint);
    }
}

#[test]
fn a_payload_that_is_no_snapshot() {
    keeps_its_data(&answers_psync(full_resync(b"$9\r\nNOTREDIS!")), NOT_LOADED);
    let mark = "m".repeat(40);
    let payload = format!("$EOF:{mark}\r\nREDIS9999garbage{mark}");
    keeps_its_data(&answers_psync(full_resync(payload.as_bytes())), NOT_LOADED);
}

#[test]
fn a_snapshot_with_one_wrong_byte() {
    let good = a_good_payload();
    for at in [good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        let bytes = [format!("${}\r\n", bad.len()).as_bytes(), &bad].concat();
        keeps_its_data(&answers_psync(full_resync(&bytes)), NOT_LOADED);
    }
}

#[test]
fn a_snapshot_that_stops_halfway() {
    let good = a_good_payload();
    let half = [format!("${}\r\n", good.len()).as_bytes(), &good[..good.len() / 2]].concat();
    let bytes = full_resync(&half);
    let master =
        ScriptedMaster::start_and_hang_up(move |command| ScriptedMaster::polite(command, &bytes), "PSYNC");
    keeps_its_data(&master, "I/O error trying to sync with MASTER: connection lost");
}

#[test]
fn a_good_snapshot_is_taken() {
    let good = a_good_payload();
    let bytes = full_resync(&[format!("${}\r\n", good.len()).as_bytes(), &good].concat());
    let master = answers_psync(bytes);
    let replica = Server::start(Kind::Ours, &[]);
    replica.run("SET old data");
    replica.run(&format!("REPLICAOF 127.0.0.1 {}", master.port()));
    replica.wait_for_link();
    assert_eq!(replica.run("DBSIZE"), Frame::Integer(50));
    assert_eq!(replica.run("EXISTS old"), Frame::Integer(0));
}

#[test]
fn nonsense_in_the_stream() {
    let good = a_good_payload();
    let stream = b"*1\r\n$-7\r\nnonsense\r\n";
    let bytes = full_resync(&[format!("${}\r\n", good.len()).as_bytes(), &good, stream].concat());
    let master = answers_psync(bytes);
    let mut replica = Server::start(Kind::Ours, &[]);
    replica.run(&format!("REPLICAOF 127.0.0.1 {}", master.port()));
    wait::until("a second attempt", || master.attempts() >= 2);
    assert!(replica.is_alive());
    assert_eq!(replica.run("DBSIZE"), Frame::Integer(50));
}
