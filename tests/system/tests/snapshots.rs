//! RDB files of living servers: when they are saved, what is in them while clients write, what clients hear
//! while one is loaded. Each is tried on both kinds of server.

use std::sync::atomic::{AtomicBool, Ordering};

use core_types::{Frame, Rng};
use system::bounded::StopAtEnd;
use system::{Client, Server, both, wait};

const LOADING: &str = "LOADING Redis is loading the dataset in memory";

fn ok(client: &mut Client, command: &str) {
    assert_eq!(client.run(command), Frame::Simple("OK".into()), "{command}");
}

#[test]
fn a_save_point_saves_when_changes_and_time_have_come_together() {
    for kind in both("a_save_point_saves_when_changes_and_time_have_come_together") {
        let mut server = Server::start(kind, &["--save", "1", "3"]);
        let mut client = server.client();
        ok(&mut client, "MSET a 1 b 2");
        wait::until("time passes, two changes are not enough", || {
            client.run("GET a");
            client.info("uptime_in_seconds").parse::<u64>().expect("a number") >= 3
        });
        assert_eq!(client.info("rdb_changes_since_last_save"), "2", "{kind:?}");
        assert!(!server.dir().join("dump.rdb").exists(), "{kind:?}");
        client.run("INCR c");
        server.wait_for_log("3 changes in 1 seconds. Saving...");
        wait::until("the end of the save", || {
            client.info("rdb_changes_since_last_save") == "0" && client.info("rdb_bgsave_in_progress") == "0"
        });
        assert_eq!(client.info("rdb_last_bgsave_status"), "ok", "{kind:?}");
        // What came after is not in it.
        client.run("SET d 4");
        server.restart();
        server.wait_until_loaded();
        assert_eq!(server.run("DBSIZE"), Frame::Integer(3), "{kind:?}");
        assert_eq!(server.run("EXISTS d"), Frame::Integer(0), "{kind:?}");
    }
}

/// Keys of each writer. Many, so that the snapshot is under way for a while.
const PAIRS: u64 = 500;

/// Counts up pairs of keys, both by the same step, until told to stop.
fn write_pairs(port: u16, writer: u64, stop: &AtomicBool) {
    let mut client = Client::connect(port).expect("a connection");
    for number in (0..PAIRS).cycle() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let commands = [
            "MULTI".to_owned(),
            format!("INCR a:{writer}:{number}"),
            format!("INCR b:{writer}:{number}"),
            "EXEC".into(),
        ];
        let commands: Vec<_> = commands
            .iter()
            .map(|line| line.split(' ').map(|word| word.as_bytes().to_vec()).collect())
            .collect();
        client.pipeline(&commands);
    }
}

#[test]
fn a_file_saved_under_load_is_one_moment_and_the_other_kind_loads_it() {
    let test = "a_file_saved_under_load_is_one_moment_and_the_other_kind_loads_it";
    for kind in both(test) {
        let server = Server::start(kind, &["--enable-debug-command", "yes"]);
        server.run("DEBUG POPULATE 100000 filler 100");
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let _stop = StopAtEnd(&stop);
            for writer in 0..3 {
                let (port, stop) = (server.port(), &stop);
                scope.spawn(move || write_pairs(port, writer, stop));
            }
            wait::until("the writers have been everywhere", || {
                server.run("DBSIZE") == Frame::Integer(100_000 + 6 * PAIRS as i64)
            });
            let mut client = server.client();
            for _ in 0..2 {
                assert_eq!(client.run("BGSAVE"), Frame::Simple("Background saving started".into()));
                wait::until("the end of the save", || client.info("rdb_bgsave_in_progress") == "0");
                assert_eq!(client.info("rdb_last_bgsave_status"), "ok", "{kind:?}");
            }
        });
        for other in both(test) {
            let mut reader = Server::start(other, &[]);
            reader.kill();
            std::fs::copy(server.dir().join("dump.rdb"), reader.dir().join("dump.rdb")).expect("a copy");
            reader.restart();
            reader.wait_until_loaded();
            assert_eq!(
                reader.run("DBSIZE"),
                Frame::Integer(100_000 + 6 * PAIRS as i64),
                "{kind:?} to {other:?}"
            );
            let mut client = reader.client();
            for writer in 0..3 {
                let commands: Vec<_> = (0..PAIRS)
                    .map(|number| {
                        ["MGET".to_owned(), format!("a:{writer}:{number}"), format!("b:{writer}:{number}")]
                    })
                    .map(|words| words.map(String::into_bytes).to_vec())
                    .collect();
                for (number, reply) in client.pipeline(&commands).into_iter().enumerate() {
                    let Frame::Array(pair) = reply else { panic!("two values") };
                    assert!(matches!(pair[0], Frame::Bulk(_)));
                    assert_eq!(pair[0], pair[1], "{kind:?}: the two halves of transaction {number}");
                }
            }
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn while_a_file_is_loaded_clients_hear_that() {
    for kind in both("while_a_file_is_loaded_clients_hear_that") {
        let mut server = system::Fenced::start(kind, "", &["--enable-debug-command", "yes"]);
        server.wait_until_it_serves();
        server.client().run("DEBUG POPULATE 1000000 key 100");
        ok(&mut server.client(), "SET mine 1");
        ok(&mut server.client(), "SAVE");
        // It comes back as soon as it answers, whatever it answers.
        server.kill_and_restart();
        let mut heard = Vec::new();
        wait::until("the end of loading", || {
            let Ok(mut client) = Client::connect(server.port()) else { return false };
            for _ in 0..100_000 {
                match client.try_call(&["GET", "mine"]) {
                    Ok(Frame::Error(text)) => {
                        heard.push(text);
                        // These answer all the same.
                        let info = client.try_call(&["INFO", "persistence"]);
                        assert!(info.is_ok_and(|info| info.as_bytes().is_some()), "{kind:?}");
                    }
                    Ok(reply) => {
                        assert_eq!(reply, Frame::Bulk("1".into()), "{kind:?}");
                        return true;
                    }
                    Err(_) => return false,
                }
            }
            false
        });
        assert!(!heard.is_empty(), "{kind:?}: the file was loaded before anybody could ask");
        assert!(heard.iter().all(|text| text == LOADING), "{kind:?}: {:?}", heard[0]);
        assert_eq!(server.client().run("DBSIZE"), Frame::Integer(1_000_001), "{kind:?}");
    }
}

#[test]
fn debug_reload_goes_through_the_file() {
    for kind in both("debug_reload_goes_through_the_file") {
        let server = Server::start(kind, &["--enable-debug-command", "yes"]);
        let mut client = server.client();
        ok(&mut client, "MSET a 1 b 2");
        client.run("RPUSH list x y z");
        client.run("PEXPIRE a 100000000");
        let digest = client.run("DEBUG DIGEST");
        ok(&mut client, "DEBUG RELOAD");
        assert_eq!(client.run("DEBUG DIGEST"), digest, "{kind:?}");
        assert!(server.dir().join("dump.rdb").exists(), "{kind:?}");
        // What is loaded is what is in the file, not what is in memory.
        client.run("SET c 3");
        ok(&mut client, "DEBUG RELOAD NOSAVE");
        assert_eq!(client.run("DEBUG DIGEST"), digest, "{kind:?}");
        // A file that cannot be read is an error, and one that cannot be written, too.
        std::fs::remove_file(server.dir().join("dump.rdb")).expect("the file");
        let reply = client.run("DEBUG RELOAD NOSAVE");
        assert_eq!(reply, Frame::Error("ERR Error trying to load the RDB dump".into()), "{kind:?}");
        std::fs::create_dir(server.dir().join("dump.rdb")).expect("a folder in its way");
        std::fs::write(server.dir().join("dump.rdb/occupied"), "").expect("a file in it");
        assert!(matches!(client.run("DEBUG RELOAD"), Frame::Error(_)), "{kind:?}");
        assert_eq!(client.run("PING"), Frame::Simple("PONG".into()), "{kind:?}");
    }
}

/// What was begun and finds no room is deleted at once: it is in the way of the next attempt, and of everybody else.
#[test]
#[cfg(target_os = "linux")]
fn a_snapshot_that_finds_no_room_leaves_nothing_behind() {
    for kind in both("a_snapshot_that_finds_no_room_leaves_nothing_behind") {
        let mut server = system::Fenced::start(kind, "", &[]);
        server.wait_until_it_serves();
        // Nothing that could be compressed.
        let mut rng = Rng::new(1);
        let value: Vec<u8> = (0..1 << 20).map(|_| rng.next_u64() as u8).collect();
        let mut client = server.client();
        assert_eq!(client.call(&[&b"SET"[..], b"k", &value]), Frame::Simple("OK".into()));
        server.limit_files(Some(300_000));
        client.run("BGSAVE");
        server.wait_for_log("Background saving error");
        wait::until("the rest to be deleted", || {
            let files = std::fs::read_dir(server.dir()).expect("its directory");
            let mut names = files.map(|file| file.expect("a file").file_name());
            !names.any(|name| name.to_string_lossy().starts_with("temp-"))
        });
        server.limit_files(None);
        ok(&mut client, "SAVE");
    }
}
