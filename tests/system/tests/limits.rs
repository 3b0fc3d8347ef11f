//! Limits on clients: on their number, on what waits for them, on what they send, and on their idleness.
//! Each is tried on both kinds of server.

use core_types::Frame;
use system::{Client, Kind, Server, both, wait};

const MIB: usize = 1 << 20;

fn ok(client: &mut Client, command: &str) {
    assert_eq!(client.run(command), Frame::Simple("OK".into()), "{command}");
}

fn set_output_limit(server: &Server, limit: &str) {
    let reply = server.client().call(&["CONFIG", "SET", "client-output-buffer-limit", limit]);
    assert_eq!(reply, Frame::Simple("OK".into()));
}

fn store(server: &Server, key: &str, bytes: usize) {
    let reply = server.client().call(&[b"SET", key.as_bytes(), &vec![b'x'; bytes]]);
    assert_eq!(reply, Frame::Simple("OK".into()));
}

/// Asks for a value again and again and takes no answer.
fn ask(client: &mut Client, key: &str, times: usize) {
    let command = format!("GET {key}\r\n").repeat(times);
    client.send(command.as_bytes()).expect("the server reads");
}

/// What the log says of a client that was closed, at once or a moment later.
const CLOSED: &str = "for overcoming of output buffer limits";

#[test]
fn a_normal_client_over_the_hard_limit_is_closed_at_once() {
    for kind in both("a_normal_client_over_the_hard_limit_is_closed_at_once") {
        let server = Server::start(kind, &[]);
        store(&server, "big", MIB);
        set_output_limit(&server, "normal 2mb 0 0");
        let mut greedy = server.client();
        ask(&mut greedy, "big", 200);
        server.wait_for_log(CLOSED);
        let got = greedy.read_to_end().len();
        assert!(got < 100 * MIB, "{kind:?}: {got} bytes came");
        // Others are served, and a large answer below the limit is no offence.
        let Frame::Bulk(value) = server.client().run("GET big") else { panic!("{kind:?}: no value") };
        assert_eq!(value.len(), MIB);
    }
}

#[test]
fn a_subscriber_over_the_hard_limit_is_closed_and_the_others_are_not() {
    for kind in both("a_subscriber_over_the_hard_limit_is_closed_and_the_others_are_not") {
        let server = Server::start(kind, &[]);
        set_output_limit(&server, "pubsub 1mb 0 0");
        let (mut loud, mut quiet) = (server.client(), server.client());
        loud.run("SUBSCRIBE loud");
        quiet.run("SUBSCRIBE quiet");
        let message = vec![b'x'; 2 * MIB];
        let told = server.client().call(&[b"PUBLISH", b"loud".as_slice(), &message]);
        assert_eq!(told, Frame::Integer(1), "{kind:?}");
        server.wait_for_log(CLOSED);
        assert!(loud.read_to_end().len() < message.len(), "{kind:?}");
        assert_eq!(server.run("PUBLISH quiet word"), Frame::Integer(1), "{kind:?}");
        assert!(quiet.next_reply().is_ok(), "{kind:?}");
        // The limit is that of subscribers. A normal client may have such an answer.
        store(&server, "big", 2 * MIB);
        assert!(matches!(server.run("GET big"), Frame::Bulk(_)), "{kind:?}");
    }
}

/// So many quarters of a MiB: more than the system takes from a server for a client that does not read.
const ASKED: usize = 256;

#[test]
fn the_soft_limit_closes_only_who_stays_above_it() {
    for kind in both("the_soft_limit_closes_only_who_stays_above_it") {
        let server = Server::start(kind, &[]);
        store(&server, "big", MIB / 4);
        // Long enough to read all of it on a machine that is busy.
        set_output_limit(&server, "normal 0 100kb 4");
        let (mut stays, mut recovers) = (server.client(), server.client());
        // Above it at the same time, one of them only until it has read everything.
        ask(&mut recovers, "big", ASKED);
        ask(&mut stays, "big", ASKED);
        for _ in 0..ASKED {
            assert!(recovers.next_reply().is_ok(), "{kind:?}: it reads, and is left alone");
        }
        server.wait_for_log(CLOSED);
        assert!(stays.read_to_end().len() < ASKED * MIB / 4, "{kind:?}: it was closed before it had all");
        assert_eq!(recovers.run("PING"), Frame::Simple("PONG".into()), "{kind:?}");
        assert_eq!(server.log().matches(CLOSED).count(), 1, "{kind:?}");
    }
}

#[test]
fn a_command_beyond_the_query_buffer_limit_ends_the_connection() {
    for kind in both("a_command_beyond_the_query_buffer_limit_ends_the_connection") {
        let server = Server::start(kind, &["--client-query-buffer-limit", "1mb"]);
        let mut client = server.client();
        let _ = client.send(b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$4000000\r\n");
        let _ = client.send(&vec![b'x'; 3 * MIB]);
        assert_eq!(client.read_to_end(), b"", "{kind:?}");
        server.wait_for_log("Closing client that reached max query buffer length");
        assert_eq!(server.run("EXISTS key"), Frame::Integer(0), "{kind:?}");
        // Many small commands are not one large one.
        let mut client = server.client();
        let commands: Vec<_> = (0..3000)
            .map(|number| vec![b"SET".to_vec(), format!("k:{number}").into_bytes(), vec![b'x'; 1000]])
            .collect();
        assert!(client.pipeline(&commands).iter().all(|reply| *reply == Frame::Simple("OK".into())));
    }
}

#[test]
fn one_client_too_many_hears_it_and_a_place_that_is_free_is_given_away() {
    for kind in both("one_client_too_many_hears_it_and_a_place_that_is_free_is_given_away") {
        let server = Server::start(kind, &[]);
        let mut first = server.client();
        wait::until("the client that looked whether it is there has gone", || {
            first.info("connected_clients") == "1"
        });
        ok(&mut first, "CONFIG SET maxclients 2");
        let mut second = server.client();
        assert_eq!(second.run("PING"), Frame::Simple("PONG".into()));
        let mut third = server.client();
        assert_eq!(third.read_to_end(), b"-ERR max number of clients reached\r\n", "{kind:?}");
        assert_eq!(first.info("rejected_connections"), "1", "{kind:?}");
        drop(second);
        wait::until("a free place", || first.info("connected_clients") == "1");
        assert_eq!(server.client().run("PING"), Frame::Simple("PONG".into()), "{kind:?}");
    }
}

#[test]
fn an_idle_client_is_closed_but_one_that_waits_or_listens_is_not() {
    for kind in both("an_idle_client_is_closed_but_one_that_waits_or_listens_is_not") {
        let server = Server::start(kind, &[]);
        let (mut idle, mut waits, mut listens) = (server.client(), server.client(), server.client());
        assert_eq!(idle.run("PING"), Frame::Simple("PONG".into()));
        waits.send(b"BLPOP queue 0\r\n").expect("the server reads");
        listens.run("SUBSCRIBE news");
        let mut busy = server.client();
        ok(&mut busy, "CONFIG SET timeout 1");
        // It ends by itself; nothing is sent to it.
        assert_eq!(idle.read_to_end(), b"", "{kind:?}");
        // The others were there for longer. Two more idle ones end before they do, too.
        for _ in 0..2 {
            assert_eq!(server.client().read_to_end(), b"", "{kind:?}");
        }
        let mut busy = server.client();
        assert_eq!(busy.run("RPUSH queue x"), Frame::Integer(1), "{kind:?}");
        assert!(matches!(waits.next_reply(), Ok(Frame::Array(_))), "{kind:?}: it still waited");
        assert_eq!(busy.run("PUBLISH news x"), Frame::Integer(1), "{kind:?}: it still listened");
    }
}

/// The timer of the server's end of a connection, as `/proc/net/tcp` shows it: `Some(seconds)` for a
/// keep-alive timer.
#[cfg(target_os = "linux")]
fn keepalive_of(client: &Client, server: &Server) -> Option<u64> {
    let port = client.local_port();
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's table");
    let ends = (format!(":{:04X}", server.port()), format!(":{port:04X}"));
    let row = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).find(|row| {
        row.get(1).is_some_and(|local| local.ends_with(&ends.0))
            && row.get(2).is_some_and(|remote| remote.ends_with(&ends.1))
    });
    let timer = row.expect("the connection is in the table")[5];
    let (kind, ticks) = timer.split_once(':').expect("kind and time");
    // 2 is the keep-alive timer. A tick is 10 ms, as everywhere in /proc.
    (kind == "02").then(|| u64::from_str_radix(ticks, 16).expect("a number") / 100)
}

/// The timer of a connection that has nothing on its way. Right after a reply another timer may run.
#[cfg(target_os = "linux")]
fn wait_for_keepalive(client: &Client, server: &Server, expected: Option<u64>) {
    wait::until(&format!("a keep-alive timer of {expected:?} seconds"), || {
        let found = keepalive_of(client, server);
        match (found, expected) {
            (Some(found), Some(expected)) => found <= expected && found + 30 > expected,
            (found, expected) => found == expected,
        }
    });
}

#[test]
#[cfg(target_os = "linux")]
fn keepalive_is_for_connections_that_come_after_it_was_set() {
    for kind in both("keepalive_is_for_connections_that_come_after_it_was_set") {
        let server = Server::start(kind, &[]);
        let mut early = server.client();
        assert_eq!(early.run("PING"), Frame::Simple("PONG".into()));
        wait_for_keepalive(&early, &server, Some(300));
        ok(&mut early, "CONFIG SET tcp-keepalive 100");
        let mut later = server.client();
        assert_eq!(later.run("PING"), Frame::Simple("PONG".into()));
        wait_for_keepalive(&later, &server, Some(100));
        wait_for_keepalive(&early, &server, Some(300));
        ok(&mut early, "CONFIG SET tcp-keepalive 0");
        let mut last = server.client();
        assert_eq!(last.run("PING"), Frame::Simple("PONG".into()));
        wait_for_keepalive(&last, &server, None);
    }
}

/// What the log says of open files, without what differs from run to run.
#[cfg(target_os = "linux")]
fn said_of_files(log: &str) -> Vec<String> {
    let lines = log.lines().filter_map(|line| line.split_once(" # ").map(|(_, text)| text));
    lines
        .filter(|text| text.contains("open file") || text.contains("file descriptors"))
        .map(String::from)
        .collect()
}

/// `setpriv` takes from root what would let it raise any limit. Without it the test says nothing.
#[cfg(target_os = "linux")]
fn with_limit(files: u32) -> String {
    format!("ulimit -n {files}\nexec setpriv --bounding-set -sys_resource -- \"$0\" \"$@\"")
}

#[test]
#[cfg(target_os = "linux")]
fn the_limit_on_open_files_lowers_maxclients_or_forbids_the_start() {
    let test = "the_limit_on_open_files_lowers_maxclients_or_forbids_the_start";
    let Some(_) = system::redis_tool_or_skip(test, "setpriv") else { return };
    let mut said = Vec::new();
    for kind in both(test) {
        let mut server = system::Fenced::start(kind, &with_limit(100), &[]);
        server.wait_until_it_serves();
        let Frame::Array(found) = server.client().run("CONFIG GET maxclients") else { panic!("{kind:?}") };
        assert_eq!(found[1], Frame::Bulk("68".into()), "{kind:?}: 32 files are for other purposes");
        let enough = said_of_files(&server.log());
        let mut server = system::Fenced::start(kind, &with_limit(30), &[]);
        let status = server.wait_for_its_end();
        assert_eq!(status.code(), Some(1), "{kind:?}");
        said.push((kind, enough, said_of_files(&server.log())));
    }
    if let [(Kind::Ours, ours, ours_ended), (Kind::Redis, real, real_ended)] = said.as_slice() {
        assert_eq!(ours, real);
        assert_eq!(ours_ended, real_ended);
    }
}
